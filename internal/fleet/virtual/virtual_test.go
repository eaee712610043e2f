package virtual_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
	"lampworks/triple"
)

// A server is the other end of a virtual device's connections: it takes what is signed rightly and notes what comes.
type server struct {
	t      *testing.T
	key    string
	triple triple.Triple
	refuse mqtt.Reason // for the next CONNECTs

	mu       sync.Mutex
	said     []string // "template payload", without ids
	qos      []uint8  // of the same
	hello    []string // how it connected
	present  bool     // there is a session of before
	at       []time.Time
	connects int
	peer     *peer
}

// A peer is one connection.
type peer struct {
	s  *server
	nc net.Conn
	*mqtt.Session
}

func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p := &peer{s: s, nc: near}
	out := make(chan struct{}, 1)
	p.Session = mqtt.NewSession(&mqtt.Config{Wake: func() {
		select {
		case out <- struct{}{}:
		default:
		}
	}}, p)
	ended := make(chan struct{})
	go func() {
		defer near.Close()
		defer close(ended)
		b := make([]byte, 4096)
		for {
			n, err := near.Read(b)
			if err != nil {
				return
			}
			if p.Receive(b[:n]) != nil {
				_, _ = near.Write(p.Take(nil))
				return
			}
		}
	}()
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-out:
				_, _ = near.Write(p.Take(nil))
			}
		}
	}()
	return far, nil
}

func (p *peer) Connect(in *mqtt.Packet) mqtt.Welcome {
	s, c := p.s, in.Connect
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connects++
	id, err := alink.ParseClientID(string(c.ClientID))
	name := s.triple.MAC.String()
	if err != nil || string(c.Username) != name+"&"+s.key || !alink.Verify(c.Password, id.SignMethod, s.triple.Secret.Reveal(), id, name, s.key) {
		s.t.Errorf("signed in as %s %s", c.ClientID, c.Username)
	}
	s.peer = p
	text := fmt.Sprintf("%s clean=%v", in.Connect.Version, c.Clean)
	if e, ok := in.Properties.Find(mqtt.SessionExpiry); ok {
		text += fmt.Sprintf(" expiry=%d", e.Int)
	}
	if c.Will != nil {
		text += fmt.Sprintf(" will=%d %s", c.Will.QoS, c.Will.Payload)
	}
	s.hello = append(s.hello, text)
	return mqtt.Welcome{Code: s.refuse, SessionPresent: s.present}
}

func (p *peer) Publish(m *mqtt.Packet) error {
	topic, arg, ok := alink.Match(m.Topic, p.s.key, p.s.triple.MAC.String())
	if !ok {
		p.s.t.Errorf("published on %s", m.Topic)
	}
	var in struct {
		Code   int             `json:"code"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(m.Payload, &in); err != nil {
		p.s.t.Errorf("%s: %v", m.Payload, err)
	}
	text := fmt.Sprintf("answer %d", in.Code)
	switch topic {
	case alink.PropertyPost:
		text = "report " + string(in.Params)
	case alink.EnrolleeMatch:
		text = "match " + string(in.Params)
	case alink.ServiceReply:
		text = fmt.Sprintf("%s %d", arg, in.Code)
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.said, p.s.at, p.s.qos = append(p.s.said, text), append(p.s.at, time.Now()), append(p.s.qos, m.QoS)
	if m.QoS > 0 {
		p.Ack(m.ID)
	}
	return nil
}

func (p *peer) Subscribe(_ *mqtt.Packet, codes []byte) { clear(codes) }
func (p *peer) Unsubscribe(*mqtt.Packet, []byte)       {}
func (p *peer) Release(uint16)                         {}
func (p *peer) Puback(uint16, mqtt.Reason)             {}
func (p *peer) Disconnect(*mqtt.Packet)                {}

// orders sends a request and returns what the device said since, when all is quiet.
func (s *server) orders(topic alink.Template, arg, params string) []string {
	s.mu.Lock()
	p := s.peer
	s.said, s.at = nil, nil
	s.mu.Unlock()
	name := s.triple.MAC.String()
	if _, err := p.Session.Publish(topic.Topic(s.key, name, arg), alink.AppendRequest(nil, "7", topic.Method(arg), []byte(params)), 1); err != nil {
		s.t.Error(err)
	}
	synctest.Wait()
	return s.heard()
}

// answers sends the platform's answer to something the device asked.
func (s *server) answers(topic alink.Template, code int) {
	s.mu.Lock()
	p := s.peer
	s.mu.Unlock()
	if _, err := p.Session.Publish(topic.Topic(s.key, s.triple.MAC.String(), ""), alink.AppendReply(nil, []byte("7"), code, "as told", nil, ""), 1); err != nil {
		s.t.Error(err)
	}
	synctest.Wait()
}

func (s *server) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// play runs a light in a bubble.
func play(t *testing.T, test func(t *testing.T, s *server, d *virtual.Device, ended <-chan error)) {
	t.Helper()
	playAs(t, virtual.Config{QoS: 1}, test)
}

// playAs runs a light that connects as a configuration says.
func playAs(t *testing.T, c virtual.Config, test func(t *testing.T, s *server, d *virtual.Device, ended <-chan error)) {
	t.Helper()
	model, err := product.CategoryModel("light")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := triple.Parse("10004,82aab4000007,086c25813378092753ed1952bd0da2eb")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: t, key: triple.ProductKey(tr.ProductID), triple: tr}
		c.Addr, c.ProductKey, c.Triple, c.Model, c.Dial = "nowhere:1883", s.key, tr, model, s.dial
		c.State = map[string]json.RawMessage{"brightness": json.RawMessage("80")}
		d := virtual.New(c)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		test(t, s, d, ended)
		stop()
		synctest.Wait()
		s.peer.nc.Close()
	})
}

// TestConduct plays a light that behaves and one that does not.
func TestConduct(t *testing.T) {
	play(t, func(t *testing.T, s *server, d *virtual.Device, _ <-chan error) {
		if got := s.heard(); len(got) != 1 || !strings.Contains(got[0], `"brightness":80`) || !strings.Contains(got[0], `"powerstate":0`) {
			t.Errorf("when it connects it says %q", got)
		}
		for _, tt := range []struct {
			fault  virtual.Fault
			topic  alink.Template
			arg    string
			params string
			want   []string
		}{
			{virtual.None, alink.PropertySet, "", `{"powerstate":1}`, []string{`report {"powerstate":1}`, "answer 200"}},
			{virtual.None, alink.PropertySet, "", `{"powerstate":1}`, []string{`report {"powerstate":1}`, "answer 200"}}, // the same id: it remembers none
			{virtual.None, alink.PropertySet, "", `{"brightness":101}`, []string{"answer 460"}},
			{virtual.None, alink.ServiceInvoke, "identify", `{}`, []string{"identify 200"}},
			{virtual.Silent, alink.PropertySet, "", `{"powerstate":0}`, nil},
			{virtual.Silent, alink.ServiceInvoke, "identify", `{}`, nil},
			{virtual.Wrong, alink.PropertySet, "", `{"powerstate":0}`, []string{`report {"powerstate":1}`, "answer 200"}},
			{virtual.Wrong, alink.PropertySet, "", `{"brightness":50}`, []string{`report {"brightness":1}`, "answer 200"}},
			{virtual.Mistyped, alink.PropertySet, "", `{"powerstate":1}`, []string{`report {"powerstate":"1"}`, "answer 200"}},
			{virtual.Duplicate, alink.PropertySet, "", `{"powerstate":0}`, []string{`report {"powerstate":0}`, `report {"powerstate":0}`, "answer 200", "answer 200"}},
			{virtual.Duplicate, alink.ServiceInvoke, "identify", `{}`, []string{"identify 200", "identify 200"}},
			{virtual.None, alink.PropertySet, "", `{"powerstate":0}`, []string{`report {"powerstate":0}`, "answer 200"}},
			{virtual.None, alink.PropertySet, "", `{"brightness":50}`, []string{`report {"brightness":50,"powerstate":1}`, "answer 200"}}, // lights up
		} {
			d.SetFault(tt.fault)
			if diff := cmp.Diff(s.orders(tt.topic, tt.arg, tt.params), tt.want); diff != "" {
				t.Errorf("%s, told %s (-got +want):\n%s", tt.fault, tt.params, diff)
			}
		}
		d.SetFault(virtual.Slow)
		told := time.Now()
		if got := s.orders(alink.PropertySet, "", `{"colorTemperature":3000}`); got != nil {
			t.Errorf("a slow device says at once %q", got)
		}
		time.Sleep(virtual.SlowBy)
		synctest.Wait()
		if got := s.heard(); !slices.Contains(got, "answer 200") || s.at[0].Sub(told) != virtual.SlowBy {
			t.Errorf("a slow device says %q after %s", got, s.at)
		}
		if err := d.Set(t.Context(), map[string]json.RawMessage{"brightness": json.RawMessage("9")}); err != nil {
			t.Error(err)
		}
		if got := s.heard(); got[len(got)-1] != `report {"brightness":9}` {
			t.Errorf("switched by hand it says %q", got)
		}
		if err := d.Set(t.Context(), map[string]json.RawMessage{"brightness": json.RawMessage("900")}); err == nil {
			t.Error("a value beyond the model was set by hand")
		}
		if got := string(d.State()["brightness"]); got != "9" {
			t.Errorf("its brightness is %s", got)
		}
	})
}

// TestReconnect cuts the connection again and again: pauses grow, and the device comes back.
func TestReconnect(t *testing.T) {
	play(t, func(t *testing.T, s *server, _ *virtual.Device, _ <-chan error) {
		for cut := range 12 {
			s.mu.Lock()
			before, p := s.connects, s.peer
			s.mu.Unlock()
			p.nc.Close()
			began := time.Now()
			for s.count() == before && time.Since(began) < time.Minute {
				time.Sleep(10 * time.Millisecond)
				synctest.Wait()
			}
			if took := time.Since(began); took < time.Second || took > 31*time.Second || cut > 8 && took < 20*time.Second {
				t.Errorf("after cut %d it came back in %s", cut+1, took)
			}
		}
	})
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connects
}

// TestRefused gives a device up whose credentials are not taken, and tries again where the platform has trouble.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		code  mqtt.Reason
		gives bool
	}{{mqtt.BadLogin, true}, {mqtt.NotAuthorised, true}, {mqtt.Unavailable, false}} {
		play(t, func(t *testing.T, s *server, _ *virtual.Device, ended <-chan error) {
			s.mu.Lock()
			s.refuse = tt.code
			s.mu.Unlock()
			s.peer.nc.Close()
			time.Sleep(time.Minute)
			synctest.Wait()
			select {
			case err := <-ended:
				var refused *mqtt.Refused
				if !tt.gives || !errors.As(err, &refused) {
					t.Errorf("refused with %d it ended: %v", tt.code, err)
				}
			default:
				if tt.gives || s.count() < 5 {
					t.Errorf("refused with %d it tried %d times in a minute", tt.code, s.count())
				}
			}
		})
	}
}

func TestParseFault(t *testing.T) {
	for in, want := range map[string]string{
		"": "none <nil>", "none": "none <nil>", "slow": "slow <nil>", "silent": "silent <nil>", "wrong": "wrong <nil>",
		"duplicate": "duplicate <nil>", "wrong-type": "wrong-type <nil>", "flapping": "flapping <nil>",
		"Slow": `none "Slow" is no fault; want none, silent, slow, wrong, duplicate, wrong-type or flapping`,
	} {
		f, err := virtual.ParseFault(in)
		if got := fmt.Sprintf("%s %v", f, err); got != want {
			t.Errorf("ParseFault(%q) is %s, want %s", in, got, want)
		}
	}
}

// TestConnectsAsTold connects in both versions, with a session that stays, a will, and messages of every QoS.
func TestConnectsAsTold(t *testing.T) {
	for _, tt := range []struct {
		c    virtual.Config
		want string
	}{
		{virtual.Config{}, "MQTT 3.1.1 clean=true"},
		{virtual.Config{QoS: 2, Stay: time.Hour}, "MQTT 3.1.1 clean=false"},
		{virtual.Config{QoS: 1, Version: mqtt.V5}, "MQTT 5 clean=true"},
		{virtual.Config{QoS: 2, Version: mqtt.V5, Stay: time.Hour}, "MQTT 5 clean=false expiry=3600"},
		{virtual.Config{QoS: 2, Version: mqtt.V5, Will: []byte(`{"powerstate":0}`)}, `MQTT 5 clean=true will=1 {"id":"0","version":"1.0","params":{"powerstate":0},"method":"thing.event.property.post"}`},
	} {
		playAs(t, tt.c, func(t *testing.T, s *server, d *virtual.Device, _ <-chan error) {
			if got := s.hello[0]; got != tt.want {
				t.Errorf("it connects as %s\nwant %s", got, tt.want)
			}
			if diff := cmp.Diff(s.orders(alink.PropertySet, "", `{"powerstate":1}`), []string{`report {"powerstate":1}`, "answer 200"}); diff != "" {
				t.Error(diff)
			}
			s.mu.Lock()
			if diff := cmp.Diff(s.qos, []uint8{tt.c.QoS, tt.c.QoS, tt.c.QoS}); diff != "" {
				t.Errorf("QoS of what it says: %s", diff)
			}
			s.present = true
			s.mu.Unlock()
			if d.Kept() {
				t.Error("its first connection found a session")
			}
			if tt.c.Stay == 0 {
				return
			}
			s.peer.nc.Close()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if s.count() != 2 || !d.Kept() {
				t.Errorf("after %d connections it knows of a session that stayed: %v", s.count(), d.Kept())
			}
		})
	}
}

// TestFlapping loses connections until it may behave again.
func TestFlapping(t *testing.T) {
	play(t, func(t *testing.T, s *server, d *virtual.Device, _ <-chan error) {
		d.SetFault(virtual.Flapping)
		time.Sleep(virtual.FlapsAfter - time.Millisecond)
		synctest.Wait()
		if got := s.count(); got != 1 {
			t.Errorf("after %s it has connected %d times", virtual.FlapsAfter, got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.count(); got < 5 || got > 30 {
			t.Errorf("in a minute it connected %d times", got)
		}
		d.SetFault(virtual.None)
		time.Sleep(time.Minute)
		before := s.count()
		time.Sleep(time.Hour)
		if got := s.count(); got != before {
			t.Errorf("behaving again it connected %d times", got-before)
		}
	})
}
