package mqtt

import (
	"context"
	"net"
	"time"
)

// A Message is a PUBLISH that a Client received.
type Message struct {
	Topic   string
	Payload []byte // valid until OnMessage returns
	QoS     uint8
	Dup     bool
	Retain  bool
	ID      uint16 // 0 for QoS 0
}

// ClientConfig says how a Client connects and who it is.
type ClientConfig struct {
	ClientID, Username, Password string        // an empty user name or password is not sent
	KeepAlive                    time.Duration // whole seconds up to 65,535; 0: none
	Clean                        bool
	Will                         *Will
	// OnMessage is called on the client's one goroutine, in the order of arrival; a message of QoS 1 is acknowledged
	// when it returns, unless NoAutoAck is set. It must not wait for the client (Publish of QoS 1, Subscribe, Close):
	// PublishAsync, Publish of QoS 0, Ack and Kill are fine.
	OnMessage func(*Client, Message)
	NoAutoAck bool
	Inflight  int // QoS 1 messages that may wait for PUBACK; default 1,024, most 65,535
	MaxPacket int // largest packet from the server, bytes; default 262,144
	// Dial opens the connection, as (*net.Dialer).DialContext (default) or (*tls.Dialer).DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Client is one MQTT 3.1.1 connection, made by Dial. It has one goroutine, 512 bytes of buffer while idle, and does
// not reconnect. Its methods may be called from any goroutine.
type Client struct{}

// Dial connects to addr ("host:port") and returns when the server has accepted, a [*Refused] when it did not.
func Dial(ctx context.Context, addr string, c ClientConfig) (*Client, error) { return nil, ErrClosed }

// Publish sends a message. QoS 0 returns when it was handed to the connection, QoS 1 when its PUBACK came.
func (c *Client) Publish(ctx context.Context, topic string, payload []byte, qos uint8) error {
	return ErrClosed
}

// PublishAsync sends a message of QoS 1 and returns; done, if not nil, is called once with the outcome, on the
// client's goroutine, and must not block. An error (as [ErrWindow]) means it was not sent and done is not called.
func (c *Client) PublishAsync(topic string, payload []byte, done func(error)) error { return ErrClosed }

// Subscribe asks for the filters at QoS 1 and returns the server's code for each: the QoS granted or [SubackFailure].
func (c *Client) Subscribe(ctx context.Context, filters ...string) ([]byte, error) {
	return nil, ErrClosed
}

// Unsubscribe gives filters back.
func (c *Client) Unsubscribe(ctx context.Context, filters ...string) error { return ErrClosed }

// Ack acknowledges a message of QoS 1, if NoAutoAck is set.
func (c *Client) Ack(id uint16) error { return ErrClosed }

// Close says DISCONNECT, closes the connection and waits until nothing of the client runs.
func (c *Client) Close() error { return nil }

// Kill closes the connection without DISCONNECT and returns at once; Done tells when nothing of the client runs.
func (c *Client) Kill() {}

// Done is closed when the connection has ended and the last callback has returned.
func (c *Client) Done() <-chan struct{} { return nil }

// Err is why the connection ended: nil while it lasts, [ErrClosed] after Close and Kill.
func (c *Client) Err() error { return nil }
