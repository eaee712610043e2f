package history_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/history/dayfile"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// room is a history that follows the Log of a works.
func room(t *testing.T, w *devicetest.Works, dir string) (s *history.Service, stop func()) {
	t.Helper()
	files, err := dayfile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
	s = history.New(files, w.Devices, w.Products, 0, w.Quiet)
	return s, devicetest.Run(t, func(ctx context.Context) error { return s.Follow(ctx, w.Log) })
}

func followed(t *testing.T, w *devicetest.Works) {
	t.Helper()
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		at := w.Log.Cursors()["history"]
		return at == w.Log.Tail(), at
	})
}

func values(t *testing.T, s *history.Service, w *devicetest.Works, property string) (out []string) {
	t.Helper()
	points, _, err := s.Points(t.Context(), w.Maker, history.Query{
		Device: w.Lights[0].ID, Property: property, From: time.Unix(0, 0), To: time.Now().Add(24 * time.Hour), Limit: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		out = append(out, string(p.Value))
	}
	return out
}

// TestPast: past values stand where they happened, whatever the order they come in, and once however often they come.
func TestPast(t *testing.T) {
	w := devicetest.New(t, 1)
	d := w.Lights[0]
	s, _ := room(t, w, t.TempDir())
	w.Posts(t, d, `"brightness":50`)
	w.Says(t, d, alink.PackPost, "", `{"id":"1","params":{"properties":{"brightness":[{"value":4,"time":1700000000400},{"value":3,"time":1700000000300}]}}}`)
	for range 3 {
		w.Says(t, d, alink.HistoryPost, "", `{"id":"1","params":[{"properties":[{"brightness":{"value":2,"time":1700000000200}},{"brightness":{"value":1,"time":946684800000},"powerstate":{"value":1,"time":946684800000}}]}]}`)
		w.Says(t, d, alink.HistoryPost, "", `{"id":"1","params":{"properties":[{"brightness":{"value":5,"time":1700000000200}}]}}`)
	}
	followed(t, w)
	if diff := cmp.Diff(values(t, s, w, "brightness"), []string{"1", "5", "2", "3", "4", "50"}); diff != "" { // of one time the order is theirs, and stays
		t.Errorf("brightness (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(values(t, s, w, "powerstate"), []string{"1"}); diff != "" {
		t.Errorf("powerstate (-got +want):\n%s", diff)
	}
}

// TestFollow turns reports into points, each once, also when the reader is stopped and begins again.
func TestFollow(t *testing.T) {
	w := devicetest.New(t, 1)
	dir := t.TempDir()
	d := w.Lights[0]
	_, stop := room(t, w, dir)
	w.Posts(t, d, `"brightness":10,"powerstate":1`)
	w.Posts(t, d, `"brightness":{"value":5,"time":1700000000000}`)  // it happened before
	w.Posts(t, d, `"brightness":{"value":30,"time":4102444800000}`) // a clock that is decades ahead
	w.Says(t, d, alink.EventPost, "fault", `{"id":"1","params":{"code":1}}`)
	w.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Message, Device: d.ID, Body: []byte("?")})
	followed(t, w)
	stop()
	w.Posts(t, d, `"brightness":40`)
	s, _ := room(t, w, dir)
	followed(t, w)
	if diff := cmp.Diff(values(t, s, w, "brightness"), []string{"5", "10", "30", "40"}); diff != "" {
		t.Errorf("brightness (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(values(t, s, w, "powerstate"), []string{"1"}); diff != "" {
		t.Errorf("powerstate (-got +want):\n%s", diff)
	}
}

// TestMidnight follows a batch that spans a day's end.
func TestMidnight(t *testing.T) {
	w := devicetest.New(t, 1)
	midnight := time.Now().UTC().Truncate(24 * time.Hour)
	for i, at := range []time.Time{midnight.Add(-time.Millisecond), midnight, midnight.Add(time.Millisecond)} {
		m := device.Message{Product: w.Product.ID, Template: alink.PropertyPost, Payload: []byte(`{"id":"1","params":{"brightness":` + string(rune('1'+i)) + `}}`)}
		body, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Append(t, uplink.Record{At: at, Kind: uplink.Message, Device: w.Lights[0].ID, Body: body})
	}
	s, _ := room(t, w, t.TempDir())
	followed(t, w)
	if diff := cmp.Diff(values(t, s, w, "brightness"), []string{"1", "2", "3"}); diff != "" {
		t.Errorf("brightness (-got +want):\n%s", diff)
	}
}

func TestPoints(t *testing.T) {
	w := devicetest.New(t, 1)
	s, _ := room(t, w, t.TempDir())
	for range 3 {
		w.Posts(t, w.Lights[0], `"brightness":1`)
	}
	followed(t, w)
	q := history.Query{Device: w.Lights[0].ID, Property: "brightness", From: time.Unix(0, 0), To: time.Now().Add(time.Hour), Limit: 2}
	if points, more, err := s.Points(t.Context(), w.Maker, q); len(points) != 2 || !more || err != nil {
		t.Errorf("a page has %d, more %v, %v; want 2 and more", len(points), more, err)
	}
	if _, _, err := s.Points(t.Context(), w.Stranger, q); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's history: %v, want not found", err)
	}
	for _, change := range []func(*history.Query){
		func(q *history.Query) { q.Limit = -1 },
		func(q *history.Query) { q.Limit = history.MaxPoints + 1 },
		func(q *history.Query) { q.To = q.From },
	} {
		bad := q
		change(&bad)
		if _, _, err := s.Points(t.Context(), w.Maker, bad); !fault.Is(err, fault.Malformed) {
			t.Errorf("%+v: %v, want it refused", bad, err)
		}
	}
}

// TestClockThatJumpedDropsNothing asks for what is too old by a clock that was set, and by one that was not.
func TestClockThatJumpedDropsNothing(t *testing.T) {
	w := devicetest.New(t, 1)
	dir := t.TempDir()
	s, stop := room(t, w, dir)
	w.Posts(t, w.Lights[0], `"brightness":10`)
	followed(t, w)
	stop()
	later := time.Now().Add(2 * history.Keep)
	s.Jump()
	s.DropOld(t.Context(), later)
	if got := values(t, s, w, "brightness"); len(got) != 1 {
		t.Errorf("after the clock jumped the points are %v", got)
	}
	next, stop := room(t, w, dir)
	stop()
	next.DropOld(t.Context(), later)
	if got := values(t, next, w, "brightness"); len(got) != 0 {
		t.Errorf("what is too old is kept: %v", got)
	}
}
