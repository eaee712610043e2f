package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unique"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// A child (子设备) is a session without a connection of its own: a conn whose packets go over that of its gateway (网关), which is its via.
// What it says, is asked for and is told goes the roads of every device; only what concerns the connection is the gateway's.

// Why sessions of children end.
const (
	loggedOut = "logged out by its gateway"
	parted    = "its gateway carries it no longer"
	gatewayIs = "its gateway is gone: " // and why
)

// maxKept is how many sessions a gateway's connection knows; beyond it those that are over are forgotten.
const maxKept = 20_000

// brood is the children that came over the connection of a gateway.
type brood struct {
	mu      sync.Mutex
	of      map[string]*conn         // by {pk}/{dn}; also those that are over, so that a late message is told from a foreign one
	waiting map[*conn]struct{}       // those for whose commands the connection had no room
	shut    map[string]enforce.Chain // devices that a measure keeps out, by id
}

// link is the connection that carries the session: that of its gateway, or its own.
func (c *conn) link() *conn {
	if c.via != nil {
		return c.via
	}
	return c
}

func nameOf(key, name string) string { return key + "/" + name }

// child is the session of the child in whose branch a topic or filter lies, also if it is over; nil if there was none.
func (c *conn) child(topic []byte) *conn {
	b := c.brood.Load()
	if b == nil {
		return nil
	}
	names := alink.Names(topic)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[string(names)]
}

// speaksFor is the session of the sub-device in whose branch the gateway publishes, also if it is over; nil if it is no device of the gateway's
// organisation. What a client sends again by itself after it came back is before the logins: it is late, and not foreign.
func (c *conn) speaksFor(topic []byte) (*conn, error) {
	if k := c.child(topic); k != nil || !c.mayCarry() {
		return k, nil
	}
	key, name, ok := strings.Cut(string(alink.Names(topic)), "/")
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	who, _, r, err := c.prove(ctx, &alink.Child{ProductKey: key, DeviceName: name})
	if r != nil || err != nil {
		return nil, err
	}
	k := c.bear(&who)
	k.gone.Store(true) // it never came
	c.keep(k)
	return k, nil
}

// bear makes a session of a sub-device, which has not begun.
func (c *conn) bear(who *device.Identity) *conn {
	k := &conn{g: c.g, s: c.s, from: c.from, secure: c.secure, via: c, device: who.ID, name: who.Name}
	k.of = unique.Make(origin{organisation: who.Organisation, product: who.Product, batch: who.Order, key: who.ProductKey})
	return k
}

// adopted is the live session of a child here, nil if there is none.
func (c *conn) adopted(in *alink.Child) *conn {
	b := c.brood.Load()
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.of[nameOf(in.ProductKey, in.DeviceName)]; k != nil && !k.gone.Load() {
		return k
	}
	return nil
}

// ownBrood is the connection's, made when there is none.
func (c *conn) ownBrood() *brood {
	if b := c.brood.Load(); b != nil {
		return b
	}
	c.brood.CompareAndSwap(nil, &brood{of: make(map[string]*conn), waiting: make(map[*conn]struct{})})
	return c.brood.Load()
}

// keep enters a child, on the reader of the connection.
func (c *conn) keep(k *conn) {
	b := c.ownBrood()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.of) >= maxKept {
		maps.DeleteFunc(b.of, func(_ string, k *conn) bool { return k.gone.Load() })
	}
	b.of[nameOf(k.of.Value().key, k.name)] = k
}

// awaitRoom has a child look again for what waits for it once there is room.
func (c *conn) awaitRoom() {
	if c.via == nil {
		return // the writer, and every PUBACK, make it look again
	}
	b := c.via.brood.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[c] = struct{}{}
}

// roomAgain lets the session, and those of its children that wait, look for what waits for them.
func (c *conn) roomAgain() {
	c.deliver()
	b := c.brood.Load()
	if b == nil {
		return
	}
	b.mu.Lock()
	waiting := slices.Collect(maps.Keys(b.waiting))
	clear(b.waiting)
	b.mu.Unlock()
	for _, k := range waiting {
		k.deliver()
	}
}

// listen subscribes a child to a filter, for as long as its session lasts; most is how many it may have.
func (c *conn) listen(add filter) (r mqtt.Reason, most int) {
	next := c.filters.Load().edit(c.of.Value().key, c.name)
	if next.most = c.most(quota.DeviceFilters); c.isGone() {
		return mqtt.NotAuthorised, next.most
	}
	r = next.add(add)
	if r == mqtt.Success && next.changed {
		c.filters.Store(next.done())
		c.deliver()
	}
	return r, next.most
}

// unlisten takes a filter back from a child, and reports whether it had it.
func (c *conn) unlisten(text []byte) bool {
	next := c.filters.Load().edit(c.of.Value().key, c.name)
	if !next.drop(text) {
		return false
	}
	c.filters.Store(next.done())
	return true
}

// orphan ends the sessions of the children with that of their gateway.
func (c *conn) orphan(reason string) {
	b := c.brood.Load()
	if b == nil {
		return
	}
	b.mu.Lock()
	all := slices.Collect(maps.Values(b.of))
	b.mu.Unlock()
	for _, k := range all {
		k.part(gatewayIs + reason)
	}
}

// part ends the session of a child; that of its gateway goes on.
func (c *conn) part(reason string) {
	c.because(reason)
	if c.gone.Swap(true) {
		return
	}
	c.g.sessions.leave(c)
	c.g.offers.forget(c)
	c.g.c.Logger.LogAttrs(context.Background(), slog.LevelDebug, "session of a sub-device ended", slog.String("device", c.device), slog.String("gateway", c.via.device), slog.String("reason", reason))
	c.said(itWent)
	c.isOver()
}

// prove finds the sub-device that a gateway names, which must be of the gateway's own organisation: another is as unknown as one that
// is not there. With a signature it must be right.
func (c *conn) prove(ctx context.Context, in *alink.Child) (who device.Identity, generation uint32, r *refusal, err error) {
	select {
	case c.g.identify <- struct{}{}:
		defer func() { <-c.g.identify }()
	case <-ctx.Done():
		return who, 0, nil, ctx.Err()
	}
	who, err = c.g.c.Devices.Identify(ctx, in.ProductKey, in.DeviceName)
	if r, err := c.noChild(in, err); r != nil || err != nil {
		return who, 0, r, err
	}
	switch {
	case who.Organisation != c.of.Value().organisation:
		return who, 0, unknownChild(in), nil
	case who.ID == c.device || who.Gateway:
		return who, 0, &refusal{alink.CodeItself, in.Where + " is a gateway, which no other carries"}, nil
	case !in.Signed():
		return who, 0, nil, nil
	}
	generation, ok := who.Match(in.Verify)
	if !ok {
		return who, 0, &refusal{alink.CodeSign, "the signature of " + in.Where + " is wrong"}, nil
	}
	return who, generation, nil, nil
}

// admitChild decides whether a sub-device may have a session through the gateway. It changes nothing but which of its secrets is in force.
func (c *conn) admitChild(ctx context.Context, in *alink.Child) (*conn, *refusal, error) {
	who, generation, r, err := c.prove(ctx, in)
	if r != nil || err != nil {
		return nil, r, err
	}
	carriers, err := c.g.c.Devices.Carriers(ctx, []string{who.ID})
	if err != nil {
		return nil, nil, err
	}
	if carriers[who.ID] != c.device {
		return nil, &refusal{alink.CodeNoTopology, "the gateway does not carry " + in.Where + "; add it to the topology first"}, nil
	}
	if r, err := c.shut(ctx, in, &who); r != nil || err != nil {
		return nil, r, err
	}
	k := c.bear(&who)
	if used := k.usedUp(who.ID); used != "" {
		return nil, &refusal{alink.CodeTooMany, used}, nil
	}
	if over := k.tooMany(); over != "" {
		return nil, &refusal{alink.CodeTooMany, over}, nil
	}
	if wait := c.g.fights.wait(who.ID, time.Now()); wait > 0 && c.g.Live(who.ID) {
		return nil, &refusal{alink.CodeTooMany, fmt.Sprintf("%s is thrown out and comes back again and again; where it is it stays for %d s", in.Where, int(wait.Seconds())+1)}, nil
	}
	k.barred.Store(barred(who.LastReason))
	if f := c.filters.Load(); f != nil && f.all {
		all := everything()
		k.filters.Store(&all)
	}
	if err := c.g.c.Devices.Admit(ctx, &who, generation); err != nil {
		r, err := c.noChild(in, err)
		return nil, r, err
	}
	return k, nil, nil
}

// shut refuses a sub-device that is disabled, or that a measure keeps out.
func (c *conn) shut(ctx context.Context, in *alink.Child, who *device.Identity) (*refusal, error) {
	if who.State != device.Enabled {
		return &refusal{alink.CodeShut, in.Where + " is disabled"}, nil
	}
	if c.g.c.Enforce == nil {
		return nil, nil
	}
	chain := chainOf(who)
	standing, err := c.g.c.Enforce.Standing(ctx, chain)
	if err != nil {
		return nil, err
	}
	if !standing.Allows(enforce.Connect) {
		c.shutOut(chain)
		return &refusal{alink.CodeShut, in.Where + ": " + standing.Check(enforce.Connect).Error()}, nil
	}
	return nil, nil
}

// enterChild gives a child its session. An older one ends, wherever it is.
func (c *conn) enterChild(k *conn) {
	c.keep(k) // first: from its entry on it is told what waits for it
	old, ok := c.g.sessions.enter(k, c.g.c.Devices.Epoch)
	if !ok {
		k.gone.Store(true)
		return
	}
	c.letIn(k.device)
	c.g.Stats.Accepted.Add(1)
	if old != nil {
		c.g.Stats.TakenOver.Add(1)
		old.dismiss(mqtt.TakenOver, takenOver)
		if old.via == nil || old.via.device != c.device { // a gateway that came back fights with nobody
			k.fought(old)
			old.tellParted()
		}
	}
	k.presence(context.Background(), true, "connected")
	k.said(itCame)
}

// The words about the session of a child.
const (
	itCame = 1 << iota
	itWent
)

// said notes that the one word about the session of a child was said, or is to be. That it went is said behind the other, by whoever is
// the later: anybody may end a session in the moment in which it begins.
func (c *conn) said(word uint32) {
	if c.words.Or(word)|word == itCame|itWent {
		c.mu.Lock()
		reason := c.reason
		c.mu.Unlock()
		c.presence(context.Background(), false, reason)
	}
}

// isGone reports whether the session is over, or the connection that carries it.
func (c *conn) isGone() bool { return c.gone.Load() || c.link().gone.Load() }

// orphans ends the sessions of those children among cs that their gateways carry no longer, and reports whether it could look.
func (g *Gateway) orphans(ctx context.Context, cs []*conn) bool {
	var children []*conn
	var ids []string
	for _, c := range cs {
		if c.via != nil {
			children, ids = append(children, c), append(ids, c.device)
		}
	}
	if len(ids) == 0 {
		return true
	}
	carriers, err := g.c.Devices.Carriers(ctx, ids)
	if err != nil {
		g.missed(ctx, "asking which gateways carry devices failed", err)
		return false
	}
	for _, k := range children {
		if carriers[k.device] != k.via.device && !k.gone.Load() {
			k.part(parted)
			k.tellParted()
		}
	}
	return true
}

// tellParted tells the gateway of a child, if it is one, that it carries it no longer.
func (c *conn) tellParted() {
	if c.via != nil {
		c.via.tellTopology(topologyGone, device.Name{ProductKey: c.of.Value().key, DeviceName: c.name})
	}
}

// What a gateway is told of a sub-device, by the numbers of Alibaba Cloud.
const (
	topologyNew  = 0
	topologyGone = 1
	topologyBack = 2
	topologyShut = 8
)

// tellTopology tells the gateway that something about a sub-device has changed, if it listens.
func (c *conn) tellTopology(status int, n device.Name) {
	params := append([]byte(`{"status":`+strconv.Itoa(status)+`,"subList":[`), alink.AppendChild(nil, n.ProductKey, n.DeviceName)...)
	_ = c.notify(alink.TopoChange, notice(alink.TopoChange.Method(""), append(params, "]}"...))) // who does not listen asks for its topology
}

// tellChildren tells a gateway that its maker attached a device to it, or took it away.
func (g *Gateway) tellChildren(ctx context.Context, id string, payload []byte) {
	c := g.sessions.find(id)
	if c == nil || len(payload) == 0 {
		return
	}
	n, err := g.c.Devices.NameOf(ctx, string(payload[1:]))
	if err != nil {
		g.missed(ctx, "naming a sub-device failed", err)
		return
	}
	if string(payload[:1]) == device.Detached {
		c.tellTopology(topologyGone, n)
		return
	}
	list := append(alink.AppendChild([]byte("["), n.ProductKey, n.DeviceName), ']')
	_ = c.notify(alink.TopoAddNotify, notice(alink.TopoAddNotify.Method(""), list))
	c.tellTopology(topologyNew, n)
}

// tellBack tells the gateway of a device that it may be there again. Who is not carried finds out by connecting.
func (g *Gateway) tellBack(ctx context.Context, id string) {
	carriers, err := g.c.Devices.Carriers(ctx, []string{id})
	if err != nil {
		g.missed(ctx, "asking which gateway carries a device failed", err)
		return
	}
	c := g.sessions.find(carriers[id])
	if c == nil {
		return
	}
	n, err := g.c.Devices.NameOf(ctx, id)
	if gone, bad := g.c.Devices.Disabled(ctx, []string{id}); err != nil || bad != nil || len(gone) > 0 {
		return
	}
	c.tellTopology(topologyBack, n)
}
