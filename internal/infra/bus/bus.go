// Package bus carries events between the parts of a program, and between nodes.
//
// It promises little on purpose: an event may be lost, and nothing may depend on
// its arrival. Who must not miss something reads rows by their growing number
// and uses the event only to look sooner. What it does promise:
//   - Publish never blocks and never fails;
//   - the events of one publisher reach one subscriber in order, each at most once, unless lost;
//   - a slow subscriber loses its own oldest events and slows nobody.
package bus

import (
	"fmt"
	"strings"
)

// A Bus passes events to whoever subscribed at that moment.
type Bus interface {
	// Publish hands payload to the subscribers of subject. It does not block. The
	// bus and its subscribers share payload: nobody writes to it afterwards.
	Publish(subject string, payload []byte)

	// Subscribe calls handle for every event on subject, which is exact or a
	// prefix that ends in ".>" ("command.>" has "command.due.x", not "command").
	// handle runs on a goroutine of the bus, one call at a time; while it runs,
	// events wait in a bounded queue, and the oldest are dropped when it is full.
	// After cancel has returned no further call begins; one that runs may end later.
	// Subscribe panics on a subject that [Valid] refuses: subjects are written by programmers.
	Subscribe(subject string, handle func(subject string, payload []byte)) (cancel func())
}

// Valid says what is wrong with a subject, nil if nothing is: tokens of visible
// characters parted by dots, none of them empty, at most 255 bytes; the last may
// be ">" to subscribe to everything below.
func Valid(subject string) error {
	if subject == "" || len(subject) > 255 {
		return fmt.Errorf("subject has %d bytes, want 1 to 255", len(subject))
	}
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		if token == "" {
			return fmt.Errorf("subject %q has an empty token", subject)
		}
		last := i == len(tokens)-1
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == '*' || r == 0x7f }) ||
			strings.Contains(token, ">") && (token != ">" || !last || i == 0) {
			return fmt.Errorf("subject %q has the token %q", subject, token)
		}
	}
	return nil
}
