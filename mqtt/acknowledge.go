package mqtt

import "slices"

// Ack answers the PUBLISH with this id: PUBACK, or PUBREC for QoS 2. It leaves when all PUBLISHes before it were answered,
// too (MQTT-4.6.0-2, MQTT-4.6.0-3). An id that waits for no answer is ignored.
func (s *Session) Ack(id uint16) { s.answer(id, Success, "") }

// Refuse is Ack with a failure, which an MQTT 5 client is told, and text for people. A client of 3.1.1 hears that its
// message was taken: it has no other word, and would only send it again.
func (s *Session) Refuse(id uint16, r Reason, text string) { s.answer(id, r, text) }

func (s *Session) answer(id uint16, r Reason, text string) {
	s.mu.Lock()
	i := s.indexCame(id)
	if i < 0 || s.phase == ended { // nothing goes behind a DISCONNECT (MQTT-3.14.4-1)
		s.mu.Unlock()
		return
	}
	s.came[i].acked, s.came[i].code = true, r
	if s.five != nil && text != "" {
		s.five.note(id, text)
	}
	n := 0
	for n < len(s.came) && s.came[n].acked {
		s.acknowledge(s.came[n])
		n++
	}
	s.came = s.came[:copy(s.came, s.came[n:])]
	if len(s.came) == 0 {
		s.came = s.cameFirst[:0]
	}
	wake := s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
}

// acknowledge queues the answer to a PUBLISH. A QoS 2 message is then held until the client releases it, unless it was
// refused (MQTT 5 §4.3.3). The caller holds mu.
func (s *Session) acknowledge(o owed) {
	t := PUBACK
	if o.qos == 2 {
		t = PUBREC
		if s.five == nil || !o.code.Failed() {
			s.held = append(s.held, unreleased{id: o.id})
		}
	}
	s.reason(t, o.id, o.code)
}

// reason queues a PUBACK, PUBREC, PUBREL or PUBCOMP. The caller holds mu.
func (s *Session) reason(t Type, id uint16, r Reason) {
	text := ""
	if s.five != nil {
		text = s.five.noted(id)
	}
	if s.five == nil || r == Success {
		s.out = s.out.room(4)
		s.out.b = append(s.out.b, byte(t)<<4|reservedFlags(t), 2, byte(id>>8), byte(id))
		return
	}
	s.out = s.out.appended(s.five.explained(Packet{Type: t, ID: id, Code: r.in(t)}, text))
}

// Complete answers the release of the QoS 2 message with this id by PUBCOMP. An id that waits for none is ignored.
func (s *Session) Complete(id uint16) {
	s.mu.Lock()
	i := s.indexHeld(id)
	if i < 0 || s.phase == ended {
		s.mu.Unlock()
		return
	}
	s.held = slices.Delete(s.held, i, i+1)
	if len(s.held) == 0 {
		s.held = nil
	}
	s.reason(PUBCOMP, id, Success)
	wake := s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
}

// UnderWay is how many messages of the client count against what it may have under way.
func (s *Session) UnderWay() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.underWay()
}

// Unacked is how many PUBLISHes of QoS 1 and 2 have no PUBACK or PUBREC yet. A transport that stops reading above a limit
// of its own, until Wake tells of them, holds a client back without breaking with it.
func (s *Session) Unacked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.came)
}

// owe notes that the client waits for an acknowledgement.
func (s *Session) owe(p *Packet) (before repetition, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase != connected:
		return 0, ErrClosed
	case s.indexCame(p.ID) >= 0:
		return waits, nil
	case !s.fits(4):
		return 0, ErrOut
	case s.indexHeld(p.ID) >= 0 && p.QoS == 2:
		s.reason(PUBREC, p.ID, Success)
		return answered, nil
	case s.indexHeld(p.ID) >= 0:
		before = foreign
	case p.QoS == 2 && len(s.held) >= maxHeld:
		return 0, breach(s.version, QuotaExceeded, "", "", "PUBLISH: %d messages of QoS 2 wait to be released, more are not kept", maxHeld)
	}
	if s.five != nil && s.underWay() >= s.receiveMax() {
		return 0, breach(V5, ReceiveMaxExceeded, "", "MQTT-3.3.4-9", "PUBLISH: more than %d messages are under way", s.receiveMax())
	}
	if s.came == nil {
		s.came = s.cameFirst[:0]
	}
	s.came = append(s.came, owed{id: p.ID, qos: p.QoS})
	return before, nil
}

// underWay is how many messages count against what the client may have under way: those of this connection (MQTT 5 §4.9). The
// caller holds mu.
func (s *Session) underWay() int {
	n := len(s.came)
	for _, h := range s.held {
		if !h.earlier {
			n++
		}
	}
	return n
}

// A repetition is what became of an earlier PUBLISH with the same identifier.
type repetition uint8

const (
	waits    repetition = iota + 1 // for its acknowledgement
	answered                       // by PUBREC, now once more
	foreign                        // it was of QoS 2, and is not released yet; this one is not
)

func (s *Session) receiveMax() int {
	if s.most > 0 {
		return int(s.most)
	}
	if s.c.ReceiveMax > 0 {
		return int(s.c.ReceiveMax)
	}
	return defaultReceiveMax
}

// released acts on PUBREL.
func (s *Session) released(id uint16) error {
	s.mu.Lock()
	if i := s.indexHeld(id); i >= 0 {
		told := s.held[i].leaving
		s.held[i].leaving = true
		s.mu.Unlock()
		if !told { // else its answer is on the way
			s.h.Release(id)
		}
		return nil
	}
	defer s.mu.Unlock()
	if s.phase != connected {
		return ErrClosed
	}
	if !s.fits(4) {
		return ErrOut
	}
	s.reason(PUBCOMP, id, IDNotFound) // released before; the answer was lost
	return nil
}

func (s *Session) indexCame(id uint16) int {
	return slices.IndexFunc(s.came, func(o owed) bool { return o.id == id })
}

func (s *Session) indexHeld(id uint16) int {
	return slices.IndexFunc(s.held, func(h unreleased) bool { return h.id == id })
}

func (s *Session) indexWent(id uint16) int {
	return slices.IndexFunc(s.went, func(f flight) bool { return f.id == id })
}

// settle acts on PUBACK, PUBREC and PUBCOMP: it forgets a message of ours when the client has had its last word.
func (s *Session) settle(p *Packet) error {
	last, err := s.settled(p)
	if last {
		s.h.Puback(p.ID, Reason(p.Code))
	}
	return err
}

// settled is settle without its word to the handler; it reports whether that is due.
func (s *Session) settled(p *Packet) (last bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.indexWent(p.ID)
	goesOn := p.Type == PUBREC && !Reason(p.Code).Failed()
	switch {
	case goesOn && !s.fits(4):
		return false, ErrOut
	case i < 0:
		if goesOn {
			s.reason(PUBREL, p.ID, IDNotFound)
		}
		return false, nil // late, and harmless
	case (p.Type == PUBACK) != (s.went[i].qos == 1):
		return false, breach(s.version, ProtocolBroken, "MQTT-2.3.1-6", "MQTT-2.2.1-5",
			"%s: packet identifier %d belongs to a message of QoS %d", p.Type, p.ID, s.went[i].qos)
	case goesOn:
		s.went[i].released = true
		s.reason(PUBREL, p.ID, Success)
		return false, nil
	}
	s.went = slices.Delete(s.went, i, i+1)
	if len(s.went) == 0 {
		s.went = s.wentFirst[:0]
	}
	return true, nil
}
