package virtual

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
	"lampworks/tsl"
)

// message acts on what the platform sends; on the client's goroutine.
func (d *Device) message(client *mqtt.Client, m mqtt.Message) {
	t, arg, ok := alink.Match([]byte(m.Topic), d.c.ProductKey, d.name)
	if k := d.child(m.Topic); !ok && k != nil {
		k.message(client, m)
		return
	}
	if ok && d.governs(client, t, m.Payload) {
		return
	}
	if ok && t == alink.PropertyPostReply {
		d.answered(m.Payload)
	}
	if !ok || !obeys(t) {
		return
	}
	req, err := alink.ParseRequest(m.Payload)
	if err != nil {
		d.c.Log.LogAttrs(context.Background(), slog.LevelWarn, "virtual device got a request it cannot read", slog.String("device", d.name), slog.Any("error", err))
		return
	}
	fault := d.Fault()
	if d.c.OnCommand != nil {
		d.c.OnCommand(string(req.ID), string(req.Method), req.Params)
	}
	o := order{t: t, id: string(req.ID), arg: string(arg), method: string(req.Method), params: append([]byte(nil), req.Params...)}
	act := func() { d.obey(client, &o, fault) }
	switch fault {
	case Silent:
	case Slow:
		d.later.Go(func() {
			select {
			case <-client.Done():
			case <-time.After(SlowBy):
				act()
			}
		})
	default:
		act()
	}
}

// answered takes what the platform says to a post.
func (d *Device) answered(payload []byte) {
	r, err := alink.ParseReply(payload)
	if err == nil && r.Code != alink.CodeOK && d.c.OnRefused != nil {
		d.c.OnRefused(r.Code, alink.Text(r.Message))
	}
}

// obeys reports whether a topic is for what a device is told to do.
func obeys(t alink.Template) bool {
	return t == alink.PropertySet || t == alink.PropertyGet || t == alink.ServiceInvoke || t == alink.RRPCRequest
}

// order is something the device is told to do.
type order struct {
	t               alink.Template
	id, arg, method string
	params          []byte
}

func (d *Device) obey(client *mqtt.Client, o *order, fault Fault) {
	switch o.t {
	case alink.PropertySet:
		d.set(client, o.id, o.params, fault)
	case alink.PropertyGet:
		d.get(client, o.id, o.params, fault)
	case alink.ServiceInvoke:
		d.serve(client, o.id, o.arg, o.params, d.topic(alink.ServiceReply, o.arg))
	case alink.RRPCRequest:
		d.serve(client, o.id, strings.TrimPrefix(o.method, "thing.service."), o.params, d.topic(alink.RRPCResponse, o.arg))
	}
}

// get tells the values of properties.
func (d *Device) get(client *mqtt.Client, id string, params []byte, fault Fault) {
	names, err := alink.ParseNames(params)
	topic, method := d.topic(alink.PropertyGetReply, ""), "thing.service.property.get"
	if err != nil {
		d.publish(client, topic, alink.AppendReply(nil, []byte(id), alink.CodeParam, err.Error(), nil, method))
		return
	}
	state, out := d.State(), make(map[string]json.RawMessage)
	for _, name := range names {
		if v, ok := state[name]; ok {
			if p, ok := d.c.Model.Property(name); ok && fault == Wrong {
				v = another(p, v)
			}
			out[name] = typed(v, fault)
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		data = nil // not reached: the values are JSON already
	}
	d.publish(client, topic, alink.AppendReply(nil, []byte(id), alink.CodeOK, "success", data, method))
}

// set carries out a property set: state first, then the report, then the answer, as the platform must not take an
// answer for the deed.
func (d *Device) set(client *mqtt.Client, id string, params []byte, fault Fault) {
	if v := d.c.Model.CheckSet(params, func(*tsl.Property, []byte, int64) {}); v != nil {
		d.publish(client, d.topic(alink.PropertySetReply, ""), alink.AppendReply(nil, []byte(id), alink.CodeParam, v.Error(), nil, "thing.service.property.set"))
		return
	}
	changed := make(map[string]json.RawMessage)
	d.mu.Lock()
	d.c.Model.CheckSet(params, func(p *tsl.Property, value []byte, _ int64) {
		v := append(json.RawMessage(nil), value...)
		if fault == Wrong {
			v = another(p, v)
		}
		d.state[p.Identifier] = v
		changed[p.Identifier] = v
	})
	d.switchOn(changed)
	for id, v := range changed {
		changed[id] = typed(v, fault)
	}
	d.mu.Unlock()
	d.publish(client, d.topic(alink.PropertyPost, ""), d.post(changed))
	d.publish(client, d.topic(alink.PropertySetReply, ""), alink.AppendReply(nil, []byte(id), alink.CodeOK, "success", nil, "thing.service.property.set"))
}

// switchOn does what lamps do: one that is told how bright, which colour or how warm lights up, and reports that too. The
// caller holds mu.
func (d *Device) switchOn(changed map[string]json.RawMessage) {
	if _, told := changed["powerstate"]; told || string(d.state["powerstate"]) != "0" {
		return
	}
	for _, p := range []string{"brightness", "color", "colorTemperature"} {
		if _, ok := changed[p]; ok {
			d.state["powerstate"] = json.RawMessage("1")
			changed["powerstate"] = d.state["powerstate"]
			return
		}
	}
}

// serve answers a service of the model on a topic, with no output.
func (d *Device) serve(client *mqtt.Client, id, service string, params []byte, topic string) {
	method := "thing.service." + service
	if v := d.c.Model.CheckInput(service, params); v != nil {
		d.publish(client, topic, alink.AppendReply(nil, []byte(id), alink.CodeParam, v.Error(), nil, method))
		return
	}
	d.publish(client, topic, alink.AppendReply(nil, []byte(id), alink.CodeOK, "success", []byte("{}"), method))
}

func (d *Device) publish(client *mqtt.Client, topic string, payload []byte) {
	err := client.Start(topic, payload, d.c.QoS, nil)
	if d.Fault() == Duplicate && err == nil {
		err = client.Start(topic, payload, d.c.QoS, nil)
	}
	if err != nil {
		d.c.Log.LogAttrs(context.Background(), slog.LevelDebug, "virtual device could not publish", slog.String("device", d.name), slog.Any("error", err))
	}
}

// initial is a value the model allows: off, the middle of a range, the first of a list.
func initial(p *tsl.Property) json.RawMessage {
	switch p.Type {
	case tsl.Bool:
		return json.RawMessage("0")
	case tsl.Int, tsl.Float, tsl.Double:
		if !p.HasRange {
			return json.RawMessage("0")
		}
		return number(p, (p.Min+p.Max)/2)
	case tsl.Enum:
		if len(p.Enum) > 0 {
			return strconv.AppendInt(nil, p.Enum[0].Value, 10)
		}
	}
	return nil
}

// another is a value the model allows and v is not, where there is one.
func another(p *tsl.Property, v json.RawMessage) json.RawMessage {
	var n float64
	if json.Unmarshal(v, &n) != nil {
		return v
	}
	switch p.Type {
	case tsl.Bool:
		return number(p, 1-n)
	case tsl.Int, tsl.Float, tsl.Double:
		if p.HasRange && n > p.Min {
			return number(p, p.Min)
		}
		return number(p, p.Max)
	case tsl.Enum:
		for _, e := range p.Enum {
			if float64(e.Value) != n {
				return strconv.AppendInt(nil, e.Value, 10)
			}
		}
	}
	return v
}

// typed is v, of a device that is mistyped in a type that no model gives it: a text where there was none, a number for a text.
func typed(v json.RawMessage, fault Fault) json.RawMessage {
	switch {
	case fault != Mistyped:
		return v
	case len(v) > 0 && v[0] == '"':
		return json.RawMessage("0")
	}
	return json.RawMessage(strconv.Quote(string(v)))
}

// number writes x on the property's grid.
func number(p *tsl.Property, x float64) json.RawMessage {
	if p.Step > 0 {
		x = p.Min + math.Round((x-p.Min)/p.Step)*p.Step
	}
	if p.Type == tsl.Int || p.Type == tsl.Bool {
		x = math.Round(x)
	}
	return strconv.AppendFloat(nil, x, 'f', -1, 64)
}
