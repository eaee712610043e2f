package voice_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/partner/product"
)

// pending tells the timers of the home that are pending: what they do, and when.
func (h *house) pending(t *testing.T) []string {
	t.Helper()
	all, err := h.scenes.Timers(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, timer := range all {
		if timer.State != scene.Pending {
			continue
		}
		text := fmt.Sprint(timer.Label, timer.Seconds, timer.At, timer.Days)
		for _, a := range timer.Actions {
			text += fmt.Sprintf(" %s %s%s", a.Kind, h.called[a.Device], a.Params)
			if a.Kind == scene.Adjust {
				text += fmt.Sprintf(" %s %g", a.Property, a.By)
			}
		}
		said = append(said, text)
	}
	return said
}

// TestTimersBySentence sets timers as people do, and sends nothing yet.
func TestTimersBySentence(t *testing.T) {
	h := newHouse(t)
	reports(t, h.store, h.device["living room lamp"], `{"brightness":{"v":50,"t":0}}`)
	if err := h.homes.SetPlace(t.Context(), h.who, h.id, home.Place{TimeZone: "Asia/Shanghai"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, outcome, reply, set string }{
		{"十分钟后关客厅的灯", "act", "好的，10分钟后关闭客厅的灯。", `600[] set living room lamp{"powerstate":0}`},
		{"turn off the living room lamp in ten minutes", "act", "The living room lamp will go off in 10 minutes.", `600[] set living room lamp{"powerstate":0}`},
		{"一小时三十分钟后把客厅的灯调到百分之二十", "act", "好的，1小时30分钟后调整客厅的灯。", `5400[] set living room lamp{"brightness":20}`},
		{"十分钟后把客厅的灯调亮百分之十", "act", "好的，10分钟后调整客厅的灯。", `600[] adjust living room lamp brightness 10`},
		{"十分钟后把客厅的灯调亮百分之六十", "act", "好的，10分钟后调整客厅的灯。", `600[] adjust living room lamp brightness 60`}, // 50 now: by then it may be less
		{"十分钟后把客厅的灯调暗百分之六十", "act", "好的，10分钟后调整客厅的灯。", `600[] adjust living room lamp brightness -60`},
		{"每天早上七点打开窗帘", "act", "好的，每天7:00打开客厅的窗帘。", `007:00[monday tuesday wednesday thursday friday saturday sunday] set living room curtain{"position":100}`},
		{"close the curtain at 10 pm on weekdays", "act", "The living room curtain will close on weekdays at 22:00.", `022:00[monday tuesday wednesday thursday friday] set living room curtain{"position":0}`},
		{"每周一晚上八点关闭主卧的台灯", "act", "好的，每周一20:00关闭主卧的台灯。", `020:00[monday] set main bedroom desk lamp{"powerstate":0}`},
		{"明天早上七点打开窗帘", "act", "好的，明天7:00打开客厅的窗帘。", `007:00[] set living room curtain{"position":100}`},
		{"定一个十五分钟的计时器", "act", "好的，15分钟后提醒您。", "900[]"},
		{"煮蛋定时三分钟", "act", "好的，3分钟后提醒您煮蛋。", "煮蛋180[]"},
		{"十分钟后客厅空调调到六十度", "reject", "客厅的空调温度只能从16℃到30℃。", ""},
		{"明天打开窗帘", "clarify", "“明天”没有听懂，请您换个说法。", ""},
	} {
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: tt.text, Speaker: tt.text})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if a.Outcome != tt.outcome || a.Reply != tt.reply {
			t.Errorf("%s\n got %s %s\nwant %s %s", tt.text, a.Outcome, a.Reply, tt.outcome, tt.reply)
		}
		want := []string{tt.set}
		if tt.set == "" {
			want = nil
		}
		if got := h.pending(t); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\n set %q\nwant %q", tt.text, got, want)
		}
		if sent := h.road.sent(h); len(sent) != 0 {
			t.Errorf("%s: sent %v already", tt.text, sent)
		}
		h.clear(t)
	}
}

// clear cancels all timers.
func (h *house) clear(t *testing.T) {
	t.Helper()
	all, err := h.scenes.Timers(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, timer := range all {
		if timer.State == scene.Pending {
			if _, err := h.scenes.CancelTimer(t.Context(), h.who, h.id, timer.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTimersAreAskedForAndCancelled by what they are called, and by a question where several are meant.
func TestTimersAreAskedForAndCancelled(t *testing.T) {
	h := newHouse(t)
	say := func(text, outcome, reply string) {
		t.Helper()
		if a := h.say(t, text); a.Outcome != outcome || a.Reply != reply {
			t.Errorf("%s\n got %s %s\nwant %s %s", text, a.Outcome, a.Reply, outcome, reply)
		}
	}
	say("取消定时", "reject", "现在没有定时。")
	say("还有多久", "act", "现在没有定时。")
	for _, n := range []scene.NewTimer{
		{Label: "煮蛋", When: scene.When{Seconds: 3 * 60 * 60}},
		{When: scene.When{Seconds: 24 * 60 * 60}, Actions: []scene.Action{{Kind: scene.Set, Device: h.device["living room lamp"], Params: json.RawMessage(`{"powerstate":0}`)}}},
	} {
		if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, n); err != nil {
			t.Fatal(err)
		}
	}
	say("取消定时", "clarify", "有 2 个定时：“煮蛋”的定时、1天的定时，您要取消哪一个？")
	say("取消煮面计时器", "reject", "没有“煮面”的定时。")
	say("取消定时", "clarify", "有 2 个定时：“煮蛋”的定时、1天的定时，您要取消哪一个？")
	if a := h.say(t, "煮面的"); a.Outcome == "act" {
		t.Errorf("an answer that none of them is: %s", a.Reply)
	}
	if a := h.say(t, "煮蛋的那个"); a.Outcome == "act" {
		t.Errorf("an answer that comes too late: %s", a.Reply)
	}
	say("取消定时", "clarify", "有 2 个定时：“煮蛋”的定时、1天的定时，您要取消哪一个？")
	say("煮蛋的那个", "act", "好的，“煮蛋”的定时取消了。")
	say("cancel the timer", "act", "The 1 day timer is cancelled.")
	if left := h.pending(t); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	for range 3 {
		if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, scene.NewTimer{When: scene.When{Seconds: 3600}}); err != nil {
			t.Fatal(err)
		}
	}
	say("取消所有定时", "act", "好的，3 个定时都取消了。")
	for _, when := range []scene.When{{Seconds: 300}, {Seconds: 3600}, {At: "07:00", Days: scene.Weekdays()}, {At: "07:00", Days: []string{"saturday", "sunday"}}} {
		if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, scene.NewTimer{When: when}); err != nil {
			t.Fatal(err)
		}
	}
	say("取消定时", "clarify", "有 4 个定时：5分钟的定时、1小时的定时、每天7:00的定时、每个周末7:00的定时，您要取消哪一个？")
	say("一小时的", "act", "好的，1小时的定时取消了。")
	if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, scene.NewTimer{When: scene.When{Seconds: 3600}}); err != nil {
		t.Fatal(err)
	}
	say("取消10分钟的计时器", "reject", "没有这样的定时。")
	say("取消1小时的计时器", "act", "好的，1小时的定时取消了。")
	say("取消1小时的计时器", "reject", "没有这样的定时。")
	say("取消每天早上七点的闹钟", "act", "好的，每天7:00的定时取消了。")
	say("取消5分钟的计时器", "act", "好的，5分钟的定时取消了。")
	if left := h.pending(t); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
	say("十分钟后打开客厅的灯", "act", "好的，10分钟后打开客厅的灯。")
	say("取消", "act", "好的，10分钟的定时取消了。")
	if left := h.pending(t); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

// TestGuestsCancelTheirTimers: a guest who cancels the timer means their own, and is told who can cancel those of others.
func TestGuestsCancelTheirTimers(t *testing.T) {
	h := newHouse(t)
	guest := access.Actor{Kind: access.KindResident, ID: "lu", User: "lu", Organisation: h.who.Organisation, Roles: []access.Role{access.Guest}}
	set := func(who access.Actor, label string) {
		t.Helper()
		if _, err := h.scenes.SetTimer(t.Context(), who, h.id, scene.NewTimer{Label: label, When: scene.When{Seconds: 3600}}); err != nil {
			t.Fatal(err)
		}
	}
	set(h.who, "煮蛋")
	if a := sayAs(t, h, guest, "取消定时"); a.Outcome != voice.Rejected || a.Reason != "not_allowed" || a.Reply != "别人设的定时，要请大人来取消。" {
		t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	set(guest, "煮面")
	if a := sayAs(t, h, guest, "取消定时"); a.Outcome != voice.Acted || a.Reply != "好的，“煮面”的定时取消了。" {
		t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	if left := h.pending(t); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

// TestForgottenRemindersLoseTheirNames: with the words that somebody has deleted goes what their timers were called that have ended.
func TestForgottenRemindersLoseTheirNames(t *testing.T) {
	h := newHouse(t)
	lu := access.Actor{Kind: access.KindResident, ID: "lu", User: "lu", Organisation: h.who.Organisation, Roles: []access.Role{access.Adult}}
	for _, tt := range []struct {
		who   access.Actor
		label string
		ends  bool
	}{{lu, "看医生", true}, {lu, "取药", false}, {h.who, "煮面", true}} {
		timer, err := h.scenes.SetTimer(t.Context(), tt.who, h.id, scene.NewTimer{Label: tt.label, When: scene.When{Seconds: 3600}})
		if err == nil && tt.ends {
			_, err = h.scenes.CancelTimer(t.Context(), tt.who, h.id, timer.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.voice.Forget(t.Context(), lu, h.id, ""); err != nil {
		t.Fatal(err)
	}
	all, err := h.scenes.Timers(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, timer := range all {
		left = append(left, string(timer.State)+" "+timer.Label)
	}
	slices.Sort(left)
	if want := []string{"cancelled ", "cancelled 煮面", "pending 取药"}; !slices.Equal(left, want) {
		t.Errorf("%q are left, want %q", left, want)
	}
}

// TestTimerOfTooManyDevices says how many one timer can command, and does not send people to cancel others.
func TestTimerOfTooManyDevices(t *testing.T) {
	h := newHouse(t)
	p, err := h.products.Create(t.Context(), h.who, product.NewProduct{Category: "light", Names: product.Names{"en": "light"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range issued(t, h.store, "org", p.ID, scene.MaxActions) {
		if _, err := h.homes.Bind(t.Context(), h.who, h.id, h.rooms["living room"], id, home.Label{Names: home.Names{"zh-CN": fmt.Sprint("射灯", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if a := h.say(t, "十分钟后关掉所有的灯"); a.Outcome != "reject" || a.Reply != "一个定时最多只能管50台设备，请分几次说。" {
		t.Errorf("%s: %s", a.Outcome, a.Reply)
	}
}
