package device_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/triple"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStoredTemplates pins the numbers that stand in records of the Log, which are read for days after an update.
// A number may be added, never changed.
func TestStoredTemplates(t *testing.T) {
	golden, err := os.ReadFile("testdata/templates.txt")
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for line := range strings.Lines(string(golden)) {
		var topic string
		if _, err := fmt.Sscan(line, &last, &topic); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := alink.Template(last).String(); got != topic {
			t.Errorf("%d is %s, in records of the Log it is %s", last, got, topic)
		}
	}
	if got := alink.Template(last + 1).String(); got != "no topic" {
		t.Errorf("testdata/templates.txt ends before %d %s", last+1, got)
	}
}

func TestMessageForm(t *testing.T) {
	m := device.Message{Product: "0192f0c4-7c1e-7a3b-8a51-6c0d2f9b4e11", Template: alink.EventPost, Arg: "fault", Payload: []byte(`{"id":"1"}`)}
	b, err := m.Append([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	const form = "before\x01\x01\x92\xf0\xc4\x7c\x1e\x7a\x3b\x8a\x51\x6c\x0d\x2f\x9b\x4e\x11\x03\x05fault{\"id\":\"1\"}"
	if string(b) != form {
		t.Errorf("encoded as %q\nwant       %q", b, form)
	}
	got, err := device.DecodeMessage(b[len("before"):])
	if diff := cmp.Diff(got, m); diff != "" || err != nil {
		t.Errorf("decoded (-got +want): %s%v", diff, err)
	}
	for n := range len(form) - len("before") - len(m.Payload) {
		if _, err := device.DecodeMessage(b[len("before"):][:n]); err == nil {
			t.Errorf("%d of its bytes were decoded", n)
		}
	}
	if _, err := (&device.Message{Product: "lamp"}).Append(nil); err == nil {
		t.Error("a message of no product was encoded")
	}
	if _, err := (&device.Message{Product: m.Product, Arg: strings.Repeat("x", 256)}).Append(nil); err == nil {
		t.Error("an argument of 256 bytes was encoded")
	}
}

func FuzzRefusal(f *testing.F) {
	whole := (&device.Refusal{Topic: "/sys/pk/dn/thing/event/property/post", Why: "/params/brightness is 0", Payload: []byte("\x00")}).Append(nil)
	for n := range len(whole) + 1 {
		f.Add(whole[:n])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := device.DecodeRefusal(body)
		if err != nil {
			return
		}
		if again := r.Append(nil); !bytes.Equal(again, body) {
			t.Errorf("%x is read as %q and written as %x", body, r, again)
		}
	})
}

func TestPresenceForm(t *testing.T) {
	for _, p := range []device.Presence{
		{},
		{Online: true, Epoch: 1<<63 + 5, Reason: "connected", Address: "[::1]:1883"},
		{Epoch: 7, Reason: strings.Repeat("x", 255)},
	} {
		b := p.Append(nil)
		got, err := device.DecodePresence(b)
		if diff := cmp.Diff(got, p); diff != "" || err != nil {
			t.Errorf("decoded (-got +want): %s%v", diff, err)
		}
		for n := range 11 + len(p.Reason) {
			if _, err := device.DecodePresence(b[:n]); err == nil {
				t.Errorf("%d of %d bytes were decoded", n, len(b))
			}
		}
	}
	long := device.Presence{Reason: strings.Repeat("x", 300), Address: "a"}
	if got, err := device.DecodePresence(long.Append(nil)); err != nil || len(got.Reason) != 255 || got.Address != "a" {
		t.Errorf("a long reason became %d bytes, address %q, %v", len(got.Reason), got.Address, err)
	}
}

func TestIdentify(t *testing.T) {
	w := devicetest.New(t, 2)
	one, two := w.Lights[0], w.Lights[1]
	id, err := w.Devices.Identify(t.Context(), w.Product.ProductKey, one.Name)
	if err != nil {
		t.Fatal(err)
	}
	if id.ID != one.ID || id.Organisation != "lamps" || id.Product != w.Product.ID || id.State != device.Enabled {
		t.Errorf("identified as %+v", id)
	}
	other, err := w.Devices.Identify(t.Context(), w.Product.ProductKey, two.Name)
	if err != nil || other.Secret.Equal(id.Secret) || len(id.Secret.Reveal()) != 32 {
		t.Errorf("two devices have secrets of %d bytes, the same: %v, %v", len(id.Secret.Reveal()), other.Secret.Equal(id.Secret), err)
	}
	for _, tt := range [][2]string{
		{w.Product.ProductKey, "0123456789ab"},
		{w.Product.ProductKey, strings.ToUpper(one.Name)},
		{w.Product.ProductKey, triple.MAC{}.String()},
		{w.Product.ProductKey, "' OR 1=1"},
		{"lwaaaaaaaaa", one.Name},
		{"", ""},
	} {
		if tt == [2]string{w.Product.ProductKey, one.Name} {
			continue // an address without letters has no capitals
		}
		if got, err := w.Devices.Identify(t.Context(), tt[0], tt[1]); !fault.Is(err, fault.Missing) {
			t.Errorf("Identify(%q, %q) is %+v, %v; want not found", tt[0], tt[1], got, err)
		}
	}
}

// TestScope asks for everything in the name of another organisation.
func TestScope(t *testing.T) {
	w := devicetest.New(t, 1)
	d, ctx := w.Lights[0], t.Context()
	if got, err := w.Devices.Load(ctx, w.Maker, d.ID); err != nil || got.Name != d.Name {
		t.Errorf("its owner finds %+v, %v", got, err)
	}
	if _, err := w.Devices.Load(ctx, w.Stranger, d.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's Load: %v, want not found", err)
	}
	if ds, err := w.Devices.List(ctx, w.Stranger, listing.Ask{}); len(ds.Items) != 0 || ds.Next != "" || err != nil {
		t.Errorf("a stranger lists %v, %v", ds, err)
	}
	if err := w.Devices.SetState(ctx, w.Stranger, d.ID, device.Disabled, ""); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's SetState: %v, want not found", err)
	}
	if gone, err := w.Devices.Disabled(ctx, []string{d.ID}); len(gone) != 0 || err != nil {
		t.Errorf("disabled are %v, %v", gone, err)
	}
}

func TestList(t *testing.T) {
	w := devicetest.New(t, 5)
	var got []string
	for ask := (listing.Ask{Filters: map[string]string{device.ByProduct: w.Product.ID}, Limit: 2}); ; {
		page, err := w.Devices.List(t.Context(), w.Maker, ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			got = append(got, d.ID)
		}
		if ask.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	var want []string
	for _, d := range w.Lights {
		want = append(want, d.ID)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("pages of two (-got +want):\n%s", diff)
	}
	name := w.Lights[3].Name
	for _, tt := range []struct {
		by, value string
		want      int
	}{
		{device.ByName, name, 1},
		{device.ByName, name[:6], 5},
		{device.ByName, "%", 0},
		{device.ByProduct, "another", 0},
		{device.ByOrder, w.Lights[0].Order, 5},
		{device.ByOnline, "false", 0},
		{device.ByOnline, "true", 0},
	} {
		ask := listing.Ask{Filters: map[string]string{tt.by: tt.value}, Total: true}
		if page, err := w.Devices.List(t.Context(), w.Maker, ask); len(page.Items) != tt.want || err != nil || page.Total.Count != tt.want {
			t.Errorf("List(%+v) has %d devices, %v; want %d", ask, len(page.Items), err, tt.want)
		}
	}
	if _, err := w.Devices.List(t.Context(), w.Maker, listing.Ask{Limit: 501}); !fault.Is(err, fault.Malformed) {
		t.Errorf("a page of 501: %v, want it refused", err)
	}
}

// TestSetState puts a triple out of force: the gateway hears of it, is told when it asks, and the act is on record.
func TestSetState(t *testing.T) {
	w := devicetest.New(t, 2)
	d, ctx := w.Lights[0], t.Context()
	heard := make(chan string, 1)
	defer w.Bus.Subscribe(device.StateSubject+">", func(subject string, _ []byte) { heard <- subject })()
	if err := w.Devices.SetState(ctx, w.Maker, d.ID, device.Disabled, "stolen"); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != device.StateSubject+d.ID {
		t.Errorf("the event is %s", got)
	}
	gone, err := w.Devices.Disabled(ctx, []string{w.Lights[1].ID, d.ID, "nobody"})
	if diff := cmp.Diff(gone, []string{d.ID, "nobody"}); diff != "" || err != nil {
		t.Errorf("disabled are (-got +want):\n%s%v", diff, err)
	}
	if id, err := w.Devices.Identify(ctx, w.Product.ProductKey, d.Name); err != nil || id.State != device.Disabled {
		t.Errorf("identified as %s, %v", id.State, err)
	}
	if err := w.Devices.SetState(ctx, w.Maker, d.ID, "asleep", ""); !fault.Is(err, fault.Malformed) {
		t.Errorf("an unknown state: %v, want it refused", err)
	}
	err = w.Store.Read(ctx, func(v *store.View) error {
		entries, _, err := audit.List(ctx, v, w.Maker.Organisation, audit.Filter{})
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Act == "device.disabled" && e.Object == d.ID && e.Note == "stolen" {
				return nil
			}
		}
		t.Errorf("no entry of the act among %+v", entries)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestChangesOfOne has what carries a device, and its right, change again and again, as a gateway may make it: whoever follows learns of it once, and
// the rows do not grow with it.
func TestChangesOfOne(t *testing.T) {
	w := devicetest.New(t, 3)
	hub, d, other, ctx := w.Lights[0], w.Lights[1], w.Lights[2], t.Context()
	for range 20 {
		if err := w.Devices.Adopt(ctx, hub.ID, []string{d.ID, other.ID}); err != nil {
			t.Fatal(err)
		}
		if err := w.Devices.Part(ctx, hub.ID, []string{d.ID, other.ID}); err != nil {
			t.Fatal(err)
		}
	}
	changed, newest, err := w.Devices.Changes(ctx, 0)
	if diff := cmp.Diff(changed, []string{d.ID, other.ID}); diff != "" || err != nil {
		t.Errorf("changed are (-got +want):\n%s%v", diff, err)
	}
	if err := w.Devices.SetState(ctx, w.Maker, d.ID, device.Disabled, ""); err != nil {
		t.Fatal(err)
	}
	if changed, _, err = w.Devices.Changes(ctx, newest); len(changed) != 1 || changed[0] != d.ID || err != nil {
		t.Errorf("behind that %v has changed, %v", changed, err)
	}
}

// presence is a record of the Log as the gateway writes it.
func presence(d device.Device, online bool, epoch uint64, reason string) uplink.Record {
	p := device.Presence{Online: online, Epoch: epoch, Reason: reason, Address: "192.0.2.7:5000"}
	return uplink.Record{At: time.Now(), Kind: uplink.Presence, Device: d.ID, Subject: "presence", Body: p.Append(nil)}
}

// comings are sessions that begin and end, in the order and out of it, with what is known after each.
var comings = []struct {
	online bool
	epoch  uint64 // from the first on
	reason string
	want   string
}{
	{true, 1, "connected", "online connected"},
	{true, 2, "connected", "online connected"},
	{false, 1, "taken over", "online connected"}, // the end of an older session
	{false, 2, "connection lost", "offline connection lost"},
	{true, 1, "connected", "offline connection lost"}, // late
	{true, 3, "connected", "online connected"},
	{true, 0, "connected", "online connected"}, // later still
}

// TestPresenceInOneBatch reads all that one device after the other has done at once: what is known is the same as when it is read
// as it comes.
func TestPresenceInOneBatch(t *testing.T) {
	w := devicetest.New(t, len(comings)+1)
	now := w.Devices.Epoch()
	if _, err := w.Devices.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := w.Lights[len(comings)]
	w.Append(t, presence(old, true, now, "connected")) // in the Log and not yet read when the last run ended
	now = w.Devices.Epoch()
	began := make([]time.Time, len(comings))
	for i := range comings {
		for n, tt := range comings[:i+1] {
			r := presence(w.Lights[i], tt.online, now+tt.epoch, tt.reason)
			r.At = r.At.Add(time.Duration(n) * time.Minute).Truncate(time.Millisecond)
			if w.Append(t, r); n == 0 {
				began[i] = r.At
			}
		}
	}
	devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	devicetest.Eventually(t, "presence to be followed", func() (bool, any) { return w.Log.Cursors()["device.presence"] >= w.Log.Tail(), nil })
	for i, tt := range comings {
		got, err := w.Devices.Load(t.Context(), w.Maker, w.Lights[i].ID)
		text := "offline " + got.Reason
		if got.Online {
			text = "online " + got.Reason
		}
		if err != nil || text != tt.want || !got.ActivatedAt.Equal(began[i]) || got.SeenAt.Before(began[i]) {
			t.Errorf("after %d: %s, activated %s, seen %s, %v; want %s, activated %s", i+1, text, got.ActivatedAt, got.SeenAt, err, tt.want, began[i])
		}
	}
	if got, err := w.Devices.Load(t.Context(), w.Maker, old.ID); err != nil || got.Online || got.Reason != "restarted" || got.ActivatedAt.IsZero() {
		t.Errorf("whose first session ended with the last run is online %v, %q, activated %s, %v", got.Online, got.Reason, got.ActivatedAt, err)
	}
}

// TestPresence plays sessions that begin and end in the order and out of it.
func TestPresence(t *testing.T) {
	w := devicetest.New(t, 1)
	d := w.Lights[0]
	if _, err := w.Devices.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := w.Devices.Epoch()
	stop := devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	for i, tt := range comings {
		pos := w.Append(t, presence(d, tt.online, now+tt.epoch, tt.reason))
		devicetest.Eventually(t, "presence to be followed", func() (bool, any) {
			at := w.Log.Cursors()["device.presence"]
			return at >= pos, at
		})
		got, err := w.Devices.Load(t.Context(), w.Maker, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		text := "offline " + got.Reason
		for _, by := range []map[string]string{{}, {device.ByProduct: w.Product.ID}} {
			by[device.ByOnline] = strconv.FormatBool(got.Online)
			if page, err := w.Devices.List(t.Context(), w.Maker, listing.Ask{Filters: by}); err != nil || len(page.Items) != 1 {
				t.Errorf("presence %d: the list by %v has %d devices, %v; want 1", i, by, len(page.Items), err)
			}
		}
		if got.Online {
			text = "online " + got.Reason
		}
		if text != tt.want || got.ActivatedAt.IsZero() || got.SeenAt.IsZero() {
			t.Errorf("step %d: %s, activated %s, seen %s; want %s", i, text, got.ActivatedAt, got.SeenAt, tt.want)
		}
	}
	stop()

	// The next run begins: who was online is not, also when the Log tells it only now.
	next := device.New(w.Store, w.Products, w.Keys, w.Bus, w.Quiet)
	if n, err := next.Begin(t.Context()); n != 1 || err != nil {
		t.Errorf("%d sessions were orphaned, %v; want 1", n, err)
	}
	pos := w.Append(t, presence(d, true, now+4, "connected")) // was in the Log and not yet read when the last run ended
	devicetest.Run(t, func(ctx context.Context) error { return next.Follow(ctx, w.Log) })
	devicetest.Eventually(t, "presence to be followed", func() (bool, any) { return w.Log.Cursors()["device.presence"] >= pos, nil })
	if got, err := next.Load(t.Context(), w.Maker, d.ID); err != nil || got.Online || got.Reason != "restarted" {
		t.Errorf("after a restart the device is online %v, %q, %v", got.Online, got.Reason, err)
	}
}

// TestClockWentBack begins a run after one whose clock ran years ahead: devices of the old run are offline, and one that
// connects is online.
func TestClockWentBack(t *testing.T) {
	w := devicetest.New(t, 2)
	var last device.Presence
	stop := devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	for _, d := range w.Lights {
		r := presence(d, true, w.Devices.Epoch(), "connected")
		r.At = time.Now().AddDate(10, 0, 0)
		last, _ = device.DecodePresence(r.Body)
		w.Append(t, r)
	}
	devicetest.Eventually(t, "presence to be followed", func() (bool, any) { return w.Log.Cursors()["device.presence"] >= w.Log.Tail(), nil })
	stop()

	for run, orphans := range []int{2, 1, 1} {
		next := device.New(w.Store, w.Products, w.Keys, w.Bus, w.Quiet)
		if n, err := next.Begin(t.Context()); err != nil || n != int64(orphans) {
			t.Errorf("run %d: %d sessions were orphaned, %v; want %d", run+1, n, err, orphans)
		}
		epoch := next.Epoch()
		if epoch <= last.Epoch {
			t.Errorf("run %d: the epoch is %d, that of the last run was %d", run+1, epoch, last.Epoch)
		}
		last.Epoch = epoch
		stop := devicetest.Run(t, func(ctx context.Context) error { return next.Follow(ctx, w.Log) })
		pos := w.Append(t, presence(w.Lights[0], true, epoch, "connected"))
		devicetest.Eventually(t, "presence to be followed", func() (bool, any) { return w.Log.Cursors()["device.presence"] >= pos, nil })
		for i, want := range []bool{true, false} {
			if got, err := next.Load(t.Context(), w.Maker, w.Lights[i].ID); err != nil || got.Online != want {
				t.Errorf("run %d: light %d is online %v, %v; want %v", run+1, i, got.Online, err, want)
			}
		}
		stop()
	}
}

// TestSeen notes a device that speaks, and passes over records nobody can read.
func TestSeen(t *testing.T) {
	w := devicetest.New(t, 1)
	d := w.Lights[0]
	w.Append(t, presence(d, true, w.Devices.Epoch(), "connected"))
	w.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Presence, Device: d.ID, Body: []byte("?")})
	later := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	w.Append(t, uplink.Record{At: later, Kind: uplink.Message, Device: d.ID, Body: []byte("?")})
	devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	devicetest.Eventually(t, "the device to be seen", func() (bool, any) {
		got, err := w.Devices.Load(t.Context(), w.Maker, d.ID)
		return err == nil && got.SeenAt.Equal(later), got.SeenAt
	})
}

// lines counts what a logger says.
type lines struct{ n atomic.Int32 }

func (l *lines) Write(b []byte) (int, error) {
	l.n.Add(1)
	return len(b), nil
}

// TestSeenAfterFailure fails the transaction that notes a device as seen: the next one notes it.
func TestSeenAfterFailure(t *testing.T) {
	w := devicetest.New(t, 1)
	d := w.Lights[0]
	exec := func(statement string) {
		t.Helper()
		err := w.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var failed lines
	s := device.New(w.Store, w.Products, w.Keys, w.Bus, slog.New(slog.NewTextHandler(&failed, &slog.HandlerOptions{Level: slog.LevelWarn})))
	pos := w.Append(t, presence(d, true, s.Epoch(), "connected"))
	devicetest.Run(t, func(ctx context.Context) error { return s.Follow(ctx, w.Log) })
	devicetest.Eventually(t, "presence to be followed", func() (bool, any) { return w.Log.Cursors()["device.presence"] >= pos, nil })
	exec("ALTER TABLE device_cursor RENAME TO away")
	later := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	w.Append(t, uplink.Record{At: later, Kind: uplink.Message, Device: d.ID, Body: []byte("?")})
	devicetest.Eventually(t, "a transaction to fail", func() (bool, any) { return failed.n.Load() > 0, nil })
	exec("ALTER TABLE away RENAME TO device_cursor")
	devicetest.Eventually(t, "the device to be seen", func() (bool, any) {
		got, err := s.Load(t.Context(), w.Maker, d.ID)
		return err == nil && got.SeenAt.Equal(later), got.SeenAt
	})
}

// TestRevokedNamesTheOrder notes the change of an order by its id, which whoever holds sessions hears, and forgets it with
// the order, its product or its organisation.
func TestRevokedNamesTheOrder(t *testing.T) {
	w := devicetest.New(t, 1)
	d, ctx := w.Lights[0], t.Context()
	heard := make(chan string, 1)
	defer w.Bus.Subscribe(device.StateSubject+">", func(subject string, _ []byte) { heard <- subject })()
	for kind, id := range map[string]string{"batch": d.Order, "product": d.Product, "organisation": d.Organisation} {
		if err := w.Store.Write(ctx, func(tx *store.Tx) error { return w.Devices.Revoked(ctx, tx, d.Order) }); err != nil {
			t.Fatal(err)
		}
		if got, want := <-heard, device.StateSubject+"batch:"+d.Order; got != want {
			t.Errorf("the event is %s, want %s", got, want)
		}
		changed, _, err := w.Devices.Changes(ctx, 0)
		if diff := cmp.Diff(changed, []string{device.OfBatch + d.Order}); diff != "" || err != nil {
			t.Errorf("changed are (-got +want):\n%s%v", diff, err)
		}
		err = w.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := w.Devices.Erase(ctx, tx, kind, id, 100)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if changed, _, err = w.Devices.Changes(ctx, 0); len(changed) != 0 || err != nil {
			t.Errorf("after the %s was erased %v has changed, %v", kind, changed, err)
		}
	}
}
