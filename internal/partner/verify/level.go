package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Grant is a qualification that an organisation holds.
type Grant struct {
	Qualification string
	Submission    int
	GrantedAt     time.Time
	EndsAt        time.Time // zero: with the verification
	WaivedBy      string    // id of the waiver it is held by, if it is held by none of the papers
}

// A Standing is who an organisation is now, for those who ask.
type Standing struct {
	State  State
	Level  int
	Form   Form           // empty: nothing holds
	Kinds  []account.Kind // that hold
	Until  time.Time      // zero: no end, or nothing holds
	Grants []Grant
}

// Standing says what holds for an organisation now, as q sees it. It asks for no act: gates call it, within theirs.
func (s *Service) Standing(ctx context.Context, q store.Querier, organisation string) (st Standing, err error) {
	now := s.now()
	c, err := scanCase(q.QueryRow(ctx, "SELECT "+caseColumns+" FROM verify_case WHERE organisation = ?", organisation))
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return st, fmt.Errorf("reading the verification of organisation %s: %w", organisation, err)
	}
	st.State = Unverified
	if err == nil {
		st.State = c.State
		if c.Holds(now) {
			st.Form, st.Kinds, st.Until = c.Form, c.Kinds, c.ExpiresAt
			if st.Grants, err = grants(ctx, q, organisation, now); err != nil {
				return st, err
			}
		}
	}
	if st.State == Revoked { // who gave false papers is waived nothing
		return st, nil
	}
	ws, err := waivers(ctx, q, organisation, now)
	if err != nil {
		return st, err
	}
	for _, w := range ws {
		name, ok := strings.CutPrefix(w.Condition, "qualification.")
		if ok && !st.holds(name) {
			st.Grants = append(st.Grants, Grant{Qualification: name, GrantedAt: w.Starts, EndsAt: w.Ends, WaivedBy: w.ID})
		}
	}
	st.Level = s.catalogue.level(&st)
	return st, nil
}

func (st *Standing) holds(qualification string) bool {
	return slices.ContainsFunc(st.Grants, func(g Grant) bool { return g.Qualification == qualification })
}

// level is the highest whose conditions hold.
func (c *Catalogue) level(st *Standing) int {
	if st.Form == "" {
		return 0
	}
	for _, l := range slices.Backward(c.Levels) {
		if slices.Contains(l.Forms, st.Form) && !slices.ContainsFunc(l.Qualifications, func(q string) bool { return !st.holds(q) }) {
			return l.Level
		}
	}
	return 0
}

// Level is the level of an organisation now: 0 unverified, 1 a person, 2 an organisation, 3 with extra qualifications, as the
// catalogue has them.
func (s *Service) Level(ctx context.Context, q store.Querier, organisation string) (int, error) {
	st, err := s.Standing(ctx, q, organisation)
	return st.Level, err
}

// Qualified says whether an organisation holds a qualification now: by approved papers that have not ended, or by a waiver.
func (s *Service) Qualified(ctx context.Context, q store.Querier, organisation, qualification string) (bool, error) {
	if s.catalogue.Qualification(qualification) == nil {
		return false, fmt.Errorf("asking for the qualification %q: there is none of that name", qualification)
	}
	st, err := s.Standing(ctx, q, organisation)
	return st.holds(qualification), err
}

// Require refuses an organisation that lacks one of the qualifications; the fault names what is missing.
func (s *Service) Require(ctx context.Context, q store.Querier, organisation string, qualifications ...string) error {
	st, err := s.Standing(ctx, q, organisation)
	if err != nil {
		return err
	}
	for _, name := range qualifications {
		spec := s.catalogue.Qualification(name)
		if spec == nil {
			return fmt.Errorf("asking for the qualification %q: there is none of that name", name)
		}
		if st.holds(name) {
			continue
		}
		f := fault.Forbidden("qualification "+name, "the qualification "+name+" ("+spec.Title["zh-CN"]+" / "+spec.Title["en"]+")")
		f.Got = name
		f.Fix = "submit the verification with the papers " + strings.Join(spec.Papers, ", ")
		return f
	}
	return nil
}

// RequireLevel refuses an organisation that is of a lower level, for what act needs it.
func (s *Service) RequireLevel(ctx context.Context, q store.Querier, organisation string, act access.Act, level int) error {
	st, err := s.Standing(ctx, q, organisation)
	if err != nil || st.Level >= level {
		return err
	}
	title := s.catalogue.Levels[min(level, len(s.catalogue.Levels)-1)].Title
	f := fault.Forbidden(string(act), fmt.Sprintf("verification of level %d (%s / %s); it is %s, of level %d", level, title["zh-CN"], title["en"], st.State, st.Level))
	f.Fix = "submit the verification: POST /api/v1/organisations/{organisation}/verification/submissions"
	return f
}

// Position returns what holds for an organisation, to somebody who may know.
func (s *Service) Position(ctx context.Context, who access.Actor, organisation string) (st Standing, err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return st, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := s.load(ctx, v, who, organisation); err != nil {
			return err
		}
		st, err = s.Standing(ctx, v, organisation)
		return err
	})
	return st, err
}

// grants reads the qualifications whose papers have not ended.
func grants(ctx context.Context, q store.Querier, organisation string, now time.Time) (out []Grant, err error) {
	rows, err := q.Query(ctx, `
		SELECT qualification, submission, granted_at, valid_until
		FROM verify_grant
		WHERE organisation = ? AND (valid_until = 0 OR valid_until > ?)
		ORDER BY qualification`, organisation, ms(now))
	if err != nil {
		return nil, fmt.Errorf("reading the qualifications of organisation %s: %w", organisation, err)
	}
	defer rows.Close()
	for rows.Next() {
		var g Grant
		var at, until int64
		if err := rows.Scan(&g.Qualification, &g.Submission, &at, &until); err != nil {
			return nil, err
		}
		g.GrantedAt, g.EndsAt = moment(at), moment(until)
		out = append(out, g)
	}
	return out, rows.Err()
}

// grant writes the qualifications that a submission has papers for, but those declined, in the place of what was granted before.
func (s *Service) grant(ctx context.Context, tx *store.Tx, c *Case, sub *Submission, decline []string) error {
	if err := s.ungrant(ctx, tx, c.Organisation); err != nil {
		return err
	}
	for _, q := range s.catalogue.Qualifications {
		until, complete := q.rests(sub.Papers)
		if !complete || slices.Contains(decline, q.Name) {
			continue
		}
		next := nextWarning(until, 0)
		_, err := tx.Exec(ctx, `
			INSERT INTO verify_grant (organisation, qualification, submission, granted_at, valid_until, warned, next_at)
			VALUES (?, ?, ?, ?, ?, 0, ?)`, c.Organisation, q.Name, sub.Number, ms(s.now()), ms(until), ms(earliest(until, next)))
		if err != nil {
			return fmt.Errorf("granting %s to organisation %s: %w", q.Name, c.Organisation, err)
		}
	}
	return nil
}

// rests finds when the qualification ends that rests upon papers: when all papers of one of its slots have ended.
func (q *Qualification) rests(papers []Paper) (until time.Time, complete bool) {
	for _, slot := range q.Papers {
		var last time.Time
		n, endless := 0, false
		for i := range papers {
			if papers[i].Slot != slot {
				continue
			}
			n++
			endless = endless || papers[i].ends().IsZero()
			if papers[i].ends().After(last) {
				last = papers[i].ends()
			}
		}
		if n == 0 {
			return time.Time{}, false
		}
		if !endless {
			until = earliest(until, last)
		}
	}
	return until, true
}

func (s *Service) ungrant(ctx context.Context, tx *store.Tx, organisation string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM verify_grant WHERE organisation = ?", organisation); err != nil {
		return fmt.Errorf("ending the qualifications of organisation %s: %w", organisation, err)
	}
	return nil
}
