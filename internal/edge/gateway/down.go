package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/mqtt"
)

// maxParts bounds the filters of one device that name a single service or event.
const maxParts = 64

// subscriptions is what a device may be sent, resolved when it subscribed. Immutable.
type subscriptions struct {
	whole alink.Filters
	parts []alink.Subscription // filters that fit some arguments of a row only
	qos   uint8
}

func (f *subscriptions) has(t alink.Template, arg string) bool {
	if f.whole.Has(t) {
		return true
	}
	for i := range f.parts {
		if f.parts[i].Wants(t, arg) {
			return true
		}
	}
	return false
}

// with returns f and what sub adds, or false beyond the limit.
func (f subscriptions) with(sub alink.Subscription) (subscriptions, bool) {
	f.whole = f.whole.Union(sub.Whole)
	if sub.Part.Empty() {
		return f, true
	}
	if len(f.parts) >= maxParts {
		return f, false
	}
	sub.Arg = bytes.Clone(sub.Arg)
	f.parts = append(slices.Clone(f.parts), sub)
	return f, true
}

func (f subscriptions) without(sub alink.Subscription) subscriptions {
	f.whole = f.whole.Without(sub.Whole)
	f.parts = slices.DeleteFunc(slices.Clone(f.parts), func(p alink.Subscription) bool {
		return p.Part == sub.Part && bytes.Equal(p.Arg, sub.Arg)
	})
	return f
}

// Subscribe grants filters that lead to topics of the device's own down side, and refuses all others.
func (c *conn) Subscribe(filters []mqtt.Filter, codes []byte) {
	var next subscriptions
	if had := c.filters.Load(); had != nil {
		next = *had
	}
	granted := false
	for i, f := range filters {
		sub, ok := alink.Resolve(f.Topic, c.key, c.name)
		if ok {
			next, ok = next.with(sub)
		}
		if !ok { // the code says refused already
			c.show(device.RefusedSubject, string(f.Topic), nil, "subscribed to a topic that is not its own, or to too many")
			continue
		}
		codes[i] = min(f.QoS, 1)
		next.qos = max(next.qos, codes[i])
		granted = true
	}
	if granted {
		c.filters.Store(&next)
		c.deliver()
	}
}

// Unsubscribe takes filters back.
func (c *conn) Unsubscribe(filters []mqtt.Filter) {
	had := c.filters.Load()
	if had == nil {
		return
	}
	next := *had
	for _, f := range filters {
		if sub, ok := alink.Resolve(f.Topic, c.key, c.name); ok {
			next = next.without(sub)
		}
	}
	c.filters.Store(&next)
}

func (c *conn) subscribed(t alink.Template, arg string) bool {
	f := c.filters.Load()
	return f != nil && f.has(t, arg)
}

// Disconnect is a clean goodbye.
func (c *conn) Disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = "disconnected"
	}
}

// Puback tells that the device has the packet of a command.
func (c *conn) Puback(id uint16) {
	c.mu.Lock()
	seq, ok := c.flying[id]
	delete(c.flying, id)
	if len(c.flying) == 0 {
		c.flying = nil
	}
	c.mu.Unlock()
	if ok {
		c.g.c.Commands.Acknowledged(seq)
		c.deliver() // there is room in the window again
	}
}

// deliver gives the device what waits for it. One delivery runs at a time; a call during one makes it look again.
func (c *conn) deliver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.giving {
		c.again = true
		return
	}
	c.giving = true
	c.g.conns.Go(c.give)
}

func (c *conn) give() {
	ctx := context.Background()
	for {
		if err := c.giveOnce(ctx); err != nil {
			c.g.c.Logger.LogAttrs(ctx, slog.LevelWarn, "delivering commands failed", slog.String("device", c.device), slog.Any("error", err))
		}
		c.mu.Lock()
		if !c.again || c.gone.Load() {
			c.giving, c.again = false, false
			c.mu.Unlock()
			return
		}
		c.again = false
		c.mu.Unlock()
	}
}

func (c *conn) giveOnce(ctx context.Context) error {
	if c.gone.Load() || !c.s.Connected() || !c.listens() {
		return nil
	}
	room := int(c.g.limits.Inflight) - c.s.Inflight()
	if room <= 0 {
		return nil // Puback comes here again
	}
	cs, err := c.g.c.Commands.Take(ctx, c.device, c.epoch, room, c.carries)
	if err != nil {
		return err
	}
	for i := range cs {
		if err := c.send(&cs[i]); err != nil {
			return errors.Join(err, c.g.c.Commands.Return(ctx, cs[i:]))
		}
	}
	return nil
}

// listens reports whether the device subscribed to anything commands are sent on.
func (c *conn) listens() bool {
	f := c.filters.Load()
	return f != nil && (f.whole.Has(alink.PropertySet) || f.whole.Has(alink.ServiceInvoke) || len(f.parts) > 0)
}

// carries reports whether the device subscribed to the topic of a command.
func (c *conn) carries(cmd *command.Command) bool {
	if cmd.Kind == command.Service {
		return c.subscribed(alink.ServiceInvoke, cmd.Service)
	}
	return c.subscribed(alink.PropertySet, "")
}

// send hands one command to the session. An error means that nothing was queued.
func (c *conn) send(cmd *command.Command) error {
	t, arg := alink.PropertySet, ""
	if cmd.Kind == command.Service {
		t, arg = alink.ServiceInvoke, cmd.Service
	}
	f := c.filters.Load()
	topic := t.Topic(c.key, c.name, arg)
	payload := alink.AppendRequest(nil, strconv.FormatInt(cmd.Seq, 10), t.Method(arg), cmd.Params)
	c.mu.Lock()
	id, err := c.s.Publish(topic, payload, f.qos)
	if err == nil && id != 0 {
		if c.flying == nil {
			c.flying = make(map[uint16]int64)
		}
		c.flying[id] = cmd.Seq
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	c.g.Stats.Delivered.Add(1)
	c.show(device.DownSubject, topic, payload, "")
	return nil
}

// maxShown is how much of a payload is shown.
const maxShown = 4 << 10

// show publishes traffic for whoever looks. It may be lost.
func (c *conn) show(subject, topic string, payload []byte, why string) {
	t := device.Traffic{At: time.Now().UTC(), Topic: topic, Why: why}
	switch {
	case len(payload) == 0:
	case len(payload) <= maxShown && json.Valid(payload):
		t.Payload = payload
	default:
		t.Payload, _ = json.Marshal(string(payload[:min(len(payload), maxShown)]))
	}
	b, err := json.Marshal(t)
	if err != nil {
		return
	}
	c.g.c.Bus.Publish(subject+c.device, b)
}
