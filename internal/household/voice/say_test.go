package voice_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/internal/partner/product"
	"lampworks/tsl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// road stands in for the room command, which needs a gateway and devices: it
// notes what is submitted and lets each device end its command as the test
// says. Everything else in these tests is real.
type road struct {
	store    *store.Store
	mu       sync.Mutex
	requests []command.Request
	commands map[string]command.Command
	ends     map[string]func(*command.Command) // by device; nil map entry: success
	refuse   func(reqs []command.Request) error
	ended    chan struct{} // closed when a command ends that somebody may wait for
}

func (r *road) Submit(ctx context.Context, _ access.Actor, reqs ...command.Request) ([]command.Command, error) {
	if err := r.store.Write(ctx, func(*store.Tx) error { return nil }); err != nil { // with what stands alongside
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(reqs); err != nil {
			return nil, err
		}
	}
	out := make([]command.Command, len(reqs))
	for i, q := range reqs {
		r.requests = append(r.requests, q)
		c := command.Command{ID: cmp.Or(q.ID, fmt.Sprintf("c%d", len(r.requests))), Device: q.Device, Kind: q.Kind, Params: q.Params, State: command.Accepted}
		out[i] = c
		c.State, c.EndedAt = command.Succeeded, time.Now()
		if end := r.ends[q.Device]; end != nil {
			end(&c)
		}
		if r.commands == nil {
			r.commands = make(map[string]command.Command)
		}
		r.commands[c.ID] = c
	}
	return out, nil
}

func (r *road) Wait(ctx context.Context, ids ...string) ([]command.Command, error) {
	for {
		r.mu.Lock()
		var out []command.Command
		open := false
		for _, id := range ids {
			c := r.commands[id]
			out = append(out, c)
			open = open || !c.Ended()
		}
		if r.ended == nil {
			r.ended = make(chan struct{})
		}
		ended := r.ended
		r.mu.Unlock()
		if !open {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-ended:
		}
	}
}

// Cancel ends a command that was not sent.
func (r *road) Cancel(_ context.Context, _ access.Actor, id string) (command.Command, error) {
	r.mu.Lock()
	c := r.commands[id]
	r.mu.Unlock()
	if c.State != command.Accepted {
		return c, fault.Conflict("state", "it was sent")
	}
	c.State, c.Reason, c.EndedAt = command.Cancelled, command.Withdrawn, time.Now()
	r.end(c)
	return c, nil
}

// end lets a command end.
func (r *road) end(c command.Command) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commands[c.ID] = c
	if r.ended != nil {
		close(r.ended)
		r.ended = nil
	}
}

// sent lists what was submitted, "device params", in order, and forgets it.
func (r *road) sent(h *house) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, q := range r.requests {
		all = append(all, h.called[q.Device]+" "+string(q.Params))
	}
	r.requests = nil
	return all
}

// A house is a home with real rooms, products and models, and a road of ours.
type house struct {
	store    *store.Store
	homes    *home.Service
	scenes   *scene.Service
	products *product.Service
	voice    *voice.Service
	log      uplink.Log
	road     *road
	refuse   error // of every scene that is to be started
	who      access.Actor
	id       string
	rooms    map[string]string // by English name
	device   map[string]string // by "room name"
	called   map[string]string // the other way round
}

func newHouse(t testing.TB, change ...func(*voice.Config)) *house {
	t.Helper()
	s := storetest.Open(t)
	quiet := slog.New(slog.DiscardHandler)
	keys, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := uplinksqlite.Open(t.Context(), filepath.Join(t.TempDir(), "uplink.db"), uplinksqlite.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{
		store: s, homes: home.New(s), products: product.New(s, keys, quiet), log: log, road: &road{store: s, ends: make(map[string]func(*command.Command))},
		who: owner("org"), rooms: make(map[string]string), device: make(map[string]string), called: make(map[string]string),
	}
	h.scenes = scene.New(scene.Config{Store: s, Homes: h.homes, Products: h.products, Shadows: shadow.New(s, h.products, quiet), Commands: h.road, Logger: quiet})
	working, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var work sync.WaitGroup
	work.Go(func() { _ = h.scenes.Run(working) })
	t.Cleanup(func() { stop(); work.Wait() })
	c := voice.Config{
		Homes: h.homes, Scenes: &stagehand{Scenes: h.scenes, h: h}, Products: h.products, Shadows: shadow.New(s, h.products, quiet), Commands: h.road, Facts: log, Store: s, Logger: quiet,
		Deadline: 200 * time.Millisecond,
	}
	for _, f := range change {
		f(&c)
	}
	h.voice = voice.New(c)
	h.furnish(t)
	return h
}

func (h *house) furnish(t testing.TB) {
	t.Helper()
	made, err := h.homes.Create(t.Context(), h.who, home.Names{"zh-CN": "家", "en": "Home"})
	if err != nil {
		t.Fatal(err)
	}
	h.id = made.ID
	for _, r := range []struct {
		zh, en string
		floor  home.Names
	}{
		{"客厅", "living room", home.Names{"zh-CN": "一楼", "en": "ground floor"}},
		{"主卧", "main bedroom", home.Names{"zh-CN": "二楼", "en": "upstairs"}},
		{"次卧", "guest room", home.Names{"en": "upstairs"}},
	} {
		room, err := h.homes.AddRoom(t.Context(), h.who, h.id, home.Label{Names: home.Names{"zh-CN": r.zh, "en": r.en}}, r.floor)
		if err != nil {
			t.Fatal(err)
		}
		h.rooms[r.en] = room.ID
	}
	products := make(map[string]string)
	for _, d := range []struct{ room, category, zh, en string }{
		{"living room", "colour_light", "灯", "lamp"},
		{"living room", "curtain", "窗帘", "curtain"},
		{"living room", "air_conditioner", "空调", "air conditioner"},
		{"main bedroom", "light", "台灯", "desk lamp"},
		{"guest room", "light", "台灯", "desk lamp"},
	} {
		if products[d.category] == "" {
			p, err := h.products.Create(t.Context(), h.who, product.NewProduct{Category: d.category, Names: product.Names{"en": d.category}})
			if err != nil {
				t.Fatal(err)
			}
			products[d.category] = p.ID
		}
		id := issued(t, h.store, "org", products[d.category], 1)[0]
		label := home.Label{Names: home.Names{"zh-CN": d.zh, "en": d.en}}
		if _, err := h.homes.Bind(t.Context(), h.who, h.id, h.rooms[d.room], id, label); err != nil {
			t.Fatal(err)
		}
		connected(t, h.store, true, id)
		h.device[d.room+" "+d.en], h.called[id] = id, d.room+" "+d.en
	}
}

func (h *house) say(t testing.TB, text string) voice.Answer {
	t.Helper()
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

// ended makes a command end as a device would.
func ended(state command.State, reason command.Reason, note string) func(*command.Command) {
	return func(c *command.Command) { c.State, c.Reason, c.Note = state, reason, note }
}

// unanswered leaves a command where it is.
func unanswered(state command.State) func(*command.Command) {
	return func(c *command.Command) { c.State, c.EndedAt = state, time.Time{} }
}

func TestSayCarriesOut(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		text, outcome, reply string
		sent                 []string
	}{
		{"打开客厅的灯", "act", "好的，客厅的灯开了。", []string{`living room lamp {"powerstate":1}`}},
		{"turn off the living room lamp", "act", "The living room lamp is off.", []string{`living room lamp {"powerstate":0}`}},
		{"把客厅的灯调到百分之五十", "act", "好的，客厅的灯亮度调到50%。", []string{`living room lamp {"brightness":50}`}},
		{"把客厅的灯调成绿色亮度百分之四十", "act", "好的，客厅的灯调成绿色了，亮度调到40%。", []string{`living room lamp {"color":65280,"brightness":40}`}},
		{"客厅空调调到26度", "act", "好的，客厅的空调温度调到26℃。", []string{`living room air conditioner {"targetTemperature":26}`}},
		{"客厅空调换成制冷模式", "act", "好的，客厅的空调换到制冷模式了。", []string{`living room air conditioner {"mode":1}`}},
		{"打开窗帘", "act", "好的，客厅的窗帘打开了。", []string{`living room curtain {"position":100}`}},
		{"关掉主卧和次卧的台灯", "act", "好的，主卧的台灯和次卧的台灯关了。", []string{`main bedroom desk lamp {"powerstate":0}`, `guest room desk lamp {"powerstate":0}`}},
		{"关掉二楼的台灯", "act", "好的，主卧的台灯和次卧的台灯关了。", []string{`main bedroom desk lamp {"powerstate":0}`, `guest room desk lamp {"powerstate":0}`}},
		{"turn on the lights upstairs", "act", "The main bedroom desk lamp and the guest room desk lamp are on.", []string{`main bedroom desk lamp {"powerstate":1}`, `guest room desk lamp {"powerstate":1}`}},
		{"客厅空调调到六十度", "reject", "客厅的空调温度只能从16℃到30℃。", nil},
		{"打开台灯", "clarify", "主卧还是次卧的台灯？", nil},
		{"不要开客厅的灯", "chat", "好的，什么都没有动。", nil},
		{"今天天气怎么样", "chat", "没有听懂。您可以说“打开客厅的灯”。", nil},
		{"打开客厅的灯，十分钟后关客厅的窗帘", "act", "好的，客厅的灯开了，10分钟后关闭客厅的窗帘。", []string{`living room lamp {"powerstate":1}`}},
	} {
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: tt.text, Speaker: tt.text})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if a.Outcome != tt.outcome || a.Reply != tt.reply {
			t.Errorf("%s\n got %s %s\nwant %s %s", tt.text, a.Outcome, a.Reply, tt.outcome, tt.reply)
		}
		if diff := gocmp.Diff(tt.sent, h.road.sent(h)); diff != "" {
			t.Errorf("%s: want → sent:\n%s", tt.text, diff)
		}
	}
}

func TestAnswerTellsTheWholeRoad(t *testing.T) {
	h := newHouse(t)
	a := h.say(t, "打开客厅的灯")
	var names []string
	for i, s := range a.Stages {
		names = append(names, s.Name)
		if s.LengthUS < 0 || s.StartUS+s.LengthUS > a.TotalUS || (i > 0 && s.StartUS < a.Stages[i-1].StartUS+a.Stages[i-1].LengthUS) {
			t.Errorf("stage %+v does not follow %+v within %d µs", s, a.Stages[max(i-1, 0)], a.TotalUS)
		}
	}
	if diff := gocmp.Diff([]string{"understand", "resolve", "send", "confirm", "answer"}, names); diff != "" {
		t.Errorf("stages: want → got:\n%s", diff)
	}
	lamp := h.device["living room lamp"]
	want := []voice.Act{{
		Op: "set", Prop: "powerstate", Meaning: "power", Value: true,
		Targets: []voice.Target{{Device: lamp, Room: h.rooms["living room"], Name: "灯", Outcome: "done", Command: "c1"}},
	}}
	if diff := gocmp.Diff(want, a.Actions); diff != "" {
		t.Errorf("actions: want → got:\n%s", diff)
	}
	h.road.mu.Lock()
	req := h.road.requests[0]
	h.road.mu.Unlock()
	if req.Origin != "voice" || req.Ref != a.ID || req.Deadline != 10*time.Second || req.Kind != command.PropertySet {
		t.Errorf("request %+v", req)
	}
}

// What a device does with its command is what is said, and nothing better.
func TestDevicesThatDoNotConfirm(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["living room lamp"]
	reports(t, h.store, lamp, `{"brightness":{"v":30,"t":0}}`)
	for _, tt := range []struct {
		end                    func(*command.Command)
		outcome, reason, reply string
	}{
		{unanswered(command.Sent), "failed", "silent", "客厅的灯没有回应，不确定执行了没有。"},
		{unanswered(command.Acknowledged), "failed", "silent", "客厅的灯没有回应，不确定执行了没有。"},
		{unanswered(command.Accepted), "failed", "waiting", "客厅的灯还没有收到指令，晚些再看看。"},
		{ended(command.Failed, command.Unconfirmed, ""), "failed", "unconfirmed", "客厅的灯没有回应，不确定执行了没有。"},
		{ended(command.Failed, command.Refused, "child lock"), "failed", "refused", "客厅的灯拒绝执行，说“child lock”。"},
		{ended(command.Failed, command.Wrong, ""), "failed", "wrong", "客厅的灯回报的亮度是30%，和要求的不一样。"},
		{ended(command.Expired, command.Offline, ""), "failed", "offline", "客厅的灯不在线，没有执行。"},
		{ended(command.Cancelled, command.Replaced, ""), "failed", "replaced", "客厅的灯又收到了新的指令，这一次没有执行。"},
	} {
		h.road.ends[lamp] = tt.end
		began := time.Now()
		a := h.say(t, "把客厅的灯调到百分之五十")
		if a.Outcome != tt.outcome || a.Reason != tt.reason || a.Actions[0].Targets[0].Reason != tt.reason || a.Reply != tt.reply {
			t.Errorf("\n got %s %s %s\nwant %s %s %s", a.Outcome, a.Reason, a.Reply, tt.outcome, tt.reason, tt.reply)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: answered after %v, the deadline is 200 ms", tt.reason, took)
		}
	}
}

func TestOfflineDevicesGetNothing(t *testing.T) {
	h := newHouse(t)
	connected(t, h.store, false, h.device["main bedroom desk lamp"])
	a := h.say(t, "关掉主卧和次卧的台灯")
	if a.Outcome != "failed" || a.Reason != "offline" || a.Reply != "次卧的台灯关了；主卧的台灯不在线，没有执行。" {
		t.Errorf("got %s %s %s", a.Outcome, a.Reason, a.Reply)
	}
	if diff := gocmp.Diff([]string{`guest room desk lamp {"powerstate":0}`}, h.road.sent(h)); diff != "" {
		t.Errorf("want → sent:\n%s", diff)
	}
}

func TestAlreadySo(t *testing.T) {
	h := newHouse(t)
	reports(t, h.store, h.device["living room lamp"], `{"powerstate":{"v":1,"t":0}}`)
	a := h.say(t, "打开客厅的灯")
	if a.Outcome != "act" || a.Actions[0].Targets[0].Outcome != "already" || a.Reply != "好的，客厅的灯本来就开着。" {
		t.Errorf("got %+v", a)
	}
	if len(h.road.sent(h)) != 1 {
		t.Error("nothing was sent: what a shadow says may be old")
	}
}

// A relative change needs a value to start from.
func TestRelativeChanges(t *testing.T) {
	h := newHouse(t)
	a := h.say(t, "把客厅的灯调亮百分之十")
	if a.Outcome != "clarify" || a.Reason != "unknown_state" || a.Reply != "还不知道客厅的灯亮度现在是多少，请直接说要调到多少。" || len(h.road.sent(h)) > 0 {
		t.Errorf("value unknown: got %s %s %s", a.Outcome, a.Reason, a.Reply)
	}
	reports(t, h.store, h.device["living room lamp"], `{"brightness":{"v":30,"t":0}}`)
	a = h.say(t, "把客厅的灯调亮百分之十")
	if diff := gocmp.Diff([]string{`living room lamp {"brightness":40}`}, h.road.sent(h)); diff != "" || a.Reply != "好的，客厅的灯亮度调到40%。" {
		t.Errorf("%s\n%s", a.Reply, diff)
	}
	reports(t, h.store, h.device["living room lamp"], `{"brightness":{"v":100,"t":0}}`)
	a = h.say(t, "把客厅的灯调亮百分之十")
	if a.Outcome != "reject" || a.Reason != "out_of_range" || a.Reply != "客厅的灯亮度只能从1%到100%。" || len(h.road.sent(h)) > 0 {
		t.Errorf("at the limit: got %s %s %s", a.Outcome, a.Reason, a.Reply)
	}
}

func TestQueries(t *testing.T) {
	h := newHouse(t)
	reports(t, h.store, h.device["living room air conditioner"], `{"temperature":{"v":25.5,"t":0},"mode":{"v":1,"t":0}}`)
	reports(t, h.store, h.device["living room lamp"], `{"powerstate":{"v":1,"t":0}}`)
	a := h.say(t, "客厅的灯开着吗")
	if a.Outcome != "act" || a.Reply != "客厅的灯开着。" || a.Actions[0].Targets[0].Outcome != "answered" || a.Actions[0].Targets[0].Value != true {
		t.Errorf("got %+v", a)
	}
	if a := h.say(t, "客厅空调是什么模式"); a.Reply != "客厅的空调模式是制冷。" || a.Actions[0].Targets[0].Value != "制冷" {
		t.Errorf("got %+v", a)
	}
	connected(t, h.store, false, h.device["living room lamp"])
	if a := h.say(t, "客厅的灯开着吗"); a.Reply != "客厅的灯不在线，上次开关是开着。" || a.Outcome != "act" {
		t.Errorf("offline: got %+v", a)
	}
	if a := h.say(t, "主卧台灯开着吗"); a.Reply != "还不知道主卧的台灯开关。" || a.Outcome != "act" || a.Reason != "unknown_state" {
		t.Errorf("unknown: got %+v", a)
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("a question switched %v", sent)
	}
}

// A question is answered by the next sentence of the same speaker, and of nobody else.
func TestConversation(t *testing.T) {
	h := newHouse(t)
	say := func(speaker, text string) voice.Answer {
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: text, Speaker: speaker})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := say("kitchen", "打开台灯")
	var candidates []string
	for _, c := range a.Candidates {
		candidates = append(candidates, h.called[c.Device])
	}
	if diff := gocmp.Diff([]string{"main bedroom desk lamp", "guest room desk lamp"}, candidates); diff != "" || a.Outcome != "clarify" {
		t.Errorf("%s, candidates:\n%s", a.Outcome, diff)
	}
	if a := say("hall", "次卧的"); a.Outcome == "act" {
		t.Errorf("another speaker's answer was taken: %s", a.Reply)
	}
	if len(h.road.sent(h)) > 0 {
		t.Error("a question switched something")
	}
	a = say("kitchen", "次卧的")
	if diff := gocmp.Diff([]string{`guest room desk lamp {"powerstate":1}`}, h.road.sent(h)); diff != "" || a.Reply != "好的，次卧的台灯开了。" {
		t.Errorf("%s\n%s", a.Reply, diff)
	}
	say("kitchen", "关掉它")
	if diff := gocmp.Diff([]string{`guest room desk lamp {"powerstate":0}`}, h.road.sent(h)); diff != "" {
		t.Errorf("want → sent:\n%s", diff)
	}
}

func TestRoomOfTheSpeaker(t *testing.T) {
	h := newHouse(t)
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Room: h.rooms["guest room"], Text: "打开台灯"})
	if err != nil || a.Outcome != "act" {
		t.Fatalf("got %+v, %v", a, err)
	}
	if diff := gocmp.Diff([]string{`guest room desk lamp {"powerstate":1}`}, h.road.sent(h)); diff != "" {
		t.Errorf("want → sent:\n%s", diff)
	}
}

// One device whose queue is full does not keep the others from their command.
func TestOneRefusedCommand(t *testing.T) {
	h := newHouse(t)
	full := h.device["main bedroom desk lamp"]
	for _, tt := range []struct {
		err           error
		reason, reply string
	}{
		{&fault.Fault{Code: fault.OverLimit, What: "100 commands wait for the device already"}, "busy", "次卧的台灯关了；主卧的台灯还有太多指令在排队，没有执行。"},
		{fmt.Errorf("checking: %w", &fault.Fault{Code: fault.Suspended, What: "control is refused"}), "suspended", "次卧的台灯关了；主卧的台灯已被平台暂停服务，没有执行。"},
		{fmt.Errorf("checking: %w", &tsl.Violation{Where: "/params/powerstate"}), "invalid", "次卧的台灯关了；主卧的台灯不接受这个值，没有执行。"},
		{fault.NotFound("device", full), "invalid", "次卧的台灯关了；主卧的台灯不接受这个值，没有执行。"},
	} {
		h.road.refuse = func(reqs []command.Request) error {
			if slices.ContainsFunc(reqs, func(r command.Request) bool { return r.Device == full }) {
				return tt.err
			}
			return nil
		}
		a := h.say(t, "关掉主卧和次卧的台灯")
		if a.Outcome != "failed" || a.Reason != tt.reason || a.Reply != tt.reply {
			t.Errorf("got %s %s %s", a.Outcome, a.Reason, a.Reply)
		}
		if diff := gocmp.Diff([]string{`guest room desk lamp {"powerstate":0}`}, h.road.sent(h)); diff != "" {
			t.Errorf("want → sent:\n%s", diff)
		}
	}
	h.road.refuse = func([]command.Request) error { return errors.New("disk full") }
	if _, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "关掉主卧和次卧的台灯"}); err == nil || !strings.HasSuffix(err.Error(), ": disk full") {
		t.Errorf("a fault of our own: %v", err)
	}
}

// A changed home or model is understood by the next sentence.
func TestHomesAreCompiledAnew(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["living room lamp"]
	if a := h.say(t, "打开客厅的小太阳"); a.Outcome == "act" {
		t.Errorf("understood %s", a.Reply)
	}
	if err := h.homes.SetDevice(t.Context(), h.who, h.id, lamp, h.rooms["living room"], home.Label{Names: home.Names{"zh-CN": "小太阳"}}); err != nil {
		t.Fatal(err)
	}
	a := h.say(t, "打开客厅的小太阳")
	if diff := gocmp.Diff([]string{`living room lamp {"powerstate":1}`}, h.road.sent(h)); diff != "" || a.Reply != "好的，客厅的小太阳开了。" {
		t.Errorf("%s\n%s", a.Reply, diff)
	}
	if !strings.Contains(a.Stages[0].Detail, "先编译了这个家") || strings.Contains(h.say(t, "打开客厅的小太阳").Stages[0].Detail, "先编译了") {
		t.Error("a home is compiled when it changed, and only then")
	}
	loaded, err := h.homes.Load(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(loaded.Devices, func(d home.Device) bool { return d.ID == lamp })
	lampProduct := loaded.Devices[at].Product
	draft, err := h.products.Draft(t.Context(), h.who, lampProduct)
	if err != nil {
		t.Fatal(err)
	}
	document := strings.Replace(string(draft.Document), `"max": "100"`, `"max": "90"`, 1)
	if document == string(draft.Document) {
		document = strings.Replace(string(draft.Document), `"max":"100"`, `"max":"90"`, 1)
	}
	if _, err := h.products.SaveDraft(t.Context(), h.who, lampProduct, product.NewDraft{Document: []byte(document), Revision: draft.Revision}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.products.Publish(t.Context(), h.who, lampProduct, product.Publication{Note: "dimmer"}); err != nil {
		t.Fatal(err)
	}
	if a := h.say(t, "把小太阳调到百分之九十五"); a.Outcome != "reject" || a.Reply != "客厅的小太阳亮度只能从1%到90%。" {
		t.Errorf("got %s %s", a.Outcome, a.Reply)
	}
}

func TestWhoMaySpeakToWhat(t *testing.T) {
	h := newHouse(t)
	looker, stranger := h.who, owner("other")
	looker.Roles = []access.Role{access.Query}
	for _, tt := range []struct {
		who  access.Actor
		in   voice.Sentence
		want string
	}{
		{looker, voice.Sentence{Home: h.id, Text: "打开客厅的灯"}, "voice.speak is not allowed: it needs role owner or engineer"},
		{stranger, voice.Sentence{Home: h.id, Text: "打开客厅的灯"}, fmt.Sprintf("there is no home %q", h.id)},
		{h.who, voice.Sentence{Text: "打开客厅的灯"}, "/home is empty, want the id of a home"},
		{h.who, voice.Sentence{Home: h.id, Room: "nowhere", Text: "打开灯"}, `there is no room "nowhere"`},
		{h.who, voice.Sentence{Home: h.id, Text: strings.Repeat("x", 2049)}, "/text has 2049 bytes, the most is 2048"},
		{h.who, voice.Sentence{Home: h.id, Text: "\xff"}, "/text is \uFFFD, want UTF-8"},
		{h.who, voice.Sentence{Home: h.id, Text: "x", Lang: "fr"}, `/lang is fr, want "zh-CN", "en" or nothing`},
		{h.who, voice.Sentence{Home: h.id, Text: "x", Speaker: strings.Repeat("x", 65)}, "/speaker has 65 bytes, the most is 64"},
	} {
		_, err := h.voice.Say(t.Context(), tt.who, tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("\n got %v\nwant %s", err, tt.want)
		}
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}

// Odd sentences get an answer, switch nothing and break nothing.
func TestOddSentences(t *testing.T) {
	h := newHouse(t)
	for _, text := range []string{
		"", " ", "\x00", "\u202e灯", "{names}", "打", "把", "的的的的", strings.Repeat("的", 600), strings.Repeat("打开", 300), "灯;DROP TABLE home;--",
		"<script>", "。。。", "99999999999999999999", "把客厅的", "🪔🪔🪔",
	} {
		a := h.say(t, text)
		if a.Reply == "" || a.Outcome == "act" {
			t.Errorf("%.40q: %s %q", text, a.Outcome, a.Reply)
		}
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}

// Nobody waits for the devices of a caller who has gone.
func TestCallerGoes(t *testing.T) {
	h := newHouse(t, func(c *voice.Config) { c.Deadline = time.Minute })
	h.road.ends[h.device["living room lamp"]] = unanswered(command.Sent)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.voice.Say(ctx, h.who, voice.Sentence{Home: h.id, Text: "打开客厅的灯"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// facts reads what was noted of sentences.
func facts(t *testing.T, h *house, n int) []voice.Fact {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for h.log.Tail() < uplink.Position(n) {
		if err := h.log.Wait(ctx, h.log.Tail()); err != nil {
			t.Fatal(err)
		}
	}
	records, err := h.log.Read(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []voice.Fact
	for _, r := range records {
		var f voice.Fact
		if err := json.Unmarshal(r.Body, &f); err != nil || r.Kind != uplink.Fact || r.Subject != voice.FactSubject {
			t.Fatalf("record %+v: %v", r, err)
		}
		all = append(all, f)
	}
	return all
}

// The record of a sentence counts, and does not repeat what was said.
func TestSentencesAreNotedWithoutTheirWords(t *testing.T) {
	h := newHouse(t)
	connected(t, h.store, false, h.device["main bedroom desk lamp"])
	a := h.say(t, "关掉主卧和次卧的台灯")
	h.say(t, "今天天气怎么样")
	all := facts(t, h, 2)
	want := voice.Fact{
		ID: a.ID, Organisation: "org", Lang: "zh-CN", Outcome: "failed", Reason: "offline", Intents: []string{"set"}, Failed: 1, TotalUS: a.TotalUS, StageUS: all[0].StageUS,
	}
	if diff := gocmp.Diff(want, all[0]); diff != "" || len(all[0].StageUS) != 5 {
		t.Errorf("want → got:\n%s", diff)
	}
	if all[1].Outcome != "chat" || all[1].Intents != nil {
		t.Errorf("got %+v", all[1])
	}
}

// Many sentences at once, on a home that changes meanwhile.
func TestSentencesAtOnce(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["living room lamp"]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "打开客厅的灯", Speaker: fmt.Sprint(i)})
				if err != nil || a.Outcome != "act" {
					t.Errorf("%v %+v", err, a)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 5 {
			label := home.Label{Names: home.Names{"zh-CN": "灯"}, Aliases: home.Aliases{"zh-CN": {fmt.Sprint("灯", i)}}}
			if err := h.homes.SetDevice(t.Context(), h.who, h.id, lamp, h.rooms["living room"], label); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

func BenchmarkSay(b *testing.B) {
	h := newHouse(b)
	h.say(b, "打开客厅的灯")
	b.ReportAllocs()
	for b.Loop() {
		h.say(b, "打开客厅的灯")
	}
}

// TestSayCallsServices: what a model calls its services is called, after what was said before it.
func TestSayCallsServices(t *testing.T) {
	h := newHouse(t)
	a := h.say(t, "窗帘停")
	if a.Outcome != voice.Acted || a.Reply != "好的，客厅的窗帘收到了“停止”。" {
		t.Errorf("%s: %s", a.Outcome, a.Reply)
	}
	if got := a.Actions[0]; got.Op != "call" || got.Service != "stop" || got.Targets[0].Outcome != voice.Done {
		t.Errorf("the act is %+v", got)
	}
	h.say(t, "窗帘打开到30%，然后窗帘停，然后窗帘关上")
	var kinds []string
	for _, q := range h.road.requests[1:] {
		kinds = append(kinds, string(q.Kind)+" "+q.Service+" "+string(q.Params))
	}
	want := []string{`property_set  {"position":30}`, `service stop {}`, `property_set  {"position":0}`}
	if diff := gocmp.Diff(want, kinds); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	h.road.ends[h.device["living room curtain"]] = ended(command.Failed, command.Refused, "jammed")
	if a := h.say(t, "stop the curtain"); a.Outcome != voice.Failed || !strings.Contains(a.Reply, "jammed") {
		t.Errorf("%s: %s", a.Outcome, a.Reply)
	}
}
