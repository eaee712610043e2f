package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode/utf8"

	"lampworks/internal/infra/store"
)

const insertEntry = `
INSERT INTO audit_entry (id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)`

const selectPerson = `
SELECT reference, login
FROM audit_person
WHERE person = ? AND organisation = ?`

const updateLogin = `
UPDATE audit_person
SET login = ?
WHERE reference = ?`

const insertPerson = `
INSERT INTO audit_person (reference, person, organisation, login, salt, created_at)
VALUES (?, ?, ?, ?, ?, ?)`

const selectAddress = `
SELECT reference
FROM audit_address
WHERE person = ? AND organisation = ? AND address = ?`

const insertAddress = `
INSERT INTO audit_address (reference, address, person, organisation, salt, created_at)
VALUES (?, ?, ?, ?, ?, ?)`

const deletePerson = `
DELETE FROM audit_person
WHERE person = ?`

const deleteAddresses = `
DELETE FROM audit_address
WHERE person = ?`

const selectKnownPersons = `
SELECT reference, person, organisation, login, '', salt
FROM audit_person
WHERE reference > ?
ORDER BY reference
LIMIT ?`

const selectKnownAddresses = `
SELECT reference, person, organisation, '', address, salt
FROM audit_address
WHERE reference > ?
ORDER BY reference
LIMIT ?`

// selectRows reads entries as they are sealed.
const selectRows = `
SELECT seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note, seal, sealed_at
FROM audit_entry
WHERE seq > ?
ORDER BY seq
LIMIT ?`

const selectSealed = `
SELECT seq, seal
FROM audit_entry
WHERE seal IS NOT NULL
ORDER BY seq DESC
LIMIT 1`

const countSealed = `
SELECT COUNT(*)
FROM audit_entry
WHERE seq > ? AND seal IS NOT NULL`

const updateSeal = `
UPDATE audit_entry
SET seal = ?, sealed_at = ?
WHERE seq = ? AND seal IS NULL`

const checkpointColumns = `number, seq, seal, entries, at, previous, signature, root_signature`

const selectNewest = `
SELECT ` + checkpointColumns + `
FROM audit_checkpoint
ORDER BY number DESC
LIMIT 1`

const selectCheckpoints = `
SELECT ` + checkpointColumns + `
FROM audit_checkpoint
WHERE number > ?
ORDER BY number
LIMIT ?`

const insertCheckpoint = `
INSERT INTO audit_checkpoint (number, seq, seal, entries, at, previous, signature)
VALUES (?, ?, ?, ?, ?, ?, ?)`

const setRoot = `
UPDATE audit_checkpoint
SET root_signature = ?
WHERE number = ? AND root_signature IS NULL`

const selectRange = `
SELECT COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0)
FROM audit_entry
WHERE at >= ? AND at < ?`

const selectCheckpointBefore = `
SELECT ` + checkpointColumns + `
FROM audit_checkpoint
WHERE seq < ?
ORDER BY number DESC
LIMIT 1`

const selectKnownPerson = `
SELECT person, organisation, login, '', salt
FROM audit_person
WHERE reference = ?`

const selectKnownAddress = `
SELECT person, organisation, '', address, salt
FROM audit_address
WHERE reference = ?`

const deleteCheckpoints = `
DELETE FROM audit_checkpoint
WHERE number < ?`

const deleteEntries = `
DELETE FROM audit_entry
WHERE seq <= ?`

// readRows gives at most limit entries behind seq.
func readRows(ctx context.Context, q store.Querier, seq int64, limit int) ([]row, error) {
	rows, err := q.Query(ctx, selectRows, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("reading audit entries: %w", err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		var sealedAt sql.NullInt64
		if err := rows.Scan(&r.Seq, &r.ID, &r.At, &r.Organisation, &r.Kind, &r.Actor, &r.User, &r.Login, &r.From, &r.Act, &r.Object, &r.Note,
			&r.Seal, &sealedAt); err != nil {
			return nil, fmt.Errorf("reading an audit entry: %w", err)
		}
		r.SealedAt = sealedAt.Int64
		out = append(out, r)
	}
	return out, rows.Err()
}

// readCheckpoints gives at most limit checkpoints behind number.
func readCheckpoints(ctx context.Context, q store.Querier, number int64, limit int) ([]Checkpoint, error) {
	rows, err := q.Query(ctx, selectCheckpoints, number, limit)
	if err != nil {
		return nil, fmt.Errorf("reading audit checkpoints: %w", err)
	}
	defer rows.Close()
	var out []Checkpoint
	for rows.Next() {
		c, err := scanCheckpoint(rows)
		if err != nil {
			return nil, fmt.Errorf("reading an audit checkpoint: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

type scanner interface{ Scan(dest ...any) error }

func scanCheckpoint(s scanner) (c Checkpoint, err error) {
	err = s.Scan(&c.Number, &c.Seq, &c.Seal, &c.Entries, &c.At, &c.Previous, &c.Signature, &c.RootSignature)
	return c, err
}

// cut shortens s to at most most bytes, ending on a whole character.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
