package entitlement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// An Override is what the operator decided for one organisation, whatever the bar of the service says.
type Override struct {
	ID           string
	Organisation string
	Service      string
	Allowed      bool
	Reason       string
	MadeBy       string
	From         time.Time
	Until        time.Time // zero: without an end
	CreatedAt    time.Time
	EndedAt      time.Time // before its time
}

// NewOverride is what an override is made of.
type NewOverride struct {
	Organisation string
	Service      string
	Allowed      bool
	From         time.Time // zero: now
	Until        time.Time // zero: without an end
	Reason       string    // the organisation reads it
}

// in says whether the override holds at a time.
func (o *Override) in(now time.Time) bool {
	return o.EndedAt.IsZero() && !o.From.After(now) && (o.Until.IsZero() || o.Until.After(now))
}

// Override lets an organisation use a service, or keeps it out, for a time. The newest that holds counts.
func (s *Service) Override(ctx context.Context, who access.Actor, n NewOverride) (Override, error) {
	if err := who.Check(access.ManageServices); err != nil {
		return Override{}, err
	}
	if err := Enforced("/service", n.Service); err != nil {
		return Override{}, err
	}
	if err := checkReason(n.Reason); err != nil {
		return Override{}, err
	}
	now := at(s.now().UnixMilli())
	if n.From.IsZero() {
		n.From = now
	}
	if n.From.Before(now) {
		return Override{}, fault.Invalid("/from", fault.Stamp(n.From), "now or a time to come", "leave it out to begin now")
	}
	if !n.Until.IsZero() && !n.Until.After(n.From) {
		return Override{}, fault.Invalid("/until", fault.Stamp(n.Until), "a time after from", "leave it out for no end")
	}
	o := Override{
		ID: newID(), Organisation: n.Organisation, Service: n.Service, Allowed: n.Allowed, Reason: n.Reason, MadeBy: who.User,
		From: at(n.From.UnixMilli()), Until: at(millis(n.Until)), CreatedAt: now,
	}
	return o, s.Store.Write(ctx, func(tx *store.Tx) error {
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM organisation WHERE id = ?", n.Organisation).Scan(&one)
		if errors.Is(err, store.ErrNoRows) {
			return fault.NotFound("organisation", n.Organisation)
		}
		if err != nil {
			return fmt.Errorf("looking for organisation %s: %w", n.Organisation, err)
		}
		_, err = tx.Exec(ctx, insertOverrideSQL, o.ID, o.Organisation, o.Service, flag(o.Allowed), o.Reason, o.MadeBy, o.From.UnixMilli(), millis(o.Until), now.UnixMilli())
		if err != nil {
			return fmt.Errorf("deciding about %s for organisation %s: %w", o.Service, o.Organisation, err)
		}
		if err := s.tellOverride(ctx, tx, &o); err != nil {
			return err
		}
		s.changed(tx, o.Organisation)
		return audit.Record(ctx, tx, who, "entitlement.override", o.ID, fmt.Sprintf("%s for %s, allowed %t: %s", o.Service, o.Organisation, o.Allowed, o.Reason))
	})
}

func (s *Service) tellOverride(ctx context.Context, tx *store.Tx, o *Override) error {
	data, err := called(o.Service)
	if err != nil {
		return err
	}
	data["reason"], data["outcome_en"], data["outcome_zh"] = o.Reason, "closed", "不可使用"
	if o.Allowed {
		data["outcome_en"], data["outcome_zh"] = "open", "可以使用"
	}
	return s.Notices.Send(ctx, tx, o.Organisation, "service.override", data)
}

// EndOverride ends an override before its time.
func (s *Service) EndOverride(ctx context.Context, who access.Actor, id, reason string) error {
	if err := who.Check(access.ManageServices); err != nil {
		return err
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		o, err := scanOverride(tx.QueryRow(ctx, "SELECT "+overrideColumns+" FROM entitlement_override WHERE id = ?", id))
		if errors.Is(err, store.ErrNoRows) {
			return fault.NotFound("override", id)
		}
		if err != nil {
			return fmt.Errorf("reading override %s: %w", id, err)
		}
		now := s.now()
		if !o.EndedAt.IsZero() || !o.Until.IsZero() && !o.Until.After(now) {
			return fault.Closed[Act]("end", "ended", nil)
		}
		if _, err := tx.Exec(ctx, "UPDATE entitlement_override SET ended_at = ? WHERE id = ?", now.UnixMilli(), id); err != nil {
			return fmt.Errorf("ending override %s: %w", id, err)
		}
		s.changed(tx, o.Organisation)
		return audit.Record(ctx, tx, who, "entitlement.override_end", id, reason)
	})
}

const (
	overrideColumns = `id, organisation, service, allowed, reason, made_by, from_at, until_at, created_at, ended_at`

	insertOverrideSQL = `
		INSERT INTO entitlement_override (` + overrideColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`

	overridesSQL = `
		SELECT ` + overrideColumns + `
		FROM entitlement_override
		WHERE organisation = ? AND ended_at = 0 AND (until_at = 0 OR until_at > ?)
		ORDER BY id`
)

func scanOverride(row listing.Scanner) (Override, error) {
	var o Override
	var allowed int
	var from, until, created, ended int64
	err := row.Scan(&o.ID, &o.Organisation, &o.Service, &allowed, &o.Reason, &o.MadeBy, &from, &until, &created, &ended)
	o.Allowed = allowed != 0
	o.From, o.Until, o.CreatedAt, o.EndedAt = at(from), at(until), at(created), at(ended)
	return o, err
}

// Overrides lists overrides, the newest first: those of who's organisation, or all to the operator's people.
func (s *Service) Overrides(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Override], error) {
	if !who.Everywhere() {
		ask = within(ask, who.Organisation)
	}
	return readList(ctx, s, who, access.ReadEntitlement, overrides(), ask)
}

func overrides() *listing.List[Override] {
	return &listing.List[Override]{
		Object: "override", Columns: overrideColumns, From: "entitlement_override", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "service"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"service"}, Bound: "the operator decides about an organisation some dozen times"},
			{Filters: []string{"service"}},
		},
		Scan: scanOverride,
	}
}
