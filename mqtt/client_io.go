package mqtt

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// run reads until the connection ends, then fails what waits for an answer.
func (c *Client) run() {
	defer close(c.done)
	c.end(c.readAll())
	c.mu.Lock()
	waits, err := c.waits, c.err
	c.waits = nil
	c.mu.Unlock()
	for _, w := range waits {
		if w.done != nil {
			w.done(err)
		}
	}
}

// end closes the connection; the first reason counts, nil stands for our own wish.
func (c *Client) end(reason error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = ErrClosed
		if reason != nil {
			c.err = fmt.Errorf("%w: %w", ErrClosed, reason)
		}
	}
	c.tellRoom()
	c.mu.Unlock()
	c.conn.Close() // what was to be said is said or lost
}

// readAll reads packets and keeps the connection alive. The read deadline is the clock for it, so that an idle client
// needs no timer and no second goroutine; it is moved only when it has passed.
func (c *Client) readAll() error {
	if err := c.beat(time.Now()); err != nil {
		return err
	}
	for {
		n, err := c.conn.Read(c.read)
		if n > 0 {
			c.ping = time.Time{}
			if err := c.in.Push(c.read[:n], c.act); err != nil {
				return err
			}
			if err := c.flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.beat(time.Now())
		}
		if err != nil {
			return err
		}
	}
}

// beat sends PINGREQ when nothing was sent for three quarters of the keep alive, ends the connection when nothing
// followed one for a whole keep alive, and sets the time of the next beat.
func (c *Client) beat(now time.Time) error {
	if c.c.KeepAlive == 0 {
		return nil
	}
	if !c.ping.IsZero() && now.Sub(c.ping) >= c.c.KeepAlive {
		return fmt.Errorf("mqtt: nothing came for %v after a PINGREQ", c.c.KeepAlive)
	}
	quiet := c.c.KeepAlive * 3 / 4
	if c.ready == nil && now.Sub(c.lastWrite()) >= quiet {
		if err := c.send(2, wait{}, func(dst []byte, _ uint16) []byte { return append(dst, byte(PINGREQ)<<4, 0) }); err != nil {
			return err
		}
		if c.ping.IsZero() {
			c.ping = now
		}
	}
	next := now.Add(quiet)
	if last := c.lastWrite().Add(quiet); last.After(now) {
		next = last
	}
	if silent := c.ping.Add(c.c.KeepAlive); !c.ping.IsZero() && silent.Before(next) {
		next = silent
	}
	return c.conn.SetReadDeadline(next)
}

func (c *Client) lastWrite() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote
}

// act is what a client does with one packet.
func (c *Client) act(p *Packet) error {
	if (c.ready != nil) != (p.Type == CONNACK) {
		if c.ready != nil {
			return breach(V311, ProtocolBroken, "MQTT-3.2.0-1", "", "%s comes first, want CONNACK", p.Type)
		}
		return breach(V311, ProtocolBroken, "§3.2", "", "CONNACK: comes a second time")
	}
	switch p.Type {
	case CONNACK:
		err := c.welcomed(p)
		c.ready <- err
		c.ready = nil
		return err
	case PUBLISH:
		return c.arrived(p)
	case PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK:
		return c.settle(p)
	case PUBREL:
		return c.freed(p.ID)
	case DISCONNECT:
		if c.c.version() == V5 {
			return failure(p)
		}
	case PINGRESP:
		return nil
	case CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, AUTH:
	}
	return breach(c.c.version(), ProtocolBroken, "§2.2.1", "", "%s: only a client sends it", p.Type)
}

// welcomed takes what CONNACK tells.
func (c *Client) welcomed(p *Packet) error {
	if p.Code != Accepted {
		text, _ := p.Properties.Find(ReasonString)
		return &Refused{Code: p.Code, Text: string(text.Value)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server.present = p.SessionPresent
	for q := range p.Properties.All() {
		switch q.ID {
		case ReceiveMaximum:
			c.server.receiveMax = int(q.Int)
		case MaximumPacketSize:
			c.server.maxPacket = int(q.Int)
		}
	}
	return nil
}

// failure is what a packet of MQTT 5 says that it was not done; nil if it was.
func failure(p *Packet) error {
	if !Reason(p.Code).Failed() && p.Type != DISCONNECT {
		return nil
	}
	text, _ := p.Properties.Find(ReasonString)
	return &Failed{Type: p.Type, Reason: Reason(p.Code), Text: string(text.Value)}
}

// freed acts on PUBREL: the server will not repeat the message.
func (c *Client) freed(id uint16) error {
	c.mu.Lock()
	c.held = slices.DeleteFunc(c.held, func(h uint16) bool { return h == id })
	c.mu.Unlock()
	return c.queue(4, wait{}, func(dst []byte, _ uint16) []byte { return append(dst, byte(PUBCOMP)<<4, 2, byte(id>>8), byte(id)) })
}

// holds notes a message of QoS 2, and reports whether it came before.
func (c *Client) holds(id uint16) (before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.held, id) {
		return true
	}
	c.held = append(c.held, id)
	return false
}

func (c *Client) arrived(p *Packet) error {
	id := p.ID
	if p.QoS == 2 && c.holds(id) {
		return c.queue(4, wait{}, func(dst []byte, _ uint16) []byte { return c.appendAck(dst, id) })
	}
	if c.topic != string(p.Topic) {
		c.topic = string(p.Topic)
	}
	if c.c.OnMessage != nil {
		c.c.OnMessage(c, Message{Topic: c.topic, Payload: p.Payload, QoS: p.QoS, Dup: p.Dup, Retain: p.Retain, ID: p.ID, Properties: p.Properties})
	}
	if p.QoS == 0 || c.c.NoAutoAck {
		return nil
	}
	return c.queue(4, wait{}, func(dst []byte, _ uint16) []byte { return c.appendAck(dst, id) }) // flushed with the others that came with it
}

// settle gives an answer to who waits for it. One that nobody waits for is ignored.
func (c *Client) settle(p *Packet) error {
	c.mu.Lock()
	w, ok := c.waits[p.ID]
	goesOn := ok && w.answer == PUBREC && p.Type == PUBREC && failure(p) == nil
	switch {
	case goesOn:
		c.waits[p.ID] = wait{answer: PUBCOMP, done: w.done}
	case ok && w.answer == p.Type:
		delete(c.waits, p.ID) // flush tells of the room
	}
	c.mu.Unlock()
	id := p.ID
	switch {
	case goesOn:
		return c.queue(4, wait{}, func(dst []byte, _ uint16) []byte { return append(dst, byte(PUBREL)<<4|2, 2, byte(id>>8), byte(id)) })
	case !ok:
		return nil
	case w.answer != p.Type:
		return breach(c.c.version(), ProtocolBroken, "MQTT-2.3.1-6", "MQTT-2.2.1-5", "%s: packet identifier %d waits for %s", p.Type, p.ID, w.answer)
	}
	if w.codes != nil {
		*w.codes = append([]byte(nil), p.Codes...)
	}
	if w.done != nil {
		w.done(acknowledged(p))
	}
	return nil
}

// acknowledged is the outcome that an acknowledgement of a message tells; the codes of SUBACK and UNSUBACK are told one by one.
func acknowledged(p *Packet) error {
	if p.Type == SUBACK || p.Type == UNSUBACK {
		return nil
	}
	return failure(p)
}

// send queues a packet of about size bytes and writes it, unless another call is writing: that one takes it along.
// An error means that it was not queued; a write that fails ends the connection, which is told to w.
func (c *Client) send(size int, w wait, encode func(dst []byte, id uint16) []byte) error {
	if err := c.queue(size, w, encode); err != nil {
		return err
	}
	if err := c.flush(); err != nil && w.answer == 0 {
		return err
	}
	return nil
}

func (c *Client) queue(size int, w wait, encode func(dst []byte, id uint16) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch waiting := len(c.out.bytes()); {
	case c.err != nil:
		return c.err
	case w.answer != 0 && len(c.waits) >= c.window():
		return ErrWindow
	case waiting > 0 && waiting+size > clientMaxOut:
		return ErrOut
	}
	var id uint16
	if w.answer != 0 {
		id = c.nextID()
		c.waits[id] = w
	}
	c.out = c.out.room(size)
	c.out.b = encode(c.out.b, id)
	return nil
}

// flush writes what is queued until nothing is, if nobody else does.
func (c *Client) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing {
		return nil
	}
	c.writing = true
	for c.out != nil && c.err == nil {
		out := c.out
		c.out = nil
		now, patience := time.Now(), clientPatience
		if c.closing {
			patience = clientGoodbye
		}
		c.wrote = now
		c.mu.Unlock()
		err := c.write(out, now.Add(patience))
		c.mu.Lock()
		if err != nil && c.err == nil {
			c.err = fmt.Errorf("%w: %w", ErrClosed, err)
			c.conn.Close() // err is the reason
		}
		c.tellRoom()
	}
	c.writing = false
	c.tellRoom()
	return c.err
}

func (c *Client) write(out *chunk, deadline time.Time) error {
	defer out.release()
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := c.conn.Write(out.b)
	return err
}

// drained waits until everything queued was written, or the connection has ended.
func (c *Client) drained() error {
	for {
		room := c.waitRoom()
		c.mu.Lock()
		done, err := c.err != nil || !c.writing && c.out == nil, c.err
		c.mu.Unlock()
		if done {
			return err
		}
		<-room
	}
}

// waitRoom is closed when a write ends, an answer comes, or the connection ends.
func (c *Client) waitRoom() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room == nil {
		c.room = make(chan struct{})
	}
	return c.room
}

// tellRoom wakes who waits for room. The caller holds mu.
func (c *Client) tellRoom() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

func (c *Client) window() int {
	n := clientWindow
	if c.c.Inflight > 0 {
		n = min(c.c.Inflight, 65535)
	}
	if c.server.receiveMax > 0 {
		n = min(n, c.server.receiveMax)
	}
	return n
}

// nextID is an id that nothing waits under. The caller holds mu and has seen that the window has room.
func (c *Client) nextID() uint16 {
	if c.waits == nil {
		c.waits = make(map[uint16]wait)
	}
	for {
		c.lastID++
		if _, taken := c.waits[c.lastID]; c.lastID != 0 && !taken {
			return c.lastID
		}
	}
}
