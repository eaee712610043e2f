package entitlement

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// An Application is an organisation's wish to use a service, and what came of it.
type Application struct {
	ID           string
	Organisation string
	Service      string
	Plan         string // id; may be empty
	Purpose      string
	State        State
	Reason       string // of the last decision
	RequestedBy  string
	DecidedBy    string
	CreatedAt    time.Time
	DecidedAt    time.Time
	Until        time.Time // the grant ends then; zero: without an end
	EndedAt      time.Time
}

// Open lists what who may do with the application now.
func (a *Application) Open(who access.Actor) []Act { return moves.Open(a.State, who) }

// NewApplication is what an application is made of.
type NewApplication struct {
	Service string
	Plan    string // id; needed where the service is paid
	Purpose string // for the reviewer; 1 to 1000 characters
}

// Apply asks for a service in the name of who's organisation. One application of an organisation for a service is open at a time.
func (s *Service) Apply(ctx context.Context, who access.Actor, n NewApplication) (Application, error) {
	if err := who.Check(access.ApplyEntitlement); err != nil {
		return Application{}, err
	}
	if who.Organisation == "" {
		return Application{}, fault.Conflict("organisation", "a service is applied for in the name of an organisation, and this session acts for none")
	}
	if _, err := find("/service", n.Service); err != nil {
		return Application{}, err
	}
	if l := utf8.RuneCountInString(n.Purpose); l < 1 || l > 1000 || !plain(n.Purpose) {
		return Application{}, fault.Invalid("/purpose", n.Purpose, "1 to 1000 characters, no control characters", "say what the service is wanted for")
	}
	a := Application{
		ID: newID(), Organisation: who.Organisation, Service: n.Service, Plan: n.Plan, Purpose: n.Purpose, State: Requested,
		RequestedBy: who.User, CreatedAt: at(s.now().UnixMilli()),
	}
	return a, s.Store.Write(ctx, func(tx *store.Tx) error {
		if err := s.needed(ctx, tx, &a); err != nil {
			return err
		}
		if err := only(ctx, tx, who, &a); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertApplicationSQL, a.ID, a.Organisation, a.Service, a.Plan, a.Purpose, string(a.State), a.RequestedBy, a.CreatedAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("applying for %s: %w", a.Service, err)
		}
		s.changed(tx, a.Organisation)
		return audit.Record(ctx, tx, who, access.ApplyEntitlement, a.ID, a.Service)
	})
}

// only refuses an application beside one for the same service that has not ended.
func only(ctx context.Context, tx *store.Tx, who access.Actor, a *Application) error {
	open, err := collect(ctx, tx, scanApplication, openApplicationsSQL, a.Organisation)
	if err != nil {
		return fmt.Errorf("reading the applications of organisation %s: %w", a.Organisation, err)
	}
	for i := range open {
		if o := &open[i]; o.Service == a.Service {
			f := fault.InState("/service", "an application for "+a.Service+" is open already", o.Open(who))
			f.Got, f.Fix = string(o.State), "GET /api/v1/service-applications/"+o.ID
			return f
		}
	}
	return nil
}

// needed refuses an application that its service does not ask for, or that lacks a plan.
func (s *Service) needed(ctx context.Context, tx *store.Tx, a *Application) error {
	all, err := s.rules(ctx, tx)
	if err != nil {
		return err
	}
	bar := all.bar(a.Service, s.now())
	if bar.Kind != ByApplication && bar.Kind != Paid {
		return fault.Conflict("/service", fmt.Sprintf("the service %s is %s: there is nothing to apply for", a.Service, bar.Kind))
	}
	if a.Plan == "" {
		if bar.Kind == Paid {
			return fault.Invalid("/plan", "", "the id of a plan of the service", "GET /api/v1/plans lists them")
		}
		return nil
	}
	p, err := loadPlan(ctx, tx, a.Plan)
	if err != nil {
		return err
	}
	if p.Service != a.Service || p.Retired {
		return fault.Conflict("/plan", "the plan is not offered for "+a.Service)
	}
	return nil
}

// Decide carries out act on an application: grant (until a date, if wanted), refuse and end are the operator's, withdraw and
// end the organisation's. All but a grant and a withdrawal need a reason.
func (s *Service) Decide(ctx context.Context, who access.Actor, id string, act Act, reason string, until time.Time) (Application, error) {
	if act == Refuse || act == End || reason != "" {
		if err := checkReason(reason); err != nil {
			return Application{}, err
		}
	}
	if !until.IsZero() && (act != Grant || !until.After(s.now())) {
		return Application{}, fault.Invalid("/until", fault.Stamp(until), "a time to come, with a grant", "leave it out")
	}
	var a Application
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = loadApplication(ctx, tx, who, id); err != nil {
			return err
		}
		a.Until = at(millis(until))
		return s.move(ctx, tx, who, &a, act, reason)
	})
	return a, err
}

// GiveUp withdraws an application of who's organisation that waits, and ends one that was granted.
func (s *Service) GiveUp(ctx context.Context, who access.Actor, id, reason string) (Application, error) {
	a, err := s.Application(ctx, who, id)
	if err != nil {
		return Application{}, err
	}
	if a.State == Granted {
		return s.Decide(ctx, who, id, End, reason, time.Time{})
	}
	return s.Decide(ctx, who, id, Withdraw, reason, time.Time{})
}

// move writes the new state, hands the limits of the plan on and tells the organisation.
func (s *Service) move(ctx context.Context, tx *store.Tx, who access.Actor, a *Application, act Act, reason string) error {
	to, err := moves.Next(a.State, act, who)
	if err != nil {
		return err
	}
	now := at(s.now().UnixMilli())
	was := a.State
	a.State, a.Reason = to, reason
	switch to {
	case Granted:
		a.DecidedAt, a.DecidedBy = now, who.User
	case Refused:
		a.DecidedAt, a.DecidedBy, a.EndedAt = now, who.User, now
	default:
		a.EndedAt = now
	}
	res, err := tx.Exec(ctx, moveApplicationSQL, string(to), reason, a.DecidedBy, millis(a.DecidedAt), millis(a.Until), millis(a.EndedAt), a.ID, string(was))
	if err != nil {
		return fmt.Errorf("moving application %s to %s: %w", a.ID, to, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("application", a.ID), err)
	}
	if err := s.limitsOf(ctx, tx, a); err != nil {
		return err
	}
	if err := s.tell(ctx, tx, a); err != nil {
		return err
	}
	s.changed(tx, a.Organisation)
	return audit.Record(ctx, tx, who, "entitlement."+string(act), a.ID, reason)
}

func (s *Service) limitsOf(ctx context.Context, tx *store.Tx, a *Application) error {
	if a.Plan == "" {
		return nil
	}
	tx.AfterCommit(s.look)
	switch a.State {
	case Granted:
		p, err := loadPlan(ctx, tx, a.Plan)
		if err != nil {
			return err
		}
		return include(ctx, tx, a.ID, p)
	case Ended:
		return exclude(ctx, tx, a.ID)
	}
	return nil
}

// tell writes the organisation a message, but about what it did itself.
func (s *Service) tell(ctx context.Context, tx *store.Tx, a *Application) error {
	kind := map[State]string{Granted: "service.granted", Refused: "service.refused", Ended: "service.ended"}[a.State]
	if kind == "" {
		return nil
	}
	data, err := called(a.Service)
	if err != nil {
		return err
	}
	data["reason"] = a.Reason
	data["until_en"], data["until_zh"] = "", ""
	if !a.Until.IsZero() {
		until := fault.Stamp(a.Until)
		data["until_en"], data["until_zh"] = "Until "+until+". ", "有效期至 "+until+"。"
	}
	return s.Notices.Send(ctx, tx, a.Organisation, kind, data)
}

// called is a service as messages name it.
func called(service string) (map[string]string, error) {
	n, err := find("service", service)
	return map[string]string{"service": n.Name, "service_en": n.Names["en"], "service_zh": n.Names["zh-CN"]}, err
}

// lapse ends grants whose time is over.
func (s *Service) lapse(ctx context.Context) error {
	clock := access.Clock("entitlement", "")
	for {
		var n int
		err := s.Store.Write(ctx, func(tx *store.Tx) error {
			due, err := collect(ctx, tx, scanApplication, lapsedSQL, s.now().UnixMilli())
			if err != nil {
				return fmt.Errorf("looking for grants that are over: %w", err)
			}
			n = len(due)
			for i := range due {
				if err := s.move(ctx, tx, clock, &due[i], Lapse, "its time is over"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

const (
	applicationColumns = `id, organisation, service, plan, purpose, state, reason, requested_by, decided_by, created_at, decided_at, until_at, ended_at`

	insertApplicationSQL = `
		INSERT INTO entitlement_application (` + applicationColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, '', ?, 0, 0, 0)`

	moveApplicationSQL = `
		UPDATE entitlement_application
		SET state = ?, reason = ?, decided_by = ?, decided_at = ?, until_at = ?, ended_at = ?
		WHERE id = ? AND state = ?`

	lapsedSQL = `
		SELECT ` + applicationColumns + `
		FROM entitlement_application
		WHERE state = 'granted' AND until_at > 0 AND until_at <= ?
		LIMIT 100`

	openApplicationsSQL = `
		SELECT ` + applicationColumns + `
		FROM entitlement_application
		WHERE organisation = ? AND state IN ('requested', 'granted')`
)

func scanApplication(row listing.Scanner) (Application, error) {
	var a Application
	var created, decided, until, ended int64
	err := row.Scan(&a.ID, &a.Organisation, &a.Service, &a.Plan, &a.Purpose, &a.State, &a.Reason, &a.RequestedBy, &a.DecidedBy,
		&created, &decided, &until, &ended)
	a.CreatedAt, a.DecidedAt, a.Until, a.EndedAt = at(created), at(decided), at(until), at(ended)
	return a, err
}

// collect reads all rows of a bounded statement.
func collect[T any](ctx context.Context, q store.Querier, scan func(listing.Scanner) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

// loadApplication finds an application of who's organisation, or any for the operator's people.
func loadApplication(ctx context.Context, q store.Querier, who access.Actor, id string) (Application, error) {
	a, err := scanApplication(q.QueryRow(ctx, "SELECT "+applicationColumns+" FROM entitlement_application WHERE id = ?", id))
	if errors.Is(err, store.ErrNoRows) || err == nil && !who.Sees(a.Organisation) {
		return Application{}, fault.NotFound("application", id)
	}
	if err != nil {
		return Application{}, fmt.Errorf("reading application %s: %w", id, err)
	}
	return a, nil
}

// ApplicationOwner is the organisation whose application it is.
func (s *Service) ApplicationOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.Store, "application", "SELECT organisation FROM entitlement_application WHERE id = ?", id)
}

// Application returns one application.
func (s *Service) Application(ctx context.Context, who access.Actor, id string) (Application, error) {
	if err := who.Check(access.ReadEntitlement); err != nil {
		return Application{}, err
	}
	var a Application
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		a, err = loadApplication(ctx, v, who, id)
		return err
	})
	return a, err
}

// Applications lists applications, the newest first: those of who's organisation, or all to the operator's people.
func (s *Service) Applications(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Application], error) {
	if !who.Everywhere() {
		ask = within(ask, who.Organisation)
	}
	return readList(ctx, s, who, access.ReadEntitlement, applications(), ask)
}

// within holds an ask to one organisation.
func within(ask listing.Ask, organisation string) listing.Ask {
	filters := map[string]string{}
	for name, value := range ask.Filters {
		filters[name] = value
	}
	if filters["organisation"] = organisation; organisation == "" {
		filters["organisation"] = "none"
	}
	ask.Filters = filters
	return ask
}

func applications() *listing.List[Application] {
	return &listing.List[Application]{
		Object: "application", Columns: applicationColumns, From: "entitlement_application", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "state"}, {Name: "service"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"state", "service"}, Bound: "an organisation applies for some dozens of services"},
			{Filters: []string{"state"}},
			{Filters: []string{"service"}},
		},
		Scan: scanApplication,
	}
}
