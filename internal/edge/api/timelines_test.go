package api_test

import (
	"testing"

	"lampworks/internal/infra/uplink"
)

// TestLiveTimeline watches a device come and go, goes on where it left, and is told where that is forgotten. Somebody else's device
// is not there.
func TestLiveTimeline(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	path := "/api/v1/devices/" + m.device + "/timeline/live"
	w.want(w.call(w.stranger, "GET", path, ""), 404)
	first := w.watchAt(w.owner, path, 0)
	first.next("ping")
	w.presence(m, true)
	came := first.next("entry")
	if came.data["kind"] != "connected" || came.id == 0 || came.data["what"] != "192.0.2.1:1" {
		t.Errorf("%+v came", came)
	}
	first.leave()
	w.presence(m, false)
	second := w.watchAt(w.owner, path, came.id)
	if went := second.next("entry"); went.data["kind"] != "disconnected" || went.id <= came.id {
		t.Errorf("%+v came", went)
	}
	ahead := w.watchAt(w.owner, path, uplink.Position(1<<40))
	ahead.next("gap")
}
