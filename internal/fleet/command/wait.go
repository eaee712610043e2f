package command

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/store"
)

// pollEvery is how long a lost wake-up can delay a waiter.
const pollEvery = 500 * time.Millisecond

// Wait returns the commands as they are once each has ended, or, with the error of ctx, as they are when ctx ends.
func (s *Commands) Wait(ctx context.Context, ids ...string) ([]Command, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	w := s.waiting.join(ids)
	defer s.waiting.leave(ids, w)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		cs, err := s.byID(context.WithoutCancel(ctx), ids)
		if err != nil || allEnded(cs) {
			return cs, err
		}
		select {
		case <-ctx.Done():
			return cs, fmt.Errorf("waiting for %d commands: %w", len(ids), ctx.Err())
		case <-poll.C:
		case <-w.woken:
		}
	}
}

func allEnded(cs []Command) bool {
	for i := range cs {
		if !cs[i].Ended() {
			return false
		}
	}
	return true
}

func (s *Commands) byID(ctx context.Context, ids []string) ([]Command, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	var cs []Command
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		cs, err = query(ctx, v, "WHERE id IN (?"+strings.Repeat(", ?", len(ids)-1)+") ORDER BY seq", args...)
		return err
	})
	return cs, err
}

// waiters are those who wait for commands to end, by the command's id.
type waiters struct {
	mu sync.Mutex
	of map[string][]*waiter
}

type waiter struct {
	woken chan struct{} // one place: a wake-up that finds it full is the same wake-up
}

func (w *waiters) join(ids []string) *waiter {
	one := &waiter{woken: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = make(map[string][]*waiter)
	}
	for _, id := range ids {
		w.of[id] = append(w.of[id], one)
	}
	return one
}

func (w *waiters) leave(ids []string, one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		list := w.of[id]
		for i := range list {
			if list[i] == one {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
		if len(list) == 0 {
			delete(w.of, id)
		} else {
			w.of[id] = list
		}
	}
}

func (w *waiters) wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.of[id] {
		select {
		case one.woken <- struct{}{}:
		default:
		}
	}
}
