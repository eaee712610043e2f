package nlu_test

import (
	"strings"
	"testing"

	"lampworks/nlu"
)

func TestAnnouncements(t *testing.T) {
	x, err := nlu.Compile(nlu.Home{
		Rooms: []nlu.Room{
			{ID: "living", Names: map[string][]string{nlu.Chinese: {"客厅"}, nlu.English: {"living room"}}},
			{ID: "bed", Names: map[string][]string{nlu.Chinese: {"卧室"}, nlu.English: {"bedroom"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ in, want string }{
		{"播报：饭好了", "饭好了"},
		{"广播 饭好了到客厅", "饭好了 in living"},
		{"广播饭好了到客厅", "饭好了 in living"},
		{"广播大家到客厅", "大家到客厅"},
		{"广播我回到客厅了", "我回到客厅了"},
		{"帮我广播一下吃饭了", "吃饭了"},
		{"在客厅播报吃饭了", "吃饭了 in living"},
		{"给客厅和卧室广播说吃饭了", "吃饭了 in living bed"},
		{"广播到卧室：关灯睡觉", "关灯睡觉 in bed"},
		{"广播卧室的灯坏了", "卧室的灯坏了"},
		{"语音播报，客厅的灯要关了！", "客厅的灯要关了"},
		{"告诉大家 WiFi 密码是 A8 B9", "WiFi 密码是 A8 B9"},
		{"通知大家說晚餐好了", "晚餐好了"},
		{"announce dinner is ready", "dinner is ready"},
		{"announce that Dinner is ready", "Dinner is ready"},
		{"tell everyone in the bedroom that the lights go off", "the lights go off in bed"},
		{"in the living room announce dinner is ready", "dinner is ready in living"},
		{"please announce to the bedroom: good night", "good night in bed"},
		{"announce in the bedroom it is dark", "in the bedroom it is dark"},
		{"广播", "reject missing_text"},
		{"announce", "reject missing_text"},
		{"播报天气", "chat not_understood"},
		{"通知我明天开会", "chat not_understood"},
		{"广播音乐", "chat not_understood"},
		{"我要播报饭好了", "饭好了"},
	} {
		r := x.Read(nil, tt.in)
		got := strings.TrimSpace(string(r.Outcome) + " " + string(r.Reason.Code))
		if r.Outcome == nlu.Act && len(r.Actions) == 1 && r.Actions[0].Op == nlu.OpAnnounce {
			got = r.Actions[0].Text
			if rooms := r.Actions[0].Rooms; len(rooms) > 0 {
				got += " in " + strings.Join(rooms, " ")
			}
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
