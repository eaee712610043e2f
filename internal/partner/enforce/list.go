package enforce

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

func measures() *listing.List[Measure] {
	return &listing.List[Measure]{
		Object: "measure", Columns: measureColumns, From: "enforce_measure", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "subject_kind"}, {Name: "subject"}, {Name: "state"}, {Name: "kind"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"subject_kind", "subject", "state", "kind"}, Bound: "an organisation has few measures"},
			{Filters: []string{"subject_kind", "subject"}, Rest: []string{"state", "kind"}, Bound: "a subject has few measures"},
		},
		Scan: scanMeasure,
	}
}

// Measures lists measures, newest first: those of who's organisation, all for the operator's people. Filters:
// organisation, subject_kind with subject, state, kind.
func (s *Service) Measures(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Measure], err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return page, err
	}
	scope(who, &ask)
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = measures().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// scope limits a list to who's organisation, unless all are theirs to see.
func scope(who access.Actor, ask *listing.Ask) {
	filters := make(map[string]string, len(ask.Filters)+1)
	for name, value := range ask.Filters {
		filters[name] = value
	}
	if !who.Everywhere() {
		filters["organisation"] = who.Organisation
	}
	ask.Filters = filters
}

// Measure gives one measure of who's organisation.
func (s *Service) Measure(ctx context.Context, who access.Actor, id string) (m Measure, err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return m, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		m, err = s.load(ctx, v, who, id)
		return err
	})
	return m, err
}

func (s *Service) load(ctx context.Context, q store.Querier, who access.Actor, id string) (Measure, error) {
	where, args := " WHERE id = ?", []any{id}
	if !who.Everywhere() {
		where, args = where+" AND organisation = ?", append(args, who.Organisation)
	}
	m, err := scanMeasure(q.QueryRow(ctx, "SELECT "+measureColumns+" FROM enforce_measure"+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return m, fault.NotFound("measure", id)
	}
	if err != nil {
		return m, fmt.Errorf("loading measure %s: %w", id, err)
	}
	return m, nil
}

// An Event is something that happened to a measure, an appeal or a deletion.
type Event struct {
	ID           string
	Measure      string // or the deletion
	Organisation string
	Kind         string // imposed, started, ended, lifted, appealed, upheld, changed, announced, called_back, erasing, done
	Note         string
	At           time.Time
	Told         time.Time
}

const eventColumns = "id, measure, organisation, kind, note, at, told_at"

func scanEvent(row listing.Scanner) (Event, error) {
	var e Event
	var at, told int64
	err := row.Scan(&e.ID, &e.Measure, &e.Organisation, &e.Kind, &e.Note, &at, &told)
	e.At, e.Told = moment(at), moment(told)
	return e, err
}

func events() *listing.List[Event] {
	return &listing.List[Event]{
		Object: "event", Columns: eventColumns, From: "enforce_event",
		Fields: []listing.Field{{Name: "organisation"}, {Name: "measure"}},
		Ways: []listing.Way{
			{Filters: []string{"organisation"}},
			{Filters: []string{"measure"}, Rest: []string{"organisation"}, Bound: "a measure has few events"},
			{},
		},
		Scan: scanEvent,
	}
}

// Events lists what happened, oldest first. Filters: organisation, measure.
func (s *Service) Events(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Event], err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return page, err
	}
	scope(who, &ask)
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = events().Read(ctx, v, ask)
		return err
	})
	return page, err
}
