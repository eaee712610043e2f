package voice_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// stagehand starts scenes, unless the house says that it does not.
type stagehand struct {
	voice.Scenes
	h *house
}

func (s *stagehand) Start(ctx context.Context, who access.Actor, homeID, sceneID, asked string) (scene.Run, error) {
	if s.h.refuse != nil {
		return scene.Run{}, s.h.refuse
	}
	return s.Scenes.Start(ctx, who, homeID, sceneID, asked)
}

// TestScenesAndDevicesInOrder: what is said behind a scene holds when it is over, and a scene that is refused takes nothing with it.
func TestScenesAndDevicesInOrder(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["living room lamp"]
	_, err := h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{
		Label:   home.Label{Names: home.Names{"zh-CN": "观影", "en": "film night"}},
		Actions: []scene.Action{{Kind: scene.Set, Device: lamp, Params: json.RawMessage(`{"powerstate":0}`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const off, on = `living room lamp {"powerstate":0}`, `living room lamp {"powerstate":1}`
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"打开观影，然后打开客厅的灯", []string{off, on}},
		{"打开客厅的灯，然后打开观影", []string{on, off}},
		{"start film night and turn on the living room lamp", []string{off, on}},
	} {
		if a := h.say(t, tt.text); a.Outcome != "act" {
			t.Errorf("%s: %s %s", tt.text, a.Outcome, a.Reply)
		}
		if sent := h.road.sent(h); !slices.Equal(sent, tt.want) {
			t.Errorf("%s: sent %q, want %q", tt.text, sent, tt.want)
		}
	}
	for _, tt := range []struct {
		err   error
		reply string
	}{
		{fault.Limit("/scene", "200 runs", "200 under way at most", 0), "客厅的灯开了，10分钟后关闭客厅的灯；正在执行的场景太多，“观影”没有启动。"},
		{fault.NotFound("scene", "x"), "客厅的灯开了，10分钟后关闭客厅的灯；“观影”已经被删除，没有启动。"},
	} {
		h.refuse = tt.err
		if a := h.say(t, "打开客厅的灯，打开观影，十分钟后关掉客厅的灯"); a.Outcome != "failed" || a.Reply != tt.reply || len(h.pending(t)) != 1 {
			t.Errorf("%v: %s %s; %q are set", tt.err, a.Outcome, a.Reply, h.pending(t))
		}
		if sent := h.road.sent(h); !slices.Equal(sent, []string{on}) {
			t.Errorf("%v: sent %q", tt.err, sent)
		}
		h.clear(t)
	}
}

// TestScenesByTheirNames starts scenes as people do, and tells of each device what came of it.
func TestScenesByTheirNames(t *testing.T) {
	h := newHouse(t)
	lamp, curtain, desk := h.device["living room lamp"], h.device["living room curtain"], h.device["main bedroom desk lamp"]
	film, err := h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{
		Label:   home.Label{Names: home.Names{"zh-CN": "观影", "en": "film night"}},
		Phrases: home.Aliases{"zh-CN": {"看电影了"}},
		Actions: []scene.Action{
			{Kind: scene.Set, Device: lamp, Params: json.RawMessage(`{"powerstate":0}`)},
			{Kind: scene.Set, Device: curtain, Params: json.RawMessage(`{"position":0}`)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{
		Label:   home.Label{Names: home.Names{"zh-CN": "起床"}},
		Actions: []scene.Action{{Kind: scene.Set, Device: desk, Params: json.RawMessage(`{"powerstate":1}`)}, {Kind: scene.Wait, Seconds: 60}},
	})
	if err != nil {
		t.Fatal(err)
	}
	say := func(text, outcome, reply string) {
		t.Helper()
		a := h.say(t, text)
		if a.Outcome != outcome || a.Reply != reply {
			t.Errorf("%s\n got %s %s\nwant %s %s", text, a.Outcome, a.Reply, outcome, reply)
		}
	}
	say("打开观影", "act", "好的，“观影”已执行。")
	say("看电影了", "act", "好的，“观影”已执行。")
	say("start film night", "act", "“film night” is done.")
	say("起床", "act", "好的，“起床”已经开始，还没有全部完成。")
	h.road.ends[curtain] = ended(command.Failed, command.Refused, "卡住了")
	say("打开观影", "failed", "“观影”只执行了一部分；客厅的窗帘拒绝执行，说“卡住了”。")
	connected(t, h.store, false, lamp)
	say("start film night", "failed", "“film night” was not carried out; the living room lamp is offline, nothing was done there; the living room curtain refused and said “卡住了”.")
	h.road.ends, h.road.requests = nil, nil
	connected(t, h.store, true, lamp)
	if err := h.homes.Unbind(t.Context(), h.who, h.id, curtain); err != nil {
		t.Fatal(err)
	}
	say("打开观影", "failed", "“观影”只执行了一部分；“观影”里有 1 步已经失效，请修改这个场景。")
	if err := h.scenes.Remove(t.Context(), h.who, h.id, film.ID); err != nil {
		t.Fatal(err)
	}
	if a := h.say(t, "打开观影"); a.Outcome == "act" {
		t.Errorf("a scene that was removed was started: %s", a.Reply)
	}
}
