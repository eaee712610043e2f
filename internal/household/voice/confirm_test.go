package voice_test

import (
	"encoding/json"
	"strings"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/partner/product"
)

// equip adds a device of a category to the living room.
func (h *house) equip(t testing.TB, category, zh, en string) string {
	t.Helper()
	p, err := h.products.Create(t.Context(), h.who, product.NewProduct{Category: category, Names: product.Names{"en": category}})
	if err != nil {
		t.Fatal(err)
	}
	id := issued(t, h.store, "org", p.ID, 1)[0]
	if _, err := h.homes.Bind(t.Context(), h.who, h.id, h.rooms["living room"], id, home.Label{Names: home.Names{"zh-CN": zh, "en": en}}); err != nil {
		t.Fatal(err)
	}
	connected(t, h.store, true, id)
	h.device["living room "+en], h.called[id] = id, "living room "+en
	return id
}

// TestLockIsOpenedAfterAYes: what is dangerous is asked back, in words, and done after a yes by the one conversation that was
// asked, once.
func TestLockIsOpenedAfterAYes(t *testing.T) {
	h := newHouse(t)
	h.equip(t, "door_lock", "门锁", "door lock")
	a := h.say(t, "打开门锁")
	if a.Outcome != voice.Clarified || a.Reason != "confirm" || a.Reply != "确定要打开客厅的门锁吗？请说“确认”或“取消”。" {
		t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	other, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "确认", Speaker: "another"})
	if err != nil || other.Outcome == voice.Acted {
		t.Errorf("a yes from elsewhere: %+v %v", other, err)
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Fatalf("sent before the yes: %v", sent)
	}
	if a = h.say(t, "确认"); a.Outcome != voice.Acted {
		t.Errorf("after the yes: %s %s", a.Outcome, a.Reply)
	}
	if sent := strings.Join(h.road.sent(h), "; "); sent != `living room door lock {"locked":0}` {
		t.Errorf("sent %s", sent)
	}
	if a = h.say(t, "确认"); a.Outcome == voice.Acted {
		t.Errorf("a second yes: %s", a.Reply)
	}
	h.say(t, "unlock the door lock")
	if a = h.say(t, "no"); a.Outcome == voice.Acted {
		t.Errorf("after a no: %s", a.Reply)
	}
	if a = h.say(t, "把门锁锁上"); a.Outcome != voice.Acted {
		t.Errorf("locking: %s %s", a.Outcome, a.Reply)
	}
	if sent := strings.Join(h.road.sent(h), "; "); sent != `living room door lock {"locked":1}` {
		t.Errorf("sent %s", sent)
	}
}

// TestSceneWithALockAsks: a scene that unlocks is confirmed as the lock is, also where another scene holds it; one that locks
// is not.
func TestSceneWithALockAsks(t *testing.T) {
	h := newHouse(t)
	lock := h.equip(t, "door_lock", "门锁", "door lock")
	create := func(zh string, actions ...scene.Action) string {
		s, err := h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{Label: home.Label{Names: home.Names{"zh-CN": zh}}, Actions: actions})
		if err != nil {
			t.Fatal(err)
		}
		return s.ID
	}
	locks := func(value string) scene.Action {
		return scene.Action{Kind: scene.Set, Device: lock, Params: json.RawMessage(`{"locked":` + value + `}`)}
	}
	inner := create("迎客", locks("0"))
	create("回家", scene.Action{Kind: scene.Start, Scene: inner})
	create("离家", locks("1"))
	for _, name := range []string{"迎客", "回家"} {
		if a := h.say(t, "打开"+name); a.Outcome != voice.Clarified || !strings.Contains(a.Reply, name) || len(h.road.sent(h)) > 0 {
			t.Errorf("%s: %s %s", name, a.Outcome, a.Reply)
		}
		if a := h.say(t, "确认"); a.Outcome != voice.Acted || strings.Join(h.road.sent(h), "") != `living room door lock {"locked":0}` {
			t.Errorf("%s after a yes: %s %s", name, a.Outcome, a.Reply)
		}
	}
	if a := h.say(t, "打开离家"); a.Outcome != voice.Acted {
		t.Errorf("a scene that locks: %s %s", a.Outcome, a.Reply)
	}
	h.road.sent(h)
	if err := h.homes.Hide(t.Context(), h.who, h.id, lock, true); err != nil {
		t.Fatal(err)
	}
	if a := h.say(t, "打开回家"); a.Outcome != voice.Clarified || len(h.road.sent(h)) > 0 {
		t.Errorf("with a hidden lock: %s %s", a.Outcome, a.Reply)
	}
}
