package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// A recorder writes down what a session tells its handler.
type recorder struct {
	calls   []string
	welcome Welcome
	grant   []byte // codes of Subscribe and Unsubscribe, in turn
	err     error  // of Publish
	refuse  Reason // Publish refuses with it
	s       *Session
	now     bool // Publish acknowledges at once, and Release completes
}

func (r *recorder) note(format string, args ...any) {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
}

func (r *recorder) Connect(p *Packet) Welcome {
	c := p.Connect
	r.note("connect %s clean=%v", c.ClientID, c.Clean)
	if c.Will != nil {
		r.note("will %s=%s qos=%d", c.Will.Topic, c.Will.Payload, c.Will.QoS)
	}
	return r.welcome
}

func (r *recorder) Publish(p *Packet) error {
	r.note("publish %s=%s qos=%d id=%d", p.Topic, p.Payload, p.QoS, p.ID)
	switch {
	case r.refuse != Success:
		r.s.Refuse(p.ID, r.refuse, "no")
	case r.now:
		r.s.Ack(p.ID)
	}
	return r.err
}

func (r *recorder) Release(id uint16) {
	r.note("release %d", id)
	if r.now {
		r.s.Complete(id)
	}
}

func (r *recorder) Subscribe(p *Packet, codes []byte) {
	for i, f := range p.Filters {
		r.note("subscribe %s qos=%d", f.Topic, f.QoS)
		if i < len(r.grant) {
			codes[i] = r.grant[i]
		}
	}
}

func (r *recorder) Unsubscribe(p *Packet, codes []byte) {
	for i, f := range p.Filters {
		r.note("unsubscribe %s", f.Topic)
		if i < len(r.grant) {
			codes[i] = r.grant[i]
		}
	}
}

func (r *recorder) Puback(id uint16, code Reason) {
	if code == Success {
		r.note("puback %d", id)
		return
	}
	r.note("puback %d: %s", id, code)
}

func (r *recorder) Disconnect(p *Packet) {
	if p.Code == byte(Success) {
		r.note("disconnect")
		return
	}
	r.note("disconnect: %s", Reason(p.Code))
}

const (
	hello     = "10 0e 0004'MQTT'04 02 003c 0002'id'"
	published = "32 06 0001'a' 0007'x'"
)

// TestSession is what a session answers, tells and refuses.
func TestSession(t *testing.T) {
	for _, tt := range []struct {
		name, in        string
		h               recorder
		calls, out, err string
	}{
		{name: "accepted", in: hello, calls: "connect id clean=true", out: "20020000"},
		{
			name: "a will is carried", in: "10 14 0004'MQTT'04 0e 0000 0000 0001'w' 0003'bye'",
			calls: "connect  clean=true|will w=bye qos=1", out: "20020000",
		},
		{
			name: "refused by the handler", in: hello, h: recorder{welcome: Welcome{Code: BadLogin}}, calls: "connect id clean=true", out: "20020004",
			err: "mqtt: connection refused with code 4: bad user name or password",
		},
		{
			name: "refused with a code of MQTT 5", in: hello, h: recorder{welcome: Welcome{Code: NotAuthorised}}, calls: "connect id clean=true", out: "20020005",
			err: "mqtt: connection refused with code 5: not authorised",
		},
		{
			name: "refused with a code that nobody knows", in: hello, h: recorder{welcome: Welcome{Code: 0x77}}, calls: "connect id clean=true", out: "20020005",
			err: "mqtt: connection refused with code 5: not authorised",
		},
		{
			name: "nothing behind a refused CONNECT counts", in: hello + published, h: recorder{welcome: Welcome{Code: Unavailable}}, calls: "connect id clean=true", out: "20020003",
			err: "mqtt: connection refused with code 3: server unavailable",
		},
		{name: "something else first", in: "c000", err: "mqtt: PINGREQ comes first, want CONNECT [MQTT-3.1.0-1]"},
		{
			name: "CONNECT twice", in: hello + hello, calls: "connect id clean=true", out: "20020000",
			err: "mqtt: CONNECT: comes a second time [MQTT-3.1.0-2]",
		},
		{
			name: "MQTT 6", in: "10 0d 0004'MQTT'06 02 0000 00 0000",
			out: "20 3c 00 84 39 1f 0036 'CONNECT: protocol level is 6, want 4 (MQTT 3.1.1) or 5'",
			err: "mqtt: CONNECT: protocol level is 6, want 4 (MQTT 3.1.1) or 5 [MQTT-3.1.2-2]",
		},
		{
			name: "MQTT 3.1", in: "10 0e 0006'MQIsdp'03 02 0000 0000", out: "20020001",
			err: "mqtt: CONNECT: protocol level is 3, want 4 (MQTT 3.1.1) or 5 [MQTT-3.1.2-2]",
		},
		{
			name: "MQTT 5 behind an accepted CONNECT", in: hello + "10 0d 0004'MQTT'05 02 0000 00 0000", calls: "connect id clean=true", out: "20020000",
			err: "mqtt: CONNECT: comes a second time [MQTT-3.1.0-2]",
		},
		{
			name: "no client identifier for a session that stays", in: "10 0c 0004'MQTT'04 00 0000 0000", out: "20020002",
			err: "mqtt: CONNECT: client identifier is empty and clean session is 0 [MQTT-3.1.3-8]",
		},
		{name: "no client identifier", in: "10 0c 0004'MQTT'04 02 0000 0000", calls: "connect  clean=true", out: "20020000"},
		{
			name: "a malformed CONNECT has no answer", in: "10 0c 0004'MQTT'04 03 0000 0000",
			err: "mqtt: CONNECT: reserved flag is 1, want 0 [MQTT-3.1.2-3]",
		},
		{name: "QoS 0", in: hello + "30 04 0001'ax'", calls: "connect id clean=true|publish a=x qos=0 id=0", out: "20020000"},
		{name: "QoS 1 waits for Ack", in: hello + published, calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000"},
		{name: "QoS 1 acknowledged at once", in: hello + published, h: recorder{now: true}, calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000 40020007"},
		{
			name: "a repetition of what waits", in: hello + published + "3a 06 0001'a' 0007'x'",
			calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000",
		},
		{
			name: "a repetition of what was answered is new", in: hello + published + "3a 06 0001'a' 0007'x'", h: recorder{now: true},
			calls: "connect id clean=true|publish a=x qos=1 id=7|publish a=x qos=1 id=7", out: "20020000 40020007 40020007",
		},
		{
			name: "an identifier in use", in: hello + published + published, calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000",
			err: "mqtt: PUBLISH: packet identifier 7 is in use by a message that was not acknowledged yet [MQTT-2.3.1-2]",
		},
		{name: "QoS 2 waits for Ack", in: hello + "34 06 0001'a' 0007'x'", calls: "connect id clean=true|publish a=x qos=2 id=7", out: "20020000"},
		{
			name: "QoS 2", in: hello + "34 06 0001'a' 0007'x' 62020007", h: recorder{now: true},
			calls: "connect id clean=true|publish a=x qos=2 id=7|release 7", out: "20020000 50020007 70020007",
		},
		{
			name: "QoS 2 three times", in: hello + "34 06 0001'a' 0007'x' 3c 06 0001'a' 0007'x' 3c 06 0001'a' 0007'x' 62020007 62020007", h: recorder{now: true},
			calls: "connect id clean=true|publish a=x qos=2 id=7|release 7", out: "20020000 50020007 50020007 50020007 70020007 70020007",
		},
		{
			name: "QoS 2 of an earlier connection", in: hello + "3c 06 0001'a' 0007'x' 62020007", h: recorder{now: true, welcome: Welcome{SessionPresent: true, Held: []uint16{7, 9}}},
			calls: "connect id clean=true|release 7", out: "20020100 50020007 70020007",
		},
		{
			name: "a repetition at QoS 1 with an identifier of QoS 2", in: hello + "34 06 0001'a' 0007'x' 3a 06 0001'a' 0007'x'", h: recorder{now: true},
			calls: "connect id clean=true|publish a=x qos=2 id=7", out: "20020000 50020007",
			err: "mqtt: PUBLISH: packet identifier 7 is in use by a message that was not acknowledged yet [MQTT-2.3.1-2]",
		},
		{
			name: "QoS 1 with an identifier of QoS 2", in: hello + "34 06 0001'a' 0007'x' 32 06 0001'a' 0007'x'", h: recorder{now: true},
			calls: "connect id clean=true|publish a=x qos=2 id=7", out: "20020000 50020007",
			err: "mqtt: PUBLISH: packet identifier 7 is in use by a message that was not acknowledged yet [MQTT-2.3.1-2]",
		},
		{name: "a refused message is acknowledged in 3.1.1", in: hello + published, h: recorder{refuse: NotAuthorised}, calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000 40020007"},
		{
			name: "the handler refuses a message", in: hello + published + published, h: recorder{err: errors.New("not your topic")},
			calls: "connect id clean=true|publish a=x qos=1 id=7", out: "20020000", err: "not your topic",
		},
		{name: "PINGREQ", in: hello + "c000 c000", calls: "connect id clean=true", out: "20020000 d000 d000"},
		{
			name: "SUBSCRIBE", in: hello + "82 12 0003 0001'a' 00 0001'b' 01 0001'c' 02 0001'd' 01", h: recorder{grant: []byte{0, 1, 2}},
			calls: "connect id clean=true|subscribe a qos=0|subscribe b qos=1|subscribe c qos=2|subscribe d qos=1", out: "20020000 90060003 00 01 02 80",
		},
		{
			name: "SUBSCRIBE with a code that is none", in: hello + "82 06 0003 0001'a' 00", h: recorder{grant: []byte{77}},
			calls: "connect id clean=true|subscribe a qos=0", out: "20020000 90030003 80",
		},
		{name: "UNSUBSCRIBE", in: hello + "a2 05 0003 0001'a'", calls: "connect id clean=true|unsubscribe a", out: "20020000 b0020003"},
		{name: "PUBACK of nothing", in: hello + "40 02 0001", calls: "connect id clean=true", out: "20020000"},
		{name: "PUBREC of nothing", in: hello + "50 02 0001", calls: "connect id clean=true", out: "20020000 62020001"},
		{name: "PUBREL of nothing", in: hello + "62 02 0001", calls: "connect id clean=true", out: "20020000 70020001"},
		{
			name: "a packet of servers", in: hello + "d000", calls: "connect id clean=true", out: "20020000",
			err: "mqtt: PINGRESP: only a server sends it [§2.2.1]",
		},
		{name: "DISCONNECT", in: hello + "e000" + published, calls: "connect id clean=true|disconnect", out: "20020000", err: "mqtt: connection is closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 5} {
				h := tt.h
				h.s = NewSession(&Config{}, &h)
				var err error
				for b := wire(tt.in); len(b) > 0 && err == nil; {
					n := len(b)
					if size > 0 {
						n = min(size, n)
					}
					err = h.s.Receive(b[:n])
					b = b[n:]
				}
				if got := textOf(err); got != tt.err {
					t.Errorf("in pieces of %d: error\n got %q\nwant %q", size, got, tt.err)
				}
				if got := strings.Join(h.calls, "|"); got != tt.calls {
					t.Errorf("in pieces of %d: calls\n got %q\nwant %q", size, got, tt.calls)
				}
				if got, want := h.s.Take(nil), wire(tt.out); string(got) != string(want) {
					t.Errorf("in pieces of %d: output\n got %x\nwant %x", size, got, want)
				}
				if connected := strings.HasPrefix(tt.out, "20020") && tt.err == ""; h.s.Connected() != connected {
					t.Errorf("in pieces of %d: Connected is %v, want %v", size, h.s.Connected(), connected)
				}
			}
		})
	}
}

// TestNames: versions, types and codes as people read them.
func TestNames(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{V311.String(), "MQTT 3.1.1"},
		{V5.String(), "MQTT 5"},
		{Version(0).String(), "MQTT of unknown version"},
		{Version(3).String(), "MQTT level 3"},
		{AUTH.String(), "AUTH"},
		{Type(0).String(), "reserved type 0"},
		{(&Refused{Code: 1}).Error(), "mqtt: connection refused with code 1: unacceptable protocol version"},
		{(&Refused{Code: 2}).Error(), "mqtt: connection refused with code 2: identifier rejected"},
		{(&Refused{Code: 3}).Error(), "mqtt: connection refused with code 3: server unavailable"},
		{(&Refused{Code: 5}).Error(), "mqtt: connection refused with code 5: not authorised"},
		{(&Refused{Code: 9}).Error(), "mqtt: connection refused with code 9: a code unknown to MQTT 3.1.1"},
		{(&ProtocolError{What: "x"}).Error(), "mqtt: x"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	for code, want := range map[Reason]byte{BadLogin: RefusedLogin, Banned: RefusedAuthorised, Busy: RefusedServer, QuotaExceeded: RefusedServer, BadVersion: 1, BadClientID: 2, Success: 0} {
		if got := returnCode(code); got != want {
			t.Errorf("returnCode(%#x) = %d, want %d", byte(code), got, want)
		}
	}
}

// TestReasonCodes: what is refused carries the code of MQTT 5 that fits.
func TestReasonCodes(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Reason
	}{
		{hello + hello, ProtocolBroken},
		{"10 0d 0004'MQTT'06 02 0000 00 0000", BadVersion},
		{"10 0c 0004'MQTT'04 00 0000 0000", BadClientID},
		{hello + "30 03 0001'#'", BadTopicName},
		{hello + "82 07 0001 0002'a#' 00", BadTopicFilter},
		{hello + "30 ffffff7f", TooLarge},
		{"10 fe7f", TooLarge}, // a CONNECT of 16,385 bytes
		{hello + "30 02 0001", Malformed},
	} {
		err := NewSession(&Config{}, nobody{}).Receive(wire(tt.in))
		if e, ok := errors.AsType[*ProtocolError](err); !ok || e.Code != tt.want {
			t.Errorf("%s: %v, want code %#x", tt.in, err, tt.want)
		}
	}
}

// TestPublishLimits: the window, the pending output and the phase each refuse by name, and queue nothing.
func TestPublishLimits(t *testing.T) {
	fresh := NewSession(&Config{}, nobody{})
	if _, err := fresh.Publish("a", nil, 0); err != ErrNotConnected {
		t.Errorf("before CONNECT: %v, want %v", err, ErrNotConnected)
	}
	s := connectedSession(t, &Config{Inflight: 2, MaxOut: 20}, nobody{})
	for i, tt := range []struct {
		topic, payload string
		qos            uint8
		id             uint16
		want           string
	}{
		{"a/+", "", 0, 0, `mqtt: PUBLISH to "a/+" with QoS 0 cannot be sent`},
		{"", "", 0, 0, `mqtt: PUBLISH to "" with QoS 0 cannot be sent`},
		{"a", "", 3, 0, `mqtt: PUBLISH to "a" with QoS 3 cannot be sent`},
		{"a", "", 1, 1, ""}, // 7 bytes
		{"a", "", 1, 2, ""},
		{"a", "", 1, 0, ErrWindow.Error()},
		{"a", "xx", 0, 0, ErrOut.Error()}, // 7 more would be 21
		{"a", "x", 0, 0, ""},              // 20
	} {
		id, err := s.Publish(tt.topic, []byte(tt.payload), tt.qos)
		if id != tt.id || textOf(err) != tt.want {
			t.Errorf("%d: id %d, %v, want %d, %q", i, id, err, tt.id, tt.want)
		}
	}
	if s.Pending() != 20 || s.Inflight() != 2 {
		t.Errorf("%d bytes pending, %d in flight, want 20, 2", s.Pending(), s.Inflight())
	}
	if err := s.Receive(wire("c000")); err != ErrOut {
		t.Errorf("a client that does not read: %v, want %v", err, ErrOut)
	}
	s.Close()
	if _, err := s.Publish("a", nil, 0); err != ErrClosed {
		t.Errorf("after Close: %v, want %v", err, ErrClosed)
	}
	if err := s.Receive(wire("c000")); err != ErrClosed {
		t.Errorf("after Close: %v, want %v", err, ErrClosed)
	}
	s.Ack(1)
	s.Close()
	if got := s.Take(nil); got != nil {
		t.Errorf("after Close %x is pending", got)
	}
}

// TestIdentifiers: ids go round, past 0 and past those that wait.
func TestIdentifiers(t *testing.T) {
	s := connectedSession(t, &Config{Inflight: 3}, nobody{})
	s.lastID = 65534
	for _, want := range []uint16{65535, 1, 2} {
		if id, err := s.Publish("a", nil, 1); id != want || err != nil {
			t.Fatalf("id %d, %v, want %d", id, err, want)
		}
	}
	if err := s.Receive(AppendPuback(nil, 1)); err != nil {
		t.Fatal(err)
	}
	s.lastID = 65534
	if id, err := s.Publish("a", nil, 1); id != 1 || err != nil {
		t.Errorf("id %d, %v, want 1: 65535 waits", id, err)
	}
}

// TestWake: once until the next Take, without locks, and at the end of Receive for what Receive answers.
func TestWake(t *testing.T) {
	wakes := 0
	var s *Session
	c := &Config{Wake: func() { wakes++; s.Pending() }} // a lock held here would never return
	s = NewSession(c, nobody{})
	step := func(name string, want int, act func()) {
		t.Helper()
		wakes = 0
		act()
		if wakes != want {
			t.Errorf("%s: %d wakes, want %d", name, wakes, want)
		}
	}
	receive := func(in string) func() {
		return func() {
			t.Helper()
			if err := s.Receive(wire(in)); err != nil {
				t.Fatal(err)
			}
		}
	}
	step("CONNECT and two pings", 1, receive(hello+"c000c000"))
	step("a ping before Take", 0, receive("c000"))
	step("Take", 0, func() { s.Take(nil) })
	step("QoS 1", 0, receive(published))
	step("Ack", 1, func() { s.Ack(7) })
	step("Publish before Take", 0, func() { _, _ = s.Publish("a", nil, 0) })
	step("Take again", 0, func() { s.Take(nil) })
	step("Publish", 1, func() { _, _ = s.Publish("a", nil, 0) })
	step("half a packet", 0, func() { s.Take(nil); receive("c0")() })
	step("Close", 0, s.Close)
}

func TestKeepAlive(t *testing.T) {
	s := connectedSession(t, &Config{}, nobody{})
	if got := s.KeepAlive(); got != time.Minute {
		t.Errorf("KeepAlive is %v, want 1m", got)
	}
}

// TestSessionSize: a session costs little, and an idle one holds no buffer.
func TestSessionSize(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 256 {
		t.Errorf("a session has %d bytes, want at most 256", size)
	}
	s := connectedSession(t, &Config{Inflight: 100}, nobody{})
	var in, acks []byte
	for id := range uint16(100) {
		in = AppendPublish(in, V311, "a", nil, 1, id+1, false, false)
		acks = AppendPuback(acks, id+1)
		if _, err := s.Publish("b", nil, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Receive(append(in, acks...)); err != nil {
		t.Fatal(err)
	}
	for id := range uint16(100) {
		s.Ack(id + 1)
	}
	s.Take(nil)
	if s.out != nil || s.in.rest != nil || cap(s.came) > len(s.cameFirst) || cap(s.went) > len(s.wentFirst) {
		t.Errorf("idle after a burst: out %v, rest %v, room for %d and %d", s.out, s.in.rest, cap(s.came), cap(s.went))
	}
}

// TestSessionTogether: everything but Receive from many goroutines; the race detector watches, and nothing is lost.
func TestSessionTogether(t *testing.T) {
	const senders, each = 4, 200
	acks := make(chan uint16, senders*each)
	s := connectedSession(t, &Config{MaxOut: 1 << 20}, later{acks: acks})
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				if _, err := s.Publish("a", nil, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for id := range acks {
			s.Ack(id)
		}
	})
	for id := range uint16(senders * each) {
		if err := s.Receive(AppendPublish(nil, V311, "b", nil, 1, id+1, false, false)); err != nil {
			t.Fatal(err)
		}
	}
	close(acks)
	wg.Wait()
	if got, want := s.Pending(), senders*each*(5+4); got != want {
		t.Errorf("%d bytes pending, want %d", got, want)
	}
}

// later has its messages acknowledged by another goroutine.
type later struct {
	nobody
	acks chan<- uint16
}

func (l later) Publish(p *Packet) error { l.acks <- p.ID; return nil }

// TestMessagesOfQoS2AreBounded: one that is not released is kept, and no more than the limit of those.
func TestMessagesOfQoS2AreBounded(t *testing.T) {
	h := &recorder{now: true}
	s := NewSession(&Config{}, h)
	h.s = s
	if err := s.Receive(wire(hello)); err != nil {
		t.Fatal(err)
	}
	for id := uint16(1); id <= maxHeld; id++ {
		if err := s.Receive(AppendPublish(nil, V311, "a", nil, 2, id, false, false)); err != nil {
			t.Fatalf("message %d: %v", id, err)
		}
		s.Take(nil)
	}
	want := "mqtt: PUBLISH: 1024 messages of QoS 2 wait to be released, more are not kept"
	if err := s.Receive(AppendPublish(nil, V311, "a", nil, 2, maxHeld+1, false, false)); textOf(err) != want {
		t.Errorf("one more: %v, want %s", err, want)
	}
}

// TestReleasedOnce: the handler hears of a release once, however often it comes before it is completed.
func TestReleasedOnce(t *testing.T) {
	h := &recorder{}
	s := NewSession(&Config{}, h)
	if err := s.Receive(wire(hello + "34 06 0001'a' 0007'x'")); err != nil {
		t.Fatal(err)
	}
	s.Ack(7)
	for range 3 {
		if err := s.Receive(wire("62020007")); err != nil {
			t.Fatal(err)
		}
	}
	s.Take(nil)
	s.Complete(7)
	if got := strings.Join(h.calls[2:], "|"); got != "release 7" {
		t.Errorf("calls %s", got)
	}
	if got := fmt.Sprintf("%x", s.Take(nil)); got != "70020007" {
		t.Errorf("output %s", got)
	}
}

// TestAcknowledgementsAreBounded: who sends and does not read is stopped by the acknowledgements that wait for it, too.
func TestAcknowledgementsAreBounded(t *testing.T) {
	for _, v := range []string{hello, hello5} {
		h := &recorder{refuse: NotAuthorised}
		s := NewSession(&Config{MaxOut: 1000, ReceiveMax: 1000}, h)
		h.s = s
		if err := s.Receive(wire(v)); err != nil {
			t.Fatal(err)
		}
		var err error
		for id := uint16(1); err == nil && id < 1000; id++ {
			err = s.Receive(AppendPublish(nil, s.Version(), "a", nil, 1, id, false, false))
		}
		if !errors.Is(err, ErrOut) || s.Pending() > 1100 {
			t.Errorf("%v after %d bytes of output", err, s.Pending())
		}
	}
}

// TestNothingBehindTheEnd: what is acknowledged after the session has ended is not sent any more.
func TestNothingBehindTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Session) error{
		"goodbye": func(s *Session) error { return s.Receive(wire("e0 00")) },
		"bye":     func(s *Session) error { s.Bye(ShuttingDown, ""); return ErrClosed },
	} {
		s := NewSession(&Config{}, &recorder{})
		if err := s.Receive(wire(hello5 + "34 07 0001'a' 0006 00 'x' 32 07 0001'a' 0007 00 'x'")); err != nil {
			t.Fatal(err)
		}
		s.Ack(6)
		if err := end(s); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		before := s.Pending()
		s.Ack(7)
		s.Complete(6)
		if s.Pending() != before {
			t.Errorf("%s: %d bytes go behind it", name, s.Pending()-before)
		}
	}
}
