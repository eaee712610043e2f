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
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// Erase deletes about limit rows that a room keeps of a subject, in a transaction of the deletion; more says that another
// call is needed. It is a hook: node hands in that of every room.
type Erase func(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error)

// Holds counts what a room still keeps of a subject.
type Holds func(ctx context.Context, q store.Querier, kind, id string) (int64, error)

// Lists names the ids of what a room keeps of a subject and others may refer to, in order, beginning behind after.
type Lists func(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error)

// Outside is what a room keeps in files, by device.
type Outside interface {
	EraseDevices(ctx context.Context, devices []string) error
	HoldsDevices(ctx context.Context, devices []string) (int64, error)
}

// A Room is one that holds data of subjects. Erase and Holds may be nil for one that only lists, or keeps files.
type Room struct {
	Name    string
	Erase   Erase
	Holds   Holds
	Lists   Lists
	Outside Outside
}

// A DeletionState is where a deletion stands.
type DeletionState string

// The states of a deletion. From erasing on there is no way back.
const (
	Announced  DeletionState = "announced"
	CalledBack DeletionState = "called_back"
	Erasing    DeletionState = "erasing"
	Done       DeletionState = "done"
)

// A DeletionAct moves a deletion.
type DeletionAct string

// The acts upon a deletion.
const (
	CallBack DeletionAct = "call_back"
	Begin    DeletionAct = "begin"
	Prove    DeletionAct = "prove"
)

func caller(who access.Actor) bool {
	return who.Platform() || who.Everywhere() && who.May(access.Enforce) || who.May(access.LeaveOrganisation)
}

// deletionMoves is the life of a deletion. What is not listed is refused; nothing else decides.
var deletionMoves = lifecycle.Table[DeletionState, DeletionAct]{
	{From: Announced, Act: CallBack, To: CalledBack, May: caller},
	{From: Announced, Act: Begin, To: Erasing, May: clock},
	{From: Erasing, Act: Prove, To: Done, May: clock},
}

// A Deletion is the deletion of everything about one subject.
type Deletion struct {
	ID           string
	Subject      Subject
	Organisation string
	Measure      string // empty: the organisation leaves
	State        DeletionState
	Reason       string
	By           string // user id
	Created      time.Time
	HoldUntil    time.Time
	Started      time.Time
	Ended        time.Time
	Job          string
	Stage        int // steps that are done
	Listed       string
	Erased       int64           // transactions that deleted something
	Proof        json.RawMessage // nil: not proven yet
}

// Open lists the acts that who may do with the deletion now.
func (d *Deletion) Open(who access.Actor) []DeletionAct {
	if d.Measure != "" && !who.Everywhere() {
		return nil // the organisation appeals instead
	}
	return deletionMoves.Open(d.State, who)
}

const deletionJob = "enforce.delete"

type deletionInput struct {
	Deletion string `json:"deletion"`
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// announce enters a deletion that begins when its hold is over.
func (s *Service) announce(ctx context.Context, tx *store.Tx, who access.Actor, of Subject, organisation, measure, reason string, hold time.Time) (Deletion, error) {
	d := Deletion{
		ID: newID(), Subject: of, Organisation: organisation, Measure: measure, State: Announced, Reason: reason, By: who.User,
		Created: moment(s.c.Now().UnixMilli()), HoldUntil: whole(hold),
	}
	if err := s.alone(ctx, tx, who, of); err != nil {
		return d, err
	}
	j, err := s.c.Jobs.Submit(ctx, tx, access.System("enforcement", ""), job.Spec{Kind: deletionJob, Object: d.ID, Input: deletionInput{d.ID}, Due: d.HoldUntil})
	if err != nil {
		return d, err
	}
	d.Job = j.ID
	_, err = tx.Exec(ctx, `
		INSERT INTO enforce_deletion (`+deletionColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0, ':', 0, '')`,
		d.ID, of.Kind, of.ID, organisation, measure, d.State, reason, d.By, ms(d.Created), ms(d.HoldUntil), d.Job)
	if err != nil {
		return d, fmt.Errorf("announcing the deletion of %s: %w", of, err)
	}
	return d, s.event(ctx, tx, d.ID, organisation, "announced", "not before "+fault.Stamp(d.HoldUntil))
}

// alone refuses a deletion beside one of the same subject that has not ended.
func (s *Service) alone(ctx context.Context, q store.Querier, who access.Actor, of Subject) error {
	d, err := scanDeletion(q.QueryRow(ctx, "SELECT "+deletionColumns+" FROM enforce_deletion WHERE subject_kind = ? AND subject = ? AND ended_at = 0", of.Kind, of.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for a deletion of %s: %w", of, err)
	}
	return fault.InState(of.Kind, "a deletion of "+of.String()+" is under way already", d.Open(who))
}

// Leave announces that an organisation ends by its own will: everything of it is deleted after the hold.
func (s *Service) Leave(ctx context.Context, who access.Actor, reason string) (d Deletion, err error) {
	if err := who.Check(access.LeaveOrganisation); err != nil {
		return d, err
	}
	if who.Organisation == "" {
		return d, fault.Conflict("organisation", "nobody acts for an organisation here")
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		of := Subject{KindOrganisation, who.Organisation}
		if d, err = s.announce(ctx, tx, who, of, who.Organisation, "", reason, s.c.Now().Add(s.c.Hold)); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, access.LeaveOrganisation, d.ID, reason)
	})
	return d, err
}

// CallBack ends a deletion whose hold is not over. That of a measure is called back by the operator only, which lifts the
// measure too.
func (s *Service) CallBack(ctx context.Context, who access.Actor, id, why string) (d Deletion, err error) {
	if !caller(who) {
		return d, who.Check(access.Enforce)
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if d, err = s.loadDeletion(ctx, tx, who, id); err != nil {
			return err
		}
		if who.Everywhere() {
			if err := s.foreign(ctx, tx, who, access.Enforce, d.Organisation); err != nil {
				return err
			}
		}
		if d.Measure == "" {
			return s.callBack(ctx, tx, who, &d, why)
		}
		if err := who.Check(access.Enforce); err != nil {
			return err
		}
		m, err := s.load(ctx, tx, who, d.Measure)
		if err != nil {
			return err
		}
		if err := s.close(ctx, tx, who, &m, Lift, why); err != nil {
			return err
		}
		d, err = s.loadDeletion(ctx, tx, who, id)
		return err
	})
	return d, err
}

// callBackOf calls back the deletion of a measure that is lifted.
func (s *Service) callBackOf(ctx context.Context, tx *store.Tx, who access.Actor, measure, why string) error {
	var id string
	err := tx.QueryRow(ctx, "SELECT id FROM enforce_deletion WHERE measure = ? AND ended_at = 0", measure).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Conflict("measure", "what it deletes is deleted already; a measure cannot bring it back")
	}
	if err != nil {
		return fmt.Errorf("finding the deletion of measure %s: %w", measure, err)
	}
	d, err := s.loadDeletion(ctx, tx, access.System("enforcement", ""), id)
	if err != nil {
		return err
	}
	return s.callBack(ctx, tx, who, &d, why)
}

func (s *Service) callBack(ctx context.Context, tx *store.Tx, who access.Actor, d *Deletion, why string) error {
	if err := s.move(ctx, tx, who, d, CallBack); err != nil {
		return err
	}
	if _, err := s.c.Jobs.CancelIn(ctx, tx, access.System("enforcement", ""), d.Job); err != nil && !fault.Is(err, fault.Clash) {
		return err
	}
	if err := s.event(ctx, tx, d.ID, d.Organisation, string(d.State), why); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "deletion.call_back", d.ID, why)
}

// move takes a deletion to its next state, if nobody was faster.
func (s *Service) move(ctx context.Context, tx *store.Tx, who access.Actor, d *Deletion, act DeletionAct) error {
	from := d.State
	to, err := deletionMoves.Next(from, act, who)
	if err != nil {
		return err
	}
	now := moment(s.c.Now().UnixMilli())
	d.State = to
	switch to {
	case Erasing:
		d.Started = now
	case CalledBack, Done:
		d.Ended = now
	}
	r, err := tx.Exec(ctx, "UPDATE enforce_deletion SET state = ?, started_at = ?, ended_at = ? WHERE id = ? AND state = ?",
		to, ms(d.Started), ms(d.Ended), d.ID, from)
	if err != nil {
		return fmt.Errorf("moving deletion %s: %w", d.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("deletion", d.ID), err)
	}
	return nil
}

const deletionColumns = `id, subject_kind, subject, organisation, measure, state, reason, requested_by, created_at, hold_until, started_at,
	ended_at, job, stage, listed, rows_erased, proof`

func scanDeletion(row listing.Scanner) (Deletion, error) {
	var d Deletion
	var proof string
	var created, hold, started, ended int64
	err := row.Scan(&d.ID, &d.Subject.Kind, &d.Subject.ID, &d.Organisation, &d.Measure, &d.State, &d.Reason, &d.By, &created, &hold, &started,
		&ended, &d.Job, &d.Stage, &d.Listed, &d.Erased, &proof)
	d.Created, d.HoldUntil, d.Started, d.Ended = moment(created), moment(hold), moment(started), moment(ended)
	if proof != "" {
		d.Proof = json.RawMessage(proof)
	}
	return d, err
}

func (s *Service) loadDeletion(ctx context.Context, q store.Querier, who access.Actor, id string) (Deletion, error) {
	where, args := " WHERE id = ?", []any{id}
	if !who.Everywhere() {
		where, args = where+" AND organisation = ?", append(args, who.Organisation)
	}
	d, err := scanDeletion(q.QueryRow(ctx, "SELECT "+deletionColumns+" FROM enforce_deletion"+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return d, fault.NotFound("deletion", id)
	}
	if err != nil {
		return d, fmt.Errorf("loading deletion %s: %w", id, err)
	}
	return d, nil
}

func deletions() *listing.List[Deletion] {
	return &listing.List[Deletion]{
		Object: "deletion", Columns: deletionColumns, From: "enforce_deletion", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "state"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: []string{"state"}, Bound: "an organisation has few deletions"},
		},
		Scan: scanDeletion,
	}
}

// Deletions lists deletions, newest first. Filters: organisation, state.
func (s *Service) Deletions(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Deletion], err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return page, err
	}
	scope(who, &ask)
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = deletions().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Deletion gives one deletion of who's organisation, with its proof.
func (s *Service) Deletion(ctx context.Context, who access.Actor, id string) (d Deletion, err error) {
	if err := who.Check(access.ReadEnforcement); err != nil {
		return d, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		d, err = s.loadDeletion(ctx, v, who, id)
		return err
	})
	return d, err
}
