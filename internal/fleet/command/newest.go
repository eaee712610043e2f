package command

import (
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/tsl"
)

// newestValues calls each for the values of a report that was received at a time, and of several values of one property in a
// batch for the newest only. One without a time is of then.
func newestValues(m *device.Message, model *tsl.Model, received time.Time, each tsl.Each) {
	if m.Template == alink.PropertyPost {
		m.Values(model, each)
		return
	}
	type said struct {
		p     *tsl.Property
		value []byte
		at    int64
	}
	var order []string
	last := make(map[string]said)
	m.Values(model, func(p *tsl.Property, value []byte, at int64) {
		had, ok := last[p.Identifier]
		if !ok {
			order = append(order, p.Identifier)
		}
		if at == 0 {
			at = received.UnixMilli()
		}
		if at >= had.at {
			last[p.Identifier] = said{p, value, at}
		}
	})
	for _, id := range order {
		each(last[id].p, last[id].value, last[id].at)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
