// Package gateway is where devices connect: MQTT on one side, the uplink Log and commands on the other (设备接入网关).
//
// It owns the sessions that live in this process and the timer wheel that watches them; it has no table. It promises:
//   - a device is who its triple says, may use its own topics only, and has one session: a newer one closes the older,
//     whose late messages are dropped;
//   - a gateway speaks for the devices of its own organisation that signed for it or that the maker attached, while they are logged in
//     through it, and for no other; what is promised to a device is promised to those, too, and they are offline when it is;
//   - PUBACK and "code":200 leave after the commit of the record that holds the message; what is refused is answered with
//     the property, the value and the rule, and a refusal that the device does not listen for is kept in the Log;
//   - a command is written to a socket once, after its row says sent;
//   - a session ends within five seconds of a measure that refuses it to its device, batch, product or organisation, also if
//     every event is lost; a device that sends more than its limits is read more slowly, and closed when it goes on;
//   - a device registers with the secret of its product over TLS alone, and its own secret leaves once; a login with one that another
//     has taken the place of is told to its maker;
//   - a peer that is slow, half open or hostile is bounded in bytes, messages and time, and disturbs no other.
//
// A blocked session holds no buffer: reading waits for readiness, and output is gathered and written by whoever has some.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/session"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// Limits bound what one peer can cost.
type Limits struct {
	MaxPacket   int           // largest packet, bytes; default 262,144
	MaxOut      int           // output that waits for a slow reader, bytes; default 262,144
	Inflight    uint16        // commands that wait for a device's PUBACK; default 32
	MaxUnstored int           // messages of one device that wait for the disk before its socket is not read; default 64
	Hello       time.Duration // from accept to CONNECT, and for every started packet to end; default 10 s
	Write       time.Duration // a peer that takes no byte for so long is dropped; default 10 s
	Takeovers   int           // of one device's session within a minute, that are a fight between two places; default 4
	MaxSessions int           // connections at once, default 15,000 (of the 20,000 files a process may have)
	// Connects are the connections a second that are taken of all devices, default 5,000, and AddressConnects those of one
	// address, default 100 (ten seconds' worth at once). More are closed unread, before TLS. Negative: no bound.
	Connects, AddressConnects int
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.MaxPacket, 256<<10)
	def(&l.MaxOut, 256<<10)
	def(&l.MaxUnstored, 64)
	def(&l.MaxSessions, 15_000)
	def(&l.Takeovers, 4)
	def(&l.Connects, 5_000)
	def(&l.AddressConnects, 100)
	if l.Inflight == 0 {
		l.Inflight = 32
	}
	if l.Hello == 0 {
		l.Hello = 10 * time.Second
	}
	if l.Write == 0 {
		l.Write = 10 * time.Second
	}
	return l
}

// Config is what a gateway works with.
type Config struct {
	Devices  *device.Service
	Products *product.Service
	Commands *command.Commands
	Shadows  *shadow.Service
	Configs  *config.Service          // nil: products have no configuration
	FileURL  func(link string) string // where the API serves the file that a link opens
	Orders   *issuance.Service        // nil: no device registers
	Pairing  *pairing.Service         // nil: devices announce no bind tokens
	Sessions *session.Service         // nil: sessions end with their connections, and wills are not said
	Log      uplink.Log
	Bus      bus.Bus
	Enforce  *enforce.Service // nil: no measures are asked for
	Quota    *quota.Service   // nil: no limits are held
	Logger   *slog.Logger
	Limits   Limits
	// PlainProducts names the ProductKeys that may connect without TLS from other machines: the signature does not stop
	// a replay, so that plain TCP across a network is a product's explicit choice.
	PlainProducts []string
}

// Gateway holds the sessions of this process.
type Gateway struct {
	c         Config
	limits    Limits
	plain     map[string]bool
	sessions  registry
	wheel     *wheel
	conns     sync.WaitGroup // connections, their writers and the hands that act for them
	tasks     chan *task     // to a hand that rests
	open      atomic.Int64
	door      *door
	identify  chan struct{} // a place for each identification at once
	turns     chan struct{} // and for each handshake that computes
	stopping  atomic.Bool
	lastDue   int64        // newest command Seq seen by the round; used by its goroutine only
	changes   atomic.Int64 // newest change of a device's right that was acted on
	waiting   owing        // sessions whose delivery failed
	fights    fights       // for sessions of one device
	offers    offers
	calls     calls
	alarms    alarms
	impostors alarms        // the same of attempts to register that were signed wrong
	standing  enforce.Mark  // how far changes of standings were followed; used by the goroutine of that only
	judged    atomic.Int64  // newest of those changes that was acted on
	judging   chan struct{} // has room for one: a standing may have changed
	ending    chan struct{} // has room for one: ends may wait to be said
	unsaid    unsaid
	checking  chan struct{} // the same of the rights of devices
	dying     chan struct{} // the same of wills

	Stats Stats
}

// Stats are counters of this process since its start.
type Stats struct {
	Accepted, Refused, Messages, Rejected, Delivered, TakenOver, Enforced, Limited, Wills, Clones atomic.Int64

	TooLarge, Unread atomic.Int64 // connections ended by a packet that was too large, and by output that was not read

	Over   [quota.Many]atomic.Int64 // messages and connects that a limit refused; Limited is their sum
	Slowed [quota.Many]atomic.Int64 // pauses in reading from a device that was ahead of a limit
	Turned [anyReason]atomic.Int64  // connections that were closed before their first packet, by reason; part of Refused
}

// charged are the limits that devices are held to.
var charged = []quota.Limit{quota.DeviceMessageRate, quota.DeviceMessages, quota.DeviceBytes, quota.ConnectRate, quota.MessageRate, quota.MessageBytes, quota.DeviceFilters, quota.DeviceUnderWay}

// paced are those of them that a device is slowed down by, before it is refused.
var paced = []quota.Limit{quota.DeviceMessageRate, quota.MessageRate}

// Counts are the counters by their names in /metrics.
func (g *Gateway) Counts() map[string]int64 {
	s := &g.Stats
	counts := map[string]int64{
		"connects_accepted_total": s.Accepted.Load(), "connects_refused_total": s.Refused.Load(), "sessions_taken_over_total": s.TakenOver.Load(),
		"messages_total": s.Messages.Load(), "messages_rejected_total": s.Rejected.Load(), "commands_delivered_total": s.Delivered.Load(),
		"sessions_enforced_total": s.Enforced.Load(), "messages_over_limit_total": s.Limited.Load(), "wills_total": s.Wills.Load(), "session_fights_total": s.Clones.Load(),
		"over_limit_packet_bytes_total": s.TooLarge.Load(), "over_limit_unread_bytes_total": s.Unread.Load(),
	}
	for _, l := range charged {
		counts["over_limit_"+l.String()+"_total"] = s.Over[l].Load()
	}
	for _, l := range paced {
		counts["slowed_"+l.String()+"_total"] = s.Slowed[l].Load()
	}
	for r := range anyReason {
		counts["connections_turned_away_"+r.String()+"_total"] = s.Turned[r].Load()
	}
	return counts
}

// New returns a gateway that serves once [Gateway.Run] runs and listeners are handed to [Gateway.Serve].
func New(c Config) *Gateway {
	g := &Gateway{c: c, limits: c.Limits.withDefaults(), plain: make(map[string]bool), wheel: newWheel(), door: newDoor(), identify: make(chan struct{}, 32), tasks: make(chan *task), turns: make(chan struct{}, turnsAtOnce()), judging: make(chan struct{}, 1), ending: make(chan struct{}, 1), checking: make(chan struct{}, 1), dying: make(chan struct{}, 1)}
	for _, key := range c.PlainProducts {
		g.plain[key] = true
	}
	g.sessions.init()
	g.offers.init()
	return g
}

// Sessions is how many devices are online here.
func (g *Gateway) Sessions() int { return g.sessions.count() }

// Live reports whether a device has a session here.
func (g *Gateway) Live(device string) bool { return g.sessions.find(device) != nil }

// roundEvery is how late a lost event can make a command or the end of a device's right.
const roundEvery = 2 * time.Second

// Run watches keep-alives, events and what events may have missed, until ctx ends; then it closes every session and
// waits for them.
func (g *Gateway) Run(ctx context.Context) error {
	defer g.close()
	if err := g.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop before it began
		}
		return fmt.Errorf("finding where to begin: %w", err)
	}
	stopDue := g.c.Bus.Subscribe(command.DueSubject+">", func(subject string, _ []byte) {
		g.deliver(subject[len(command.DueSubject):])
	})
	defer stopDue()
	stopState := g.c.Bus.Subscribe(device.StateSubject+">", func(subject string, _ []byte) {
		id := subject[len(device.StateSubject):]
		if c := g.sessions.find(id); c != nil {
			g.conns.Go(func() { g.recheck(context.WithoutCancel(ctx), []*conn{c}) })
		} else if strings.HasPrefix(id, device.OfBatch) {
			poke(g.checking)
		} else {
			g.conns.Go(func() { g.tellBack(context.WithoutCancel(ctx), id) })
		}
	})
	defer stopState()
	stopHomes := g.c.Bus.Subscribe(home.BoundSubject+">", func(subject string, payload []byte) {
		g.tellBinding(subject[len(home.BoundSubject):], payload)
	})
	defer stopHomes()
	stopChildren := g.c.Bus.Subscribe(device.ChildrenSubject+">", func(subject string, payload []byte) {
		id, payload := subject[len(device.ChildrenSubject):], slices.Clone(payload)
		g.conns.Go(func() { g.tellChildren(context.WithoutCancel(ctx), id, payload) })
	})
	defer stopChildren()
	stopStanding := g.c.Bus.Subscribe(enforce.ChangeSubject, func(string, []byte) { poke(g.judging) })
	defer stopStanding()
	g.conns.Go(func() { follow(ctx, g.judging, g.followStandings) })
	g.conns.Go(func() { follow(ctx, g.ending, g.sayEnds) })
	g.conns.Go(func() { follow(ctx, g.checking, g.followChanges) })
	g.conns.Go(func() { follow(ctx, g.dying, g.sayWills) })
	g.conns.Go(func() { follow(ctx, g.offers.asked, g.followPushes) })
	stopPushes := g.c.Bus.Subscribe(config.PushSubject+">", func(string, []byte) { poke(g.offers.asked) })
	defer stopPushes()
	tick := time.NewTicker(wheelTick)
	defer tick.Stop()
	round := time.NewTicker(roundEvery)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			g.wheel.advance(now)
		case <-round.C:
			g.round(ctx)
		}
	}
}

// poke asks for a look that nobody waits for: of several before it begins one is enough.
func poke(asked chan<- struct{}) {
	select {
	case asked <- struct{}{}:
	default:
	}
}

// follow looks whenever it is asked to, one look at a time, until ctx ends. It keeps nothing else waiting.
func follow(ctx context.Context, asked <-chan struct{}, look func(context.Context)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			look(ctx)
		}
	}
}

// round makes up for events that were lost.
func (g *Gateway) round(ctx context.Context) {
	poke(g.judging)
	poke(g.checking)
	poke(g.ending)
	poke(g.offers.asked)
	for _, c := range g.waiting.take() {
		c.deliver()
	}
	poke(g.dying)
	g.fights.forget(time.Now())
	g.calls.sweep(time.Now())
	g.alarms.forget(time.Now())
	g.impostors.forget(time.Now())
	due, newest, err := g.c.Commands.Due(ctx, g.lastDue)
	if err != nil {
		g.missed(ctx, "asking for due commands failed", err)
		return
	}
	g.lastDue = newest
	for _, id := range due {
		g.deliver(id)
	}
}

// followChanges ends the sessions whose right to connect has ended. It needs no event.
func (g *Gateway) followChanges(ctx context.Context) {
	before := g.changes.Load()
	changed, last, err := g.c.Devices.Changes(ctx, before)
	if err != nil {
		g.missed(ctx, "asking for changed devices failed", err)
		return
	}
	g.changes.Store(last) // first, so that a session which enters from here on looks for itself
	if !g.recheck(ctx, g.meant(changed)) {
		g.changes.Store(before) // again at the next round
	}
}

// meant are the sessions here that changes of devices, or of all of an order, concern.
func (g *Gateway) meant(changed []string) (cs []*conn) {
	batches := make(map[string]bool)
	for _, id := range changed {
		if batch, ok := strings.CutPrefix(id, device.OfBatch); ok {
			batches[batch] = true
		} else if c := g.sessions.find(id); c != nil {
			cs = append(cs, c)
		}
	}
	if len(batches) == 0 {
		return cs
	}
	for _, c := range g.sessions.all() {
		if batches[c.of.Value().batch] {
			cs = append(cs, c)
		}
	}
	return cs
}

// begin finds where the rounds start: what is older concerns sessions that began after it.
func (g *Gateway) begin(ctx context.Context) error {
	newest, err := g.c.Commands.Newest(ctx)
	if err != nil {
		return err
	}
	g.lastDue = newest
	if g.c.Configs != nil {
		if g.offers.last, err = g.c.Configs.NewestPush(ctx); err != nil {
			return err
		}
	}
	last, err := g.c.Devices.NewestChange(ctx)
	g.changes.Store(last)
	if err != nil || g.c.Enforce == nil {
		return err
	}
	g.standing, err = g.c.Enforce.Now(ctx)
	g.judged.Store(g.standing.Seq)
	return err
}

func (g *Gateway) missed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		g.c.Logger.LogAttrs(ctx, slog.LevelWarn, what, slog.Any("error", err)) //nolint:sloglint // a constant of each caller
	}
}

// recheck ends sessions of devices whose triple is not in force any more, and reports whether it could look at all.
func (g *Gateway) recheck(ctx context.Context, cs []*conn) bool {
	const atOnce = 500
	for len(cs) > 0 {
		n := min(len(cs), atOnce)
		ids := make([]string, n)
		for i, c := range cs[:n] {
			ids[i] = c.device
		}
		gone, err := g.c.Devices.Disabled(ctx, ids)
		if err != nil {
			g.missed(ctx, "checking the rights of live sessions failed", err)
			return false
		}
		for _, id := range gone {
			if c := g.sessions.find(id); c != nil {
				c.farewell(alink.Disable, disabled)
			}
		}
		if !g.orphans(ctx, cs[:n]) {
			return false
		}
		cs = cs[n:]
	}
	return true
}

// close ends all sessions and waits.
func (g *Gateway) close() {
	g.stopping.Store(true)
	for _, c := range g.wheel.all() {
		c.dismiss(mqtt.ShuttingDown, stopping)
	}
	g.conns.Wait()
}

// Serve accepts connections of l until ctx ends or l fails. secure says that what is read from them came over TLS.
func (g *Gateway) Serve(ctx context.Context, l net.Listener, secure bool) error {
	return g.accept(ctx, l, nil, func(nc net.Conn) { g.hold(ctx, nc, secure) })
}

// again is how long to wait after an accept that may do better.
const again = 50 * time.Millisecond

// accept hands on every connection for which there is a place, which whoever takes it gives back in g.open.
func (g *Gateway) accept(ctx context.Context, l net.Listener, proxies []netip.Prefix, take func(net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		nc, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = nc.Close()
			}
			return nil
		}
		if err != nil {
			if retryable(err) {
				g.c.Logger.LogAttrs(ctx, slog.LevelWarn, "accepting failed, trying again", slog.Any("error", err))
				time.Sleep(again)
				continue
			}
			return fmt.Errorf("accepting devices on %s: %w", l.Addr(), err)
		}
		if r, ok := g.welcomes(nc.RemoteAddr(), proxies); !ok {
			g.turnAway(ctx, nc, r, "")
			continue
		}
		g.open.Add(1)
		take(nc)
	}
}

// welcomes decides by its address, and by how many others there are, whether a connection is taken. One that a proxy is to
// announce is counted to whom it announces.
func (g *Gateway) welcomes(from net.Addr, proxies []netip.Prefix) (reason, bool) {
	switch addr := addressOf(from); {
	case g.stopping.Load() || g.open.Load() >= int64(g.limits.MaxSessions):
		return full, false
	case len(proxies) > 0 && !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return strange, false
	case g.door.rush(&g.limits):
		return rushed, false
	case len(proxies) == 0 && g.door.crowd(addr, &g.limits):
		return crowded, false
	}
	return 0, true
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// hold begins the MQTT of a connection.
func (g *Gateway) hold(ctx context.Context, nc net.Conn, secure bool) {
	c := newConn(g, nc, secure)
	g.conns.Add(1)
	go func() { // no Go: its frame would be on the stack of every session
		c.serve(ctx)
		g.open.Add(-1)
		g.conns.Done()
	}()
}

// retryable reports whether another accept may do better: too many open files, an aborted connection.
func retryable(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && !errors.Is(err, net.ErrClosed)
}

// deliver starts giving a device what waits for it, if its session is here.
func (g *Gateway) deliver(id string) {
	if c := g.sessions.find(id); c != nil {
		c.deliver()
	}
}

var _ mqtt.Handler = (*conn)(nil)
