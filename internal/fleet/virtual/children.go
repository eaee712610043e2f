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

// carry brings what the device carries online, as a gateway (网关): topology, login, subscriptions, and the first values of each.
func (d *Device) carry(ctx context.Context, client *mqtt.Client) error {
	if len(d.children) == 0 {
		return nil
	}
	branch := "/sys/" + d.c.ProductKey + "/" + d.name + "/thing/"
	session := "/ext/session/" + d.c.ProductKey + "/" + d.name + "/combine/"
	if _, err := client.Subscribe(ctx, branch+"topo/#", branch+"gateway/permit", session+"batch_login_reply"); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	for some := range slices.Chunk(d.children, alink.MaxChildren) {
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
		if err := d.request(ctx, client, alink.TopoAdd, list); err != nil {
			return err
		}
		if err := d.request(ctx, client, alink.BatchLogin, append(append([]byte(`{"deviceList":`), list...), '}')); err != nil {
			return err
		}
		for _, k := range some {
			if err := k.begin(ctx, client); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin subscribes to what the device is told, and posts its first values.
func (d *Device) begin(ctx context.Context, client *mqtt.Client) error {
	branch := "/sys/" + d.c.ProductKey + "/" + d.name + "/"
	if _, err := client.Subscribe(ctx, branch+"thing/service/#", branch+"rrpc/request/+", branch+"thing/event/+/post_reply"); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := client.Publish(ctx, d.topic(alink.PropertyPost, ""), d.post(d.State()), d.c.QoS); err != nil {
		return fmt.Errorf("posting the first values: %w", err)
	}
	return nil
}

// errUnanswered ends a connection over which the platform does not answer.
var errUnanswered = errors.New("the platform does not answer")

// request asks for something that must be carried out.
func (d *Device) request(ctx context.Context, client *mqtt.Client, of alink.Template, params []byte) error {
	if err := client.Publish(ctx, d.topic(of, ""), alink.AppendRequest(nil, "1", of.Method(""), params), 1); err != nil {
		return err
	}
	select {
	case r := <-d.answers:
		if r.of != of.Reply() || r.code != alink.CodeOK {
			return fmt.Errorf("%s was answered %d: %s", of, r.code, r.message)
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
			d.publish(client, d.topic(alink.GatewayPermitReply, ""), alink.AppendReply(nil, bytes.Clone(req.ID), alink.CodeOK, "success", nil, t.Method("")))
		}
		return true
	}
	return false
}

// child is who a message is for that the device carries, nil if it is for none.
func (d *Device) child(topic string) *Device {
	names := alink.Names([]byte(topic))
	for _, k := range d.children {
		if string(names) == k.c.ProductKey+"/"+k.name {
			return k
		}
	}
	return nil
}
