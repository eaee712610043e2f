package mqtt

import "time"

// Config is what sessions share. The zero value of each field is its default.
type Config struct {
	MaxPacket int    // largest packet a client may send, bytes; default 262,144
	Inflight  uint16 // QoS 1 messages of ours that may wait for PUBACK; default 32
	MaxOut    int    // output that may wait to be taken, bytes; default 262,144
	Wake      func() // output became pending; called without locks, from any goroutine, and once until the next Take
}

// A Handler acts on what a client sends. Its methods are called from Receive, one at a time, in the order of the
// packets. What they are given aliases the bytes given to Receive: copy what must stay.
type Handler interface {
	// Connect decides on a CONNECT: [Accepted], or one of the Refused codes, with which the session ends.
	Connect(c *Connect) byte
	// Publish is given a PUBLISH of QoS 0 or 1. One of QoS 1 must be answered by one Session.Ack of its id, from any
	// goroutine, now or later, also when it is a repetition (Dup). An error closes the connection unanswered.
	Publish(p *Packet) error
	// Subscribe fills codes, one for each filter: the QoS granted, or [SubackFailure], which codes hold already.
	Subscribe(filters []Filter, codes []byte)
	Unsubscribe(filters []Filter)
	// Puback is the client's answer to the message that Session.Publish gave this id.
	Puback(id uint16)
	// Disconnect is a clean goodbye: no will is to be published.
	Disconnect()
}

// A Session is the server's side of one connection: bytes in by Receive, bytes out by Take. It does no I/O, has no
// timer and no goroutine. Receive has one caller at a time; all else may be called from any goroutine.
type Session struct {
	c *Config
	h Handler
}

// NewSession is a session that waits for CONNECT. c is kept and must not change.
func NewSession(c *Config, h Handler) *Session { return &Session{c: c, h: h} }

// Receive acts on the next bytes from the client. An error ends the session: take and write what is pending, then close
// the connection. It is a [*ProtocolError] (the client broke the standard), a [*Refused] (the handler or the standard
// refused CONNECT; the CONNACK is pending), [ErrClosed] (after DISCONNECT or Close: nothing is wrong), [ErrOut] (the
// client sends and does not read) or what Handler.Publish returned.
func (s *Session) Receive(b []byte) error { return nil }

// Ack answers the PUBLISH with this id. Its PUBACK leaves when all PUBLISHes before it were answered, too (MQTT-4.6.0-2).
// An id that waits for no answer is ignored.
func (s *Session) Ack(id uint16) {}

// Unacked is how many PUBLISHes of QoS 1 wait for Ack. A transport that stops reading above a limit of its own, until
// Wake tells of PUBACKs, holds a client back without breaking with it.
func (s *Session) Unacked() int { return 0 }

// Publish queues a message for the client. For qos 1 the id comes back in Handler.Puback; for 0 it is 0.
// [ErrWindow], [ErrOut], [ErrClosed] and [ErrNotConnected] mean that nothing was queued.
func (s *Session) Publish(topic string, payload []byte, qos uint8) (id uint16, err error) { return 0, nil }

// Inflight is how many messages of ours wait for PUBACK.
func (s *Session) Inflight() int { return 0 }

// Take appends all pending output to buf, oldest first, and forgets it.
func (s *Session) Take(buf []byte) []byte { return buf }

// Pending is how many bytes Take would append.
func (s *Session) Pending() int { return 0 }

// Close ends the session and drops pending output. It calls nobody back and may be called again.
func (s *Session) Close() {}

// Connected reports whether CONNECT was accepted and the session has not ended since.
func (s *Session) Connected() bool { return false }

// KeepAlive is what CONNECT asked for; 0: no watching. A server waits one and a half times as long (MQTT-3.1.2-24).
func (s *Session) KeepAlive() time.Duration { return 0 }
