package account

import (
	"container/list"
	"hash/maphash"
	"sync"
	"time"

	"lampworks/internal/infra/access"
)

const (
	freeAttempts  = 5                // failures in a row that cost no waiting
	longestWait   = time.Minute      // between two attempts on one login from one address
	forgetAfter   = 15 * time.Minute // since the last attempt
	attemptsKept  = 16384            // pairs of login and address remembered, about 2 MB; the one unused for longest goes first
	atOnceAddress = 4                // logins of one address being checked at one time

	// All logins of one address together: so many may fail at once, and then one in each interval. Many people share an
	// address; who tries one password with many names needs more.
	addressBurst    = 100
	addressInterval = 3 * time.Second

	// What one address asks for codes: so many at once, and then one in each interval; what was used counts no more.
	askBurst    = 15
	askInterval = time.Minute

	// What one address asks for at all. More is refused, whatever the contacts are.
	hardBurst    = 100
	hardInterval = time.Second
)

// attempts slows down guessing. It counts by login and address together: whoever guesses at a name from elsewhere slows
// down nobody but themselves, and no account is ever locked. It holds what it knows in memory, bounded, and forgets it at
// a restart. An IPv6 address counts as its /64, which is what one subscriber has. Failed logins of one address count
// together, too, whatever the names: see addressBurst.
type attempts struct {
	now  func() time.Time
	seed maphash.Seed

	mu     sync.Mutex // guards the fields below
	known  map[uint64]*list.Element
	recent list.List // of *attempt, the most recently used first
	busy   map[uint64]int
}

type attempt struct {
	key      uint64
	failures int
	last     time.Time
	settled  time.Time // of an address: when all that it owes is paid off, one in each interval
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, seed: maphash.MakeSeed(), known: make(map[uint64]*list.Element), busy: make(map[uint64]int)}
}

// begin opens an attempt on login from an address. It counts as failed until done says otherwise, so that many at the
// same time gain nothing. A wait other than zero refuses it; done is nil then.
func (a *attempts) begin(login, from string) (done func(failed bool), wait time.Duration) {
	return a.open(login, from, false)
}

// beginLogin is begin of an attempt to sign in, by the key of the login: names that are spelled differently and are one
// account have one count. Logins that nobody can have count as one.
func (a *attempts) beginLogin(key, from string) (done func(failed bool), wait time.Duration) {
	return a.open("login "+key, from, true)
}

func (a *attempts) open(login, from string, spray bool) (done func(failed bool), wait time.Duration) {
	address := access.Place(from)
	key, place := maphash.Comparable(a.seed, [2]string{login, address}), maphash.String(a.seed, address)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[place] >= atOnceAddress {
		return nil, time.Second
	}
	now := a.now()
	t := a.find(key, now)
	if wait := t.last.Add(delay(t.failures)).Sub(now); wait > 0 {
		return nil, wait
	}
	if spray {
		if wait := a.find(place, now).owe(now, addressBurst, addressInterval); wait > 0 {
			return nil, wait
		}
	}
	t.failures++
	t.last = now
	a.busy[place]++
	return func(failed bool) {
		a.end(key, place, failed)
		if spray && !failed {
			a.payBack(place, addressInterval)
		}
	}, 0
}

// ask counts that an address asks for a code, whatever comes of it. A wait other than zero says that it has asked for too
// many, and the request did not count; if it is refused, the address floods.
func (a *attempts) ask(from string) (wait, refused time.Duration) {
	key, hard := a.asker(from), maphash.Comparable(a.seed, [2]string{"codes at all", access.Place(from)})
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if refused := a.find(hard, now).owe(now, hardBurst, hardInterval); refused > 0 {
		return 0, refused
	}
	return a.find(key, now).owe(now, askBurst, askInterval), 0
}

// proved gives an address back what one request for a code took: the code was shown.
func (a *attempts) proved(from string) { a.payBack(a.asker(from), askInterval) }

func (a *attempts) asker(from string) uint64 {
	return maphash.Comparable(a.seed, [2]string{"codes", access.Place(from)})
}

// owe takes one of what an address may do: so many at once, and then one in each interval. A wait other than zero: there is
// none left, and nothing was taken.
func (t *attempt) owe(now time.Time, burst int, interval time.Duration) (wait time.Duration) {
	if wait := t.settled.Add(-time.Duration(burst-1) * interval).Sub(now); wait > 0 {
		return wait
	}
	if t.settled.Before(now) {
		t.settled = now
	}
	t.settled, t.last = t.settled.Add(interval), now
	return 0
}

// payBack gives an address back what its last attempt has taken: it did not fail.
func (a *attempts) payBack(place uint64, interval time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.known[place]; ok {
		t := e.Value.(*attempt)
		t.settled = t.settled.Add(-interval)
	}
}

func (a *attempts) end(key, place uint64, failed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[place]--; a.busy[place] == 0 {
		delete(a.busy, place)
	}
	if e, ok := a.known[key]; ok && !failed {
		a.recent.Remove(e)
		delete(a.known, key)
	}
}

// find returns the entry of key, made if needed, as the most recently used one.
func (a *attempts) find(key uint64, now time.Time) *attempt {
	if e, ok := a.known[key]; ok {
		a.recent.MoveToFront(e)
		t := e.Value.(*attempt)
		if now.Sub(t.last).Abs() > forgetAfter { // before it: by another clock
			*t = attempt{key: key}
		}
		return t
	}
	if a.recent.Len() >= attemptsKept {
		oldest := a.recent.Back()
		delete(a.known, oldest.Value.(*attempt).key)
		a.recent.Remove(oldest)
	}
	t := &attempt{key: key}
	a.known[key] = a.recent.PushFront(t)
	return t
}

// delay is the wait after so many failures in a row: none, then 1, 2, 4 … 60 s.
func delay(failures int) time.Duration {
	if failures < freeAttempts {
		return 0
	}
	return min(time.Second<<min(failures-freeAttempts, 10), longestWait)
}

// whole is a wait in whole seconds, never none.
func whole(wait time.Duration) time.Duration { return (wait + time.Second - 1).Truncate(time.Second) }
