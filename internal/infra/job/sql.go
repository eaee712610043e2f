package job

import (
	"database/sql"
	"time"
)

const insertJob = `
INSERT INTO job (id, organisation, kind, object, state, input, done, total, error, cancel, attempts,
  actor_kind, actor, actor_user, actor_login, actor_from, created_at, due_at)
VALUES (?, ?, ?, ?, ?, ?, 0, ?, '', 0, 0, ?, ?, ?, ?, ?, ?, ?)`

const selectJob = `
SELECT seq, id, organisation, kind, object, state, input, done, total, result, error, cancel, attempts,
  actor_kind, actor, actor_user, actor_login, actor_from, created_at, due_at, started_at, ended_at
FROM job
`

const listJobs = `
  AND seq < ?
  AND (? = '' OR kind = ?)
  AND (? = '' OR object = ?)
ORDER BY seq DESC
LIMIT ?`

const nextJob = `
WHERE state = 'queued'
  AND (due_at <= ? OR due_at > ? AND (attempts > 0 OR created_at > ?))
  AND ended_at IS NULL
ORDER BY due_at, seq
LIMIT 1`

const startJob = `
UPDATE job
SET state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, ?)
WHERE id = ? AND state = 'queued'`

// requeueAll is what a start does with jobs whose program was stopped or killed.
const requeueAll = `
UPDATE job
SET state = 'queued'
WHERE state = 'running' AND ended_at IS NULL`

const requeueJob = `
UPDATE job
SET state = 'queued', due_at = ?
WHERE id = ? AND state = 'running' AND attempts = ?`

const setProgress = `
UPDATE job
SET done = ?, total = ?
WHERE id = ? AND state = 'running' AND cancel = 0`

const endJob = `
UPDATE job
SET state = ?, result = ?, error = ?, ended_at = ?
WHERE id = ? AND state = 'running' AND attempts = ?`

const nextDue = `
SELECT min(due_at)
FROM job
WHERE state = 'queued' AND ended_at IS NULL`

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Job, error) {
	var seq int64
	return scanSeq(row, &seq)
}

func scanSeq(row scanner, seq *int64) (Job, error) {
	var j Job
	var created, due int64
	var started, ended sql.NullInt64
	var input, result []byte
	err := row.Scan(seq, &j.ID, &j.Organisation, &j.Kind, &j.Object, &j.State, &input, &j.Done, &j.Total, &result,
		&j.Error, &j.Cancelling, &j.Attempts, &j.Who.Kind, &j.Who.ID, &j.Who.User, &j.Who.Login, &j.Who.From,
		&created, &due, &started, &ended)
	j.Input, j.Result = input, result
	j.Who.Organisation = j.Organisation
	j.Created, j.Due = milli(created), milli(due)
	j.Started, j.Ended = optional(started), optional(ended)
	return j, err
}

func optional(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return milli(ms.Int64)
}
