package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/store"
)

// ErrRefused is what a sender wraps when trying again makes no sense: the address does not exist.
var ErrRefused = errors.New("refused for good")

const (
	lookEvery   = 10 * time.Second // a wake-up may be lost
	firstPause  = time.Second      // after what came of a message could not be noted; it doubles
	longestStop = time.Minute
)

// Run hands messages over until ctx ends. Each kind has a relay of its own: a dead mail server delays no text message. A
// message that was being handed over when the program ended is handed over again.
func (o *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for kind, s := range o.senders {
		wg.Go(func() { o.relay(ctx, kind, s) })
	}
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := o.sweep(ctx); err != nil && ctx.Err() == nil {
			o.log.LogAttrs(ctx, slog.LevelWarn, "ended messages not removed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// relay hands the messages of a kind over. While what came of them cannot be noted, as on a full disk or with the database
// away, it remembers that and hands over nothing twice; it tries to note it again with growing pauses.
func (o *Outbox) relay(ctx context.Context, kind string, s Sender) {
	var open map[string]*outcome // by message: not noted; at most atOnce
	var wait time.Duration
	for ctx.Err() == nil {
		due, err := o.due(ctx, kind)
		if err != nil && ctx.Err() == nil {
			o.log.LogAttrs(ctx, slog.LevelWarn, "outbox not read", slog.String("kind", kind), slog.Any("error", err))
		}
		var wg sync.WaitGroup
		left := make([]*outcome, len(due))
		for i, w := range due {
			before := open[w.id]
			wg.Go(func() { left[i] = o.hand(ctx, s, w, before) })
		}
		wg.Wait()
		open = make(map[string]*outcome)
		for i, w := range due {
			if left[i] != nil {
				open[w.id] = left[i]
			}
		}
		if len(open) > 0 {
			wait = min(max(2*wait, firstPause), longestStop)
			stop(ctx, wait)
			continue
		}
		wait = 0
		if len(due) < atOnce {
			o.rest(ctx, kind)
		}
	}
}

// rest waits for a wake-up, for the next message that is due, or for a while.
func (o *Outbox) rest(ctx context.Context, kind string) {
	wait := lookEvery
	_ = o.store.Read(ctx, func(v *store.View) error { // an error shows in due
		var next sql.NullInt64
		err := v.QueryRow(ctx, "SELECT MIN(due_at) FROM outbox_message WHERE state = 'waiting' AND kind = ?", kind).Scan(&next)
		if err == nil && next.Valid {
			wait = min(wait, max(time.UnixMilli(next.Int64).Sub(o.now()), 10*time.Millisecond))
		}
		return err
	})
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-o.wake[kind]:
	case <-t.C:
	case <-ctx.Done():
	}
}

func stop(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// outcome is what came of a try to hand a message over: nil is that it was.
type outcome struct{ failed error }

// waiting is a message that is due.
type waiting struct {
	id      string
	message Message
	expires int64
	tries   int
}

// due reads the messages whose time has come, the oldest first.
func (o *Outbox) due(ctx context.Context, kind string) (all []waiting, err error) {
	err = o.store.Read(ctx, func(v *store.View) error {
		all = nil
		// No message waits longer than this: one that does was noted by a clock that ran ahead.
		now := o.now()
		rows, err := v.Query(ctx, dueSQL, kind, now.UnixMilli(), now.Add(2*longestTry).UnixMilli(), atOnce)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			w := waiting{message: Message{Kind: kind}}
			m := &w.message
			if err := rows.Scan(&w.id, &m.To, &m.Subject, &m.Body, &m.Organisation, &w.expires, &w.tries); err != nil {
				return err
			}
			all = append(all, w)
		}
		return rows.Err()
	})
	return all, err
}

// hand tries to hand a message over and notes what came of it, or only notes what came of the try before. It gives back what
// could not be noted.
func (o *Outbox) hand(ctx context.Context, s Sender, w waiting, before *outcome) (left *outcome) {
	out := before
	if out == nil {
		out = &outcome{o.attempt(ctx, s, w)}
		if out.failed != nil && ctx.Err() != nil {
			return nil // the program ends: it is tried again
		}
	}
	if err := o.note(store.Urgent(context.WithoutCancel(ctx)), w, out.failed); err != nil {
		o.log.LogAttrs(ctx, slog.LevelWarn, "the end of a message was not noted", slog.String("message", w.id), slog.Any("error", err))
		return out
	}
	return nil
}

// attempt hands a message over, if it is of use still.
func (o *Outbox) attempt(ctx context.Context, s Sender, w waiting) error {
	if o.now().UnixMilli() < w.expires {
		return o.send(ctx, s, w)
	}
	return fmt.Errorf("%w: it was of no use any more before it could be handed over", ErrRefused)
}

func (o *Outbox) send(ctx context.Context, s Sender, w waiting) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	return s.Send(ctx, w.message)
}

// note writes what came of a try.
func (o *Outbox) note(ctx context.Context, w waiting, failed error) error {
	now, tries := o.now(), w.tries+1
	state, ended, due, text := "sent", now.UnixMilli(), now.UnixMilli(), ""
	if failed != nil {
		text = cut(strings.ReplaceAll(failed.Error(), w.message.To, "[recipient]"))
		state = "dead"
		if again := now.Add(pause(tries)); !errors.Is(failed, ErrRefused) && tries < maxTries && again.UnixMilli() < w.expires {
			state, ended, due = "waiting", 0, again.UnixMilli()
		}
	}
	err := o.store.Write(ctx, func(tx *store.Tx) error {
		if state == "waiting" {
			_, err := tx.Exec(ctx, "UPDATE outbox_message SET tries = ?, due_at = ?, error = ? WHERE id = ? AND state = 'waiting'", tries, due, text, w.id)
			return err
		}
		_, err := tx.Exec(ctx, endSQL, tries, state, ended, text, w.id)
		return err
	})
	if state == "dead" && err == nil {
		o.log.LogAttrs(ctx, slog.LevelWarn, "a message was given up", slog.String("message", w.id), slog.String("kind", w.message.Kind), slog.Int("tries", tries), slog.String("error", text))
	}
	return err
}

// pause is the wait after so many tries: 5 s, doubling up to an hour.
func pause(tries int) time.Duration {
	return min(firstWait<<min(tries-1, 20), longestTry)
}

// sweep removes what ended long ago.
func (o *Outbox) sweep(ctx context.Context) error {
	for {
		var n int64
		err := o.store.Write(ctx, func(tx *store.Tx) error {
			res, err := tx.Exec(ctx, sweepSQL, o.now().Add(-keepEnded).UnixMilli())
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func cut(s string) string {
	const most = 500 // bytes of an error that are kept
	if len(s) > most {
		return s[:most]
	}
	return s
}
