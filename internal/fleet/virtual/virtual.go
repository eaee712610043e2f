// Package virtual plays devices on the real protocol: MQTT to the gateway, signed with a real triple (虚拟设备).
//
// A virtual device owns nothing but its memory: it posts its properties when it connects, sets what it is told, answers,
// and reports what changed. It promises to behave as a good device would, or to misbehave in exactly the way it is asked
// to; to reconnect as long as that may be of use, with growing pauses; and to execute each command that arrives, also a repeated one: it
// remembers no ids, so that a platform that sends twice is found out.
package virtual

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
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

	Duplicate Fault = "duplicate"  // says all it answers and reports twice, with the same ids
	Mistyped  Fault = "wrong-type" // answers 200 and reports what it did in a type that the model does not have
	Flapping  Fault = "flapping"   // loses its connection every [FlapsAfter], without a goodbye
)

// Faults are all ways.
var Faults = [...]Fault{None, Silent, Slow, Wrong, Duplicate, Mistyped, Flapping}

// FlapsAfter is how long a flapping device stays connected.
const FlapsAfter = 2 * time.Second

// SlowBy is how long a slow device takes.
const SlowBy = 4 * time.Second

// ParseFault reads the name of a fault.
func ParseFault(s string) (Fault, error) {
	if s == "" {
		return None, nil
	}
	if f := Fault(s); slices.Contains(Faults[:], f) {
		return f, nil
	}
	return None, fmt.Errorf("%q is no fault; want none, silent, slow, wrong, duplicate, wrong-type or flapping", s)
}

// Config says which device to play and where.
type Config struct {
	Addr       string // host:port of the gateway
	Line       *Line  // how it is reached; nil: TCP to Addr
	ProductKey string
	Triple     triple.Triple
	Model      *tsl.Model
	State      map[string]json.RawMessage // first values; what is missing gets the model's middle
	Fault      Fault
	Log        *slog.Logger
	// OnCommand, if not nil, is told of every execution: the id on the wire, the method, and the parameters, which it may not keep.
	OnCommand func(id, method string, params []byte)
	// OnRefused, if not nil, is told of every post, and every bind token, that the platform did not take, with the code and the reason of its answer.
	OnRefused func(code int, why string)
	// OnNews, if not nil, is told what becomes of the device and of what it carries; not from one goroutine.
	OnNews func(News)
	// OnState, if not nil, is told when the device is connected (nil) and why it is not (an error), from its goroutine.
	OnState func(error)
	// OnToken, if not nil, is told each bind token (绑定令牌) that the device has announced, for it to be shown; nil: it announces none.
	OnToken func(token string)

	Version  mqtt.Version  // default V311
	QoS      uint8         // of what it says, 0 to 2
	Stay     time.Duration // its session outlives a connection, by so long in MQTT 5; 0: it does not
	Children []Config      // what it carries, as a gateway does: ProductKey, Triple, Model and State of each; nil: nothing
	Will     []byte        // values that are posted for it when its connection is lost, a JSON object; nil: none

	// Dial opens the connection in place of Line; nil: it does not.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
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
	kept   bool // the last connection found a session

	turned chan struct{} // its fault, or whether it is bound, is another now

	drawn string // guarded by mu: the bind token that it announced last; empty: none, in this session
	token string // guarded by mu: the same, once the platform has taken it
	bound bool   // guarded by mu: it was told so

	later sync.WaitGroup // slow answers under way

	children []*Device  // what it carries; each has no connection of its own
	answers  chan reply // to what a gateway asks

	changes []change      // guarded by mu: what a gateway was told of its children and has not acted upon
	changed chan struct{} // there are some

	carried  bool     // it is a child
	standing standing // of a child; this and code are its gateway's
	code     int      // the code it was refused with, 0 if it was not
}

// New returns a device that is off until [Device.Run].
func New(c Config) *Device {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Device{c: c, name: c.Triple.MAC.String(), state: make(map[string]json.RawMessage), fault: c.Fault, turned: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	for _, p := range c.Model.Properties() {
		if v, ok := c.State[p.Identifier]; ok {
			d.state[p.Identifier] = v
		} else if v := initial(p); v != nil {
			d.state[p.Identifier] = v
		}
	}
	d.answers = make(chan reply, 1)
	for _, k := range c.Children {
		k.Fault, k.QoS, k.Log, k.OnCommand, k.OnRefused, k.OnNews = c.Fault, c.QoS, c.Log, c.OnCommand, c.OnRefused, c.OnNews
		child := New(k)
		child.carried = true
		d.children = append(d.children, child)
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
	select {
	case d.turned <- struct{}{}:
	default:
	}
}

// Fault is how the device misbehaves now.
func (d *Device) Fault() Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// Kept reports whether the last connection found the session of an earlier one.
func (d *Device) Kept() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept
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

// Pauses between attempts: they double, each is longer than the least by up to half, and none is longer than half a minute.
const (
	firstPause = time.Second
	lastPause  = 20 * time.Second
)

// pauses are those of one row of attempts that fail.
type pauses struct{ last time.Duration }

func (p *pauses) next() time.Duration {
	p.last = min(max(2*p.last, firstPause), lastPause)
	return p.last + rand.N(p.last/2) //nolint:gosec // jitter, not a secret
}

// Run keeps the device connected until ctx ends. A refusal of its credentials, and one of a child that is permanent, a
// [*Denied], is an error that says so; all else is tried again. When it returns nothing of the device runs.
func (d *Device) Run(ctx context.Context) error {
	defer d.settle()
	var p pauses
	for {
		began := time.Now()
		err := d.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if forGood(err) {
			return fmt.Errorf("connecting device %s: %w", d.name, err)
		}
		if time.Since(began) > lastPause || errors.Is(err, errFlap) {
			p = pauses{}
		}
		d.tell(err)
		pause := p.next()
		d.c.Log.LogAttrs(ctx, slog.LevelDebug, "virtual device will connect again", slog.String("device", d.name), slog.Duration("pause", pause), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// forGood reports whether connecting again is of no use.
func forGood(err error) bool {
	if r, ok := errors.AsType[*mqtt.Refused](err); ok {
		return r.Code == mqtt.RefusedLogin || r.Code == mqtt.RefusedAuthorised
	}
	denied, ok := errors.AsType[*Denied](err)
	return ok && denied.Permanent()
}

// settle waits for the slow answers that are under way.
func (d *Device) settle() {
	d.later.Wait()
	for _, k := range d.children {
		k.later.Wait()
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

// options is how the device connects.
func (d *Device) options() (mqtt.ClientConfig, error) {
	o, err := Options(d.c.ProductKey, d.c.Triple)
	if err != nil {
		return o, fmt.Errorf("signing: %w", err)
	}
	o.OnMessage = d.message
	o.Version = d.c.Version
	if d.c.Stay > 0 {
		o.Clean = false
		if o.Version == mqtt.V5 {
			o.SessionExpiry = d.c.Stay
		}
	}
	if d.c.Will != nil {
		o.Will = &mqtt.Will{
			Topic: []byte(d.topic(alink.PropertyPost, "")), Payload: alink.AppendRequest(nil, "0", "thing.event.property.post", d.c.Will), QoS: min(d.c.QoS, 1),
		}
	}
	if o.Dial = d.c.Dial; o.Dial == nil && d.c.Line != nil {
		o.Dial = d.c.Line.Dial
	}
	return o, nil
}

// session is one connection, from CONNECT to its end.
func (d *Device) session(ctx context.Context) error {
	o, err := d.options()
	if err != nil {
		return err
	}
	client, err := mqtt.Dial(ctx, d.c.Addr, o)
	if err != nil {
		return err
	}
	defer client.Close()
	d.connected(client, client.SessionPresent())
	defer d.connected(nil, false)
	if err := d.begin(ctx, client); err != nil {
		return err
	}
	if err := d.carry(ctx, client); err != nil {
		return err
	}
	d.tell(nil)
	return d.stay(ctx, client)
}

// connected notes the connection that there is now, and whether it found a session.
func (d *Device) connected(client *mqtt.Client, kept bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client = client; client != nil {
		d.kept = kept
	}
	d.drawn, d.token = "", "" // they end with the session
}

// stay looks after what the device carries until the connection ends, and ends that of a flapping device.
func (d *Device) stay(ctx context.Context, client *mqtt.Client) error {
	var p pauses
	flap, again, bind := d.flap(), d.retry(&p), d.binding()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-client.Done():
			return client.Err()
		case <-d.turned:
			flap, bind = d.flap(), d.binding()
		case <-bind:
			err = d.draw(ctx, client)
			bind = d.binding()
		case <-flap:
			client.Kill()
			<-client.Done()
			return errFlap
		case <-again:
			err = d.again(ctx, client, d.wanting()...)
			again = d.retry(&p)
		case <-d.changed:
			err = d.tend(ctx, client)
			if again == nil {
				again = d.retry(&p)
			}
		}
		if err != nil {
			return err
		}
	}
}

// flap is when a flapping device loses its connection, nil for any other.
func (d *Device) flap() <-chan time.Time {
	if d.Fault() != Flapping {
		return nil
	}
	return time.After(FlapsAfter)
}

var errFlap = errors.New("the connection was cut, as a flapping device's is")

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
	return alink.AppendRequest(nil, d.newID(), "thing.event.property.post", params)
}

func (d *Device) newID() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nextID++
	return strconv.Itoa(d.nextID)
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
	return client.Publish(ctx, d.topic(alink.PropertyPost, ""), d.post(values), d.c.QoS)
}
