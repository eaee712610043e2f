package turns

import (
	"context"
	"slices"
	"sync"

	"lampworks/internal/infra/store"
)

// A queue passes the one right to write from caller to caller, in the order in
// which they came. The zero queue is ready.
type queue struct {
	mu      sync.Mutex
	held    bool
	closed  bool
	waiting []chan struct{} // each has room for one
	idle    chan struct{}   // closed when the last holder leaves a closed queue
}

// enter waits for the right to write. If ctx ends first it gives its error and no right.
func (q *queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return store.ErrClosed
	}
	if !q.held {
		q.held = true
		q.mu.Unlock()
		return nil
	}
	turn := make(chan struct{}, 1)
	q.waiting = append(q.waiting, turn)
	q.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	if i := slices.Index(q.waiting, turn); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.mu.Unlock()
		return ctx.Err()
	}
	q.mu.Unlock()
	return nil // the right came at the same moment: it must be used or passed on
}

// pass hands the right to the next who waits. False: nobody does, and the caller still has it.
func (q *queue) pass() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return false
	}
	q.next()
	return true
}

// leave hands the right to the next, or puts it down.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		q.next()
		return
	}
	q.held = false
	if q.closed {
		close(q.idle)
	}
}

func (q *queue) next() {
	turn := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	turn <- struct{}{}
}

// close lets nobody enter any more and waits until everybody inside has left.
// Only its first call gives true.
func (q *queue) close() bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.closed = true
	held := q.held
	q.idle = make(chan struct{})
	q.mu.Unlock()
	if held {
		<-q.idle
	}
	return true
}

// length is how many wait.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
