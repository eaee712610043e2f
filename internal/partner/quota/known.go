package quota

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

// maxKnown is how many overrides are held in memory; more are refused by nobody, and rates then follow the newest.
const maxKnown = 200_000

// overrides is what rates know of the table: a copy that never changes. Another takes its place.
type overrides struct {
	generation uint64
	seq        int64
	at         int64            // when it was read, ms: what had ended by then is not in it
	of         map[place][]span // newest first
}

// place is a limit of a subject.
type place struct {
	kind, id string
	limit    Limit
}

type span struct{ value, from, until int64 } // ms; until 0: no end

// value is that of l for a subject at ms, and until when it is so without another look.
func (o *overrides) value(of Subject, l Limit, ms int64) (value, until int64) {
	until = 1 << 62
	for _, level := range of.levels() {
		if level.kind == "" {
			break
		}
		for _, s := range o.of[place{level.kind, level.id, l}] {
			switch {
			case s.from > ms:
				until = min(until, s.from)
			case s.until == 0:
				return s.value, until
			case s.until > ms:
				return s.value, min(until, s.until)
			}
		}
	}
	return registry[l].Default, until
}

// learn reads the overrides again if one has changed since.
func (s *Service) learn(ctx context.Context) error {
	old := s.known.Load()
	now := s.c.Now().UnixMilli()
	fresh := &overrides{generation: old.generation + 1, at: now, of: make(map[place][]span)}
	same := false
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		if err := v.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM quota_change").Scan(&fresh.seq); err != nil {
			return err
		}
		if same = fresh.seq == old.seq && old.of != nil && now > old.at-1000; same { // earlier: the clock went back
			return nil
		}
		rows, err := v.Query(ctx, `
			SELECT subject_kind, subject, name, value, from_at, until_at
			FROM quota_override
			WHERE lifted_at = 0 AND (until_at = 0 OR until_at > ?)
			ORDER BY id DESC
			LIMIT ?`, now, maxKnown)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p place
			var name string
			var o span
			if err := rows.Scan(&p.kind, &p.id, &name, &o.value, &o.from, &o.until); err != nil {
				return err
			}
			if p.limit, err = ParseLimit(name); err == nil { // one that a newer program knows is not ours to hold
				fresh.of[p] = append(fresh.of[p], o)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("reading overrides of limits: %w", err)
	}
	if !same {
		s.known.CompareAndSwap(old, fresh) // somebody else's is as new, or newer
	}
	return nil
}

// Value is the value of l in force for a subject now, as this process knows it.
func (s *Service) Value(of Subject, l Limit) int64 {
	value, _ := s.known.Load().value(of, l, s.c.Now().UnixMilli())
	return value
}

// keepWindows is how long the use of a window that is over is kept, to be looked at.
const keepWindows = 8 * day

// forget deletes windows that are long over.
func (s *Service) forget(ctx context.Context, now time.Time) error {
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM quota_used WHERE since > 0 AND since < ?", now.Add(-keepWindows).UnixMilli())
		if err != nil {
			return fmt.Errorf("deleting windows that are over: %w", err)
		}
		_, err = tx.Exec(ctx, "DELETE FROM quota_lease WHERE tick < ?", now.Unix()-60)
		if err != nil {
			return fmt.Errorf("deleting leases that are over: %w", err)
		}
		return nil
	})
}
