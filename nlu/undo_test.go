package nlu

import "testing"

// TestTakingBack: where something is under way, what says no more than that it is to stop takes it back; else it is read as ever.
func TestTakingBack(t *testing.T) {
	x, err := Compile(Home{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		said, open string
		want       any
	}{
		{"算了", "last", nil},
		{"停！", "last", nil},
		{"那就算了吧", "last", nil},
		{"别说了", "last", nil},
		{"取消刚才的指令", "last", nil},
		{"stop", "last", nil},
		{"Never mind, please.", "last", nil},
		{"cancel that", "last", nil},
		{"取消场景", "scene", OfScene},
		{"please stop the scene", "scene", OfScene},
		{"算了", "", "none"},
		{"stop", "", "none"},
		{"取消场景", "last", "none"},
		{"停车", "last", "none"},
		{"取消定时", "last", "none"},
		{"stop the music", "last", "none"},
		{"关灯", "last", "none"},
		{"吧", "last", "none"},
		{"", "last", "none"},
	} {
		r := x.Read(&Context{Open: func(scenes bool) bool { return tt.open == "last" && !scenes || tt.open == "scene" && scenes }}, tt.said)
		got := any("none")
		if r.Outcome == Act && len(r.Actions) == 1 && r.Actions[0].Op == OpUndo {
			got = r.Actions[0].Value
		}
		if got != tt.want {
			t.Errorf("%s, with %q open: %v, want %v (%+v)", tt.said, tt.open, got, tt.want, r)
		}
	}
	if r := x.Read(nil, "算了"); r.Outcome == Act {
		t.Errorf("without a context: %+v", r)
	}
}
