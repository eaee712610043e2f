// Package bustest holds the suite that every bus has to pass, and a bus that loses everything.
//
// It owns nothing.
package bustest

// Deaf is the worst bus that is allowed: it loses every event.
type Deaf struct{}

// Publish loses the event.
func (Deaf) Publish(string, []byte) {}

// Subscribe never calls handle.
func (Deaf) Subscribe(string, func(string, []byte)) (cancel func()) { return func() {} }
