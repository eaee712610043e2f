package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// A shadowAnswer is what a device hears of its classic shadow.
type shadowAnswer struct {
	Method  string
	Payload struct {
		Status   string
		Version  *int64
		State    map[string]map[string]json.RawMessage
		Metadata map[string]map[string]struct{ Timestamp int64 }
		Content  struct{ ErrorCode, ErrorMessage string }
	}
	Version   *int64
	Timestamp int64
}

func (a *shadowAnswer) String() string {
	switch p := &a.Payload; {
	case a.Method != "reply" || a.Timestamp == 0:
		return fmt.Sprintf("%+v", *a)
	case p.Status == "error":
		return p.Content.ErrorCode + " " + p.Content.ErrorMessage
	case p.Version != nil:
		return fmt.Sprint("version ", *p.Version)
	default:
		var said []string
		for _, of := range slices.Sorted(maps.Keys(p.State)) {
			for _, id := range slices.Sorted(maps.Keys(p.State[of])) {
				if p.Metadata[of][id].Timestamp == 0 {
					said = append(said, "no time of")
				}
				said = append(said, fmt.Sprintf("%s %s %s", of, id, p.State[of][id]))
			}
		}
		return fmt.Sprint("at ", *a.Version, ": ", strings.Join(said, ", "))
	}
}

// TestClassicShadow: what a device says on the topics of the classic shadow is what it reported, by any road; versions grow, and
// one that does not is refused.
func TestClassicShadow(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	devicetest.Run(t, func(ctx context.Context) error { return h.shadows.Follow(ctx, h.Log) })
	d := h.Lights[0]
	topic := func(what string) string { return "/shadow/" + what + "/" + h.Product.ProductKey + "/" + d.Name }
	l, _ := h.paho5(t, d, nil)
	l.hears(t, topic("get"))
	settled := func() {
		t.Helper()
		tail := h.Log.Tail()
		devicetest.Eventually(t, "the shadow to follow the Log", func() (bool, any) {
			var at uplink.Position
			err := h.Store.Read(t.Context(), func(v *store.View) error {
				return v.QueryRow(t.Context(), "SELECT position FROM shadow_cursor").Scan(&at)
			})
			return err == nil && at >= tail, at
		})
	}
	ask := func(message string) string {
		t.Helper()
		l.says(t, topic("update"), message)
		var a shadowAnswer
		m := got(t, "answer to "+message, l.came)
		if err := json.Unmarshal(m.Payload, &a); err != nil || m.Topic != topic("get") {
			t.Fatalf("%s came on %s, %v", m.Payload, m.Topic, err)
		}
		settled()
		return a.String()
	}
	if _, err := h.commands.Submit(t.Context(), h.Maker, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":70}`)}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ message, want string }{
		{`{"method":"get"}`, `at 0: desired brightness 70`},
		{`{"method":"update","state":{"reported":{"brightness":50,"powerstate":1}},"version":1}`, `version 1`},
		{`{"method":"get"}`, `at 1: desired brightness 70, reported brightness 50, reported powerstate 1`},
		{`{"method":"update","state":{"reported":{"brightness":60}},"version":1}`, `409 /version is 1, and the shadow has 1; get it, and send the next`},
		{`{"method":"update","state":{"reported":{"brightness":60}},"version":0}`, `409 /version is 0, and the shadow has 1; get it, and send the next`},
		{`{"method":"update","state":{"reported":{"brightness":6000}},"version":2}`, `407 /state/reported/brightness is 6000, want an integer from 1 to 100 %`},
		{`{"method":"update","state":{"reported":{"brightness":60},"desired":"null"},"version":2}`, `version 2`},
		{`{"method":"get"}`, `at 2: reported brightness 60, reported powerstate 1`},
		{`{"method":"delete","state":{"reported":{"brightness":"null"}},"version":5}`, `version 5`},
		{`{"method":"get"}`, `at 5: reported powerstate 1`},
		{`{"method":"delete","state":{"reported":"null"},"version":5}`, `409 /version is 5, and the shadow has 5; get it, and send the next`},
		{`{"method":"delete","state":{"reported":"null"},"version":6}`, `version 6`},
		{`{"method":"get"}`, `at 6: `},
		{`{"method":"update","state":{"reported":{"brightness":10}},"version":-1}`, `version 0`},
		{`{"method":"get"}`, `at 0: reported brightness 10`},
		{`{"method":"control"}`, `406 /method is control, want get, update or delete`},
		{`[`, `400 byte 0 is '[', want {, for a message is a JSON object`},
	} {
		if said := ask(tt.message); said != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.message, said, tt.want)
		}
	}
}

// TestShadowAgain: a device that heard no acknowledgement repeats its message, and is not told that it conflicts with itself. One
// that listens to nothing and is refused finds its message kept.
func TestShadowAgain(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	topic := "/shadow/update/" + h.Product.ProductKey + "/" + d.Name
	for _, v := range versions {
		r := h.raw(t, d, v)
		before := h.Log.Tail()
		for i, dup := range []bool{false, true} {
			r.send(t, mqtt.AppendPublish(nil, v, topic, fmt.Appendf(nil, `{"method":"update","state":{"reported":{"brightness":5}},"version":%d}`, v), 1, uint16(i+1), dup, false))
			if p := r.await(t, mqtt.PUBACK, 1); p.Code != 0 {
				t.Errorf("%s: DUP %t was answered %+v", v, dup, p)
			}
		}
		if n := h.messages(t, d, before); n != 2 {
			t.Errorf("%s: the Log has %d messages, want both", v, n)
		}
		r.send(t, mqtt.AppendPublish(nil, v, topic, []byte(`{"method":"update","state":{"reported":{"brightness":5}},"version":1}`), 1, 9, false, false))
		p := r.await(t, mqtt.PUBACK, 1)
		kept := 0
		records, err := h.Log.Read(t.Context(), before, 100)
		for _, r := range records {
			if r.Subject == "device.refused" {
				kept++
			}
		}
		if err != nil || (v == mqtt.V5) == (p.Code == 0) || (v == mqtt.V311) != (kept == 1) {
			t.Errorf("%s: a conflict was answered %+v and kept %d times, %v", v, p, kept, err)
		}
	}
}
