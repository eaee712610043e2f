package timeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A book is a works whose timelines are kept.
type book struct {
	*devicetest.Works
	commands *command.Commands
	lines    *timeline.Service
	stop     func()
}

func open(t *testing.T, lights int) *book {
	t.Helper()
	b := &book{Works: devicetest.New(t, lights)}
	b.commands = command.New(b.Store, b.Products, shadow.New(b.Store, b.Products, b.Quiet), b.Bus, b.Quiet)
	b.start(t)
	return b
}

func (b *book) start(t *testing.T) {
	t.Helper()
	b.lines = timeline.New(b.Store, b.commands, b.Bus, b.Quiet)
	b.stop = devicetest.Run(t, func(ctx context.Context) error { return b.lines.Follow(ctx, b.Log) })
	b.followed(t)
}

func (b *book) followed(t *testing.T) {
	t.Helper()
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		at, ok := b.Log.Cursors()["timeline.log"]
		return ok && at == b.Log.Tail(), at
	})
}

func (b *book) presence(t *testing.T, d device.Device, online bool, reason string) {
	t.Helper()
	p := device.Presence{Online: online, Epoch: 1, Reason: reason, Address: "192.0.2.7:1234"}
	b.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Presence, Device: d.ID, Body: p.Append(nil)})
}

// told is the timeline of a device, oldest first, without its times.
func (b *book) told(t *testing.T, d device.Device, filters map[string]string) []string {
	t.Helper()
	page, err := b.lines.List(t.Context(), b.Maker, d.ID, listing.Ask{Filters: filters, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range page.Items {
		e := &page.Items[len(page.Items)-1-i]
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.What, e.Why))
		if e.Times > 1 {
			text += fmt.Sprint(" x", e.Times)
		}
		if e.Command != "" {
			text += " " + string(e.State)
		}
		out = append(out, text)
	}
	return out
}

func same(got, want []string) bool { return strings.Join(got, "\n") == strings.Join(want, "\n") }

// TestTimeline tells a device's day: what is counted is written down when it goes, in its place.
func TestTimeline(t *testing.T) {
	b := open(t, 2)
	d, other := b.Lights[0], b.Lights[1]
	b.presence(t, d, true, "connected")
	for range 3 {
		b.Posts(t, d, `"brightness":5`)
	}
	b.Says(t, d, alink.EventPost, "error", `{"id":"1","params":{}}`)
	b.Posts(t, other, `"brightness":5`)
	refusal, err := json.Marshal(device.Traffic{At: time.Now(), Topic: "/sys/x/y/thing/event/property/post", Why: "/params/brightness is 5000, want 1 to 100"})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(device.Traffic{At: time.Now(), Topic: "/x", Why: "kept", Kept: true})
	if err != nil {
		t.Fatal(err)
	}
	b.Bus.Publish(device.RefusedSubject+d.ID, refusal)
	b.Bus.Publish(device.RefusedSubject+d.ID, refusal)
	b.Bus.Publish(device.RefusedSubject+d.ID, kept)
	r := device.Refusal{Topic: "/x", Why: "kept", Payload: []byte("{")}
	b.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: d.ID, Subject: device.RefusalFact, Body: r.Append(nil)})
	c, err := b.commands.Submit(t.Context(), b.Maker, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":9}`), Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "the command to be told of", func() (bool, any) {
		told := b.told(t, d, map[string]string{timeline.ByKind: string(timeline.Commanded)})
		return len(told) == 1, told
	})
	b.followed(t)
	b.presence(t, d, false, "keep-alive timeout")
	devicetest.Eventually(t, "the timeline", func() (bool, any) {
		told := b.told(t, d, nil)
		return len(told) == 7, told
	})
	told := b.told(t, d, nil)
	for _, want := range []string{
		"connected 192.0.2.7:1234", "refused /x kept", `command property_set {"brightness":9} accepted`,
		"message /sys/{pk}/{dn}/thing/event/property/post x3", "message /sys/{pk}/{dn}/thing/event/error/post",
		"refused /sys/x/y/thing/event/property/post /params/brightness is 5000, want 1 to 100 x2",
	} {
		if !strings.Contains(strings.Join(told, "\n")+"\n", want+"\n") {
			t.Errorf("the timeline has no %q:\n%s", want, strings.Join(told, "\n"))
		}
	}
	if told[0] != "connected 192.0.2.7:1234" || told[6] != "disconnected  keep-alive timeout" {
		t.Errorf("the timeline begins and ends with %q and %q", told[0], told[6])
	}
	if found := b.told(t, d, map[string]string{timeline.ByText: "BRIGHTNESS"}); len(found) != 2 {
		t.Errorf("of brightness: %q", found)
	}
	if left := b.told(t, other, nil); len(left) != 0 {
		t.Errorf("of a device that is there the timeline has %q before the minute is over", left)
	}
	b.stop()
	if left := b.told(t, other, nil); !same(left, []string{"message /sys/{pk}/{dn}/thing/event/property/post"}) {
		t.Errorf("when the program had stopped, of the other: %q", left)
	}
	if _, err := b.lines.List(t.Context(), b.Stranger, d.ID, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("somebody else is told %v", err)
	}
	b.start(t)
	if again := b.told(t, d, nil); !same(again, told) {
		t.Errorf("after a restart:\n%s", strings.Join(again, "\n"))
	}
	if open, err := b.commands.Load(t.Context(), b.Maker, c[0].ID); err != nil || open.State != command.Accepted {
		t.Errorf("the command is %s, %v", open.State, err)
	}
}

// TestTimelineIsBounded: a device that comes and goes for ever keeps its newest entries, and who was away for longer is told so.
func TestTimelineIsBounded(t *testing.T) {
	b := open(t, 1)
	d := b.Lights[0]
	for range timeline.MaxEntries/2 + 100 {
		b.presence(t, d, true, "connected")
		b.presence(t, d, false, "gone")
	}
	b.followed(t)
	var n int
	devicetest.Eventually(t, "the oldest to be forgotten", func() (bool, any) {
		err := b.Store.Read(t.Context(), func(v *store.View) error {
			return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM timeline_entry").Scan(&n)
		})
		return err == nil && n <= timeline.MaxEntries+100, n
	})
	es, behind, err := b.lines.After(t.Context(), d.ID, 1, 10)
	if err != nil || behind <= 1 || len(es) != 10 || es[0].Seq != behind+1 {
		t.Errorf("after the first entry: %d entries behind %d, %v", len(es), behind, err)
	}
	newest, err := b.lines.Newest(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if es, behind, err = b.lines.After(t.Context(), d.ID, newest-3, 10); err != nil || behind != newest-3 || len(es) != 3 {
		t.Errorf("after the third but last: %d entries behind %d, %v", len(es), behind, err)
	}
}

// TestOldEntriesAreForgotten: what is older than seven days goes, and who saw none of it is told, however few entries there are;
// who saw all of it is not.
func TestOldEntriesAreForgotten(t *testing.T) {
	b := open(t, 2)
	d, other := b.Lights[0], b.Lights[1]
	long := time.Now().Add(-timeline.Keep - time.Hour)
	p := device.Presence{Online: true, Epoch: 1, Reason: "connected", Address: "192.0.2.7:1"}
	for range 3 {
		b.Append(t, uplink.Record{At: long, Kind: uplink.Presence, Device: d.ID, Body: p.Append(nil)})
	}
	b.Append(t, uplink.Record{At: long, Kind: uplink.Presence, Device: other.ID, Body: p.Append(nil)})
	b.presence(t, d, true, "connected")
	b.followed(t)
	b.stop()
	b.start(t)
	devicetest.Eventually(t, "the old to be forgotten", func() (bool, any) {
		told := b.told(t, d, nil)
		return len(told) == 1, told
	})
	for _, tt := range []struct {
		d            device.Device
		seen, behind int64
		left         int
	}{{d, 0, 3, 1}, {d, 1, 3, 1}, {d, 3, 3, 1}, {other, 1, 4, 0}, {other, 4, 4, 0}} {
		es, behind, err := b.lines.After(t.Context(), tt.d.ID, tt.seen, 10)
		if err != nil || behind != tt.behind || len(es) != tt.left {
			t.Errorf("after %d: %d entries behind %d, %v; want %+v", tt.seen, len(es), behind, err, tt)
		}
	}
	if newest, err := b.lines.Newest(t.Context(), other.ID); err != nil || newest != 4 {
		t.Errorf("the newest of which all is forgotten is %d, %v", newest, err)
	}
}

// deaf is a bus that loses every event.
type deaf struct{}

func (deaf) Publish(string, []byte) {}

func (deaf) Subscribe(string, func(string, []byte)) (cancel func()) { return func() {} }

// TestAnswersAreToldOf: how a command ended is an entry of its own, once: whether an event tells of it, none does, or it ended while
// nobody looked.
func TestAnswersAreToldOf(t *testing.T) {
	b := open(t, 3)
	give := func(d device.Device) command.Command {
		t.Helper()
		c, err := b.commands.Submit(t.Context(), b.Maker, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":9}`), Deadline: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return c[0]
	}
	given := func(d device.Device, want ...string) {
		t.Helper()
		devicetest.Eventually(t, fmt.Sprintf("%q", want), func() (bool, any) {
			told := b.told(t, d, nil)
			return same(told, want), told
		})
	}
	cancel := func(c command.Command) {
		t.Helper()
		if _, err := b.commands.Cancel(t.Context(), b.Maker, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	const open, closed = `command property_set {"brightness":9} accepted`, `command property_set {"brightness":9} cancelled`
	const answer = `answer property_set {"brightness":9} cancelled withdrawn cancelled`
	heard, unheard, away := b.Lights[0], b.Lights[1], b.Lights[2]
	c := give(heard)
	given(heard, open)
	cancel(c)
	given(heard, closed, answer)

	lost := give(unheard)
	given(unheard, open)
	b.stop()
	cancel(lost)
	cancel(give(away))
	b.lines = timeline.New(b.Store, b.commands, deaf{}, b.Quiet)
	b.stop = devicetest.Run(t, func(ctx context.Context) error { return b.lines.Follow(ctx, b.Log) })
	given(unheard, closed, answer)
	given(away, closed, answer)
	given(heard, closed, answer)
}

// TestCounting: what is counted is to be had before it is written down, and not after.
func TestCounting(t *testing.T) {
	b := open(t, 1)
	d := b.Lights[0]
	for range 3 {
		b.Posts(t, d, `"brightness":5`)
	}
	devicetest.Eventually(t, "three posts", func() (bool, any) {
		c := b.lines.Counting(d.ID)
		return len(c) == 1 && c[0].Times == 3 && c[0].Kind == timeline.Message, c
	})
	b.presence(t, d, false, "gone")
	b.followed(t)
	if c := b.lines.Counting(d.ID); len(c) != 0 {
		t.Errorf("when it went %v is still counted", c)
	}
}
