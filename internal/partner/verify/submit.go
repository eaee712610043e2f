package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// The states of a submission.
const (
	Submitted = "submitted"
	Approved  = "approved"
	Refused   = "rejected"
	Withdrawn = "withdrawn"
	Void      = "void" // revoked, or overtaken by what a reviewer asked for, before it was decided
)

// A Submission is what an organisation has submitted, as it was. Its values and papers never change.
type Submission struct {
	Organisation string
	Number       int
	State        string
	Form         Form
	Kinds        []account.Kind
	Catalogue    string // version it was held to
	Values       map[string]string
	Papers       []Paper
	Waived       []string // conditions that were waived for it
	SubmittedBy  string
	SubmittedAt  time.Time
	DecidedBy    string
	DecidedAt    time.Time
	Reasons      []Reason
	Note         string
	Changes      []Change // to the one that was decided about before

	content []byte
}

// A Reason is why something is not accepted.
type Reason struct {
	Where string `json:"where,omitempty"` // field.NAME, paper.SLOT; empty: the whole
	Code  string `json:"code"`            // of the catalogue
	Text  string `json:"text,omitempty"`
}

// A Change is what is other than in the submission before. Personal values are masked, also where only the hidden part changed.
type Change struct {
	Where  string // form, kinds, field.NAME, paper.SLOT
	Before string
	After  string
}

// maxSubmissions bounds how many submissions an organisation may have in all: each is kept as it was.
const maxSubmissions = 500

// Submit hands the draft in for review: a snapshot of its values and papers. What is missing is named.
func (s *Service) Submit(ctx context.Context, who access.Actor, organisation string) (*Case, error) {
	if err := who.Check(access.SubmitVerification); err != nil {
		return nil, err
	}
	return s.change(ctx, who, organisation, string(Submit), func(tx *store.Tx, c *Case) (string, error) {
		if err := s.overtake(ctx, tx, c); err != nil {
			return "", err
		}
		if err := c.move(Submit, who); err != nil {
			return "", err
		}
		w, err := s.worksheet(ctx, tx, c)
		if err != nil {
			return "", err
		}
		if err := s.complete(&w); err != nil {
			return "", err
		}
		if c.Submission >= maxSubmissions {
			return "", fault.Limit("submissions", strconv.Itoa(c.Submission+1), fmt.Sprintf("%d of an organisation", maxSubmissions), 0)
		}
		c.Submission++
		c.SubmittedAt = s.now()
		return fmt.Sprintf("submission %d", c.Submission), s.snapshot(ctx, tx, who, c, &w)
	})
}

// complete refuses a draft that lacks something, or has what was good once.
func (s *Service) complete(w *Worksheet) error {
	if len(w.Missing) > 0 {
		return &fault.Fault{
			Code: fault.Clash, What: "the verification is not complete: " + strings.Join(w.Missing, ", ") + " missing", Where: "missing",
			Got: fault.Cut(strings.Join(w.Missing, ", ")), Rule: "every field and paper that the catalogue requires", Fix: "add them, then submit again",
		}
	}
	for i := range w.Papers {
		p := &w.Papers[i]
		if !slices.ContainsFunc(w.Slots, func(slot Slot) bool { return slot.Slot == p.Slot }) {
			return fault.Conflict("paper."+p.Slot, "the paper "+p.Slot+" is none that the form "+string(w.Draft.Form)+" takes: remove it")
		}
		if end := p.ends(); !end.IsZero() && !end.After(s.now()) {
			return fault.Conflict("paper."+p.Slot, "the paper "+p.Slot+" has expired on "+dateText(p.ValidUntil)+": upload the renewed one")
		}
	}
	for name, value := range w.Draft.Values {
		f := find(w.Fields, func(f *Field) bool { return f.Name == name })
		if f == nil { // the kinds have changed since it was filled in
			delete(w.Draft.Values, name)
			continue
		}
		if err := f.check(value, s.today()); err != nil {
			return err
		}
	}
	return nil
}

// snapshot writes what is submitted, once and for all.
func (s *Service) snapshot(ctx context.Context, tx *store.Tx, who access.Actor, c *Case, w *Worksheet) error {
	content, err := s.seal(ctx, tx, c.Organisation, "submission", submissionName(c.Organisation, c.Submission), w.Draft.Values)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO verify_submission (organisation, number, state, form, kinds, catalogue, content, waived, submitted_by, submitted_at,
			decided_by, decided_at, reasons, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '[]', '')`, c.Organisation, c.Submission, Submitted, w.Draft.Form, marshal(kindList(w.Kinds)),
		s.catalogue.Version, content, marshal(append([]string{}, w.Waived...)), who.User, ms(c.SubmittedAt))
	if err != nil {
		return fmt.Errorf("writing submission %d of organisation %s: %w", c.Submission, c.Organisation, err)
	}
	for i := range w.Papers {
		_, err := tx.Exec(ctx, "INSERT INTO verify_used (organisation, number, paper) VALUES (?, ?, ?)", c.Organisation, c.Submission, w.Papers[i].ID)
		if err != nil {
			return fmt.Errorf("adding paper %s to submission %d: %w", w.Papers[i].ID, c.Submission, err)
		}
	}
	return nil
}

func submissionName(organisation string, number int) string {
	return fmt.Sprintf("%s %d", organisation, number)
}

// Withdraw takes a submission back that nobody has decided about.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, organisation string) (*Case, error) {
	if err := who.Check(access.SubmitVerification); err != nil {
		return nil, err
	}
	return s.change(ctx, who, organisation, string(Withdraw), func(tx *store.Tx, c *Case) (string, error) {
		if err := c.move(Withdraw, who); err != nil {
			return "", err
		}
		return fmt.Sprintf("submission %d", c.Submission), s.closeSubmission(ctx, tx, who, c, Withdrawn, nil, "")
	})
}

// closeSubmission ends the newest submission of a case, if nobody was faster.
func (s *Service) closeSubmission(ctx context.Context, tx *store.Tx, who access.Actor, c *Case, state string, reasons []Reason, note string) error {
	if reasons == nil {
		reasons = []Reason{}
	}
	r, err := tx.Exec(ctx, `
		UPDATE verify_submission
		SET state = ?, decided_by = ?, decided_at = ?, reasons = ?, note = ?
		WHERE organisation = ? AND number = ? AND state = ?`, state, who.User, ms(s.now()), marshal(reasons), note, c.Organisation, c.Submission, Submitted)
	if err != nil {
		return fmt.Errorf("ending submission %d of organisation %s: %w", c.Submission, c.Organisation, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return fault.Stale("submission", strconv.Itoa(c.Submission))
	}
	return nil
}

const submissionColumns = `organisation, number, state, form, kinds, catalogue, content, waived, submitted_by, submitted_at,
	decided_by, decided_at, reasons, note`

func scanSubmission(row listing.Scanner) (sub Submission, err error) {
	var kinds, waived, reasons string
	var submitted, decided int64
	err = row.Scan(&sub.Organisation, &sub.Number, &sub.State, &sub.Form, &kinds, &sub.Catalogue, &sub.content, &waived, &sub.SubmittedBy, &submitted,
		&sub.DecidedBy, &decided, &reasons, &sub.Note)
	if err != nil {
		return sub, err
	}
	sub.SubmittedAt, sub.DecidedAt = moment(submitted), moment(decided)
	return sub, errors.Join(unmarshal(kinds, &sub.Kinds), unmarshal(waived, &sub.Waived), unmarshal(reasons, &sub.Reasons))
}

func submission(ctx context.Context, q store.Querier, organisation string, number int) (Submission, error) {
	sub, err := scanSubmission(q.QueryRow(ctx, "SELECT "+submissionColumns+" FROM verify_submission WHERE organisation = ? AND number = ?", organisation, number))
	if errors.Is(err, store.ErrNoRows) {
		return sub, fault.NotFound("submission", strconv.Itoa(number))
	}
	if err != nil {
		return sub, fmt.Errorf("reading submission %d of organisation %s: %w", number, organisation, err)
	}
	return sub, nil
}

// whole reads a submission with its values, in full, and its papers.
func (s *Service) whole(ctx context.Context, q store.Querier, organisation string, number int) (Submission, error) {
	sub, err := submission(ctx, q, organisation, number)
	if err != nil {
		return sub, err
	}
	if err := s.unseal(ctx, q, organisation, "submission", submissionName(organisation, number), sub.content, &sub.Values); err != nil {
		return sub, err
	}
	sub.Papers, err = s.papers(ctx, q, submittedPapersSQL, organisation, organisation, number)
	return sub, err
}

// Submission returns a submission as it was, masked, with what is other than in the one before.
func (s *Service) Submission(ctx context.Context, who access.Actor, organisation string, number int) (sub Submission, err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return sub, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := s.load(ctx, v, who, organisation); err != nil {
			return err
		}
		if sub, err = s.whole(ctx, v, organisation, number); err != nil {
			return err
		}
		if sub.Changes, err = s.changes(ctx, v, &sub); err != nil {
			return err
		}
		sub.Values = s.masked(sub.Values)
		return nil
	})
	return sub, err
}

// Submissions lists what an organisation has submitted, newest first, without values and papers.
func (s *Service) Submissions(ctx context.Context, who access.Actor, organisation string, ask listing.Ask) (page listing.Page[Submission], err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return page, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := s.load(ctx, v, who, organisation); err != nil {
			return err
		}
		ask.Filters = with(ask.Filters, "organisation", organisation)
		page, err = submissions().Read(ctx, v, ask)
		return err
	})
	return page, err
}

func submissions() *listing.List[Submission] {
	return &listing.List[Submission]{
		Object: "submission", Columns: submissionColumns, From: "verify_submission", Key: "number", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "state"}},
		Ways:   []listing.Way{{Filters: []string{"organisation"}, Rest: []string{"state"}, Bound: "an organisation has at most 500 submissions"}},
		Scan:   func(row listing.Scanner) (Submission, error) { return scanSubmission(row) },
	}
}

// with is filters with one more, which the caller cannot leave out.
func with(filters map[string]string, name, value string) map[string]string {
	out := maps.Clone(filters)
	if out == nil {
		out = make(map[string]string)
	}
	out[name] = value
	return out
}

// changes compares a submission, in full, to the one that was decided about before it.
func (s *Service) changes(ctx context.Context, q store.Querier, sub *Submission) ([]Change, error) {
	var before int
	err := q.QueryRow(ctx, `
		SELECT COALESCE(MAX(number), 0)
		FROM verify_submission
		WHERE organisation = ? AND number < ? AND state IN (?, ?)`, sub.Organisation, sub.Number, Approved, Refused).Scan(&before)
	if err != nil {
		return nil, fmt.Errorf("looking for the submission before %d: %w", sub.Number, err)
	}
	if before == 0 {
		return nil, nil
	}
	old, err := s.whole(ctx, q, sub.Organisation, before)
	if err != nil {
		return nil, err
	}
	return s.diff(&old, sub), nil
}

func (s *Service) diff(old, sub *Submission) (out []Change) {
	add := func(where, before, after string) {
		if before != after {
			out = append(out, Change{where, before, after})
		}
	}
	add("form", string(old.Form), string(sub.Form))
	add("kinds", marshal(old.Kinds), marshal(sub.Kinds))
	names := maps.Clone(old.Values)
	maps.Copy(names, sub.Values)
	oldShown, shown := s.masked(old.Values), s.masked(sub.Values)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if old.Values[name] != sub.Values[name] {
			out = append(out, Change{"field." + name, oldShown[name], shown[name]})
		}
	}
	for _, slot := range s.catalogue.Papers {
		add("paper."+slot.Slot, listed(old.Papers, slot.Slot), listed(sub.Papers, slot.Slot))
	}
	return out
}

// listed names the papers in a slot.
func listed(papers []Paper, slot string) string {
	var out []string
	for i := range papers {
		if papers[i].Slot == slot {
			out = append(out, papers[i].ID)
		}
	}
	return strings.Join(out, ", ")
}
