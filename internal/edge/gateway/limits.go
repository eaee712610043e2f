package gateway

import (
	"context"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// charge counts a message, or a change of subscriptions, against the limits of its device and organisation. A device that is ahead of a rate is read
// more slowly: MQTT 3.1.1 has no other way to say it. One that is ten seconds ahead, or has used a day up, is closed; what
// it sent last is not acknowledged, so that it keeps it. One that came through a gateway is only parted from it.
func (c *conn) charge(p *mqtt.Packet) error {
	q := c.g.c.Quota
	if q == nil {
		return nil
	}
	o := c.of.Value()
	one, all := quota.Device(c.device, o.product, o.organisation), quota.Organisation(o.organisation)
	for _, use := range [...]struct {
		of   quota.Subject
		l    quota.Limit
		n    int64
		also bool // holds for what is no message, too
	}{{one, quota.DeviceMessageRate, 1, true}, {one, quota.DeviceMessages, 1, false}, {one, quota.DeviceBytes, int64(len(p.Payload)), false}, {all, quota.MessageRate, 1, true}, {all, quota.MessageBytes, int64(len(p.Payload)), false}} {
		if p.Type != mqtt.PUBLISH && !use.also {
			continue
		}
		d := q.Charge(use.of, use.l, use.n)
		if c.via == nil || use.of.Kind == quota.KindOrganisation {
			c.slow(use.l, d)
		}
		if !d.OK {
			err := fault.Limit(use.l.String(), "used up", c.rule(d, use.l), d.Wait)
			c.g.over(use.l)
			c.show(device.RefusedSubject, string(p.Topic), p.Payload, err.Error())
			return err
		}
	}
	return nil
}

// tooMany says by which limit the organisation's devices connect too often, empty if they do not.
func (c *conn) tooMany() string {
	if c.g.c.Quota == nil {
		return ""
	}
	d := c.g.c.Quota.Charge(quota.Organisation(c.of.Value().organisation), quota.ConnectRate, 1)
	if d.OK {
		return ""
	}
	c.g.over(quota.ConnectRate)
	return "over the limit of its organisation: " + quota.ConnectRate.String() + ", " + c.rule(d, quota.ConnectRate)
}

// over counts what a limit refused.
func (g *Gateway) over(l quota.Limit) {
	g.Stats.Limited.Add(1)
	g.Stats.Over[l].Add(1)
}

func (c *conn) rule(d quota.Decision, l quota.Limit) string {
	if d.Limit == 0 {
		return "0: cut off by the operator"
	}
	return quota.Rule(d.Limit, l)
}

// usedUp says which limit leaves a device nothing to send, so that it need not connect to be closed.
func (c *conn) usedUp(id string) string {
	q := c.g.c.Quota
	if q == nil {
		return ""
	}
	o := c.of.Value()
	one, all := quota.Device(id, o.product, o.organisation), quota.Organisation(o.organisation)
	for _, l := range []quota.Limit{quota.DeviceMessages, quota.DeviceBytes} {
		if d := q.Allow(one, l, 0); d.Remaining <= 0 {
			c.g.over(l)
			return "over its limit: " + l.String() + " is used up, " + c.rule(d, l)
		}
	}
	if d := q.Allow(one, quota.DeviceMessageRate, 0); d.Limit == 0 {
		c.g.over(quota.DeviceMessageRate)
		return "over its limit: " + quota.DeviceMessageRate.String() + " is " + c.rule(d, quota.DeviceMessageRate)
	}
	for _, l := range []quota.Limit{quota.MessageRate, quota.MessageBytes} {
		if d := q.Allow(all, l, 0); d.Limit == 0 {
			c.g.over(l)
			return "over its limit: " + l.String() + " is " + c.rule(d, l)
		}
	}
	return ""
}

// fallBack waits until the device is no longer ahead of its limits. Nothing is read meanwhile, so its keep-alive waits too.
func (c *conn) fallBack(ctx context.Context) error {
	for c.ahead > 0 {
		step := min(c.ahead, wheelTick)
		c.ahead -= step
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(step):
		}
		if c.gone.Load() {
			return mqtt.ErrClosed
		}
		c.touch(time.Now())
	}
	return nil
}
