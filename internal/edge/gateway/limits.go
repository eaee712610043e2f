package gateway

import (
	"context"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// charge counts a message against the limits of its device and organisation. A device that is ahead of a rate is read
// more slowly: MQTT 3.1.1 has no other way to say it. One that is ten seconds ahead, or has used a day up, is closed; what
// it sent last is not acknowledged, so that it keeps it.
func (c *conn) charge(p *mqtt.Packet) error {
	q := c.g.c.Quota
	if q == nil {
		return nil
	}
	o := c.of.Value()
	one, all := quota.Device(c.device, o.product, o.organisation), quota.Organisation(o.organisation)
	for _, use := range [...]struct {
		of quota.Subject
		l  quota.Limit
		n  int64
	}{{one, quota.DeviceMessageRate, 1}, {one, quota.DeviceMessages, 1}, {all, quota.MessageRate, 1}, {all, quota.MessageBytes, int64(len(p.Payload))}} {
		d := q.Charge(use.of, use.l, use.n)
		c.ahead = max(c.ahead, d.Wait)
		if !d.OK {
			err := fault.Limit(use.l.String(), "used up", c.rule(d, use.l), d.Wait)
			c.g.Stats.Limited.Add(1)
			c.show(device.RefusedSubject, string(p.Topic), p.Payload, err.Error())
			return err
		}
	}
	return nil
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
	if d := q.Allow(one, quota.DeviceMessages, 0); d.Remaining <= 0 {
		return "over its limit: " + quota.DeviceMessages.String() + " is used up, " + c.rule(d, quota.DeviceMessages)
	}
	if d := q.Allow(one, quota.DeviceMessageRate, 0); d.Limit == 0 {
		return "over its limit: " + quota.DeviceMessageRate.String() + " is " + c.rule(d, quota.DeviceMessageRate)
	}
	for _, l := range []quota.Limit{quota.MessageRate, quota.MessageBytes} {
		if d := q.Allow(all, l, 0); d.Limit == 0 {
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
