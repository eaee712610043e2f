package certify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Case is a product that is to be certified.
type Case struct {
	ID           string
	Organisation string
	Product      string
	Kind         string // of the product
	Category     string // of the product; empty: it has none
	Covers       Covers
	Laboratory   string // empty: the operator
	State        State
	Report       string // its number
	Note         string
	OpenedBy     string // user
	OpenedAt     time.Time
	DecidedBy    string    // user
	DecidedAt    time.Time // zero: not yet
	Revision     int64
}

// Open lists what who may do with the case now.
func (c *Case) Open(who access.Actor) []Act { return moves.Open(c.State, who) }

// An Opening is what a case is made of.
type Opening struct {
	Product  string
	Kind     string
	Category string
	Covers   Covers
}

// OpenIn opens a case of who's organisation, in the transaction of the room that knows the product. There is one at a time.
func (s *Service) OpenIn(ctx context.Context, tx *store.Tx, who access.Actor, o Opening) (Case, error) {
	if err := who.Check(access.ApplyCertification); err != nil {
		return Case{}, err
	}
	if err := o.Covers.check(); err != nil {
		return Case{}, err
	}
	var open string
	switch err := tx.QueryRow(ctx, openCaseSQL, o.Product).Scan(&open); {
	case err == nil:
		c, err := loadCase(ctx, tx, who, open)
		if err != nil {
			return Case{}, err
		}
		return Case{}, fault.InState("certification "+open, "product "+o.Product+" has a certification that is not decided yet", c.Open(who))
	case !errors.Is(err, store.ErrNoRows):
		return Case{}, fmt.Errorf("looking for an open certification of product %s: %w", o.Product, err)
	}
	c := Case{
		ID: newID(), Organisation: who.Organisation, Product: o.Product, Kind: o.Kind, Category: o.Category, Covers: o.Covers,
		State: Open, OpenedBy: who.User, OpenedAt: at(s.now().UnixMilli()), Revision: 1,
	}
	if err := insertCase(ctx, tx, &c); err != nil {
		return Case{}, err
	}
	return c, audit.Record(ctx, tx, who, "certification.open", c.ID, "product "+o.Product+" "+marshal(o.Covers))
}

// act carries out one move of a case: do completes it before it is written.
func (s *Service) act(ctx context.Context, who access.Actor, id string, act Act, do func(tx *store.Tx, c *Case) (note string, err error)) (c Case, err error) {
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		c, err = actIn(ctx, tx, who, id, act, func(c *Case) (string, error) { return do(tx, c) })
		return err
	})
	if err != nil {
		return Case{}, err
	}
	return c, nil
}

// actIn is act within a transaction.
func actIn(ctx context.Context, tx *store.Tx, who access.Actor, id string, act Act, do func(c *Case) (note string, err error)) (Case, error) {
	c, err := loadCase(ctx, tx, who, id)
	if err != nil {
		return c, err
	}
	from := c.State
	if c.State, err = moves.Next(from, act, who); err != nil {
		return c, err
	}
	note, err := do(&c)
	if err != nil {
		return c, err
	}
	if err := updateCase(ctx, tx, &c, from); err != nil {
		return c, err
	}
	return c, audit.Record(ctx, tx, who, "certification."+string(act), id, note)
}

// Assign gives a case to a laboratory that is appointed for such products now; an empty id keeps it with the operator.
func (s *Service) Assign(ctx context.Context, who access.Actor, id, laboratory string) (Case, error) {
	if err := who.Check(access.RecordCertification); err != nil {
		return Case{}, err
	}
	return s.act(ctx, who, id, Assign, func(tx *store.Tx, c *Case) (string, error) {
		c.Laboratory = laboratory
		if laboratory == "" {
			return "to the operator", nil
		}
		return "to laboratory " + laboratory, s.appointed(ctx, tx, c)
	})
}

// Withdraw ends a case that is not decided yet. Its maker does.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, id string) (Case, error) {
	if err := who.Check(access.ApplyCertification); err != nil {
		return Case{}, err
	}
	return s.act(ctx, who, id, Withdraw, func(_ *store.Tx, c *Case) (string, error) {
		c.DecidedBy, c.DecidedAt = who.User, at(s.now().UnixMilli())
		return "", nil
	})
}

// A Result is how a case ended.
type Result struct {
	Passed     bool
	Report     string    // number of the report
	Note       string    // for the maker
	ValidFrom  time.Time // of the certificate; for a pass only, as what follows
	ValidUntil time.Time // excluded
	Conditions string
}

func (r *Result) check(now time.Time) error {
	if err := checkText("/report", r.Report, 1, maxReport); err != nil {
		return err
	}
	if err := checkText("/note", r.Note, 0, maxText); err != nil {
		return err
	}
	if r.Passed {
		if err := checkText("/conditions", r.Conditions, 0, maxText); err != nil {
			return err
		}
		return checkSpan(r.ValidFrom, r.ValidUntil, now)
	}
	if !r.ValidFrom.IsZero() || !r.ValidUntil.IsZero() || r.Conditions != "" {
		return fault.Invalid("/result", "failed", "no validity and no conditions with it", "leave valid_from, valid_until and conditions out")
	}
	if r.Note == "" {
		return fault.Invalid("/note", "empty", "what failed, for the maker", "")
	}
	return nil
}

// Record decides a case. A pass issues the certificate in the same transaction.
func (s *Service) Record(ctx context.Context, who access.Actor, id string, r Result) (Case, error) {
	if err := who.Check(access.RecordCertification); err != nil {
		return Case{}, err
	}
	r.ValidFrom, r.ValidUntil = at(millis(r.ValidFrom)), at(millis(r.ValidUntil))
	if err := r.check(s.now()); err != nil {
		return Case{}, err
	}
	act := Fail
	if r.Passed {
		act = Pass
	}
	return s.act(ctx, who, id, act, func(tx *store.Tx, c *Case) (string, error) { return "report " + r.Report, s.record(ctx, tx, who, c, r) })
}

func (s *Service) record(ctx context.Context, tx *store.Tx, who access.Actor, c *Case, r Result) error {
	if err := s.mayRecord(ctx, tx, who, c); err != nil {
		return err
	}
	var evidence int
	if err := tx.QueryRow(ctx, countEvidenceSQL, c.ID).Scan(&evidence); err != nil {
		return fmt.Errorf("counting the evidence of certification %s: %w", c.ID, err)
	}
	if evidence == 0 {
		return fault.Conflict("certification "+c.ID, "certification "+c.ID+" has no evidence yet")
	}
	c.Report, c.Note, c.DecidedBy, c.DecidedAt = r.Report, r.Note, who.User, at(s.now().UnixMilli())
	if !r.Passed {
		return s.tell(ctx, tx, c.Organisation, "certification.failed", map[string]string{"product": c.Product, "report": r.Report, "note": r.Note})
	}
	return s.issue(ctx, tx, c, r)
}

// mayRecord refuses who is not the one the case is assigned to, and who has an interest in it.
func (s *Service) mayRecord(ctx context.Context, tx *store.Tx, who access.Actor, c *Case) error {
	if _, limited := laboratoryOf(who); limited {
		if err := s.appointed(ctx, tx, c); err != nil {
			return err
		}
	} else if c.Laboratory != "" {
		return fault.Forbidden("recording a result", "somebody of laboratory "+c.Laboratory+", which the case is assigned to")
	}
	if who.User == "" {
		return nil
	}
	var one int
	switch err := tx.QueryRow(ctx, memberSQL, c.Organisation, who.User).Scan(&one); {
	case err == nil:
		return fault.Forbidden("recording a result", "somebody who is no member of the organisation that is certified")
	case errors.Is(err, store.ErrNoRows):
		return nil
	default:
		return fmt.Errorf("looking for a membership of user %s: %w", who.User, err)
	}
}

// Case returns a case that who sees.
func (s *Service) Case(ctx context.Context, who access.Actor, id string) (c Case, err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return Case{}, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		c, err = loadCase(ctx, v, who, id)
		return err
	})
	return c, err
}

// Revision is the number of a case's last change, for edits that rest on what was read.
func (s *Service) Revision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	c, err := loadCase(ctx, q, who, id)
	return c.Revision, err
}
