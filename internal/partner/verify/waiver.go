package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Waiver is a condition that the operator does not ask for, in writing (书面豁免).
type Waiver struct {
	ID           string
	Organisation string
	Condition    string // field.NAME, paper.SLOT, qualification.NAME
	Reason       string
	Wording      string // the waiver itself
	Paper        string // id of a paper that has it; may be empty
	Starts, Ends time.Time
	By           string // user id
	Given        time.Time
	RevokedBy    string
	Revoked      time.Time // zero: it stands
	RevokedFor   string
}

// InForce says whether the waiver holds at a time.
func (w *Waiver) InForce(at time.Time) bool {
	return w.Revoked.IsZero() && !at.Before(w.Starts) && at.Before(w.Ends)
}

// longestWaiver is how long a waiver may last: then somebody looks again.
const longestWaiver = 2 * 366 * day

// Waive waives a condition for an organisation. Organisation, Condition, Reason, Wording, Paper, Starts and Ends are the caller's.
func (s *Service) Waive(ctx context.Context, who access.Actor, w Waiver) (Waiver, error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return w, err
	}
	now := s.now()
	if w.Starts.Before(now) {
		w.Starts = now
	}
	w.Starts, w.Ends = moment(ms(w.Starts)), moment(ms(w.Ends))
	if err := s.checkWaiver(&w); err != nil {
		return w, err
	}
	w.ID, w.By, w.Given = newID(), who.User, now
	w.RevokedBy, w.Revoked, w.RevokedFor = "", time.Time{}, ""
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.load(ctx, tx, who, w.Organisation); err != nil {
			return err
		}
		if err := notMember(ctx, tx, who, w.Organisation); err != nil {
			return err
		}
		if w.Paper != "" {
			if _, err := s.paper(ctx, tx, who, w.Organisation, w.Paper); err != nil {
				return err
			}
		}
		return s.enterWaiver(ctx, tx, who, &w)
	})
	return w, err
}

func (s *Service) checkWaiver(w *Waiver) error {
	switch all := s.catalogue.conditions(); {
	case !slices.Contains(all, w.Condition):
		return fault.Unlisted("/condition", w.Condition, all, catalogueRoute)
	case !w.Ends.After(w.Starts) || w.Ends.After(w.Starts.Add(longestWaiver)):
		return fault.Invalid("/ends_at", fault.Stamp(w.Ends), "a time later than the start, by two years at most", "")
	}
	if err := text("/reason", w.Reason, 1, 2000); err != nil {
		return err
	}
	return text("/wording", w.Wording, 1, 8000)
}

func (s *Service) enterWaiver(ctx context.Context, tx *store.Tx, who access.Actor, w *Waiver) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO verify_waiver (id, organisation, condition, reason, wording, paper, starts_at, ends_at, given_by, given_at, revoked_by, revoked_at, revoked_for)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '')`, w.ID, w.Organisation, w.Condition, w.Reason, w.Wording, w.Paper,
		ms(w.Starts), ms(w.Ends), w.By, ms(w.Given))
	if err != nil {
		return fmt.Errorf("entering a waiver of %s: %w", w.Condition, err)
	}
	err = s.tell(ctx, tx, w.Organisation, "verification.waived", map[string]string{
		"condition": w.Condition, "until": fault.Stamp(w.Ends), "reason": w.Reason,
	})
	if err != nil {
		return err
	}
	s.changed(tx, w.Organisation)
	return audit.Record(ctx, tx, who, "verification.waive", w.Organisation,
		fmt.Sprintf("waiver %s: %s from %s until %s", w.ID, w.Condition, fault.Stamp(w.Starts), fault.Stamp(w.Ends)))
}

// RevokeWaiver ends a waiver now.
func (s *Service) RevokeWaiver(ctx context.Context, who access.Actor, organisation, id, reason string) (w Waiver, err error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return w, err
	}
	if err := text("/reason", reason, 1, 2000); err != nil {
		return w, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if w, err = waiver(ctx, tx, who, organisation, id); err != nil {
			return err
		}
		if err := notMember(ctx, tx, who, organisation); err != nil {
			return err
		}
		if !w.Revoked.IsZero() || !s.now().Before(w.Ends) {
			return fault.Conflict("waiver "+id, "the waiver has ended already")
		}
		w.Revoked, w.RevokedBy, w.RevokedFor = s.now(), who.User, reason
		_, err = tx.Exec(ctx, "UPDATE verify_waiver SET revoked_at = ?, revoked_by = ?, revoked_for = ? WHERE id = ? AND revoked_at = 0",
			ms(w.Revoked), w.RevokedBy, w.RevokedFor, id)
		if err != nil {
			return fmt.Errorf("revoking waiver %s: %w", id, err)
		}
		if err := s.tell(ctx, tx, organisation, "verification.waiver_revoked", map[string]string{"condition": w.Condition, "reason": reason}); err != nil {
			return err
		}
		s.changed(tx, organisation)
		return audit.Record(ctx, tx, who, "verification.revoke_waiver", organisation, "waiver "+id+": "+w.Condition)
	})
	return w, err
}

const waiverColumns = `id, organisation, condition, reason, wording, paper, starts_at, ends_at, given_by, given_at, revoked_by, revoked_at, revoked_for`

func scanWaiver(row listing.Scanner) (w Waiver, err error) {
	var starts, ends, given, revoked int64
	err = row.Scan(&w.ID, &w.Organisation, &w.Condition, &w.Reason, &w.Wording, &w.Paper, &starts, &ends, &w.By, &given, &w.RevokedBy, &revoked, &w.RevokedFor)
	w.Starts, w.Ends, w.Given, w.Revoked = moment(starts), moment(ends), moment(given), moment(revoked)
	return w, err
}

func waiver(ctx context.Context, q store.Querier, who access.Actor, organisation, id string) (Waiver, error) {
	if !who.Sees(organisation) {
		return Waiver{}, fault.NotFound("waiver", id)
	}
	w, err := scanWaiver(q.QueryRow(ctx, "SELECT "+waiverColumns+" FROM verify_waiver WHERE id = ? AND organisation = ?", id, organisation))
	if errors.Is(err, store.ErrNoRows) {
		return w, fault.NotFound("waiver", id)
	}
	if err != nil {
		return w, fmt.Errorf("reading waiver %s: %w", id, err)
	}
	return w, nil
}

// Waivers lists waivers, newest first: those of who's organisation, all for the operator's people. Filters: organisation,
// condition.
func (s *Service) Waivers(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Waiver], err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return page, err
	}
	if !who.Everywhere() {
		if asked := ask.Filters["organisation"]; asked != "" && !who.Sees(asked) {
			return page, fault.NotFound("organisation", asked)
		}
		ask.Filters = with(ask.Filters, "organisation", who.Organisation)
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = waiverList().Read(ctx, v, ask)
		return err
	})
	return page, err
}

func waiverList() *listing.List[Waiver] {
	return &listing.List[Waiver]{
		Object: "waiver", Columns: waiverColumns, From: "verify_waiver", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "condition"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"condition"}, Bound: "an organisation has few waivers"},
			{Filters: []string{"condition"}},
		},
		Scan: func(row listing.Scanner) (Waiver, error) { return scanWaiver(row) },
	}
}

// waivers reads the waivers of an organisation that are in force.
func waivers(ctx context.Context, q store.Querier, organisation string, now time.Time) (out []Waiver, err error) {
	rows, err := q.Query(ctx, "SELECT "+waiverColumns+`
		FROM verify_waiver
		WHERE organisation = ? AND revoked_at = 0 AND starts_at <= ? AND ends_at > ?
		ORDER BY id LIMIT 1000`, organisation, ms(now), ms(now))
	if err != nil {
		return nil, fmt.Errorf("reading the waivers of organisation %s: %w", organisation, err)
	}
	defer rows.Close()
	for rows.Next() {
		w, err := scanWaiver(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// waived lists the conditions that are waived for an organisation now.
func waived(ctx context.Context, q store.Querier, organisation string, now time.Time) (out []string, err error) {
	ws, err := waivers(ctx, q, organisation, now)
	for i := range ws {
		if !slices.Contains(out, ws[i].Condition) {
			out = append(out, ws[i].Condition)
		}
	}
	return out, err
}
