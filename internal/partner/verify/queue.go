package verify

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// An Entry is a verification as reviewers list it.
type Entry struct {
	Organisation string
	State        State
	Form         Form
	SubmittedAt  time.Time
	DueAt        time.Time
	ExpiresAt    time.Time
	Reviewer     string
}

// Queue lists verifications, in the order of their organisations or as asked. Filters: kind, state, reviewer, form; sorts:
// submitted_at, due_at, expires_at.
func (s *Service) Queue(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Entry], err error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return page, err
	}
	// There is a row for each kind and one for all: kind is always a filter, and empty for all.
	kind := ask.Filters["kind"]
	if kind == "" {
		kind = anyKind
	}
	ask.Filters = with(ask.Filters, "kind", kind)
	if ask.Sort == "" && (ask.Filters["state"] != "" || ask.Filters["reviewer"] != "") {
		ask.Sort = "submitted_at" // who has waited longest comes first
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = queue().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// anyKind asks for the rows of all kinds; an empty filter would be none.
const anyKind = "any"

func parseKind(text string) (any, error) {
	if text == anyKind {
		return "", nil
	}
	return text, nil
}

func parseTime(text string) (any, error) {
	t, err := fault.Time("/query", text)
	if err != nil {
		return nil, err
	}
	return t.UnixMilli(), nil
}

func queue() *listing.List[Entry] {
	const bound = "what waits for reviewers is worked off, or belongs to one of them"
	return &listing.List[Entry]{
		Object: "verification", From: "verify_queue", Key: "organisation",
		Columns: "organisation, state, form, submitted_at, due_at, expires_at, reviewer",
		Fields: []listing.Field{
			{Name: "kind", Parse: parseKind},
			{Name: "state"},
			{Name: "form"},
			{Name: "reviewer"},
			{Name: "submitted_at", Parse: parseTime},
			{Name: "due_at", Parse: parseTime},
			{Name: "expires_at", Parse: parseTime},
		},
		Ways: []listing.Way{
			{Filters: []string{"kind"}},
			{Filters: []string{"kind"}, Sort: "submitted_at"},
			{Filters: []string{"kind", "state"}, Rest: []string{"form", "reviewer"}, Sort: "submitted_at", Bound: bound},
			{Filters: []string{"kind", "state"}, Rest: []string{"form", "reviewer"}, Sort: "due_at", Bound: bound},
			{Filters: []string{"kind", "state"}, Rest: []string{"form", "reviewer"}, Sort: "expires_at", Bound: bound},
			{Filters: []string{"kind", "reviewer"}, Rest: []string{"form"}, Sort: "submitted_at", Bound: bound},
		},
		Scan: func(row listing.Scanner) (e Entry, err error) {
			var submitted, due, expires int64
			err = row.Scan(&e.Organisation, &e.State, &e.Form, &submitted, &due, &expires, &e.Reviewer)
			e.SubmittedAt, e.DueAt, e.ExpiresAt = moment(submitted), moment(due), moment(expires)
			return e, err
		},
	}
}

// Figures is how much waits for reviewers, and for how long.
type Figures struct {
	States  map[State]int64
	Waiting []Age // submissions that nobody has decided about
	Oldest  time.Time
	Claimed int64 // of those that wait
	Overdue int64 // what was asked for has not come, and its date has passed
}

// An Age is how many have waited for at most so long.
type Age struct {
	Days  int // at most; 0: longer than the others
	Count int64
}

// Figures counts what the queue holds.
func (s *Service) Figures(ctx context.Context, who access.Actor) (f Figures, err error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return f, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if f.States, err = countStates(ctx, v); err != nil {
			return err
		}
		return s.countWaiting(ctx, v, &f)
	})
	return f, err
}

func countStates(ctx context.Context, q store.Querier) (map[State]int64, error) {
	rows, err := q.Query(ctx, "SELECT state, COUNT(*) FROM verify_queue WHERE kind = '' GROUP BY state")
	if err != nil {
		return nil, fmt.Errorf("counting verifications: %w", err)
	}
	defer rows.Close()
	out := make(map[State]int64)
	for rows.Next() {
		var state State
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		out[state] = n
	}
	return out, rows.Err()
}

func (s *Service) countWaiting(ctx context.Context, q store.Querier, f *Figures) error {
	now := s.now()
	since := func(days int) int64 { return ms(now.Add(-time.Duration(days) * day)) }
	var oldest int64
	ages := make([]int64, 4)
	err := q.QueryRow(ctx, `
		SELECT COALESCE(SUM(CASE WHEN submitted_at > ? THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN submitted_at > ? AND submitted_at <= ? THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN submitted_at > ? AND submitted_at <= ? THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN submitted_at <= ? THEN 1 ELSE 0 END), 0),
			COALESCE(MIN(submitted_at), 0),
			COALESCE(SUM(CASE WHEN reviewer <> '' THEN 1 ELSE 0 END), 0)
		FROM verify_queue
		WHERE kind = '' AND state IN (?, ?, ?)`, since(1), since(3), since(1), since(7), since(3), since(7), Pending, Renewing, Answered).
		Scan(&ages[0], &ages[1], &ages[2], &ages[3], &oldest, &f.Claimed)
	if err != nil {
		return fmt.Errorf("counting what waits: %w", err)
	}
	f.Oldest = moment(oldest)
	for i, days := range []int{1, 3, 7, 0} {
		f.Waiting = append(f.Waiting, Age{days, ages[i]})
	}
	err = q.QueryRow(ctx, "SELECT COUNT(*) FROM verify_queue WHERE kind = '' AND state IN (?, ?) AND due_at > 0 AND due_at <= ?", Recheck, Supplement, ms(now)).Scan(&f.Overdue)
	if err != nil {
		return fmt.Errorf("counting what is overdue: %w", err)
	}
	return nil
}
