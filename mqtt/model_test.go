package mqtt

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A modelled is what a session should hold.
type modelled struct {
	window int
	came   []owed   // waits for its PUBACK or PUBREC, in order
	held   []uint16 // waits to be released
	told   []uint16 // those of held whose release came
	went   []flight
	out    []byte // what Take must give
	calls  int    // of the handler
}

func (m *modelled) owes(id uint16) bool {
	return slices.ContainsFunc(m.came, func(o owed) bool { return o.id == id })
}

func (m *modelled) flying(id uint16) int {
	return slices.IndexFunc(m.went, func(f flight) bool { return f.id == id })
}

func (m *modelled) says(t Type, id uint16) {
	m.out = append(m.out, byte(t)<<4|reservedFlags(t), 2, byte(id>>8), byte(id))
}

func (m *modelled) ack(id uint16) {
	for i := range m.came {
		m.came[i].acked = m.came[i].acked || m.came[i].id == id
	}
	for len(m.came) > 0 && m.came[0].acked {
		if o := m.came[0]; o.qos == 1 {
			m.says(PUBACK, o.id)
		} else {
			m.says(PUBREC, o.id)
			m.held = append(m.held, o.id)
		}
		m.came = m.came[1:]
	}
}

// TestSessionModel drives a session at random beside a model of it: acknowledgements leave in the order of the PUBLISHes,
// each once and only when all before it were given; a message of QoS 2 reaches the handler once, however often it comes;
// ours get an unused id within the window and end once; output is never lost.
func TestSessionModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &modelled{window: rapid.IntRange(1, 6).Draw(t, "window")}
		h := &recorder{}
		s := connectedSessionFor(t, &Config{Inflight: uint16(m.window)}, h)
		h.calls = nil
		receive := func(b []byte) {
			if err := s.Receive(b); err != nil {
				t.Fatal(err)
			}
		}
		anyID := rapid.Uint16Range(1, 8)
		t.Repeat(map[string]func(*rapid.T){
			"publish comes": func(t *rapid.T) {
				id, qos := anyID.Draw(t, "id"), rapid.Uint8Range(1, 2).Draw(t, "qos")
				again := m.owes(id) || slices.Contains(m.held, id)
				if again && (qos == 1) == slices.Contains(m.held, id) {
					return // a breach, which other tests have
				}
				receive(AppendPublish(nil, V311, "a", nil, qos, id, again, false))
				switch {
				case !again:
					m.came = append(m.came, owed{id: id, qos: qos})
					m.calls++
				case slices.Contains(m.held, id):
					m.says(PUBREC, id)
				}
			},
			"ack": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				s.Ack(id)
				m.ack(id)
			},
			"release comes": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				receive(wire(fmt.Sprintf("6202%04x", id)))
				switch {
				case !slices.Contains(m.held, id):
					m.says(PUBCOMP, id)
				case !slices.Contains(m.told, id):
					m.told = append(m.told, id)
					m.calls++
				}
			},
			"complete": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				s.Complete(id)
				if i := slices.Index(m.held, id); i >= 0 {
					m.held = slices.Delete(m.held, i, i+1)
					m.told = slices.DeleteFunc(m.told, func(told uint16) bool { return told == id })
					m.says(PUBCOMP, id)
				}
			},
			"publish goes": func(t *rapid.T) {
				qos := rapid.Uint8Range(1, 2).Draw(t, "qos")
				id, err := s.Publish("b", nil, qos)
				switch {
				case len(m.went) >= m.window:
					if err != ErrWindow {
						t.Fatalf("%d of %d in flight: %v, want %v", len(m.went), m.window, err, ErrWindow)
					}
					return
				case err != nil || id == 0 || m.flying(id) >= 0:
					t.Fatalf("id %d, %v while %v wait", id, err, m.went)
				}
				m.went = append(m.went, flight{id: id, qos: qos})
				m.out = AppendPublish(m.out, V311, "b", nil, qos, id, false, false)
			},
			"acknowledgement comes": func(t *rapid.T) {
				id, how := anyID.Draw(t, "id"), rapid.SampledFrom([]Type{PUBACK, PUBREC, PUBCOMP}).Draw(t, "type")
				i := m.flying(id)
				if i >= 0 && (how == PUBACK) != (m.went[i].qos == 1) {
					return // a breach
				}
				receive([]byte{byte(how) << 4, 2, byte(id >> 8), byte(id)})
				switch {
				case how == PUBREC:
					m.says(PUBREL, id)
				case i >= 0:
					m.went = slices.Delete(m.went, i, i+1)
					m.calls++
				}
			},
			"ping": func(t *rapid.T) {
				receive(wire("c000"))
				m.out = append(m.out, wire("d000")...)
			},
			"take": func(t *rapid.T) {
				if got := s.Take(nil); string(got) != string(m.out) {
					t.Fatalf("output\n got %x\nwant %x", got, m.out)
				}
				m.out = nil
			},
			"": func(t *rapid.T) {
				if s.Unacked() != len(m.came) || s.Inflight() != len(m.went) || s.Pending() != len(m.out) || len(h.calls) != m.calls {
					t.Fatalf("%d unacked, %d in flight, %d pending, %d calls, want %d, %d, %d, %d",
						s.Unacked(), s.Inflight(), s.Pending(), len(h.calls), len(m.came), len(m.went), len(m.out), m.calls)
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
