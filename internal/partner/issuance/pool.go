package issuance

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

const (
	originOperator = "operator"
	originDefault  = "default"

	shortestPrefix = 6  // hexadecimal digits: 24 bits, a block of 16,777,216 as the IEEE sells it (MA-L)
	longestPrefix  = 11 // a block of 16
	poolsAtMost    = 1000

	// markPrefix begins the names of the marks beside the root key: "mac/<first address>" is the highest address issued from
	// the pool that begins there.
	markPrefix = "mac/"
)

// A Pool is a range of MAC addresses that triples are issued from, upwards.
type Pool struct {
	ID        string
	Name      string
	Default   bool       // made by the program, of locally administered addresses; used only while there is no other
	First     triple.MAC // both ends belong to it
	Last      triple.MAC
	Left      int // addresses that no order has
	CreatedAt time.Time
}

// NewPool is what a pool is made of.
type NewPool struct {
	Name   string // 1 to 100 characters
	Prefix string // the first 6 to 11 hexadecimal digits of all its addresses, with or without ":" or "-"
}

// pool is a row of mac_pool.
type pool struct {
	id, name, origin  string
	first, last, next uint64
	created           int64
}

func (p *pool) left(floor uint64) uint64 {
	next := max(p.next, floor)
	if next > p.last {
		return 0
	}
	return p.last - next + 1
}

// AddPool makes a pool of all addresses that begin with a prefix. The operator only: the prefix must be theirs to give.
func (s *Service) AddPool(ctx context.Context, who access.Actor, n NewPool) (Pool, error) {
	if err := who.Check(access.ManagePools); err != nil {
		return Pool{}, err
	}
	if c := utf8.RuneCountInString(n.Name); c < 1 || c > 100 || !plain(n.Name) || strings.Contains(n.Name, "\n") {
		return Pool{}, fault.Invalid("/name", n.Name, "1 to 100 characters, no control characters", "correct it")
	}
	first, last, err := parsePrefix(n.Prefix)
	if err != nil {
		return Pool{}, err
	}
	p := pool{id: newID(), name: n.Name, origin: originOperator, first: first, last: last, next: first, created: s.now().UnixMilli()}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		all, err := pools(ctx, tx)
		if err != nil {
			return err
		}
		if len(all) >= poolsAtMost {
			return fault.Limit("number of pools", fmt.Sprint(len(all)), fmt.Sprint(poolsAtMost), 0)
		}
		for _, o := range all {
			if first <= o.last && o.first <= last {
				return fault.Conflict("/prefix", fmt.Sprintf("the prefix overlaps the pool %q, %s to %s", o.name, triple.MACOf(o.first), triple.MACOf(o.last)))
			}
		}
		if mac, err := listedBetween(ctx, tx, first, last); err != nil {
			return err
		} else if mac != "" {
			return fault.Conflict("/prefix", "the prefix holds "+mac+", which is on the list of a maker")
		}
		if err := insertPool(ctx, tx, p); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "pool.add", p.id, triple.MACOf(first).String()+" to "+triple.MACOf(last).String())
	})
	if err != nil {
		return Pool{}, err
	}
	return s.public(p), nil
}

// parsePrefix gives the range of a prefix.
func parsePrefix(prefix string) (first, last uint64, err error) {
	const rule = "6 to 11 hexadecimal digits"
	digits := strings.NewReplacer(":", "", "-", "").Replace(prefix)
	n, perr := strconv.ParseUint(digits, 16, 48)
	if perr != nil || len(digits) < shortestPrefix || len(digits) > longestPrefix || strings.ContainsAny(digits, "+_") {
		return 0, 0, fault.Invalid("/prefix", prefix, rule, "send for example AC:DE:48")
	}
	free := 4 * (12 - len(digits))
	first = n << free
	if first>>40&1 != 0 {
		return 0, 0, fault.Invalid("/prefix", prefix, "the prefix of addresses for one device each", "the first octet must be even")
	}
	return first, first | (1<<free - 1), nil
}

// Pools lists all pools. The operator only.
func (s *Service) Pools(ctx context.Context, who access.Actor) ([]Pool, error) {
	if err := who.Check(access.ManagePools); err != nil {
		return nil, err
	}
	var all []pool
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		all, err = pools(ctx, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]Pool, 0, len(all))
	for _, p := range all {
		out = append(out, s.public(p))
	}
	return out, nil
}

func (s *Service) public(p pool) Pool {
	return Pool{
		ID: p.id, Name: p.name, Default: p.origin == originDefault, First: triple.MACOf(p.first), Last: triple.MACOf(p.last),
		Left: int(p.left(s.floor(p))), CreatedAt: at(p.created),
	}
}

// floor is the lowest address of a pool that the marks beside the root key allow: what was issued is not issued again, though
// the data may be older than that, and though the pool may have been made anew since.
func (s *Service) floor(p pool) uint64 {
	floor := p.first
	for _, mark := range p.marks(s.keys.HighWaters()) {
		floor = max(floor, mark+1)
	}
	return floor
}

// marks are those of all that lie in the pool.
func (p *pool) marks(all map[string]uint64) (in []uint64) {
	for name, mark := range all {
		if strings.HasPrefix(name, markPrefix) && mark >= p.first && mark <= p.last {
			in = append(in, mark)
		}
	}
	return in
}

// current refuses an order that comes from restored data, if others may have been issued its addresses since: a mark at or
// above them that no order of these data has written. The marks are read before q was begun: one that an order sets meanwhile is of
// rows that q does not see.
func current(ctx context.Context, q store.Querier, marks map[string]uint64, ranges []macRange) error {
	for _, r := range ranges {
		p, err := scanPool(q.QueryRow(ctx, poolSQL, r.pool))
		if err != nil {
			return fmt.Errorf("reading pool %s: %w", r.pool, err)
		}
		for _, mark := range p.marks(marks) {
			var one int
			err := q.QueryRow(ctx, wholeSQL, r.pool, mark).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) && mark >= r.first {
				return fault.Conflict("order", "the data were restored from an older state, in which this order was open: order again")
			}
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("looking for who was issued %s: %w", triple.MACOf(mark), err)
			}
		}
	}
	return nil
}

// mark writes beside the root key how far each pool will have been issued when the order is.
func (s *Service) mark(ctx context.Context, o *Order, ranges []macRange) error {
	if err := s.keys.SetHighWater(orderMark+o.ID, uint64(o.Generation)); err != nil {
		return err
	}
	for _, r := range ranges {
		var p pool
		err := s.store.Read(ctx, func(v *store.View) error {
			var err error
			p, err = scanPool(v.QueryRow(ctx, poolSQL, r.pool))
			return err
		})
		if err != nil {
			return fmt.Errorf("reading pool %s: %w", r.pool, err)
		}
		if err := s.keys.SetHighWater(markPrefix+triple.MACOf(p.first).String(), r.last); err != nil {
			return err
		}
	}
	return nil
}

// A macRange is addresses of one pool that an order has.
type macRange struct {
	seq         int
	pool        string
	first, last uint64
}

// take gives an order its addresses: the lowest free ones, from as many pools as it needs.
func (s *Service) take(ctx context.Context, tx *store.Tx, o *Order) error {
	all, err := s.usable(ctx, tx)
	if err != nil {
		return err
	}
	want, seq := uint64(o.Quantity), 0
	for _, p := range all {
		floor := s.floor(p)
		n := min(want, p.left(floor))
		if n == 0 {
			continue
		}
		first := max(p.next, floor)
		if _, err := tx.Exec(ctx, insertRangeSQL, o.ID, seq, p.id, first, first+n-1); err != nil {
			return fmt.Errorf("taking addresses for order %s: %w", o.ID, err)
		}
		if err := setNext(ctx, tx, p.id, first+n); err != nil {
			return err
		}
		want -= n
		seq++
	}
	if want > 0 {
		left := uint64(o.Quantity) - want
		return fault.Limit("/quantity", fmt.Sprint(o.Quantity), fmt.Sprintf("the %d addresses that the platform has left", left), 0)
	}
	return nil
}

// usable lists the pools to issue from: the operator's, or else the default one, made at its first use.
func (s *Service) usable(ctx context.Context, tx *store.Tx) ([]pool, error) {
	all, err := pools(ctx, tx)
	if err != nil {
		return nil, err
	}
	var own []pool
	for _, p := range all {
		if p.origin == originOperator {
			own = append(own, p)
		}
	}
	if own != nil {
		return own, nil
	}
	if all == nil {
		p := defaultPool(s.now())
		all = []pool{p}
		err = insertPool(ctx, tx, p)
	}
	return all, err
}

// defaultPool draws 24 bits of prefix, so that two platforms hardly ever share one. Its first octet ends in 2: one device
// each, locally administered, of the quadrant that IEEE 802c leaves to administrators.
func defaultPool(now time.Time) pool {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends first
	first := (uint64(b[0]&0xf0|0x02)<<16 | uint64(b[1])<<8 | uint64(b[2])) << 24
	return pool{id: newID(), name: "default", origin: originDefault, first: first, last: first | (1<<24 - 1), next: first, created: now.UnixMilli()}
}

// giveBack returns the addresses of an order that it has not handed on, as far as no later order lies above them.
func giveBack(ctx context.Context, tx *store.Tx, o *Order) error {
	ranges, err := rangesOf(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	used := uint64(o.Done)
	for _, r := range ranges {
		kept := min(used, r.last-r.first+1)
		used -= kept
		switch {
		case kept == 0:
			_, err = tx.Exec(ctx, "DELETE FROM issuance_range WHERE batch = ? AND seq = ?", o.ID, r.seq)
		case kept <= r.last-r.first:
			_, err = tx.Exec(ctx, "UPDATE issuance_range SET last = ? WHERE batch = ? AND seq = ?", r.first+kept-1, o.ID, r.seq)
		}
		if err != nil {
			return fmt.Errorf("giving back addresses of order %s: %w", o.ID, err)
		}
		if err := lower(ctx, tx, r.pool); err != nil {
			return err
		}
	}
	return nil
}

// lower lets a pool go on above the highest address that an order has. What the marks say is added where it is read.
func lower(ctx context.Context, tx *store.Tx, id string) error {
	p, err := scanPool(tx.QueryRow(ctx, poolSQL, id))
	if err != nil {
		return fmt.Errorf("reading pool %s: %w", id, err)
	}
	next := p.first
	var highest sql.NullInt64
	if err := tx.QueryRow(ctx, "SELECT MAX(last) FROM ("+highestSQL+") AS top", id).Scan(&highest); err != nil {
		return fmt.Errorf("reading the highest address of pool %s: %w", id, err)
	}
	if highest.Valid {
		next = max(next, uint64(highest.Int64)+1)
	}
	return setNext(ctx, tx, id, next)
}

func setNext(ctx context.Context, tx *store.Tx, pool string, next uint64) error {
	if _, err := tx.Exec(ctx, "UPDATE mac_pool SET next = ? WHERE id = ?", next, pool); err != nil {
		return fmt.Errorf("setting where pool %s goes on: %w", pool, err)
	}
	return nil
}

func insertPool(ctx context.Context, tx *store.Tx, p pool) error {
	if _, err := tx.Exec(ctx, insertPoolSQL, p.id, p.name, p.origin, p.first, p.last, p.next, p.created); err != nil {
		return fmt.Errorf("adding pool %q: %w", p.name, err)
	}
	return nil
}

func pools(ctx context.Context, q store.Querier) ([]pool, error) {
	rows, err := q.Query(ctx, poolsSQL)
	if err != nil {
		return nil, fmt.Errorf("reading pools: %w", err)
	}
	defer rows.Close()
	var all []pool
	for rows.Next() {
		p, err := scanPool(rows)
		if err != nil {
			return nil, fmt.Errorf("reading pools: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

func scanPool(row scanner) (p pool, err error) {
	err = row.Scan(&p.id, &p.name, &p.origin, &p.first, &p.last, &p.next, &p.created)
	return p, err
}

// rangesOf returns the addresses of an order.
func rangesOf(ctx context.Context, q store.Querier, order string) ([]macRange, error) {
	rows, err := q.Query(ctx, rangesSQL, order)
	if err != nil {
		return nil, fmt.Errorf("reading the addresses of order %s: %w", order, err)
	}
	defer rows.Close()
	var all []macRange
	for rows.Next() {
		var r macRange
		if err := rows.Scan(&r.seq, &r.pool, &r.first, &r.last); err != nil {
			return nil, fmt.Errorf("reading the addresses of order %s: %w", order, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
