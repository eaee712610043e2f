package gateway

import (
	"errors"
	"fmt"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// most is how much of a limit the device may hold at a time. What one connection holds costs memory here, whoever asks for it.
func (c *conn) most(l quota.Limit) int {
	if c.g.c.Quota == nil {
		return int(l.Spec().Default)
	}
	o := c.of.Value()
	return int(c.g.c.Quota.Value(quota.Device(c.device, o.product, o.organisation), l))
}

// Holds is what a device holds now of a limit, by the connection that it has here.
func (g *Gateway) Holds(of quota.Subject, l quota.Limit) int64 {
	c := g.sessions.find(of.ID)
	if c == nil || of.Kind != quota.KindDevice {
		return 0
	}
	switch l {
	case quota.DeviceFilters:
		if f := c.filters.Load(); f != nil {
			return int64(len(f.filters))
		}
	case quota.DeviceUnderWay:
		if c.via == nil { // what a child has under way is its gateway's
			return int64(c.s.UnderWay())
		}
	}
	return 0
}

// unsubscribable says why a filter is not granted, and counts what a limit did.
func (c *conn) unsubscribable(r mqtt.Reason, most int) string {
	switch r {
	case mqtt.QuotaExceeded:
		c.g.over(quota.DeviceFilters)
		return fmt.Sprintf("subscribed to more filters than it may: %s is %s", quota.DeviceFilters, quota.Rule(int64(most), quota.DeviceFilters))
	case mqtt.NoShared:
		return "shared subscriptions are not served"
	}
	return "subscribed to a topic that is not its own"
}

// countBreach counts a limit that ended the connection in the codec.
func (g *Gateway) countBreach(err error) {
	broken, ok := errors.AsType[*mqtt.ProtocolError](err)
	switch {
	case errors.Is(err, mqtt.ErrOut):
		g.Stats.Unread.Add(1)
	case !ok:
	case broken.Code == mqtt.ReceiveMaxExceeded:
		g.over(quota.DeviceUnderWay)
	case broken.Code == mqtt.TooLarge:
		g.Stats.TooLarge.Add(1)
	}
}

// slow notes that the device is ahead of a rate, and by how much. What it sends from here until it has fallen back is one pause,
// and told of once.
func (c *conn) slow(l quota.Limit, d quota.Decision) {
	if d.Wait <= 0 {
		return
	}
	link := c.link()
	if d.OK && link.ahead == 0 {
		c.g.Stats.Slowed[l].Add(1)
		c.showAs(device.SlowedSubject, nil, device.Traffic{At: time.Now().UTC(), Topic: l.String(), Why: "read more slowly: " + c.rule(d, l)})
	}
	link.ahead = max(link.ahead, d.Wait)
}
