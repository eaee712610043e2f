package mqtt

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultInflight   = 32
	defaultMaxOut     = 256 << 10 // bytes
	defaultReceiveMax = 256
)

// Config is what sessions share. The zero value of each field is its default.
type Config struct {
	MaxPacket  int    // largest packet a client may send, bytes; default 262,144
	Inflight   uint16 // messages of ours that may wait for their acknowledgement; default 32, less if an MQTT 5 client says so
	MaxOut     int    // output that may wait to be taken, bytes; default 262,144; acknowledgements may add theirs for each message that waited for Ack
	ReceiveMax uint16 // messages of QoS 1 and 2 that an MQTT 5 client may have under way; default 256
	Aliases    uint16 // topic aliases that an MQTT 5 client may set; default none
	Retain     bool   // retained messages are kept here; else an MQTT 5 client hears that they are not
	Wake       func() // output became pending; called without locks, from any goroutine, once until the next Take
}

// A Welcome is what a handler answers to CONNECT.
type Welcome struct {
	Code           Reason     // Success, or a failure with which the session ends
	SessionPresent bool       // the state of an earlier connection goes on
	Text           string     // why it was refused, for people; MQTT 5
	Properties     Properties // of the handler's own: assigned client identifier, session expiry, response information, user properties; MQTT 5
	KeepAlive      uint16     // seconds, when the server wants another than the client; 0: the client's
	ReceiveMax     uint16     // messages of QoS 1 and 2 that this client of MQTT 5 may have under way; 0: as [Config] says
	// Held are the identifiers of QoS 2 messages that were taken in an earlier connection and not released yet: what comes
	// again with one of them is not given to the handler again.
	Held []uint16
}

// A Handler acts on what a client sends. Its methods are called from Receive, one at a time, in the order of the
// packets. What they are given aliases the bytes given to Receive: copy what must stay.
type Handler interface {
	// Connect decides on a CONNECT, whose properties are those of the packet.
	Connect(p *Packet) Welcome
	// Publish is given a PUBLISH with its topic, also where only an alias came. One of QoS 1 or 2 must be answered by one
	// Session.Ack or Session.Refuse of its id, from any goroutine, now or later. A repetition of a message that still waits,
	// or of one of QoS 2 that was not released, is not given again. An error closes the connection, the message unanswered.
	Publish(p *Packet) error
	// Release says, once, that the client will not repeat the QoS 2 message of this id; answer it by Session.Complete.
	Release(id uint16)
	// Subscribe fills codes, one for each filter of p: the QoS granted, or a failed Reason, as they hold already.
	Subscribe(p *Packet, codes []byte)
	// Unsubscribe fills codes, one for each filter of p, that hold Success already: NoSubscription where there was none.
	Unsubscribe(p *Packet, codes []byte)
	// Puback is the client's last word on the message that Session.Publish gave this id: it has it, or has refused it.
	Puback(id uint16, r Reason)
	// Disconnect is a goodbye: no will is to be published, unless p.Code is WithWill. Its properties may change how long the
	// session stays.
	Disconnect(p *Packet)
}

// A Session is the server's side of one connection: bytes in by Receive, bytes out by Take. It does no I/O, has no
// timer and no goroutine. Receive has one caller at a time; all else may be called from any goroutine.
type Session struct {
	c *Config
	h Handler

	in Decoder // of Receive alone

	closed    atomic.Bool // by Close
	mu        sync.Mutex  // guards what follows; nothing is called under it
	phase     phase
	version   Version
	woken     bool // Wake was called and Take has not come yet
	keepAlive uint16
	most      uint16 // messages that the client may have under way, as Welcome said; 0: as Config says
	lastID    uint16
	out       *chunk       // pending output; nil: none
	came      []owed       // PUBLISHes of the client that have no PUBACK or PUBREC yet, in order
	held      []unreleased // its QoS 2 messages that have their PUBREC and no PUBCOMP yet
	went      []flight     // our messages that wait for their acknowledgement, in order
	cameFirst [4]owed      // memory of came and went while they are short
	wentFirst [4]flight
	five      *five // what only MQTT 5 has; nil in 3.1.1
}

// An owed is an acknowledgement that the client waits for.
type owed struct {
	id    uint16
	qos   uint8
	acked bool // and held back by one before it
	code  Reason
}

// An unreleased message is one of QoS 2 that the client is still to release.
type unreleased struct {
	id      uint16
	earlier bool // of a connection before: not among those that the client may have under way
	leaving bool // the handler was told of its release
}

// maxHeld bounds the messages of QoS 2 that a client leaves unreleased, over all its connections.
const maxHeld = 1024

// A flight is a message of ours on its way.
type flight struct {
	id       uint16
	qos      uint8
	released bool // PUBREC came, PUBREL went
}

// A phase is where in its life a session stands; only Receive, Bye and Close move it.
type phase uint8

const (
	waiting   phase = iota // for CONNECT
	deciding               // the handler has it
	connected              // CONNACK is the first of the output
	ended                  // by DISCONNECT, an error, Bye or Close
)

// NewSession is a session that waits for CONNECT. c is kept and must not change.
func NewSession(c *Config, h Handler) *Session {
	return &Session{c: c, h: h, in: Decoder{Limit: c.MaxPacket}}
}

// Receive acts on the next bytes from the client. An error ends the session: take and write what is pending, then close
// the connection. It is a [*ProtocolError] (the client broke the standard; one of MQTT 5 is told why), a [*Refused] (the
// handler refused CONNECT, the CONNACK is pending), [ErrClosed] (after DISCONNECT, Bye or Close: nothing is wrong),
// [ErrOut] (the client sends and does not read) or what Handler.Publish returned.
func (s *Session) Receive(b []byte) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := s.in.Push(b, s.act)
	s.mu.Lock()
	if err != nil {
		s.tell(err)
		s.phase = ended
	}
	wake := s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
	return err
}

// Buffered is how many bytes of an unfinished packet are held. It is for the one who calls Receive, between two calls: a
// packet that does not get whole in time is a reason to end a session.
func (s *Session) Buffered() int { return s.in.Buffered() }

// Bye ends the session from our side: it queues a DISCONNECT with the reason and, for people, text, where the client
// speaks MQTT 5. Take and write what is pending, then close the connection.
func (s *Session) Bye(r Reason, text string) {
	s.mu.Lock()
	s.disconnect(r, text)
	s.phase = ended
	wake := s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
}

// Take appends all pending output to buf, oldest first, and forgets it.
func (s *Session) Take(buf []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	buf = append(buf, s.out.bytes()...)
	s.out.release()
	s.out = nil
	s.woken = false
	return buf
}

// Pending is how many bytes Take would append.
func (s *Session) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.out.bytes())
}

// Close ends the session and drops pending output. It calls nobody back and may be called again.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	s.phase = ended
	s.out.release()
	s.out, s.came, s.went, s.held, s.five = nil, nil, nil, nil, nil
}

// Connected reports whether CONNECT was accepted and the session has not ended since.
func (s *Session) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == connected
}

// Version is what the client speaks; 0 before its CONNECT was accepted.
func (s *Session) Version() Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// KeepAlive is what holds for the connection; 0: no watching. A server waits one and a half times as long (MQTT-3.1.2-24;
// MQTT 5: MQTT-3.1.2-22).
func (s *Session) KeepAlive() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.keepAlive) * time.Second
}

// wakes reports whether Wake is due, and notes that it is called. The caller holds mu, and calls it without.
func (s *Session) wakes() bool {
	if s.woken || s.out == nil || s.c.Wake == nil || s.closed.Load() {
		return false
	}
	s.woken = true
	return true
}

// fits reports whether n bytes more may wait. The caller holds mu.
func (s *Session) fits(n int) bool { return len(s.out.bytes())+n <= s.maxOut() }

func (s *Session) maxOut() int {
	if s.c.MaxOut > 0 {
		return s.c.MaxOut
	}
	return defaultMaxOut
}
