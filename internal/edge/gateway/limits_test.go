package gateway_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
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
	{"--mqtt-max-packet", quota.Limit(quota.Many), "", 0, sendsMuch, "", "the limit is 2000"},
	{"subscriptions", quota.Limit(quota.Many), "", 0, subscribesMuch, "", "too many"},
	{"messages under way", quota.Limit(quota.Many), "", 0, holdsMuch, "", "256 messages are under way"},
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
				if tt.metric != "" && g.Counts()[tt.metric] == 0 {
					t.Errorf("%s counts nothing", tt.metric)
				}
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
	"subscriptions":                {mqtt.QuotaExceeded, "0x80"},
	"messages under way":           {mqtt.ReceiveMaxExceeded, ""}, // a device of 3.1.1 is read no further while 64 are not on disk
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
			if !found || !strings.Contains(line, code) || l.metric != "" && !strings.Contains(line, "lampworks_"+l.metric) {
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

// listens gathers what the developer is told of a device: refusals, and why its sessions end.
func (g *guarded) listens(t *testing.T, d device.Device) func() string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	t.Cleanup(g.Bus.Subscribe(device.RefusedSubject+d.ID, func(_ string, payload []byte) {
		var traffic device.Traffic
		if json.Unmarshal(payload, &traffic) == nil {
			mu.Lock()
			all = append(all, traffic.Why)
			mu.Unlock()
		}
	}))
	return func() string {
		records, err := g.Log.Read(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		told := strings.Join(all, "\n")
		for _, r := range records {
			if p, err := device.DecodePresence(r.Body); r.Kind == uplink.Presence && err == nil {
				told += "\n" + p.Reason
			}
		}
		return told
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
	for n := range 256 {
		r.send(t, subscribe(uint16(n+1), v, fmt.Sprintf("/%s/%s/user/t%d", g.Product.ProductKey, d.Name, n)))
	}
	r.await(t, mqtt.SUBACK, 256)
	r.send(t, subscribe(999, v, fmt.Sprintf("/%s/%s/user/more", g.Product.ProductKey, d.Name)))
	code := r.await(t, mqtt.SUBACK, 1).Codes[0]
	return mqtt.Reason(code), fmt.Sprintf("%#x", code)
}

func holdsMuch(t *testing.T, g *guarded, d device.Device, v mqtt.Version) (mqtt.Reason, string) {
	r := g.raw(t, d, v)
	var all []byte
	for id := range uint16(1100) { // of QoS 2 and never released
		all = mqtt.AppendPublish(all, v, g.post(d), brightness, 2, id+1, false, false)
	}
	if _, err := r.nc.Write(all); err != nil {
		t.Log(err) // it was closed before it had all
	}
	return ended(t, g, d, r, v)
}
