package quota

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Decision says whether a rate allows what was asked.
type Decision struct {
	OK        bool
	Limit     int64         // the value in force
	Remaining int64         // of this window
	Reset     time.Duration // until the window is over
	Wait      time.Duration // of [Service.Charge]: how long to take nothing more; of a refusal: until asking again makes sense
}

// patience is how far a subject may run ahead of a rate of seconds before what it sends is refused, rather than delayed.
const patience = 10 * time.Second

const (
	shards    = 64
	maxMeters = 1 << 20 // over all shards; some 250 bytes each
)

type meterKey struct {
	kind, id string
	limit    Limit
}

// meter counts one limit of one subject. Times are ms.
type meter struct {
	of         Subject
	limit      Limit
	generation uint64 // of the overrides that value is from
	value      int64  // in force
	until      int64  // value is looked up again then
	since      int64  // beginning of the window
	used       int64  // in the window, by all as far as is known; of a second: with what was charged ahead
	cap        int64  // what used may come to here before the next tick
	paid       int64  // the greatest cap in the window
	unsynced   int64  // part of used that is not in the table
	asked      int64  // what was asked for since the last tick, refused or not
	demand     int64  // what was asked for in the tick before
	share      int64  // thousandths of value that are this node's
	last       int64  // last use
	synced     int64  // last time that unsynced was written
	told       int64  // share of the limit that was told of in this window
	late       int64  // part of the window before that is not in the table
	lateSince  int64  // when that began
	reached    int64  // when a used up rate of seconds was last told of
	loaded     bool   // used holds what the table had
	refused    bool   // since the last tick
}

type shard struct {
	mu sync.Mutex
	of map[meterKey]*meter
}

// meters is every meter of this process.
type meters struct {
	seed  maphash.Seed
	parts [shards]shard
}

func (m *meters) init() {
	m.seed = maphash.MakeSeed()
	for i := range m.parts {
		m.parts[i].of = make(map[meterKey]*meter)
	}
}

// forget drops the meters of a subject, and of what belongs to an organisation, with what they owe.
func (m *meters) forget(kind, id string) {
	for i := range m.parts {
		p := &m.parts[i]
		p.mu.Lock()
		for key, one := range p.of {
			if one.of.Kind == kind && one.of.ID == id || one.of.Organisation == own(kind, id) {
				delete(p.of, key)
			}
		}
		p.mu.Unlock()
	}
}

func (m *meters) shard(id string, l Limit) *shard {
	return &m.parts[(maphash.String(m.seed, id)+uint64(l))%shards]
}

// Allow uses n units of a rate if the window has them, and otherwise refuses and uses none.
func (s *Service) Allow(of Subject, l Limit, n int64) Decision {
	p, m, now := s.enter(of, l)
	defer p.mu.Unlock()
	m.asked += n
	d := Decision{Limit: m.value, Reset: m.reset(now)}
	if m.used+n > m.cap {
		m.refused = true
		d.Remaining, d.Wait = max(m.cap-m.used, 0), d.Reset
		return d
	}
	m.used += n
	m.unsynced += n
	d.OK, d.Remaining = true, m.cap-m.used
	return d
}

// Charge uses n units that cannot be refused any more, because they are there, and says how long to take nothing further
// (Wait), so that on the whole the rate is held. It refuses only when the subject is more than ten seconds ahead of a
// rate of seconds, or when a longer window is used up: then it uses none.
func (s *Service) Charge(of Subject, l Limit, n int64) Decision {
	p, m, now := s.enter(of, l)
	defer p.mu.Unlock()
	m.asked += n
	d := Decision{Limit: m.value, Reset: m.reset(now)}
	window := registry[l].Window
	if window > time.Second || m.cap <= 0 {
		if m.used+n > m.cap {
			m.refused = true
			d.Wait, d.Remaining = d.Reset, max(m.cap-m.used, 0)
			return d
		}
	} else if ahead := m.wait(now, m.used); ahead > patience {
		m.refused = true
		d.Wait = ahead
		return d
	}
	m.used += n
	m.unsynced += n
	d.OK, d.Remaining = true, max(m.cap-m.used, 0)
	if window <= time.Second && m.used >= m.cap {
		m.refused = true
		d.Wait = m.wait(now, m.used)
	}
	return d
}

// wait is how long it takes until used is below the cap again.
func (m *meter) wait(now, used int64) time.Duration {
	if used < m.cap {
		return 0
	}
	whole := used/m.cap - 1
	return m.reset(now) + time.Duration(whole)*registry[m.limit].Window
}

func (m *meter) reset(now int64) time.Duration {
	return time.Duration(m.since+registry[m.limit].Window.Milliseconds()-now) * time.Millisecond
}

// enter finds the meter, brought to the present, and locks its shard.
func (s *Service) enter(of Subject, l Limit) (*shard, *meter, int64) {
	now := s.c.Now().UnixMilli()
	p := s.meter.shard(of.ID, l)
	p.mu.Lock()
	m := p.of[meterKey{of.Kind, of.ID, l}]
	if m == nil {
		m = p.add(of, l)
		m.synced = now
		if others := s.others.Load(); others > 0 && of.Kind != KindDevice { // until the first tick it has what is kept for newcomers
			m.share = newcomer / (others + 1)
		}
	}
	m.last = now
	s.advance(m, now)
	return p, m, now
}

// add makes a meter. A full shard first forgets one that owes the table nothing.
func (p *shard) add(of Subject, l Limit) *meter {
	if len(p.of) >= maxMeters/shards {
		for k, m := range p.of {
			if m.unsynced == 0 || registry[m.limit].Window <= time.Second {
				delete(p.of, k)
				break
			}
		}
	}
	m := &meter{of: of, limit: l, share: 1000, loaded: registry[l].Window <= time.Second}
	p.of[meterKey{of.Kind, of.ID, l}] = m
	return m
}

// advance brings a meter to the window of now and to the value in force.
func (s *Service) advance(m *meter, now int64) {
	if known := s.known.Load(); m.generation != known.generation || now >= m.until {
		before := m.value
		m.value, m.until = known.value(m.of, m.limit, now)
		m.generation = known.generation
		if m.value != before {
			m.told = 0
		}
		m.recap()
	}
	w := registry[m.limit].Window.Milliseconds()
	if now < m.since+w && now >= m.since {
		return
	}
	if now < m.since { // the clock went back
		m.synced, m.reached = min(m.synced, now), min(m.reached, now)
	}
	begin := now - now%w
	if w <= 1000 && begin > m.since && m.cap > 0 { // what was charged ahead is paid off, window by window
		m.used = max(0, m.used-m.paid-m.cap*(min((begin-m.since)/w, 1000)-1))
	} else {
		m.used = 0
		if m.unsynced > 0 {
			m.late, m.lateSince = m.unsynced, m.since
		}
	}
	if w > 1000 && m.since != 0 {
		m.told, m.loaded = 0, false // another process may have used some of the new window
	}
	m.since, m.unsynced, m.paid = begin, 0, 0
	m.recap()
}

// recap computes what may be used here until the next tick: this node's share of what is left. Of a second that is its
// share of the whole, since each begins anew.
func (m *meter) recap() {
	switch {
	case m.share >= 1000:
		m.cap = m.value
	case registry[m.limit].Window <= time.Second:
		m.cap = max(m.value*m.share/1000, min(m.value, 1))
	default:
		m.cap = m.used + max(m.value-m.used, 0)*m.share/1000
	}
	m.paid = max(m.paid, m.cap)
}
