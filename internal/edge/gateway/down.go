package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/mqtt"
)

// maxFilters bounds the filters of one device.
const maxFilters = 256

// subscriptions is what a device may be sent, resolved when it subscribed. Immutable.
type subscriptions struct {
	filters []filter
	whole   alink.Filters // rows of which every message is wanted
	sure    alink.Filters // those of them that a filter of QoS 1 covers
	parts   []part        // filters that fit some arguments of a row only
	named   []named       // filters with identifiers, which go with every message they fit
	all     bool          // the client id asked for the whole down side
}

// filter is one as the device wrote it, with the QoS it was granted and the identifier an MQTT 5 device gave it (0: none).
type filter struct {
	text []byte
	qos  uint8
	id   uint32
}

type part struct {
	alink.Subscription
	qos uint8
}

// named is a filter with an identifier.
type named struct {
	alink.Subscription
	id uint32
}

// everything is what _ss=1 in a client id subscribes to.
func everything() subscriptions {
	return subscriptions{whole: alink.AllDown(), sure: alink.AllDown(), all: true}
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

// qos is that of a message: the greatest among the filters that fit it (MQTT 3.1.1 section 3.3.5).
func (f *subscriptions) qos(t alink.Template, arg string) uint8 {
	if f.sure.Has(t) {
		return 1
	}
	for i := range f.parts {
		if f.parts[i].qos > 0 && f.parts[i].Wants(t, arg) {
			return 1
		}
	}
	return 0
}

func (f *subscriptions) index(text []byte) int {
	return slices.IndexFunc(f.filters, func(g filter) bool { return bytes.Equal(g.text, text) })
}

// with returns f and what a filter adds, or replaces (MQTT-3.8.4-3), and why it does not: it is not its device's, or beyond
// the limit.
func (f subscriptions) with(add filter, key, name string) (subscriptions, mqtt.Reason) {
	if i := f.index(add.text); i >= 0 {
		if f.filters[i].qos == add.qos && f.filters[i].id == add.id {
			return f, mqtt.Success
		}
		f = f.without(add.text, key, name)
	}
	if bytes.HasPrefix(add.text, []byte("$share/")) {
		return f, mqtt.NoShared
	}
	add.text = bytes.Clone(add.text)
	sub, ok := alink.Resolve(add.text, key, name)
	switch {
	case !ok:
		return f, mqtt.NotAuthorised
	case len(f.filters) >= maxFilters:
		return f, mqtt.QuotaExceeded
	}
	f.filters = append(slices.Clip(f.filters), add)
	f.whole = f.whole.Union(sub.Whole)
	if add.qos > 0 {
		f.sure = f.sure.Union(sub.Whole)
	}
	if !sub.Part.Empty() {
		f.parts = append(slices.Clip(f.parts), part{sub, add.qos})
	}
	if add.id != 0 {
		f.named = append(slices.Clip(f.named), named{sub, add.id})
	}
	return f, mqtt.Success
}

// identifiers are those of the filters that fit a message (MQTT 5, MQTT-3.3.4-3).
func (f *subscriptions) identifiers(list mqtt.Properties, t alink.Template, arg string) mqtt.Properties {
	for i := range f.named {
		if n := &f.named[i]; n.Wants(t, arg) {
			list = list.Append(mqtt.Property{ID: mqtt.SubscriptionID, Int: n.id})
		}
	}
	return list
}

// without returns f less a filter. What another filter covers stays, and so does what the client id asked for by _ss=1.
func (f subscriptions) without(text []byte, key, name string) subscriptions {
	i := f.index(text)
	if i < 0 {
		return f
	}
	var rest subscriptions
	if f.all {
		rest = everything()
	}
	for j, g := range f.filters {
		if j != i {
			rest, _ = rest.with(g, key, name)
		}
	}
	return rest
}

// Subscribe grants filters that lead to topics of the device's own down side, and refuses all others.
func (c *conn) Subscribe(p *mqtt.Packet, codes []byte) {
	id, _ := p.Properties.Find(mqtt.SubscriptionID)
	var next subscriptions
	if had := c.filters.Load(); had != nil {
		next = *had
	}
	granted := false
	for i, f := range p.Filters {
		var r mqtt.Reason
		next, r = next.with(filter{text: f.Topic, qos: f.QoS, id: id.Int}, c.of.Value().key, c.name)
		if codes[i] = f.QoS; r != mqtt.Success {
			codes[i] = byte(r)
			c.show(device.RefusedSubject, string(f.Topic), nil, "subscribed to a topic that is not its own, or to too many")
			continue
		}
		granted = true
	}
	if !granted {
		return
	}
	if err := c.keepFilters(&next); err != nil {
		c.g.missed(context.Background(), "keeping the subscriptions of a device failed", err)
		for i := range codes {
			codes[i] = byte(mqtt.Unspecified)
		}
		return
	}
	c.filters.Store(&next)
	c.deliver()
}

// Unsubscribe takes filters back.
func (c *conn) Unsubscribe(p *mqtt.Packet, codes []byte) {
	var next subscriptions
	if had := c.filters.Load(); had != nil {
		next = *had
	}
	for i, f := range p.Filters {
		if next.index(f.Topic) < 0 {
			codes[i] = byte(mqtt.NoSubscription)
		}
		next = next.without(f.Topic, c.of.Value().key, c.name)
	}
	if err := c.keepFilters(&next); err != nil {
		c.g.missed(context.Background(), "keeping the subscriptions of a device failed", err)
		for i := range codes {
			codes[i] = byte(mqtt.Unspecified)
		}
		return
	}
	c.filters.Store(&next)
}

func (c *conn) subscribed(t alink.Template, arg string) bool {
	f := c.filters.Load()
	return f != nil && f.has(t, arg)
}

// Puback tells that the device has the packet of a command.
func (c *conn) Puback(id uint16, _ mqtt.Reason) {
	c.mu.Lock()
	seq, ok := c.flying[id]
	delete(c.flying, id)
	if len(c.flying) == 0 {
		c.flying = nil
	}
	c.mu.Unlock()
	switch {
	case seq < 0: // a message, which nothing else ends
		c.g.c.Commands.Delivered(-seq, true)
	case ok:
		c.g.c.Commands.Acknowledged(seq)
	}
	c.deliver() // there is room in the window again
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
	c.welcomeBack()
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
	if done, err := c.resume(ctx); err != nil || !done {
		return err
	}
	room := c.s.Room()
	if room <= 0 {
		return nil // Puback comes here again
	}
	cs, err := c.g.c.Commands.Take(ctx, c.device, c.epoch, room, c.carries)
	if err != nil {
		c.g.waiting.put(c)
		return err
	}
	for i := range cs {
		switch err := c.hand(ctx, &cs[i], false); {
		case errors.Is(err, mqtt.ErrOut):
			c.whenWritten()
			return c.g.c.Commands.Return(ctx, c.epoch, cs[i:])
		case err != nil:
			return c.giveBack(ctx, cs[i:], err)
		}
	}
	return nil
}

// hand sends a command. One that this connection can never carry ends instead; an error means that the others have to wait,
// too.
func (c *conn) hand(ctx context.Context, cmd *command.Command, again bool) error {
	err := c.send(cmd, again)
	for _, passes := range [...]error{nil, mqtt.ErrClosed, mqtt.ErrNotConnected, mqtt.ErrWindow, mqtt.ErrOut} {
		if errors.Is(err, passes) {
			return err
		}
	}
	why := err.Error()
	if errors.Is(err, mqtt.ErrTooLarge) {
		why = "the packet is larger than the device takes"
	}
	c.show(device.RefusedSubject, "", nil, fmt.Sprintf("command %d was not sent: %s", cmd.Seq, why))
	return c.g.c.Commands.Undeliverable(ctx, *cmd, why)
}

// whenWritten has the delivery go on when the output has been written.
func (c *conn) whenWritten() {
	c.refused.Store(true)
	if c.s.Pending() == 0 && c.refused.Swap(false) { // it is by now
		c.deliver()
	}
}

// giveBack returns commands of which nothing was queued, because of err. If this connection is over they are for the one that
// took its place, which may have looked before.
func (c *conn) giveBack(ctx context.Context, cs []command.Command, err error) error {
	back := c.g.c.Commands.Return(ctx, c.epoch, cs)
	switch {
	case !errors.Is(err, mqtt.ErrClosed):
		c.g.waiting.put(c)
		return errors.Join(err, back)
	case c.g.sessions.find(c.device) != c:
		c.g.deliver(c.device)
	}
	return back
}

// listens reports whether the device subscribed to anything commands are sent on.
func (c *conn) listens() bool {
	f := c.filters.Load()
	return f != nil && (f.whole.Meets(carried) || len(f.parts) > 0)
}

// carries reports whether the device subscribed to the topic of a command, and notes the QoS that goes with it.
func (c *conn) carries(cmd *command.Command) bool {
	f := c.filters.Load()
	t, arg := c.route(cmd)
	cmd.QoS = min(wish(cmd), f.qos(t, arg))
	return f.has(t, arg)
}

// send hands one command to the session, again if an earlier connection had it. An error means that nothing was queued.
func (c *conn) send(cmd *command.Command, again bool) error {
	f := c.filters.Load()
	m, err := c.outgoing(cmd, f, again)
	if err != nil {
		return err
	}
	if cmd.Call != "" {
		c.g.calls.open(cmd.Call, c, cmd.DeadlineAt) // before it can be answered
	}
	if c.gone.Load() {
		c.g.calls.forget(cmd.Call)
		return mqtt.ErrClosed
	}
	c.mu.Lock()
	id, err := c.s.Send(m)
	if err == nil && id != 0 {
		if c.flying == nil {
			c.flying = make(map[uint16]int64)
		}
		c.flying[id] = cmd.Seq
		if plainMessage(cmd) {
			c.flying[id] = -cmd.Seq
		}
	}
	c.mu.Unlock()
	if err != nil {
		c.g.calls.forget(cmd.Call)
		return err
	}
	if id == 0 && plainMessage(cmd) {
		c.g.c.Commands.Delivered(cmd.Seq, false)
	}
	c.g.Stats.Delivered.Add(1)
	c.show(device.DownSubject, m.Topic, m.Payload, "")
	return nil
}

// properties are what an MQTT 5 device is told beside a command: when it is too late, and where and with what to answer.
func (c *conn) properties(cmd *command.Command, f *subscriptions, t alink.Template, arg string) mqtt.Properties {
	if c.s.Version() != mqtt.V5 {
		return nil
	}
	left := max(time.Until(cmd.DeadlineAt), time.Second) / time.Second
	list := make(mqtt.Properties, 0, 128).Append(mqtt.Property{ID: mqtt.MessageExpiry, Int: uint32(left)})
	if t.Reply() != 0 {
		list = list.Append(mqtt.Property{ID: mqtt.ResponseTopic, Value: t.Reply().AppendTopic(nil, c.of.Value().key, c.name, arg)}).
			Append(mqtt.Property{ID: mqtt.CorrelationData, Value: strconv.AppendInt(nil, cmd.Seq, 10)})
	}
	return f.identifiers(list, t, arg)
}

// maxShown is how much of a payload is shown.
const maxShown = 4 << 10

// show publishes traffic for whoever looks. It may be lost.
func (c *conn) show(subject, topic string, payload []byte, why string) {
	c.showAs(subject, payload, device.Traffic{At: time.Now().UTC(), Topic: topic, Why: why})
}

func (c *conn) showAs(subject string, payload []byte, t device.Traffic) {
	c.showOf(c.device, subject, payload, t)
}

func (c *conn) showOf(id, subject string, payload []byte, t device.Traffic) {
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
	c.g.c.Bus.Publish(subject+id, b)
}
