package test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lampworks/mqtt"
)

func TestWhoMayNotConnect(t *testing.T) {
	s := shared(t)
	d := s.spare(t)
	good := credentials(t, d, plain)
	stranger, foreign := d, d
	stranger.DeviceName = "0123456789ab"
	foreign.ProductKey = "lwaaaaaaaaa"
	forged := d
	forged.DeviceSecret = strings.Repeat("0", 32)
	replayed := good
	replayed.ClientID = d.ProductKey + "." + d.DeviceName + "|securemode=2,signmethod=hmacsha256,timestamp=1|"
	bare := good
	bare.ClientID = d.ProductKey + "." + d.DeviceName
	nobody := good
	nobody.Username = d.DeviceName
	open := good
	open.Password = ""
	for _, tt := range []struct {
		name string
		c    mqtt.ClientConfig
		code byte
		says string // to the operator's log
	}{
		{"a wrong signature", credentials(t, forged, plain), mqtt.RefusedLogin, "wrong signature"},
		{"a signature of other fields", replayed, mqtt.RefusedLogin, "wrong signature"},
		{"no signature", open, mqtt.RefusedLogin, "wrong signature"},
		{"an unknown device", credentials(t, stranger, plain), mqtt.RefusedLogin, "unknown product or device"},
		{"an unknown product", credentials(t, foreign, plain), mqtt.RefusedLogin, "unknown product or device"},
		{"a client id without fields", bare, mqtt.RefusedClientID, `client id`},
		{"a user name without a product", nobody, mqtt.RefusedLogin, `user name`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refusedWith(t, s.mqtt, tt.c, tt.code)
			s.log.line(t, "device refused", tt.says)
		})
	}
	for _, form := range []string{"%s.%s", "%s&%s"} {
		c := good
		c.ClientID = fmt.Sprintf(form, d.ProductKey, d.DeviceName) + plain
		if form == "%s&%s" { // the official JavaScript SDK's; what stands before | is signed as it is
			c.Password = signature(t, d, c.ClientID)
		}
		dial(t, s.mqtt, c)
	}
	if log := s.log.String(); strings.Contains(log, good.Password) || strings.Contains(log, d.DeviceSecret) {
		t.Error("the log holds a password or a secret")
	}
}

// TestDisabled takes a triple out of force: the live session ends, and what connected with it before connects no more.
func TestDisabled(t *testing.T) {
	s := shared(t)
	d := s.spare(t)
	a := credentials(t, d, plain)
	live := dial(t, s.mqtt, a)
	id := s.device(t, d.DeviceName).ID
	state := func(to string) {
		s.call(t, "PUT", "/api/v1/devices/"+id+"/state", map[string]string{"state": to, "note": "test"}, nil)
	}
	state("disabled")
	closed(t, live)
	if got := s.sessionEnd(t, d.DeviceName); got != "disabled" {
		t.Errorf("the session ended because %q, want disabled", got)
	}
	refusedWith(t, s.mqtt, a, mqtt.RefusedAuthorised)
	s.log.line(t, "device refused", "device is disabled")
	state("enabled")
	dial(t, s.mqtt, a)
}

// TestTakeover connects a device a second time: the first session is closed, and the device stays online.
func TestTakeover(t *testing.T) {
	s := shared(t)
	d := s.spare(t)
	first := dial(t, s.mqtt, credentials(t, d, plain))
	for range 3 {
		second := dial(t, s.mqtt, credentials(t, d, "|securemode=3,signmethod=hmacsha1,timestamp=2|"))
		closed(t, first)
		if err := second.Publish(within(t), d.topic("thing/event/property/post"), propertyPost(1, "brightness", 5), 1); err != nil {
			t.Fatal(err)
		}
		first = second
	}
	eventually(t, "the device to be online", func() (bool, any) {
		v := s.device(t, d.DeviceName)
		return v.Online, v
	})
	first.Kill()
	if got := s.sessionEnd(t, d.DeviceName); got != "connection closed" && got != "connection lost" {
		t.Errorf("the session ended because %q", got)
	}
}

func TestForeignTopics(t *testing.T) {
	s := shared(t)
	victim := s.spare(t)
	d := s.spare(t)
	client := dial(t, s.mqtt, credentials(t, d, plain))
	codes, err := client.Subscribe(within(t),
		victim.topic("thing/service/property/set"), victim.topic("#"), "/sys/+/+/thing/service/property/set", "#", "$SYS/#",
		"/sys/"+d.ProductKey+"/+/thing/service/property/set", d.topic("thing/service/property/set"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}; !bytes.Equal(codes, want) {
		t.Errorf("SUBACK % x, want % x", codes, want)
	}
	for _, topic := range []string{
		victim.topic("thing/event/property/post"), "/sys/" + d.ProductKey + "/" + d.DeviceName, "hello", d.topic("thing/service/property/set"),
	} {
		_ = client.PublishAsync(topic, propertyPost(1, "brightness", 9), nil)
		closed(t, client)
		if got := s.sessionEnd(t, d.DeviceName); got != "published on a topic that is not its own" {
			t.Errorf("publishing on %s ended the session because %q", topic, got)
		}
		client = dial(t, s.mqtt, credentials(t, d, plain))
	}
	var sh struct {
		Reported map[string]any `json:"reported"`
	}
	s.call(t, "GET", "/api/v1/devices/"+s.device(t, victim.DeviceName).ID+"/shadow", nil, &sh)
	if len(sh.Reported) != 0 {
		t.Errorf("a foreign device wrote %v", sh.Reported)
	}
}

// TestBrokenPackets sends what no client would. Each ends its own session, and the log says by which rule.
func TestBrokenPackets(t *testing.T) {
	s := own(t, "demo", "--no-open", "--mqtt-max-packet", "4096")
	for _, tt := range []struct {
		name  string
		bytes func(triple) []byte
		says  []string
	}{
		{"a topic that is not UTF-8", func(triple) []byte {
			return mqtt.AppendPublish(nil, mqtt.V311, "/sys/\xff\xfe", nil, 0, 0, false, false)
		}, []string{"UTF-8", "MQTT-1.5.3-1"}},
		{"a topic with a surrogate", func(triple) []byte {
			return mqtt.AppendPublish(nil, mqtt.V311, "/sys/\xed\xa0\x80", nil, 0, 0, false, false)
		}, []string{"UTF-8"}},
		{"a packet over the limit", func(d triple) []byte {
			return mqtt.AppendPublish(nil, mqtt.V311, d.topic("thing/event/property/post"), make([]byte, 5000), 0, 0, false, false)
		}, []string{"4096"}},
		{"a length without an end", func(triple) []byte { return []byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01} }, []string{"Remaining Length"}},
		{"a second CONNECT", func(triple) []byte { return []byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0} }, []string{"CONNECT"}},
		{"a packet of the server's", func(triple) []byte { return []byte{0x20, 2, 0, 0} }, []string{"CONNACK"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := s.spare(t)
			c := raw(t, s.mqtt)
			login(t, c, credentials(t, d, plain))
			if _, err := c.Write(tt.bytes(d)); err != nil {
				t.Fatal(err)
			}
			hungUp(t, c)
			got := s.sessionEnd(t, d.DeviceName)
			for _, part := range tt.says {
				if !strings.Contains(got, part) {
					t.Errorf("the session ended because %q, want it to name %q", got, part)
				}
			}
			s.log.line(t, append([]string{"session ended"}, tt.says...)...)
		})
	}
}

// TestHalfAPacket leaves one open, before CONNECT and after it, and sends nothing at all. Each ends.
func TestHalfAPacket(t *testing.T) {
	if testing.Short() {
		t.Skip("skip: takes the ten seconds a packet may take")
	}
	t.Parallel()
	s := shared(t)
	mute, half := raw(t, s.mqtt), raw(t, s.mqtt)
	if _, err := half.Write([]byte{0x10, 100, 0, 4, 'M'}); err != nil {
		t.Fatal(err)
	}
	d := s.spare(t)
	after := raw(t, s.mqtt)
	login(t, after, credentials(t, d, plain))
	if _, err := after.Write([]byte{0x30, 100, 0, 4}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{mute, half, after} {
		hungUp(t, c)
	}
	if got := s.sessionEnd(t, d.DeviceName); got != "half a packet" {
		t.Errorf("the session ended because %q, want half a packet", got)
	}
}

// TestAnnouncedMemory opens 5,000 connections that announce large packets and send nothing of them.
func TestAnnouncedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("skip: takes the ten seconds a packet may take")
	}
	const sockets, allowed = 5000, 50 << 20
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if files.Cur < sockets+500 {
		t.Skipf("skip: a process may open %d files only, the test needs %d (ulimit -n)", files.Cur, sockets+500)
	}
	t.Parallel()
	s := own(t, "demo", "--no-open")
	before := s.resident(t)
	var mu sync.Mutex
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range sockets / 8 {
				c, err := net.Dial("tcp", s.mqtt)
				if err != nil {
					t.Errorf("connecting: %v", err)
					return
				}
				mu.Lock()
				conns = append(conns, c)
				mu.Unlock()
				if _, err := c.Write([]byte{0x10, 0x80, 0x7d, 0, 4, 'M', 'Q'}); err != nil { // 16,000 bytes will follow, as many as may
					t.Errorf("writing: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(conns) != sockets {
		t.Fatalf("%d of %d connections are open", len(conns), sockets)
	}
	highest := s.resident(t)
	ended := make(chan struct{})
	go func() { // until the server ends the last of them for its half packet, ten seconds later
		defer close(ended)
		for _, c := range conns {
			_, _ = c.Read(make([]byte, 1))
		}
	}()
	for open := true; open; {
		select {
		case <-ended:
			open = false
		case <-time.After(50 * time.Millisecond):
		}
		highest = max(highest, s.resident(t))
	}
	t.Logf("resident %d MB before, at most %d MB with %d sockets: %d kB each", before>>20, highest>>20, sockets, (highest-before)/sockets>>10)
	if grown := highest - before; grown > allowed {
		t.Errorf("%d sockets that announce 245,759 bytes each cost %d MB, want at most %d", sockets, grown>>20, allowed>>20)
	}
	d := s.spare(t) // and the platform serves as before
	dial(t, s.mqtt, credentials(t, d, plain))
}

// TestSentencesThatDoNothing says what means nothing, names no device, or names two: something is said back and nothing
// is switched.
func TestSentencesThatDoNothing(t *testing.T) {
	s := own(t, "demo", "--no-open")
	for _, tt := range []struct{ text, outcome string }{
		{"呜哩哇啦", "chat"},
		{"把桌子打开", "reject"},
		{"打开", "clarify"},
		{"打开窗帘", "clarify"},
		{"turn on", "clarify"},
		{"把客厅的灯调到百分之五百", "reject"},
		{"", "chat"},
	} {
		a := s.say(t, "speaker "+tt.text, tt.text)
		if a.Outcome != tt.outcome || a.Reply == "" {
			t.Errorf("%q gave %s, said %q; want %s and something said", tt.text, a.Outcome, a.Reply, tt.outcome)
		}
		if strings.Contains(tt.outcome, "clarify") && !strings.ContainsAny(a.Reply, "?？") {
			t.Errorf("%q was answered %q, want a question", tt.text, a.Reply)
		}
	}
	var home struct {
		Devices []struct {
			ID string `json:"id"`
		} `json:"devices"`
	}
	s.call(t, "GET", "/api/v1/homes/"+s.home(t), nil, &home)
	for _, d := range home.Devices {
		var page struct {
			Items []commandView `json:"items"`
		}
		s.call(t, "GET", "/api/v1/devices/"+d.ID+"/commands", nil, &page)
		if len(page.Items) != 0 {
			t.Errorf("device %s was given %+v", d.ID, page.Items)
		}
	}
	if a := s.say(t, "last", "打开客厅的灯"); a.Outcome != "act" {
		t.Errorf("a good sentence gave %s, said %q", a.Outcome, a.Reply)
	}
}
