package test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/mqtt"
)

// forgetful is a device that posts as fast as the platform acknowledges, executes every command that reaches it, and
// remembers no ids. What it keeps is what the test is about: which posts were acknowledged, how often each id came.
type forgetful struct {
	t  *testing.T
	d  triple
	id string // of the device on the platform

	mu       sync.Mutex
	next     int
	acked    []int          // numbers of posts
	executed map[string]int // wire id → times
}

// post is one of the device's: its number is in the id, and makes the time of its value unique.
func (f *forgetful) post(n int) []byte {
	return fmt.Appendf(nil, `{"id":"%d","version":"1.0","params":{"brightness":{"value":%d,"time":%d}}}`, n, 1+n%100, firstTime+int64(n))
}

// firstTime is when these devices say that they began, unix milliseconds.
const firstTime = 1_700_000_000_000

// run is one life of the device, until the server is gone.
func (f *forgetful) run(ctx context.Context, addr string) {
	a := credentials(f.t, f.d, plain)
	a.OnMessage = f.obey
	client, err := mqtt.Dial(ctx, addr, a)
	if err != nil {
		return
	}
	defer client.Kill()
	if _, err := client.Subscribe(ctx, f.d.topic("thing/service/#")); err != nil {
		return
	}
	const window = 16
	free := make(chan struct{}, window)
	for ctx.Err() == nil {
		select {
		case <-client.Done():
			return
		case free <- struct{}{}:
		}
		f.mu.Lock()
		f.next++
		n := f.next
		f.mu.Unlock()
		err := client.PublishAsync(f.d.topic("thing/event/property/post"), f.post(n), func(err error) {
			if err == nil {
				f.mu.Lock()
				f.acked = append(f.acked, n)
				f.mu.Unlock()
			}
			<-free
		})
		if err != nil {
			return
		}
	}
}

func (f *forgetful) obey(client *mqtt.Client, m mqtt.Message) {
	req, err := alink.ParseRequest(m.Payload)
	if err != nil {
		f.t.Errorf("the platform sent %s: %v", m.Payload, err)
		return
	}
	f.mu.Lock()
	f.executed[string(req.ID)]++
	f.mu.Unlock()
	_ = client.PublishAsync(f.d.topic("thing/service/property/set_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), nil)
}

// keepCommanding gives commands to a device until the server is gone, and returns those that were accepted.
func keepCommanding(ctx context.Context, s *server, device string) (accepted []string) {
	for ctx.Err() == nil {
		var c commandView
		if _, err := s.try("POST", "/api/v1/devices/"+device+"/commands", newCommand{
			Kind: "property_set", Params: map[string]any{"colorTemperature": 2700 + rand.N(3000)}, DeadlineMS: 2000,
		}, &c); err != nil {
			return accepted
		}
		accepted = append(accepted, c.ID)
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(10 * time.Millisecond)): // so that waiting sets are not all replaced
		}
	}
	return accepted
}

// TestKill ends the program with SIGKILL at random moments under load, 20 times (twice with -short). Afterwards every
// acknowledged post is in the Log and in the history, a post of QoS 2 once; no command was executed twice but by devices whose
// sessions stay, which get again what they did not acknowledge; every command has ended, and each start in between served
// without any repair.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := howOften()
	dir := t.TempDir()
	s, err := start(dir, "demo", "--no-open", "--spare-devices", "6")
	if err != nil {
		t.Fatal(err)
	}
	var devices []*forgetful
	var staying []*precise
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		d := s.spare(t)
		staying = append(staying, &precise{t: t, d: d, v: v, id: s.device(t, d.DeviceName).ID, commands: make(map[string]int)})
	}
	for range 4 {
		d := s.spare(t)
		devices = append(devices, &forgetful{t: t, d: d, id: s.device(t, d.DeviceName).ID, executed: make(map[string]int)})
	}
	token := s.token
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	var accepted []string
	slowest := time.Duration(0)
	for range kills {
		began := time.Now()
		if s, err = start(dir, "serve"); err != nil {
			t.Fatalf("the start after a kill: %v", err)
		}
		slowest = max(slowest, time.Since(began))
		s.token = token
		accepted = append(accepted, live(t.Context(), s, devices, staying)...)
	}
	if s, err = start(dir, "serve"); err != nil {
		t.Fatalf("the start after the last kill: %v", err)
	}
	s.token = token
	commandsEnded(t, s, accepted)
	historyHolds(t, s, devices)
	if err := s.stop(); err != nil {
		t.Errorf("ending the server: %v\n%s", err, s.log.tail(40))
	}
	oncePrecisely(t, filepath.Join(dir, "data", "uplink.db"), staying)
	posts := logHolds(t, filepath.Join(dir, "data", "uplink.db"), devices)
	executed := 0
	for _, f := range devices {
		for id, n := range f.executed {
			if n != 1 {
				t.Errorf("command %s was executed %d times", id, n)
			}
			executed++
		}
	}
	t.Logf("%d kills, %d posts acknowledged, %d commands accepted, %d executed, slowest start %s", kills, posts, len(accepted), executed, slowest)
	if posts == 0 || executed == 0 {
		t.Error("there was no load")
	}
}

// live puts load on the server and kills it at a random moment. It returns the commands that were accepted.
func live(ctx context.Context, s *server, devices []*forgetful, staying []*precise) (accepted []string) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var wg sync.WaitGroup
	commands := func(device string) {
		wg.Go(func() {
			ids := keepCommanding(ctx, s, device)
			mu.Lock()
			defer mu.Unlock()
			accepted = append(accepted, ids...)
		})
	}
	for _, f := range devices {
		wg.Go(func() { f.run(ctx, s.mqtt) })
		commands(f.id)
	}
	for _, p := range staying {
		wg.Go(func() { p.run(ctx, s.mqtt) })
		commands(p.id)
	}
	time.Sleep(20*time.Millisecond + rand.N(600*time.Millisecond)) // the random moment
	s.kill()
	stop()
	wg.Wait()
	return accepted
}

// commandsEnded waits for the end of each command.
func commandsEnded(t *testing.T, s *server, ids []string) {
	ends := make(map[string]int)
	for _, id := range ids {
		eventually(t, "the end of command "+id, func() (bool, any) {
			var c commandView
			s.call(t, "GET", "/api/v1/commands/"+id, nil, &c)
			if c.EndedAt != nil {
				ends[c.State+" "+c.Reason]++
			}
			return c.EndedAt != nil, c
		})
	}
	t.Logf("commands ended as %v", ends)
}

// historyHolds looks for the value of every acknowledged post.
func historyHolds(t *testing.T, s *server, devices []*forgetful) {
	type point struct {
		At    time.Time       `json:"at"`
		Value json.RawMessage `json:"value"`
	}
	for _, f := range devices {
		var missing []int
		eventually(t, "the history to hold every acknowledged post", func() (bool, any) {
			has := make(map[int64]string)
			for from := time.UnixMilli(firstTime).UTC(); ; {
				var page struct {
					Items []point `json:"items"`
					Next  string  `json:"next_cursor"`
				}
				s.call(t, "GET", fmt.Sprintf("/api/v1/devices/%s/history?property=brightness&limit=500&from=%s&to=%s", f.id,
					from.Format(time.RFC3339Nano), time.UnixMilli(firstTime+1e9).UTC().Format(time.RFC3339Nano)), nil, &page)
				for _, p := range page.Items {
					if _, twice := has[p.At.UnixMilli()]; twice {
						t.Errorf("device %s: point %s is in the history twice", f.id, p.At)
					}
					has[p.At.UnixMilli()] = string(p.Value)
				}
				if len(page.Items) < 500 {
					break
				}
				from = page.Items[len(page.Items)-1].At.Add(time.Millisecond)
			}
			missing = missing[:0]
			for _, n := range f.acked {
				if has[firstTime+int64(n)] != strconv.Itoa(1+n%100) {
					missing = append(missing, n)
				}
			}
			return len(missing) == 0, fmt.Sprintf("%d of %d missing, the first %d", len(missing), len(f.acked), missing[:min(len(missing), 10)])
		})
	}
}

// logHolds reads the whole Log and looks for every acknowledged post. It returns how many there are.
func logHolds(t *testing.T, path string, devices []*forgetful) (posts int) {
	log, err := uplinksqlite.Open(t.Context(), path, uplinksqlite.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	has := make(map[string]bool)
	for after := uplink.Position(0); ; {
		batch, err := log.Read(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, r := range batch {
			after = r.Pos
			if r.Kind != uplink.Message {
				continue
			}
			m, err := device.DecodeMessage(r.Body)
			if err != nil {
				t.Fatalf("record %d: %v", r.Pos, err)
			}
			has[r.Device+" "+string(m.Payload)] = true
		}
	}
	for _, f := range devices {
		for _, n := range f.acked {
			if !has[f.id+" "+string(f.post(n))] {
				t.Errorf("device %s: acknowledged post %d is not in the Log", f.id, n)
			}
		}
		posts += len(f.acked)
	}
	return posts
}
