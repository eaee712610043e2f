// Package virtual plays devices on the real protocol: MQTT to the gateway, signed with a real triple (虚拟设备).
//
// A virtual device owns nothing but its memory: it posts its properties when it connects, sets what it is told, answers,
// and reports what changed. It promises to behave as a good device would, or to misbehave in exactly the way it is asked
// to; to reconnect for ever, with growing pauses; and to execute each command that arrives, also a repeated one: it
// remembers no ids, so that a platform that sends twice is found out.
package virtual

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
	"lampworks/triple"
	"lampworks/tsl"
)

// Fault is a way to misbehave.
type Fault string

// The ways.
const (
	None   Fault = "none"
	Silent Fault = "silent" // takes commands and never answers
	Slow   Fault = "slow"   // answers after [SlowBy]
	Wrong  Fault = "wrong"  // answers 200, does something else and reports that
)

// SlowBy is how long a slow device takes.
const SlowBy = 4 * time.Second

// ParseFault reads the name of a fault.
func ParseFault(s string) (Fault, error) {
	switch f := Fault(s); f {
	case None, Silent, Slow, Wrong:
		return f, nil
	case "":
		return None, nil
	}
	return None, fmt.Errorf("%q is no fault; want none, silent, slow or wrong", s)
}

// Config says which device to play and where.
type Config struct {
	Addr       string // host:port of the gateway
	ProductKey string
	Triple     triple.Triple
	Model      *tsl.Model
	State      map[string]json.RawMessage // first values; what is missing gets the model's middle
	Fault      Fault
	Log        *slog.Logger
	// OnCommand, if not nil, is told of every execution: the id on the wire, the method, and the parameters, which it may not keep.
	OnCommand func(id, method string, params []byte)
	// OnState, if not nil, is told when the device is connected (nil) and why it is not (an error), from its goroutine.
	OnState func(error)
	// Dial opens the connection; nil is plain TCP.
	Dial mqtt.ClientConfig
}

// A Device is one virtual device.
type Device struct {
	c    Config
	name string

	mu     sync.Mutex
	state  map[string]json.RawMessage
	fault  Fault
	client *mqtt.Client // nil while offline
	nextID int

	later sync.WaitGroup // slow answers under way
}

// New returns a device that is off until [Device.Run].
func New(c Config) *Device {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Device{c: c, name: c.Triple.MAC.String(), state: make(map[string]json.RawMessage), fault: c.Fault}
	for _, p := range c.Model.Properties() {
		if v, ok := c.State[p.Identifier]; ok {
			d.state[p.Identifier] = v
		} else if v := initial(p); v != nil {
			d.state[p.Identifier] = v
		}
	}
	return d
}

// Name is the DeviceName (设备名称).
func (d *Device) Name() string { return d.name }

// SetFault makes the device misbehave from now on, or behave.
func (d *Device) SetFault(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// Fault is how the device misbehaves now.
func (d *Device) Fault() Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// State returns a copy of the values the device has.
func (d *Device) State() map[string]json.RawMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(map[string]json.RawMessage, len(d.state))
	for k, v := range d.state {
		out[k] = v
	}
	return out
}

// Pauses between attempts to connect.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// Run keeps the device connected until ctx ends. A refusal of its credentials is an error that says so; all else is
// tried again. When it returns nothing of the device runs.
func (d *Device) Run(ctx context.Context) error {
	defer d.later.Wait()
	pause := firstPause
	for {
		began := time.Now()
		err := d.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var refused *mqtt.Refused
		if errors.As(err, &refused) && (refused.Code == mqtt.RefusedLogin || refused.Code == mqtt.RefusedAuthorised) {
			return fmt.Errorf("connecting device %s: %w", d.name, err)
		}
		if time.Since(began) > maxPause {
			pause = firstPause
		}
		d.tell(err)
		d.c.Log.LogAttrs(ctx, slog.LevelDebug, "virtual device will connect again", slog.String("device", d.name), slog.Duration("pause", pause), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // jitter, not a secret
		}
		pause = min(2*pause, maxPause)
	}
}

// Options returns how a device of the triple signs in.
func Options(productKey string, t triple.Triple) (mqtt.ClientConfig, error) {
	name := t.MAC.String()
	c, err := alink.ParseClientID(productKey + "." + name + "|securemode=3,signmethod=hmacsha256,_v=lampworks-virtual-1|")
	if err != nil {
		return mqtt.ClientConfig{}, err
	}
	password, err := alink.Sign("hmacsha256", t.Secret.Reveal(), c, name, productKey)
	if err != nil {
		return mqtt.ClientConfig{}, err
	}
	return mqtt.ClientConfig{ClientID: c.Raw, Username: name + "&" + productKey, Password: password, KeepAlive: time.Minute, Clean: true}, nil
}

// session is one connection, from CONNECT to its end.
func (d *Device) session(ctx context.Context) error {
	o, err := Options(d.c.ProductKey, d.c.Triple)
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	o.OnMessage = d.message
	o.Dial = d.c.Dial.Dial
	client, err := mqtt.Dial(ctx, d.c.Addr, o)
	if err != nil {
		return err
	}
	defer client.Close()
	d.mu.Lock()
	d.client = client
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.client = nil
		d.mu.Unlock()
	}()
	branch := "/sys/" + d.c.ProductKey + "/" + d.name + "/"
	if _, err := client.Subscribe(ctx, branch+"thing/service/#", branch+"rrpc/request/+", branch+"thing/event/+/post_reply"); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := client.Publish(ctx, d.topic(alink.PropertyPost, ""), d.post(d.State()), 1); err != nil {
		return fmt.Errorf("posting the first values: %w", err)
	}
	d.tell(nil)
	select {
	case <-ctx.Done():
		return nil
	case <-client.Done():
		return client.Err()
	}
}

func (d *Device) tell(err error) {
	if d.c.OnState != nil {
		d.c.OnState(err)
	}
}

func (d *Device) topic(t alink.Template, arg string) string {
	return t.Topic(d.c.ProductKey, d.name, arg)
}

// post is the payload of a property post.
func (d *Device) post(values map[string]json.RawMessage) []byte {
	params, err := json.Marshal(values)
	if err != nil {
		params = []byte("{}") // not reached: the values are JSON already
	}
	d.mu.Lock()
	d.nextID++
	id := strconv.Itoa(d.nextID)
	d.mu.Unlock()
	return alink.AppendRequest(nil, id, "thing.event.property.post", params)
}

// Set changes values by hand, as a wall switch would, and reports them.
func (d *Device) Set(ctx context.Context, values map[string]json.RawMessage) error {
	params, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("encoding the values: %w", err)
	}
	if v := d.c.Model.CheckPost(params, func(*tsl.Property, []byte, int64) {}); v != nil {
		return v
	}
	d.mu.Lock()
	for k, v := range values {
		d.state[k] = v
	}
	client := d.client
	d.mu.Unlock()
	if client == nil {
		return nil
	}
	return client.Publish(ctx, d.topic(alink.PropertyPost, ""), d.post(values), 1)
}
