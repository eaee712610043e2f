package api_test

import (
	"testing"
	"time"

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
	for came.data["kind"] == "command" { // of before, written down just now
		came = first.next("entry")
	}
	if came.data["kind"] != "connected" || came.id == 0 || came.data["what"] != "192.0.2.1:1" {
		t.Errorf("%+v came", came)
	}
	w.post(m, `{"brightness":3}`, time.Now())
	for said := first.next("counting"); said.data["what"] != "/sys/{pk}/{dn}/thing/event/property/post" || said.data["times"] != 1.0 || said.id != 0; said = first.next("counting") {
		t.Logf("%+v came", said) // what others of this test said
	}
	w.want(w.call(w.owner, "DELETE", "/api/v1/commands/"+m.command, ""), 200)
	for e := first.next("entry"); e.data["kind"] != "answer"; e = first.next("entry") {
		if e.data["kind"] != "command" {
			t.Errorf("%+v came", e)
		}
	}
	first.leave()
	w.presence(m, false)
	second := w.watchAt(w.owner, path, came.id)
	for last := came.id; ; {
		e := second.next("entry")
		if e.id <= last {
			t.Errorf("%+v came behind %d", e, last)
		}
		if last = e.id; e.data["kind"] == "disconnected" {
			break
		}
	}
	ahead := w.watchAt(w.owner, path, uplink.Position(1<<40))
	ahead.next("gap")
}
