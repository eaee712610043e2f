package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

const (
	willsAtOnce  = 500              // are said, and waited for, together
	willsTimeout = 30 * time.Second // of which the longest part is to learn which devices are back
)

// sayWills puts the wills whose time has come into the Log, as messages of their devices. A device that is back has none: it
// stands before the record of its coming.
func (g *Gateway) sayWills(ctx context.Context) {
	for more := g.c.Sessions != nil; more; {
		more = g.saySome(ctx)
	}
}

// saySome says the wills that are due first, and reports whether there may be more.
func (g *Gateway) saySome(ctx context.Context) (more bool) {
	ctx, cancel := context.WithTimeout(ctx, willsTimeout)
	defer cancel()
	due, err := g.c.Sessions.DueWills(ctx, g.c.Log, time.Now(), willsAtOnce)
	if err != nil {
		g.missed(ctx, "asking for wills that are due failed", err)
		return false
	}
	var stored sync.WaitGroup
	var said atomic.Int64
	for i := range due {
		w := &due[i]
		if g.Live(w.Device) {
			continue
		}
		r, err := g.lastWords(ctx, w)
		if err == nil {
			stored.Add(1)
			err = g.c.Log.Append(ctx, r, func(_ uplink.Position, err error) {
				defer stored.Done()
				if err != nil {
					return
				}
				if said.Add(1); r.Kind == uplink.Message {
					g.Stats.Wills.Add(1)
				}
			})
			if err != nil {
				stored.Done()
			}
		}
		if err != nil {
			g.missed(ctx, "saying a will failed", err) // the next round tries again
		}
	}
	stored.Wait()
	return len(due) == willsAtOnce && said.Load() > 0
}

// lastWords is the record that ends a will: what it says, or, where the thing model of now does not take that, that it is not
// said. Then it is kept as a refusal before.
func (g *Gateway) lastWords(ctx context.Context, w *session.Due) (uplink.Record, error) {
	why, err := g.checkWill(ctx, w)
	if err != nil {
		return uplink.Record{}, err
	}
	topic := w.Template.String()
	if why != "" {
		g.Stats.Rejected.Add(1)
		kept := device.Refusal{Topic: topic, Why: "the will was not taken: " + why, Payload: w.Payload}
		_, err := g.note(ctx, uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: w.Device, Subject: device.RefusalFact, Body: kept.Append(nil)})
		return session.DroppedRecord(w.Device, time.Now(), w.Epoch), err
	}
	m := device.Message{Product: w.Product, Template: w.Template, Arg: w.Arg, Payload: w.Payload, WillOf: w.Epoch}
	body, err := m.Append(nil)
	return uplink.Record{At: time.Now(), Kind: uplink.Message, Device: w.Device, Subject: topic, Body: body}, err
}

// checkWill is why a will is not taken as a message, empty if it is.
func (g *Gateway) checkWill(ctx context.Context, w *session.Due) (why string, err error) {
	if says(w.Template) {
		if _, r := checkSaid(w.Template, w.Payload); r != nil {
			why = r.text
		}
		return why, nil
	}
	if !posts(w.Template) {
		return "", nil
	}
	req, err := alink.ParseRequest(w.Payload)
	if err != nil {
		return err.Error(), nil
	}
	key, name, err := g.c.Devices.Names(ctx, w.Device)
	if fault.Is(err, fault.Missing) {
		return "the device is no more", nil
	}
	if err != nil {
		return "", err
	}
	r, err := g.fits(ctx, origin{product: w.Product, key: key}, name, w.Template, w.Arg, req.Params)
	if fault.Is(err, fault.Missing) {
		return "the product has no thing model", nil
	}
	if r != nil {
		why = r.text
	}
	return why, err
}
