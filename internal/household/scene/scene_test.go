package scene_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// TestNamesMeanOneThing: what starts a scene is nobody else's name and no command.
func TestNamesMeanOneThing(t *testing.T) {
	h := newHouse(t)
	first := h.scene("观影")
	for _, tt := range []struct {
		draft scene.Draft
		want  string
	}{
		{scene.Draft{Label: zh("客厅")}, `the name "客厅" is taken in this home by the room "客厅"`},
		{scene.Draft{Label: home.Label{Names: home.Names{"en": "LAMP"}}}, `the name "LAMP" is taken in this home by the device "灯"`},
		{scene.Draft{Label: zh("观 影")}, `the name "观 影" is taken in this home by the scene "观影"`},
		{scene.Draft{Label: zh("约会"), Phrases: home.Aliases{"zh-CN": {"观影"}}}, `the name "观影" is taken in this home by the scene "观影"`},
		{scene.Draft{Label: zh("关灯")}, `"关灯" is a command already, and would start a scene from now on`},
		{scene.Draft{Label: zh("约会"), Phrases: home.Aliases{"zh-CN": {"打开窗帘"}}}, `"打开窗帘" is a command already, and would start a scene from now on`},
		{scene.Draft{Label: home.Label{Names: home.Names{"en": "turn off the lamp"}}}, `"turn off the lamp" is a command already, and would start a scene from now on`},
		{scene.Draft{Label: zh("约会"), Phrases: home.Aliases{"zh-CN": {"…"}}}, `/phrases/zh-CN/0 is …, want 1 to 32 characters with a letter or digit, and no control characters`},
		{scene.Draft{Label: zh("约会"), Phrases: home.Aliases{"zh-CN": strings.Split("a,b,c,d,e,f,g,h,i", ",")}}, `/phrases/zh-CN is 9, the limit is 8 phrases a language`},
		{scene.Draft{Label: zh("打开电视")}, `"打开电视" is a command already, and would start a scene from now on`}, // there is none yet
		{scene.Draft{Label: zh("关灯"), Anyway: true}, ""},
		{scene.Draft{Label: zh("晚安"), Phrases: home.Aliases{"zh-CN": {"看电影了", "出门"}, "en": {"good night", "I'm home"}}}, ""},
	} {
		_, err := h.scenes.Create(t.Context(), h.who, h.id, tt.draft)
		if got := text(err); got != tt.want {
			t.Errorf("%v\n got %q\nwant %q", tt.draft.Names, got, tt.want)
		}
	}
	if _, err := h.scenes.Change(t.Context(), h.who, h.id, first.ID, scene.Draft{Label: zh("观影")}); err != nil {
		t.Errorf("its own name is no clash: %v", err)
	}
	if _, err := h.scenes.Create(t.Context(), owner("others"), h.id, scene.Draft{Label: zh("电影")}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger made a scene: %v", err)
	}
	for i := h.rows("scene"); i < scene.MaxScenes; i++ {
		if _, err := h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{Label: zh(fmt.Sprintf("约会%c", '甲'+rune(i))), Anyway: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.create("多一个"); text(err) != "scenes is 100, the limit is 100 scenes a home" {
		t.Errorf("one too many: %v", err)
	}
}

func zh(name string) home.Label { return home.Label{Names: home.Names{"zh-CN": name}} }

// TestActionsFitTheModels: what cannot be sent is not kept.
func TestActionsFitTheModels(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["lamp"]
	for i, tt := range []struct {
		action scene.Action
		want   string
	}{
		{h.set("lamp", `{"powerstate":1,"brightness":50}`), ""},
		{h.set("lamp", `{"brightness":101}`), "/actions/0/params/brightness is 101, want an integer from 1 to 100 %"},
		{h.set("lamp", `{}`), "/actions/0/params is empty, want at least one property to set"},
		{h.set("nobody", `{"powerstate":1}`), "/actions/0/device is empty, want a device of the home"},
		{scene.Action{Kind: scene.Set, Device: lamp, Params: json.RawMessage(`{"brightness":` + strings.Repeat(" ", 2048) + `1}`)}, "/actions/0/params has 2064 bytes, the most is 2048"},
		{scene.Action{Kind: scene.Adjust, Device: lamp, Property: "brightness", By: -10}, ""},
		{scene.Action{Kind: scene.Adjust, Device: lamp, Property: "powerstate", By: 1}, "/actions/0/property is powerstate, want a number of the thing model that can be set"},
		{scene.Action{Kind: scene.Adjust, Device: lamp, Property: "brightness"}, "/actions/0/by is 0, want how much is added"},
		{scene.Action{Kind: scene.Call, Device: lamp, Service: "identify"}, ""},
		{scene.Action{Kind: scene.Wait, Seconds: 300}, ""},
		{scene.Action{Kind: scene.Wait, Seconds: 301}, "/actions/0/seconds is 301, want an integer from 1 to 300"},
		{scene.Action{Kind: scene.Start}, "/actions/0/scene is empty, want the id of a scene of the home"},
		{scene.Action{Kind: scene.Start, Scene: "nothing"}, `there is no scene "nothing"`},
		{scene.Action{Kind: "sing"}, "/actions/0/kind is sing, want one of set, adjust, call, wait, scene, announce"},
	} {
		if _, err := h.create(fmt.Sprintf("约会%c", '甲'+rune(i)), tt.action); text(err) != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.action, text(err), tt.want)
		}
	}
	if _, err := h.create("太多", make([]scene.Action, 51)...); text(err) != "/actions is 51, the limit is 50 actions" {
		t.Error(err)
	}
	long := scene.Action{Kind: scene.Wait, Seconds: 300}
	if _, err := h.create("太久", long, long, long, long); text(err) != "/actions is 20m0s, the limit is 15m0s of waiting" {
		t.Error(err)
	}
}

// TestScenesRunScenes, in no circle and not without end.
func TestScenesRunScenes(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	inner := h.scene("里面", h.set("lamp", `{"powerstate":1}`))
	outer := h.scene("外面", scene.Action{Kind: scene.Start, Scene: inner.ID}, h.set("curtain", `{"position":0}`))
	if r := h.run(outer); r.State != scene.Done {
		t.Errorf("the run is %s: %v", r.State, outcomes(r))
	}
	if diff := gocmp.Diff([]string{`lamp {"powerstate":1}`, `curtain {"position":0}`}, h.road.sent(h)); diff != "" {
		t.Errorf("want → sent:\n%s", diff)
	}
	change := func(id, name string, actions ...scene.Action) string {
		_, err := h.scenes.Change(t.Context(), h.who, h.id, id, scene.Draft{Label: zh(name), Actions: actions})
		return text(err)
	}
	if got := change(inner.ID, "里面", scene.Action{Kind: scene.Start, Scene: outer.ID}); got != `the scene "里面" would run itself` {
		t.Error(got)
	}
	if got := change(inner.ID, "里面", scene.Action{Kind: scene.Start, Scene: inner.ID}); got != `the scene "里面" would run itself` {
		t.Error(got)
	}
	last := outer
	for i := range scene.MaxDepth {
		sc, err := h.create(fmt.Sprintf("约会%c", '甲'+rune(i)), scene.Action{Kind: scene.Start, Scene: last.ID})
		if i < scene.MaxDepth-1 && err != nil || i == scene.MaxDepth-1 && text(err) != "depth is 5, the limit is 4 scenes that run scenes" {
			t.Errorf("at depth %d: %v", i, err)
		}
		last = sc
	}
	var many []scene.Action
	for range scene.MaxActions {
		many = append(many, h.set("lamp", `{"powerstate":1}`))
	}
	big := h.scene("聚会", many...)
	five := make([]scene.Action, 5)
	for i := range five {
		five[i] = scene.Action{Kind: scene.Start, Scene: big.ID}
	}
	if _, err := h.create("太多", five...); text(err) != "steps is more, the limit is 200 steps with those of the scenes that it runs" {
		t.Error(err)
	}
	if err := h.scenes.Remove(t.Context(), h.who, h.id, inner.ID); err != nil {
		t.Fatal(err)
	}
	if r := h.run(outer); r.State != scene.Partly || fmt.Sprint(outcomes(r)) != "[skipped no_scene done]" {
		t.Errorf("the run is %s: %v", r.State, outcomes(r))
	}
	if sc, err := h.scenes.Load(t.Context(), h.who, h.id, outer.ID); err != nil || fmt.Sprint(sc.Broken) != "[{0 no_scene}]" {
		t.Errorf("it is not shown as broken: %v, %v", sc.Broken, err)
	}
}

// TestRunsTellOfEachDevice: done is what is confirmed, and the rest is named with its reason.
func TestRunsTellOfEachDevice(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	sc := h.scene("聚会", h.set("lamp", `{"powerstate":1}`), h.set("curtain", `{"position":0}`), h.set("air conditioner", `{"powerstate":0}`))
	for _, tt := range []struct {
		name string
		do   func()
		want string
	}{
		{"all", func() {}, "done [done done done]"},
		{"one refuses", func() { h.road.ends[h.device["lamp"]] = ended(command.Failed, command.Refused, "") }, "partly [failed refused done done]"},
		{"one is silent", func() { h.road.ends[h.device["lamp"]] = ended(command.Expired, "", "") }, "partly [failed unconfirmed done done]"},
		{"one is offline", func() { delete(h.road.ends, h.device["lamp"]); h.online(h.device["curtain"], false) }, "partly [done failed offline done]"},
		{"one is refused a command", func() {
			h.road.refuse = func(reqs []command.Request) error {
				for _, q := range reqs {
					if q.Device == h.device["air conditioner"] {
						return fault.Limit("commands", "100", "100", 0)
					}
				}
				return nil
			}
		}, "partly [done failed offline failed busy]"},
		{"one is gone", func() {
			h.road.refuse = nil
			if err := h.homes.Unbind(t.Context(), h.who, h.id, h.device["air conditioner"]); err != nil {
				t.Fatal(err)
			}
		}, "partly [done failed offline skipped gone]"},
		{"nothing", func() { h.online(h.device["lamp"], false) }, "failed [failed offline failed offline skipped gone]"},
	} {
		tt.do()
		if r := h.run(sc); string(r.State)+" "+fmt.Sprint(outcomes(r)) != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.name, r.State, outcomes(r), tt.want)
		}
	}
	page, err := h.scenes.Runs(t.Context(), h.who, h.id, listing.Ask{Filters: map[string]string{scene.ByRef: sc.ID, scene.ByState: "done"}, Total: true})
	if err != nil || len(page.Items) != 1 || page.Items[0].State != scene.Done {
		t.Errorf("%d runs are done: %v", len(page.Items), err)
	}
	if _, err := h.scenes.Runs(t.Context(), owner("others"), h.id, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger sees runs: %v", err)
	}
}

// TestAdjust: a change is made to what the device reports when it is carried out, within its limits.
func TestAdjust(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	sc := h.scene("约会", scene.Action{Kind: scene.Adjust, Device: h.device["lamp"], Property: "brightness", By: -30})
	for _, tt := range []struct{ reported, want, sent string }{
		{`{}`, "failed [failed unknown_state]", "[]"},
		{`{"brightness":{"v":80,"t":0}}`, "done [done]", `[lamp {"brightness":50}]`},
		{`{"brightness":{"v":20,"t":0}}`, "done [done]", `[lamp {"brightness":1}]`},
	} {
		h.reports(h.device["lamp"], tt.reported)
		if r := h.run(sc); string(r.State)+" "+fmt.Sprint(outcomes(r)) != tt.want {
			t.Errorf("%s: %s %v", tt.reported, r.State, outcomes(r))
		}
		if got := fmt.Sprint(h.road.sent(h)); got != tt.sent {
			t.Errorf("%s: sent %s, want %s", tt.reported, got, tt.sent)
		}
	}
}

// TestTwoNodesCarryOutOnce: whoever is first, each step is sent once.
func TestTwoNodesCarryOutOnce(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	for range 2 {
		c := h.config
		c.Every = time.Millisecond // nobody wakes them
		h.work(scene.New(c))
	}
	sc := h.scene("聚会", h.set("lamp", `{"powerstate":1}`), h.set("curtain", `{"position":0}`))
	const rounds = 30
	for range rounds {
		if r := h.run(sc); r.State != scene.Done {
			t.Fatalf("the run is %s %v", r.State, outcomes(r))
		}
	}
	if sent := h.road.sent(h); len(sent) != 2*rounds {
		t.Errorf("%d commands were sent for %d steps", len(sent), 2*rounds)
	}
}

// TestOldRunsAreForgotten: a home keeps its newest.
func TestOldRunsAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	sc := h.scene("空")
	var last scene.Run
	for range scene.MaxRuns + 5 {
		last = h.run(sc)
	}
	if n := h.rows("scene_run"); n != scene.MaxRuns {
		t.Errorf("%d runs are kept", n)
	}
	if _, err := h.scenes.LoadRun(t.Context(), h.who, h.id, last.ID); err != nil {
		t.Errorf("the newest is gone: %v", err)
	}
}

// TestErased: nothing names a device, a home or an organisation that was deleted.
func TestErased(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	sc := h.scene("聚会", h.set("lamp", `{"powerstate":1}`), h.set("curtain", `{"position":0}`))
	h.run(sc)
	erase := func(kind, id string) {
		t.Helper()
		for more := true; more; {
			err := h.store.Write(t.Context(), func(tx *store.Tx) (err error) {
				more, err = h.scenes.Erase(t.Context(), tx, kind, id, 1)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := h.store.Read(t.Context(), func(v *store.View) error {
			if n, err := h.scenes.Holds(t.Context(), v, kind, id); err != nil || n != 0 {
				t.Errorf("%d of %s are left: %v", n, kind, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	erase("device", h.device["lamp"])
	got, err := h.scenes.Load(t.Context(), h.who, h.id, sc.ID)
	if err != nil || len(got.Actions) != 1 || got.Actions[0].Device != h.device["curtain"] || h.rows("scene_run") != 0 {
		t.Errorf("%+v and %d runs are left: %v", got.Actions, h.rows("scene_run"), err)
	}
	h.run(sc)
	if err := h.homes.Remove(t.Context(), h.who, h.id); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"scene", "scene_run", "scene_device"} {
		if n := h.rows(table); n != 0 {
			t.Errorf("%d rows are left of a removed home in %s", n, table)
		}
	}
	made, err := h.homes.Create(t.Context(), h.who, home.Names{"zh-CN": "新家"})
	if err != nil {
		t.Fatal(err)
	}
	h.id = made.ID
	h.scene("空的", scene.Action{Kind: scene.Wait, Seconds: 1})
	erase("organisation", h.who.Organisation)
	if n := h.rows("scene"); n != 0 {
		t.Errorf("%d scenes are left", n)
	}
}
