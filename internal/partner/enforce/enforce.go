// Package enforce keeps the operator's measures against organisations, products, batches and devices (处置), from a warning
// to the end of an agreement.
//
// It owns the tables enforce_measure, enforce_event, enforce_appeal, enforce_change, enforce_deletion and enforce_erased,
// the catalogue of reasons, and the one table of what each measure refuses. It promises:
//   - a measure acts from the moment it starts until the moment it ends, to the millisecond, whether or not a clock runs;
//   - who asks for the standing of a device learns in one query what is refused by the device's own measures and by those
//     of its batch, product and organisation, and why;
//   - each measure has a reason, says what it rests on, is told to the organisation, and can be appealed; nobody decides
//     about a measure they imposed, or about an organisation they are a member of;
//   - every change of a standing that keeps devices outside has a growing number, so that whoever holds sessions needs no
//     event to end them;
//   - what was ordered to be deleted and was not is deleted once its day has passed and no appeal against the order is open;
//   - a deletion can be called back until its hold is over and no appeal against it is open; it cannot be undone, or appealed,
//     from then on, goes on after a crash where it was, and ends with a proof that no row names what it deleted, but those that the proof lists.
//
// It knows no room above it: a subject is a kind and an id.
package enforce

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/watch"
)

// The kinds of a subject.
const (
	KindOrganisation = "organisation"
	KindProduct      = "product"
	KindBatch        = "batch"
	KindDevice       = "device"
)

// A Subject is whom a measure is about.
type Subject struct{ Kind, ID string }

// String is the subject as audit entries name it.
func (s Subject) String() string { return s.Kind + " " + s.ID }

// ChangeSubject is the Bus subject of a changed standing. It may be lost; see [Service.Changes].
const ChangeSubject = "enforce.change"

// Config is what a service works with.
type Config struct {
	Store  *store.Store
	Bus    bus.Bus
	Jobs   *job.Runner
	Logger *slog.Logger
	// Owner finds the organisation that a subject belongs to; a subject there is none of is not found.
	Owner func(ctx context.Context, of Subject) (organisation string, err error)
	// Member says whether a user is a member of an organisation: nobody judges their own. Nil: nobody is a member.
	Member func(ctx context.Context, q store.Querier, organisation, user string) (bool, error)
	// Service refuses one, found at where, whose suspension would change nothing. Nil: any may be suspended.
	Service func(where, name string) error
	// Tell hands an event on to the organisation. It is called again until it succeeds; nil: events are only kept.
	Tell func(context.Context, Event) error
	// Hold is how long a deletion can be called back at least; 0: seven days.
	Hold time.Duration
	// AppealTime is how long after its start a measure can be appealed; 0: thirty days.
	AppealTime time.Duration
	// Changed is called after every commit that changes the standing of a subject; nil: nobody else believes anything.
	Changed func()
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

const (
	defaultHold   = 7 * 24 * time.Hour
	defaultAppeal = 30 * 24 * time.Hour
)

// Service carries measures out. It is safe for concurrent use.
type Service struct {
	c     Config
	wake  chan struct{} // has room for one: there may be an event to tell
	gate  gates
	rooms []Room
	jumps watch.Clock
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Hold == 0 {
		c.Hold = defaultHold
	}
	if c.AppealTime == 0 {
		c.AppealTime = defaultAppeal
	}
	s := &Service{c: c, wake: make(chan struct{}, 1)}
	if c.Jobs != nil {
		c.Jobs.Handle(deletionJob, access.Enforce, s.delete)
	}
	return s
}

// Over names the rooms that hold data of subjects, those above first: what refers comes before what is referred to. It is
// called before Run, where the rooms are built.
func (s *Service) Over(rooms ...Room) { s.rooms = rooms }

// A NewMeasure is what a measure is made of.
type NewMeasure struct {
	Subject  Subject
	Kind     Kind
	Service  string // of SuspendService
	Cause    Cause
	Reason   string
	Evidence []string // ids of what it rests on
	Starts   time.Time
	Ends     time.Time // zero: no end
	Due      time.Time // of OrderDeletion: by when; of DeleteData: not before, zero is the shortest hold
}

// Impose puts a measure on a subject. Who acts for an organisation may not, nor may a member of the subject's.
func (s *Service) Impose(ctx context.Context, who access.Actor, n NewMeasure) (Measure, error) {
	if err := who.Check(access.Enforce); err != nil {
		return Measure{}, err
	}
	now := s.c.Now()
	if n.Starts.Before(now) {
		n.Starts = now
	}
	if err := n.check(now, s.c.Hold); err != nil {
		return Measure{}, err
	}
	if n.Service != "" && s.c.Service != nil {
		if err := s.c.Service("/service", n.Service); err != nil {
			return Measure{}, err
		}
	}
	m := Measure{
		ID: uuid.Must(uuid.NewV7()).String(), Subject: n.Subject, Kind: n.Kind, Service: n.Service, State: InForce, Cause: n.Cause,
		Reason: n.Reason, Evidence: n.Evidence, By: who.User, Created: moment(now.UnixMilli()), Starts: moment(n.Starts.UnixMilli()),
		Ends: whole(n.Ends), Due: whole(n.Due), AppealUntil: moment(n.Starts.Add(s.c.AppealTime).UnixMilli()),
	}
	if m.Starts.After(m.Created) {
		m.State = Scheduled
	}
	var err error
	if m.Organisation, err = s.c.Owner(ctx, n.Subject); err != nil {
		return Measure{}, err
	}
	err = s.c.Store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		if err := s.foreign(ctx, tx, who, access.Enforce, m.Organisation); err != nil {
			return err
		}
		return s.impose(ctx, tx, who, m)
	})
	return m, err
}

// foreign refuses who is a member of the organisation that is judged.
func (s *Service) foreign(ctx context.Context, q store.Querier, who access.Actor, act access.Act, organisation string) error {
	if s.c.Member == nil || who.User == "" {
		return nil
	}
	member, err := s.c.Member(ctx, q, organisation, who.User)
	if err != nil {
		return fmt.Errorf("asking whether %s is a member of %s: %w", who.User, organisation, err)
	}
	if member {
		return fault.Forbidden(string(act), "somebody who is no member of the organisation")
	}
	return nil
}

// impose enters a measure and everything that goes with it.
func (s *Service) impose(ctx context.Context, tx *store.Tx, who access.Actor, m Measure) error {
	if err := insertMeasure(ctx, tx, m); err != nil {
		return err
	}
	if err := s.changed(ctx, tx, &m); err != nil {
		return err
	}
	if m.Kind == DeleteData {
		if _, err := s.announce(ctx, tx, who, m.Subject, m.Organisation, m.ID, m.Reason, m.Due); err != nil {
			return err
		}
	}
	if err := s.event(ctx, tx, m.ID, m.Organisation, "imposed", string(m.Kind)+": "+m.Reason); err != nil {
		return err
	}
	note, err := json.Marshal(map[string]any{"measure": m.Kind, "service": m.Service, "cause": m.Cause, "starts": m.Starts, "ends": m.Ends})
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "enforcement.impose", m.ID, m.Subject.String()+" "+string(note))
}

// Lift ends a measure before its time. What it had refused is allowed from the commit on, and an open appeal against it is granted.
func (s *Service) Lift(ctx context.Context, who access.Actor, id, why string) (m Measure, err error) {
	if err := who.Check(access.Enforce); err != nil {
		return m, err
	}
	if why == "" {
		return m, fault.Invalid("/reason", "", "why it is lifted", "say why")
	}
	err = s.c.Store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		if m, err = s.load(ctx, tx, who, id); err != nil {
			return err
		}
		if err := s.foreign(ctx, tx, who, access.Enforce, m.Organisation); err != nil {
			return err
		}
		if err := s.close(ctx, tx, who, &m, Lift, why); err != nil {
			return err
		}
		return s.grant(ctx, tx, who, &m, why)
	})
	return m, err
}

// close ends a measure by one of its moves.
func (s *Service) close(ctx context.Context, tx *store.Tx, who access.Actor, m *Measure, act Act, why string) error {
	from := m.State
	to, err := moves.Next(m.State, act, who)
	if err != nil {
		return err
	}
	m.State, m.Closed, m.ClosedBy, m.Closing = to, moment(s.c.Now().UnixMilli()), who.User, why
	if err := updateClosed(ctx, tx, m, from); err != nil {
		return err
	}
	if m.Kind == DeleteData && act == Lift {
		if err := s.callBackOf(ctx, tx, who, m.ID, why); err != nil {
			return err
		}
	}
	if err := s.changed(ctx, tx, m); err != nil {
		return err
	}
	if err := s.event(ctx, tx, m.ID, m.Organisation, string(to), why); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "enforcement."+string(act), m.ID, why)
}

// changed gives a measure that keeps devices outside, or has kept them there, a number, for whoever holds sessions, and tells of it after the commit.
func (s *Service) changed(ctx context.Context, tx *store.Tx, m *Measure) error {
	s.eased(tx)
	if !m.Refuses(Connect) {
		return nil
	}
	if err := insertChange(ctx, tx, m.Subject, s.c.Now()); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		if s.c.Bus != nil {
			s.c.Bus.Publish(ChangeSubject, nil)
		}
	})
	return nil
}

// eased lets this process ask anew for standings after the commit. No session ends by what allows more.
func (s *Service) eased(tx *store.Tx) {
	tx.AfterCommit(func() {
		s.gate.forget()
		if s.c.Changed != nil {
			s.c.Changed()
		}
		s.look()
	})
}

func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// moment is the time of ms; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// whole is t in whole milliseconds.
func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return moment(t.UnixMilli())
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
