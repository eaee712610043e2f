package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
)

// described is output of a session of MQTT 5 as people read it.
func described(t testing.TB, out []byte) string {
	t.Helper()
	var parts []string
	d := Decoder{Version: V5}
	err := d.Push(out, func(p *Packet) error {
		s := p.Type.String()
		if p.SessionPresent {
			s += " present"
		}
		if p.ID != 0 {
			s += fmt.Sprint(" ", p.ID)
		}
		if p.Type == PUBLISH {
			s += fmt.Sprintf(" %q=%q", p.Topic, p.Payload)
		}
		if p.Code != 0 {
			s += " " + Reason(p.Code).String()
		}
		for _, c := range p.Codes {
			s += " " + Reason(c).String()
		}
		for q := range p.Properties.All() {
			s += " [" + propertyRules[q.ID].name + " "
			if q.Value != nil {
				s += string(q.Value) + "]"
			} else {
				s += fmt.Sprint(q.Int, "]")
			}
		}
		parts = append(parts, s)
		return nil
	})
	if err != nil || d.Buffered() > 0 {
		t.Fatalf("the output cannot be read: %v, %x", err, out)
	}
	return strings.Join(parts, "|")
}

const (
	hello5  = "10 0f 0004'MQTT'05 02 003c 00 0002'id'"
	called5 = "connect id clean=true"
	taken5  = "CONNACK [receive maximum 4] [maximum packet size 2000] [shared subscription available 0] [topic alias maximum 2] [retain available 0]"
)

// TestSessionOfMQTT5 is what a session answers, tells and refuses in MQTT 5.
func TestSessionOfMQTT5(t *testing.T) {
	for _, tt := range []struct {
		name, in        string
		h               recorder
		calls, out, err string
	}{
		{name: "accepted", in: hello5, calls: called5, out: taken5},
		{
			name: "the handler says more", in: hello5,
			h: recorder{welcome: Welcome{SessionPresent: true, KeepAlive: 60, Properties: Properties{}.Append(Property{ID: SessionExpiry, Int: 9}).
				Append(Property{ID: AssignedClientID, Value: []byte("x")})}},
			calls: called5, out: strings.Replace(taken5, "CONNACK", "CONNACK present", 1) + " [server keep alive 60] [session expiry interval 9] [assigned client identifier x]",
		},
		{
			name: "refused with a reason", in: hello5, h: recorder{welcome: Welcome{Code: Banned, Text: "gone", SessionPresent: true}}, calls: called5,
			out: "CONNACK banned [reason string gone]", err: "mqtt: connection refused with code 138: banned: gone",
		},
		{
			name: "a reason too long for the client", in: "10 14 0004'MQTT'05 02 003c 05 2700000008 0002'id'",
			h:     recorder{welcome: Welcome{Code: Banned, Text: strings.Repeat("x", 100)}},
			calls: called5, out: "CONNACK banned", err: "mqtt: connection refused with code 138: banned: " + strings.Repeat("x", 100),
		},
		{
			name: "a code that CONNACK may not have", in: hello5, h: recorder{welcome: Welcome{Code: TakenOver}}, calls: called5,
			out: "CONNACK unspecified error", err: "mqtt: connection refused with code 128: unspecified error",
		},
		{
			name: "no client identifier for a session that stays", in: "10 0d 0004'MQTT'05 00 003c 00 0000", calls: "connect  clean=false", out: taken5,
		},
		{
			name: "enhanced authentication", in: "10 19 0004'MQTT'05 02 003c 0a 15 0007'SCRAM-1' 0002'id'",
			out: `CONNACK bad authentication method [reason string CONNECT: authentication method "SCRAM-1" is not known here; leave it out]`,
			err: `mqtt: CONNECT: authentication method "SCRAM-1" is not known here; leave it out [MQTT-4.12.0-1]`,
		},
		{
			name: "a retained will", in: "10 17 0004'MQTT'05 26 003c 00 0002'id' 00 0001'w' 0002'no'",
			out: "CONNACK retain not supported [reason string CONNECT: the will is to be retained, and nothing is retained here]",
			err: "mqtt: CONNECT: the will is to be retained, and nothing is retained here [MQTT-3.2.2-13]",
		},
		{
			name: "AUTH", in: hello5 + "f0 00", calls: called5,
			out: taken5 + "|DISCONNECT protocol error [reason string AUTH: CONNECT named no authentication method]",
			err: "mqtt: AUTH: CONNECT named no authentication method [MQTT-4.12.0-6]",
		},
		{name: "QoS 1", in: hello5 + "32 07 0001'a' 0007 00 'x'", h: recorder{now: true}, calls: called5 + "|publish a=x qos=1 id=7", out: taken5 + "|PUBACK 7"},
		{
			name: "QoS 1 refused", in: hello5 + "32 07 0001'a' 0007 00 'x'", h: recorder{refuse: NotAuthorised}, calls: called5 + "|publish a=x qos=1 id=7",
			out: taken5 + "|PUBACK 7 not authorised [reason string no]",
		},
		{
			name: "QoS 1 refused, and the client does not want to know why", in: "10 11 0004'MQTT'05 02 003c 02 1700 0002'id'" + "32 07 0001'a' 0007 00 'x'",
			h: recorder{refuse: NotAuthorised}, calls: called5 + "|publish a=x qos=1 id=7", out: taken5 + "|PUBACK 7 not authorised",
		},
		{
			name: "QoS 1 refused with a code that PUBACK may not have", in: hello5 + "32 07 0001'a' 0007 00 'x'", h: recorder{refuse: TooLarge},
			calls: called5 + "|publish a=x qos=1 id=7", out: taken5 + "|PUBACK 7 unspecified error [reason string no]",
		},
		{
			name: "QoS 2", in: hello5 + "34 07 0001'a' 0007 00 'x' 3c 07 0001'a' 0007 00 'x' 62020007 62020007", h: recorder{now: true},
			calls: called5 + "|publish a=x qos=2 id=7|release 7", out: taken5 + "|PUBREC 7|PUBREC 7|PUBCOMP 7|PUBCOMP 7 packet identifier not found",
		},
		{
			name: "QoS 1 with the identifier of a message of QoS 2", in: hello5 + "34 07 0001'a' 0007 00 'x' 32 07 0001'a' 0007 00 'y' 3a 07 0001'a' 0007 00 'y'", h: recorder{now: true},
			calls: called5 + "|publish a=x qos=2 id=7",
			out:   taken5 + "|PUBREC 7" + strings.Repeat("|PUBACK 7 packet identifier in use [reason string a message of QoS 2 with this identifier was not released yet]", 2),
		},
		{
			name: "QoS 2 of an earlier connection does not count as under way", h: recorder{welcome: Welcome{Held: []uint16{1, 2, 3, 4, 5}}},
			in:    hello5 + "3c 06 0001'a' 0001 00 34 06 0001'a' 0006 00 34 06 0001'a' 0007 00 34 06 0001'a' 0008 00 34 06 0001'a' 0009 00 34 06 0001'a' 000a 00",
			calls: called5 + "|publish a= qos=2 id=6|publish a= qos=2 id=7|publish a= qos=2 id=8|publish a= qos=2 id=9",
			out:   taken5 + "|PUBREC 1|DISCONNECT receive maximum exceeded [reason string PUBLISH: more than 4 messages are under way]",
			err:   "mqtt: PUBLISH: more than 4 messages are under way [MQTT-3.3.4-9]",
		},
		{
			name: "QoS 2 refused is new when it comes again", in: hello5 + "34 07 0001'a' 0007 00 'x' 34 07 0001'a' 0007 00 'x'", h: recorder{refuse: QuotaExceeded},
			calls: called5 + "|publish a=x qos=2 id=7|publish a=x qos=2 id=7",
			out:   taken5 + "|PUBREC 7 quota exceeded [reason string no]|PUBREC 7 quota exceeded [reason string no]",
		},
		{
			name: "more messages under way than told", in: hello5 + "32 06 0001'a' 0001 00 34 06 0001'a' 0002 00 32 06 0001'a' 0003 00 32 06 0001'a' 0004 00 32 06 0001'a' 0005 00",
			calls: called5 + "|publish a= qos=1 id=1|publish a= qos=2 id=2|publish a= qos=1 id=3|publish a= qos=1 id=4",
			out:   taken5 + "|DISCONNECT receive maximum exceeded [reason string PUBLISH: more than 4 messages are under way]",
			err:   "mqtt: PUBLISH: more than 4 messages are under way [MQTT-3.3.4-9]",
		},
		{
			name: "topic aliases", in: hello5 + "30 07 0001'a' 03 230001 30 07 0001'b' 03 230002 30 06 0000 03 230001 30 06 0000 03 230002 30 07 0001'c' 03 230001 30 06 0000 03 230001",
			calls: called5 + "|publish a= qos=0 id=0|publish b= qos=0 id=0|publish a= qos=0 id=0|publish b= qos=0 id=0|publish c= qos=0 id=0|publish c= qos=0 id=0", out: taken5,
		},
		{
			name: "a topic alias for a topic too long to keep", in: hello5 + "30 8708 0401" + strings.Repeat("61", 1025) + "03 230001", calls: called5,
			out: taken5 + "|DISCONNECT topic name invalid [reason string PUBLISH: a topic of 1025 bytes is given an alias, at most 1024 are kept]",
			err: "mqtt: PUBLISH: a topic of 1025 bytes is given an alias, at most 1024 are kept [§3.3.2.3.4]",
		},
		{
			name: "a topic alias above the maximum", in: hello5 + "30 07 0001'a' 03 230003", calls: called5,
			out: taken5 + "|DISCONNECT topic alias invalid [reason string PUBLISH: topic alias is 3, the maximum is 2]",
			err: "mqtt: PUBLISH: topic alias is 3, the maximum is 2 [MQTT-3.3.2-9]",
		},
		{
			name: "a topic alias that stands for nothing", in: hello5 + "30 06 0000 03 230001", calls: called5,
			out: taken5 + "|DISCONNECT protocol error [reason string PUBLISH: topic alias 1 stands for no topic yet]",
			err: "mqtt: PUBLISH: topic alias 1 stands for no topic yet [§3.3.4]",
		},
		{
			name: "a retained message", in: hello5 + "31 04 0001'a' 00", calls: called5,
			out: taken5 + "|DISCONNECT retain not supported [reason string PUBLISH: is to be retained, and nothing is retained here]",
			err: "mqtt: PUBLISH: is to be retained, and nothing is retained here [MQTT-3.2.2-14]",
		},
		{
			name: "SUBSCRIBE", in: hello5 + "82 13 0003 00 0001'a' 00 0001'b' 01 0001'c' 02 0001'd' 01", h: recorder{grant: []byte{0, 2, 2, 0x87}},
			calls: called5 + "|subscribe a qos=0|subscribe b qos=1|subscribe c qos=2|subscribe d qos=1",
			out:   taken5 + "|SUBACK 3 success reason 1 reason 2 not authorised",
		},
		{
			name: "UNSUBSCRIBE", in: hello5 + "a2 09 0003 00 0001'a' 0001'b'", h: recorder{grant: []byte{0, 0x11}},
			calls: called5 + "|unsubscribe a|unsubscribe b", out: taken5 + "|UNSUBACK 3 success no subscription existed",
		},
		{name: "goodbye", in: hello5 + "e0 00", calls: called5 + "|disconnect", out: taken5, err: "mqtt: connection is closed"},
		{name: "goodbye with the will", in: hello5 + "e0 01 04", calls: called5 + "|disconnect: disconnect with will", out: taken5, err: "mqtt: connection is closed"},
		{
			name: "a session that was not to stay", in: hello5 + "e0 07 00 05 1100000009", calls: called5,
			out: taken5 + "|DISCONNECT protocol error [reason string DISCONNECT: session expiry is 9 after 0 in CONNECT]",
			err: "mqtt: DISCONNECT: session expiry is 9 after 0 in CONNECT [MQTT-3.14.2-2]",
		},
		{
			name: "malformed", in: hello5 + "30 02 0001", calls: called5,
			out: taken5 + "|DISCONNECT malformed packet [reason string PUBLISH: topic is cut short]", err: "mqtt: PUBLISH: topic is cut short [§2.1.4]",
		},
		{
			name: "too large", in: hello5 + "30 ffff7f", calls: called5,
			out: taken5 + "|DISCONNECT packet too large [reason string PUBLISH of 2097155 bytes is announced, the limit is 2000]",
			err: "mqtt: PUBLISH of 2097155 bytes is announced, the limit is 2000 [MQTT-3.2.2-15]",
		},
		{
			name: "CONNECT twice", in: hello5 + hello5, calls: called5,
			out: taken5 + "|DISCONNECT protocol error [reason string CONNECT: comes a second time]", err: "mqtt: CONNECT: comes a second time [MQTT-3.1.0-2]",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1 << 20, 1, 5} {
				h := tt.h
				h.s = NewSession(&Config{ReceiveMax: 4, MaxPacket: 2000, Aliases: 2}, &h)
				var err error
				for b := wire(tt.in); len(b) > 0 && err == nil; {
					n := min(size, len(b))
					err = h.s.Receive(b[:n])
					b = b[n:]
				}
				if got := textOf(err); got != tt.err {
					t.Errorf("in pieces of %d: error\n got %q\nwant %q", size, got, tt.err)
				}
				if got := strings.Join(h.calls, "|"); got != tt.calls {
					t.Errorf("in pieces of %d: calls\n got %q\nwant %q", size, got, tt.calls)
				}
				if got := described(t, h.s.Take(nil)); got != tt.out {
					t.Errorf("in pieces of %d: output\n got %s\nwant %s", size, got, tt.out)
				}
			}
		})
	}
}

func session5(t *testing.T, c *Config, h Handler, properties string) *Session {
	t.Helper()
	s := NewSession(c, h)
	list := wire(properties)
	body := append(wire("0004'MQTT'05 02 003c"), appendVariable(nil, len(list))...)
	body = append(append(body, list...), wire("0002'id'")...)
	if err := s.Receive(append(appendVariable([]byte{0x10}, len(body)), body...)); err != nil {
		t.Fatal(err)
	}
	s.Take(nil)
	return s
}

// TestSendOfMQTT5: what an MQTT 5 client told about itself holds for what it is sent.
func TestSendOfMQTT5(t *testing.T) {
	h := &recorder{}
	s := session5(t, &Config{}, h, "21 0002 27 00000028 22 0001") // takes two at once, 40 bytes, one alias
	for i, tt := range []struct {
		m    Outgoing
		want string
		out  string
	}{
		{Outgoing{Topic: "a/b", Payload: []byte("x"), QoS: 1}, "", `PUBLISH 1 "a/b"="x" [topic alias 1]`},
		{Outgoing{Topic: "a/b", Payload: []byte("y"), QoS: 2, Properties: Properties{}.Append(Property{ID: MessageExpiry, Int: 5})}, "", `PUBLISH 2 ""="y" [message expiry interval 5] [topic alias 1]`},
		{Outgoing{Topic: "a/b", QoS: 1}, ErrWindow.Error(), ""},
		{Outgoing{Topic: "c", Payload: []byte("z")}, "", `PUBLISH "c"="z"`},
		{Outgoing{Topic: "c", Payload: []byte(strings.Repeat("x", 34))}, "", `PUBLISH "c"="` + strings.Repeat("x", 34) + `"`}, // 40
		{Outgoing{Topic: "c", Payload: make([]byte, 35)}, ErrTooLarge.Error(), ""},
	} {
		_, err := s.Send(&tt.m)
		if got := textOf(err); got != tt.want {
			t.Errorf("%d: %q, want %q", i, got, tt.want)
		}
		if got := described(t, s.Take(nil)); got != tt.out {
			t.Errorf("%d: sent\n got %s\nwant %s", i, got, tt.out)
		}
	}
	for _, tt := range []struct{ in, calls, out string }{
		{"40 03 0001 87", "puback 1: not authorised", ""},
		{"50 02 0002", "", "PUBREL 2"},
		{"50 02 0002", "", "PUBREL 2"},
		{"70 02 0002", "puback 2", ""},
		{"50 02 0002", "", "PUBREL 2 packet identifier not found"},
	} {
		h.calls = nil
		if err := s.Receive(wire(tt.in)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(h.calls, "|"); got != tt.calls {
			t.Errorf("%s: calls %q, want %q", tt.in, got, tt.calls)
		}
		if got := described(t, s.Take(nil)); got != tt.out {
			t.Errorf("%s: out %q, want %q", tt.in, got, tt.out)
		}
	}
	id, err := s.Send(&Outgoing{Topic: "a/b", QoS: 1, ID: 77, Dup: true})
	if raw := s.Take(nil); id != 77 || err != nil || raw[0] != 0x3a {
		t.Errorf("again: id %d, %v, %x, want 77 and DUP", id, err, raw)
	}
	if err := s.Receive(wire("50 02 004d")); textOf(err) != "mqtt: PUBREC: packet identifier 77 belongs to a message of QoS 1 [MQTT-2.2.1-5]" {
		t.Errorf("PUBREC for QoS 1: %v", err)
	}
}

// TestBye: an MQTT 5 client hears why we go, one of 3.1.1 does not, and nothing follows it.
func TestBye(t *testing.T) {
	s := session5(t, &Config{}, nobody{}, "")
	s.Bye(TakenOver, "a newer connection")
	if got := described(t, s.Take(nil)); got != "DISCONNECT session taken over [reason string a newer connection]" {
		t.Errorf("said %s", got)
	}
	s.Bye(ShuttingDown, "")
	if got := s.Take(nil); got != nil {
		t.Errorf("said again: %x", got)
	}
	if _, err := s.Publish("a", nil, 0); err != ErrClosed {
		t.Errorf("afterwards: %v", err)
	}
	if err := s.Receive(wire("c000")); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	old := connectedSession(t, &Config{}, nobody{})
	old.Bye(TakenOver, "a newer connection")
	if got := old.Take(nil); got != nil {
		t.Errorf("said in 3.1.1: %x", got)
	}
}

// TestPahoClientOfMQTT5: a client of others, on a socket.
func TestPahoClientOfMQTT5(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := net.Dial("tcp", listen(t))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	named := make(map[uint16]string) // topics by their aliases: Paho leaves them to its caller
	c := paho5.NewClient(paho5.ClientConfig{ClientID: "paho", Conn: conn, OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
		func(r paho5.PublishReceived) (bool, error) {
			if alias := *r.Packet.Properties.TopicAlias; r.Packet.Topic != "" {
				named[alias] = r.Packet.Topic
			} else {
				r.Packet.Topic = named[alias]
			}
			got <- fmt.Sprintf("%s=%s %d", r.Packet.Topic, r.Packet.Payload, r.Packet.QoS)
			return true, nil
		},
	}})
	aliases := uint16(4)
	ack, err := c.Connect(ctx, &paho5.Connect{
		ClientID: "paho", CleanStart: true, KeepAlive: 30, UsernameFlag: true, Username: "u", PasswordFlag: true, Password: []byte("secret"),
		Properties: &paho5.ConnectProperties{TopicAliasMaximum: &aliases},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := ack.Properties; p.RetainAvailable || p.SharedSubAvailable || *p.ReceiveMaximum != defaultReceiveMax {
		t.Errorf("CONNACK says %+v", p)
	}
	sub, err := c.Subscribe(ctx, &paho5.Subscribe{Subscriptions: []paho5.SubscribeOptions{{Topic: "a/#", QoS: 2}, {Topic: "refused", QoS: 1}}})
	if sub == nil || fmt.Sprint(sub.Reasons) != "[2 128]" {
		t.Errorf("SUBACK %+v, %v", sub, err)
	}
	for n := range byte(6) {
		if _, err := c.Publish(ctx, &paho5.Publish{Topic: "a/b", QoS: n % 3, Payload: []byte("客厅")}); err != nil {
			t.Fatal(err)
		}
		if m := <-got; m != fmt.Sprintf("a/b=客厅 %d", n%3) {
			t.Errorf("came back as %s", m)
		}
	}
	if _, err := c.Unsubscribe(ctx, &paho5.Unsubscribe{Topics: []string{"a/#"}}); err != nil {
		t.Error(err)
	}
	if err := c.Disconnect(&paho5.Disconnect{}); err != nil {
		t.Error(err)
	}
	<-c.Done()
}
