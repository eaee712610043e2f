package timeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/infra/store"
)

// Bounds of how the ends of commands are found.
const (
	maxEnded   = 10_000      // events that wait to be looked at; what is beyond the next sweep finds
	sweepEvery = time.Minute // how late a lost event can make an answer
	endsAtOnce = 500
)

// ended notes that a command may have ended.
func (s *Service) ended(_ string, id []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ends) < maxEnded {
		s.ends = append(s.ends, string(id))
	}
}

func (s *Service) takeEnded() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.ends
	s.ends = nil
	return ids
}

// readEnds writes down how those of some commands ended that have.
func (s *Service) readEnds(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), endsAtOnce)
		if err := s.readSomeEnds(ctx, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func (s *Service) readSomeEnds(ctx context.Context, ids []string) error {
	var found map[string]command.Command
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		found, err = command.Look(ctx, v, ids)
		return err
	})
	if err != nil {
		return err
	}
	var over []string
	for _, id := range ids {
		if c, ok := found[id]; !ok || !c.EndedAt.IsZero() {
			over = append(over, id)
		}
	}
	if len(over) == 0 {
		return nil
	}
	w := newWriting()
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		w.reset()
		for _, id := range over {
			told, err := tx.Exec(ctx, "DELETE FROM timeline_open WHERE command = ?", id)
			if err != nil {
				return fmt.Errorf("closing command %s in timelines: %w", id, err)
			}
			n, err := told.RowsAffected()
			if err != nil {
				return err
			}
			c, ok := found[id]
			if n == 0 || !ok { // told before, or its row is gone
				continue
			}
			if err := w.answer(ctx, tx, &c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.written(ctx, w)
	return nil
}

// sweep finds the ends of which no event came.
func (s *Service) sweep(ctx context.Context) error {
	for after := ""; ; {
		ids, err := s.open(ctx, after)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.readSomeEnds(ctx, ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// open lists commands whose end is not told of, by their ids.
func (s *Service) open(ctx context.Context, after string) (ids []string, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT command FROM timeline_open WHERE command > ? ORDER BY command LIMIT ?", after, endsAtOnce)
		if err != nil {
			return err
		}
		defer rows.Close()
		ids = nil
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the open commands of timelines: %w", err)
	}
	return ids, nil
}

// told writes down that a command was given, and how it ended if it has.
func (w *writing) told(ctx context.Context, tx *store.Tx, c *command.Command) error {
	if err := w.entry(ctx, tx, &Entry{Device: c.Device, At: c.CreatedAt, Kind: Commanded, What: named(c), Command: c.ID}); err != nil {
		return err
	}
	if !c.EndedAt.IsZero() {
		return w.answer(ctx, tx, c)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO timeline_open (command, device) VALUES (?, ?)", c.ID, c.Device); err != nil {
		return fmt.Errorf("noting command %s in timelines: %w", c.ID, err)
	}
	return nil
}

func (w *writing) answer(ctx context.Context, tx *store.Tx, c *command.Command) error {
	why := strings.TrimSpace(string(c.State) + " " + string(c.Reason) + " " + c.Note)
	return w.entry(ctx, tx, &Entry{Device: c.Device, At: c.EndedAt, Kind: Answered, What: named(c), Why: why, Command: c.ID})
}
