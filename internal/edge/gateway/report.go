package gateway

import (
	"context"
	"fmt"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/tsl"
)

// posts reports whether a topic is for what the thing model describes.
func posts(t alink.Template) bool {
	m := device.Message{Template: t}
	return t == alink.EventPost || m.Reports() && t != alink.ShadowUpdate && t != alink.PropertyGetReply
}

// fits holds the parameters of what a device posts against its thing model.
func (g *Gateway) fits(ctx context.Context, of origin, name string, t alink.Template, arg string, params []byte) (*refusal, error) {
	model, err := g.c.Products.Model(ctx, of.product)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	switch t {
	case alink.PropertyPost:
		return violated(model.CheckPost(params, ignore)), nil
	case alink.EventPost:
		return violated(model.CheckEvent(arg, params)), nil
	}
	return batchFits(model, of.key, name, t, params), nil
}

// batchFits holds many values against the thing model, and those of the past against the span they may lie in.
func batchFits(model *tsl.Model, key, name string, t alink.Template, params []byte) *refusal {
	entries, err := alink.Entries(params)
	if err != nil {
		return &refusal{alink.CodeBadRequest, err.Error()}
	}
	var span *tsl.Span
	if t == alink.HistoryPost {
		span = device.PastSpan(time.Now())
	}
	for i := range entries {
		e := &entries[i]
		if !e.Of(key, name) {
			return &refusal{alink.CodeNoSession, fmt.Sprintf("%s is of %.64s of product key %.64s, which has no session here", e.Where, e.DeviceName, e.ProductKey)}
		}
		if v := model.CheckBatch(e.Properties, e.Events, span, ignore); v != nil {
			v.Where = e.Where + v.Where
			return violated(v)
		}
	}
	return nil
}

func violated(v *tsl.Violation) *refusal {
	if v == nil {
		return nil
	}
	return &refusal{alink.CodeParam, v.Error()}
}

func ignore(*tsl.Property, []byte, int64) {}
