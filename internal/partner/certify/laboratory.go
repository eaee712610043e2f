package certify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Laboratory (实验室) is one that the operator appointed to test certain products for a time. Who works for it is known to
// the accounts.
type Laboratory struct {
	ID         string
	Names      map[string]string // by language
	Kinds      []string          // of products; empty: every kind
	Categories []string          // of products; empty: every category
	ValidFrom  time.Time
	ValidUntil time.Time // excluded
	State      AppointmentState
	Reason     string // why it ended
	CreatedAt  time.Time
	Revision   int64
}

// Open lists what who may do with the appointment now.
func (l *Laboratory) Open(who access.Actor) []AppointmentAct {
	return appointmentMoves.Open(l.State, who)
}

// An Appointment is what a laboratory is appointed for.
type Appointment struct {
	Names      map[string]string
	Kinds      []string
	Categories []string
	ValidFrom  time.Time
	ValidUntil time.Time
}

func (a *Appointment) check(now time.Time) error {
	if err := checkNames(a.Names); err != nil {
		return err
	}
	if err := checkWords("/kinds", a.Kinds); err != nil {
		return err
	}
	if err := checkWords("/categories", a.Categories); err != nil {
		return err
	}
	return checkSpan(a.ValidFrom, a.ValidUntil, now)
}

func (a *Appointment) fill(l *Laboratory) {
	l.Names, l.Kinds, l.Categories, l.ValidFrom, l.ValidUntil = a.Names, a.Kinds, a.Categories, at(millis(a.ValidFrom)), at(millis(a.ValidUntil))
}

// Appoint makes a laboratory.
func (s *Service) Appoint(ctx context.Context, who access.Actor, a Appointment) (Laboratory, error) {
	if err := who.Check(access.AppointLaboratory); err != nil {
		return Laboratory{}, err
	}
	if err := a.check(s.now()); err != nil {
		return Laboratory{}, err
	}
	l := Laboratory{ID: newID(), State: Appointed, CreatedAt: at(s.now().UnixMilli()), Revision: 1}
	a.fill(&l)
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		if err := insertLaboratory(ctx, tx, &l); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, access.AppointLaboratory, l.ID, marshal(l.Names))
	})
	if err != nil {
		return Laboratory{}, err
	}
	return l, nil
}

// SetLaboratory changes what a laboratory is appointed for.
func (s *Service) SetLaboratory(ctx context.Context, who access.Actor, id string, a Appointment) (Laboratory, error) {
	if err := a.check(s.now()); err != nil {
		return Laboratory{}, err
	}
	return s.appointment(ctx, who, id, Change, func(l *Laboratory) string {
		a.fill(l)
		return marshal(l.Names)
	})
}

// EndLaboratory ends an appointment for good. Its open cases stay where they are until they are assigned again.
func (s *Service) EndLaboratory(ctx context.Context, who access.Actor, id, reason string) (Laboratory, error) {
	if err := checkText("/reason", reason, 1, maxText); err != nil {
		return Laboratory{}, err
	}
	return s.appointment(ctx, who, id, End, func(l *Laboratory) string {
		l.Reason = reason
		return reason
	})
}

func (s *Service) appointment(ctx context.Context, who access.Actor, id string, act AppointmentAct, do func(*Laboratory) string) (l Laboratory, err error) {
	if err := who.Check(access.AppointLaboratory); err != nil {
		return Laboratory{}, err
	}
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		if l, err = loadLaboratory(ctx, tx, id); err != nil {
			return err
		}
		if l.State, err = appointmentMoves.Next(l.State, act, who); err != nil {
			return err
		}
		note := do(&l)
		if err := updateLaboratory(ctx, tx, &l); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "laboratory."+string(act), id, note)
	})
	if err != nil {
		return Laboratory{}, err
	}
	return l, nil
}

// appointed refuses a case whose laboratory is not appointed for it now.
func (s *Service) appointed(ctx context.Context, q store.Querier, c *Case) error {
	l, err := loadLaboratory(ctx, q, c.Laboratory)
	if err != nil {
		return err
	}
	refuse := func(why string) error { return fault.Conflict("laboratory "+l.ID, "laboratory "+l.ID+" "+why) }
	now := s.now()
	switch {
	case l.State == Ended:
		return refuse("is appointed no longer")
	case now.Before(l.ValidFrom):
		return refuse("is appointed from " + fault.Stamp(l.ValidFrom) + " on")
	case !now.Before(l.ValidUntil):
		return refuse("was appointed until " + fault.Stamp(l.ValidUntil))
	case len(l.Kinds) > 0 && !slices.Contains(l.Kinds, c.Kind):
		return refuse(fmt.Sprintf("is not appointed for the kind %s, but for %s", c.Kind, strings.Join(l.Kinds, ", ")))
	case len(l.Categories) > 0 && !slices.Contains(l.Categories, c.Category):
		return refuse(fmt.Sprintf("is not appointed for the category %q, but for %s", c.Category, strings.Join(l.Categories, ", ")))
	}
	return nil
}

// Laboratory returns a laboratory; which there are is no secret.
func (s *Service) Laboratory(ctx context.Context, who access.Actor, id string) (l Laboratory, err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return Laboratory{}, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		l, err = loadLaboratory(ctx, v, id)
		return err
	})
	return l, err
}

// LaboratoryRevision is the number of a laboratory's last change.
func (s *Service) LaboratoryRevision(ctx context.Context, q store.Querier, id string) (int64, error) {
	l, err := loadLaboratory(ctx, q, id)
	return l.Revision, err
}
