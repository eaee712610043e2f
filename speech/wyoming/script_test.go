package wyoming

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A peer is the server of a test: it plays one part a connection, on the real wire.
type peer struct {
	t    *testing.T
	addr string
	mu   sync.Mutex
	made int // connections
	all  sync.WaitGroup
}

// line is a connection as the peer sees it.
type line struct {
	net.Conn
	t *testing.T
	r *Reader
}

// startPeer answers each connection with play, until the test ends.
func startPeer(t *testing.T, play func(n int, l *line)) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, addr: listener.Addr().String()}
	p.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.made++
			n := p.made
			p.mu.Unlock()
			p.all.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				play(n, &line{conn, t, NewReader(conn, MaxClientPayload)})
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.all.Wait()
	})
	return p
}

func (p *peer) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

func (l *line) say(kind string, data any, payload []byte) {
	b, err := Append(nil, kind, data, payload)
	if err != nil {
		l.t.Error(err)
	}
	l.Write(b)
}

// hear reads events until one of a type has come, and returns all of them; none when the connection ended before.
func (l *line) hear(until string) []Event {
	var all []Event
	for {
		e, err := l.r.Read()
		if err != nil {
			return nil
		}
		if all = append(all, e); e.Type == until {
			return all
		}
	}
}

// hang waits until the other side goes.
func (l *line) hang() {
	for {
		if _, err := l.r.Read(); err != nil {
			return
		}
	}
}

type fields map[string]any

// offering is what a server with one recogniser and one voice tells of itself.
func offering(languages ...string) fields {
	one := func(models, name string) []fields {
		return []fields{
			{"name": "absent", "installed": false, models: []fields{{"name": "no", "installed": true, "languages": languages}}},
			{"name": "here", "installed": true, models: []fields{
				{"name": "empty", "installed": false, "languages": languages},
				{"name": "other", "installed": true, "languages": []string{"de"}},
				{"name": name, "installed": true, "languages": languages},
			}},
		}
	}
	return fields{"asr": one("models", "hears"), "tts": one("voices", "speaks")}
}

// after describes the peer on the first connection, and plays on all later ones.
func after(info any, play func(l *line)) func(int, *line) {
	return func(n int, l *line) {
		if n > 1 {
			play(l)
			return
		}
		if l.hear(Describe) != nil {
			l.say(Info, info, nil)
		}
	}
}

func kinds(events []Event) (out []string) {
	for _, e := range events {
		if len(out) > 0 && out[len(out)-1] == e.Type+"+" {
			continue
		}
		kind := e.Type
		if kind == AudioChunk {
			kind += "+"
		}
		out = append(out, kind)
	}
	return out
}
