package scene_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
)

// A lively house is one whose devices speak: a Log that automations follow.
type lively struct {
	*house
	log uplink.Log
}

func newLively(t *testing.T) *lively {
	t.Helper()
	h := newLogged(t)
	h.work(h.scenes)
	h.follow()
	return h
}

// newLogged is one that nobody follows yet.
func newLogged(t *testing.T) *lively {
	t.Helper()
	h := &lively{house: newHouse(t)}
	log, err := uplinksqlite.Open(t.Context(), filepath.Join(t.TempDir(), "uplink.db"), uplinksqlite.Options{Logger: h.config.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	h.log = log
	return h
}

// follow lets automations follow the Log until the test ends, or stop is called.
func (h *lively) follow() (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.scenes.Follow(ctx, h.log); err != nil {
			h.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	h.t.Cleanup(stop)
	deadline := time.Now().Add(time.Minute)
	for begun := false; !begun; _, begun = h.log.Cursors()["scene.automations"] { // what was before sets nothing off
		if time.Now().After(deadline) {
			h.t.Fatal("automations do not follow")
		}
		time.Sleep(time.Millisecond)
	}
	return stop
}

// append puts a record into the Log and returns when automations have seen it.
func (h *lively) append(r uplink.Record) {
	h.t.Helper()
	done := make(chan error, 1)
	r.At = time.Now()
	if err := h.log.Append(h.t.Context(), r, func(_ uplink.Position, err error) { done <- err }); err != nil {
		h.t.Fatal(err)
	}
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for h.log.Cursors()["scene.automations"] < h.log.Tail() {
		if time.Now().After(deadline) {
			h.t.Fatal("automations do not follow")
		}
		time.Sleep(time.Millisecond)
	}
}

// says puts what a device says into the Log.
func (h *lively) says(name string, topic alink.Template, arg, params string) {
	h.t.Helper()
	m := device.Message{Product: h.product[name], Template: topic, Arg: arg, Payload: fmt.Appendf(nil, `{"id":"1","version":"1.0","params":%s}`, params)}
	body, err := m.Append(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.append(uplink.Record{Kind: uplink.Message, Device: h.device[name], Subject: topic.String(), Body: body})
}

func (h *lively) posts(name, params string) { h.says(name, alink.PropertyPost, "", params) }

func (h *lively) automation(d scene.AutomationDraft) scene.Automation {
	h.t.Helper()
	d.Enabled = true
	if d.Name == "" {
		d.Name = "自动"
	}
	a, err := h.scenes.CreateAutomation(h.t.Context(), h.who, h.id, d)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// traces tells what became of an automation, the oldest first.
func (h *lively) traces(a scene.Automation) []string {
	h.t.Helper()
	all, err := h.scenes.Traces(h.t.Context(), h.who, h.id, a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	var said []string
	for i := range all {
		t := &all[len(all)-1-i]
		text := t.Outcome + " " + t.Cause
		if t.Why != "" {
			text += " (" + t.Why + ")"
		}
		if t.Times > 1 {
			text += fmt.Sprintf(" ×%d", t.Times)
		}
		said = append(said, text)
	}
	return said
}

// settled waits until nothing runs in the home.
func (h *lively) settled() {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		n := h.rows("scene_run WHERE state = 'running'")
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d runs do not end", n)
		}
		time.Sleep(time.Millisecond)
	}
}

func (h *lively) bright(is string, value float64) scene.Trigger {
	return scene.Trigger{Kind: scene.OnProperty, Device: h.device["lamp"], Property: "brightness", Is: is, Value: value}
}

// TestWhatSetsOff: a threshold is one that was crossed, and a change one from what was known.
func TestWhatSetsOff(t *testing.T) {
	h := newLively(t)
	curtain := []scene.Action{h.set("curtain", `{"position":0}`)}
	above := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Above, 50), Actions: curtain})
	below := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Below, 20), Actions: curtain})
	equal := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Equals, 60), Actions: curtain})
	change := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Changed, 0), Actions: curtain})
	gone := h.automation(scene.AutomationDraft{Trigger: scene.Trigger{Kind: scene.OnPresence, Device: h.device["lamp"]}, Actions: curtain})
	for _, v := range []string{"40", "60", "70", "70", "10", "60"} {
		h.posts("lamp", `{"brightness":`+v+`}`)
	}
	for _, p := range []device.Presence{{Online: true, Epoch: 2}, {Epoch: 1, Replaced: true}, {Epoch: 2}} {
		h.append(uplink.Record{Kind: uplink.Presence, Device: h.device["lamp"], Body: p.Append(nil)})
	}
	for _, tt := range []struct {
		a    scene.Automation
		want string
	}{
		{above, "[ran brightness 40 → 60 ran brightness 10 → 60]"},
		{below, "[ran brightness 70 → 10]"},
		{equal, "[ran brightness 40 → 60 ran brightness 10 → 60]"},
		{change, "[ran brightness 40 → 60 ran brightness 60 → 70 ran brightness 70 → 10 ran brightness 10 → 60]"},
		{gone, "[ran offline]"},
	} {
		if got := fmt.Sprint(h.traces(tt.a)); got != tt.want {
			t.Errorf("%+v\n got %s\nwant %s", tt.a.Trigger, got, tt.want)
		}
	}
	h.settled()
	if sent := h.road.sent(h.house); len(sent) != 10 {
		t.Errorf("%d commands were sent", len(sent))
	}
	if _, err := h.scenes.EnableAutomation(t.Context(), h.who, h.id, above.ID, false); err != nil {
		t.Fatal(err)
	}
	h.posts("lamp", `{"brightness":10}`)
	h.posts("lamp", `{"brightness":90}`)
	if got := h.traces(above); len(got) != 2 {
		t.Errorf("one that is off did %v", got)
	}
}

// TestConditions: an automation runs if its condition holds, and its trace says why it did not.
func TestConditions(t *testing.T) {
	h := newLively(t)
	a := h.automation(scene.AutomationDraft{
		Trigger: h.bright(scene.Changed, 0), Devices: map[string]string{"lamp": h.device["lamp"], "curtain": h.device["curtain"]},
		Condition: `value > 50 && curtain.position < 20 && lamp.online && now.hour >= 0`,
		Actions:   []scene.Action{h.set("curtain", `{"position":100}`)},
	})
	h.posts("lamp", `{"brightness":10}`)
	h.posts("lamp", `{"brightness":60}`)
	h.reports(h.device["curtain"], `{"position":{"v":50,"t":0}}`)
	h.posts("lamp", `{"brightness":61}`)
	h.posts("lamp", `{"brightness":62}`)
	h.reports(h.device["curtain"], `{"position":{"v":0,"t":0}}`)
	h.posts("lamp", `{"brightness":63}`)
	h.online(h.device["lamp"], false)
	h.posts("lamp", `{"brightness":64}`)
	want := "[unknown brightness 10 → 60 (curtain.position) condition brightness 61 → 62 ×2 ran brightness 62 → 63 condition brightness 63 → 64]"
	if got := fmt.Sprint(h.traces(a)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	h.settled()
	if sent := fmt.Sprint(h.road.sent(h.house)); sent != `[curtain {"position":100}]` {
		t.Errorf("sent %s", sent)
	}
}

// TestConditionsAreRead with the models of the home, and what is wrong with one is said with its place.
func TestConditionsAreRead(t *testing.T) {
	h := newLively(t)
	for _, tt := range []struct{ condition, want string }{
		{`lamp.brightness > 50 && !lamp.powerstate`, ""},
		{`lamp.brightness > 50.5`, ""},
		{`lamp.brigthness > 50`, `the condition is wrong at character 1: lamp has no "brigthness"`},
		{`fan.powerstate`, "the condition is wrong at character 1: undeclared reference to 'fan'"},
		{`lamp.brightness > "bright"`, "the condition is wrong at character 17: found no matching overload for '_>_' applied to '(int, string)'"},
		{`lamp.brightness`, "/condition is lamp.brightness, want a condition that is true or false"},
		{`lamp.brightness >`, "the condition is wrong at character 18: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
		{`[1,2,3].all(x, x > 0)`, "the condition is wrong at character 12: undeclared reference to 'all'"},
		{strings.Repeat("true && ", 200) + "true", "/condition has 1604 bytes, the most is 1000"},
	} {
		_, err := h.scenes.CreateAutomation(t.Context(), h.who, h.id, scene.AutomationDraft{
			Name: "a", Trigger: h.bright(scene.Changed, 0), Devices: map[string]string{"lamp": h.device["lamp"]}, Condition: tt.condition,
		})
		if got := text(err); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.condition, got, tt.want)
		}
	}
	for _, tt := range []struct {
		draft scene.AutomationDraft
		want  string
	}{
		{scene.AutomationDraft{}, "/name is empty, want 1 to 32 characters"},
		{scene.AutomationDraft{Name: "a"}, "/trigger/kind is empty, want one of property, event, presence, time, sun"},
		{scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnTime, At: "7"}}, "/trigger/at is 7, want a time of day, such as 07:30"},
		{scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnSun, Sun: "sunset"}}, "nobody has said where the home lies, so that nobody knows when the sun rises there"},
		{scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnProperty, Device: "none"}}, "/trigger/device is none, want a device of the home"},
		{scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnProperty, Device: h.device["lamp"], Property: "taste", Is: "changed"}}, "/trigger/property is taste, want a number, enum or bool of the thing model that is reported"},
		{scene.AutomationDraft{Name: "a", Trigger: h.bright("odd", 0)}, "/trigger/is is odd, want one of changed, above, below, equals"},
		{scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnEvent, Device: h.device["lamp"], Event: "party"}}, "/trigger/event is party, want an event of the thing model"},
		{scene.AutomationDraft{Name: "a", Trigger: h.bright(scene.Changed, 0), Devices: map[string]string{"now": h.device["lamp"]}}, "/devices is now, want names of small letters, digits and _, which mean nothing else"},
		{scene.AutomationDraft{Name: "a", Trigger: h.bright(scene.Changed, 0), Devices: map[string]string{"fan": "none"}}, "/devices/fan is none, want a device of the home"},
	} {
		_, err := h.scenes.CreateAutomation(t.Context(), h.who, h.id, tt.draft)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.draft, got, tt.want)
		}
	}
	if _, err := h.scenes.CreateAutomation(t.Context(), owner("others"), h.id, scene.AutomationDraft{Name: "a"}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger made one: %v", err)
	}
}

// TestAutomationsDoNotGoRound: two that set off each other stop after three, and their traces say why.
func TestAutomationsDoNotGoRound(t *testing.T) {
	h := newLively(t)
	up := h.automation(scene.AutomationDraft{Name: "亮", Trigger: h.bright(scene.Below, 20), Actions: []scene.Action{h.set("lamp", `{"brightness":90}`)}})
	down := h.automation(scene.AutomationDraft{Name: "暗", Trigger: h.bright(scene.Above, 50), Actions: []scene.Action{h.set("lamp", `{"brightness":10}`)}})
	h.posts("lamp", `{"brightness":30}`)
	h.posts("lamp", `{"brightness":60}`) // by hand
	for range 6 {
		h.settled()
		for _, sent := range h.road.sent(h.house) { // the lamp does as it is told, and says so
			h.posts("lamp", strings.TrimPrefix(sent, "lamp "))
		}
	}
	if got := fmt.Sprint(h.traces(down), h.traces(up)); got != "[ran brightness 30 → 60 ran brightness 10 → 90] [ran brightness 60 → 10 loop brightness 90 → 10 (暗)]" {
		t.Error(got)
	}
}

// TestAutomationsDoNotRunAway: beyond ten runs a minute an automation waits, and its trace says so.
func TestAutomationsDoNotRunAway(t *testing.T) {
	h := newLively(t)
	a := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Changed, 0), Actions: []scene.Action{h.set("curtain", `{"position":0}`)}})
	for v := range scene.MaxPerMinute + 5 {
		h.posts("lamp", fmt.Sprintf(`{"brightness":%d}`, v+1))
	}
	got := h.traces(a)
	if len(got) != scene.MaxPerMinute+1 || got[scene.MaxPerMinute] != "rate brightness 14 → 15 (automation: 10 a minute) ×4" {
		t.Errorf("%d traces, the last %s", len(got), got[len(got)-1])
	}
}

// TestAutomationsByTime: at a time of day, and with the sun.
func TestAutomationsByTime(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.work(h.scenes)
		if err := h.homes.SetPlace(t.Context(), h.who, h.id, home.Place{TimeZone: "Asia/Shanghai", Located: true, Latitude: 31_230_400, Longitude: 121_473_700}); err != nil {
			t.Fatal(err)
		}
		l := &lively{house: h}
		seven := l.automation(scene.AutomationDraft{Trigger: scene.Trigger{Kind: scene.OnTime, At: "07:00"}, Actions: []scene.Action{h.set("lamp", `{"powerstate":1}`)}})
		dusk := l.automation(scene.AutomationDraft{Trigger: scene.Trigger{Kind: scene.OnSun, Sun: "sunset", OffsetMinutes: -30}, Actions: []scene.Action{h.set("curtain", `{"position":0}`)}})
		if due := dusk.DueAt.Sub(time.Date(2000, 1, 1, 8, 32, 0, 0, time.UTC)).Abs(); due > 3*time.Minute { // the sun sets at 17:02 there
			t.Errorf("half an hour before sunset is %s", dusk.DueAt)
		}
		time.Sleep(2*24*time.Hour - time.Second)
		if a, b := len(l.traces(seven)), len(l.traces(dusk)); a != 2 || b != 2 {
			t.Errorf("in two days they ran %d and %d times", a, b)
		}
		if sent := h.road.sent(h); len(sent) != 4 {
			t.Errorf("sent %v", sent)
		}
	})
}

// failures is a log that tells of each warning.
type failures chan struct{}

func (f failures) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (f failures) Handle(context.Context, slog.Record) error    { f <- struct{}{}; return nil }
func (f failures) WithAttrs([]slog.Attr) slog.Handler           { return f }
func (f failures) WithGroup(string) slog.Handler                { return f }

// TestPartsAreDealtWithOnce: when a part of what came cannot be written, those before it are, with their place, and are not dealt
// with again when it is tried again.
func TestPartsAreDealtWithOnce(t *testing.T) {
	h := newLogged(t)
	failed := make(failures, 100)
	h.config.Logger = slog.New(failed)
	h.scenes = scene.New(h.config)
	stop := h.follow()
	ring := []scene.Action{h.set("curtain", `{"position":0}`)}
	comes := h.automation(scene.AutomationDraft{Trigger: scene.Trigger{Kind: scene.OnPresence, Device: h.device["lamp"], Online: true}, Actions: ring})
	broken := h.automation(scene.AutomationDraft{Trigger: scene.Trigger{Kind: scene.OnPresence, Device: h.device["curtain"], Online: true}, Actions: ring})
	stop()
	do := func(statement string) {
		t.Helper()
		err := h.store.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), statement); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE UNIQUE INDEX torn ON scene_trace (automation) WHERE automation = '" + broken.ID + "'")
	do("INSERT INTO scene_trace (id, home, automation, at, cause, outcome, why, depth, times, run, organisation) VALUES ('0', '', '" + broken.ID + "', 0, '', '', '', 0, 0, '', '')")
	do("INSERT INTO scene_cursor (consumer, position) VALUES ('scene.automations', 0)")
	online := device.Presence{Online: true}
	for i := range 151 {
		r := uplink.Record{Kind: uplink.Presence, At: time.Now(), Device: h.device["lamp"], Body: online.Append(nil)}
		if i >= 149 {
			r.Device = h.device["curtain"]
		}
		done := make(chan error, 1)
		if err := h.log.Append(t.Context(), r, func(_ uplink.Position, err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	h.follow()
	<-failed
	if h.rows("scene_cursor WHERE position = 100") == 0 {
		t.Error("the first part has not its place")
	}
	do("DROP INDEX torn")
	for h.rows("scene_cursor WHERE position = 151") == 0 {
		if t.Context().Err() != nil {
			t.Fatal("the second part is not tried again")
		}
		time.Sleep(time.Millisecond)
	}
	for id, want := range map[string]int64{comes.ID: 149, broken.ID: 2} {
		all, err := h.scenes.Traces(t.Context(), h.who, h.id, id)
		if err != nil {
			t.Fatal(err)
		}
		var times int64
		for i := range all {
			times += all[i].Times
		}
		if times != want {
			t.Errorf("set off %d times, want %d", times, want)
		}
	}
}

// TestRunsForgetWhatADeviceSaid: with a device goes from the runs that it set off what it had said.
func TestRunsForgetWhatADeviceSaid(t *testing.T) {
	h := newLively(t)
	h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Above, 50), Actions: []scene.Action{h.set("curtain", `{"position":0}`)}})
	h.posts("lamp", `{"brightness":20}`)
	h.posts("lamp", `{"brightness":80}`)
	h.settled()
	if n := h.rows("scene_run WHERE asked = 'brightness 20 → 80'"); n != 1 {
		t.Fatalf("%d runs", n)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := h.scenes.Erase(t.Context(), tx, "device", h.device["lamp"], 100)
		return err
	})
	if n := h.rows("scene_run WHERE asked <> ''"); n != 0 || err != nil || h.rows("scene_run") != 1 {
		t.Errorf("%d runs say it: %v", n, err)
	}
}
