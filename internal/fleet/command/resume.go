package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

// A Resumption is what a device is to be sent again, over its connection of an epoch: what the session it goes on with was
// sent since it began, and did not acknowledge.
type Resumption struct {
	Device string
	Since  uint64 // epoch of the first connection of the session
	Epoch  uint64 // of this one
	After  int64  // Seq of the last command that went again over this one
}

// maxNewer is how many newer sets of a device a resumption looks at. What is older than those does not go again.
const maxNewer = 1000

// Resume gives up to limit of the commands that are to go again as they went, in order, and whether more may follow them: those
// that went at QoS 1 and do no harm when they come twice, as again says. An older set of a property does not go again when a
// newer one went that will not: it would undo it. All others end as the deadline has it: nobody knows whether they were
// carried out.
func (s *Commands) Resume(ctx context.Context, r Resumption, limit int, again func(*Command) bool) (out []Command, more bool, err error) {
	s.record(ctx) // what was acknowledged is not to go again
	now := time.Now()
	goes := func(c *Command) bool { return c.QoS > 0 && c.DeadlineAt.After(now) && again(c) }
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		out, more = out[:0], false
		sent, err := query(ctx, tx, "WHERE device = ? AND seq > ? AND state = 'sent' AND fetched = 0 AND epoch >= ? AND epoch <= ? AND ended_at IS NULL ORDER BY seq LIMIT ?",
			r.Device, r.After, int64(r.Since), int64(r.Epoch), atOnce)
		if err != nil || len(sent) == 0 {
			return err
		}
		undoes, err := undoing(ctx, tx, sent, goes)
		if err != nil {
			return err
		}
		for i := range sent {
			c := &sent[i]
			if !goes(c) || undoes[c.Seq] {
				continue
			}
			if more = len(out) == limit; more {
				break
			}
			if _, err := tx.Exec(ctx, "UPDATE command SET epoch = ? WHERE seq = ? AND state = 'sent'", int64(r.Epoch), c.Seq); err != nil {
				return fmt.Errorf("giving command %s to the next session: %w", c.ID, err)
			}
			out = append(out, *c)
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("resuming the commands of device %s: %w", r.Device, err)
	}
	return out, more, nil
}

// undoing are those of the sets among sent after which another one of the same property went that does not go again itself.
func undoing(ctx context.Context, tx *store.Tx, sent []Command, goes func(*Command) bool) (map[int64]bool, error) {
	open := make(map[int64]bool, len(sent))
	for i := range sent {
		open[sent[i].Seq] = true
	}
	newer, err := query(ctx, tx, "WHERE device = ? AND seq >= ? AND kind = 'property_set' AND sent_at IS NOT NULL ORDER BY seq DESC LIMIT ?", sent[0].Device, sent[0].Seq, maxNewer)
	if err != nil {
		return nil, err
	}
	undoes, settled := make(map[int64]bool), make(map[string]bool)
	for i := range newer {
		c := &newer[i]
		sets, err := setsOf(c)
		if err != nil {
			return nil, err
		}
		for property := range sets {
			undoes[c.Seq] = undoes[c.Seq] || settled[property]
		}
		if open[c.Seq] && goes(c) && !undoes[c.Seq] {
			continue
		}
		for property := range sets {
			settled[property] = true
		}
	}
	if len(newer) == maxNewer {
		for i := range sent {
			if c := &sent[i]; c.Kind == PropertySet && c.Seq < newer[maxNewer-1].Seq {
				undoes[c.Seq] = true
			}
		}
	}
	return undoes, nil
}

// Return puts commands back of which not one byte was written to a socket, unless a connection of another epoch has them by
// now.
func (s *Commands) Return(ctx context.Context, epoch uint64, cs []Command) error {
	if len(cs) == 0 {
		return nil
	}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		for i := range cs {
			_, err := tx.Exec(ctx, "UPDATE command SET state = 'accepted', sent_at = NULL, epoch = 0, fetched = 0 WHERE seq = ? AND state = 'sent' AND epoch = ?", cs[i].Seq, int64(epoch))
			if err != nil {
				return fmt.Errorf("returning command %s: %w", cs[i].ID, err)
			}
			s.waits.name(cs[i].Device)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("returning %d commands: %w", len(cs), err)
	}
	return nil
}

// Undeliverable ends a command that the connection it was taken for cannot carry, for a reason that stands in its note.
func (s *Commands) Undeliverable(ctx context.Context, c Command, why string) error {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		c.Note = why
		if err := end(ctx, tx, &c, Drop, Undeliverable, time.Now()); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.ended(c) })
		return nil
	})
	if errors.Is(err, errMoved) {
		return nil // it has ended by other hands
	}
	return err
}
