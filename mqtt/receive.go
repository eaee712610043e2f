package mqtt

import "errors"

// act is what a session does with one packet.
func (s *Session) act(p *Packet) error {
	if s.closed.Load() {
		return ErrClosed
	}
	switch p.Type {
	case PUBLISH:
		return s.published(p)
	case PUBACK:
		if s.settled(p.ID) {
			s.h.Puback(p.ID)
		}
		return nil // of an id that waits for none: late, and harmless
	case PINGREQ:
		return s.reply(byte(PINGRESP)<<4, 0)
	case SUBSCRIBE:
		return s.subscribed(p)
	case UNSUBSCRIBE:
		s.h.Unsubscribe(p.Filters)
		return s.reply(byte(UNSUBACK)<<4, 2, byte(p.ID>>8), byte(p.ID))
	case CONNECT:
		return s.connects(p)
	case DISCONNECT:
		s.h.Disconnect()
		return ErrClosed
	case PUBREC, PUBREL, PUBCOMP:
		return breach(V311, codeProtocol, "§4.3.3", "§4.3.3", "%s: packet identifier %d belongs to no message of QoS 2", p.Type, p.ID)
	case CONNACK, SUBACK, UNSUBACK, PINGRESP, AUTH:
	}
	return breach(V311, codeProtocol, "§2.2.1", "§2.1.2", "%s: only a server sends it", p.Type)
}

func (s *Session) connects(p *Packet) error {
	c := p.Connect
	switch {
	case !s.move(waiting, waiting):
		return breach(c.Version, codeProtocol, "MQTT-3.1.0-2", "MQTT-3.1.0-2", "CONNECT: comes a second time")
	case c.Version == V5:
		return breach(V5, codeVersion, "", "MQTT-3.1.2-2", "CONNECT: MQTT 5 is not spoken here yet, want 3.1.1")
	case len(c.ClientID) == 0 && !c.Clean:
		return breach(V311, codeClientID, "MQTT-3.1.3-8", "", "CONNECT: client identifier is empty and clean session is 0")
	}
	if !s.move(waiting, deciding) {
		return ErrClosed
	}
	decision := s.h.Connect(c)
	code := returnCode(decision)
	if code == Accepted && decision != Accepted {
		code = RefusedAuthorised // what 3.1.1 cannot say is a refusal all the same
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != deciding {
		return ErrClosed
	}
	s.out = s.out.appended([]byte{byte(CONNACK) << 4, 2, 0, code})
	if code != Accepted {
		return &Refused{Code: code}
	}
	s.phase, s.keepAlive = connected, c.KeepAlive
	return nil
}

// move moves the phase, if it is from.
func (s *Session) move(from, to phase) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != from {
		return false
	}
	s.phase = to
	return true
}

// answerBadConnect queues the CONNACK that the standard asks for when a CONNECT was refused before the handler saw it,
// in the version of the client. The caller holds mu.
func (s *Session) answerBadConnect(err error) {
	breach, ok := errors.AsType[*ProtocolError](err)
	switch {
	case !ok || s.phase != waiting:
	case s.in.Version == V5 && breach.Code == codeVersion:
		s.out = s.out.appended([]byte{byte(CONNACK) << 4, 3, 0, codeVersion, 0})
	case s.in.Version == V311 && (breach.Code == codeVersion || breach.Code == codeClientID):
		s.out = s.out.appended([]byte{byte(CONNACK) << 4, 2, 0, returnCode(breach.Code)})
	}
}

func (s *Session) published(p *Packet) error {
	switch p.QoS {
	case 2:
		return breach(V311, codeQoS, "§4.3.3", "", "PUBLISH: QoS 2 is not spoken here yet, want 0 or 1")
	case 1:
		switch waits, err := s.owe(p.ID); {
		case err != nil:
			return err
		case waits && p.Dup:
			return nil // its answer is on the way
		case waits:
			return breach(V311, codeProtocol, "MQTT-2.3.1-2", "",
				"PUBLISH: packet identifier %d is in use by a message that was not acknowledged yet", p.ID)
		}
	}
	return s.h.Publish(p)
}

// owe notes that the client waits for a PUBACK, and reports whether it did so before.
func (s *Session) owe(id uint16) (before bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase != connected:
		return false, ErrClosed
	case s.indexCame(id) >= 0:
		return true, nil
	case s.came == nil:
		s.came = s.cameFirst[:0]
	}
	s.came = append(s.came, owed{id: id})
	return false, nil
}

func (s *Session) subscribed(p *Packet) error {
	codes := make([]byte, len(p.Filters))
	for i := range codes {
		codes[i] = SubackFailure
	}
	s.h.Subscribe(p.Filters, codes)
	for i, code := range codes {
		if code == 2 {
			codes[i] = 1
		} else if code > 2 {
			codes[i] = SubackFailure
		}
	}
	return s.reply(AppendPacket(nil, &Packet{Type: SUBACK, ID: p.ID, Codes: codes}, V311)...)
}

// settled forgets a message of ours that the client has acknowledged, and reports whether it was one.
func (s *Session) settled(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.indexWent(id)
	if i < 0 {
		return false
	}
	s.went = append(s.went[:i], s.went[i+1:]...)
	if len(s.went) == 0 {
		s.went = s.wentFirst[:0]
	}
	return true
}

// reply queues the answer to a packet. Receive wakes the transport when it has acted on all it was given.
func (s *Session) reply(b ...byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == ended:
		return ErrClosed
	case !s.fits(len(b)):
		return ErrOut
	}
	s.out = s.out.appended(b)
	return nil
}
