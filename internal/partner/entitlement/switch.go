package entitlement

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Switch turns a service on or off for everybody, from a date on (功能开关).
type Switch struct {
	ID           string
	Service      string
	On           bool
	Emergency    bool
	Announcement string
	Reason       string
	EffectiveAt  time.Time
	CreatedAt    time.Time
	CancelledAt  time.Time

	announcementState   string
	announcementEndedAt int64
}

// NewSwitch is what a switch is made of.
type NewSwitch struct {
	Service      string
	On           bool
	At           time.Time // of a switch-on; zero: now
	Announcement string    // of a switch-off: its date is that of the switch
	Emergency    bool      // off at once, without announcement
	Reason       string
}

func (n NewSwitch) check(now time.Time) error {
	if _, err := find("/service", n.Service); err != nil {
		return err
	}
	if n.On && (n.Emergency || n.Announcement != "") {
		return fault.Invalid("/on", "true", "an announcement or an emergency with a switch-off only", "leave them out")
	}
	if !n.On && !n.At.IsZero() {
		return fault.Invalid("/at", fault.Stamp(n.At), "none: the date of a switch-off is that of its announcement", "leave it out")
	}
	if !n.At.IsZero() && n.At.Before(now) {
		return fault.Invalid("/at", fault.Stamp(n.At), "a time to come", "leave it out to switch on now")
	}
	return checkReason(n.Reason)
}

// Turn turns a service on at once or at a date, off at the date of its announcement, or off at once in an emergency.
func (s *Service) Turn(ctx context.Context, who access.Actor, n NewSwitch) (Switch, error) {
	if err := who.Check(access.ManageServices); err != nil {
		return Switch{}, err
	}
	now := at(s.now().UnixMilli())
	if err := n.check(now); err != nil {
		return Switch{}, err
	}
	if !n.On {
		if err := Enforced("/service", n.Service); err != nil {
			return Switch{}, err
		}
	}
	w := Switch{
		ID: newID(), Service: n.Service, On: n.On, Emergency: n.Emergency, Announcement: n.Announcement, Reason: n.Reason, EffectiveAt: now, CreatedAt: now,
	}
	if !n.At.IsZero() {
		w.EffectiveAt = at(n.At.UnixMilli())
	}
	if n.Emergency {
		ctx = store.Urgent(ctx)
	}
	return w, s.Store.Write(ctx, func(tx *store.Tx) error {
		if !n.On && !n.Emergency {
			var err error
			if w.EffectiveAt, err = s.announced(ctx, tx, who, n.Service, n.Announcement); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, insertSwitchSQL, w.ID, w.Service, flag(w.On), flag(w.Emergency), w.Announcement, w.Reason, w.EffectiveAt.UnixMilli(), w.CreatedAt.UnixMilli()); err != nil {
			return fmt.Errorf("switching %s: %w", n.Service, err)
		}
		s.changed(tx, "")
		act := "service.off"
		if n.On {
			act = "service.on"
		}
		return audit.Record(ctx, tx, who, act, n.Service, fmt.Sprintf("%s from %s: %s", w.ID, fault.Stamp(w.EffectiveAt), n.Reason))
	})
}

// CancelSwitch takes back a switch whose date has not come.
func (s *Service) CancelSwitch(ctx context.Context, who access.Actor, id, reason string) error {
	return s.cancel(ctx, who, "switch", "entitlement_switch", id, reason)
}

const (
	insertSwitchSQL = `
		INSERT INTO entitlement_switch (id, service, turned_on, emergency, announcement, reason, effective_at, created_at, cancelled_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`

	switchColumns = `w.id, w.service, w.turned_on, w.emergency, w.announcement, w.reason, w.effective_at, w.created_at, w.cancelled_at,
		COALESCE(a.state, ''), COALESCE(a.ended_at, 0)`

	switchFrom = "entitlement_switch w LEFT JOIN notice_announcement a ON a.id = w.announcement"
)

func scanSwitch(row listing.Scanner) (Switch, error) {
	var w Switch
	var on, emergency int
	var effective, created, cancelled int64
	err := row.Scan(&w.ID, &w.Service, &on, &emergency, &w.Announcement, &w.Reason, &effective, &created, &cancelled,
		&w.announcementState, &w.announcementEndedAt)
	w.On, w.Emergency = on != 0, emergency != 0
	w.EffectiveAt, w.CreatedAt, w.CancelledAt = at(effective), at(created), at(cancelled)
	return w, err
}

// Switches lists the switches of services, the newest first.
func (s *Service) Switches(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Switch], error) {
	return readList(ctx, s, who, access.ManageServices, switches(), ask)
}

func switches() *listing.List[Switch] {
	return &listing.List[Switch]{
		Object: "switch", Columns: switchColumns, From: switchFrom, Key: "w.id", Newest: true,
		Fields: []listing.Field{{Name: "service", Column: "w.service"}},
		Ways:   []listing.Way{{}, {Filters: []string{"service"}}},
		Scan:   scanSwitch,
	}
}
