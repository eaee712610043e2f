package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func follow(t *testing.T, w *devicetest.Works) (s *shadow.Service, stop func()) {
	t.Helper()
	s = shadow.New(w.Store, w.Products, w.Quiet)
	return s, devicetest.Run(t, func(ctx context.Context) error { return s.Follow(ctx, w.Log) })
}

func followed(t *testing.T, w *devicetest.Works) {
	t.Helper()
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		at := w.Log.Cursors()["shadow.reported"]
		return at == w.Log.Tail(), at
	})
}

func state(t *testing.T, s *shadow.Service, device string) shadow.State {
	t.Helper()
	states, err := s.States(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	return states[device]
}

func texts(values map[string]shadow.Value) map[string]string {
	out := make(map[string]string)
	for id, v := range values {
		out[id] = string(v.Value)
	}
	return out
}

// TestReported reports in the order of time and out of it; the reader is stopped and goes on between.
func TestReported(t *testing.T) {
	w := devicetest.New(t, 2)
	d := w.Lights[0]
	s, stop := follow(t, w)
	now := time.Now().UnixMilli()
	last := int64(0)
	for i, tt := range []struct{ post, want string }{
		{`"brightness":10,"powerstate":1`, "map[brightness:10 powerstate:1]"},
		{`"brightness":20`, "map[brightness:20 powerstate:1]"},
		{fmt.Sprintf(`"brightness":{"value":5,"time":%d}`, now-60_000), "map[brightness:20 powerstate:1]"}, // late
		{fmt.Sprintf(`"brightness":{"value":30,"time":%d}`, now+5000), "map[brightness:30 powerstate:1]"},
		{`"brightness":40`, "map[brightness:30 powerstate:1]"},                                            // its clock is ahead by less than ten minutes: its word stands
		{fmt.Sprintf(`"brightness":{"value":50,"time":%d}`, now+5000), "map[brightness:50 powerstate:1]"}, // the same time: the later in the Log
		{`"powerstate":{"value":0,"time":4102444800000}`, "map[brightness:50 powerstate:0]"},              // 2100: the time of receipt
		{`"powerstate":1`, "map[brightness:50 powerstate:1]"},
	} {
		w.Posts(t, d, tt.post)
		time.Sleep(2 * time.Millisecond) // the Log keeps milliseconds
		followed(t, w)
		st := state(t, s, d.ID)
		if got := fmt.Sprint(texts(st.Reported)); got != tt.want || st.Version < last {
			t.Errorf("step %d: after %s\n got %s, version %d\nwant %s, version at least %d", i, tt.post, got, st.Version, tt.want, last)
		}
		last = st.Version
		if i%3 == 2 {
			stop()
			s, stop = follow(t, w)
		}
	}
	for _, answer := range []string{
		`{"id":"1","code":5000,"data":{"brightness":77}}`, `{"id":"1","code":200,"data":{"brightness":77,"powerstate":2}}`, `{"id":"1","code":200}`, `?`,
	} {
		w.Says(t, d, alink.PropertyGetReply, "", answer)
	}
	w.Says(t, d, alink.EventPost, "fault", `{"id":"1","params":{"code":1}}`)
	w.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Message, Device: d.ID, Body: []byte("?")})
	followed(t, w)
	if st := state(t, s, d.ID); st.Version != last {
		t.Errorf("what is no report changed the version from %d to %d", last, st.Version)
	}
	if st := state(t, s, w.Lights[1].ID); st.Version != 0 || st.Reported != nil {
		t.Errorf("a device that never spoke has %+v", st)
	}
	w.Says(t, d, alink.PropertyGetReply, "", `{"id":"1","code":200,"data":{"powerstate":0}}`)
	followed(t, w)
	if st := state(t, s, d.ID); fmt.Sprint(texts(st.Reported)) != "map[brightness:50 powerstate:0]" {
		t.Errorf("after an answer %v is reported", texts(st.Reported))
	}
}

// TestBatches: of what came in batches and as history the newest value stands, and never one that is older than what was reported.
func TestBatches(t *testing.T) {
	w := devicetest.New(t, 1)
	d := w.Lights[0]
	s, _ := follow(t, w)
	now := time.Now().UnixMilli()
	for _, tt := range []struct {
		topic      alink.Template
		post, want string
	}{
		{alink.HistoryPost, fmt.Sprintf(`[{"properties":[{"brightness":{"value":3,"time":%d}},{"brightness":{"value":1,"time":946684800000}}]}]`, now-90_000), "map[brightness:3]"},
		{alink.BatchPost, fmt.Sprintf(`{"properties":{"brightness":[{"value":9,"time":%d},{"value":8,"time":%d}],"powerstate":1}}`, now-60_000, now-70_000), "map[brightness:9 powerstate:1]"},
		{alink.HistoryPost, fmt.Sprintf(`{"properties":[{"brightness":{"value":2,"time":%d}},{"powerstate":{"value":0,"time":%d}}]}`, now-65_000, now-65_000), "map[brightness:9 powerstate:1]"},
		{alink.HistoryPost, fmt.Sprintf(`{"properties":[{"brightness":{"value":7,"time":%d}}]}`, now+12*3600_000), "map[brightness:9 powerstate:1]"}, // nothing past is half a day ahead
		{alink.PackPost, `{"properties":{"brightness":77}}`, "map[brightness:77 powerstate:1]"},
	} {
		w.Says(t, d, tt.topic, "", `{"id":"1","params":`+tt.post+`}`)
		followed(t, w)
		if got := fmt.Sprint(texts(state(t, s, d.ID).Reported)); got != tt.want {
			t.Errorf("after %s of %s\n got %s\nwant %s", tt.topic, tt.post, got, tt.want)
		}
	}
}

// TestDesired writes what is desired with a transaction, or not at all.
func TestDesired(t *testing.T) {
	w := devicetest.New(t, 1)
	s := shadow.New(w.Store, w.Products, w.Quiet)
	id, at := w.Lights[0].ID, time.Now().Truncate(time.Millisecond).UTC()
	desire := func(then error, sets ...shadow.Setting) error {
		return w.Store.Write(t.Context(), func(tx *store.Tx) error {
			return errors.Join(s.SetDesired(t.Context(), tx, id, sets, at), then)
		})
	}
	if err := desire(nil, shadow.Setting{Property: "brightness", Value: []byte("10")}, shadow.Setting{Property: "powerstate", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if err := desire(nil, shadow.Setting{Property: "brightness", Value: []byte("20")}); err != nil {
		t.Fatal(err)
	}
	if err := desire(errors.New("no"), shadow.Setting{Property: "powerstate", Value: []byte("0")}); err == nil {
		t.Fatal("the transaction did not fail")
	}
	got := state(t, s, id)
	want := shadow.State{Desired: map[string]shadow.Value{
		"brightness": {Value: []byte("20"), Time: at}, "powerstate": {Value: []byte("1"), Time: at},
	}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("desired (-got +want):\n%s", diff)
	}
}

// TestDropDesired takes wishes back: a late one never takes back a newer wish, also when nothing was desired in between.
func TestDropDesired(t *testing.T) {
	w := devicetest.New(t, 1)
	s := shadow.New(w.Store, w.Products, w.Quiet)
	id := w.Lights[0].ID
	desire := func(value string) {
		t.Helper()
		err := w.Store.Write(t.Context(), func(tx *store.Tx) error {
			return s.SetDesired(t.Context(), tx, id, []shadow.Setting{{Property: "brightness", Value: []byte(value)}}, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	desire("10")
	for i, tt := range []struct {
		drop   shadow.Drop
		desire string
		want   string
	}{
		{shadow.Drop{Property: "brightness", Version: 7}, "", "10 of version 1"},
		{shadow.Drop{Property: "powerstate"}, "", "10 of version 1"},
		{shadow.Drop{Property: "brightness", Version: 1}, "", "nothing"},
		{shadow.Drop{Property: "brightness", Version: 1}, "20", "20 of version 2"},
		{shadow.Drop{Property: "brightness", Version: 1}, "", "20 of version 2"},
		{shadow.Drop{Property: "brightness"}, "", "nothing"},
	} {
		if tt.desire != "" {
			desire(tt.desire)
		}
		if err := s.DropDesired(t.Context(), id, []shadow.Drop{tt.drop}, time.Now()); err != nil {
			t.Fatal(err)
		}
		var list []shadow.Wanted
		err := w.Store.Read(t.Context(), func(v *store.View) (err error) {
			list, err = shadow.Desired(t.Context(), v, id, nil)
			return err
		})
		got := "nothing"
		if len(list) == 1 {
			got = fmt.Sprintf("%s of version %d", list[0].Value, list[0].Version)
		}
		if shown := len(state(t, s, id).Desired); err != nil || got != tt.want || shown != len(list) {
			t.Errorf("step %d: desired is %s, %d shown, %v; want %s", i, got, shown, err, tt.want)
		}
	}
}

// TestManyDevices asks for more at once than one statement takes.
func TestManyDevices(t *testing.T) {
	w := devicetest.New(t, 450)
	for _, d := range w.Lights {
		w.Posts(t, d, `"brightness":7`)
	}
	s, _ := follow(t, w)
	followed(t, w)
	var ids []string
	for _, d := range w.Lights {
		ids = append(ids, d.ID)
	}
	states, err := s.States(t.Context(), ids...)
	if err != nil || len(states) != len(ids) {
		t.Fatalf("%d states of %d devices, %v", len(states), len(ids), err)
	}
	for id, st := range states {
		if string(st.Reported["brightness"].Value) != "7" || st.Version != 1 {
			t.Errorf("device %s has %+v", id, st)
		}
	}
}
