package gateway

import (
	"context"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

// willsAtOnce bounds how many wills one round says.
const willsAtOnce = 500

// sayWills puts the wills whose time has come into the Log, as messages of their devices.
func (g *Gateway) sayWills(ctx context.Context) {
	if g.c.Sessions == nil {
		return
	}
	due, err := g.c.Sessions.DueWills(ctx, g.c.Log, time.Now(), willsAtOnce)
	if err != nil {
		g.missed(ctx, "asking for wills that are due failed", err)
		return
	}
	for i := range due {
		if err := g.sayWill(ctx, &due[i]); err != nil {
			g.missed(ctx, "saying a will failed", err) // the next round tries again
		}
	}
}

// sayWill says one will. What the thing model of now does not take is kept as a refusal, and not said again either.
func (g *Gateway) sayWill(ctx context.Context, w *session.Due) error {
	why, err := g.checkWill(ctx, w)
	if err != nil {
		return err
	}
	topic := w.Template.String()
	if why != "" {
		g.Stats.Rejected.Add(1)
		kept := device.Refusal{Topic: topic, Why: "the will was not taken: " + why, Payload: w.Payload}
		if _, err := g.note(ctx, uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: w.Device, Subject: device.RefusalFact, Body: kept.Append(nil)}); err != nil {
			return err
		}
		_, err := g.note(ctx, session.DroppedRecord(w.Device, time.Now(), w.Epoch))
		return err
	}
	m := device.Message{Product: w.Product, Template: w.Template, Arg: w.Arg, Payload: w.Payload, WillOf: w.Epoch}
	body, err := m.Append(nil)
	if err != nil {
		return err
	}
	if _, err := g.note(ctx, uplink.Record{At: time.Now(), Kind: uplink.Message, Device: w.Device, Subject: topic, Body: body}); err != nil {
		return err
	}
	g.Stats.Wills.Add(1)
	return nil
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
	r, err := g.fits(ctx, origin{product: w.Product}, "", w.Template, w.Arg, req.Params)
	if fault.Is(err, fault.Missing) {
		return "the product has no thing model", nil
	}
	if r != nil {
		why = r.text
	}
	return why, err
}
