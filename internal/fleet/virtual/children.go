package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
)

// patience is how long a gateway waits for an answer before it connects again.
const patience = 10 * time.Second

// A standing is how a child stands with the platform, as far as its gateway knows.
type standing uint8

const (
	wanted   standing = iota // it is to be logged in, now or when what was in the way may have passed: the gateway is not told of all that does
	inside                   // it is logged in
	refused                  // it was refused for good while the others are there, and is out until the next connection
	detached                 // the gateway carries it no longer, until it is attached
)

// carry brings what the device carries online, as a gateway (网关): topology, login, subscriptions, and the first values of each.
// One that was taken from it is logged in only if it was given back meanwhile, and not fetched back.
func (d *Device) carry(ctx context.Context, client *mqtt.Client) error {
	if len(d.children) == 0 {
		return nil
	}
	branch := "/sys/" + d.c.ProductKey + "/" + d.name + "/thing/"
	session := "/ext/session/" + d.c.ProductKey + "/" + d.name + "/combine/"
	if _, err := client.Subscribe(ctx, branch+"topo/#", branch+"gateway/permit", session+"batch_login_reply"); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	var own, gone []*Device
	for _, k := range d.children {
		if k.standing == detached {
			gone = append(gone, k)
			continue
		}
		k.standing = wanted
		own = append(own, k)
	}
	if err := d.enterAll(ctx, client, own); err != nil {
		return err
	}
	for _, k := range gone {
		if err := d.enter(ctx, client, []*Device{k}, alink.BatchLogin); err != nil {
			return err
		}
	}
	return nil
}

// enterAll adds children to the topology and logs them in, as many at once as a message takes.
func (d *Device) enterAll(ctx context.Context, client *mqtt.Client, all []*Device) error {
	for some := range slices.Chunk(all, alink.MaxChildren) {
		if err := d.enter(ctx, client, some, alink.TopoAdd, alink.BatchLogin); err != nil {
			return err
		}
	}
	return nil
}

// enter takes children through the steps to their sessions, together, or one by one when the platform does not take all of them.
// The error of a child that is never to be taken is a [*Denied].
func (d *Device) enter(ctx context.Context, client *mqtt.Client, some []*Device, steps ...alink.Template) error {
	for _, step := range steps {
		err := d.ask(ctx, client, step, some)
		denied, ok := errors.AsType[*Denied](err)
		switch {
		case err == nil:
			continue
		case !ok:
			return err
		case len(some) == 1 || denied.Code == alink.CodeTooMany || denied.Code == alink.CodeServer:
			return d.denied(some, denied)
		}
		for i := range some {
			if err := d.enter(ctx, client, some[i:i+1], steps...); err != nil {
				return err
			}
		}
		return nil
	}
	for _, k := range some {
		if err := k.begin(ctx, client); err != nil {
			return err
		}
		k.standing, k.code = inside, 0
		k.news(LoggedIn, 0, "")
	}
	return nil
}

// denied notes that children were not taken, tells it once, and returns denied if they never will be.
func (d *Device) denied(some []*Device, denied *Denied) error {
	for _, k := range some {
		if k.standing == detached && denied.Code == alink.CodeNoTopology {
			continue
		}
		k.standing = wanted
		if k.code != denied.Code {
			k.code = denied.Code
			k.news(Refused, denied.Code, denied.Message)
		}
	}
	if denied.Permanent() {
		denied.Child = some[0].name
		return denied
	}
	return nil
}

// ask sends children, each signed, for a step to their sessions.
func (d *Device) ask(ctx context.Context, client *mqtt.Client, step alink.Template, some []*Device) error {
	list := []byte("[")
	for i, k := range some {
		if i > 0 {
			list = append(list, ',')
		}
		var err error
		if list, err = alink.AppendSigned(list, k.c.ProductKey, k.name, k.c.Triple.Secret.Reveal()); err != nil {
			return fmt.Errorf("signing for %s: %w", k.name, err)
		}
	}
	list = append(list, ']')
	if step == alink.BatchLogin {
		list = append(append([]byte(`{"deviceList":`), list...), '}')
	}
	return d.request(ctx, client, step, list)
}

// begin subscribes to what the device is told, and posts its first values.
func (d *Device) begin(ctx context.Context, client *mqtt.Client) error {
	branch := "/sys/" + d.c.ProductKey + "/" + d.name + "/"
	topics := []string{"thing/service/#", "rrpc/request/+", "thing/event/+/post_reply", "thing/disable", "thing/enable"}
	if d.c.OnToken != nil {
		topics = append(topics, bindTopics...)
	}
	for i := range topics {
		topics[i] = branch + topics[i]
	}
	if _, err := client.Subscribe(ctx, topics...); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := client.Publish(ctx, d.topic(alink.PropertyPost, ""), d.post(d.State()), d.c.QoS); err != nil {
		return fmt.Errorf("posting the first values: %w", err)
	}
	return nil
}

// errUnanswered ends a connection over which the platform does not answer.
var errUnanswered = errors.New("the platform does not answer")

// request asks for something, and returns a [*Denied] if the platform does not do it.
func (d *Device) request(ctx context.Context, client *mqtt.Client, of alink.Template, params []byte) error {
	select {
	case <-d.answers: // of a connection of before
	default:
	}
	if err := client.Publish(ctx, d.topic(of, ""), alink.AppendRequest(nil, "1", of.Method(""), params), 1); err != nil {
		return err
	}
	select {
	case r := <-d.answers:
		if r.of != of.Reply() {
			return errUnanswered
		}
		if r.code != alink.CodeOK {
			return &Denied{Code: r.code, Message: r.message}
		}
		return nil
	case <-time.After(patience):
		return errUnanswered
	case <-client.Done():
		return client.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reply is an answer to a gateway.
type reply struct {
	of      alink.Template
	code    int
	message string
}

// governs acts on what a gateway alone is told, and reports whether it was that.
func (d *Device) governs(client *mqtt.Client, t alink.Template, payload []byte) bool {
	switch t {
	case alink.TopoAddReply, alink.BatchLoginReply:
		r, err := alink.ParseReply(payload)
		if err != nil {
			return true
		}
		select {
		case d.answers <- reply{t, r.Code, alink.Text(r.Message)}:
		default: // nobody waits
		}
		return true
	case alink.GatewayPermit:
		if req, err := alink.ParseRequest(payload); err == nil {
			d.news(PermitJoin, 0, string(req.Params))
			d.publish(client, d.topic(alink.GatewayPermitReply, ""), alink.AppendReply(nil, bytes.Clone(req.ID), alink.CodeOK, "success", nil, t.Method("")))
		}
		return true
	case alink.TopoAddNotify, alink.TopoChange:
		d.topology(client, t, payload)
		return true
	case alink.EnrolleeMatchReply:
		d.taken(payload)
		return true
	case alink.CloudNotify:
		d.told(payload)
		return true
	case alink.Disable:
		d.news(Disabled, 0, "")
		return true
	case alink.Enable:
		if !d.carried { // of a child its gateway is told, and tells
			d.news(Enabled, 0, "")
		}
		return true
	}
	return false
}

// child is who a message is for that the device carries, nil if it is for none.
func (d *Device) child(topic string) *Device { return d.named(string(alink.Names([]byte(topic)))) }

// named is the child of the names "{pk}/{dn}", nil if there is none.
func (d *Device) named(names string) *Device {
	for _, k := range d.children {
		if names == k.c.ProductKey+"/"+k.name {
			return k
		}
	}
	return nil
}
