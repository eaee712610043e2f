package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	clientBuffer   = 512              // bytes that a client reads at once
	clientWindow   = 1024             // default of ClientConfig.Inflight
	clientMaxOut   = 256 << 10        // bytes that may wait while another write is under way
	clientPatience = 30 * time.Second // a write that takes longer ends the connection
	clientGoodbye  = time.Second      // the same for the last one, of Close
)

// A Message is a PUBLISH that a Client received.
type Message struct {
	Topic      string
	Payload    []byte // valid until OnMessage returns
	QoS        uint8
	Dup        bool
	Retain     bool
	ID         uint16     // 0 for QoS 0
	Properties Properties // MQTT 5; valid until OnMessage returns
}

// ClientConfig says how a Client connects and who it is.
type ClientConfig struct {
	Version                      Version       // default V311
	ClientID, Username, Password string        // an empty user name or password is not sent
	KeepAlive                    time.Duration // whole seconds up to 65,535; 0: none
	Clean                        bool
	Will                         *Will
	SessionExpiry                time.Duration // MQTT 5: how long the session stays after the connection, whole seconds
	// OnMessage is called on the client's one goroutine, in the order of arrival; a message of QoS 1 or 2 is acknowledged
	// when it returns, unless NoAutoAck is set. One of QoS 2 is given once a connection. It must not wait for the client
	// (Publish of QoS 1, Subscribe, Close): PublishAsync, Publish of QoS 0, Ack and Kill are fine.
	OnMessage func(*Client, Message)
	NoAutoAck bool
	Inflight  int // messages of QoS 1 and 2 that may wait for their acknowledgement; default 1,024, most 65,535, less if a server of MQTT 5 says so
	MaxPacket int // largest packet from the server, bytes; default 262,144
	// Dial opens the connection, as (*net.Dialer).DialContext (default) or (*tls.Dialer).DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Client is one connection of MQTT 3.1.1 or 5, made by Dial. It has one goroutine, 512 bytes of buffer while idle, and does
// not reconnect. Its methods may be called from any goroutine.
type Client struct {
	c    ClientConfig
	conn net.Conn
	done chan struct{}

	in    Decoder // of the read goroutine, as the next four
	read  []byte
	topic string       // of the last message: most come on one topic
	ready chan<- error // tells Dial; nil afterwards
	ping  time.Time    // when a PINGREQ went that nothing has followed; zero: none

	mu      sync.Mutex // guards what follows; nothing is called under it
	err     error      // why the connection ended
	out     *chunk     // waits for the write under way
	writing bool
	closing bool
	wrote   time.Time     // when the last write began
	room    chan struct{} // closed when a write ended or an answer came; nil: nobody waits
	lastID  uint16
	waits   map[uint16]wait
	held    []uint16 // messages of QoS 2 from the server that it has not released
	server  serverSays
}

// serverSays is what CONNACK told.
type serverSays struct {
	present    bool
	receiveMax int // messages at once; 0: 65,535
	maxPacket  int // bytes; 0: any
}

// A wait is a packet of ours that needs an answer.
type wait struct {
	answer Type    // 0: none
	codes  *[]byte // where those of a SUBACK go, before done
	done   func(error)
}

// Dial connects to addr ("host:port") and returns when the server has accepted, a [*Refused] when it did not.
// ctx bounds the dialling and the handshake only.
func Dial(ctx context.Context, addr string, c ClientConfig) (*Client, error) {
	hello, err := c.connect()
	if err != nil {
		return nil, err
	}
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", addr, err)
	}
	ready := make(chan error, 1)
	cl := &Client{
		c: c, conn: conn, done: make(chan struct{}), ready: ready, read: make([]byte, clientBuffer),
		in: Decoder{Limit: c.MaxPacket, Version: c.version()},
	}
	stop := context.AfterFunc(ctx, func() { cl.end(context.Cause(ctx)) })
	go cl.run()
	_ = cl.send(len(hello), wait{}, func(dst []byte, _ uint16) []byte { return append(dst, hello...) }) // told by accepted
	err = cl.accepted(ready)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		cl.Kill()
		<-cl.done
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return cl, nil
}

// accepted waits for the server's decision, which counts also when the connection ended right after it.
func (c *Client) accepted(ready <-chan error) error {
	select {
	case err := <-ready:
		return err
	case <-c.done:
	}
	select {
	case err := <-ready:
		return err
	default:
		return c.Err()
	}
}

// connect is the CONNECT of a configuration, or what is wrong with it.
func (c *ClientConfig) connect() ([]byte, error) {
	if v := c.version(); v != V311 && v != V5 {
		return nil, fmt.Errorf("mqtt: %s is not spoken here", v)
	}
	seconds, expiry := c.KeepAlive/time.Second, c.SessionExpiry/time.Second
	if expiry < 0 || expiry*time.Second != c.SessionExpiry || expiry > math.MaxUint32 || expiry > 0 && c.version() != V5 {
		return nil, fmt.Errorf("mqtt: session expiry is %v, want whole seconds, and MQTT 5", c.SessionExpiry)
	}
	if c.KeepAlive < 0 || seconds > 65535 || seconds*time.Second != c.KeepAlive {
		return nil, fmt.Errorf("mqtt: keep alive is %v, want whole seconds up to 65535", c.KeepAlive)
	}
	hello := &Connect{
		Version: c.version(), Clean: c.Clean, KeepAlive: uint16(seconds), Will: c.Will, ClientID: []byte(c.ClientID),
		HasUsername: c.Username != "" || c.Password != "", Username: []byte(c.Username),
		HasPassword: c.Password != "", Password: []byte(c.Password),
	}
	p := Packet{Type: CONNECT, Connect: hello}
	if expiry > 0 {
		p.Properties = p.Properties.Append(Property{ID: SessionExpiry, Int: uint32(expiry)})
	}
	b := AppendPacket(nil, &p, hello.Version)
	d := Decoder{Limit: maxRemaining}
	if err := d.Push(b, func(*Packet) error { return nil }); err != nil { // the rules for what comes hold for what goes
		return nil, err
	}
	if len(b) == 0 {
		return nil, errors.New("mqtt: CONNECT has a field of more than 65535 bytes")
	}
	return b, nil
}

func (c *ClientConfig) version() Version {
	if c.Version == 0 {
		return V311
	}
	return c.Version
}

// SessionPresent reports whether the server had a session of an earlier connection.
func (c *Client) SessionPresent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server.present
}

// Publish sends a message. QoS 0 returns when it was handed to the connection, QoS 1 when its PUBACK came, QoS 2 when its
// PUBCOMP came; a [*Failed] when a server of MQTT 5 refused it. While the window or the output is full it waits. When ctx
// ends first, a message of QoS 1 or 2 may or may not have arrived.
func (c *Client) Publish(ctx context.Context, topic string, payload []byte, qos uint8) error {
	switch qos {
	case 0:
		return c.patiently(ctx, func() error { return c.publish(topic, payload, 0, wait{}) })
	case 1:
		return c.answered(ctx, wait{answer: PUBACK}, func(w wait) error { return c.publish(topic, payload, 1, w) })
	case 2:
		return c.answered(ctx, wait{answer: PUBREC}, func(w wait) error { return c.publish(topic, payload, 2, w) })
	}
	return fmt.Errorf("mqtt: PUBLISH with QoS %d cannot be sent", qos)
}

// PublishAsync sends a message of QoS 1 and returns; done, if not nil, is called once with the outcome, on the
// client's goroutine, and must not block. An error (as [ErrWindow]) means it was not sent and done is not called.
func (c *Client) PublishAsync(topic string, payload []byte, done func(error)) error {
	return c.Start(topic, payload, 1, done)
}

// Start is PublishAsync with any QoS. One of QoS 0 has no outcome: done is not called.
func (c *Client) Start(topic string, payload []byte, qos uint8, done func(error)) error {
	switch qos {
	case 0:
		return c.publish(topic, payload, 0, wait{})
	case 1:
		return c.publish(topic, payload, 1, wait{answer: PUBACK, done: done})
	case 2:
		return c.publish(topic, payload, 2, wait{answer: PUBREC, done: done})
	}
	return fmt.Errorf("mqtt: PUBLISH with QoS %d cannot be sent", qos)
}

// Subscribe asks for the filters at QoS 1 and returns the server's code for each: the QoS granted or [SubackFailure].
func (c *Client) Subscribe(ctx context.Context, filters ...string) ([]byte, error) {
	var codes []byte
	if err := c.filters(ctx, SUBSCRIBE, wait{answer: SUBACK, codes: &codes}, filters); err != nil {
		return nil, err
	}
	if len(codes) != len(filters) {
		return nil, breach(V311, ProtocolBroken, "MQTT-3.8.4-5", "", "SUBACK: has %d codes for %d topic filters", len(codes), len(filters))
	}
	return codes, nil
}

// Unsubscribe gives filters back.
func (c *Client) Unsubscribe(ctx context.Context, filters ...string) error {
	return c.filters(ctx, UNSUBSCRIBE, wait{answer: UNSUBACK}, filters)
}

// Ack acknowledges a message of QoS 1 or 2, if NoAutoAck is set.
func (c *Client) Ack(id uint16) error {
	return c.send(4, wait{}, func(dst []byte, _ uint16) []byte { return c.appendAck(dst, id) })
}

// appendAck appends PUBACK, or PUBREC for what is held. The caller holds mu.
func (c *Client) appendAck(dst []byte, id uint16) []byte {
	if slices.Contains(c.held, id) {
		return append(dst, byte(PUBREC)<<4, 2, byte(id>>8), byte(id))
	}
	return AppendPuback(dst, id)
}

// Close says DISCONNECT, closes the connection and waits until nothing of the client runs. The error is why the goodbye
// could not be said, nil when the connection had ended before.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	err := c.send(2, wait{}, func(dst []byte, _ uint16) []byte { return append(dst, byte(DISCONNECT)<<4, 0) })
	if err == nil {
		err = c.drained()
	}
	c.end(nil)
	<-c.done
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// Kill closes the connection without DISCONNECT and returns at once; Done tells when nothing of the client runs.
func (c *Client) Kill() { c.end(nil) }

// Done is closed when the connection has ended and the last callback has returned.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the connection ended: nil while it lasts, [ErrClosed] after Close and Kill, else an error that wraps it.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Client) publish(topic string, payload []byte, qos uint8, w wait) error {
	v := c.c.version()
	n := publishBody(v, len(topic), len(payload), qos)
	if !ValidTopic(topic) || n > maxRemaining {
		return fmt.Errorf("mqtt: PUBLISH of %d bytes to %q cannot be sent", len(payload), cut(topic))
	}
	c.mu.Lock()
	most := c.server.maxPacket
	c.mu.Unlock()
	if most > 0 && headerSize(n)+n > most {
		return ErrTooLarge
	}
	return c.send(headerSize(n)+n, w, func(dst []byte, id uint16) []byte {
		return AppendPublish(dst, v, topic, payload, qos, id, false, false)
	})
}

func (c *Client) filters(ctx context.Context, t Type, w wait, filters []string) error {
	p := Packet{Type: t}
	for _, f := range filters {
		if !ValidFilter(f) {
			return fmt.Errorf("mqtt: %s of %q cannot be sent", t, cut(f))
		}
		p.Filters = append(p.Filters, Filter{Topic: []byte(f), QoS: bit(t == SUBSCRIBE, 1)})
	}
	if len(filters) == 0 {
		return fmt.Errorf("mqtt: %s of nothing cannot be sent", t)
	}
	return c.answered(ctx, w, func(w wait) error {
		return c.send(0, w, func(dst []byte, id uint16) []byte {
			p.ID = id
			return AppendPacket(dst, &p, c.c.version())
		})
	})
}

// answered sends a packet and waits for its answer.
func (c *Client) answered(ctx context.Context, w wait, send func(wait) error) error {
	came := make(chan error, 1)
	w.done = func(err error) { came <- err }
	if err := c.patiently(ctx, func() error { return send(w) }); err != nil {
		return err
	}
	select {
	case err := <-came:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// patiently tries until there is room.
func (c *Client) patiently(ctx context.Context, try func() error) error {
	var room <-chan struct{}
	for {
		err := try()
		if !errors.Is(err, ErrWindow) && !errors.Is(err, ErrOut) {
			return err
		}
		if room == nil {
			room = c.waitRoom()
			continue // room may have come meanwhile
		}
		select {
		case <-room:
			room = nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
