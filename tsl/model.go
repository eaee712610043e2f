package tsl

// Model is a document made ready to check messages. It never changes and is safe for any number of goroutines.
type Model struct {
	document *Document
	table    *table
	events   []*Event
	services []*Service
}

// Property is a property of the model, a parameter of an event or service, a field of a struct, or the item of an
// array (which has no identifier). It belongs to its Model and must not be changed.
type Property struct {
	Identifier string
	Name       string              // as the document gives it
	Names      Names               // by language, "zh-CN" and "en" where known
	Aliases    map[string][]string // other words for it, by language; may be nil
	Type       Type
	Readable   bool // the device posts it (accessMode r or rw)
	Writable   bool // it can be set (accessMode rw or w)
	Required   bool // parameters and fields: a message without it is refused

	Unit     string  // "%", "K"; numeric types, may be empty
	Min, Max float64 // numeric types with HasRange
	Step     float64 // 0: none; counted from Min, or from 0 without a range
	HasRange bool

	Enum   []EnumValue // bool and enum, ascending
	Length int         // text: longest, bytes of UTF-8
	Size   int         // array: most elements
	Item   *Property   // array
	Fields []*Property // struct, in the order of the document

	rule                 string // what a violation wants
	min, max, step, grid int64  // int: bounds, step and where it is counted from
	gridFloat            float64
	mask                 uint64 // bool and enum: the values below 64
	table                *table // struct: its fields
	inside               manner // struct: what its members are called
}

// EnumValue is one value of a bool or enum.
type EnumValue struct {
	Value int64
	Name  string // as the document gives it
	Names Names  // by language, "zh-CN" and "en" where known
}

// Event is an event a device may post.
type Event struct {
	Identifier, Name string
	Names            Names
	Aliases          map[string][]string
	Type             string // "info", "alert" or "error"
	Output           []*Property

	root *Property // the output as a struct
}

// Service is an act that can be asked of a device.
type Service struct {
	Identifier, Name string
	Names            Names
	Aliases          map[string][]string
	Async            bool
	Idempotent       bool // may be sent twice: carried out twice is the same as once
	Input, Output    []*Property

	input, output *table
}

// Each is called for every property of a message as it is scanned, with the raw JSON of its value (aliasing the
// message) and its time in milliseconds since 1970 UTC, 0 when none was given. It is called before the rest of the
// message was seen: when the check then returns a Violation, what was collected is to be thrown away.
type Each = func(p *Property, value []byte, timeMS int64)

// Document is what the model was compiled from; it must not be changed.
func (m *Model) Document() *Document { return m.document }

// Property finds a property by its identifier.
func (m *Model) Property(id string) (*Property, bool) {
	if i := m.table.find([]byte(id)); i >= 0 {
		return m.table.props[i], true
	}
	return nil, false
}

// Properties are the properties in the order of the document. The list must not be changed.
func (m *Model) Properties() []*Property { return m.table.props }

// Event finds an event by its identifier.
func (m *Model) Event(id string) (*Event, bool) {
	for _, e := range m.events {
		if e.Identifier == id {
			return e, true
		}
	}
	return nil, false
}

// Events are the events in the order of the document, the default post left out. The list must not be changed.
func (m *Model) Events() []*Event { return m.events }

// Service finds a service by its identifier.
func (m *Model) Service(id string) (*Service, bool) {
	for _, s := range m.services {
		if s.Identifier == id {
			return s, true
		}
	}
	return nil, false
}

// Services are the services in the order of the document, the default set and get left out. The list must not be
// changed.
func (m *Model) Services() []*Service { return m.services }
