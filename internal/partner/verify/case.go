package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Case is the verification of one organisation.
type Case struct {
	Organisation string
	Version      int64 // grows with each change
	State        State
	Form         Form           // of what was approved; empty: nothing was
	Kinds        []account.Kind // that were approved
	Submission   int            // number of the newest; 0: none
	Approved     int            // number of the one that was approved last
	SubmittedAt  time.Time
	ExpiresAt    time.Time // zero: never, or nothing is approved
	DueAt        time.Time // zero: nothing is asked for
	Ask          *Ask      // what is asked for, until its answer is approved, it is cleared, or its consequence follows
	Reviewer     string    // user id of who works on it
	ClaimedAt    time.Time
	UpdatedAt    time.Time

	warned    int
	revokedBy string
	draft     []byte
	isNew     bool // there is no row yet
}

// An Ask is what a reviewer asks of an organisation by a date.
type Ask struct {
	Text        string   `json:"text"`
	Papers      []string `json:"papers"`      // slots
	Consequence string   `json:"consequence"` // LevelDrops, EndsAgreement
	By          string   `json:"by"`          // user id
	At          int64    `json:"at"`          // ms; papers from before do not answer it
}

// Open lists the acts that who may do with the case now.
func (c *Case) Open(who access.Actor) []Act { return moves.Open(c.State, who) }

// Holds says whether what was approved holds at a time.
func (c *Case) Holds(at time.Time) bool {
	return c.State.Holds() && (c.ExpiresAt.IsZero() || at.Before(c.ExpiresAt)) &&
		!c.overdue(at)
}

// load reads the case of an organisation that who sees. One that has never begun is unverified.
func (s *Service) load(ctx context.Context, q store.Querier, who access.Actor, organisation string) (*Case, error) {
	if !who.Sees(organisation) {
		return nil, fault.NotFound("organisation", organisation)
	}
	c, err := scanCase(q.QueryRow(ctx, "SELECT "+caseColumns+" FROM verify_case WHERE organisation = ?", organisation))
	if errors.Is(err, store.ErrNoRows) {
		if _, err := account.KindsOf(ctx, q, organisation); err != nil {
			return nil, err
		}
		return &Case{Organisation: organisation, State: Unverified, isNew: true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the verification of organisation %s: %w", organisation, err)
	}
	return c, nil
}

// Load returns the verification of an organisation.
func (s *Service) Load(ctx context.Context, who access.Actor, organisation string) (c *Case, err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return nil, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		c, err = s.load(ctx, v, who, organisation)
		return err
	})
	return c, err
}

// Version is the number of the case's last change, for edges that hold an act to what somebody saw.
func (s *Service) Version(ctx context.Context, q store.Querier, who access.Actor, organisation string) (int64, error) {
	c, err := s.load(ctx, q, who, organisation)
	if err != nil {
		return 0, err
	}
	return c.Version, nil
}

// change carries out do on the case of an organisation and writes what came of it, with one entry of the audit, in one
// transaction. Do gives the note of the entry.
func (s *Service) change(ctx context.Context, who access.Actor, organisation, name string, do func(tx *store.Tx, c *Case) (note string, err error)) (c *Case, err error) {
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if c, err = s.load(ctx, tx, who, organisation); err != nil {
			return err
		}
		note, err := do(tx, c)
		if err != nil {
			return err
		}
		if err := s.save(ctx, tx, c); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "verification."+name, organisation, note)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// move puts the case into the state that act leads to.
func (c *Case) move(act Act, who access.Actor) error {
	to, err := moves.Next(c.State, act, who)
	if err != nil {
		return err
	}
	c.State = to
	if act.settles() {
		c.DueAt, c.Ask = time.Time{}, nil
	}
	if !to.waits() {
		c.Reviewer, c.ClaimedAt = "", time.Time{}
	}
	return nil
}

// warnings are how many days ahead an organisation is told that something expires.
func warnings() []int { return []int{60, 30, 7} }

// nextWarning is when the next warning about an end is due; zero: all were given.
func nextWarning(end time.Time, warned int) time.Time {
	if end.IsZero() {
		return time.Time{}
	}
	for _, days := range warnings() {
		if warned == 0 || days < warned {
			return end.Add(-time.Duration(days) * day)
		}
	}
	return time.Time{}
}

// next is when the clock has something to do with the case; zero: never.
func (c *Case) next() time.Time {
	var at time.Time
	if c.State.Holds() {
		warning := nextWarning(c.ExpiresAt, c.warned)
		at = earliest(c.ExpiresAt, warning)
	}
	if c.owes() {
		at = earliest(at, c.DueAt)
	}
	return at
}

// owes says whether the organisation has still to answer what is asked for. While its answer waits for a review it does not;
// when that is rejected it does again, by the same date.
func (c *Case) owes() bool { return c.Ask != nil && !c.State.waits() }

// overdue says whether what is asked for has not come by its date.
func (c *Case) overdue(at time.Time) bool { return c.owes() && !c.DueAt.After(at) }

// earliest is the first of two times; zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// notMember refuses a reviewer who is a member of the organisation.
func notMember(ctx context.Context, q store.Querier, who access.Actor, organisation string) error {
	var n int
	err := q.QueryRow(ctx, "SELECT COUNT(*) FROM member WHERE organisation = ? AND user_id = ?", organisation, who.User).Scan(&n)
	if err != nil {
		return fmt.Errorf("looking whether user %s is a member of organisation %s: %w", who.User, organisation, err)
	}
	if n > 0 {
		return fault.Forbidden(string(access.ReviewVerification), "a reviewer who is not a member of the organisation")
	}
	return nil
}
