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

const runColumns = "id, home, organisation, origin, ref, label, asked, depth, actor_kind, actor, state, position, due_at, steps, started_at"

type scanner interface{ Scan(dest ...any) error }

func scanRun(row scanner) (Run, error) {
	var r Run
	var label, steps string
	var due, started int64
	err := row.Scan(&r.ID, &r.Home, &r.Organisation, &r.Origin, &r.Ref, &label, &r.Asked, &r.Depth, &r.actor.Kind, &r.actor.ID, &r.State, &r.Position, &due, &steps, &started)
	if err != nil {
		return Run{}, err
	}
	r.actor.Organisation = r.Organisation
	r.DueAt, r.StartedAt = time.UnixMilli(due).UTC(), time.UnixMilli(started).UTC()
	return r, errors.Join(json.Unmarshal([]byte(label), &r.Label), json.Unmarshal([]byte(steps), &r.Steps))
}

func loadRun(ctx context.Context, q store.Querier, id string) (Run, error) {
	r, err := scanRun(q.QueryRow(ctx, "SELECT "+runColumns+" FROM scene_run WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, fault.NotFound("run", id)
	}
	if err != nil {
		return Run{}, fmt.Errorf("reading run %s: %w", id, err)
	}
	return r, nil
}

func insertRun(ctx context.Context, tx *store.Tx, r *Run) error {
	steps, err := encode(r.Steps)
	if err != nil {
		return fmt.Errorf("encoding the steps of run %s: %w", r.ID, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO scene_run ("+runColumns+") VALUES ("+places(15)+")",
		r.ID, r.Home, r.Organisation, r.Origin, r.Ref, marshal(r.Label), r.Asked, r.Depth, r.actor.Kind, r.actor.ID, r.State, r.Position,
		r.DueAt.UnixMilli(), steps, r.StartedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("writing run %s: %w", r.ID, err)
	}
	return nil
}

// errTaken says that somebody else, another node, carries the run on.
var errTaken = errors.New("the run is carried on by somebody else")

// move writes where a run has come to, if it still is where it was.
func (r *Run) move(ctx context.Context, tx *store.Tx, from int) error {
	steps, err := encode(r.Steps)
	if err != nil {
		return fmt.Errorf("encoding the steps of run %s: %w", r.ID, err)
	}
	kind, actor := r.actor.Kind, r.actor.ID
	if r.Ended() {
		kind, actor = "", ""
	}
	done, err := tx.Exec(ctx, "UPDATE scene_run SET state = ?, position = ?, due_at = ?, steps = ?, actor_kind = ?, actor = ? WHERE id = ? AND position = ? AND state = ?",
		r.State, r.Position, r.DueAt.UnixMilli(), steps, kind, actor, r.ID, from, Running)
	if err != nil {
		return fmt.Errorf("carrying on run %s: %w", r.ID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errTaken
	}
	return nil
}

// due lists runs that are under way, those that are due first.
func due(ctx context.Context, v *store.View, limit int) (ids, homes []string, at []time.Time, err error) {
	rows, err := v.Query(ctx, "SELECT id, home, due_at FROM scene_run WHERE state = ? ORDER BY due_at, id LIMIT ?", Running, limit)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("looking for runs that are due: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, homeID string
		var ms int64
		if err := rows.Scan(&id, &homeID, &ms); err != nil {
			return nil, nil, nil, err
		}
		ids, homes, at = append(ids, id), append(homes, homeID), append(at, time.UnixMilli(ms))
	}
	return ids, homes, at, rows.Err()
}

// trim forgets the oldest runs of a home.
func trim(ctx context.Context, tx *store.Tx, homeID string, now time.Time) error {
	const old = `SELECT id FROM scene_run WHERE home = ? AND state <> ? AND (started_at < ?
		OR id <= (SELECT id FROM scene_run WHERE home = ? ORDER BY id DESC LIMIT 1 OFFSET ?))`
	args := []any{homeID, Running, now.Add(-KeepRuns).UnixMilli(), homeID, MaxRuns}
	if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = 'run' AND id IN ("+old+")", args...); err != nil {
		return fmt.Errorf("forgetting the devices of runs of home %s: %w", homeID, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM scene_run WHERE id IN ("+old+")", args...); err != nil {
		return fmt.Errorf("forgetting runs of home %s: %w", homeID, err)
	}
	return nil
}
