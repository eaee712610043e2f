package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// stay is what a connection keeps whose session is written down: it outlives the connection, goes on from an earlier one,
// or leaves a will.
type stay struct {
	lasts  time.Duration // after this connection; 0: the session ends with it
	resume bool          // an earlier one left something: what it was sent and did not acknowledge goes again
	since  uint64        // epoch of the first connection of the session
	after  int64         // Seq of the last command that went again; of the delivery alone
	quiet  bool          // the will is not to be said
}

// maxWillDelay bounds how long a will waits, as sessions are bounded.
const maxWillDelay = session.MaxLasts

// asks reads what a CONNECT wants of the session; nil: nothing that must be written down.
func (c *conn) asks(p *mqtt.Packet) (b *session.Began, code mqtt.Reason, why string) {
	in := p.Connect
	b = &session.Began{Clean: in.Clean}
	switch {
	case in.Version == mqtt.V5:
		q, _ := p.Properties.Find(mqtt.SessionExpiry)
		b.Lasts = min(time.Duration(q.Int)*time.Second, session.MaxLasts)
	case !in.Clean:
		b.Lasts = session.MaxLasts
	}
	if in.Will != nil {
		if b.Will, code, why = c.will(in.Will); code != mqtt.Success {
			return nil, code, why
		}
	}
	if b.Clean && b.Lasts == 0 && b.Will == nil {
		return nil, mqtt.Success, ""
	}
	if c.g.c.Sessions == nil { // nothing follows the Log here
		return nil, mqtt.Success, ""
	}
	return b, mqtt.Success, ""
}

// will holds a will against the table of topics; its payload is checked when it is said, by the thing model of then.
func (c *conn) will(w *mqtt.Will) (*session.Will, mqtt.Reason, string) {
	o := c.of.Value()
	t, arg, ok := alink.Match(w.Topic, o.key, c.name)
	switch {
	case !ok || t.Direction()&alink.Up == 0 || len(arg) > 255:
		return nil, mqtt.BadTopicName, "the will is for a topic that is not its own"
	case askerOf(t) != nil || t == alink.ShadowUpdate:
		return nil, mqtt.BadTopicName, "the will is for a topic of requests, and nobody would hear the answer"
	case w.Retain:
		return nil, mqtt.NoRetain, "the will is to be retained, and nothing is retained here"
	}
	out := &session.Will{Product: o.product, Template: t, Arg: string(arg), Payload: w.Payload}
	if q, ok := w.Properties.Find(mqtt.WillDelay); ok {
		out.Delay = min(time.Duration(q.Int)*time.Second, maxWillDelay)
	}
	return out, mqtt.Success, ""
}

// takeSession writes down that this connection has the session of its device, and takes what an earlier one left. The older
// connection must have handed everything to the Log before.
func (c *conn) takeSession(b *session.Began, old *conn) (w mqtt.Welcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	if old != nil { // also of a clean session: a late record of the old one would be taken for one of the new
		if err := old.awaitEnd(ctx); err != nil {
			return w, fmt.Errorf("waiting for the older connection to end: %w", err)
		}
	}
	b.Epoch = c.epoch
	r, err := session.AppendBegan(c.device, time.Now(), b)
	if err != nil {
		return w, err
	}
	pos, err := c.g.note(ctx, r)
	if err != nil {
		return w, err
	}
	c.stay = &stay{lasts: b.Lasts}
	if b.Clean {
		return w, nil
	}
	left, err := c.g.c.Sessions.At(ctx, c.device, c.epoch, pos)
	if err != nil {
		c.stay.quiet = true // it was never let in
		return w, err
	}
	c.stay.resume, c.stay.since = left.Present, left.Since
	c.subscribeAgain(left.Filters)
	return mqtt.Welcome{SessionPresent: left.Present, Held: left.Held}, nil
}

func (c *conn) subscribeAgain(list []session.Filter) {
	next := c.filters.Load().edit(c.of.Value().key, c.name)
	for _, f := range list {
		next.add(filter{text: []byte(f.Text), qos: f.QoS, id: f.ID})
	}
	c.filters.Store(next.done())
}

// note appends a record to the Log and waits until it is on disk.
func (g *Gateway) note(ctx context.Context, r uplink.Record) (uplink.Position, error) {
	type stored struct {
		pos uplink.Position
		err error
	}
	done := make(chan stored, 1)
	if err := g.c.Log.Append(ctx, r, func(pos uplink.Position, err error) { done <- stored{pos, err} }); err != nil {
		return 0, err
	}
	s := <-done
	return s.pos, s.err
}

// keepFilters writes down what the device is subscribed to, if its session outlives the connection.
func (c *conn) keepFilters(f *subscriptions) error {
	if c.stay == nil || c.stay.lasts == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	_, err := c.g.note(ctx, session.FiltersRecord(c.device, time.Now(), c.epoch, f.list()))
	return err
}

// lasting reports whether messages of QoS 2 are held beyond the connection.
func (c *conn) lasting() bool { return c.stay != nil && c.stay.lasts > 0 }

// Release says that a message of QoS 2 will not come again. The device hears that it is settled when that is on disk, if its
// session outlives the connection.
func (c *conn) Release(id uint16) {
	if !c.lasting() {
		c.s.Complete(id)
		return
	}
	c.unstored.Add(1)
	err := c.g.c.Log.Append(context.Background(), session.ReleasedRecord(c.device, time.Now(), c.epoch, id), func(_ uplink.Position, err error) {
		defer c.stored()
		if err != nil { // it comes again over the next connection
			c.because("not stored: " + err.Error())
			c.dismiss(mqtt.QuotaExceeded, notStored)
			return
		}
		c.s.Complete(id)
	})
	if err != nil {
		c.stored()
		c.because("not stored: " + err.Error())
		c.dismiss(mqtt.QuotaExceeded, notStored)
	}
}

// Disconnect is a goodbye. It may ask that the session stays shorter or longer, and for the will all the same.
func (c *conn) Disconnect(p *mqtt.Packet) {
	c.because("disconnected")
	if c.stay == nil {
		return
	}
	c.stay.quiet = mqtt.Reason(p.Code) != mqtt.WithWill
	if q, ok := p.Properties.Find(mqtt.SessionExpiry); ok {
		c.stay.lasts = min(time.Duration(q.Int)*time.Second, session.MaxLasts)
	}
}

// leave writes down that the connection is over. Sessions that end with the program are left to the next start, which gives
// their devices a while to come back before their wills are said.
func (c *conn) leave(ctx context.Context, reason string) {
	if c.stay == nil || reason == stopping {
		return
	}
	e := session.Ended{Epoch: c.epoch, Lasts: c.stay.lasts, Will: !c.stay.quiet && !c.cut.Load()}
	c.g.sayEnd(ctx, end{at: time.Now(), device: c.device, ended: &e})
}

// awaitEnd waits until the reader of the connection has stopped: what it handed to the Log stands before what comes next.
func (c *conn) awaitEnd(ctx context.Context) error {
	c.mu.Lock()
	if c.over == nil {
		c.over = make(chan struct{})
		if c.ended {
			close(c.over)
		}
	}
	over := c.over
	c.mu.Unlock()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *conn) isOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.over != nil {
		close(c.over)
	}
}

// resume sends again what an earlier connection was sent and did not acknowledge, if it does no harm to carry it out twice. It
// reports whether that is done: if not, it goes on when there is room.
func (c *conn) resume(ctx context.Context) (done bool, err error) {
	if c.stay == nil || !c.stay.resume {
		return true, nil
	}
	repeatable, err := c.repeatable(ctx)
	if err != nil {
		c.g.waiting.put(c)
		return false, err
	}
	for more := true; more; {
		room := c.s.Room()
		if room <= 0 {
			return false, nil // Puback comes here again
		}
		var cs []command.Command
		r := command.Resumption{Device: c.device, Since: c.stay.since, Epoch: c.epoch, After: c.stay.after}
		if cs, more, err = c.g.c.Commands.Resume(ctx, r, room, repeatable); err != nil {
			c.g.waiting.put(c)
			return false, err
		}
		for i := range cs {
			switch err := c.hand(ctx, &cs[i], true); {
			case errors.Is(err, mqtt.ErrOut):
				c.whenWritten()
				return false, nil
			case errors.Is(err, mqtt.ErrWindow) || errors.Is(err, mqtt.ErrClosed): // Puback, or the next connection
				return false, nil
			case err != nil:
				c.g.waiting.put(c)
				return false, fmt.Errorf("sending command %s again: %w", cs[i].ID, err)
			}
			c.stay.after = cs[i].Seq
		}
	}
	c.stay.resume = false
	return true, nil
}

// repeatable gives what says whether a command goes to a topic that the device listens to, and whether carrying it out twice is
// the same as once. It asks nobody: the database waits for its answer.
func (c *conn) repeatable(ctx context.Context) (func(*command.Command) bool, error) {
	model, err := c.g.c.Products.Model(ctx, c.of.Value().product)
	if err != nil && !fault.Is(err, fault.Missing) {
		return nil, err
	}
	return func(cmd *command.Command) bool {
		if t, arg := c.route(cmd); !c.subscribed(t, arg) {
			return false
		}
		switch {
		case cmd.Kind == command.PropertySet || cmd.Kind == command.PropertyGet || cmd.Kind == command.PermitJoin:
			return true
		case cmd.Kind != command.Service || cmd.Call != "" || model == nil: // bytes mean what only the device knows; a call is the session's it went to
			return false
		}
		s, ok := model.Service(cmd.Service)
		return ok && s.Idempotent
	}, nil
}
