package issuance

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

const (
	// windowAfter is how long a secret stays good, unless a device logs in, once a later one was handed out.
	windowAfter = 30 * 24 * time.Hour

	// maxWindows is how many generations of an order are good at once: so many secrets a login may try.
	maxWindows = 16

	orderMark = "order/" // begins the names of the marks that hold the newest generation of an order
)

// A Standing says which secrets of one address are in force.
type Standing struct {
	Generations []uint32 // the newest first; at most 16, and none if all were revoked
	Fixed       bool     // a device has logged in with the only one
	Lost        bool     // a device had logged in with one that was revoked since: its session may not go on

	lowest uint32 // those before it were revoked for this address alone; 0: none was
}

// InForce tells which generations of an address of an issued order a device may log in with. Until the first login they are
// all that were handed out and have not ended; from then on it is that one.
func InForce(ctx context.Context, q store.Querier, order string, mac triple.MAC, now time.Time) (Standing, error) {
	var h Held
	err := q.QueryRow(ctx, inForceSQL, now.UnixMilli(), order, mac.Uint64()).Scan(h.Dest()...)
	if err != nil {
		return Standing{}, fmt.Errorf("reading the secrets of %s: %w", mac, err)
	}
	return h.Standing()
}

const inForceSQL = "SELECT " + HeldColumns + " FROM (SELECT CAST(? AS TEXT) AS batch) d " + HeldJoin

// HeldColumns and HeldJoin are for a query of a room above that asks for more of a device, d, than [InForce] tells, of which
// d.batch is the order. They take the time, in milliseconds, and the address; [Held.Dest] takes what they give.
const (
	HeldColumns = `COALESCE(k.generation, 0), COALESCE(k.lowest, 0), (
		SELECT string_agg(CAST(w.generation AS TEXT), ' ')
		FROM (
			SELECT g.generation
			FROM issuance_generation g
			WHERE g.batch = d.batch AND g.generation >= COALESCE(k.lowest, 0) AND g.revoked_at IS NULL
				AND (g.until IS NULL OR g.until > ? OR g.generation = k.generation)
			ORDER BY g.generation DESC
			LIMIT 17
		) w)`
	HeldJoin = "LEFT JOIN issuance_secret k ON k.batch = d.batch AND k.mac = ?"
)

// Held is what the columns of [HeldColumns] say.
type Held struct {
	generation, lowest uint32
	open               sql.NullString
}

// Dest is where the columns go.
func (h *Held) Dest() []any { return []any{&h.generation, &h.lowest, &h.open} }

// Standing is what follows from them.
func (h *Held) Standing() (Standing, error) {
	open := make([]uint32, 0, 1)
	for word := range strings.FieldsSeq(h.open.String) {
		g, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return Standing{}, fmt.Errorf("reading generations: %w", err)
		}
		open = append(open, uint32(g))
	}
	slices.SortFunc(open, func(a, b uint32) int { return cmp.Compare(b, a) })
	if h.generation >= max(h.lowest, 1) && slices.Contains(open, h.generation) {
		return Standing{Generations: []uint32{h.generation}, Fixed: true, lowest: h.lowest}, nil
	}
	return Standing{Generations: open, Lost: h.generation > 0, lowest: h.lowest}, nil
}

// windows are the generations of an order whose time is not over, one more than may be at most.
func windows(ctx context.Context, q store.Querier, order string, now time.Time) (open []uint32, err error) {
	rows, err := q.Query(ctx, windowsSQL, order, now.UnixMilli(), maxWindows+1)
	if err != nil {
		return nil, fmt.Errorf("reading the generations of order %s: %w", order, err)
	}
	defer rows.Close()
	for rows.Next() {
		var g uint32
		if err := rows.Scan(&g); err != nil {
			return nil, fmt.Errorf("reading the generations of order %s: %w", order, err)
		}
		open = append(open, g)
	}
	return open, rows.Err()
}

const windowsSQL = `
	SELECT generation
	FROM issuance_generation
	WHERE batch = ? AND revoked_at IS NULL AND (until IS NULL OR until > ?)
	ORDER BY generation DESC
	LIMIT ?`

// Fix writes down that a device has logged in with a generation: from this transaction on it is the only one. It refuses one
// that is not in force. A login with the one that is fixed changes nothing.
func Fix(ctx context.Context, tx *store.Tx, order string, mac triple.MAC, generation uint32, now time.Time) error {
	standing, err := InForce(ctx, tx, order, mac, now)
	if err != nil {
		return err
	}
	if !slices.Contains(standing.Generations, generation) {
		return fault.Conflict("device", "the secret is not in force any more")
	}
	if standing.Fixed {
		return nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO issuance_secret (batch, mac, generation, newest, lowest, fixed_at)
		VALUES (?, ?, ?, (SELECT generation FROM issuance_order WHERE id = ?), 0, ?)
		ON CONFLICT (batch, mac) DO UPDATE SET generation = excluded.generation, newest = excluded.newest, fixed_at = excluded.fixed_at`,
		order, mac.Uint64(), generation, order, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("fixing the secret of %s: %w", mac, err)
	}
	return nil
}

// A triple is left out of a download if a device had logged in with it when the download was granted, and its secret was not
// revoked since. So the answer is the same as long as nothing of the order is revoked; and then its open downloads end.
const leftOutSQL = `
	FROM issuance_secret k
	JOIN issuance_generation w ON w.batch = k.batch AND w.generation = k.generation
	WHERE k.batch = ? AND k.generation > 0 AND k.generation >= k.lowest AND k.newest < ? AND w.revoked_at IS NULL`

// countLeftOut counts what a download of a generation leaves out.
func countLeftOut(ctx context.Context, q store.Querier, order string, generation uint32) (n int, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) "+leftOutSQL, order, generation).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what was activated of order %s: %w", order, err)
	}
	return n, nil
}

// leftOut lists what a download of a generation leaves out between two addresses.
func leftOut(ctx context.Context, q store.Querier, order string, generation uint32, first, last uint64) (map[uint64]bool, error) {
	rows, err := q.Query(ctx, "SELECT k.mac "+leftOutSQL+" AND k.mac BETWEEN ? AND ?", order, generation, first, last)
	if err != nil {
		return nil, fmt.Errorf("reading what was activated of order %s: %w", order, err)
	}
	defer rows.Close()
	out := make(map[uint64]bool)
	for rows.Next() {
		var mac uint64
		if err := rows.Scan(&mac); err != nil {
			return nil, fmt.Errorf("reading what was activated of order %s: %w", order, err)
		}
		out[mac] = true
	}
	return out, rows.Err()
}

// openGeneration makes a generation the newest of an order and gives those before it their end.
func (s *Service) openGeneration(ctx context.Context, tx *store.Tx, order string, generation uint32, download string) error {
	now := s.now()
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE issuance_generation SET until = ? WHERE batch = ? AND generation < ? AND until IS NULL", []any{now.Add(windowAfter).UnixMilli(), order, generation}},
		{`INSERT INTO issuance_generation (batch, generation, download, opened_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (batch, generation) DO UPDATE SET download = excluded.download`, []any{order, generation, download, now.UnixMilli()}},
		{"UPDATE issuance_order SET generation = ? WHERE id = ?", []any{generation, order}},
	} {
		if _, err := tx.Exec(ctx, step.query, step.args...); err != nil {
			return fmt.Errorf("opening generation %d of order %s: %w", generation, order, err)
		}
	}
	return nil
}

// A Lost is an order that the marks beside the root key know more of than the data do: the data were restored from before it.
type Lost struct {
	Order      string
	Generation uint32 // the newest that was handed out
	Known      uint32 // the newest that the data know; 0: they do not know the order
}

// Missing lists what a restore lost. Triples of an order that is not known cannot connect, nor those of a later generation
// than is known; download those again. It is found once a start: the data do not get older while the program runs.
func (s *Service) Missing(ctx context.Context) ([]Lost, error) {
	s.once.Do(func() { s.lost, s.unlost = s.compare(context.WithoutCancel(ctx)) })
	return s.lost, s.unlost
}

func (s *Service) compare(ctx context.Context) (lost []Lost, err error) {
	marks := s.keys.HighWaters()
	err = s.store.Read(ctx, func(v *store.View) error {
		for name, mark := range marks {
			id, ok := strings.CutPrefix(name, orderMark)
			if !ok {
				continue
			}
			var has uint32
			err := v.QueryRow(ctx, "SELECT generation FROM issuance_order WHERE id = ?", id).Scan(&has)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("reading order %s: %w", id, err)
			}
			if uint64(has) < mark {
				lost = append(lost, Lost{Order: id, Generation: uint32(mark), Known: has})
			}
		}
		return nil
	})
	slices.SortFunc(lost, func(a, b Lost) int { return strings.Compare(a.Order, b.Order) })
	return lost, err
}

// firstGeneration is what the secrets of a new order begin with: above all that lost orders had, because an address that a
// maker brings again would otherwise have the secret that was handed out before.
func (s *Service) firstGeneration() uint32 {
	first := uint32(1)
	for _, l := range s.lost {
		first = max(first, l.Generation+1)
	}
	return first
}

// next is the generation that a download of an order hands out: the first, if nobody has had it yet and it is in force for all.
// A device that was revoked before the first download has no secret of that generation, but one of the next.
func (s *Service) next(ctx context.Context, q store.Querier, o *Order) (uint32, error) {
	var download string
	var revoked sql.NullInt64
	err := q.QueryRow(ctx, "SELECT download, revoked_at FROM issuance_generation WHERE batch = ? AND generation = ?", o.ID, o.Generation).
		Scan(&download, &revoked)
	if err != nil {
		return 0, fmt.Errorf("reading generation %d of order %s: %w", o.Generation, o.ID, err)
	}
	mark := uint32(s.keys.HighWater(orderMark + o.ID))
	var lowest uint32
	if err := q.QueryRow(ctx, "SELECT COALESCE(MAX(lowest), 0) FROM issuance_secret WHERE batch = ?", o.ID).Scan(&lowest); err != nil {
		return 0, fmt.Errorf("reading what was revoked of order %s: %w", o.ID, err)
	}
	if download == "" && !revoked.Valid && mark <= o.Generation && lowest <= o.Generation {
		return o.Generation, nil
	}
	return max(o.Generation, mark) + 1, nil
}
