package scene

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const automationColumns = "id, home, organisation, name, enabled, cause, devices, condition, actions, version, due_at, seen, created_at, changed_at"

func scanAutomation(row scanner) (Automation, error) {
	var a Automation
	var cause, devices, actions string
	var enabled int
	var due, created, changed int64
	var seen sql.NullFloat64
	err := row.Scan(&a.ID, &a.Home, &a.Organisation, &a.Name, &enabled, &cause, &devices, &a.Condition, &actions, &a.Version, &due, &seen, &created, &changed)
	if err != nil {
		return Automation{}, err
	}
	a.Enabled, a.DueAt, a.CreatedAt, a.ChangedAt = enabled == 1, moment(due), moment(created), moment(changed)
	if seen.Valid {
		a.seen = &seen.Float64
	}
	return a, errors.Join(json.Unmarshal([]byte(cause), &a.Trigger), json.Unmarshal([]byte(devices), &a.Devices), json.Unmarshal([]byte(actions), &a.Actions))
}

func loadAutomation(ctx context.Context, q store.Querier, homeID, id string) (Automation, error) {
	a, err := scanAutomation(q.QueryRow(ctx, "SELECT "+automationColumns+" FROM scene_automation WHERE id = ? AND home = ?", id, homeID))
	if errors.Is(err, sql.ErrNoRows) {
		return Automation{}, fault.NotFound("automation", id)
	}
	if err != nil {
		return Automation{}, fmt.Errorf("reading automation %s: %w", id, err)
	}
	return a, nil
}

func queryAutomations(ctx context.Context, q store.Querier, rest string, args ...any) ([]Automation, error) {
	rows, err := q.Query(ctx, "SELECT "+automationColumns+" FROM scene_automation "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("reading automations: %w", err)
	}
	defer rows.Close()
	var all []Automation
	for rows.Next() {
		a, err := scanAutomation(rows)
		if err != nil {
			return nil, fmt.Errorf("reading automations: %w", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

func insertAutomation(ctx context.Context, tx *store.Tx, a *Automation) error {
	actions, err := encode(a.Actions)
	if err != nil {
		return fmt.Errorf("encoding the actions of automation %s: %w", a.ID, err)
	}
	enabled := 0
	if a.Enabled {
		enabled = 1
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO scene_automation (`+automationColumns+`) VALUES (`+places(14)+`)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled, cause = excluded.cause, devices = excluded.devices,
			condition = excluded.condition, actions = excluded.actions, version = excluded.version, due_at = excluded.due_at, seen = excluded.seen,
			changed_at = excluded.changed_at`,
		a.ID, a.Home, a.Organisation, a.Name, enabled, marshal(a.Trigger), marshal(a.Devices), a.Condition, actions, a.Version, millis(a.DueAt), a.sighted(),
		millis(a.CreatedAt), millis(a.ChangedAt))
	if err != nil {
		return fmt.Errorf("writing automation %s: %w", a.ID, err)
	}
	return nil
}

// sighted is what was seen, as rows have it.
func (a *Automation) sighted() any {
	if a.seen == nil {
		return nil
	}
	return *a.seen
}

func dropAutomation(ctx context.Context, tx *store.Tx, id string) error {
	for _, statement := range []string{
		"DELETE FROM scene_device WHERE kind = 'automation' AND id = ?",
		"DELETE FROM scene_trace WHERE automation = ?",
		"DELETE FROM scene_automation WHERE id = ?",
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("removing automation %s: %w", id, err)
		}
	}
	return nil
}

// Outcomes of a trace.
const (
	Ran       = "ran"       // Run has what came of it
	Unmet     = "condition" // the condition does not hold
	Unknown   = "unknown"   // it cannot be told whether it holds: Why names what was not reported
	Looped    = "loop"      // automations have set off each other too often
	TooOften  = "rate"      // it ran too often within a minute
	TraceLate = "late"      // it would have been due too long ago
	Undoable  = "refused"   // it could not begin: Why says it
)

// A Trace is what became of an automation that was set off.
type Trace struct {
	ID, Home, Automation string
	At                   time.Time // of several, the last
	Cause                string    // what set it off: brightness 20 → 80
	Outcome              string
	Why                  string
	Depth                int   // how many automations led to it
	Times                int64 // how often, of what did not run
	Run                  string
}

const traceColumns = "id, home, automation, at, cause, outcome, why, depth, times, run"

func scanTrace(row scanner) (t Trace, err error) {
	var at int64
	err = row.Scan(&t.ID, &t.Home, &t.Automation, &at, &t.Cause, &t.Outcome, &t.Why, &t.Depth, &t.Times, &t.Run)
	t.At = moment(at)
	return t, err
}

// writeTrace adds a trace, or counts one that says the same of the same minute, and forgets the oldest.
func writeTrace(ctx context.Context, tx *store.Tx, a *Automation, t *Trace) error {
	if t.Outcome != Ran {
		done, err := tx.Exec(ctx, `
			UPDATE scene_trace SET times = times + 1, at = ?, cause = ?
			WHERE id = (SELECT id FROM scene_trace WHERE automation = ? ORDER BY id DESC LIMIT 1) AND outcome = ? AND why = ? AND at > ?`,
			t.At.UnixMilli(), t.Cause, a.ID, t.Outcome, t.Why, t.At.Add(-time.Minute).UnixMilli())
		if err != nil {
			return fmt.Errorf("counting a trace of automation %s: %w", a.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO scene_trace ("+traceColumns+", organisation) VALUES ("+places(11)+")",
		newID(), a.Home, a.ID, t.At.UnixMilli(), t.Cause, t.Outcome, t.Why, t.Depth, 1, t.Run, a.Organisation)
	if err != nil {
		return fmt.Errorf("writing a trace of automation %s: %w", a.ID, err)
	}
	_, err = tx.Exec(ctx, "DELETE FROM scene_trace WHERE automation = ? AND id <= (SELECT id FROM scene_trace WHERE automation = ? ORDER BY id DESC LIMIT 1 OFFSET ?)", a.ID, a.ID, MaxTraces)
	if err != nil {
		return fmt.Errorf("forgetting traces of automation %s: %w", a.ID, err)
	}
	return nil
}

// Traces returns what became of an automation of a home of who's organisation each time it was set off, the newest first.
func (s *Service) Traces(ctx context.Context, who access.Actor, homeID, id string) (all []Trace, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := home.Revision(ctx, v, who, homeID); err != nil {
			return err
		}
		if _, err := loadAutomation(ctx, v, homeID, id); err != nil {
			return err
		}
		rows, err := v.Query(ctx, "SELECT "+traceColumns+" FROM scene_trace WHERE automation = ? ORDER BY id DESC LIMIT ?", id, MaxTraces)
		if err != nil {
			return fmt.Errorf("reading the traces of automation %s: %w", id, err)
		}
		defer rows.Close()
		for rows.Next() {
			t, err := scanTrace(rows)
			if err != nil {
				return err
			}
			all = append(all, t)
		}
		return rows.Err()
	})
	return all, err
}
