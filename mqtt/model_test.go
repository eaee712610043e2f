package mqtt

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSessionModel drives a session at random beside a model of it: PUBACKs leave in the order of the PUBLISHes, each
// once and only when all before it were acknowledged; ours get an unused id within the window; output is never lost.
func TestSessionModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 6).Draw(t, "window")
		h := &recorder{}
		s := connectedSessionFor(t, &Config{Inflight: uint16(window)}, h)
		h.calls = nil
		var (
			came  []uint16 // waits for its PUBACK, in order
			acked = map[uint16]bool{}
			went  []uint16
			out   []byte // what Take must give
		)
		t.Repeat(map[string]func(*rapid.T){
			"publish comes": func(t *rapid.T) {
				id := rapid.Uint16Range(1, 8).Draw(t, "id")
				dup := slices.Contains(came, id)
				if err := s.Receive(AppendPublish(nil, V311, "a", nil, 1, id, dup, false)); err != nil {
					t.Fatal(err)
				}
				if !dup {
					came = append(came, id)
				}
			},
			"ack": func(t *rapid.T) {
				id := rapid.Uint16Range(1, 8).Draw(t, "id")
				s.Ack(id)
				if slices.Contains(came, id) {
					acked[id] = true
				}
				for len(came) > 0 && acked[came[0]] {
					out = AppendPuback(out, came[0])
					delete(acked, came[0])
					came = came[1:]
				}
			},
			"publish goes": func(t *rapid.T) {
				id, err := s.Publish("b", nil, 1)
				switch {
				case len(went) >= window:
					if err != ErrWindow {
						t.Fatalf("%d of %d in flight: %v, want %v", len(went), window, err, ErrWindow)
					}
					return
				case err != nil || id == 0 || slices.Contains(went, id):
					t.Fatalf("id %d, %v while %v wait", id, err, went)
				}
				went = append(went, id)
				out = AppendPublish(out, V311, "b", nil, 1, id, false, false)
			},
			"puback comes": func(t *rapid.T) {
				id := rapid.Uint16Range(1, 8).Draw(t, "id")
				before := len(h.calls)
				if err := s.Receive(AppendPuback(nil, id)); err != nil {
					t.Fatal(err)
				}
				i := slices.Index(went, id)
				if told := len(h.calls) > before; told != (i >= 0) {
					t.Fatalf("PUBACK %d: told %v while %v wait", id, told, went)
				}
				if i >= 0 {
					went = slices.Delete(went, i, i+1)
				}
			},
			"ping": func(t *rapid.T) {
				if err := s.Receive(wire("c000")); err != nil {
					t.Fatal(err)
				}
				out = append(out, wire("d000")...)
			},
			"take": func(t *rapid.T) {
				if got := s.Take(nil); string(got) != string(out) {
					t.Fatalf("output\n got %x\nwant %x", got, out)
				}
				out = nil
			},
			"": func(t *rapid.T) {
				if s.Unacked() != len(came) || s.Inflight() != len(went) || s.Pending() != len(out) {
					t.Fatalf("%d, %d, %d unacked, in flight, pending, want %d, %d, %d",
						s.Unacked(), s.Inflight(), s.Pending(), len(came), len(went), len(out))
				}
			},
		})
	})
}

func connectedSessionFor(t *rapid.T, c *Config, h Handler) *Session {
	s := NewSession(c, h)
	if err := s.Receive(wire(hello)); err != nil {
		t.Fatal(err)
	}
	s.Take(nil)
	return s
}
