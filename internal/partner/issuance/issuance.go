// Package issuance lets a maker apply for triples (三元组), issues them and hands them out as a workbook.
//
// It owns the tables mac_pool, mac_list, issuance_order, issuance_range, issuance_mac, issuance_upload, issuance_generation,
// issuance_secret, issuance_download, issuance_window, issuance_window_name and issuance_registered. It promises:
//   - a MAC is issued once: no two orders share one, whatever runs at the same time, and also after a restore of older data;
//   - triples for debugging need nobody's consent up to a number a product, which is exact; all others are decided by a
//     reviewer who is no member of the organisation, once, with a reason;
//   - nothing of an order is usable before the one transaction that makes it issued;
//   - a program that stops or is killed goes on where its last transaction ended, without a gap or a triple twice;
//   - an order ends: issued, failed, rejected, withdrawn or cancelled; one that a restore brought back is not issued if others
//     may have its addresses;
//   - no two downloads share a secret; each is one grant for one whole file, with a reason and one audit entry, and hands out
//     the next generation for every triple that no device has logged in with yet;
//   - the first login decides which generation a device has; the others end in the same transaction, and those that nobody
//     logged in with end 30 days after a later one was handed out;
//   - a device registers once while a window of its maker allows it, for a secret of a generation that nobody was handed before; once
//     more only after its maker has reset it, which takes what it had out of force;
//   - a revoked secret opens nothing from the commit that revokes it;
//   - no secret is stored: each is derived when the workbook is written, or compared;
//   - nobody loads an order of another organisation: it is not found.
//
// An order that does not end as issued gives back the addresses that it has not yet handed to the room above. What it has
// handed on is never issued again, though nobody ever saw it: a row there may bear it.
//
// It keeps ranges, not rows: a million triples of a pool are one row here. Their devices are the room's above, by the hook
// [Issued].
package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
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

	maxNote    = 500 // characters
	maxFactory = 200 // characters of each part of a factory
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
	Factory      Factory
	PlannedAt    time.Time // when the factory means to begin; zero: not said
	List         string    // the maker's list that the addresses are of; empty: the platform's pools
	State        State
	Reason       string // why it ended other than as issued, one sentence
	Done         int    // triples registered so far; all of them say nothing before State is StateIssued
	Generation   uint32 // the newest of the secrets
	DecidedBy    string // the reviewer; empty: nobody had to decide
	DecidedAt    time.Time
	Job          string // that issues it
	RequestedBy  string // user, or the name of a part of the program
	CreatedAt    time.Time
	EndedAt      time.Time // issued, failed or cancelled; zero before
	DownloadedAt time.Time // a workbook was first taken to its end; zero before

	list     int64 // number of the list
	listFrom int   // its row that the order begins with
}

// A Factory is where triples are burned (工厂), as the maker says it.
type Factory struct {
	Name    string // at most 200 characters, as are the others
	Address string
	Contact string
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

// Revoked is called in the transaction that revokes secrets of an order: live sessions of its devices have to show that
// theirs are still in force.
type Revoked func(ctx context.Context, tx *store.Tx, order string) error

// Config is what a service works with. The functions ask rooms that know nothing of orders; nil is answered as said.
type Config struct {
	Store    *store.Store
	Products *product.Service
	Keys     *keyring.Keyring
	Jobs     *job.Runner
	Issued   Issued
	Revoked  Revoked // nil: nobody holds sessions
	Logger   *slog.Logger

	// Level is how far an organisation is verified, an index of [Limits]; nil: the last of them.
	Level func(ctx context.Context, q store.Querier, organisation string) (int, error)
	// May refuses a product, or the organisation it is of, that is not so far; mass tells triples for mass production from
	// those for debugging. Nil: nobody is refused.
	May func(ctx context.Context, q store.Querier, who access.Actor, organisation, product string, mass bool) error
	// Role is what a user is in an organisation now, empty: nothing. Nil: what they were when they were let in.
	Role func(ctx context.Context, q store.Querier, organisation, user string) (access.Role, error)
	// Tell tells an organisation something, in the transaction of what it tells; nil: nobody is told.
	Tell func(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error
}

// Service answers for orders. It is safe for concurrent use.
type Service struct {
	c        Config
	store    *store.Store
	products *product.Service
	keys     *keyring.Keyring
	jobs     *job.Runner
	log      *slog.Logger
	now      func() time.Time

	searching sync.Mutex // held by the one report that derives secrets: it takes a processor for seconds

	mu      sync.Mutex      // guards writing
	writing map[string]bool // downloads that are being written

	once   sync.Once // finds lost, at the first use
	lost   []Lost
	unlost error
}

// New returns the service over a migrated store and names itself to jobs as the one that issues.
func New(c Config) *Service {
	o := &Service{
		c: c, store: c.Store, products: c.Products, keys: c.Keys, jobs: c.Jobs, log: c.Logger,
		now: time.Now, writing: make(map[string]bool),
	}
	c.Jobs.Handle(jobKind, access.IssueTriples, o.issue)
	c.Jobs.Handle(listKind, access.IssueTriples, o.readList)
	return o
}

// NewOrder is what an order is made of.
type NewOrder struct {
	Product   string    // UUID, of the organisation that orders
	Quantity  int       // 1 to 1,000,000
	Purpose   Purpose   // Debug or Mass
	Note      string    // for the reviewer; at most 500 characters, may be empty
	Factory   Factory   // Mass needs its name
	PlannedAt time.Time // still to come; zero: not said
	List      string    // a list of the maker's own addresses; empty: from the platform's pools
}

func (n NewOrder) check(now time.Time) error {
	if n.Quantity < 1 || n.Quantity > MaxQuantity {
		return fault.Invalid("/quantity", fmt.Sprint(n.Quantity), fmt.Sprintf("an integer from 1 to %d", MaxQuantity), "split what is more into several orders")
	}
	if n.Purpose != Debug && n.Purpose != Mass {
		return fault.Invalid("/purpose", string(n.Purpose), `"debug" or "mass"`, "send one of the two")
	}
	for _, f := range []struct{ where, text string }{
		{"/factory/name", n.Factory.Name}, {"/factory/address", n.Factory.Address}, {"/factory/contact", n.Factory.Contact},
	} {
		if utf8.RuneCountInString(f.text) > maxFactory || !plain(f.text) {
			return fault.Invalid(f.where, f.text, fmt.Sprintf("at most %d characters, no control characters", maxFactory), "shorten it")
		}
	}
	if !n.PlannedAt.IsZero() && n.PlannedAt.Before(now) {
		return fault.Invalid("/planned_at", fault.Stamp(n.PlannedAt), "a time that is still to come", "say when the factory will begin, or leave it out")
	}
	return checkNote("/note", n.Note)
}

func checkNote(where, note string) error {
	if utf8.RuneCountInString(note) > maxNote || !plain(note) {
		return fault.Invalid(where, note, fmt.Sprintf("at most %d characters, no control characters", maxNote), "shorten it")
	}
	return nil
}

// checkReason is for acts that others must be able to understand later.
func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fault.Invalid("/reason", reason, fmt.Sprintf("1 to %d characters", maxNote), "say why")
	}
	return checkNote("/reason", reason)
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

// Request orders triples of a product of who's organisation. Up to the limit of its product an order for debugging needs no
// review: it has its addresses when Request returns, and is issued by a job; see Wait. All others wait for a reviewer.
func (s *Service) Request(ctx context.Context, who access.Actor, n NewOrder) (Order, error) {
	if err := who.Check(access.IssueTriples); err != nil {
		return Order{}, err
	}
	if err := n.check(s.now()); err != nil {
		return Order{}, err
	}
	if _, err := s.products.Load(ctx, who, n.Product); err != nil {
		return Order{}, fmt.Errorf("loading product %s: %w", n.Product, err)
	}
	if _, err := s.Missing(ctx); err != nil { // what a restore lost is known before the transaction
		return Order{}, err
	}
	var o Order
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		o = Order{
			ID: newID(), Organisation: who.Organisation, Product: n.Product, Quantity: n.Quantity, Purpose: n.Purpose, Note: n.Note,
			Factory: n.Factory, PlannedAt: n.PlannedAt, State: StateRequested, Generation: s.firstGeneration(),
			RequestedBy: person(who), CreatedAt: at(s.now().UnixMilli()),
		}
		if err := o.stands(ctx, tx); err != nil {
			return err
		}
		if err := s.allowed(ctx, tx, who, &o); err != nil {
			return err
		}
		if err := s.reserve(ctx, tx, who, &o, n.List); err != nil {
			return err
		}
		if err := insert(ctx, tx, &o); err != nil {
			return err
		}
		if o.Purpose == Debug {
			if err := s.approve(ctx, tx, access.System("issuance", o.Organisation), &o); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, who, "order.request", o.ID, fmt.Sprintf("%d for %s", o.Quantity, o.Purpose))
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// approve takes the addresses and hands the order to a job.
func (s *Service) approve(ctx context.Context, tx *store.Tx, who access.Actor, o *Order) error {
	to, err := moves.Next(o.State, Approve, who)
	if err != nil {
		return err
	}
	if o.list == 0 {
		if err := s.take(ctx, tx, o); err != nil {
			return err
		}
	}
	system := access.System("issuance", o.Organisation)
	j, err := s.jobs.Submit(ctx, tx, system, job.Spec{Kind: jobKind, Object: o.ID, Total: int64(o.Quantity)})
	if err != nil {
		return fmt.Errorf("handing order %s to a job: %w", o.ID, err)
	}
	if _, err := tx.Exec(ctx, "UPDATE issuance_order SET job = ? WHERE id = ?", j.ID, o.ID); err != nil {
		return fmt.Errorf("handing order %s to a job: %w", o.ID, err)
	}
	o.Job = j.ID
	return s.move(ctx, tx, o, to, "")
}

// Cancel ends an order that is not issued yet: it is withdrawn if nobody has decided about it, and cancelled otherwise. None
// of its triples was or becomes usable. The note says why; it may be empty.
func (s *Service) Cancel(ctx context.Context, who access.Actor, id, note string) (Order, error) {
	if err := who.Check(access.IssueTriples); err != nil {
		return Order{}, err
	}
	if err := checkNote("/note", note); err != nil {
		return Order{}, err
	}
	var o Order
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if o, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		act, reason := Cancel, note
		if o.State == StateRequested {
			act = Withdraw
		}
		to, err := moves.Next(o.State, act, who)
		if err != nil {
			return err
		}
		if reason == "" {
			reason = "it was " + string(to)
		}
		if err := s.end(ctx, tx, &o, to, reason); err != nil {
			return err
		}
		if err := s.stop(ctx, tx, &o); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "order."+string(act), id, note)
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// stop stops the job of an order, if there is one that has not ended.
func (s *Service) stop(ctx context.Context, tx *store.Tx, o *Order) error {
	if o.Job == "" {
		return nil
	}
	system := access.System("issuance", o.Organisation)
	if _, err := s.jobs.CancelIn(ctx, tx, system, o.Job); err != nil && !fault.Is(err, fault.Clash) {
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
	if _, err := s.jobs.Wait(ctx, access.System("issuance", o.Organisation), o.Job); err != nil {
		return o, fmt.Errorf("waiting for order %s: %w", id, err)
	}
	return s.Load(ctx, who, id)
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
	if !to.Ended() {
		return nil
	}
	if err := giveLimits(ctx, tx, o); err != nil {
		return err
	}
	return s.tell(ctx, tx, o)
}

// tell tells a maker what became of an order for mass production, where somebody or something else decided it.
func (s *Service) tell(ctx context.Context, tx *store.Tx, o *Order) error {
	if s.c.Tell == nil || o.Purpose != Mass || o.State == StateWithdrawn || o.State == StateCancelled {
		return nil
	}
	err := s.c.Tell(ctx, tx, o.Organisation, "order."+string(o.State), map[string]string{
		"order": o.ID, "product": o.Product, "quantity": strconv.Itoa(o.Quantity), "reason": o.Reason,
	})
	if err != nil {
		return fmt.Errorf("telling the maker of order %s: %w", o.ID, err)
	}
	return nil
}

// end ends an order without issuing it, and gives back what it has not handed on.
func (s *Service) end(ctx context.Context, tx *store.Tx, o *Order, to State, reason string) error {
	if err := s.move(ctx, tx, o, to, reason); err != nil {
		return err
	}
	if o.list != 0 {
		return giveBackToList(ctx, tx, o)
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
