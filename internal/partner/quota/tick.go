package quota

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

const (
	writeRows  = 500              // meters of one transaction
	writeLate  = 60 * time.Second // a little use of a window is written after so long at the latest
	idle       = 2 * time.Minute  // a meter that nobody uses is forgotten after so long
	alive      = 3                // seconds without a word after which a node has no share any more
	reachedGap = time.Hour        // a used up rate of seconds is told of once in so long
	newcomer   = 50               // thousandths of a rate that are kept for nodes which nobody has asked yet
)

// owed is what a meter brings to a tick, copied under its lock.
type owed struct {
	key      meterKey
	of       Subject
	since    int64
	delta    int64 // to be added to the table; of a window longer than a second
	table    bool  // the window's row is read, and written
	demand   int64
	shared   bool // its rate is parted among nodes
	value    int64
	told     int64
	tellFull bool // a used up rate of seconds is news
	over     bool // its window is over: nothing comes back
}

// Tick does what Run does once a second: it learns of overrides, writes what was used, parts rates among the nodes, and
// hands notices on. Tests call it instead of Run.
func (s *Service) Tick(ctx context.Context) error {
	errs := []error{s.learn(ctx)}
	now := s.c.Now()
	others, err := s.nodes(ctx, now)
	errs = append(errs, err)
	due := s.collect(now.UnixMilli())
	for len(due) > 0 {
		n := min(len(due), writeRows)
		errs = append(errs, s.settle(ctx, due[:n], others, now))
		due = due[n:]
	}
	errs = append(errs, s.handOn(ctx))
	if now.Unix()%3600 == 0 {
		errs = append(errs, s.forget(ctx, now))
	}
	return errors.Join(errs...)
}

// nodes says how many other nodes live, and that this one does.
func (s *Service) nodes(ctx context.Context, now time.Time) (others int64, err error) {
	if !s.c.Shared {
		return 0, nil
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO quota_node (node, tick) VALUES (?, ?)
			ON CONFLICT (node) DO UPDATE SET tick = excluded.tick`, s.node, now.Unix())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM quota_node WHERE tick < ?", now.Unix()-10*alive); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM quota_node WHERE node <> ? AND tick >= ?", s.node, now.Unix()-alive).Scan(&others)
	})
	if err != nil {
		return s.others.Load(), fmt.Errorf("finding the other nodes: %w", err)
	}
	s.others.Store(others)
	return others, nil
}

// collect lists the meters that have something to write or to learn, and forgets those that nobody uses.
func (s *Service) collect(now int64) []owed {
	var due []owed
	for i := range s.meter.parts {
		p := &s.meter.parts[i]
		p.mu.Lock()
		for key, m := range p.of {
			if m.late > 0 {
				due = append(due, owed{key: key, of: m.of, since: m.lateSince, delta: m.late, table: true, value: m.value, over: true})
				m.late = 0
			}
			o, drop := s.owes(m, now)
			if drop {
				delete(p.of, key)
			}
			if o.table || o.shared || o.tellFull {
				o.key = key
				due = append(due, o)
			}
		}
		p.mu.Unlock()
	}
	return due
}

func (s *Service) owes(m *meter, now int64) (o owed, drop bool) {
	long := registry[m.limit].Window > time.Second
	passed := now >= m.since+registry[m.limit].Window.Milliseconds()
	m.demand, m.asked = m.asked, 0
	o = owed{of: m.of, since: m.since, value: m.value, told: m.told, demand: m.demand}
	o.shared = s.c.Shared && m.of.Kind != KindDevice && now-m.last < 2*int64(alive)*1000 // a device has one session, on one node
	drop = now-m.last > idle.Milliseconds()
	if long {
		enough := m.unsynced*100 >= m.value || m.of.Kind == KindOrganisation || now-m.synced >= writeLate.Milliseconds()
		o.table = !m.loaded || m.unsynced > 0 && (enough || drop || passed || o.shared)
		if o.table {
			o.delta, m.unsynced, m.synced = m.unsynced, 0, now
		}
	} else if m.refused && now-m.reached >= reachedGap.Milliseconds() {
		o.tellFull, m.reached = true, now
	}
	m.refused = false
	return o, drop
}

// settle writes what a few meters owe and gives them what others used. If it fails they owe it still.
func (s *Service) settle(ctx context.Context, due []owed, others int64, now time.Time) error {
	total := make([]int64, len(due))
	share := make([]int64, len(due))
	told := make([]int64, len(due))
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		for i := range due {
			o := &due[i]
			var err error
			if o.table {
				if total[i], told[i], err = o.write(ctx, tx, now); err != nil {
					return err
				}
			}
			if o.shared {
				if share[i], err = s.part(ctx, tx, o, others, now); err != nil {
					return err
				}
			}
			if o.tellFull {
				err = note(ctx, tx, Notice{Organisation: o.of.Organisation, Subject: o.of, Limit: o.key.limit, Kind: Reached, Percent: lastNotice, Used: o.value, Value: o.value, At: now})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	for i := range due {
		s.settled(&due[i], total[i], share[i], told[i], err)
	}
	if err != nil {
		return fmt.Errorf("writing what was used: %w", err)
	}
	return nil
}

// write adds what is owed to the row of the window, and reads what all used.
func (o *owed) write(ctx context.Context, tx *store.Tx, now time.Time) (used, told int64, err error) {
	name := o.key.limit.String()
	if o.delta == 0 {
		err := tx.QueryRow(ctx, "SELECT used, told FROM quota_used WHERE subject_kind = ? AND subject = ? AND name = ? AND since = ?",
			o.of.Kind, o.of.ID, name, o.since).Scan(&used, &told)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return used, told, err
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
		VALUES (?, ?, ?, ?, ?, 0)
		ON CONFLICT (subject_kind, subject, name, since)
		DO UPDATE SET used = quota_used.used + excluded.used
		RETURNING used, told`, o.of.Kind, o.of.ID, name, o.since, o.delta).Scan(&used, &told)
	if err != nil {
		return 0, 0, err
	}
	if err := tell(ctx, tx, o.of, o.key.limit, o.since, used, o.value, told, now); err != nil {
		return 0, 0, err
	}
	return used, max(told, step(used, o.value)), nil
}

// part is this node's share of a rate, in thousandths: as much as it was asked for, of what all were asked for, with a
// little kept for those that were not asked yet.
func (s *Service) part(ctx context.Context, tx *store.Tx, o *owed, others int64, now time.Time) (int64, error) {
	name := o.key.limit.String()
	_, err := tx.Exec(ctx, `
		INSERT INTO quota_lease (node, subject_kind, subject, name, tick, demand)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (subject_kind, subject, name, node)
		DO UPDATE SET tick = excluded.tick, demand = excluded.demand`, s.node, o.of.Kind, o.of.ID, name, now.Unix(), o.demand)
	if err != nil {
		return 0, err
	}
	if others == 0 {
		return 1000, nil
	}
	var theirs int64
	err = tx.QueryRow(ctx, `
		SELECT COALESCE(SUM(demand), 0)
		FROM quota_lease
		WHERE subject_kind = ? AND subject = ? AND name = ? AND node <> ? AND tick >= ?`,
		o.of.Kind, o.of.ID, name, s.node, now.Unix()-alive).Scan(&theirs)
	if err != nil {
		return 0, err
	}
	kept := newcomer / (others + 1)
	if o.demand+theirs == 0 {
		return 1000 / (others + 1), nil
	}
	return kept + (1000-newcomer)*o.demand/(o.demand+theirs), nil
}

// settled gives a meter what its tick brought, unless its window is over meanwhile.
func (s *Service) settled(o *owed, total, share, told int64, err error) {
	p := s.meter.shard(o.key.id, o.key.limit)
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.of[o.key]
	if m == nil {
		return
	}
	if o.over {
		if err != nil {
			m.late, m.lateSince = m.late+o.delta, o.since
		}
		return
	}
	if err != nil {
		if m.since == o.since {
			m.unsynced += o.delta
		}
		return
	}
	if o.table && m.since == o.since {
		m.used, m.loaded = total+m.unsynced, true
		m.told = max(m.told, told)
	}
	if o.shared {
		m.share = share
	} else {
		m.share = 1000
	}
	m.recap()
}
