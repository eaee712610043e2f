package entitlement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A BarKind is how a service is entered.
type BarKind string

// The kinds of a bar.
const (
	Open          BarKind = "open"
	ByApplication BarKind = "application"
	ByAgreement   BarKind = "agreement" // by accepting an agreement of its own
	Paid          BarKind = "paid"      // by a plan; recorded, not charged
)

// A Bar is what an organisation has to fulfil before it may use a service (准入门槛).
type Bar struct {
	ID             string
	Service        string
	Kind           BarKind
	Agreement      string         // id, where Kind is ByAgreement
	Kinds          []account.Kind // organisations of one of these; empty: of all
	Level          int            // of verification, at least; 0: none
	Qualifications []string       // all are needed
	Announcement   string
	Reason         string
	EffectiveAt    time.Time
	CreatedAt      time.Time
	CancelledAt    time.Time

	announcementState   string
	announcementEndedAt int64
}

// NewBar is what a bar is made of.
type NewBar struct {
	Service        string
	Kind           BarKind
	Agreement      string
	Kinds          []account.Kind
	Level          int
	Qualifications []string
	Announcement   string // where the bar rises
	Emergency      bool   // it rises at once, without announcement
	Reason         string
}

const maxLevel = 9

func (n NewBar) check() error {
	if _, err := find("/service", n.Service); err != nil {
		return err
	}
	if !slices.Contains([]BarKind{Open, ByApplication, ByAgreement, Paid}, n.Kind) {
		return fault.Invalid("/kind", string(n.Kind), "open, application, agreement or paid", "")
	}
	if (n.Kind == ByAgreement) != (n.Agreement != "") {
		return fault.Invalid("/agreement", n.Agreement, "the id of an agreement where the kind is agreement, and none elsewhere", "")
	}
	if n.Level < 0 || n.Level > maxLevel {
		return fault.Invalid("/level", fmt.Sprint(n.Level), fmt.Sprintf("an integer from 0 to %d", maxLevel), "")
	}
	for i, k := range n.Kinds {
		if !slices.ContainsFunc(account.Kinds(), func(known account.KindName) bool { return known.Kind == k }) {
			return fault.Invalid(fmt.Sprintf("/kinds/%d", i), string(k), account.KindRule(), "choose one of them")
		}
	}
	if len(n.Qualifications) > 20 {
		return fault.Invalid("/qualifications", fmt.Sprint(len(n.Qualifications)), "at most 20", "")
	}
	for i, q := range n.Qualifications {
		if q == "" || len(q) > 64 || !plain(q) {
			return fault.Invalid(fmt.Sprintf("/qualifications/%d", i), q, "the name of a qualification", "GET /api/v1/verification/catalogue lists them")
		}
	}
	return checkReason(n.Reason)
}

// qualify refuses a qualification that there is none of: nobody could pass the bar, or be told why.
func (s *Service) qualify(n NewBar) error {
	if s.Qualifications == nil {
		return nil
	}
	all := s.Qualifications()
	for i, q := range n.Qualifications {
		if !slices.Contains(all, q) {
			return fault.Unlisted(fmt.Sprintf("/qualifications/%d", i), q, all, "GET /api/v1/verification/catalogue")
		}
	}
	return nil
}

// rises says whether the bar may keep somebody out who was in.
func (n NewBar) rises() bool {
	return n.Kind != Open || len(n.Kinds) > 0 || n.Level > 0 || len(n.Qualifications) > 0
}

// SetBar gives a service another bar: an open one at once, another at the date of its announcement.
func (s *Service) SetBar(ctx context.Context, who access.Actor, n NewBar) (Bar, error) {
	if err := who.Check(access.ManageServices); err != nil {
		return Bar{}, err
	}
	if err := n.check(); err != nil {
		return Bar{}, err
	}
	if err := s.qualify(n); err != nil {
		return Bar{}, err
	}
	if n.rises() { // an open one takes back what was set before this was asked
		if err := Enforced("/service", n.Service); err != nil {
			return Bar{}, err
		}
	}
	now := at(s.now().UnixMilli())
	b := Bar{
		ID: newID(), Service: n.Service, Kind: n.Kind, Agreement: n.Agreement, Kinds: n.Kinds, Level: n.Level, Qualifications: n.Qualifications,
		Announcement: n.Announcement, Reason: n.Reason, EffectiveAt: now, CreatedAt: now,
	}
	if n.Emergency {
		ctx = store.Urgent(ctx)
	}
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		if n.Kind == ByAgreement {
			if err := s.agreementFits(ctx, tx, n.Agreement); err != nil {
				return err
			}
		}
		if n.rises() && !n.Emergency {
			var err error
			if b.EffectiveAt, err = s.announced(ctx, tx, who, n.Service, n.Announcement); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, insertBarSQL, b.ID, b.Service, string(b.Kind), b.Agreement, array(b.Kinds), b.Level, array(b.Qualifications),
			b.Announcement, b.Reason, b.EffectiveAt.UnixMilli(), b.CreatedAt.UnixMilli()); err != nil {
			return fmt.Errorf("setting the bar of %s: %w", n.Service, err)
		}
		s.changed(tx, "")
		return audit.Record(ctx, tx, who, "service.bar", n.Service, fmt.Sprintf("%s %s from %s: %s", b.ID, n.Kind, fault.Stamp(b.EffectiveAt), n.Reason))
	})
	return b, err
}

// agreementFits refuses a bar that nobody could pass.
func (s *Service) agreementFits(ctx context.Context, q store.Querier, id string) error {
	var subject string
	err := q.QueryRow(ctx, "SELECT subject FROM agreement WHERE id = ?", id).Scan(&subject)
	if errors.Is(err, store.ErrNoRows) {
		return fault.NotFound("agreement", id)
	}
	if err != nil {
		return fmt.Errorf("reading agreement %s: %w", id, err)
	}
	if subject != "organisation" {
		return fault.Conflict("/agreement", "the agreement is one for the "+subject+" to accept, not for the organisation")
	}
	return nil
}

// CancelBar takes back a bar whose date has not come.
func (s *Service) CancelBar(ctx context.Context, who access.Actor, id, reason string) error {
	return s.cancel(ctx, who, "bar", "entitlement_bar", id, reason)
}

// cancel takes back what has not taken effect.
func (s *Service) cancel(ctx context.Context, who access.Actor, what, table, id, reason string) error {
	if err := who.Check(access.ManageServices); err != nil {
		return err
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		var effective, cancelled int64
		err := tx.QueryRow(ctx, "SELECT effective_at, cancelled_at FROM "+table+" WHERE id = ?", id).Scan(&effective, &cancelled)
		if errors.Is(err, store.ErrNoRows) {
			return fault.NotFound(what, id)
		}
		if err != nil {
			return fmt.Errorf("reading %s %s: %w", what, id, err)
		}
		now := s.now().UnixMilli()
		if cancelled != 0 || effective <= now {
			return fault.Conflict("state", "the "+what+" is in effect or cancelled already; set another")
		}
		if _, err := tx.Exec(ctx, "UPDATE "+table+" SET cancelled_at = ? WHERE id = ?", now, id); err != nil {
			return fmt.Errorf("cancelling %s %s: %w", what, id, err)
		}
		s.changed(tx, "")
		return audit.Record(ctx, tx, who, "service."+what+"_cancel", id, reason)
	})
}

const (
	insertBarSQL = `
		INSERT INTO entitlement_bar (id, service, kind, agreement, kinds, level, qualifications, announcement, reason, effective_at, created_at, cancelled_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`

	barColumns = `b.id, b.service, b.kind, b.agreement, b.kinds, b.level, b.qualifications, b.announcement, b.reason, b.effective_at, b.created_at,
		b.cancelled_at, COALESCE(a.state, ''), COALESCE(a.ended_at, 0)`

	barFrom = "entitlement_bar b LEFT JOIN notice_announcement a ON a.id = b.announcement"
)

func scanBar(row listing.Scanner) (Bar, error) {
	var b Bar
	var kinds, qualifications string
	var effective, created, cancelled int64
	err := row.Scan(&b.ID, &b.Service, &b.Kind, &b.Agreement, &kinds, &b.Level, &qualifications, &b.Announcement, &b.Reason, &effective, &created,
		&cancelled, &b.announcementState, &b.announcementEndedAt)
	if err != nil {
		return Bar{}, err
	}
	b.EffectiveAt, b.CreatedAt, b.CancelledAt = at(effective), at(created), at(cancelled)
	return b, errors.Join(json.Unmarshal([]byte(kinds), &b.Kinds), json.Unmarshal([]byte(qualifications), &b.Qualifications))
}

// stands says whether what was announced still holds: its announcement was not taken back before the date.
func stands(announcement, state string, ended int64, effective time.Time) bool {
	return announcement == "" || state == "published" || ended >= effective.UnixMilli()
}

// Bars lists the bars of services, the newest first.
func (s *Service) Bars(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Bar], error) {
	return readList(ctx, s, who, access.ManageServices, bars(), ask)
}

func bars() *listing.List[Bar] {
	return &listing.List[Bar]{
		Object: "bar", Columns: barColumns, From: barFrom, Key: "b.id", Newest: true,
		Fields: []listing.Field{{Name: "service", Column: "b.service"}},
		Ways:   []listing.Way{{}, {Filters: []string{"service"}}},
		Scan:   scanBar,
	}
}

// readList reads a list for whoever may act.
func readList[T any](ctx context.Context, s *Service, who access.Actor, act access.Act, l *listing.List[T], ask listing.Ask) (listing.Page[T], error) {
	var page listing.Page[T]
	if err := who.Check(act); err != nil {
		return page, err
	}
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		page, err = l.Read(ctx, v, ask)
		return err
	})
	return page, err
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and slices of strings and numbers always encode
	}
	return string(b)
}

func array[T any](all []T) string {
	if len(all) == 0 {
		return "[]"
	}
	return marshal(all)
}
