package mqtt

import "fmt"

// An Outgoing is a message for a client.
type Outgoing struct {
	Topic      string
	Payload    []byte
	QoS        uint8
	Retain     bool       // it was kept, and the client subscribed later
	ID         uint16     // of QoS 1 and 2: the packet identifier, if no message under way has it; 0: the next that is free
	Dup        bool       // it went with this ID in an earlier connection and was not acknowledged
	Properties Properties // MQTT 5: message expiry, response topic, subscription identifiers …; no topic alias; not sent in 3.1.1
}

// Publish queues a message for the client. The id of one of QoS 1 or 2 comes back in Handler.Puback, which
// may happen before Publish returns; for QoS 0 it is 0.
// [ErrWindow], [ErrOut], [ErrTooLarge], [ErrClosed], [ErrNotConnected] or a topic that cannot be sent: nothing was queued.
func (s *Session) Publish(topic string, payload []byte, qos uint8) (id uint16, err error) {
	return s.Send(&Outgoing{Topic: topic, Payload: payload, QoS: qos})
}

// Send is Publish with all that a message may say.
func (s *Session) Send(m *Outgoing) (id uint16, err error) {
	if !ValidTopic(m.Topic) || m.QoS > 2 {
		return 0, fmt.Errorf("mqtt: PUBLISH to %q with QoS %d cannot be sent", cut(m.Topic), m.QoS)
	}
	s.mu.Lock()
	id, err = s.send(m)
	wake := err == nil && s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
	return id, err
}

// send queues m. The caller holds mu.
func (s *Session) send(m *Outgoing) (id uint16, err error) {
	switch {
	case s.phase == ended:
		return 0, ErrClosed
	case s.phase != connected:
		return 0, ErrNotConnected
	case m.QoS > 0 && len(s.went) >= s.window():
		return 0, ErrWindow
	}
	if s.five == nil {
		body := publishBody(V311, len(m.Topic), len(m.Payload), m.QoS)
		switch size := headerSize(body) + body; {
		case size > s.maxOut():
			return 0, ErrTooLarge
		case !s.fits(size):
			return 0, ErrOut
		}
		id = s.take(m)
		s.out = s.out.room(headerSize(body) + body)
		s.out.b = AppendPublish(s.out.b, V311, m.Topic, m.Payload, m.QoS, id, m.Dup && m.QoS > 0, m.Retain)
		return id, nil
	}
	return s.sendFive(m)
}

// sendFive is send in MQTT 5. The caller holds mu.
func (s *Session) sendFive(m *Outgoing) (id uint16, err error) {
	p := Packet{Type: PUBLISH, QoS: m.QoS, Retain: m.Retain, Dup: m.Dup && m.QoS > 0, Topic: []byte(m.Topic), Payload: m.Payload, Properties: m.Properties}
	fresh := s.five.alias(&p)
	size := publishSize(&p)
	switch {
	case s.five.maxPacket > 0 && size > s.five.maxPacket || size > s.maxOut():
		return 0, ErrTooLarge
	case !s.fits(size):
		return 0, ErrOut
	}
	if fresh {
		s.five.out = append(s.five.out, m.Topic)
	}
	p.ID = s.take(m)
	s.out = s.out.room(size + 5 - headerSize(size)) // AppendPacket begins with the longest header
	s.out.b = AppendPacket(s.out.b, &p, V5)
	return p.ID, nil
}

// publishSize is what a PUBLISH of MQTT 5 takes, bytes.
func publishSize(p *Packet) int {
	list := len(p.Properties)
	body := publishBody(V5, len(p.Topic), len(p.Payload), p.QoS) + list + headerSize(list) - 2 // its length has a byte in publishBody
	return headerSize(body) + body
}

// take gives a message of QoS 1 or 2 its identifier and notes that it is under way. The caller holds mu.
func (s *Session) take(m *Outgoing) uint16 {
	if m.QoS == 0 {
		return 0
	}
	id := m.ID
	if id == 0 || s.indexWent(id) >= 0 {
		id = s.nextID()
	}
	if s.went == nil {
		s.went = s.wentFirst[:0]
	}
	s.went = append(s.went, flight{id: id, qos: m.QoS})
	return id
}

// nextID is an id that none of our messages has that are under way. The caller holds mu and has seen that the window,
// which is smaller than the ids there are, has room.
func (s *Session) nextID() uint16 {
	for {
		s.lastID++
		if s.lastID != 0 && s.indexWent(s.lastID) < 0 {
			return s.lastID
		}
	}
}

// Inflight is how many messages of ours wait for their acknowledgement.
func (s *Session) Inflight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.went)
}

// Room is how many messages of QoS 1 or 2 may be queued now.
func (s *Session) Room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.window()-len(s.went), 0)
}

func (s *Session) window() int {
	n := defaultInflight
	if s.c.Inflight > 0 {
		n = int(s.c.Inflight)
	}
	if s.five != nil && s.five.receiveMax > 0 {
		n = min(n, int(s.five.receiveMax))
	}
	return n
}
