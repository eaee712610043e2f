package gateway

import (
	"bytes"
	"context"
	"slices"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// maxFilters bounds the filters of one device, unless its limit is another.
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

// identifiers are those of the filters that fit a message (MQTT 5, MQTT-3.3.4-3).
func (f *subscriptions) identifiers(list mqtt.Properties, t alink.Template, arg string) mqtt.Properties {
	for i := range f.named {
		if n := &f.named[i]; n.Wants(t, arg) {
			list = list.Append(mqtt.Property{ID: mqtt.SubscriptionID, Int: n.id})
		}
	}
	return list
}

// An edit is subscriptions while one packet changes them; what others hold stays as it is.
type edit struct {
	subscriptions
	key, name string // of the device
	most      int    // filters that it may have
	changed   bool
	stale     bool // what the filters lead to has to be found anew
}

// edit begins a change of what a device is subscribed to; nil is nothing.
func (f *subscriptions) edit(key, name string) *edit {
	e := &edit{key: key, name: name, most: maxFilters}
	if f != nil {
		e.subscriptions = *f
		e.filters, e.parts, e.named = slices.Clone(f.filters), slices.Clone(f.parts), slices.Clone(f.named)
	}
	return e
}

func (e *edit) index(text []byte) int {
	return slices.IndexFunc(e.filters, func(g filter) bool { return bytes.Equal(g.text, text) })
}

// add adds a filter, or replaces it (MQTT-3.8.4-3), and says why it does not: it is not its device's, or beyond the limit.
func (e *edit) add(f filter) mqtt.Reason {
	if i := e.index(f.text); i >= 0 {
		if had := &e.filters[i]; had.qos != f.qos || had.id != f.id {
			had.qos, had.id, e.changed, e.stale = f.qos, f.id, true, true
		}
		return mqtt.Success
	}
	if bytes.HasPrefix(f.text, []byte("$share/")) {
		return mqtt.NoShared
	}
	f.text = bytes.Clone(f.text)
	sub, ok := alink.Resolve(f.text, e.key, e.name)
	switch {
	case !ok:
		return mqtt.NotAuthorised
	case len(e.filters) >= e.most:
		return mqtt.QuotaExceeded
	}
	e.filters, e.changed = append(e.filters, f), true
	e.enter(sub, &f)
	return mqtt.Success
}

// enter notes what a filter leads to.
func (f *subscriptions) enter(sub alink.Subscription, g *filter) {
	f.whole = f.whole.Union(sub.Whole)
	if g.qos > 0 {
		f.sure = f.sure.Union(sub.Whole)
	}
	if !sub.Part.Empty() {
		f.parts = append(f.parts, part{sub, g.qos})
	}
	if g.id != 0 {
		f.named = append(f.named, named{sub, g.id})
	}
}

// drop takes a filter back, and reports whether there was one. What another filter covers stays, and so does what the client id
// asked for by _ss=1.
func (e *edit) drop(text []byte) bool {
	i := e.index(text)
	if i < 0 {
		return false
	}
	e.filters, e.changed, e.stale = slices.Delete(e.filters, i, i+1), true, true
	return true
}

// done gives what the changes come to.
func (e *edit) done() *subscriptions {
	if !e.stale {
		return &e.subscriptions
	}
	next := new(subscriptions)
	if e.all {
		*next = everything()
	}
	next.filters = e.filters
	for i := range next.filters {
		if sub, ok := alink.Resolve(next.filters[i].text, e.key, e.name); ok {
			next.enter(sub, &next.filters[i])
		}
	}
	return next
}

// Subscribe grants filters that lead to topics of the device's own down side, and refuses all others.
func (c *conn) Subscribe(p *mqtt.Packet, codes []byte) {
	if !c.mayChange(p, codes) {
		return
	}
	id, _ := p.Properties.Find(mqtt.SubscriptionID)
	next := c.filters.Load().edit(c.of.Value().key, c.name)
	next.most = c.most(quota.DeviceFilters)
	told := false
	for i, f := range p.Filters {
		r := mqtt.QuotaExceeded
		if i < max(next.most, maxFilters) {
			r = next.add(filter{text: f.Topic, qos: f.QoS, id: id.Int})
		}
		of, most := c, next.most
		if k := c.child(f.Topic); r == mqtt.NotAuthorised && k != nil {
			of = k
			r, most = k.listen(filter{text: f.Topic, qos: f.QoS, id: id.Int})
		}
		if codes[i] = f.QoS; r == mqtt.Success {
			continue
		}
		if codes[i] = byte(r); !told { // one tells enough
			told = true
			of.show(device.RefusedSubject, string(f.Topic), nil, of.unsubscribable(r, most))
		}
	}
	if c.change(next, codes) == nil && next.changed {
		c.deliver()
	}
}

// Unsubscribe takes filters back. A device of MQTT 3.1.1 has no word for what could not be written down but the end.
func (c *conn) Unsubscribe(p *mqtt.Packet, codes []byte) {
	if !c.mayChange(p, codes) {
		return
	}
	next := c.filters.Load().edit(c.of.Value().key, c.name)
	for i, f := range p.Filters {
		if k := c.child(f.Topic); k != nil && k.unlisten(f.Topic) {
			continue
		}
		if !next.drop(f.Topic) {
			codes[i] = byte(mqtt.NoSubscription)
		}
	}
	if c.change(next, codes) != nil && c.s.Version() != mqtt.V5 {
		c.dismiss(mqtt.QuotaExceeded, notStored)
	}
}

// change puts changed subscriptions in force, once they are written down.
func (c *conn) change(next *edit, codes []byte) error {
	if !next.changed {
		return nil
	}
	f := next.done()
	if err := c.keepFilters(f); err != nil {
		c.g.missed(context.Background(), "keeping the subscriptions of a device failed", err)
		for i := range codes {
			codes[i] = byte(mqtt.Unspecified)
		}
		return err
	}
	c.filters.Store(f)
	return nil
}

// mayChange charges a packet that changes subscriptions; beyond the limit the connection ends. Who only registers has none.
func (c *conn) mayChange(p *mqtt.Packet, codes []byte) bool {
	if c.newcomer != nil { // whose answer comes unasked
		for i := range codes {
			codes[i] = byte(mqtt.Unspecified)
		}
		return false
	}
	err := c.charge(p)
	if err == nil {
		return true
	}
	for i := range codes {
		codes[i] = byte(mqtt.QuotaExceeded)
	}
	c.because(reasonOf(err))
	c.dismiss(mqtt.QuotaExceeded, err.Error())
	return false
}

func (c *conn) subscribed(t alink.Template, arg string) bool {
	f := c.filters.Load()
	return f != nil && f.has(t, arg)
}
