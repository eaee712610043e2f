package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
)

// Two places that sign in with one triple (克隆设备) throw each other out again and again. The platform cannot know which of them
// is the true device: it names both, lets the one that is there stay, and lets the others wait longer and longer.
const (
	fightWithin = time.Minute     // takeovers that are further apart, from the first to the last, are no fight
	fightPause  = 5 * time.Second // who is there stays so long at first, then twice as long each time
	fightMost   = 5 * time.Minute
	maxFights   = 100_000 // devices that are watched; more are not, rather than memory without end
)

// A fight is what takeovers of one device's session look like lately.
type fight struct {
	lately  []time.Time // takeovers within the last minute, while they are no fight
	last    time.Time
	count   int
	pause   time.Duration // 0: it is none
	until   time.Time     // nobody from elsewhere takes the session over before
	from    string        // where the last one came from
	against string        // whom it threw out
}

// fights watches takeovers. It may be used by any goroutine.
type fights struct {
	mu sync.Mutex
	of map[string]*fight
}

// wait is how long a newcomer has to wait before it may take the session of a device over; 0: it may now.
func (f *fights) wait(device string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.of[device]; x != nil && now.Before(x.until) {
		return x.until.Sub(now)
	}
	return 0
}

// takeover notes that from took the session of a device from against, of which most within a minute are a fight. It gives the
// fight where one has begun or goes on. One host that throws itself out, a device whose connection is bad perhaps, is told of
// once in so many, and never made to wait.
func (f *fights) takeover(device, from, against string, now time.Time, most int) (x fight, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = make(map[string]*fight)
	}
	p := f.of[device]
	if p == nil {
		if len(f.of) >= maxFights {
			return fight{}, false
		}
		p = &fight{}
		f.of[device] = p
	}
	if p.over(now) {
		*p = fight{}
	}
	alone := host(from) == host(against)
	if p.pause > 0 && alone {
		return *p, false
	}
	p.last, p.from, p.against = now, from, against
	if p.pause == 0 {
		p.lately = slices.DeleteFunc(append(p.lately, now), func(at time.Time) bool { return now.Sub(at) >= fightWithin })
		if p.count = len(p.lately); p.count < most {
			return *p, false
		}
		if p.lately = nil; alone {
			return *p, true
		}
	} else {
		p.count++
	}
	p.pause = min(max(2*p.pause, fightPause), fightMost)
	p.until = now.Add(p.pause)
	return *p, true
}

// over reports whether there is peace again.
func (x *fight) over(now time.Time) bool { return now.Sub(x.last) > max(fightWithin, 2*x.pause) }

// forget drops what is over.
func (f *fights) forget(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for device, x := range f.of {
		if x.over(now) {
			delete(f.of, device)
		}
	}
}

// fought notes a takeover, and reports a fight to whoever looks and in the Log.
func (c *conn) fought(old *conn) {
	x, on := c.g.fights.takeover(c.device, c.from, old.from, time.Now(), c.g.limits.Takeovers)
	if !on {
		return
	}
	c.g.Stats.Clones.Add(1)
	why := fmt.Sprintf("the connections from %s and %s throw each other out: %d times lately", x.against, x.from, x.count)
	if host(x.from) != host(x.against) {
		why += "; two devices may have the same triple"
	}
	c.show(device.RefusedSubject, "", nil, why)
	kept := device.Refusal{Why: why}
	r := uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: c.device, Subject: device.CloneFact, Body: kept.Append(nil)}
	if err := c.g.c.Log.Append(context.Background(), r, nil); err != nil {
		c.g.missed(context.Background(), "a fight for a session was not stored", err)
	}
}

func host(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	return a.Addr().Unmap().String()
}
