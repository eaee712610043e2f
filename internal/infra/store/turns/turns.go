// Package turns lets writers take turns on one connection and share commits (group commit).
//
// It owns the right to write of one open database and knows nothing of which database that is: both adapters of package
// store stand on it. It promises:
//   - functions run one after the other, each between a mark of its own and its end, in the order in which they came;
//   - one that fails, panics or exits its goroutine is undone alone;
//   - who wrote hears of the commit that holds its writing, and nobody is left without an answer;
//   - what waits shares the next commit: a group ends when nobody waits, or at its bounds.
package turns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"
)

// A Transaction is the one writing connection of an adapter, used by who holds the right to write only.
type Transaction interface {
	// Begin opens the transaction that a group shares.
	Begin() error
	// Mark notes where one member begins. Before the first there is nothing that its end could have to leave.
	Mark(first bool) error
	// End keeps or undoes what was done since the mark. Not open: the transaction was undone with it. An error means that
	// the whole transaction is gone, or must go.
	End(keep bool) (open bool, err error)
	// Commit ends the transaction. After an error nothing of it is there, unless the error says otherwise.
	Commit() error
	// Abandon ends a transaction that is lost, as well as it can.
	Abandon()
}

// Options bound a group.
type Options struct {
	MaxGroup int           // most writes that share one commit
	MaxHold  time.Duration // longest time a group stays open
	Slow     time.Duration // a function that writes for longer is warned of
	Logger   *slog.Logger
}

// Turns is the right to write.
type Turns struct {
	options Options
	tx      Transaction
	queue   queue
	group   group // touched only by who holds the right to write
}

// A group is the writes that wait for one commit.
type group struct {
	open    bool
	since   time.Time
	members []chan error
}

// New gives the right to write by tx.
func New(tx Transaction, o Options) *Turns { return &Turns{options: o, tx: tx} }

// Write runs fn in its turn and returns after the commit that holds what it did. If ctx ends before, fn does not run.
func (t *Turns) Write(ctx context.Context, fn func() error) error {
	if err := t.queue.enter(ctx); err != nil {
		return err
	}
	answer := make(chan error, 1)
	joined, err := t.run(ctx, fn, answer)
	if joined {
		err = <-answer
	}
	return err
}

// Close lets the writes that wait finish and nobody begin any more. Only its first call gives true.
func (t *Turns) Close() bool { return t.queue.close() }

// Waiting is how many wait for the right to write.
func (t *Turns) Waiting() int { return t.queue.length() }

// run carries fn out behind a mark. When it returns, or fn panics or exits its
// goroutine, the right to write has gone on. Joined means that answer will tell of the commit.
func (t *Turns) run(ctx context.Context, fn func() error, answer chan error) (joined bool, err error) {
	if err := ctx.Err(); err != nil {
		t.settle()
		return false, err
	}
	if err := t.begin(); err != nil {
		t.settle()
		return false, err
	}
	kept := false
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > t.options.Slow {
			t.options.Logger.LogAttrs(ctx, slog.LevelWarn, "a write kept all others waiting", slog.Duration("took", took))
		}
		open, err2 := t.tx.End(kept)
		switch {
		case err2 == nil && !open && len(t.group.members) > 0: // no adapter does
			err2 = errors.New("the transaction ended within it")
			t.fail(err2)
			joined, err = false, err2
		case err2 != nil: // the whole group is lost
			t.fail(err2)
			joined, err = false, err2
		case kept:
			t.group.members = append(t.group.members, answer)
			joined = true
		default:
			t.group.open = open
		}
		t.settle()
	}()
	if err := fn(); err != nil {
		return false, err
	}
	kept = true
	return true, nil
}

// begin opens the group if there is none, and marks where its next member begins.
func (t *Turns) begin() error {
	if !t.group.open {
		if err := t.tx.Begin(); err != nil {
			return err
		}
		t.group.open, t.group.since = true, time.Now()
	}
	return t.tx.Mark(len(t.group.members) == 0)
}

// settle passes the right to write on, with the group still open if somebody may
// join it, else after the commit.
func (t *Turns) settle() {
	g := &t.group
	if len(g.members) < t.options.MaxGroup && (!g.open || time.Since(g.since) < t.options.MaxHold) {
		if len(g.members) > 0 {
			runtime.Gosched() // those who are about to come share this commit
		}
		if t.queue.pass() {
			return
		}
	}
	t.commit()
	t.queue.leave()
}

// commit ends the group and tells its members.
func (t *Turns) commit() {
	if !t.group.open {
		return
	}
	err := t.tx.Commit()
	if err != nil {
		t.tx.Abandon()
		err = fmt.Errorf("committing: %w", err)
	}
	t.answer(err)
}

// fail ends a group whose transaction is lost.
func (t *Turns) fail(err error) {
	t.tx.Abandon()
	t.answer(fmt.Errorf("another write of the same transaction ended it: %w", err))
}

func (t *Turns) answer(err error) {
	for _, m := range t.group.members {
		m <- err
	}
	clear(t.group.members)
	t.group.members = t.group.members[:0]
	t.group.open = false
}
