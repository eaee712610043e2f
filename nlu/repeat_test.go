package nlu

import (
	"fmt"
	"strings"
	"testing"
)

// TestTimesOfActions reads when something is to be done: once, again and again, or at a time nobody can tell.
func TestTimesOfActions(t *testing.T) {
	x, err := Compile(Home{Scenes: []Scene{{ID: "s", Names: map[string][]string{Chinese: {"观影"}, English: {"film night"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	const week = "monday tuesday wednesday thursday friday saturday sunday"
	for _, tt := range []struct{ text, want string }{
		{"十分钟后打开观影", "scene 600"},
		{"明天早上七点打开观影", "scene 07:00 tomorrow"},
		{"每天早上七点打开观影", "scene 07:00 " + week},
		{"每晚十点打开观影", "scene 22:00 " + week},
		{"工作日七点半执行观影", "scene 07:30 monday tuesday wednesday thursday friday"},
		{"周末九点打开观影", "scene 09:00 saturday sunday"},
		{"每周一晚上八点打开观影", "scene 20:00 monday"},
		{"start film night every day at 7 am", "scene 07:00 " + week},
		{"on weekdays at 7:30 start film night", "scene 07:30 monday tuesday wednesday thursday friday"},
		{"every monday at 8 pm start film night", "scene 20:00 monday"},
		{"每天早上七点叫我起床", "timer 07:00 " + week + " 起床"},
		{"每周一和周三早上七点打开观影", "clarify 每周一"},
		{"每天早上打开观影", "clarify 每天早上"},
		{"明天打开观影", "clarify 明天"},
		{"还有多久", "timer_query"},
		{"取消定时", "timer_cancel"},
		{"取消所有定时", "timer_cancel all"},
		{"cancel all timers", "timer_cancel all"},
		{"cancel the pasta timer", "timer_cancel pasta"},
		{"取消煮蛋计时器", "timer_cancel 煮蛋"},
	} {
		r := x.Read(&Context{}, tt.text)
		got := strings.TrimSpace(string(r.Outcome) + " " + r.Reason.Word)
		if r.Outcome == Act {
			a := r.Actions[0]
			parts := []string{string(a.Op)}
			if a.DelaySeconds > 0 {
				parts = append(parts, fmt.Sprint(a.DelaySeconds))
			}
			for _, part := range append([]string{a.At, a.Day, strings.Join(a.Repeat, " "), a.Label}, fmt.Sprint(a.Value)) {
				if part != "" && part != "<nil>" {
					parts = append(parts, part)
				}
			}
			got = strings.Join(parts, " ")
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}
