package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/mqtt"
)

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
	c.roomAgain()
}

// deliver gives the device what waits for it. One delivery runs at a time; a call during one makes it look again.
func (c *conn) deliver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.giving: // and may yet give back what it took
		c.again = true
		return
	case c.stay == nil && !c.barred.Load() && !c.g.c.Commands.Waits(c.device):
		return // what begins to wait from now on calls again
	}
	c.giving = true
	c.g.conns.Go(c.give)
}

func (c *conn) give() {
	ctx := context.Background()
	for {
		c.welcomeBack()
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
	if c.isGone() || !c.s.Connected() || !c.listens() {
		return nil
	}
	if done, err := c.resume(ctx); err != nil || !done {
		return err
	}
	room := c.s.Room()
	if room <= 0 {
		c.awaitRoom()
		room = c.s.Room() // it may have come meanwhile
	}
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
	if c.via != nil && len(cs) == room { // there may be more, and a PUBACK is its gateway's
		if c.awaitRoom(); c.s.Room() > 0 {
			c.deliver()
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
	c.awaitRoom()
	l := c.link()
	l.refused.Store(true)
	if c.s.Pending() == 0 && l.refused.Swap(false) { // it is by now
		l.roomAgain()
	}
}

// giveBack returns commands of which nothing was queued, because of err. If this connection is over they are for the one that
// took its place, which may have looked before.
func (c *conn) giveBack(ctx context.Context, cs []command.Command, err error) error {
	back := c.g.c.Commands.Return(ctx, c.epoch, cs)
	switch {
	case c.via != nil && errors.Is(err, mqtt.ErrWindow): // another child of the gateway was faster
		if c.awaitRoom(); c.s.Room() > 0 {
			c.deliver()
		}
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
	if c.isGone() {
		c.g.calls.forget(cmd.Call)
		return mqtt.ErrClosed
	}
	l := c.link()
	l.mu.Lock()
	id, err := c.s.Send(m)
	if err == nil && id != 0 {
		if l.flying == nil {
			l.flying = make(map[uint16]int64)
		}
		l.flying[id] = cmd.Seq
		if plainMessage(cmd) {
			l.flying[id] = -cmd.Seq
		}
	}
	l.mu.Unlock()
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
	payload = veiled(t.Topic, payload)
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
