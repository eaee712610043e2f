package enforce

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// An AppealState is where an appeal stands.
type AppealState string

// The states of an appeal (申诉). All but the first are ends.
const (
	AppealOpen      AppealState = "open"
	AppealUpheld    AppealState = "upheld"  // the measure stands
	AppealLifted    AppealState = "lifted"  // the measure is lifted
	AppealChanged   AppealState = "changed" // the measure ends at another time
	AppealWithdrawn AppealState = "withdrawn"
)

// An AppealAct moves an appeal.
type AppealAct string

// The acts upon an appeal.
const (
	Uphold      AppealAct = "uphold"
	LiftMeasure AppealAct = "lift"
	Change      AppealAct = "change"
	Withdraw    AppealAct = "withdraw"
)

func decider(who access.Actor) bool   { return who.Everywhere() && who.May(access.DecideAppeal) }
func appellant(who access.Actor) bool { return !who.Everywhere() && who.May(access.Appeal) }

// appealMoves is the life of an appeal. What is not listed is refused; nothing else decides.
var appealMoves = lifecycle.Table[AppealState, AppealAct]{
	{From: AppealOpen, Act: Uphold, To: AppealUpheld, May: decider},
	{From: AppealOpen, Act: LiftMeasure, To: AppealLifted, May: decider},
	{From: AppealOpen, Act: Change, To: AppealChanged, May: decider},
	{From: AppealOpen, Act: Withdraw, To: AppealWithdrawn, May: appellant},
}

// A Appealed is one appeal against one measure.
type Appealed struct {
	ID           string
	Measure      string
	Organisation string
	State        AppealState
	Statement    string
	Evidence     []string
	FiledBy      string // user id
	Filed        time.Time
	DecidedBy    string
	Decided      time.Time
	Decision     string
}

// Open lists the acts that who may do with the appeal now.
func (a *Appealed) Open(who access.Actor) []AppealAct { return appealMoves.Open(a.State, who) }

// Appeal files an appeal against a measure, in the time that the measure names; one at a time. The time of one that deletes
// ends at the latest with the beginning of the deletion, which waits while an appeal is open, as does what follows an order
// to delete whose day has passed.
func (s *Service) Appeal(ctx context.Context, who access.Actor, measure, statement string, evidence []string) (a Appealed, err error) {
	if err := who.Check(access.Appeal); err != nil {
		return a, err
	}
	switch {
	case statement == "" || len(statement) > maxReason:
		return a, fault.Invalid("/statement", statement, fmt.Sprintf("1 to %d bytes that say what is wrong with the measure", maxReason), "")
	case len(evidence) > maxEvidence:
		return a, fault.Limit("/evidence", fmt.Sprint(len(evidence)), fmt.Sprintf("%d ids", maxEvidence), 0)
	}
	now := s.c.Now()
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		m, err := s.load(ctx, tx, who, measure)
		if err != nil {
			return err
		}
		switch {
		case !m.Closed.IsZero():
			return fault.Closed("appeal", string(m.State), m.Open(who, now))
		case !now.Before(m.AppealUntil):
			return fault.Expired("appeal until "+fault.Stamp(m.AppealUntil)+" against measure", m.ID)
		}
		a = Appealed{
			ID: uuid.Must(uuid.NewV7()).String(), Measure: m.ID, Organisation: m.Organisation, State: AppealOpen, Statement: statement,
			Evidence: evidence, FiledBy: who.User, Filed: moment(now.UnixMilli()),
		}
		if err := insertAppeal(ctx, tx, who, a); err != nil {
			return err
		}
		if err := s.event(ctx, tx, m.ID, m.Organisation, "appealed", ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, access.Appeal, m.ID, "appeal "+a.ID)
	})
	return a, err
}

// appealed says whether an appeal against a measure waits for a decision.
func appealed(ctx context.Context, q store.Querier, measure string) (bool, error) {
	var open int
	err := q.QueryRow(ctx, "SELECT COUNT(*) FROM enforce_appeal WHERE measure = ? AND state = 'open'", measure).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("looking for appeals against measure %s: %w", measure, err)
	}
	return open > 0, nil
}

func insertAppeal(ctx context.Context, tx *store.Tx, who access.Actor, a Appealed) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO enforce_appeal (`+appealColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, '')`,
		a.ID, a.Measure, a.Organisation, a.State, a.Statement, ids(a.Evidence), a.FiledBy, ms(a.Filed))
	if errors.Is(err, store.ErrDuplicate) {
		return fault.InState("measure", "an appeal against this measure is open already", a.Open(who))
	}
	if err != nil {
		return fmt.Errorf("filing an appeal against %s: %w", a.Measure, err)
	}
	return nil
}

// A Decision is what is decided about an appeal.
type Decision struct {
	Act  AppealAct
	Why  string
	Ends time.Time // of Change: when the measure ends instead; of an order to delete, the day by which it is to be followed instead
}

// Decide ends an appeal. Nobody decides about a measure they imposed, or about their own organisation; of two who decide at once, one is told.
func (s *Service) Decide(ctx context.Context, who access.Actor, id string, d Decision) (a Appealed, err error) {
	need := access.DecideAppeal
	if d.Act == Withdraw {
		need = access.Appeal
	}
	if err := who.Check(need); err != nil {
		return a, err
	}
	now := s.c.Now()
	switch {
	case d.Act != Withdraw && d.Why == "":
		return a, fault.Invalid("/reason", "", "why it is decided so; the organisation will read it", "say why")
	case d.Act != Change && !d.Ends.IsZero():
		return a, fault.Invalid("/ends", fault.Stamp(d.Ends), "nothing with "+string(d.Act), "change the end with the act change")
	case d.Act == Change && !d.Ends.After(now):
		return a, fault.Invalid("/ends", fault.Stamp(d.Ends), "a time to come at which the measure ends instead", "lift it to end it now")
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if a, err = s.loadAppeal(ctx, tx, who, id); err != nil {
			return err
		}
		m, err := s.load(ctx, tx, who, a.Measure)
		if err != nil {
			return err
		}
		if err := s.mayJudge(ctx, tx, who, &m, d.Act); err != nil {
			return err
		}
		from := a.State
		if a.State, err = appealMoves.Next(a.State, d.Act, who); err != nil {
			return err
		}
		a.DecidedBy, a.Decided, a.Decision = who.User, moment(now.UnixMilli()), d.Why
		if err := s.decide(ctx, tx, who, &a, &m, from, d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "appeal."+string(d.Act), a.ID, d.Why)
	})
	return a, err
}

// mayJudge refuses who imposed the measure, and who is a member of its organisation. Withdrawing is no decision.
func (s *Service) mayJudge(ctx context.Context, q store.Querier, who access.Actor, m *Measure, act AppealAct) error {
	if act == Withdraw {
		return nil
	}
	if m.By == who.User {
		return fault.Forbidden(string(access.DecideAppeal), "somebody else than who imposed the measure")
	}
	return s.foreign(ctx, q, who, access.DecideAppeal, m.Organisation)
}

// decide writes a decision and what follows from it.
func (s *Service) decide(ctx context.Context, tx *store.Tx, who access.Actor, a *Appealed, m *Measure, from AppealState, d Decision) error {
	r, err := tx.Exec(ctx, `
		UPDATE enforce_appeal
		SET state = ?, decided_by = ?, decided_at = ?, decision = ?
		WHERE id = ? AND state = ?`, a.State, a.DecidedBy, ms(a.Decided), a.Decision, a.ID, from)
	if err != nil {
		return fmt.Errorf("deciding appeal %s: %w", a.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("appeal", a.ID), err)
	}
	switch d.Act {
	case LiftMeasure:
		if err := s.close(ctx, tx, who, m, Lift, "appeal "+a.ID+": "+d.Why); err != nil {
			return err
		}
	case Change:
		if m.Kind == DeleteData {
			return fault.InState("kind", "a deletion has no end that could be changed: uphold the measure, or lift it", []AppealAct{Uphold, LiftMeasure})
		}
		column := "ends_at"
		if m.Kind == OrderDeletion { // an end would not keep it from being followed up: its day may have passed
			column = "due_at"
		}
		if _, err := tx.Exec(ctx, "UPDATE enforce_measure SET "+column+" = ? WHERE id = ? AND closed_at = 0", ms(whole(d.Ends)), m.ID); err != nil {
			return fmt.Errorf("changing the end of measure %s: %w", m.ID, err)
		}
		s.eased(tx)
	}
	return s.event(ctx, tx, m.ID, m.Organisation, "appeal "+string(a.State), d.Why)
}

// grant ends the appeal that is open against a measure which was lifted without it.
func (s *Service) grant(ctx context.Context, tx *store.Tx, who access.Actor, m *Measure, why string) error {
	r, err := tx.Exec(ctx, `
		UPDATE enforce_appeal
		SET state = ?, decided_by = ?, decided_at = ?, decision = ?
		WHERE measure = ? AND state = ?`, AppealLifted, who.User, ms(s.c.Now()), why, m.ID, AppealOpen)
	if err != nil {
		return fmt.Errorf("granting the appeal against %s: %w", m.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if err := s.event(ctx, tx, m.ID, m.Organisation, "appeal "+string(AppealLifted), why); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "appeal."+string(LiftMeasure), m.ID, why)
}

const appealColumns = "id, measure, organisation, state, statement, evidence, filed_by, filed_at, decided_by, decided_at, decision"

func scanAppeal(row listing.Scanner) (Appealed, error) {
	var a Appealed
	var evidence string
	var filed, decided int64
	err := row.Scan(&a.ID, &a.Measure, &a.Organisation, &a.State, &a.Statement, &evidence, &a.FiledBy, &filed, &a.DecidedBy, &decided, &a.Decision)
	if err != nil {
		return a, err
	}
	a.Filed, a.Decided = moment(filed), moment(decided)
	return a, json.Unmarshal([]byte(evidence), &a.Evidence)
}

func (s *Service) loadAppeal(ctx context.Context, q store.Querier, who access.Actor, id string) (Appealed, error) {
	where, args := " WHERE id = ?", []any{id}
	if !who.Everywhere() {
		where, args = where+" AND organisation = ?", append(args, who.Organisation)
	}
	a, err := scanAppeal(q.QueryRow(ctx, "SELECT "+appealColumns+" FROM enforce_appeal"+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return a, fault.NotFound("appeal", id)
	}
	if err != nil {
		return a, fmt.Errorf("loading appeal %s: %w", id, err)
	}
	return a, nil
}

func appeals() *listing.List[Appealed] {
	return &listing.List[Appealed]{
		Object: "appeal", Columns: appealColumns, From: "enforce_appeal", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "state"}, {Name: "measure"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"state", "measure"}, Bound: "an organisation has few appeals"},
			{Filters: []string{"state"}},
		},
		Scan: scanAppeal,
	}
}

// Appeals lists appeals, newest first. Filters: organisation, state, measure.
func (s *Service) Appeals(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Appealed], err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return page, err
	}
	scope(who, &ask)
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = appeals().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// LoadAppeal gives one appeal of who's organisation.
func (s *Service) LoadAppeal(ctx context.Context, who access.Actor, id string) (a Appealed, err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return a, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		a, err = s.loadAppeal(ctx, v, who, id)
		return err
	})
	return a, err
}
