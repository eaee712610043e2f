package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/mqtt"
)

// askTimeout bounds how long a request of a device may wait for the database. Its session reads nothing meanwhile.
const askTimeout = 5 * time.Second

// asker carries out what a device asks for. What it changes is committed when it returns.
type asker func(*conn, context.Context, *alink.Request) (told, *refusal, error)

// told is what a device is answered.
type told struct {
	data  []byte                // JSON; nil: {}
	after func()                // if not nil, is called once the answer has left
	undo  func(context.Context) // if not nil, takes back what was done for an answer that cannot leave
}

// askerOf is who answers requests on a topic, nil if they are kept in the Log instead. What an asker does is the same done
// twice: a request that comes again over another connection is carried out again.
func askerOf(t alink.Template) asker {
	switch t {
	case alink.NTPRequest:
		return (*conn).askTime
	case alink.TemplateGet, alink.DynamicModelGet:
		return (*conn).askModel
	case alink.DesiredGet:
		return (*conn).askDesired
	case alink.DesiredDelete:
		return (*conn).dropDesired
	case alink.ConfigGet:
		return (*conn).askConfig
	case alink.TagUpdate:
		return (*conn).setTags
	case alink.TagDelete:
		return (*conn).dropTags
	case alink.EnrolleeMatch:
		return (*conn).announce
	case alink.TopoAdd:
		return (*conn).addTopology
	case alink.TopoDelete, alink.SubUnregister:
		return (*conn).dropTopology
	case alink.SubRegister:
		return (*conn).registerChildren
	case alink.TopoGet:
		return (*conn).askTopology
	case alink.CombineLogin, alink.BatchLogin:
		return (*conn).logIn
	case alink.CombineLogout, alink.BatchLogout:
		return (*conn).logOut
	}
	return nil
}

// carryOut carries out a request, answers it, and acknowledges it then.
func (c *conn) carryOut(p *mqtt.Packet, t alink.Template, do asker) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	req, err := alink.ParseRequest(p.Payload)
	a := answerTo(p, &req)
	if err != nil {
		return c.refuse(p, t, nil, a, &refusal{alink.CodeBadRequest, err.Error()})
	}
	if t == alink.NTPRequest {
		req.Params = p.Payload
	}
	out, r, err := do(c, ctx, &req)
	if err != nil {
		r = c.cannot(ctx, t, err)
	}
	if r == nil {
		if r = c.tell(ctx, t, out, &a); r != nil {
			out.data = nil // it was too much
		}
	}
	if r != nil {
		a.about = out.data
		return c.refuse(p, t, nil, a, r)
	}
	if out.after != nil {
		out.after()
	}
	c.show(device.AskedSubject, string(p.Topic), p.Payload, "")
	if p.QoS > 0 {
		c.s.Ack(p.ID)
	}
	return nil
}

// answerTo is how a request is to be answered.
func answerTo(p *mqtt.Packet, req *alink.Request) answer {
	a := answer{id: req.ID, wanted: req.Ack}
	if q, ok := p.Properties.Find(mqtt.CorrelationData); ok {
		a.data = bytes.Clone(q.Value)
	}
	return a
}

// cannot is the refusal of a request that the platform could not carry out, or did not want to.
func (c *conn) cannot(ctx context.Context, t alink.Template, err error) *refusal {
	f := fault.Of(err)
	switch {
	case f != nil && f.Code == fault.OverLimit:
		return &refusal{alink.CodeTooMany, f.Sentence()}
	case f != nil && !fault.Passes(err):
		return &refusal{alink.CodeParam, f.Sentence()}
	}
	c.g.missed(context.WithoutCancel(ctx), "answering "+t.String()+" failed", err)
	return &refusal{alink.CodeServer, "the platform could not do it now; ask again later"}
}

// tell answers a request that was carried out, if the device listens and wants it. An answer that does not fit is refused.
func (c *conn) tell(ctx context.Context, t alink.Template, out told, a *answer) *refusal {
	if !a.wanted || !c.subscribed(t.Reply(), "") {
		return nil
	}
	text := out.data
	if enveloped(t.Reply()) {
		text = alink.AppendReply(nil, a.id, alink.CodeOK, "success", out.data, t.Method(""))
	}
	err := c.reply(t.Reply(), "", text, a)
	if err == nil {
		return nil
	}
	if out.undo != nil {
		out.undo(ctx)
	}
	if errors.Is(err, mqtt.ErrOut) || errors.Is(err, mqtt.ErrTooLarge) {
		return &refusal{alink.CodeBadRequest, fmt.Sprintf("the answer has %d bytes, more than the connection takes now", len(text))}
	}
	return nil // the session is over
}

// enveloped reports whether messages on a topic are replies of Alink; who speaks raw does not read them as JSON.
func enveloped(t alink.Template) bool {
	return strings.HasSuffix(t.String(), "_reply") && t != alink.RawUpReply && t != alink.RawDownReply
}
