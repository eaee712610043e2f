package gateway

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync"
)

const shards = 64

// registry is the sessions that are live here, by device id.
type registry struct {
	seed  maphash.Seed
	parts [shards]struct {
		mu sync.Mutex
		of map[string]*conn
	}
}

func (r *registry) init() {
	r.seed = maphash.MakeSeed()
	for i := range r.parts {
		r.parts[i].of = make(map[string]*conn)
	}
}

// enter makes c the session of its device, with the epoch that next gives, and returns the one it replaces. False: it is that of a child
// whose gateway's connection is over, and comes too late.
func (r *registry) enter(c *conn, next func() uint64) (old *conn, ok bool) {
	p := &r.parts[maphash.String(r.seed, c.device)%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.via != nil && c.via.gone.Load() { // in here: who came over the connection that took its place is not taken over
		return nil, false
	}
	old = p.of[c.device]
	c.epoch = next() // in here, so that the order of epochs is that of sessions
	p.of[c.device] = c
	return old, true
}

// leave removes c unless another session has taken its place.
func (r *registry) leave(c *conn) {
	p := &r.parts[maphash.String(r.seed, c.device)%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[c.device] == c {
		delete(p.of, c.device)
	}
}

func (r *registry) find(device string) *conn {
	p := &r.parts[maphash.String(r.seed, device)%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[device]
}

func (r *registry) count() int {
	n := 0
	for i := range r.parts {
		p := &r.parts[i]
		p.mu.Lock()
		n += len(p.of)
		p.mu.Unlock()
	}
	return n
}

func (r *registry) all() []*conn {
	var out []*conn
	for i := range r.parts {
		p := &r.parts[i]
		p.mu.Lock()
		for _, c := range p.of {
			out = append(out, c)
		}
		p.mu.Unlock()
	}
	return out
}

// owing is the sessions that could not be given what waits for them, until the next round tries again.
type owing struct {
	mu sync.Mutex
	cs map[*conn]struct{}
}

func (o *owing) put(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cs == nil {
		o.cs = make(map[*conn]struct{})
	}
	o.cs[c] = struct{}{}
}

func (o *owing) take() []*conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	cs := slices.Collect(maps.Keys(o.cs))
	o.cs = nil
	return cs
}
