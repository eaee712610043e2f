package session_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk is the sessions over a real store and Log.
type desk struct {
	*devicetest.Works
	*session.Service
	stop func()
}

func newDesk(t testing.TB, floor uint64) *desk {
	t.Helper()
	d := &desk{Works: devicetest.New(t, 0)}
	d.start(t, floor, time.Now())
	return d
}

// start is a run of the program.
func (d *desk) start(t testing.TB, floor uint64, now time.Time) {
	t.Helper()
	d.Service = session.New(d.Store, d.Quiet)
	if err := d.Begin(t.Context(), floor, now); err != nil {
		t.Fatal(err)
	}
	d.stop = devicetest.Run(t, func(ctx context.Context) error { return d.Follow(ctx, d.Log) })
}

func (d *desk) began(t testing.TB, id string, at time.Time, b session.Began) (pos uplink.Position) {
	t.Helper()
	r, err := session.AppendBegan(id, at, &b)
	if err != nil {
		t.Fatal(err)
	}
	return d.Append(t, r)
}

// connects is a connection that takes what an earlier one left.
func (d *desk) connects(t testing.TB, id string, epoch uint64, at time.Time, lasts time.Duration) session.State {
	t.Helper()
	pos := d.began(t, id, at, session.Began{Epoch: epoch, Lasts: lasts})
	st, err := d.At(t.Context(), id, epoch, pos)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// takes stores a message of QoS 2 that came over a connection, or, without an identifier, the will of one.
func (d *desk) takes(t testing.TB, id string, packet uint16, epoch uint64) {
	t.Helper()
	m := device.Message{Product: d.Product.ID, Template: alink.PropertyPost, Payload: []byte("{}"), PacketID: packet, Epoch: epoch, WillOf: epoch}
	body, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Message, Device: id, Subject: "post", Body: body})
}

func (d *desk) present(t testing.TB, id string, epoch uint64) {
	t.Helper()
	p := device.Presence{Online: true, Epoch: epoch}
	d.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Presence, Device: id, Subject: "presence", Body: p.Append(nil)})
}

// TestStateFollowsTheLog: what a session has is what was said of it, by the connection that has it.
func TestStateFollowsTheLog(t *testing.T) {
	d, now := newDesk(t, 0), time.Now()
	list := []session.Filter{{Text: "/sys/a/b/#", QoS: 1}, {Text: "x", QoS: 2, ID: 1 << 20}}
	if st := d.connects(t, "d", 1, now, time.Hour); st.Present {
		t.Errorf("the first connection found %+v", st)
	}
	d.present(t, "d", 1)
	d.Append(t, session.FiltersRecord("d", now, 1, list[:1]))
	d.Append(t, session.FiltersRecord("d", now, 1, list))
	for _, id := range []uint16{7, 9, 7, 11} {
		d.takes(t, "d", id, 1)
	}
	d.Append(t, session.ReleasedRecord("d", now, 1, 9))
	d.Append(t, session.ReleasedRecord("d", now, 1, 99))
	want := session.State{Present: true, Since: 1, Filters: list, Held: []uint16{7, 11}}
	if diff := cmp.Diff(want, d.connects(t, "d", 3, now, time.Hour)); diff != "" {
		t.Errorf("the second connection found (-want +got)\n%s", diff)
	}
	for _, late := range []uplink.Record{ // of the first connection
		session.FiltersRecord("d", now, 1, nil), session.ReleasedRecord("d", now, 1, 7), session.EndedRecord("d", now, &session.Ended{Epoch: 1}),
	} {
		d.Append(t, late)
	}
	d.takes(t, "d", 13, 1)
	d.takes(t, "d", 11, 0) // before records said of which connection they are
	d.began(t, "d", now, session.Began{Epoch: 2, Clean: true})
	if diff := cmp.Diff(want, d.connects(t, "d", 4, now, time.Hour)); diff != "" {
		t.Errorf("the third connection found (-want +got)\n%s", diff)
	}
	d.present(t, "d", 5) // a clean connection says nothing more
	if st := d.connects(t, "d", 6, now, time.Hour); st.Present {
		t.Errorf("after a clean connection there was %+v", st)
	}
}

// TestSessionsExpire: a session waits as long as it was to, and one that was not to stay not at all.
func TestSessionsExpire(t *testing.T) {
	d, now := newDesk(t, 0), time.Now()
	for i, tt := range []struct {
		lasts, after time.Duration
		want         bool
	}{{time.Hour, 59 * time.Minute, true}, {time.Hour, 61 * time.Minute, false}, {0, 0, false}} {
		id := fmt.Sprint("d", i)
		d.connects(t, id, 1, now, tt.lasts)
		d.Append(t, session.EndedRecord(id, now, &session.Ended{Epoch: 1, Lasts: tt.lasts}))
		if st := d.connects(t, id, 2, now.Add(tt.after), tt.lasts); st.Present != tt.want {
			t.Errorf("%s after a session of %s: present %v", tt.after, tt.lasts, st.Present)
		}
	}
}

func (d *desk) due(t testing.TB, at time.Time) (ids []string) {
	t.Helper()
	var err error
	devicetest.Eventually(t, "the rows to follow the Log", func() (bool, any) {
		pos := d.Append(t, uplink.Record{At: at, Kind: uplink.Fact, Subject: "nothing"})
		_, err := d.At(t.Context(), "nobody", 1, pos)
		return err == nil, err
	})
	due, err := d.DueWills(t.Context(), d.Log, at, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range due {
		ids = append(ids, w.Device)
		if string(w.Payload) != "bye "+w.Device || w.Template != alink.EventPost || w.Arg != "fault" || w.Product != d.Product.ID {
			t.Errorf("the will of %s is %+v", w.Device, w)
		}
	}
	slices.Sort(ids)
	return ids
}

// TestWillsAreDue: after the delay, at the end of the session at the latest, once, and never when the device said goodbye.
func TestWillsAreDue(t *testing.T) {
	d, now := newDesk(t, 0), time.Now()
	will := func(id string, delay time.Duration) *session.Will {
		return &session.Will{Product: d.Product.ID, Template: alink.EventPost, Arg: "fault", Delay: delay, Payload: []byte("bye " + id)}
	}
	for _, tt := range []struct {
		id           string
		delay, lasts time.Duration
		said         bool
	}{{"a", 0, 0, true}, {"b", time.Minute, time.Hour, true}, {"c", time.Hour, time.Minute, true}, {"d", time.Hour, 0, true}, {"e", 0, time.Hour, false}} {
		d.began(t, tt.id, now, session.Began{Epoch: 1, Lasts: tt.lasts, Will: will(tt.id, tt.delay)})
		if got := d.due(t, now.Add(time.Hour)); slices.Contains(got, tt.id) {
			t.Errorf("the will of %s is due while it is online", tt.id)
		}
		d.Append(t, session.EndedRecord(tt.id, now, &session.Ended{Epoch: 1, Lasts: tt.lasts, Will: tt.said}))
	}
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{0, "[a d]"}, {59 * time.Second, "[a d]"}, {time.Minute, "[a b c d]"}} {
		if got := fmt.Sprint(d.due(t, now.Add(tt.after))); got != tt.want {
			t.Errorf("after %s are due %s, want %s", tt.after, got, tt.want)
		}
	}
	d.takes(t, "a", 0, 1) // said
	d.takes(t, "b", 0, 9) // that of another session
	d.Append(t, session.DroppedRecord("c", now, 1))
	if got := fmt.Sprint(d.due(t, now.Add(time.Hour))); got != "[b d]" {
		t.Errorf("later are due %s", got)
	}
	d.connects(t, "d", 2, now, 0)
	if got := fmt.Sprint(d.due(t, now.Add(time.Hour))); got != "[b]" {
		t.Errorf("when d is back are due %s", got)
	}
}

// TestRestart: sessions that ended with the program go on, whether their beginning was noted before or not; their wills wait
// a while for the devices, and as long as they asked for, however long the program stood still. So do those that became due
// meanwhile.
func TestRestart(t *testing.T) {
	d, now := newDesk(t, 0), time.Now()
	begins := func(id string, epoch uint64, delay time.Duration) uplink.Position {
		will := &session.Will{Product: d.Product.ID, Template: alink.EventPost, Arg: "fault", Delay: delay, Payload: []byte("bye " + id)}
		return d.began(t, id, now, session.Began{Epoch: epoch, Lasts: time.Hour, Will: will})
	}
	begins("left", 3, 2*time.Minute)
	d.Append(t, session.EndedRecord("left", now, &session.Ended{Epoch: 3, Lasts: time.Hour, Will: true}))
	begins("leaves", 3, 2*time.Minute)
	begins("patient", 4, 5*time.Minute)
	noted := begins("noted", 5, 0)
	if _, err := d.At(t.Context(), "noted", 5, noted); err != nil {
		t.Fatal(err)
	}
	d.stop()
	d.Append(t, session.EndedRecord("leaves", now, &session.Ended{Epoch: 3, Lasts: time.Hour, Will: true}))
	begins("late", 6, 0)
	begins("late and patient", 7, 5*time.Minute)
	d.Append(t, session.FiltersRecord("late", now, 6, []session.Filter{{Text: "x"}}))
	now = now.Add(30 * time.Minute)
	d.start(t, 100, now)
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{
		{session.RestartGrace - time.Second, "[]"},
		{session.RestartGrace + time.Second, "[late leaves left noted]"},
		{5*time.Minute - time.Second, "[late leaves left noted]"},
		{5*time.Minute + time.Second, "[late late and patient leaves left noted patient]"},
	} {
		if got := fmt.Sprint(d.due(t, now.Add(tt.after))); got != tt.want {
			t.Errorf("%s after the start are due %s, want %s", tt.after, got, tt.want)
		}
	}
	if st := d.connects(t, "late", 101, now.Add(59*time.Minute), time.Hour); !st.Present || len(st.Filters) != 1 {
		t.Errorf("the session that was not noted before the end is %+v", st)
	}
	if got := d.due(t, now.Add(time.Hour)); slices.Contains(got, "late") || !slices.Contains(got, "noted") {
		t.Errorf("when one is back are due %s", got)
	}
	if st := d.connects(t, "noted", 102, now.Add(2*time.Hour), time.Hour); st.Present {
		t.Errorf("two hours later there was %+v", st)
	}
}

// TestWillsUnderLoad: what comes into the Log all the time does not keep wills from being due.
func TestWillsUnderLoad(t *testing.T) {
	d, now := newDesk(t, 0), time.Now()
	will := &session.Will{Product: d.Product.ID, Template: alink.EventPost, Arg: "fault", Payload: []byte("bye a")}
	d.began(t, "a", now, session.Began{Epoch: 1, Will: will})
	d.Append(t, session.EndedRecord("a", now, &session.Ended{Epoch: 1, Will: true}))
	busy := ahead{Log: d.Log, fill: func() { d.Append(t, uplink.Record{At: now, Kind: uplink.Fact, Subject: "nothing"}) }}
	if due, err := d.DueWills(t.Context(), busy, now, 10); err != nil || len(due) != 1 {
		t.Errorf("due are %+v, %v", due, err)
	}
}

// ahead is a Log into which something comes whenever somebody looks how far it goes.
type ahead struct {
	uplink.Log
	fill func()
}

func (a ahead) Tail() uplink.Position { a.fill(); return a.Log.Tail() }

// TestErase: the sessions of a device go with it.
func TestErase(t *testing.T) {
	d := newDesk(t, 0)
	ds := d.Issue(t, 3)
	for _, of := range ds {
		d.connects(t, of.ID, 1, time.Now(), time.Hour)
	}
	holds := func(kind, id string) (n int64) {
		err := d.Store.Read(t.Context(), func(v *store.View) (err error) {
			n, err = d.Holds(t.Context(), v, kind, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	erase := func(kind, id string) {
		for more := true; more; {
			err := d.Store.Write(t.Context(), func(tx *store.Tx) (err error) {
				more, err = d.Service.Erase(t.Context(), tx, kind, id, 1)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	erase("device", ds[0].ID)
	if got := [3]int64{holds("device", ds[0].ID), holds("product", d.Product.ID), holds("user", "ann")}; got != [3]int64{0, 2, 0} {
		t.Errorf("after one device %v", got)
	}
	erase("product", d.Product.ID)
	if n := holds("organisation", d.Maker.Organisation); n != 0 {
		t.Errorf("after the product %d are left", n)
	}
}

// TestSessionModel drives a session at random beside a model of it, in any batches that the reading of the Log makes of it.
func TestSessionModel(t *testing.T) {
	d, device, base := newDesk(t, 0), 0, time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		device++
		id, epoch, at := fmt.Sprint("m", device), uint64(0), base
		var model session.State
		lasts, there, since := time.Duration(0), false, uint64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"connect": func(rt *rapid.T) {
				if rapid.Bool().Draw(rt, "goes first") {
					d.Append(t, session.EndedRecord(id, at, &session.Ended{Epoch: epoch, Lasts: lasts}))
				}
				clean := rapid.Bool().Draw(rt, "clean")
				epoch++
				next := time.Duration(rapid.IntRange(0, 2).Draw(rt, "hours")) * time.Hour
				pos := d.began(t, id, at, session.Began{Epoch: epoch, Clean: clean, Lasts: next})
				if clean || !there || lasts == 0 {
					model, since = session.State{}, epoch
				} else {
					model.Present, model.Since = true, since
				}
				lasts, there = next, true
				got, err := d.At(t.Context(), id, epoch, pos)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(model, got); diff != "" {
					rt.Fatalf("(-want +got)\n%s", diff)
				}
				model.Present = true
			},
			"subscribe": func(rt *rapid.T) {
				if !there {
					return
				}
				model.Filters = nil
				for n := range rapid.IntRange(0, 3).Draw(rt, "filters") {
					model.Filters = append(model.Filters, session.Filter{Text: fmt.Sprint("f", n), QoS: uint8(n), ID: uint32(n)})
				}
				d.Append(t, session.FiltersRecord(id, at, epoch, model.Filters))
			},
			"take": func(rt *rapid.T) {
				packet := rapid.Uint16Range(1, 4).Draw(rt, "packet")
				if there {
					d.takes(t, id, packet, rapid.SampledFrom([]uint64{0, epoch}).Draw(rt, "said"))
					if !slices.Contains(model.Held, packet) {
						model.Held = append(model.Held, packet)
					}
				}
			},
			"release": func(rt *rapid.T) {
				packet := rapid.Uint16Range(1, 4).Draw(rt, "packet")
				d.Append(t, session.ReleasedRecord(id, at, epoch, packet))
				model.Held = slices.DeleteFunc(model.Held, func(h uint16) bool { return h == packet })
				if len(model.Held) == 0 {
					model.Held = nil
				}
			},
		})
	})
}
