package command_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// sent submits sets and marks them as sent over the connection of epoch 1, one by one.
func (r *room) sent(t *testing.T, d device.Device, qos uint8, params ...string) (cs []command.Command) {
	t.Helper()
	for _, p := range params {
		r.submit(t, set(d, p, time.Minute))
		taken, err := r.commands.Take(t.Context(), d.ID, 1, 100, func(c *command.Command) bool { c.QoS = qos; return true })
		if err != nil || len(taken) != 1 || taken[0].QoS != qos {
			t.Fatalf("taken were %+v, %v", taken, err)
		}
		cs = append(cs, taken...)
	}
	return cs
}

// becomes writes what the end of a command, or how it went, is in its row.
func (r *room) becomes(t *testing.T, c command.Command, assignments string) {
	t.Helper()
	if assignments == "" {
		return
	}
	err := r.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE command SET "+assignments+" WHERE seq = ?", c.Seq)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestResume: of the sets that a session was sent and did not acknowledge those go again that no newer one has overtaken.
func TestResume(t *testing.T) {
	r := newRoom(t, 9)
	const a, b, both = `{"brightness":1}`, `{"powerstate":1}`, `{"brightness":2,"powerstate":0}`
	for i, tt := range []struct {
		params []string
		newest string // what became of the last
		want   string
	}{
		{[]string{a, b, both}, "", "0 1 2"},
		{[]string{a, b, both}, "state = 'acknowledged'", ""},
		{[]string{a, b, both}, "state = 'succeeded', ended_at = 1", ""},
		{[]string{a, b, both}, "qos = 0", ""},
		{[]string{a, b, both}, "fetched = 1", ""},
		{[]string{a, b, a}, "state = 'succeeded', ended_at = 1", "1"},
		{[]string{a, both, b}, "state = 'succeeded', ended_at = 1", ""}, // both does not go, and has set what a sets
		{[]string{a, b}, "state = 'accepted', sent_at = NULL", "0"},     // it goes later
	} {
		d := r.Lights[i]
		cs := r.sent(t, d, 1, tt.params...)
		r.becomes(t, cs[len(cs)-1], tt.newest)
		var got []string
		again, more, err := r.commands.Resume(t.Context(), command.Resumption{Device: d.ID, Since: 1, Epoch: 2}, 10, func(*command.Command) bool { return true })
		for _, c := range again {
			got = append(got, fmt.Sprint(slices.IndexFunc(cs, func(had command.Command) bool { return had.Seq == c.Seq })))
		}
		if text := strings.Join(got, " "); text != tt.want || more || err != nil {
			t.Errorf("%v, the last %q: again go %q, more %v, %v; want %q", tt.params, tt.newest, text, more, err, tt.want)
		}
	}
	d := r.Lights[8]
	r.sent(t, d, 0, a, b)
	again, _, err := r.commands.Resume(t.Context(), command.Resumption{Device: d.ID, Since: 1, Epoch: 2}, 10, func(*command.Command) bool { return true })
	if len(again) != 0 || err != nil {
		t.Errorf("what went at QoS 0 goes again: %+v, %v", again, err)
	}
}

// TestResumeInParts: what finds no room goes when there is some, in order; and the connection before cannot take it back.
func TestResumeInParts(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	var params []string
	for n := range 5 {
		params = append(params, fmt.Sprintf(`{"brightness":%d}`, n+1))
	}
	cs := r.sent(t, d, 1, params...)
	at := command.Resumption{Device: d.ID, Since: 1, Epoch: 2}
	var got []int64
	for n, more := 0, true; more; n++ {
		var again []command.Command
		var err error
		if again, more, err = r.commands.Resume(t.Context(), at, 2, func(*command.Command) bool { return true }); err != nil || n > 3 {
			t.Fatalf("after %d: %v", n, err)
		}
		for _, c := range again {
			got, at.After = append(got, c.Seq), c.Seq
		}
	}
	if len(got) != len(cs) || !slices.IsSorted(got) {
		t.Errorf("again went %v", got)
	}
	if err := r.commands.Return(t.Context(), 1, cs); err != nil {
		t.Fatal(err)
	}
	if taken := r.take(t, d); len(taken) != 0 {
		t.Errorf("the connection before took back %d commands of its successor", len(taken))
	}
	if err := r.commands.Return(t.Context(), 2, cs[4:]); err != nil {
		t.Fatal(err)
	}
	if taken := r.take(t, d); len(taken) != 1 || taken[0].Seq != cs[4].Seq {
		t.Errorf("returned was %+v", taken)
	}
}

// TestUndeliverable: what the device cannot be sent ends with the reason.
func TestUndeliverable(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	cs := r.sent(t, d, 1, `{"brightness":1}`)
	for range 2 {
		if err := r.commands.Undeliverable(t.Context(), cs[0], "it is too large"); err != nil {
			t.Error(err)
		}
	}
	if c := r.end(t, cs[0]); c.State != command.Failed || c.Reason != command.Undeliverable || c.Note != "it is too large" {
		t.Errorf("it ended as %s, %s, %q", c.State, c.Reason, c.Note)
	}
}
