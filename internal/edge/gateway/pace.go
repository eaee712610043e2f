package gateway

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// A pace bounds how often something happens. It is one number: until when what happened so far keeps it busy, if each took
// its share of a second (GCRA). In ns since the gateway was made.
type pace struct{ busy atomic.Int64 }

// take reports whether one more may happen now: what happened does not keep it busy for longer than ahead.
func (p *pace) take(now time.Duration, perSecond int, ahead time.Duration) bool {
	if perSecond <= 0 {
		return true
	}
	share := int64(time.Second) / int64(perSecond)
	for {
		busy := p.busy.Load()
		from := max(busy, int64(now))
		if from+share-int64(now) > int64(ahead) {
			return false
		}
		if p.busy.CompareAndSwap(busy, from+share) {
			return true
		}
	}
}

const (
	aheadOfAll     = time.Second      // how much of their rate all devices may use up at once
	aheadOfAddress = 10 * time.Second // those behind one address: a building whose power is back
)

// addresses is how many paces there are for addresses; two addresses of the same pace share it.
const addresses = 1 << 14

// door knows how many connections come, of all and of each address, in memory that does not grow with them.
type door struct {
	base time.Time
	all  pace
	seed maphash.Seed
	each [addresses]pace
}

func newDoor() *door { return &door{base: time.Now(), seed: maphash.MakeSeed()} }

// rush reports whether there are too many connections a second.
func (d *door) rush(l *Limits) bool { return !d.all.take(time.Since(d.base), l.Connects, aheadOfAll) }

// crowd reports whether there are too many of one address. This machine's own are its operator's.
func (d *door) crowd(from netip.Addr, l *Limits) bool {
	from = from.Unmap()
	if from.IsLoopback() {
		return false
	}
	key := from.As16()
	n := len(key)
	if from.Is6() {
		n = 8 // a network of its own is the least that is given to somebody
	}
	p := &d.each[maphash.Bytes(d.seed, key[:n])%addresses]
	return !p.take(time.Since(d.base), l.AddressConnects, aheadOfAddress)
}
