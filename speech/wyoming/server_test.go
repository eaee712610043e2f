package wyoming

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// house understands three sentences.
type house struct {
	mu    sync.Mutex
	heard []Sentence
	block chan struct{} // sentences wait for it, if there is one
}

func (h *house) Handle(ctx context.Context, in Sentence) (Reply, error) {
	h.mu.Lock()
	h.heard = append(h.heard, in)
	h.mu.Unlock()
	if h.block != nil {
		select {
		case <-h.block:
		case <-ctx.Done():
			return Reply{}, ctx.Err()
		}
	}
	switch in.Text {
	case "打开灯":
		return Reply{"好的。", true}, nil
	case "refuse":
		return Reply{}, &Refusal{"forbidden", "that is not yours"}
	case "break":
		return Reply{}, errors.New("the secret door is broken")
	case "panic":
		panic("in the house")
	}
	return Reply{"没有这个设备。", false}, nil
}

func (h *house) Meanings(_ context.Context, in Sentence) ([]Meaning, error) {
	one := Meaning{"lampworks.set", []Entity{{"name", "灯"}}}
	switch in.Text {
	case "打开灯":
		return []Meaning{one}, nil
	case "打开灯和窗帘":
		return []Meaning{one, one}, nil
	}
	return nil, nil
}

type running struct {
	*Server
	house *house
	addr  string
	log   *lockedBuffer
	stop  context.CancelFunc
	ended chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func serve(t *testing.T, h *house, idle time.Duration) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	r := &running{house: h, addr: l.Addr().String(), log: log, ended: make(chan error, 1), Server: NewServer(ServerConfig{
		Handler: h, Name: "lampworks", By: "Lampworks", URL: "https://example.com", Version: "1", Languages: []string{"zh", "zh-CN", "zh-TW", "en"}, Idle: idle,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.ended <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-r.Server.ended
	})
	return r
}

func dial(t *testing.T, addr string) *line {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return &line{conn, t, NewReader(conn, MaxClientPayload)}
}

func (l *line) next() Event {
	l.t.Helper()
	e, err := l.r.Read()
	if err != nil {
		l.t.Fatalf("no answer: %v", err)
	}
	return e
}

// contains says whether got has everything that want has; a list may have more than the elements wanted.
func contains(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for k, v := range w {
			ok = ok && contains(g[k], v)
		}
		return ok
	case []any:
		g, ok := got.([]any)
		for _, v := range w {
			ok = ok && slices.ContainsFunc(g, func(x any) bool { return contains(x, v) })
		}
		return ok
	}
	return got == want
}

func TestSessionsOfAHandleService(t *testing.T) {
	r, played := serve(t, &house{}, 0), 0
	for _, s := range known(t).Sessions {
		if s.Role != "handle service" {
			continue
		}
		played++
		l := dial(t, r.addr)
		for _, e := range s.Client {
			l.say(e.Type, e.Data, nil)
		}
		for _, want := range s.Server {
			e := l.next()
			d := e.Data.plain(t)
			if e.Type != want {
				t.Errorf("%v: answered %s %v, want %s", s.Client, e.Type, d, want)
			}
			for name := range s.Data {
				if text, ok := d[name].(string); !ok || text == "" {
					t.Errorf("%v: answered %v without %s", s.Client, d, name)
				}
			}
			if s.Info != nil {
				var must any
				if err := json.Unmarshal(s.Info, &must); err != nil {
					t.Fatal(err)
				}
				if !contains(any(d), must) {
					t.Errorf("says of itself %v, want %v", d, must)
				}
			}
		}
		l.Conn.(*net.TCPConn).CloseWrite()
		l.closed()
	}
	if played < 5 {
		t.Errorf("played %d sessions", played)
	}
}

// The reference library refuses programs without an attribution, and lists that are no lists.
func TestInfoIsWhole(t *testing.T) {
	l := dial(t, serve(t, &house{}, 0).addr)
	l.say(Describe, nil, nil)
	d := l.next().Data.plain(t)
	for _, kind := range []string{"asr", "tts", "handle", "intent", "wake", "mic", "snd"} {
		if _, ok := d[kind].([]any); !ok {
			t.Errorf("%s is %v", kind, d[kind])
		}
	}
	if !contains(d["handle"], []any{map[string]any{"attribution": map[string]any{"name": "Lampworks", "url": "https://example.com"}, "supports_handled_streaming": false}}) {
		t.Errorf("handle is %v", d["handle"])
	}
}

func TestSentencesAreAnswered(t *testing.T) {
	r := serve(t, &house{}, 0)
	l := dial(t, r.addr)
	for _, tt := range []struct {
		kind string
		data fields
		want string
		says string
	}{
		{Transcript, fields{"text": "打开灯", "language": "zh", "context": fields{"conversation_id": "c1"}}, Handled, `{"context":{"conversation_id":"c1"},"text":"好的。"}`},
		{Transcript, fields{"text": "打开灯", "language": nil, "context": nil}, Handled, `{"text":"好的。"}`},
		{Transcript, fields{"text": "关月亮"}, NotHandled, `{"text":"没有这个设备。"}`},
		{Transcript, fields{}, NotHandled, `{"text":"没有这个设备。"}`},
		{Transcript, fields{"text": "打开灯", "language": "xx"}, NotHandled, `{"text":"\"xx\" is not spoken here; zh, zh-CN, zh-TW, en are"}`},
		{Transcript, fields{"text": 7}, Error, `{"code":"invalid","text":"the data of transcript have a field of the wrong type: \"text\""}`},
		{Transcript, fields{"text": "x", "context": fields{"conversation_id": []int{1}}}, Error, `{"code":"invalid","text":"the data of transcript have a field of the wrong type: \"conversation_id\""}`},
		{Transcript, fields{"text": "x", "context": 7}, Error, `{"code":"invalid","text":"the data of transcript have a field of the wrong type: \"context\""}`},
		{Transcript, fields{"text": "refuse"}, Error, `{"code":"forbidden","text":"that is not yours"}`},
		{Transcript, fields{"text": "break"}, Error, `{"code":"internal","text":"something went wrong here; the log of the server says what"}`},
		{Recognize, fields{"text": "打开灯"}, Intent, `{"entities":[{"name":"name","value":"灯"}],"name":"lampworks.set"}`},
		{Recognize, fields{"text": "你好"}, NotRecognized, `{"text":"你好"}`},
		{Intent, fields{"name": "HassTurnOn"}, NotHandled, `{"text":"send the sentence itself, as a transcript"}`},
		{Ping, fields{"text": "y"}, Pong, `{"text":"y"}`},
		{Ping, fields{}, Pong, `{"text":null}`},
	} {
		l.say(tt.kind, tt.data, nil)
		e := l.next()
		if got, _ := encode(e.Data.plain(t)); e.Type != tt.want || string(got) != tt.says {
			t.Errorf("%s %v: %s %s\nwant %s %s", tt.kind, tt.data, e.Type, got, tt.want, tt.says)
		}
	}
	l.say(Recognize, fields{"text": "打开灯和窗帘"}, nil)
	if got := kinds(l.hear(IntentsStop)); !slices.Equal(got, []string{IntentsStart, Intent, Intent, IntentsStop}) {
		t.Errorf("two acts are %v", got)
	}
	if h := r.house.heard[0]; h.Conversation != "c1" || h.Lang != "zh" || h.From != "127.0.0.1" {
		t.Errorf("the handler heard %+v", h)
	}
	if log := r.log.String(); !strings.Contains(log, "secret door") || strings.Contains(log, "打开") {
		t.Errorf("the log lacks the reason, or has words: %s", log)
	}
}

// closed waits for the other side to end the connection, and returns what came before.
func (l *line) closed() []byte {
	b, err := io.ReadAll(l.Conn)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		l.t.Error("the connection stays open")
	}
	return b
}

func TestWhatCannotBeReadEndsTheConnection(t *testing.T) {
	r := serve(t, &house{}, 0)
	refuse := known(t).Refuse
	for _, v := range refuse {
		l := dial(t, r.addr)
		l.Write(raw(t, v.Bytes))
		l.Conn.(*net.TCPConn).CloseWrite()
		if b := l.closed(); len(b) != 0 {
			t.Errorf("%s: answered %q", v.Why, b)
		}
		l.Close()
	}
	if len(r.house.heard) != 0 {
		t.Errorf("something was done: %v", r.house.heard)
	}
}

func TestSilenceAndNoiseEndAConnection(t *testing.T) {
	r := serve(t, &house{}, 50*time.Millisecond)
	dial(t, r.addr).closed()
	slow := dial(t, r.addr)
	slow.Write([]byte(`{"type":"tra`)) // and never more
	slow.closed()
	busy := serve(t, &house{}, 0)
	l := dial(t, busy.addr)
	for range maxIgnored {
		l.say("x-unknown", nil, nil)
	}
	l.closed()
	calm := dial(t, busy.addr)
	for range maxIgnored - 1 {
		calm.say("x-unknown", nil, nil)
	}
	calm.say(Ping, nil, nil)
	if e := calm.next(); e.Type != Pong {
		t.Errorf("got %s", e.Type)
	}
}

func TestAPanicEndsOneConnectionOnly(t *testing.T) {
	r := serve(t, &house{}, 0)
	l, other := dial(t, r.addr), dial(t, r.addr)
	l.say(Transcript, fields{"text": "panic"}, nil)
	l.closed()
	other.say(Ping, nil, nil)
	if e := other.next(); e.Type != Pong || !strings.Contains(r.log.String(), "in the house") {
		t.Errorf("got %s; the log says %s", e.Type, r.log.String())
	}
}

func TestLimitsOfConnections(t *testing.T) {
	r := serve(t, &house{}, 0)
	for range MaxEach {
		l := dial(t, r.addr)
		l.say(Ping, nil, nil)
		l.next()
	}
	dial(t, r.addr).closed()
	for i := range MaxConnections - MaxEach {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("127.0.1.%d", 1+i/MaxEach))}}
		conn, err := from.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		l := &line{conn, t, NewReader(conn, MaxClientPayload)}
		l.say(Ping, nil, nil)
		l.next()
	}
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.2.1")}}
	conn, err := from.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	(&line{conn, t, nil}).closed()
}

// Room that was taken is free again when the connection has ended.
func TestRoomIsGivenBack(t *testing.T) {
	r := serve(t, &house{}, 0)
	for range 3 * MaxEach {
		l := dial(t, r.addr)
		l.say(Ping, nil, nil)
		l.next()
		l.Conn.(*net.TCPConn).CloseWrite()
		l.closed()
	}
	l := dial(t, r.addr)
	l.say(Ping, nil, nil)
	l.next()
}

func TestShutdownLetsASentenceEnd(t *testing.T) {
	r := serve(t, &house{block: make(chan struct{})}, 0)
	idle, l := dial(t, r.addr), dial(t, r.addr)
	idle.say(Ping, nil, nil)
	idle.next()
	l.say(Transcript, fields{"text": "打开灯"}, nil)
	for waiting := true; waiting; time.Sleep(time.Millisecond) { // until the handler has it
		r.house.mu.Lock()
		waiting = len(r.house.heard) == 0
		r.house.mu.Unlock()
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(t.Context()) }()
	idle.closed()
	close(r.house.block)
	if e := l.next(); e.Type != Handled {
		t.Errorf("got %s", e.Type)
	}
	l.closed()
	if err := errors.Join(<-done, <-r.ended); err != nil {
		t.Error(err)
	}
}

func TestTheContextBreaksOff(t *testing.T) {
	r := serve(t, &house{block: make(chan struct{})}, 0)
	l := dial(t, r.addr)
	l.say(Transcript, fields{"text": "打开灯"}, nil)
	r.stop()
	l.closed()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// Every session of the vectors belongs to a role that a test here plays, or to one that this package does not have.
func TestEverySessionHasItsTest(t *testing.T) {
	for _, s := range known(t).Sessions {
		switch s.Role {
		case "handle service", "asr client", "tts client":
		case "satellite host": // this package dials no satellites
		default:
			t.Errorf("nobody plays %q", s.Role)
		}
	}
}
