package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// errForeign closes a session that publishes where it may not.
var errForeign = errors.New("published on a topic that is not its own")

// errUnknown closes the session of a gateway of whose sub-devices nobody can say now whether they are its; unacknowledged, their messages come again.
var errUnknown = errors.New("the platform cannot identify sub-devices now")

// errUnread closes a session whose messages nobody can hold against their thing model now; unacknowledged, they come again.
var errUnread = errors.New("the thing model cannot be read now")

// Publish takes a message from the device: checked, stored, and only then acknowledged.
func (c *conn) Publish(p *mqtt.Packet) error {
	if c.gone.Load() || c.newcomer != nil {
		return mqtt.ErrClosed // taken over: a late message; or there for a secret alone
	}
	of := c
	t, arg, ok := alink.Match(p.Topic, c.of.Value().key, c.name)
	if !ok {
		k, err := c.speaksFor(p.Topic)
		if err != nil {
			c.s.Bye(mqtt.Unavailable, errUnknown.Error())
			return err
		}
		if k != nil {
			of = k
			t, arg, ok = alink.Match(p.Topic, k.of.Value().key, k.name)
		}
	}
	if !ok || t.Direction()&alink.Up == 0 {
		if err := c.charge(p); err != nil {
			return c.overLimit(p, t, arg, err)
		}
		return of.foreign(p)
	}
	if of.gone.Load() {
		return c.noSession(p, of)
	}
	return of.take(p, t, arg)
}

// take takes a message of the session on one of its own topics.
func (c *conn) take(p *mqtt.Packet, t alink.Template, arg []byte) error {
	if err := c.charge(p); err != nil {
		return c.overLimit(p, t, arg, err)
	}
	c.g.Stats.Messages.Add(1)
	if t.GatewayOnly() && !c.mayCarry() {
		return c.refuse(p, t, arg, answer{}, &refusal{alink.CodeBadRequest, errNoGateway.Error()})
	}
	if t == alink.ShadowUpdate {
		return c.asksShadow(p)
	}
	if do := askerOf(t); do != nil {
		return c.carryOut(p, t, do)
	}
	answer, refusal, err := c.check(t, arg, p.Payload)
	if err != nil {
		c.s.Bye(mqtt.Unavailable, errUnread.Error())
		return err
	}
	if q, ok := p.Properties.Find(mqtt.CorrelationData); ok {
		answer.data = bytes.Clone(q.Value)
	}
	if refusal != nil {
		return c.refuse(p, t, arg, answer, refusal)
	}
	return c.store(p, t, arg, answer)
}

// overLimit ends the session for a message beyond its limits. That of a child ends alone: its message is refused, and those that
// follow count as its gateway's.
func (c *conn) overLimit(p *mqtt.Packet, t alink.Template, arg []byte, err error) error {
	if c.via == nil {
		c.s.Bye(mqtt.QuotaExceeded, err.Error())
		return err
	}
	r := c.refuse(p, t, arg, answer{}, &refusal{alink.CodeTooMany, err.Error()})
	c.part("over its limit: " + fault.Of(err).Sentence())
	return r
}

// noSession refuses a message of a child whose session is over, as the gateway may not know yet.
func (c *conn) noSession(p *mqtt.Packet, k *conn) error {
	if err := c.charge(p); err != nil {
		c.s.Bye(mqtt.QuotaExceeded, err.Error())
		return err
	}
	r := &refusal{alink.CodeNoSession, "the sub-device has no session through this gateway"}
	a := answer{}
	told := c.subscribed(alink.Error, "") && c.reply(alink.Error, "", r.report(p.Topic, nil, ""), &a) == nil
	return k.turnDown(p, r, told)
}

// foreign refuses a message on a topic that is not the device's. MQTT 5 has a word for it that leaves the session alive;
// 3.1.1 and QoS 0 have none but the end.
func (c *conn) foreign(p *mqtt.Packet) error {
	c.g.Stats.Rejected.Add(1)
	c.show(device.RefusedSubject, string(p.Topic), p.Payload, errForeign.Error())
	if c.s.Version() == mqtt.V5 && p.QoS > 0 {
		c.s.Refuse(p.ID, mqtt.NotAuthorised, errForeign.Error())
		return nil
	}
	c.s.Bye(mqtt.NotAuthorised, errForeign.Error())
	return errForeign
}

// answer is what the device will be told once its message is stored.
type answer struct {
	id     []byte // aliases the packet until it is copied
	wanted bool
	data   []byte // correlation data of a request of MQTT 5
	about  []byte // JSON: what a refusal is about; nil: {}
}

// properties go with the answer: the correlation data of the request.
func (a *answer) properties() mqtt.Properties {
	if a.data == nil {
		return nil
	}
	return mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.CorrelationData, Value: a.data})
}

// refusal is why a message is not taken.
type refusal struct {
	code int
	text string
}

// reason is the word of MQTT 5 for it.
func (r *refusal) reason() mqtt.Reason {
	switch r.code {
	case alink.CodeServer:
		return mqtt.Unspecified
	case alink.CodeTooMany:
		return mqtt.QuotaExceeded
	}
	return mqtt.BadPayload
}

// report is the refusal as a message on the topic of errors, for a device that does not listen to the topic of replies, or
// where there is none.
func (r *refusal) report(topic, id []byte, method string) []byte {
	data, err := json.Marshal(map[string]string{"topic": string(topic)})
	if err != nil {
		data = nil // not reached: a topic is text
	}
	return alink.AppendReply(nil, id, r.code, r.text, data, method)
}

// check holds a message against its topic and the thing model. It fails where nobody can say what the message is worth.
func (c *conn) check(t alink.Template, arg, payload []byte) (answer, *refusal, error) {
	switch {
	case posts(t):
		return c.checkRequest(t, arg, payload)
	case says(t):
		a, r := checkSaid(t, payload)
		return a, r, nil
	case t == alink.RRPCResponse || t == alink.ExtRRPC:
		return answer{}, c.checkCall(t, arg, payload), nil
	case answers(t):
		reply, err := alink.ParseReply(payload)
		if err != nil {
			return answer{}, &refusal{alink.CodeBadRequest, err.Error()}, nil
		}
		if t == alink.ConfigPushReply {
			c.g.offers.answered(c, &reply)
		}
		return answer{}, nil, nil
	}
	a, r := c.unserved(t, arg, payload)
	return a, r, nil
}

// unserved takes messages on topics of the table that this platform does nothing with yet. One whose refusal the device
// would hear is refused; all others are stored, because what is acknowledged must not be lost.
func (c *conn) unserved(t alink.Template, arg, payload []byte) (answer, *refusal) {
	reply := t.Reply()
	if reply == 0 || t == alink.RawUp || !c.subscribed(reply, string(arg)) { // who speaks raw does not read a refusal as JSON
		return answer{}, nil
	}
	req, err := alink.ParseRequest(payload)
	if err != nil {
		return answer{}, &refusal{alink.CodeBadRequest, err.Error()}
	}
	return answer{id: req.ID}, &refusal{alink.CodeBadRequest, "this topic is not served yet; the message was not stored"}
}

func (c *conn) checkRequest(t alink.Template, arg, payload []byte) (answer, *refusal, error) {
	req, err := alink.ParseRequest(payload)
	if err != nil {
		return answer{}, &refusal{alink.CodeBadRequest, err.Error()}, nil
	}
	a := answer{id: req.ID, wanted: req.Ack}
	r, err := c.g.fits(context.Background(), c.of.Value(), c.name, t, string(arg), req.Params)
	return a, r, err
}

// refuse answers a message that is not taken, and acknowledges it: sending it again would not make it better. Where the
// device cannot hear why, neither by MQTT 5 nor on a topic of replies or errors that it listens to, the refusal is kept in the Log before, so that
// nothing acknowledged is lost.
func (c *conn) refuse(p *mqtt.Packet, t alink.Template, arg []byte, a answer, r *refusal) error {
	told := false
	if reply := t.Reply(); enveloped(reply) && c.subscribed(reply, string(arg)) {
		text := alink.AppendReply(nil, a.id, r.code, r.text, a.about, t.Method(string(arg)))
		told = c.reply(reply, string(arg), text, &a) == nil
	} else if c.subscribed(alink.Error, "") {
		told = c.reply(alink.Error, "", r.report(p.Topic, a.id, t.Method(string(arg))), &a) == nil
	}
	return c.turnDown(p, r, told)
}

// turnDown is the end of a refusal that the device was told, or not.
func (c *conn) turnDown(p *mqtt.Packet, r *refusal, told bool) error {
	c.g.Stats.Rejected.Add(1)
	keep := !told && p.QoS > 0 && c.s.Version() != mqtt.V5
	c.showAs(device.RefusedSubject, p.Payload, device.Traffic{At: time.Now().UTC(), Topic: string(p.Topic), Why: r.text, Kept: keep})
	switch {
	case p.QoS == 0:
		return nil
	case c.s.Version() == mqtt.V5:
		c.s.Refuse(p.ID, r.reason(), r.text)
		return nil
	case !keep:
		c.s.Ack(p.ID)
		return nil
	}
	kept := device.Refusal{Topic: string(p.Topic), Why: r.text, Payload: veiled(string(p.Topic), p.Payload)}
	return c.append(uplink.Record{Kind: uplink.Fact, Subject: device.RefusalFact, Body: kept.Append(nil)}, p, nil)
}

// reply publishes an answer on a topic that the device subscribed to.
func (c *conn) reply(t alink.Template, arg string, text []byte, a *answer) error {
	m := mqtt.Outgoing{Topic: t.Topic(c.of.Value().key, c.name, arg), Payload: text}
	if c.s.Version() == mqtt.V5 {
		m.Properties = c.filters.Load().identifiers(a.properties(), t, arg)
	}
	_, err := c.s.Send(&m)
	return err
}

// store hands a message to the Log; acknowledgement and answer leave when it is on disk.
func (c *conn) store(p *mqtt.Packet, t alink.Template, arg []byte, a answer) error {
	m := device.Message{Product: c.of.Value().product, Template: t, Arg: string(arg), Payload: p.Payload}
	c.hold(&m, p)
	body, err := m.Append(make([]byte, 0, len(p.Payload)+len(arg)+24))
	if err != nil {
		return c.refuse(p, t, arg, a, &refusal{alink.CodeBadRequest, err.Error()})
	}
	var reply []byte
	if a.wanted && t.Reply() != 0 && c.subscribed(t.Reply(), m.Arg) {
		reply = alink.AppendReply(nil, a.id, alink.CodeOK, "success", nil, t.Method(m.Arg))
	}
	return c.append(uplink.Record{Kind: uplink.Message, Subject: t.String(), Body: body}, p, func() {
		if reply != nil {
			_ = c.reply(t.Reply(), m.Arg, reply, &a) // best effort: QoS 0
		}
	})
}

// hold notes in a message that it is one of QoS 2, which the session that carries it does not take again.
func (c *conn) hold(m *device.Message, p *mqtt.Packet) {
	if p.QoS != 2 || !c.link().lasting() {
		return
	}
	if m.PacketID, m.Epoch = p.ID, c.link().epoch; c.via != nil {
		m.Via = c.via.device
	}
}

// append hands a record made of p to the Log. When it is on disk then, if not nil, is called and p acknowledged.
func (c *conn) append(r uplink.Record, p *mqtt.Packet, then func()) error {
	r.At, r.Device = time.Now(), c.device
	id, qos := p.ID, p.QoS
	l := c.link()
	l.unstored.Add(1)
	err := c.g.c.Log.Append(context.Background(), r, func(_ uplink.Position, err error) {
		defer l.stored()
		if err != nil {
			l.unkept(id, qos, err)
			return
		}
		if then != nil {
			then()
		}
		if qos > 0 {
			c.s.Ack(id)
		}
	})
	if err != nil {
		l.stored()
		c.s.Bye(mqtt.Unavailable, notStored)
		return err
	}
	return nil
}

// unkept tells of a message that could not be stored: MQTT 5 has a word for it, 3.1.1 none but the end of the connection,
// unacknowledged, so that the device sends it again.
func (c *conn) unkept(id uint16, qos uint8, err error) {
	if c.s.Version() == mqtt.V5 && qos > 0 {
		c.s.Refuse(id, mqtt.QuotaExceeded, "the message could not be stored; send it again later")
		return
	}
	c.because("not stored: " + err.Error())
	c.dismiss(mqtt.QuotaExceeded, notStored)
}

// notStored is what a device is told; the reason of its session has the cause.
const notStored = "messages cannot be stored now"
