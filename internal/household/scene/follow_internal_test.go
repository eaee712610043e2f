package scene

import (
	"fmt"
	"testing"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
)

// TestHappeningsAreDealtWithInParts: however many records come and however many automations wait for each, a part has a bounded
// number of happenings, ends behind a whole record, and none is left out.
func TestHappeningsAreDealtWithInParts(t *testing.T) {
	waiting := make([]Automation, MaxAutomations)
	for i := range waiting {
		waiting[i] = Automation{ID: fmt.Sprint(i), Trigger: Trigger{Kind: OnPresence, Device: "lamp", Online: true}}
	}
	online := device.Presence{Online: true}
	body := online.Append(nil)
	var records []uplink.Record
	for i := range batch {
		records = append(records, uplink.Record{Pos: uplink.Position(i + 1), At: time.Now(), Kind: uplink.Presence, Device: []string{"lamp", "other"}[i%2], Body: body})
	}
	s, all := New(Config{}), 0
	for len(records) > 0 {
		met, n, err := s.meet(t.Context(), records, map[string]bool{"lamp": true}, map[string][]Automation{"lamp": waiting})
		if err != nil || n == 0 || len(met)%MaxAutomations != 0 {
			t.Fatal(len(met), n, err)
		}
		if len(met) >= together+MaxAutomations {
			t.Fatalf("%d happenings in one transaction", len(met))
		}
		all, records = all+len(met), records[n:]
	}
	if want := batch / 2 * MaxAutomations; all != want {
		t.Errorf("%d happenings, want %d", all, want)
	}
}
