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
	case PUBACK, PUBREC, PUBCOMP:
		return s.settle(p)
	case PUBREL:
		return s.released(p.ID)
	case PINGREQ:
		return s.reply(byte(PINGRESP)<<4, 0)
	case SUBSCRIBE:
		return s.subscribed(p)
	case UNSUBSCRIBE:
		return s.unsubscribed(p)
	case CONNECT:
		return s.connects(p)
	case DISCONNECT:
		if err := s.goodbye(p); err != nil {
			return err
		}
		s.h.Disconnect(p)
		return ErrClosed
	case AUTH:
		return breach(s.version, ProtocolBroken, "§2.2.1", "MQTT-4.12.0-6", "AUTH: CONNECT named no authentication method")
	case CONNACK, SUBACK, UNSUBACK, PINGRESP:
	}
	return breach(s.version, ProtocolBroken, "§2.2.1", "§2.1.2", "%s: only a server sends it", p.Type)
}

func (s *Session) connects(p *Packet) error {
	c := p.Connect
	switch {
	case !s.move(waiting, waiting):
		return breach(s.in.Version, ProtocolBroken, "MQTT-3.1.0-2", "MQTT-3.1.0-2", "CONNECT: comes a second time")
	case c.Version != V5 && len(c.ClientID) == 0 && !c.Clean:
		return breach(V311, BadClientID, "MQTT-3.1.3-8", "", "CONNECT: client identifier is empty and clean session is 0")
	case c.Will != nil && c.Will.Retain && !s.c.Retain && c.Version == V5:
		return breach(V5, NoRetain, "", "MQTT-3.2.2-13", "CONNECT: the will is to be retained, and nothing is retained here")
	}
	if method, ok := p.Properties.Find(AuthMethod); ok {
		return breach(V5, BadMethod, "", "MQTT-4.12.0-1", "CONNECT: authentication method %q is not known here; leave it out", cut(method.Value))
	}
	if !s.move(waiting, deciding) {
		return ErrClosed
	}
	w := s.h.Connect(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != deciding {
		return ErrClosed
	}
	s.most = w.ReceiveMax
	if c.Version == V5 {
		s.five = greeted(p.Properties)
		s.out = s.out.appended(s.connack(&w))
	} else {
		s.out = s.out.appended([]byte{byte(CONNACK) << 4, 2, bit(w.SessionPresent && w.Code == Success, 1), returnCode(w.Code)})
	}
	if w.Code != Success {
		return refused(c.Version, &w)
	}
	s.phase, s.version, s.keepAlive = connected, c.Version, c.KeepAlive
	if w.KeepAlive > 0 && c.Version == V5 {
		s.keepAlive = w.KeepAlive
	}
	for _, id := range w.Held {
		s.held = append(s.held, unreleased{id: id, earlier: true})
	}
	return nil
}

func refused(v Version, w *Welcome) *Refused {
	if v == V5 {
		return &Refused{Code: w.Code.in(CONNACK), Text: w.Text}
	}
	return &Refused{Code: returnCode(w.Code)}
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

// tell queues what the standard asks for when a client broke it: a CONNACK for a CONNECT that the handler never saw, a
// DISCONNECT for one of MQTT 5. The caller holds mu.
func (s *Session) tell(err error) {
	broken, ok := errors.AsType[*ProtocolError](err)
	switch {
	case !ok:
		if errors.Is(err, ErrOut) {
			s.disconnect(QuotaExceeded, "output waits that is not read")
		}
	case s.phase == connected:
		s.disconnect(broken.Code, broken.What)
	case s.phase != waiting:
	case s.in.Version == V5 && connackSays(broken.Code):
		f := five{}
		s.out = s.out.appended(f.explained(Packet{Type: CONNACK, Code: broken.Code.in(CONNACK)}, broken.What))
	case s.in.Version == V311 && (broken.Code == BadVersion || broken.Code == BadClientID):
		s.out = s.out.appended([]byte{byte(CONNACK) << 4, 2, 0, returnCode(broken.Code)})
	}
}

// connackSays reports whether a CONNACK is due for a CONNECT with this fault. One that cannot be read, or none at all, is
// not answered: who sends it speaks something else.
func connackSays(r Reason) bool { return r != Malformed && r != ProtocolBroken }

func (s *Session) published(p *Packet) error {
	if s.five != nil {
		if err := s.five.resolve(p, s.c.Aliases); err != nil {
			return err
		}
		if p.Retain && !s.c.Retain {
			return breach(V5, NoRetain, "", "MQTT-3.2.2-14", "PUBLISH: is to be retained, and nothing is retained here")
		}
	}
	if p.QoS > 0 {
		switch before, err := s.owe(p); {
		case err != nil:
			return err
		case before == answered || before == waits && p.Dup:
			return nil // its answer is on the way
		case before == foreign && s.five != nil:
			s.Refuse(p.ID, IDInUse, "a message of QoS 2 with this identifier was not released yet")
			return nil
		case before != 0:
			return breach(s.version, ProtocolBroken, "MQTT-2.3.1-2", "MQTT-2.2.1-3",
				"PUBLISH: packet identifier %d is in use by a message that was not acknowledged yet", p.ID)
		}
	}
	return s.h.Publish(p)
}

func (s *Session) subscribed(p *Packet) error {
	codes := make([]byte, len(p.Filters))
	for i := range codes {
		codes[i] = SubackFailure
	}
	s.h.Subscribe(p, codes)
	for i, code := range codes {
		switch {
		case code <= 2 && code <= p.Filters[i].QoS:
		case code <= 2:
			codes[i] = p.Filters[i].QoS
		case s.five == nil:
			codes[i] = SubackFailure
		default:
			codes[i] = Reason(code).in(SUBACK)
		}
	}
	return s.reply(AppendPacket(nil, &Packet{Type: SUBACK, ID: p.ID, Codes: codes}, s.version)...)
}

func (s *Session) unsubscribed(p *Packet) error {
	codes := make([]byte, len(p.Filters))
	s.h.Unsubscribe(p, codes)
	for i, code := range codes {
		codes[i] = Reason(code).in(UNSUBACK)
	}
	if s.five == nil {
		codes = nil
	}
	return s.reply(AppendPacket(nil, &Packet{Type: UNSUBACK, ID: p.ID, Codes: codes}, s.version)...)
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
