package issuance

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// Limits of a window for registration.
const (
	MaxWindow      = 7 * 24 * time.Hour // how long devices of an order may register at most
	MaxWindowNames = 10_000             // names that are allowed one by one
)

// A Window is the time in which devices of an order may register (动态注册): each once, with the secret of their product, for a secret
// of their own that nobody else was handed.
type Window struct {
	Order      string
	OpenedAt   time.Time
	ClosesAt   time.Time
	Names      int // how many are allowed; 0: all of the order
	Registered int // of the order, in this window and before
	Reason     string
	MadeBy     string // user
}

// Open reports whether devices may register now.
func (w *Window) Open(now time.Time) bool { return !now.Before(w.OpenedAt) && now.Before(w.ClosesAt) }

// NewWindow is what a window is made of.
type NewWindow struct {
	Names  []string      // DeviceNames of the order that may register; none: all
	For    time.Duration // from now
	Reason string        // 1 to 500 characters; it stays on record
}

func (n *NewWindow) check() (macs []triple.MAC, err error) {
	if err := checkReason(n.Reason); err != nil {
		return nil, err
	}
	if n.For < time.Minute || n.For > MaxWindow {
		return nil, fault.Invalid("/minutes", strconv.Itoa(int(n.For/time.Minute)), fmt.Sprintf("1 to %d", int(MaxWindow/time.Minute)), "open it again when it is over")
	}
	if len(n.Names) > MaxWindowNames {
		return nil, fault.Invalid("/names", strconv.Itoa(len(n.Names)), fmt.Sprintf("at most %d", MaxWindowNames), "allow the others when these are done")
	}
	for i, name := range n.Names {
		mac, err := triple.ParseMAC(name)
		if err != nil {
			return nil, notOfOrder(i, name)
		}
		macs = append(macs, mac)
	}
	return macs, nil
}

func notOfOrder(i int, name string) error {
	return fault.Invalid(fmt.Sprintf("/names/%d", i), name, "a DeviceName of the order", "leave it out")
}

// named are those of an order that are named, each once.
func (s *Service) named(ctx context.Context, v *store.View, who access.Actor, order string, n *NewWindow, macs []triple.MAC) ([]triple.MAC, error) {
	of, err := s.Addresses(ctx, v, who, order)
	if err != nil {
		return nil, err
	}
	for i, mac := range macs {
		if has, err := of.Has(ctx, v, mac); err != nil || !has {
			return nil, cmp.Or(err, notOfOrder(i, n.Names[i]))
		}
	}
	macs = slices.Clone(macs)
	slices.SortFunc(macs, func(a, b triple.MAC) int { return cmp.Compare(a.Uint64(), b.Uint64()) })
	return slices.Compact(macs), nil
}

// OpenWindow lets devices of an issued order register from now on, in the place of the window before. It opens a generation of secrets,
// as a download does.
func (s *Service) OpenWindow(ctx context.Context, who access.Actor, order string, n NewWindow) (Window, error) {
	if err := who.Check(access.DownloadTriples); err != nil {
		return Window{}, err
	}
	macs, err := n.check()
	if err != nil {
		return Window{}, err
	}
	var o Order
	var generation uint32
	err = s.store.Read(ctx, func(v *store.View) (err error) {
		if o, err = load(ctx, v, who, order); err != nil {
			return err
		}
		if generation, err = s.downloadable(ctx, v, who, &o); err != nil {
			return err
		}
		macs, err = s.named(ctx, v, who, order, &n, macs)
		return err
	})
	if err != nil {
		return Window{}, err
	}
	on, err := s.products.Registers(ctx, o.Product)
	if err != nil {
		return Window{}, err
	}
	if !on {
		f := fault.Conflict("product", "devices of the product may not register")
		f.Fix = "allow it first: registration of the product"
		return Window{}, f
	}
	// Before it exists, so that restored data do not hand it out again.
	if err := s.keys.SetHighWater(orderMark+o.ID, uint64(generation)); err != nil {
		return Window{}, fmt.Errorf("noting generation %d of order %s beside the root key: %w", generation, o.ID, err)
	}
	now := s.now()
	w := Window{Order: o.ID, OpenedAt: at(now.UnixMilli()), ClosesAt: at(now.Add(n.For).UnixMilli()), Names: len(macs), Reason: n.Reason, MadeBy: person(who)}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return s.insertWindow(ctx, tx, who, &w, macs, generation, o.Generation) })
	return w, err
}

func (s *Service) insertWindow(ctx context.Context, tx *store.Tx, who access.Actor, w *Window, macs []triple.MAC, generation, before uint32) error {
	o, err := load(ctx, tx, who, w.Order)
	if err != nil {
		return err
	}
	next, err := s.next(ctx, tx, &o)
	if err != nil {
		return err
	}
	if o.Generation != before || o.State != StateIssued || generation == before && next != before { // as a download
		return fault.Stale("order", w.Order)
	}
	id := newID()
	if err := s.openGeneration(ctx, tx, w.Order, generation, id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM issuance_window_name WHERE batch = ?", w.Order); err != nil {
		return fmt.Errorf("closing the window of order %s: %w", w.Order, err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO issuance_window (batch, id, generation, names, opened_at, closes_at, reason, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (batch) DO UPDATE SET
			id = excluded.id, generation = excluded.generation, names = excluded.names, opened_at = excluded.opened_at, closes_at = excluded.closes_at,
			reason = excluded.reason, made_by = excluded.made_by`,
		w.Order, id, generation, w.Names, w.OpenedAt.UnixMilli(), w.ClosesAt.UnixMilli(), w.Reason, w.MadeBy)
	if err != nil {
		return fmt.Errorf("opening a window of order %s: %w", w.Order, err)
	}
	err = tx.Insert(ctx, "INSERT INTO issuance_window_name (batch, mac)", func(yield func([]any) bool) {
		for _, mac := range macs {
			if !yield([]any{w.Order, mac.Uint64()}) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("allowing %d names of order %s: %w", len(macs), w.Order, err)
	}
	if w.Registered, err = countRegistered(ctx, tx, w.Order); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "order.registration_open", w.Order, fmt.Sprintf("generation %d, until %s: %s", generation, fault.Stamp(w.ClosesAt), w.Reason))
}

// CloseWindow ends the window of an order. Who has registered stays so.
func (s *Service) CloseWindow(ctx context.Context, who access.Actor, order string) error {
	if err := who.Check(access.RevokeTriples); err != nil {
		return err
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		o, err := load(ctx, tx, who, order)
		if err != nil {
			return err
		}
		r, err := tx.Exec(ctx, "UPDATE issuance_window SET closes_at = ? WHERE batch = ? AND closes_at > ?", s.now().UnixMilli(), o.ID, s.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("closing the window of order %s: %w", o.ID, err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Conflict("order", "no device of the order may register now: there is no window to close"))
		}
		return audit.Record(ctx, tx, who, "order.registration_close", o.ID, "")
	})
}

// Window returns the newest window of an order that who sees.
func (s *Service) Window(ctx context.Context, who access.Actor, order string) (w Window, err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return w, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		if _, err := load(ctx, v, who, order); err != nil {
			return err
		}
		w.Order = order
		var opened, closes int64
		err := v.QueryRow(ctx, "SELECT names, opened_at, closes_at, reason, made_by FROM issuance_window WHERE batch = ?", order).
			Scan(&w.Names, &opened, &closes, &w.Reason, &w.MadeBy)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("window for registration of order", order)
		}
		if err != nil {
			return fmt.Errorf("reading the window of order %s: %w", order, err)
		}
		w.OpenedAt, w.ClosesAt = at(opened), at(closes)
		w.Registered, err = countRegistered(ctx, v, order)
		return err
	})
	return w, err
}

func countRegistered(ctx context.Context, q store.Querier, order string) (n int, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM issuance_registered WHERE batch = ? AND generation > 0", order).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting who registered of order %s: %w", order, err)
	}
	return n, nil
}

// ErrClosed, ErrRegistered and ErrFull are why a device may not register.
var (
	ErrClosed     = errors.New("the device may not register now: its maker has opened no window that allows it")
	ErrRegistered = errors.New("the device has registered or logged in before, or its secret was revoked; its maker has to reset it first")
	ErrFull       = fmt.Errorf("%d generations of secrets of the order are in force, as many as may be; its maker has to revoke one, or wait", maxWindows)
)

// A Registration is a device of an order that asks for a secret, having proved that it knows its product's.
type Registration struct {
	Order, Organisation string
	Product             string // UUID
	MAC                 triple.MAC
	Way                 string // https, mqtt
	Address             string
}

// Register gives a device its secret, once, while a window allows it. The generation of the secret is one that nobody else of its order
// was handed for it: the true device, if this was another, fails at its next login, and is noticed.
func (s *Service) Register(ctx context.Context, r Registration) (secret triple.Secret, generation uint32, err error) {
	for range 3 { // a download, or another that registers, may open a generation meanwhile
		var newer uint32
		err = s.store.Read(ctx, func(v *store.View) (err error) {
			generation, err := s.registrable(ctx, v, &r)
			if err != nil || generation > 0 {
				return err
			}
			o, err := load(ctx, v, access.System("issuance", ""), r.Order)
			if err != nil {
				return err
			}
			next, err := s.next(ctx, v, &o)
			newer = max(next, o.Generation+1)
			return err
		})
		if err != nil {
			return secret, 0, err
		}
		if newer > 0 {
			if err := s.keys.SetHighWater(orderMark+r.Order, uint64(newer)); err != nil {
				return secret, 0, fmt.Errorf("noting generation %d of order %s beside the root key: %w", newer, r.Order, err)
			}
		}
		err = s.store.Write(ctx, func(tx *store.Tx) error {
			secret, generation, err = s.registerOne(ctx, tx, &r, newer)
			return err
		})
		if !fault.Is(err, fault.Outdated) {
			return secret, generation, err
		}
	}
	return secret, 0, err
}

// registrable gives the generation that a device would get; 0: one that must be opened for it first, because it was reset, or that of the
// window revoked.
func (s *Service) registrable(ctx context.Context, q store.Querier, r *Registration) (generation uint32, err error) {
	var names int
	now := s.now()
	err = q.QueryRow(ctx, "SELECT generation, names FROM issuance_window WHERE batch = ? AND opened_at <= ? AND closes_at > ?", r.Order, now.UnixMilli(), now.UnixMilli()).
		Scan(&generation, &names)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrClosed
	}
	if err != nil {
		return 0, fmt.Errorf("reading the window of order %s: %w", r.Order, err)
	}
	var allowed int
	var before sql.NullInt64 // the generation it was handed; 0: it was reset since
	err = q.QueryRow(ctx, `
		SELECT (SELECT COUNT(*) FROM issuance_window_name WHERE batch = ? AND mac = ?), (SELECT generation FROM issuance_registered WHERE batch = ? AND mac = ?)`,
		r.Order, r.MAC.Uint64(), r.Order, r.MAC.Uint64()).Scan(&allowed, &before)
	switch {
	case err != nil:
		return 0, fmt.Errorf("reading whether %s may register: %w", r.MAC, err)
	case names > 0 && allowed == 0:
		return 0, ErrClosed
	case before.Int64 > 0:
		return 0, ErrRegistered
	}
	standing, err := InForce(ctx, q, r.Order, r.MAC, now)
	if err != nil {
		return 0, err
	}
	if standing.Fixed || !before.Valid && (standing.Lost || standing.lowest > 0) { // or it was revoked
		return 0, ErrRegistered
	}
	for _, g := range standing.Generations {
		if g == generation {
			return generation, nil
		}
	}
	open, err := windows(ctx, q, r.Order, now)
	if err == nil && len(open) >= maxWindows {
		return 0, ErrFull // as a download would be
	}
	return 0, err
}

func (s *Service) registerOne(ctx context.Context, tx *store.Tx, r *Registration, opened uint32) (secret triple.Secret, generation uint32, err error) {
	if generation, err = s.registrable(ctx, tx, r); err != nil {
		return secret, 0, err
	}
	if generation == 0 {
		newest, err := Newest(ctx, tx, r.Order)
		if err != nil || newest >= opened {
			return secret, 0, errors.Join(err, fault.Stale("order", r.Order))
		}
		generation = opened
		if err := s.openGeneration(ctx, tx, r.Order, opened, "window/"+r.Order); err != nil {
			return secret, 0, err
		}
		if _, err := tx.Exec(ctx, "UPDATE issuance_window SET generation = ? WHERE batch = ?", opened, r.Order); err != nil {
			return secret, 0, fmt.Errorf("moving the window of order %s: %w", r.Order, err)
		}
	}
	key, err := s.keys.ProductKey(ctx, tx, r.Product)
	if err != nil {
		return secret, 0, fmt.Errorf("opening the key of product %s: %w", r.Product, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO issuance_registered (batch, mac, generation, registered_at, way, address) VALUES (?, ?, ?, ?, ?, ?) "+again,
		r.Order, r.MAC.Uint64(), generation, s.now().UnixMilli(), r.Way, r.Address)
	if err != nil {
		return secret, 0, fmt.Errorf("registering %s: %w", r.MAC, err)
	}
	who := access.System("registration", r.Organisation)
	if err := audit.Record(ctx, tx, who, "triple.register", r.MAC.String(), fmt.Sprintf("order %s, generation %d, by %s from %s", r.Order, generation, r.Way, r.Address)); err != nil {
		return secret, 0, err
	}
	return triple.Derive(key.Reveal(), r.Product, r.MAC, generation), generation, nil
}

// again has a row of issuance_registered take the place of the one that a reset left. One of generation 0 is of a device that was reset, and may
// register once more.
const again = `
	ON CONFLICT (batch, mac) DO UPDATE SET
		generation = excluded.generation, registered_at = excluded.registered_at, way = excluded.way, address = excluded.address`

// ResetRegistration lets a device register again, in the transaction of the act: what it was handed so far is out of force.
func ResetRegistration(ctx context.Context, tx *store.Tx, order string, mac triple.MAC, now time.Time) error {
	if _, err := RevokeOne(ctx, tx, order, mac, now); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO issuance_registered (batch, mac, generation, registered_at, way, address) VALUES (?, ?, 0, ?, 'reset', '') "+again,
		order, mac.Uint64(), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("forgetting that %s registered: %w", mac, err)
	}
	return nil
}

// Newest is the newest generation of an order's secrets.
func Newest(ctx context.Context, q store.Querier, order string) (generation uint32, err error) {
	if err := q.QueryRow(ctx, "SELECT generation FROM issuance_order WHERE id = ?", order).Scan(&generation); err != nil {
		return 0, fmt.Errorf("reading the newest generation of order %s: %w", order, err)
	}
	return generation, nil
}
