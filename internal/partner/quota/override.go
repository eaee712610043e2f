package quota

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Purpose is why a limit is another than usual.
type Purpose string

// The purposes.
const (
	Set      Purpose = "set"      // more or less, as agreed
	Throttle Purpose = "throttle" // abnormal use is slowed down
	CutOff   Purpose = "cut_off"  // abnormal use is ended
	AskLess  Purpose = "adjust"   // the organisation is asked to use less by From; then the limit falls by itself
)

// An Override is a limit's value for a subject, and for what belongs to it.
type Override struct {
	ID           string
	Subject      Subject // Kind and ID
	Organisation string
	Limit        Limit
	Purpose      Purpose
	Value        int64
	Reason       string
	From, Until  time.Time // Until zero: no end
	Created      time.Time
	By           string // user id
	Answer       string // of the organisation that was asked
	Answered     time.Time
	Lifted       time.Time
}

// NewOverride is what an override is made of.
type NewOverride struct {
	Subject Subject
	Limit   Limit
	Purpose Purpose
	Value   int64
	Reason  string
	From    time.Time // zero: now
	Until   time.Time
}

// Override sets a limit for a subject. Who asks for less (AskLess) names the day from which it holds; a cut off is a
// value of 0. The organisation is told.
func (s *Service) Override(ctx context.Context, who access.Actor, n NewOverride) (Override, error) {
	if err := who.Check(access.ManageQuota); err != nil {
		return Override{}, err
	}
	now := s.c.Now()
	if n.From.IsZero() {
		n.From = now
	}
	if err := n.check(now); err != nil {
		return Override{}, err
	}
	o := Override{
		ID: newID(), Subject: n.Subject, Organisation: n.Subject.Organisation, Limit: n.Limit, Purpose: n.Purpose, Value: n.Value, Reason: n.Reason,
		From: moment(n.From.UnixMilli()), Created: moment(now.UnixMilli()), By: who.User,
	}
	if !n.Until.IsZero() {
		o.Until = moment(n.Until.UnixMilli())
	}
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if err := insertOverride(ctx, tx, o); err != nil {
			return err
		}
		told := Notice{Organisation: o.Organisation, Subject: o.Subject, Limit: o.Limit, Kind: Changed, Value: o.Value, Note: o.Reason, At: now}
		if o.Purpose == AskLess {
			told.Kind = Adjust
		}
		if err := s.changed(ctx, tx, told); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "quota."+string(o.Purpose), o.Subject.Kind+" "+o.Subject.ID, fmt.Sprintf("%s %d: %s", o.Limit, o.Value, o.Reason))
	})
	if err != nil {
		return Override{}, err
	}
	return o, s.learn(ctx)
}

// changed notes that overrides are others than before, and what the organisation is told of it.
func (s *Service) changed(ctx context.Context, tx *store.Tx, n Notice) error {
	if _, err := tx.Exec(ctx, "INSERT INTO quota_change (at) VALUES (?)", n.At.UnixMilli()); err != nil {
		return fmt.Errorf("noting a changed limit: %w", err)
	}
	tx.AfterCommit(s.look)
	if n.Organisation == "" {
		return nil
	}
	return note(ctx, tx, n)
}

// look makes Run look for what is new now.
func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (n *NewOverride) check(now time.Time) error {
	spec := n.Limit.Spec()
	switch {
	case n.Subject.Kind == "" || n.Subject.ID == "" && n.Subject.Kind != KindPlatform:
		return fault.Invalid("/subject", n.Subject.Kind+" "+n.Subject.ID, "the kind and id of whom it is for", "")
	case n.Purpose != Set && n.Purpose != Throttle && n.Purpose != CutOff && n.Purpose != AskLess:
		return fault.Invalid("/purpose", string(n.Purpose), `"set", "throttle", "cut_off" or "adjust"`, "")
	case n.Value < 0 || n.Value > spec.Max:
		return fault.Invalid("/value", strconv.FormatInt(n.Value, 10), fmt.Sprintf("0 to %d %s", spec.Max, spec.Unit), "")
	case n.Purpose == CutOff && n.Value != 0:
		return fault.Invalid("/value", strconv.FormatInt(n.Value, 10), "0, because it cuts off", `send "throttle" to slow down`)
	case n.Reason == "":
		return fault.Invalid("/reason", "", "a reason that the organisation will read", "say why")
	case n.Purpose == AskLess && !n.From.After(now):
		return fault.Invalid("/from", fault.Stamp(n.From), "a time to come by which less is to be used", "")
	case !n.Until.IsZero() && (!n.Until.After(n.From) || !n.Until.After(now)):
		return fault.Invalid("/until", fault.Stamp(n.Until), "a time later than now and than from", "")
	}
	return nil
}

// Answer keeps what an organisation says of being asked to use less.
func (s *Service) Answer(ctx context.Context, who access.Actor, id, answer string) (o Override, err error) {
	if err := who.Check(access.WriteOrganisation); err != nil {
		return o, err
	}
	if answer == "" {
		return o, fault.Invalid("/answer", "", "what is done about it, and by when", "")
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if o, err = loadOverride(ctx, tx, who, id); err != nil {
			return err
		}
		switch {
		case o.Purpose != AskLess:
			return fault.Conflict("purpose", "only what asks to use less is answered")
		case !o.Lifted.IsZero():
			return fault.Closed[string]("answer", "lifted", nil)
		}
		o.Answer, o.Answered = answer, moment(s.c.Now().UnixMilli())
		_, err := tx.Exec(ctx, "UPDATE quota_override SET answer = ?, answered_at = ? WHERE id = ? AND organisation = ?",
			answer, o.Answered.UnixMilli(), id, o.Organisation)
		if err != nil {
			return fmt.Errorf("keeping the answer about %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "quota.answer", id, "")
	})
	return o, err
}

// Lift ends an override now.
func (s *Service) Lift(ctx context.Context, who access.Actor, id, reason string) (o Override, err error) {
	if err := who.Check(access.ManageQuota); err != nil {
		return o, err
	}
	now := s.c.Now()
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if o, err = loadOverride(ctx, tx, who, id); err != nil {
			return err
		}
		if !o.Lifted.IsZero() {
			return fault.Closed[string]("lift", "lifted", nil)
		}
		o.Lifted = moment(now.UnixMilli())
		if _, err := tx.Exec(ctx, "UPDATE quota_override SET lifted_at = ? WHERE id = ? AND lifted_at = 0", now.UnixMilli(), id); err != nil {
			return fmt.Errorf("lifting override %s: %w", id, err)
		}
		err := s.changed(ctx, tx, Notice{Organisation: o.Organisation, Subject: o.Subject, Limit: o.Limit, Kind: Changed, Value: o.Limit.Spec().Default, Note: reason, At: now})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "quota.lift", id, reason)
	})
	if err != nil {
		return o, err
	}
	return o, s.learn(ctx)
}

// An Ask narrows the list of overrides. Only who sees all organisations may leave Organisation empty, or name another.
type Ask struct {
	listing.Ask
	Organisation string
}

func overrideList() *listing.List[Override] {
	return &listing.List[Override]{
		Object: "override", Columns: overrideColumns, From: "quota_override", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}},
		Ways:   []listing.Way{{}, {Filters: []string{"organisation"}}},
		Scan:   scanOverride,
	}
}

// Overrides lists overrides, newest first: those of who's organisation, all for the operator's people.
func (s *Service) Overrides(ctx context.Context, who access.Actor, ask Ask) (page listing.Page[Override], err error) {
	if err := who.Check(access.ReadQuota); err != nil {
		return page, err
	}
	if !who.Everywhere() {
		ask.Organisation = who.Organisation
	}
	ask.Filters = map[string]string{"organisation": ask.Organisation}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = overrideList().Read(ctx, v, ask.Ask)
		return err
	})
	return page, err
}

const overrideColumns = `id, subject_kind, subject, organisation, name, purpose, value, reason, from_at, until_at, created_at,
	created_by, answer, answered_at, lifted_at`

func scanOverride(row listing.Scanner) (Override, error) {
	var o Override
	var name string
	var from, until, created, answered, lifted int64
	err := row.Scan(&o.ID, &o.Subject.Kind, &o.Subject.ID, &o.Organisation, &name, &o.Purpose, &o.Value, &o.Reason, &from, &until, &created,
		&o.By, &o.Answer, &answered, &lifted)
	if err != nil {
		return o, err
	}
	o.Subject.Organisation = o.Organisation
	o.From, o.Until, o.Created, o.Answered, o.Lifted = moment(from), moment(until), moment(created), moment(answered), moment(lifted)
	o.Limit, err = ParseLimit(name)
	return o, err
}

func insertOverride(ctx context.Context, tx *store.Tx, o Override) error {
	until := int64(0)
	if !o.Until.IsZero() {
		until = o.Until.UnixMilli()
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO quota_override (id, subject_kind, subject, organisation, name, purpose, value, reason, from_at, until_at,
			created_at, created_by, answer, answered_at, lifted_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0)`,
		o.ID, o.Subject.Kind, o.Subject.ID, o.Organisation, o.Limit.String(), o.Purpose, o.Value, o.Reason, o.From.UnixMilli(), until,
		o.Created.UnixMilli(), o.By)
	if err != nil {
		return fmt.Errorf("setting %s of %s %s: %w", o.Limit, o.Subject.Kind, o.Subject.ID, err)
	}
	return nil
}

func loadOverride(ctx context.Context, q store.Querier, who access.Actor, id string) (Override, error) {
	where, args := " WHERE id = ?", []any{id}
	if !who.Everywhere() {
		where, args = where+" AND organisation = ?", append(args, who.Organisation)
	}
	o, err := scanOverride(q.QueryRow(ctx, "SELECT "+overrideColumns+" FROM quota_override"+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return o, fault.NotFound("override", id)
	}
	if err != nil {
		return o, fmt.Errorf("reading override %s: %w", id, err)
	}
	return o, nil
}

// levels are the subjects whose overrides hold for of, the nearest first.
func (of Subject) levels() [4]struct{ kind, id string } {
	out := [4]struct{ kind, id string }{{of.Kind, of.ID}}
	n := 1
	if of.Product != "" && of.Kind != KindProduct {
		out[n] = struct{ kind, id string }{KindProduct, of.Product}
		n++
	}
	if of.Organisation != "" && of.Kind != KindOrganisation {
		out[n] = struct{ kind, id string }{KindOrganisation, of.Organisation}
		n++
	}
	out[n] = struct{ kind, id string }{KindPlatform, ""}
	return out
}

// inForce is the value of l for a subject now, as q sees it, and the id of the override that gives it (empty: none does).
func inForce(ctx context.Context, q store.Querier, of Subject, l Limit, now time.Time) (int64, string, error) {
	for _, level := range of.levels() {
		if level.kind == "" {
			break
		}
		var value int64
		var id string
		err := q.QueryRow(ctx, `
			SELECT value, id
			FROM quota_override
			WHERE subject_kind = ? AND subject = ? AND name = ? AND lifted_at = 0 AND from_at <= ? AND (until_at = 0 OR until_at > ?)
			ORDER BY id DESC
			LIMIT 1`, level.kind, level.id, l.String(), now.UnixMilli(), now.UnixMilli()).Scan(&value, &id)
		if err == nil {
			return value, id, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, "", fmt.Errorf("reading the limit %s of %s %s: %w", l, of.Kind, of.ID, err)
		}
	}
	return l.Spec().Default, "", nil
}
