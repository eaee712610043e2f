package scene

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const timerColumns = "id, home, organisation, label, seconds, at, day, days, actions, asked, state, occurrence, version, due_at, shift, last_at, last, created_at, ended_at, made_by"

func scanTimer(row scanner) (Timer, error) {
	var t Timer
	var days int
	var actions string
	var due, last, created, ended int64
	err := row.Scan(&t.ID, &t.Home, &t.Organisation, &t.Label, &t.Seconds, &t.At, &t.Day, &days, &actions, &t.Asked, &t.State, &t.Occurrence, &t.Version,
		&due, &t.Shift, &last, &t.Last, &created, &ended, &t.MadeBy)
	if err != nil {
		return Timer{}, err
	}
	t.Days = daysOf(days)
	t.DueAt, t.LastAt, t.CreatedAt, t.EndedAt = moment(due), moment(last), moment(created), moment(ended)
	return t, json.Unmarshal([]byte(actions), &t.Actions)
}

// moment is a time of a row, 0: never.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// millis is a time as rows have it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func loadTimer(ctx context.Context, q store.Querier, homeID, id string) (Timer, error) {
	t, err := scanTimer(q.QueryRow(ctx, "SELECT "+timerColumns+" FROM scene_timer WHERE id = ? AND home = ?", id, homeID))
	if errors.Is(err, sql.ErrNoRows) {
		return Timer{}, fault.NotFound("timer", id)
	}
	if err != nil {
		return Timer{}, fmt.Errorf("reading timer %s: %w", id, err)
	}
	return t, nil
}

func timersOf(ctx context.Context, q store.Querier, homeID string) ([]Timer, error) {
	return queryTimers(ctx, q, "WHERE home = ? ORDER BY id LIMIT ?", homeID, MaxTimers+2*KeepTimers)
}

func queryTimers(ctx context.Context, q store.Querier, rest string, args ...any) ([]Timer, error) {
	rows, err := q.Query(ctx, "SELECT "+timerColumns+" FROM scene_timer "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("reading timers: %w", err)
	}
	defer rows.Close()
	var all []Timer
	for rows.Next() {
		t, err := scanTimer(rows)
		if err != nil {
			return nil, fmt.Errorf("reading timers: %w", err)
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

func insertTimer(ctx context.Context, tx *store.Tx, t *Timer) error {
	actions, err := encode(t.Actions)
	if err != nil {
		return fmt.Errorf("encoding the actions of timer %s: %w", t.ID, err)
	}
	mask, err := maskOf(t.Days)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO scene_timer ("+timerColumns+") VALUES ("+places(20)+")",
		t.ID, t.Home, t.Organisation, t.Label, t.Seconds, t.At, t.Day, mask, actions, t.Asked, t.State, t.Occurrence, t.Version,
		millis(t.DueAt), t.Shift, millis(t.LastAt), t.Last, millis(t.CreatedAt), millis(t.EndedAt), t.MadeBy)
	if err != nil {
		return fmt.Errorf("writing timer %s: %w", t.ID, err)
	}
	return nil
}

// moveTimer writes what became of a timer, if nobody was faster.
func moveTimer(ctx context.Context, tx *store.Tx, t *Timer, from int64) error {
	actions, err := encode(t.Actions)
	if err != nil {
		return fmt.Errorf("encoding the actions of timer %s: %w", t.ID, err)
	}
	mask, err := maskOf(t.Days)
	if err != nil {
		return err
	}
	done, err := tx.Exec(ctx, `
		UPDATE scene_timer SET label = ?, seconds = ?, at = ?, day = ?, days = ?, actions = ?, state = ?, occurrence = ?, version = ?,
			due_at = ?, shift = ?, last_at = ?, last = ?, ended_at = ?
		WHERE id = ? AND state = ? AND occurrence = ?`,
		t.Label, t.Seconds, t.At, t.Day, mask, actions, t.State, t.Occurrence, t.Version, millis(t.DueAt), t.Shift, millis(t.LastAt), t.Last,
		millis(t.EndedAt), t.ID, Pending, from)
	if err != nil {
		return fmt.Errorf("moving timer %s: %w", t.ID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errTaken
	}
	return nil
}

// trimTimers forgets the oldest timers of a home that have ended.
func trimTimers(ctx context.Context, tx *store.Tx, homeID string) error {
	const old = "SELECT id FROM scene_timer WHERE home = ? AND state <> ? ORDER BY ended_at DESC, id DESC LIMIT 1000 OFFSET ?"
	args := []any{homeID, Pending, KeepTimers}
	if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = 'timer' AND id IN ("+old+")", args...); err != nil {
		return fmt.Errorf("forgetting the devices of timers of home %s: %w", homeID, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM scene_timer WHERE id IN ("+old+")", args...); err != nil {
		return fmt.Errorf("forgetting timers of home %s: %w", homeID, err)
	}
	return nil
}
