// Package inproc is the bus within one program.
//
// It owns the queues of its subscribers and promises what package bus promises.
// An idle subscriber costs no goroutine: one runs only while events wait.
package inproc

import (
	"strings"
	"sync"
	"sync/atomic"

	"lampworks/internal/infra/bus"
)

// Bounds of one subscriber's queue. Beyond either the oldest events are dropped.
const (
	maxEvents = 1024
	maxBytes  = 4 << 20
)

// A Bus is ready after [New].
type Bus struct {
	dropped atomic.Uint64
	running sync.WaitGroup // goroutines that deliver

	mu       sync.RWMutex // guards what follows
	exact    map[string][]*subscriber
	prefixes map[string][]*subscriber // "command" for "command.>"
	closed   bool
}

var _ bus.Bus = (*Bus)(nil)

// New gives an empty bus. Close it.
func New() *Bus {
	return &Bus{exact: make(map[string][]*subscriber), prefixes: make(map[string][]*subscriber)}
}

// Publish hands payload to the subscribers of subject and returns at once.
func (b *Bus) Publish(subject string, payload []byte) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return
	}
	for _, s := range b.exact[subject] {
		s.push(event{subject, payload})
	}
	if len(b.prefixes) == 0 {
		return
	}
	for i := range len(subject) {
		if subject[i] == '.' {
			for _, s := range b.prefixes[subject[:i]] {
				s.push(event{subject, payload})
			}
		}
	}
}

// Subscribe calls handle for every event on subject until cancel.
func (b *Bus) Subscribe(subject string, handle func(subject string, payload []byte)) (cancel func()) {
	if err := bus.Valid(subject); err != nil {
		panic("bus: " + err.Error())
	}
	s := &subscriber{bus: b, handle: handle}
	table, key := b.exact, subject
	if prefix, ok := strings.CutSuffix(subject, ".>"); ok {
		table, key = b.prefixes, prefix
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	table[key] = append(table[key][:len(table[key]):len(table[key])], s)
	return func() {
		s.stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		rest := make([]*subscriber, 0, len(table[key]))
		for _, o := range table[key] {
			if o != s {
				rest = append(rest, o)
			}
		}
		if table[key] = rest; len(rest) == 0 {
			delete(table, key)
		}
	}
}

// Dropped is how many events were lost because a subscriber was slow.
func (b *Bus) Dropped() uint64 { return b.dropped.Load() }

// Close stops all subscribers and waits for handlers that run. It must not be called by one.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	for _, table := range []map[string][]*subscriber{b.exact, b.prefixes} {
		for _, all := range table {
			for _, s := range all {
				s.stop()
			}
		}
	}
	b.mu.Unlock()
	b.running.Wait()
	return nil
}

type event struct {
	subject string
	payload []byte
}

// A subscriber is one handler and the events that wait for it.
type subscriber struct {
	bus    *Bus
	handle func(subject string, payload []byte)

	mu      sync.Mutex // guards what follows; taken after Bus.mu, nothing is called under it
	events  []event    // a ring: the oldest is at first
	first   int
	count   int
	bytes   int
	running bool
	stopped bool
}

// push queues e, drops the oldest while there is no room, and sees to it that somebody delivers.
func (s *subscriber) push(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	for s.count > 0 && (s.count == maxEvents || s.bytes+len(e.payload) > maxBytes) {
		s.pop()
		s.bus.dropped.Add(1)
	}
	if s.count == len(s.events) {
		s.grow()
	}
	s.events[(s.first+s.count)%len(s.events)] = e
	s.count++
	s.bytes += len(e.payload)
	if !s.running {
		s.running = true
		s.bus.running.Go(s.deliver)
	}
}

func (s *subscriber) grow() {
	wider := make([]event, max(4, 2*len(s.events)))
	for i := range s.count {
		wider[i] = s.events[(s.first+i)%len(s.events)]
	}
	s.events, s.first = wider, 0
}

// pop takes the oldest event out. There is one.
func (s *subscriber) pop() event {
	e := s.events[s.first]
	s.events[s.first] = event{}
	s.first = (s.first + 1) % len(s.events)
	s.count--
	s.bytes -= len(e.payload)
	return e
}

// deliver calls the handler until nothing waits.
func (s *subscriber) deliver() {
	for {
		s.mu.Lock()
		if s.count == 0 { // also after stop, which empties the queue
			s.running = false
			if len(s.events) > 64 {
				s.events, s.first = nil, 0
			}
			s.mu.Unlock()
			return
		}
		e := s.pop()
		s.mu.Unlock()
		s.handle(e.subject, e.payload)
	}
}

func (s *subscriber) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.events, s.first, s.count, s.bytes = nil, 0, 0, 0
}
