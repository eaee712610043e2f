// Package issuance lets a maker apply for triples (三元组), issues them and hands them out as a workbook.
//
// It owns the tables mac_pool, issuance_order and issuance_range. It promises:
//   - a MAC is issued once: no two orders share one, whatever runs at the same time, and also after a restore of older data;
//   - nothing of an order is usable before the one transaction that makes it issued;
//   - a program that stops or is killed goes on where its last transaction ended, without a gap or a triple twice;
//   - an order ends: issued, failed or cancelled; one that a restore brought back is not issued if others may have its addresses;
//   - a workbook is downloaded to its end once, and each download leaves an audit entry before its first byte;
//   - no secret is stored: each is derived when the workbook is written;
//   - nobody loads an order of another organisation: it is not found.
//
// An order that does not end as issued gives back the addresses that it has not yet handed to the room above. What it has
// handed on is never issued again, though nobody ever saw it: a row there may bear it.
//
// It keeps ranges, not rows: a million triples are one row here. Their devices are the room's above, by the hook [Issued].
package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

const (
	// MaxQuantity is the most triples of one order.
	MaxQuantity = 1_000_000

	maxNote = 500 // characters
	maxOpen = 8   // orders of one organisation that have not ended

	firstGeneration = 1 // of every secret, until a download can be repeated
)

// A Purpose is what triples are wanted for.
type Purpose string

// The purposes.
const (
	Debug Purpose = "debug" // 调试
	Mass  Purpose = "mass"  // 量产
)

// An Order is an application for triples of one product.
type Order struct {
	ID           string
	Organisation string
	Product      string // UUID
	Quantity     int
	Purpose      Purpose
	Note         string
	State        State
	Reason       string // why it failed or was cancelled, one sentence
	Done         int    // triples registered so far; all of them say nothing before State is StateIssued
	Generation   uint32 // of the secrets
	Job          string // that issues it
	RequestedBy  string // user, or the name of a part of the program
	CreatedAt    time.Time
	EndedAt      time.Time // issued, failed or cancelled; zero before
	DownloadedAt time.Time // the workbook was written to its end; zero before
}

// Open lists what who may do with the order now.
func (o *Order) Open(who access.Actor) []Act { return moves.Open(o.State, who) }

// A Row is one triple of an order.
type Row struct {
	MAC        triple.MAC
	Generation uint32 // of the secret; see [triple.Derive]
}

// Issued registers rows of an order in the transaction that counts them as done, at most 5,000 at once, in ascending order.
// It is called again for rows whose transaction was rolled back, and for no others. What it writes must not be usable while
// the state of the order is not StateIssued. It keeps no reference to rows. An error that is a fault of the code unavailable
// lets the order try again later, every other fails it.
type Issued func(ctx context.Context, tx *store.Tx, order Order, rows []Row) error

// Service answers for orders. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	products *product.Service
	keys     *keyring.Keyring
	jobs     *job.Runner
	issued   Issued
	log      *slog.Logger
	now      func() time.Time

	mu      sync.Mutex      // guards writing
	writing map[string]bool // orders whose workbook is being written
}

// New returns the service over a migrated store and names itself to jobs as the one that issues. The hook issued registers
// what becomes of triples.
func New(s *store.Store, products *product.Service, keys *keyring.Keyring, jobs *job.Runner, issued Issued, log *slog.Logger) *Service {
	o := &Service{
		store: s, products: products, keys: keys, jobs: jobs, issued: issued, log: log,
		now: time.Now, writing: make(map[string]bool),
	}
	jobs.Handle(jobKind, o.issue)
	return o
}

// NewOrder is what an order is made of.
type NewOrder struct {
	Product  string  // UUID, of the organisation that orders
	Quantity int     // 1 to 1,000,000
	Purpose  Purpose // Debug or Mass
	Note     string  // for the reviewer; at most 500 characters, may be empty
}

func (n NewOrder) check() error {
	if n.Quantity < 1 || n.Quantity > MaxQuantity {
		return fault.Invalid("/quantity", fmt.Sprint(n.Quantity), fmt.Sprintf("an integer from 1 to %d", MaxQuantity), "split what is more into several orders")
	}
	if n.Purpose != Debug && n.Purpose != Mass {
		return fault.Invalid("/purpose", string(n.Purpose), `"debug" or "mass"`, "send one of the two")
	}
	return checkNote(n.Note)
}

func checkNote(note string) error {
	if utf8.RuneCountInString(note) > maxNote || !plain(note) {
		return fault.Invalid("/note", note, fmt.Sprintf("at most %d characters, no control characters", maxNote), "shorten it")
	}
	return nil
}

// plain reports whether s is UTF-8 whose only control characters are line ends.
func plain(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// Request orders triples of a product of who's organisation. Whoever may issue needs no review: the order is approved at
// once, has its addresses when Request returns, and is issued by a job; see Wait.
func (s *Service) Request(ctx context.Context, who access.Actor, n NewOrder) (Order, error) {
	if err := who.Check(access.IssueTriples); err != nil {
		return Order{}, err
	}
	if err := n.check(); err != nil {
		return Order{}, err
	}
	if _, err := s.products.Load(ctx, who, n.Product); err != nil {
		return Order{}, fmt.Errorf("loading product %s: %w", n.Product, err)
	}
	var o Order
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		o = Order{
			ID: newID(), Organisation: who.Organisation, Product: n.Product, Quantity: n.Quantity, Purpose: n.Purpose, Note: n.Note,
			State: StateRequested, Generation: firstGeneration, RequestedBy: person(who), CreatedAt: at(s.now().UnixMilli()),
		}
		if err := room(ctx, tx, who.Organisation); err != nil {
			return err
		}
		if err := insert(ctx, tx, &o); err != nil {
			return err
		}
		if err := s.approve(ctx, tx, who, &o); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "order.request", o.ID, fmt.Sprintf("%d for %s", o.Quantity, o.Purpose))
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// room refuses an order of an organisation that has enough open ones.
func room(ctx context.Context, tx *store.Tx, organisation string) error {
	var open int
	if err := tx.QueryRow(ctx, countOpenSQL, organisation).Scan(&open); err != nil {
		return fmt.Errorf("counting the open orders of %s: %w", organisation, err)
	}
	if open >= maxOpen {
		return fault.Limit("number of open orders", fmt.Sprint(open), fmt.Sprint(maxOpen), 0)
	}
	return nil
}

// approve takes the addresses and hands the order to a job.
func (s *Service) approve(ctx context.Context, tx *store.Tx, who access.Actor, o *Order) error {
	to, err := moves.Next(o.State, Approve, who)
	if err != nil {
		return err
	}
	if err := s.take(ctx, tx, o); err != nil {
		return err
	}
	j, err := s.jobs.Submit(ctx, tx, who, job.Spec{Kind: jobKind, Object: o.ID, Total: int64(o.Quantity)})
	if err != nil {
		return fmt.Errorf("handing order %s to a job: %w", o.ID, err)
	}
	if _, err := tx.Exec(ctx, "UPDATE issuance_order SET job = ? WHERE id = ?", j.ID, o.ID); err != nil {
		return fmt.Errorf("handing order %s to a job: %w", o.ID, err)
	}
	o.Job = j.ID
	return s.move(ctx, tx, o, to, "")
}

// Cancel ends an order that is not issued yet. None of its triples was or becomes usable. The note says why; it may be empty.
func (s *Service) Cancel(ctx context.Context, who access.Actor, id, note string) (Order, error) {
	if err := checkNote(note); err != nil {
		return Order{}, err
	}
	reason := note
	if reason == "" {
		reason = "it was cancelled"
	}
	var o Order
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if o, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		to, err := moves.Next(o.State, Cancel, who)
		if err != nil {
			return err
		}
		if err := s.end(ctx, tx, &o, to, reason); err != nil {
			return err
		}
		if err := s.stop(ctx, tx, who, &o); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "order.cancel", id, note)
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// stop stops the job of an order, if there is one that has not ended.
func (s *Service) stop(ctx context.Context, tx *store.Tx, who access.Actor, o *Order) error {
	if o.Job == "" {
		return nil
	}
	if _, err := s.jobs.CancelIn(ctx, tx, who, o.Job); err != nil && !fault.Is(err, fault.Clash) {
		return fmt.Errorf("stopping the job of order %s: %w", o.ID, err)
	}
	return nil
}

// Load returns an order of who's organisation.
func (s *Service) Load(ctx context.Context, who access.Actor, id string) (Order, error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return Order{}, err
	}
	var o Order
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		o, err = load(ctx, v, who, id)
		return err
	})
	return o, err
}

// Wait returns the order once it has ended, whichever way. If ctx ends before, it returns the error of ctx.
func (s *Service) Wait(ctx context.Context, who access.Actor, id string) (Order, error) {
	o, err := s.Load(ctx, who, id)
	if err != nil || o.State.Ended() || o.Job == "" {
		return o, err
	}
	if _, err := s.jobs.Wait(ctx, who, o.Job); err != nil {
		return o, fmt.Errorf("waiting for order %s: %w", id, err)
	}
	return s.Load(ctx, who, id)
}

// A Filter narrows a list of orders. Empty fields do not.
type Filter struct {
	Product string // UUID
	State   State
	After   string // id of the last order of the page before
	Limit   int    // 1..500; 0 is 100
}

// List returns a page of the orders of who's organisation, the newest first, and whether more follow.
func (s *Service) List(ctx context.Context, who access.Actor, f Filter) ([]Order, bool, error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return nil, false, err
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 1 || f.Limit > 500 {
		return nil, false, fault.Invalid("/limit", fmt.Sprint(f.Limit), "an integer from 1 to 500", "ask for at most 500 and follow the cursor")
	}
	var page []Order
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		page, err = list(ctx, v, who.Organisation, f)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("listing orders: %w", err)
	}
	if len(page) > f.Limit {
		return page[:f.Limit], true, nil
	}
	return page, false, nil
}

// move writes the new state of an order if it is still in the old one.
func (s *Service) move(ctx context.Context, tx *store.Tx, o *Order, to State, reason string) error {
	var ended sql.NullInt64
	if to.Ended() {
		ended = sql.NullInt64{Int64: s.now().UnixMilli(), Valid: true}
	}
	res, err := tx.Exec(ctx, moveSQL, to, reason, ended, o.ID, o.State)
	if err != nil {
		return fmt.Errorf("moving order %s to %s: %w", o.ID, to, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("order", o.ID), err)
	}
	o.State, o.Reason, o.EndedAt = to, reason, at(ended.Int64)
	return nil
}

// end ends an order without issuing it, and gives back what it has not handed on.
func (s *Service) end(ctx context.Context, tx *store.Tx, o *Order, to State, reason string) error {
	if err := s.move(ctx, tx, o, to, reason); err != nil {
		return err
	}
	return giveBack(ctx, tx, o)
}

func person(who access.Actor) string {
	if who.User != "" {
		return who.User
	}
	return who.ID
}

// at is the time of a column; zero for zero.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
