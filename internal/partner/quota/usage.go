package quota

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Use is how much of a limit a subject uses now.
type Use struct {
	Limit    Limit
	Value    int64
	Used     int64
	Override string        // id of the override that gives Value; empty: the registry does
	Reset    time.Duration // until the window is over; 0: a stock
}

// Percent is the share of the limit that is used, 0 to 100 and beyond where a limit has fallen below the use.
func (u Use) Percent() int64 {
	switch {
	case u.Value > 0:
		return int64(float64(u.Used) / float64(u.Value) * 100)
	case u.Used > 0:
		return 100
	}
	return 0
}

// Usage is what a subject uses of every limit that is counted for its kind, at most a second old. A subject of another
// organisation is not found.
func (s *Service) Usage(ctx context.Context, who access.Actor, of Subject) ([]Use, error) {
	if err := who.Check(access.ReadQuota); err != nil {
		return nil, err
	}
	if !who.Sees(of.Organisation) {
		return nil, fault.NotFound(of.Kind, of.ID)
	}
	now := s.c.Now()
	var uses []Use
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		for _, l := range Limits() {
			if l.Spec().Of != of.Kind {
				continue
			}
			u := Use{Limit: l, Reset: l.left(now)}
			var err error
			if u.Value, u.Override, err = inForce(ctx, v, of, l, now); err != nil {
				return err
			}
			if l.Held() {
				uses = append(uses, u)
				continue
			}
			if u.Used, err = usedOf(ctx, v, of, l, l.window(now)); err != nil {
				return err
			}
			uses = append(uses, u)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what %s %s uses: %w", of.Kind, of.ID, err)
	}
	for i := range uses {
		uses[i].Used += s.unwritten(of, uses[i].Limit, uses[i].Limit.window(now))
	}
	return uses, nil
}

// unwritten is what was used in a window and is not in the table.
func (s *Service) unwritten(of Subject, l Limit, since int64) int64 {
	switch {
	case l.Held() && s.c.Holds != nil:
		return s.c.Holds(of, l)
	case registry[l].Window == 0:
		return 0
	}
	p := s.meter.shard(of.ID, l)
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.of[meterKey{of.Kind, of.ID, l}]
	if m == nil || m.since != since {
		return 0
	}
	if registry[l].Window <= time.Second {
		return m.used
	}
	return m.unsynced
}

// Erase deletes what is kept of a subject and of what belongs to an organisation; more says that another call is needed.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	for _, q := range []struct {
		statement string
		args      []any
	}{
		{"DELETE FROM quota_used WHERE subject_kind = ? AND subject = ?", []any{kind, id}},
		{"DELETE FROM quota_lease WHERE subject_kind = ? AND subject = ?", []any{kind, id}},
		{"DELETE FROM quota_override WHERE subject_kind = ? AND subject = ?", []any{kind, id}},
		{"DELETE FROM quota_notice WHERE id IN (SELECT id FROM quota_notice WHERE subject_kind = ? AND subject = ? LIMIT ?)", []any{kind, id, limit}},
		{"DELETE FROM quota_override WHERE id IN (SELECT id FROM quota_override WHERE organisation = ? LIMIT ?)", []any{own(kind, id), limit}},
		{"DELETE FROM quota_notice WHERE id IN (SELECT id FROM quota_notice WHERE organisation = ? LIMIT ?)", []any{own(kind, id), limit}},
	} {
		r, err := tx.Exec(ctx, q.statement, q.args...)
		if err != nil {
			return false, fmt.Errorf("erasing limits of %s %s: %w", kind, id, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO quota_change (at) VALUES (?)", s.c.Now().UnixMilli()); err != nil {
		return false, fmt.Errorf("noting erased limits: %w", err)
	}
	tx.AfterCommit(func() { s.meter.forget(kind, id) }) // what they owe would be written behind the deletion
	return more, nil
}

// own is the organisation that a subject of this kind is; "-", which none is, for other kinds.
func own(kind, id string) string {
	if kind == KindOrganisation {
		return id
	}
	return "-"
}

// Holds counts what is kept of a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var n int64
	err := q.QueryRow(ctx, `
		SELECT (SELECT COUNT(*) FROM quota_used WHERE subject_kind = ? AND subject = ?)
			+ (SELECT COUNT(*) FROM quota_lease WHERE subject_kind = ? AND subject = ?)
			+ (SELECT COUNT(*) FROM quota_override WHERE subject_kind = ? AND subject = ?)
			+ (SELECT COUNT(*) FROM quota_override WHERE organisation = ?)
			+ (SELECT COUNT(*) FROM quota_notice WHERE organisation = ?)`,
		kind, id, kind, id, kind, id, own(kind, id), own(kind, id)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting limits of %s %s: %w", kind, id, err)
	}
	return n, nil
}
