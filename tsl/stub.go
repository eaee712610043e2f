package tsl

// Parse reads a document. Its error is [Problems].
func Parse(doc []byte) (*Document, error) { return nil, nil }

// Schema is the JSON Schema (2020-12) of a document.
func Schema() []byte { return nil }

// Compile makes a document ready.
func Compile(d *Document) (*Model, error) { return nil, nil }

// Property finds a property.
func (m *Model) Property(id string) (*Property, bool) { return nil, false }

// Properties lists the properties in the order of the document.
func (m *Model) Properties() []*Property { return nil }

// Event finds an event.
func (m *Model) Event(id string) (*Event, bool) { return nil, false }

// Events lists the events in the order of the document.
func (m *Model) Events() []*Event { return nil }

// Service finds a service.
func (m *Model) Service(id string) (*Service, bool) { return nil, false }

// Services lists the services in the order of the document.
func (m *Model) Services() []*Service { return nil }

// CheckPost checks params of a property post.
func (m *Model) CheckPost(params []byte, each Each) *Violation { return nil }

// CheckSet checks params of a property set.
func (m *Model) CheckSet(params []byte, each Each) *Violation { return nil }

// CheckEvent checks params of an event post.
func (m *Model) CheckEvent(identifier string, params []byte) *Violation { return nil }

// CheckInput checks params of a service call.
func (m *Model) CheckInput(service string, params []byte) *Violation { return nil }

// CheckOutput checks data of a service's answer.
func (m *Model) CheckOutput(service string, data []byte) *Violation { return nil }

// Change is one difference between two documents.
type Change struct {
	Path     string
	Kind     string
	Breaking bool
	Text     string
}

// Diff compares.
func Diff(old, new *Document) []Change { return nil }
