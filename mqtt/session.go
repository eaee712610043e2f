package mqtt

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultInflight = 32
	defaultMaxOut   = 256 << 10 // bytes
)

// Config is what sessions share. The zero value of each field is its default.
type Config struct {
	MaxPacket int    // largest packet a client may send, bytes; default 262,144
	Inflight  uint16 // QoS 1 messages of ours that may wait for PUBACK; default 32
	MaxOut    int    // output that may wait to be taken, bytes; default 262,144; PUBACKs may add 4 bytes for each message that waited for Ack
	Wake      func() // output became pending; called without locks, from any goroutine, once until the next Take
}

// A Handler acts on what a client sends. Its methods are called from Receive, one at a time, in the order of the
// packets. What they are given aliases the bytes given to Receive: copy what must stay.
type Handler interface {
	// Connect decides on a CONNECT: [Accepted], or one of the Refused codes, with which the session ends.
	Connect(c *Connect) byte
	// Publish is given a PUBLISH of QoS 0 or 1. One of QoS 1 must be answered by one Session.Ack of its id, from any
	// goroutine, now or later. A repetition (Dup) of a message that still waits for its Ack is not given again. An error
	// closes the connection, the message unanswered.
	Publish(p *Packet) error
	// Subscribe fills codes, one for each filter: the QoS granted (2 is lowered to 1), or [SubackFailure], which they
	// hold already.
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

	in Decoder // of Receive alone

	closed    atomic.Bool // by Close
	mu        sync.Mutex  // guards what follows; nothing is called under it
	phase     phase
	woken     bool // Wake was called and Take has not come yet
	keepAlive uint16
	lastID    uint16
	out       *chunk   // pending output; nil: none
	came      []owed   // QoS 1 PUBLISHes of the client that have no PUBACK yet, in order
	went      []uint16 // ids of our messages that wait for PUBACK, in order
	cameFirst [4]owed  // memory of came and went while they are short
	wentFirst [4]uint16
}

// An owed is a PUBACK that the client waits for.
type owed struct {
	id    uint16
	acked bool // and held back by one before it
}

// A phase is where in its life a session stands; only Receive and Close move it.
type phase uint8

const (
	waiting   phase = iota // for CONNECT
	deciding               // the handler has it
	connected              // CONNACK is the first of the output
	ended                  // by DISCONNECT, an error or Close
)

// NewSession is a session that waits for CONNECT. c is kept and must not change.
func NewSession(c *Config, h Handler) *Session {
	return &Session{c: c, h: h, in: Decoder{Limit: c.MaxPacket}}
}

// Receive acts on the next bytes from the client. An error ends the session: take and write what is pending, then close
// the connection. It is a [*ProtocolError] (the client broke the standard), a [*Refused] (the handler refused CONNECT,
// the CONNACK is pending), [ErrClosed] (after DISCONNECT or Close: nothing is wrong), [ErrOut] (the client sends and
// does not read) or what Handler.Publish returned.
func (s *Session) Receive(b []byte) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := s.in.Push(b, s.act)
	s.mu.Lock()
	if err != nil {
		s.answerBadConnect(err)
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

// Ack answers the PUBLISH with this id. Its PUBACK leaves when all PUBLISHes before it were answered, too (MQTT-4.6.0-2).
// An id that waits for no answer is ignored.
func (s *Session) Ack(id uint16) {
	s.mu.Lock()
	i := s.indexCame(id)
	if i < 0 || s.closed.Load() {
		s.mu.Unlock()
		return
	}
	s.came[i].acked = true
	n := 0
	for n < len(s.came) && s.came[n].acked {
		s.out = s.out.room(4)
		s.out.b = AppendPuback(s.out.b, s.came[n].id)
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

// Unacked is how many PUBLISHes of QoS 1 have no PUBACK yet. A transport that stops reading above a limit of its own,
// until Wake tells of PUBACKs, holds a client back without breaking with it.
func (s *Session) Unacked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.came)
}

// Publish queues a message for the client, of QoS 0 or 1. The id of one of QoS 1 comes back in Handler.Puback, which
// may happen before Publish returns; for QoS 0 it is 0.
// [ErrWindow], [ErrOut], [ErrClosed], [ErrNotConnected] or a topic that cannot be sent: nothing was queued.
func (s *Session) Publish(topic string, payload []byte, qos uint8) (id uint16, err error) {
	if !ValidTopic(topic) || qos > 1 {
		return 0, fmt.Errorf("mqtt: PUBLISH to %q with QoS %d cannot be sent", cut(topic), qos)
	}
	body := publishBody(V311, len(topic), len(payload), qos)
	size := headerSize(body) + body
	s.mu.Lock()
	if err := s.refuses(size, qos); err != nil {
		s.mu.Unlock()
		return 0, err
	}
	if qos == 1 {
		id = s.nextID()
	}
	s.out = s.out.room(size)
	s.out.b = AppendPublish(s.out.b, V311, topic, payload, qos, id, false, false)
	wake := s.wakes()
	s.mu.Unlock()
	if wake {
		s.c.Wake()
	}
	return id, nil
}

// Inflight is how many messages of ours wait for PUBACK.
func (s *Session) Inflight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.went)
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
	s.out, s.came, s.went = nil, nil, nil
}

// Connected reports whether CONNECT was accepted and the session has not ended since.
func (s *Session) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == connected
}

// KeepAlive is what CONNECT asked for; 0: no watching. A server waits one and a half times as long (MQTT-3.1.2-24).
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

// refuses is why a message of this size cannot be queued. The caller holds mu.
func (s *Session) refuses(size int, qos uint8) error {
	switch {
	case s.phase == ended:
		return ErrClosed
	case s.phase != connected:
		return ErrNotConnected
	case qos == 1 && len(s.went) >= s.window():
		return ErrWindow
	case !s.fits(size):
		return ErrOut
	}
	return nil
}

// fits reports whether n bytes more may wait. The caller holds mu.
func (s *Session) fits(n int) bool {
	limit := s.c.MaxOut
	if limit <= 0 {
		limit = defaultMaxOut
	}
	return len(s.out.bytes())+n <= limit
}

func (s *Session) window() int {
	if s.c.Inflight > 0 {
		return int(s.c.Inflight)
	}
	return defaultInflight
}

// nextID is an id that none of our messages has that wait for PUBACK, and takes it. The caller holds mu and has seen
// that the window, which is smaller than the ids there are, has room.
func (s *Session) nextID() uint16 {
	for {
		s.lastID++
		if s.lastID != 0 && s.indexWent(s.lastID) < 0 {
			break
		}
	}
	if s.went == nil {
		s.went = s.wentFirst[:0]
	}
	s.went = append(s.went, s.lastID)
	return s.lastID
}

func (s *Session) indexCame(id uint16) int {
	for i := range s.came {
		if s.came[i].id == id {
			return i
		}
	}
	return -1
}

func (s *Session) indexWent(id uint16) int {
	for i := range s.went {
		if s.went[i] == id {
			return i
		}
	}
	return -1
}
