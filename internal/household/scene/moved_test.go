package scene_test

import (
	"encoding/json"
	"testing"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// TestDeviceThatLeftSetsNothingOff: what a device does after it left the home is nothing to the home's automations, and one that
// names it can still be switched off, though not on.
func TestDeviceThatLeftSetsNothingOff(t *testing.T) {
	h := newLively(t)
	a := h.automation(scene.AutomationDraft{Trigger: h.bright(scene.Above, 50), Actions: []scene.Action{h.set("curtain", `{"position":0}`)}})
	h.posts("lamp", `{"brightness":40}`)
	if err := h.homes.Unbind(t.Context(), h.who, h.id, h.device["lamp"]); err != nil {
		t.Fatal(err)
	}
	h.posts("lamp", `{"brightness":60}`)
	h.settled()
	if got, sent := h.traces(a), h.road.sent(h.house); len(got) != 0 || len(sent) != 0 {
		t.Errorf("it did %v and sent %v", got, sent)
	}
	off, err := h.scenes.EnableAutomation(t.Context(), h.who, h.id, a.ID, false)
	if err != nil || off.Enabled || off.Version != a.Version+1 {
		t.Errorf("switching off: %+v, %v", off, err)
	}
	if _, err := h.scenes.EnableAutomation(t.Context(), h.who, h.id, a.ID, true); !fault.Is(err, fault.Malformed) {
		t.Errorf("switching on what names a device that left: %v", err)
	}
}

// TestWhoMayNotCommandMakesNoScene: a token that may change homes and may not command devices makes nothing that does.
func TestWhoMayNotCommandMakesNoScene(t *testing.T) {
	h := newLively(t)
	weak := h.who
	weak.Kind, weak.Scopes = access.KindToken, []access.Act{access.ReadHome, access.WriteHome}
	act := []scene.Action{h.set("curtain", `{"position":0}`)}
	if _, err := h.scenes.Create(t.Context(), weak, h.id, scene.Draft{Label: zh("安静"), Actions: act}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("a scene: %v", err)
	}
	if _, err := h.scenes.CreateAutomation(t.Context(), weak, h.id, scene.AutomationDraft{Name: "a", Trigger: h.bright(scene.Above, 50), Actions: act}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an automation: %v", err)
	}
}

// TestNothingBesideTheKindIsKept: what an action carries beyond its kind is not stored.
func TestNothingBesideTheKindIsKept(t *testing.T) {
	h := newLively(t)
	sc := h.scene("静候", scene.Action{Kind: scene.Wait, Seconds: 1, Device: "foreign", Params: json.RawMessage(`{"x":1}`)})
	if a := sc.Actions[0]; a.Device != "" || a.Params != nil || a.Seconds != 1 {
		t.Errorf("kept is %+v", a)
	}
}
