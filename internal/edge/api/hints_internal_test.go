package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
)

// TestLikelyNames: what everything is called comes before other words for it, and what is hidden not at all.
func TestLikelyNames(t *testing.T) {
	label := func(zh, en string, more ...string) home.Label {
		return home.Label{Names: home.Names{"zh-CN": zh, "en": en}, Aliases: home.Aliases{"zh-CN": more}}
	}
	h := &home.Home{
		Rooms: []home.Room{{Label: label("客厅", "living room", "大厅"), Floor: home.Names{"zh-CN": "一楼"}}, {Label: label("卧室", "bedroom"), Floor: home.Names{"zh-CN": "一楼"}}},
		Devices: []home.Device{
			{Label: label("吊灯", "lamp", "大灯")}, {Label: label("保险柜", "safe", "柜子"), Hidden: true},
		},
	}
	scenes := []scene.Scene{{Label: label("观影", "film night"), Phrases: home.Aliases{"zh-CN": {"看电影了"}}}}
	if got, want := likelyOf(h, scenes, "zh-CN"), []string{"客厅", "一楼", "卧室", "观影", "吊灯", "大厅", "看电影了", "大灯"}; !slices.Equal(got, want) {
		t.Errorf("in Chinese %q, want %q", got, want)
	}
	if got := strings.Join(likelyOf(h, scenes, ""), " "); !strings.Contains(got, "film night") || strings.Contains(got, "safe") {
		t.Errorf("in any language %s", got)
	}
	for i := range 600 {
		h.Devices = append(h.Devices, home.Device{Label: label(fmt.Sprint("灯", i), "", "别名")})
	}
	if got := likelyOf(h, scenes, "zh-CN"); len(got) != maxLikely || slices.Contains(got, "大厅") || got[499] == "" {
		t.Errorf("%d names of a large home, the last %q", len(got), got[len(got)-1])
	}
}
