package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// asksShadow acts on a message about the classic shadow: get is answered from the rows; update and delete take their version
// first, are kept in the Log as any report, and answered then.
func (c *conn) asksShadow(p *mqtt.Packet) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	req, err := alink.ParseShadow(p.Payload)
	if err != nil {
		f := new(alink.ShadowFault)
		errors.As(err, &f)
		return c.refuseShadow(p, &refusal{f.Code, err.Error()})
	}
	if req.Method == alink.ShadowOfGet {
		return c.showShadow(ctx, p)
	}
	if req.Reported != nil {
		r, err := c.g.fits(ctx, c.of.Value(), c.name, alink.PropertyPost, "", req.Reported)
		if err != nil {
			c.s.Bye(mqtt.Unavailable, errUnread.Error())
			return err
		}
		if r != nil {
			return c.refuseShadow(p, &refusal{alink.ShadowNoDocument, strings.Replace(r.text, "/params", "/state/reported", 1)})
		}
	}
	now, err := c.g.c.Shadows.Advance(ctx, c.device, req.Version, p.Dup, req.DropDesired, time.Now())
	switch {
	case errors.Is(err, shadow.ErrVersion):
		return c.refuseShadow(p, &refusal{alink.ShadowConflict, fmt.Sprintf("/version is %d, and the shadow has %d; get it, and send the next", req.Version, now)})
	case err != nil:
		return c.refuseShadow(p, c.cannotShadow(ctx, err))
	}
	m := device.Message{Product: c.of.Value().product, Template: alink.ShadowUpdate, Payload: p.Payload}
	c.hold(&m, p)
	body, err := m.Append(nil)
	if err != nil {
		return c.refuseShadow(p, &refusal{alink.ShadowBadJSON, err.Error()})
	}
	return c.append(uplink.Record{Kind: uplink.Message, Subject: alink.ShadowUpdate.String(), Body: body}, p, func() {
		_ = c.answerShadow(map[string]any{"status": "success", "version": now}, nil) // best effort: QoS 0
	})
}

// showShadow answers with all of the shadow.
func (c *conn) showShadow(ctx context.Context, p *mqtt.Packet) error {
	version, st, err := c.g.c.Shadows.Classic(ctx, c.device)
	if err != nil {
		return c.refuseShadow(p, c.cannotShadow(ctx, err))
	}
	state, metadata := make(map[string]any), make(map[string]any)
	for name, values := range map[string]map[string]shadow.Value{"reported": st.Reported, "desired": st.Desired} {
		if values == nil {
			continue
		}
		said, when := make(map[string]json.RawMessage, len(values)), make(map[string]any, len(values))
		for id, v := range values {
			said[id], when[id] = v.Value, map[string]int64{"timestamp": v.Time.Unix()}
		}
		state[name], metadata[name] = said, when
	}
	err = c.answerShadow(map[string]any{"status": "success", "state": state, "metadata": metadata}, &version)
	if errors.Is(err, mqtt.ErrOut) || errors.Is(err, mqtt.ErrTooLarge) {
		return c.refuseShadow(p, &refusal{alink.ShadowServerError, "the shadow is larger than the connection takes now"})
	}
	c.show(device.AskedSubject, string(p.Topic), p.Payload, "")
	if p.QoS > 0 {
		c.s.Ack(p.ID)
	}
	return nil
}

// answerShadow publishes an answer, if the device listens.
func (c *conn) answerShadow(payload map[string]any, version *int64) error {
	if !c.subscribed(alink.ShadowGet, "") {
		return errDeaf
	}
	text, err := json.Marshal(struct {
		Method    string         `json:"method"`
		Payload   map[string]any `json:"payload"`
		Version   *int64         `json:"version,omitempty"`
		Timestamp int64          `json:"timestamp"`
	}{"reply", payload, version, time.Now().Unix()})
	if err != nil {
		return fmt.Errorf("encoding a shadow: %w", err)
	}
	return c.reply(alink.ShadowGet, "", text, &answer{})
}

func (c *conn) cannotShadow(ctx context.Context, err error) *refusal {
	r := c.cannot(ctx, alink.ShadowUpdate, err)
	if f := fault.Of(err); f == nil || fault.Passes(err) {
		r.code = alink.ShadowServerError
	}
	return r
}

// refuseShadow tells the device why its message was not taken, in the form of the classic shadow.
func (c *conn) refuseShadow(p *mqtt.Packet, r *refusal) error {
	content := map[string]string{"errorcode": fmt.Sprint(r.code), "errormessage": r.text}
	told := c.answerShadow(map[string]any{"status": "error", "content": content}, nil) == nil
	return c.turnDown(p, r, told)
}
