package voice

import (
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/nlu"
)

func TestConversationsAreForgotten(t *testing.T) {
	c := conversations{max: 2, life: 120 * time.Second}
	index, other := new(nlu.Index), new(nlu.Index)
	memory := new(nlu.Memory)
	start := time.Unix(1_800_000_000, 0)
	a, b := conversation{home: "h", speaker: "a"}, conversation{home: "h", speaker: "b"}
	c.remember(a, index, memory, start)
	if c.recall(a, index, start.Add(120*time.Second)) != memory {
		t.Error("after 120 s: forgotten")
	}
	if c.recall(a, index, start.Add(120*time.Second+1)) != nil {
		t.Error("after more than 120 s: remembered")
	}
	c.remember(a, index, memory, start)
	if c.recall(b, index, start) != nil || c.recall(conversation{home: "i", speaker: "a"}, index, start) != nil || c.recall(conversation{home: "h", speaker: "a", own: true}, index, start) != nil {
		t.Error("another conversation hears of it")
	}
	c.remember(b, index, memory, start)
	c.remember(conversation{home: "h", speaker: "c"}, index, memory, start)
	if c.recall(a, index, start) != nil || c.recall(b, index, start) == nil {
		t.Error("of three, the oldest is to go")
	}
	if got := len(c.byKey); got != 2 || c.recent.Len() != 2 {
		t.Errorf("%d are kept, want 2", got)
	}
	if c.recall(b, other, start) != nil {
		t.Error("a home that was compiled anew is another one")
	}
}

func TestIndexesAreBounded(t *testing.T) {
	of := func(id string, devices int) *spoken {
		return &spoken{home: home.Home{ID: id, Devices: make([]home.Device, devices)}}
	}
	x := indexes{max: 10}
	x.keep(of("a", 3))
	x.keep(of("b", 3))
	x.find("a")
	x.keep(of("c", 3)) // 12: b was looked at longest ago
	if x.find("a") == nil || x.find("b") != nil || x.find("c") == nil || x.size != 8 {
		t.Errorf("kept %d homes of weight %d", len(x.byHome), x.size)
	}
	x.keep(of("c", 4)) // the same home, newer
	if x.size != 9 || len(x.byHome) != 2 {
		t.Errorf("kept %d homes of weight %d, want 2 of 9", len(x.byHome), x.size)
	}
	x.keep(of("d", 1000)) // larger than all: alone
	if x.find("d") == nil || len(x.byHome) != 1 {
		t.Errorf("kept %d homes, want the large one", len(x.byHome))
	}
}
