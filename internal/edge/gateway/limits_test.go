package gateway_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/infra/listing"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// limited are the limits that a device meets, each with what drives it over the edge.
var limited = []struct {
	name    string // as the page has it
	limit   quota.Limit
	purpose quota.Purpose
	value   int64
	act     func(*testing.T, *guarded, device.Device, mqtt.Version) (five mqtt.Reason, three string)
	metric  string
	why     string // the developer is told
}{
	{"device_messages_per_second", quota.DeviceMessageRate, quota.CutOff, 0, postsOnce, "over_limit_device_messages_per_second_total", "device_messages_per_second"},
	{"device_messages_per_day", quota.DeviceMessages, quota.Throttle, 1, postsTwice, "over_limit_device_messages_per_day_total", "device_messages_per_day"},
	{"device_message_bytes_per_day", quota.DeviceBytes, quota.Throttle, 60, postsTwice, "over_limit_device_message_bytes_per_day_total", "device_message_bytes_per_day"},
	{"messages_per_second", quota.MessageRate, quota.CutOff, 0, postsOnce, "over_limit_messages_per_second_total", "messages_per_second"},
	{"message_bytes_per_day", quota.MessageBytes, quota.Throttle, 60, postsTwice, "over_limit_message_bytes_per_day_total", "message_bytes_per_day"},
	{"connects_per_second", quota.ConnectRate, quota.CutOff, 0, connects, "over_limit_connects_per_second_total", "connects_per_second"},
	{"device_subscriptions", quota.DeviceFilters, quota.Set, 3, subscribesMuch, "over_limit_device_subscriptions_total", "device_subscriptions is 3 filters for each device"},
	{"device_messages_under_way", quota.DeviceUnderWay, quota.Set, 5, holdsMuch, "over_limit_device_messages_under_way_total", "more than 5 messages are under way"},
	{"--mqtt-max-packet", quota.Limit(quota.Many), "", 0, sendsMuch, "over_limit_packet_bytes_total", "the limit is 2000"},
}

// TestLimits drives each limit over its edge in both versions: MQTT 5 is told the reason, 3.1.1 by a code or the end of the
// connection; it is counted, and the developer is told.
func TestLimits(t *testing.T) {
	for _, tt := range limited {
		for _, v := range versions {
			if v == mqtt.V311 && reasons[tt.name].three == "" {
				continue // it has no such limit
			}
			t.Run(tt.name+" "+v.String(), func(t *testing.T) {
				t.Parallel()
				g := newGuardedOn(t, 1, nil, gateway.Limits{MaxPacket: 2000, Takeovers: 1000})
				d := g.Lights[0]
				told := g.listens(t, d)
				if tt.purpose != "" {
					of := quota.Device(d.ID, d.Product, d.Organisation)
					if tt.limit.Spec().Of == quota.KindOrganisation {
						of = quota.Organisation(d.Organisation)
					}
					if _, err := g.quota.Override(t.Context(), operator, quota.NewOverride{Subject: of, Limit: tt.limit, Purpose: tt.purpose, Value: tt.value, Reason: "for the test"}); err != nil {
						t.Fatal(err)
					}
				}
				five, three := tt.act(t, g, d, v)
				if want := reasons[tt.name]; v == mqtt.V5 && five != want.five || v == mqtt.V311 && three != want.three {
					t.Errorf("MQTT 5 is told %s, 3.1.1 %q; want %s, %q", five, three, want.five, want.three)
				}
				devicetest.Eventually(t, tt.metric+" to count", func() (bool, any) { return g.Counts()[tt.metric] > 0, g.Counts() })
				devicetest.Eventually(t, "the developer to be told of "+tt.why, func() (bool, any) {
					all := told()
					return strings.Contains(all, tt.why), all
				})
			})
		}
	}
}

// reasons are what devices are told.
var reasons = map[string]struct {
	five  mqtt.Reason
	three string
}{
	"device_messages_per_second":   {mqtt.QuotaExceeded, "closed"},
	"device_messages_per_day":      {mqtt.QuotaExceeded, "closed"},
	"device_message_bytes_per_day": {mqtt.QuotaExceeded, "closed"},
	"messages_per_second":          {mqtt.QuotaExceeded, "closed"},
	"message_bytes_per_day":        {mqtt.QuotaExceeded, "closed"},
	"connects_per_second":          {mqtt.ConnectRateExceeded, "code 3"},
	"--mqtt-max-packet":            {mqtt.TooLarge, "closed"},
	"device_subscriptions":         {mqtt.QuotaExceeded, "0x80"},
	"device_messages_under_way":    {mqtt.ReceiveMaxExceeded, ""}, // a device of 3.1.1 is read no further while 64 are not on disk
}

// TestLimitsAreTold holds the page about limits against the tests above, in both languages: a row for each, with its reason.
func TestLimitsAreTold(t *testing.T) {
	for _, language := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../../../docs/" + language + "/limits.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range limited {
			row := fmt.Sprintf("| `%s` |", l.name)
			_, rest, found := strings.Cut(string(page), row)
			line, _, _ := strings.Cut(rest, "\n")
			code := fmt.Sprintf("0x%X", byte(reasons[l.name].five))
			if !found || !strings.Contains(line, code) || !strings.Contains(line, "lampworks_"+l.metric) {
				t.Errorf("%s: the page has %q of %s, want a row with %s and %s", language, line, l.name, code, l.metric)
			}
			if l.purpose != "" && !strings.Contains(line, thousands(l.limit.Spec().Default)) {
				t.Errorf("%s: the row of %s does not say its default, %s", language, l.name, thousands(l.limit.Spec().Default))
			}
		}
	}
}

func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// listens follows the timelines, and gives that of a device: what the developer is told.
func (g *guarded) listens(t *testing.T, d device.Device) func() string {
	t.Helper()
	lines := timeline.New(g.Store, g.commands, g.Bus, g.Quiet)
	devicetest.Run(t, func(ctx context.Context) error { return lines.Follow(ctx, g.Log) })
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		_, ok := g.Log.Cursors()["timeline.log"]
		return ok, nil
	})
	return func() string {
		page, err := lines.List(t.Context(), g.Maker, d.ID, listing.Ask{Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range append(lines.Counting(d.ID), page.Items...) {
			told = append(told, fmt.Sprint(e.Kind, " ", e.What, " ", e.Why))
		}
		return strings.Join(told, "\n")
	}
}

// ended is the reason that MQTT 5 hears, and what 3.1.1 sees.
func ended(t *testing.T, g *guarded, d device.Device, r *rawLamp, v mqtt.Version) (mqtt.Reason, string) {
	t.Helper()
	if v == mqtt.V5 {
		return mqtt.Reason(r.await(t, mqtt.DISCONNECT, 1).Code), ""
	}
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !g.Live(d.ID), nil })
	return 0, "closed"
}

func postsOnce(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	_, ack := g.rawAs(t, d, func(p *mqtt.Packet) { p.Connect.Version = v })
	if ack.Code == 0 {
		t.Error("a device that is cut off was let in")
	}
	if v == mqtt.V5 {
		return mqtt.Reason(ack.Code), ""
	}
	if ack.Code != mqtt.RefusedServer {
		t.Errorf("it was answered %d", ack.Code)
	}
	return 0, "closed"
}

func postsTwice(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	r := g.raw(t, d, v)
	r.send(t, mqtt.AppendPublish(nil, v, g.post(d), brightness, 1, 1, false, false))
	r.await(t, mqtt.PUBACK, 1)
	r.send(t, mqtt.AppendPublish(nil, v, g.post(d), brightness, 1, 2, false, false))
	return ended(t, g, d, r, v)
}

func connects(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	_, ack := g.rawAs(t, d, func(p *mqtt.Packet) { p.Connect.Version = v })
	return mqtt.Reason(ack.Code), fmt.Sprint("code ", ack.Code)
}

func sendsMuch(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	r := g.raw(t, d, v)
	r.send(t, mqtt.AppendPublish(nil, v, g.post(d), make([]byte, 2000), 1, 1, false, false))
	return ended(t, g, d, r, v)
}

func subscribesMuch(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	r := g.raw(t, d, v)
	for n := range 3 {
		r.send(t, subscribe(uint16(n+1), v, fmt.Sprintf("/%s/%s/user/t%d", g.Product.ProductKey, d.Name, n)))
	}
	r.await(t, mqtt.SUBACK, 3)
	r.send(t, subscribe(999, v, fmt.Sprintf("/%s/%s/user/more", g.Product.ProductKey, d.Name)))
	code := r.await(t, mqtt.SUBACK, 1).Codes[0]
	return mqtt.Reason(code), fmt.Sprintf("%#x", code)
}

func holdsMuch(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	r := g.raw(t, d, v)
	var all []byte
	for id := range uint16(6) { // of QoS 2 and never released
		all = mqtt.AppendPublish(all, v, g.post(d), brightness, 2, id+1, false, false)
	}
	if _, err := r.nc.Write(all); err != nil {
		t.Log(err) // it was closed before it had all
	}
	return ended(t, g, d, r, v)
}

// TestSlowedIsTold: a device ahead of a rate is heard whole, only later; the developer is told, and it is counted.
func TestSlowedIsTold(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			g := newGuardedOn(t, 1, nil, gateway.Limits{})
			d := g.Lights[0]
			told := g.listens(t, d)
			g.holds(t, d, quota.DeviceMessageRate, 5)
			r := g.raw(t, d, v)
			for id := range uint16(12) {
				r.send(t, mqtt.AppendPublish(nil, v, g.post(d), brightness, 1, id+1, false, false))
			}
			r.await(t, mqtt.PUBACK, 12)
			const want = "slowed device_messages_per_second read more slowly: 5 messages a second for each device"
			devicetest.Eventually(t, want, func() (bool, any) { return strings.Contains(told(), want), told() })
			if g.Counts()["slowed_device_messages_per_second_total"] == 0 || g.Gateway.Stats.Limited.Load() != 0 {
				t.Errorf("the counters say %v", g.Counts())
			}
		})
	}
}

// holds has a limit of a device be a value from here on.
func (g *guarded) holds(t *testing.T, d device.Device, l quota.Limit, value int64) {
	t.Helper()
	of := quota.Device(d.ID, d.Product, d.Organisation)
	if _, err := g.quota.Override(t.Context(), operator, quota.NewOverride{Subject: of, Limit: l, Purpose: quota.Set, Value: value, Reason: "for the test"}); err != nil {
		t.Fatal(err)
	}
}

// TestHeldLimits: what a connection may hold is said in CONNACK, the use is what it holds now, and a limit that falls takes nothing
// away.
func TestHeldLimits(t *testing.T) {
	g := newGuarded(t, 1)
	d := g.Lights[0]
	g.holds(t, d, quota.DeviceUnderWay, 7)
	r, ack := g.rawAs(t, d, func(p *mqtt.Packet) { p.Connect.Version = mqtt.V5 })
	if most, _ := ack.Properties.Find(mqtt.ReceiveMaximum); most.Int != 7 {
		t.Errorf("CONNACK says that %d messages may be under way", most.Int)
	}
	filter := func(n int) string { return fmt.Sprintf("/%s/%s/user/t%d", g.Product.ProductKey, d.Name, n) }
	for n := range 3 {
		r.send(t, subscribe(uint16(n+1), mqtt.V5, filter(n)))
	}
	r.await(t, mqtt.SUBACK, 3)
	for id := range uint16(2) {
		r.send(t, mqtt.AppendPublish(nil, mqtt.V5, g.post(d), brightness, 2, id+1, false, false))
	}
	r.await(t, mqtt.PUBREC, 2)
	uses := func() map[quota.Limit]quota.Use {
		t.Helper()
		us, err := g.quota.Usage(t.Context(), operator, quota.Device(d.ID, d.Product, d.Organisation))
		if err != nil {
			t.Fatal(err)
		}
		by := make(map[quota.Limit]quota.Use)
		for _, u := range us {
			by[u.Limit] = u
		}
		return by
	}
	if us := uses(); us[quota.DeviceFilters].Used != 3 || us[quota.DeviceFilters].Value != 256 || us[quota.DeviceUnderWay].Used != 2 || us[quota.DeviceUnderWay].Value != 7 {
		t.Errorf("it holds %+v and %+v", us[quota.DeviceFilters], us[quota.DeviceUnderWay])
	}
	g.holds(t, d, quota.DeviceFilters, 2)
	r.send(t, subscribe(9, mqtt.V5, filter(0)))
	if code := r.await(t, mqtt.SUBACK, 1).Codes[0]; code > 2 {
		t.Errorf("what it had is answered %#x", code)
	}
	r.send(t, subscribe(10, mqtt.V5, filter(9)))
	if code := r.await(t, mqtt.SUBACK, 1).Codes[0]; mqtt.Reason(code) != mqtt.QuotaExceeded {
		t.Errorf("one more is answered %#x", code)
	}
	r.nc.Close()
	devicetest.Eventually(t, "the end", func() (bool, any) { return !g.Live(d.ID), nil })
	if us := uses(); us[quota.DeviceFilters].Used != 0 || us[quota.DeviceFilters].Value != 2 {
		t.Errorf("when it is gone it holds %+v", us[quota.DeviceFilters])
	}
}
