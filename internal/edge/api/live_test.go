package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/uplink"
)

// event is one of a live view.
type event struct {
	kind string
	id   uplink.Position
	data map[string]any
}

// stream is an open live view.
type stream struct {
	t      *testing.T
	status int
	header http.Header
	events chan event // closed when the stream ends
	leave  func()
}

func (w *world) watch(token, home string, seen uplink.Position) *stream {
	w.t.Helper()
	return w.watchAt(token, "/api/v1/homes/"+home+"/live", seen)
}

func (w *world) watchAt(token, path string, seen uplink.Position) *stream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	req := must(http.NewRequestWithContext(ctx, "GET", w.url+path, nil))(w.t)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	if seen > 0 {
		req.Header.Set("Last-Event-ID", fmt.Sprint(seen))
	}
	res := must(http.DefaultClient.Do(req))(w.t)
	s := &stream{t: w.t, status: res.StatusCode, header: res.Header, events: make(chan event, 100_000)}
	done := make(chan struct{})
	s.leave = func() { cancel(); <-done }
	w.t.Cleanup(s.leave)
	go func() {
		defer close(done)
		defer res.Body.Close()
		defer close(s.events)
		s.read(bufio.NewReader(res.Body))
	}()
	return s
}

func (s *stream) read(r *bufio.Reader) {
	e := event{kind: "message"}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return
			}
			e.id = uplink.Position(n)
		case "data":
			if json.Unmarshal([]byte(value), &e.data) != nil {
				return
			}
		case "":
			s.events <- e
			e = event{kind: "message"}
		}
	}
}

// next is the next event of a kind; others before it are passed over.
func (s *stream) next(kind string) event {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				s.t.Fatalf("the stream ended before a %s event", kind)
			}
			if e.kind == kind {
				return e
			}
		case <-late:
			s.t.Fatalf("no %s event came", kind)
		}
	}
}

// ended waits for the end of the stream.
func (s *stream) ended(why string) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case _, open := <-s.events:
			if !open {
				return
			}
		case <-late:
			s.t.Fatalf("the stream goes on after %s", why)
		}
	}
}

func TestLive(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()

	t.Run("states, messages, presence and commands", func(t *testing.T) {
		s := w.watch(w.owner, m.home, 0)
		if s.status != 200 || s.header.Get("Content-Type") != "text/event-stream" || s.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("the stream is %d %v", s.status, s.header)
		}
		s.next("ping")
		w.post(m, `{"brightness":42,"powerstate":{"value":1,"time":1700000000123}}`, time.UnixMilli(1700000001000))
		e := s.next("state")
		got, _ := json.Marshal(e.data)
		want := `{"device":"` + m.device + `","properties":{"brightness":{"time":"2023-11-14T22:13:21.000Z","value":42},"powerstate":{"time":"2023-11-14T22:13:20.123Z","value":1}}}`
		if string(got) != want {
			t.Errorf("the state is\n %s, want\n %s", got, want)
		}
		e = s.next("message")
		payload, _ := e.data["payload"].(map[string]any)
		if e.id != w.log.Tail() || e.data["pos"] != float64(e.id) || e.data["direction"] != "up" || payload["method"] != "thing.event.property.post" {
			t.Errorf("the message is %d %v", e.id, e.data)
		}
		w.presence(m, true)
		if e := s.next("presence"); e.data["online"] != true || e.data["device"] != m.device || e.id != w.log.Tail() {
			t.Errorf("presence is %d %v", e.id, e.data)
		}
		w.bus.Publish(device.RefusedSubject+m.device, []byte(`{"at":"2026-01-01T00:00:00Z","topic":"/x","payload":"y","why":"no such topic"}`))
		if e := s.next("message"); e.data["result"] != "refused: no such topic" || e.data["direction"] != "up" || e.id != 0 {
			t.Errorf("a refused message is %v", e.data)
		}
		w.want(w.call(w.owner, "DELETE", "/api/v1/commands/"+m.command, ""), 200)
		if e := s.next("command"); e.data["id"] != m.command || e.data["state"] != "cancelled" || e.data["reason"] != "withdrawn" {
			t.Errorf("the command is %v", e.data)
		}
	})
	t.Run("it goes on where it broke off", func(t *testing.T) {
		w.post(m, `{"brightness":1}`, time.Now())
		seen := w.log.Tail()
		for i := range 3 {
			w.post(m, fmt.Sprintf(`{"brightness":%d}`, i+2), time.Now())
		}
		s := w.watch(w.owner, m.home, seen)
		for i := range 3 {
			e := s.next("state").data["properties"].(map[string]any)["brightness"].(map[string]any)
			if e["value"] != float64(i+2) {
				t.Errorf("state %d after the break is %v", i, e)
			}
			if e := s.next("message"); e.id != seen+uplink.Position(i+1) {
				t.Errorf("message %d after the break has the id %d", i, e.id)
			}
		}
	})
	t.Run("what belongs to others is not seen", func(t *testing.T) {
		s := w.watch(w.owner, m.home, 0)
		s.next("ping")
		other := m
		other.device = w.want(w.call(w.owner, "GET", "/api/v1/devices", ""), 200).text("items/1/id") // in no home
		w.post(other, `{"brightness":7}`, time.Now())
		w.post(m, `{"brightness":8}`, time.Now())
		if e := s.next("state"); e.data["device"] != m.device {
			t.Errorf("the view of a home shows %v", e.data)
		}
	})
	t.Run("a position of another Log is a gap", func(t *testing.T) {
		s := w.watch(w.owner, m.home, w.log.Tail()+1000)
		if e := s.next("gap"); e.data["lost"] != 0.0 || e.id != w.log.Tail() {
			t.Errorf("the gap is %d %v", e.id, e.data)
		}
	})
	t.Run("too far behind is a gap", func(t *testing.T) {
		seen := w.log.Tail()
		w.flood(5001)
		s := w.watch(w.owner, m.home, seen)
		if e := s.next("gap"); e.data["lost"] != 5001.0 || e.id != seen+5001 {
			t.Errorf("the gap is %d %v after %d", e.id, e.data, seen)
		}
	})
	t.Run("a device that moves in is seen", func(t *testing.T) {
		s := w.watch(w.owner, m.home, 0)
		s.next("ping")
		other := m
		other.device = w.want(w.call(w.owner, "GET", "/api/v1/devices", ""), 200).text("items/1/id")
		w.want(w.call(w.owner, "POST", "/api/v1/homes/"+m.home+"/devices", fmt.Sprintf(`{"device":%q,"names":{"en":"second"}}`, other.device)), 204)
		w.eventually("the view follows the home", func() bool {
			w.post(other, `{"brightness":3}`, time.Now())
			select {
			case e := <-s.events:
				return e.kind == "state" && e.data["device"] == other.device
			case <-time.After(50 * time.Millisecond):
				return false
			}
		})
	})
}

func TestLiveEndsWithTheRight(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	session := w.signIn("query")
	other := w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"other"}}`), 201).id()
	mine := w.watch(session, other, 0)
	mine.next("ping")
	hers := w.watch(w.owner, m.home, 0)
	hers.next("ping")
	w.want(w.call(session, "DELETE", "/api/v1/session", ""), 204)
	w.want(w.call(w.owner, "DELETE", "/api/v1/homes/"+m.home, ""), 204)
	mine.ended("signing out")
	hers.ended("the home was taken away")
}

// TestLiveEndsAtAGate shuts a gate that was open when the view began.
func TestLiveEndsAtAGate(t *testing.T) {
	w := newWorld(t)
	w.people()
	home := w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"other"}}`), 201).id()
	s := w.watch(w.owner, home, 0)
	s.next("ping")
	w.shutFor.Store(access.ReadHome)
	s.ended("a gate was shut")
}

func TestLiveViewsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	var views []*stream
	for range 32 {
		s := w.watch(w.owner, m.home, 0)
		s.next("ping")
		views = append(views, s)
	}
	path := "/api/v1/homes/" + m.home + "/live"
	if a := w.want(w.call(w.owner, "GET", path, ""), 429); a.header.Get("Retry-After") != "5" || a.text("code") != "limit" {
		t.Errorf("one view more: %v %s", a.header, a.body)
	}
	w.watch(w.roles["engineer"], m.home, 0).next("ping") // another person
	views[0].leave()
	w.eventually("a view that was left makes room", func() bool {
		s := w.watch(w.owner, m.home, 0)
		defer s.leave()
		return s.status == 200
	})
}

func (w *world) presence(m maker, online bool) {
	w.t.Helper()
	p := device.Presence{Online: online, Epoch: w.devices.Epoch(), Reason: "connected", Address: "192.0.2.1:1"}
	done := make(chan error, 1)
	err := w.log.Append(w.t.Context(), uplink.Record{At: time.Now(), Kind: uplink.Presence, Device: m.device, Body: p.Append(nil)},
		func(_ uplink.Position, err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// flood appends n records of no device.
func (w *world) flood(n int) {
	w.t.Helper()
	errs := make(chan error, n)
	for range n {
		err := w.log.Append(w.t.Context(), uplink.Record{At: time.Now(), Kind: uplink.Fact, Subject: "test", Body: []byte("{}")},
			func(_ uplink.Position, err error) { errs <- err })
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for range n {
		if err := <-errs; err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestHistory pages through values of which several share a millisecond.
func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for i := range 6 {
		w.post(m, fmt.Sprintf(`{"brightness":{"value":%d,"time":%d}}`, i+1, at.UnixMilli()), at.Add(time.Second))
	}
	path := "/api/v1/devices/" + m.device + "/history?property=brightness&limit=4"
	w.eventually("the points are written", func() bool {
		a := w.want(w.call(w.owner, "GET", path, ""), 200)
		return len(a.get("items").([]any)) == 4 && a.text("next_cursor") != ""
	})
	first := w.want(w.call(w.owner, "GET", path, ""), 200)
	second := w.want(w.call(w.owner, "GET", path+"&cursor="+first.text("next_cursor"), ""), 200)
	if got := fmt.Sprint(keys(first, "value"), keys(second, "value"), second.text("next_cursor")); got != "[1 2 3 4] [5 6]" {
		t.Errorf("two pages are %s", got)
	}
	if got := first.text("items/0/at"); got != at.Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("the first point is at %s", got)
	}
	shadow := w.want(w.call(w.owner, "GET", "/api/v1/devices/"+m.device+"/shadow", ""), 200)
	if shadow.get("desired/powerstate/value") != 1.0 {
		t.Errorf("the shadow is %s", shadow.body)
	}
}

// TestLiveTellsOfTimers: who watches a home hears when a timer is due, as a speaker that rings does.
func TestLiveTellsOfTimers(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	live := w.watch(w.owner, m.home, 0)
	live.next("ping")
	timer := w.want(w.call(w.owner, "POST", "/api/v1/homes/"+m.home+"/timers", `{"label":"煮蛋","seconds":1}`), 201).id()
	e := live.next("timer")
	if e.data["timer"] != timer || e.data["label"] != "煮蛋" || e.data["state"] != "fired" {
		t.Errorf("told of %v", e.data)
	}
}

// TestLiveTellsAnnouncements: a view that names its speaker is told what is announced, with the sound of it; another is not.
func TestLiveTellsAnnouncements(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	all := "/api/v1/homes/" + m.home + "/announcements"
	a := w.call(w.owner, "POST", all, `{"text":"饭好了"}`)
	if a.status != http.StatusConflict || !strings.Contains(string(a.body), "no speaker listens there") {
		t.Errorf("announced to nobody: %d %s", a.status, a.body)
	}
	for _, query := range []string{"room=" + m.room, "speaker=hall&room=nowhere", "speaker=" + strings.Repeat("x", 65)} {
		if s := w.watchAt(w.owner, "/api/v1/homes/"+m.home+"/live?"+query, 0); s.status < 400 {
			t.Errorf("a view with %s is open", query)
		}
	}
	plain := w.watch(w.owner, m.home, 0)
	plain.next("ping")
	hall := w.watchAt(w.owner, "/api/v1/homes/"+m.home+"/live?speaker=hall&room="+m.room, 0)
	hall.next("ping")
	made := w.want(w.call(w.owner, "POST", all, fmt.Sprintf(`{"text":"饭好了","rooms":[%q]}`, m.room)), 201)
	e := hall.next("announcement")
	if e.data["id"] != made.id() || e.data["text"] != "饭好了" || e.data["lang"] != "zh-CN" || e.data["sound"] != all+"/"+made.id()+"/sound" {
		t.Errorf("told of %v", e.data)
	}
	w.eventually("it is told", func() bool {
		return w.want(w.call(w.owner, "GET", all, ""), 200).text("items/0/speakers/0/state") == "told"
	})
	for len(plain.events) > 0 {
		if e := <-plain.events; e.kind == "announcement" {
			t.Errorf("a view without a speaker was told %v", e.data)
		}
	}
	if a := w.call(w.owner, "DELETE", all+"/"+made.id(), ""); a.status != http.StatusConflict {
		t.Errorf("what was told is cancelled: %d %s", a.status, a.body)
	}
	if a := w.call(w.owner, "POST", all, `{"text":"x","rooms":["nowhere"]}`); a.status != http.StatusNotFound {
		t.Errorf("announced nowhere: %d %s", a.status, a.body)
	}
}
