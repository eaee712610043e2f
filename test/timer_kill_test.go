package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"lampworks/mqtt"
)

type timerShown struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

type runShown struct {
	ID    string `json:"id"`
	Of    string `json:"of"`
	State string `json:"state"`
	Steps []struct {
		Params  map[string]int `json:"params"`
		Outcome string         `json:"outcome"`
		Reason  string         `json:"reason"`
		Command string         `json:"command"`
	} `json:"steps"`
}

// TestTimersSurviveKills ends the program with SIGKILL at random moments while timers are due, 20 times (twice with -short).
// Afterwards each has fired, once: it has one run, and of what that did there is one command or, where the device was not
// there, none.
func TestTimersSurviveKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := start(dir, "demo", "--no-open", "--spare-devices", "1")
	if err != nil {
		t.Fatal(err)
	}
	d := s.spare(t)
	id, home, token := s.device(t, d.DeviceName).ID, s.home(t), s.token
	s.call(t, "POST", "/api/v1/homes/"+home+"/devices", map[string]any{"device": id, "names": map[string]string{"zh-CN": "试灯"}}, nil)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	lamp := &forgetful{t: t, d: d, id: id, executed: make(map[string]int)}
	value := 2700
	var timers []string
	for range howOften() {
		if s, err = start(dir, "serve"); err != nil {
			t.Fatalf("the start after a kill: %v", err)
		}
		s.token = token
		ctx, gone := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { lamp.obeyAll(ctx, s.mqtt) })
		for range 4 {
			value += 10
			var timer timerShown
			s.call(t, "POST", "/api/v1/homes/"+home+"/timers", map[string]any{
				"seconds": 1, "actions": []any{map[string]any{"kind": "set", "device": id, "params": map[string]int{"colorTemperature": value}}},
			}, &timer)
			timers = append(timers, timer.ID)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(850*time.Millisecond + rand.N(250*time.Millisecond)) // the random moment
		s.kill()
		gone()
		wg.Wait()
	}
	if s, err = start(dir, "serve"); err != nil {
		t.Fatalf("the start after the last kill: %v", err)
	}
	s.token = token
	var runs []runShown
	eventually(t, "every timer has fired, and its run has ended", func() (bool, any) {
		runs = nil
		for _, timer := range timers {
			var page struct {
				Items []runShown `json:"items"`
			}
			s.call(t, "GET", "/api/v1/homes/"+home+"/runs?of="+timer, nil, &page)
			if len(page.Items) != 1 || page.Items[0].State == "running" {
				return len(page.Items) > 1, page.Items
			}
			runs = append(runs, page.Items...)
		}
		return true, nil
	})
	sent := make(map[string]int)
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Params map[string]int `json:"params"`
				Origin string         `json:"origin"`
			} `json:"items"`
			Next string `json:"next_cursor"`
		}
		s.call(t, "GET", fmt.Sprintf("/api/v1/devices/%s/commands?cursor=%s", id, cursor), nil, &page)
		for _, c := range page.Items {
			sent[fmt.Sprint(c.Params["colorTemperature"])]++
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(runs) != len(timers) {
		t.Errorf("%d timers have %d runs", len(timers), len(runs))
	}
	done := 0
	for _, r := range runs {
		st := r.Steps[0]
		want := 0
		if st.Command != "" {
			want = 1
			done++
		}
		if got := sent[fmt.Sprint(st.Params["colorTemperature"])]; got != want {
			t.Errorf("run %s (%s %s) has command %q, and %d were given", r.ID, st.Outcome, st.Reason, st.Command, got)
		}
	}
	if done == 0 {
		t.Error("no timer met its device")
	}
	t.Logf("%d timers fired, %d met the device", len(timers), done)
	if err := s.stop(); err != nil {
		t.Errorf("ending the server: %v\n%s", err, s.log.tail(40))
	}
}

// obeyAll executes what comes until ctx ends or the server is gone.
func (f *forgetful) obeyAll(ctx context.Context, addr string) {
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
	select {
	case <-client.Done():
	case <-ctx.Done():
	}
}
