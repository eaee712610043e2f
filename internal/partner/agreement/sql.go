package agreement

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	agreementColumns = `id, precedence, names, prevails, subject, kinds, categories, created_at`

	insertAgreementSQL = `
		INSERT INTO agreement (` + agreementColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	agreementSQL = `
		SELECT ` + agreementColumns + `
		FROM agreement
		WHERE id = ?`

	agreementsSQL = `
		SELECT ` + agreementColumns + `
		FROM agreement
		ORDER BY precedence, id`

	versionColumns = `id, agreement, number, state, created_at, published_at, effective_at, ended_at`

	insertVersionSQL = `
		INSERT INTO agreement_version (id, agreement, number, state, created_at, published_at, effective_at, ended_at)
		VALUES (?, ?, ?, ?, ?, 0, 0, 0)`

	moveVersionSQL = `
		UPDATE agreement_version
		SET state = ?, published_at = ?, effective_at = ?, ended_at = ?
		WHERE id = ? AND state = ?`

	versionSQL = `
		SELECT ` + versionColumns + `
		FROM agreement_version
		WHERE id = ?`

	versionsSQL = `
		SELECT ` + versionColumns + `
		FROM agreement_version
		WHERE agreement = ?
		ORDER BY number DESC`

	publishedSQL = `
		SELECT ` + versionColumns + `
		FROM agreement_version
		WHERE state = 'published'
		ORDER BY agreement, number DESC`

	// Both parameters are the time now.
	supersedeSQL = `
		UPDATE agreement_version
		SET state = 'superseded', ended_at = ?
		WHERE state = 'published' AND EXISTS (
			SELECT 1
			FROM agreement_version n
			WHERE n.agreement = agreement_version.agreement
				AND n.number > agreement_version.number
				AND n.state = 'published'
				AND n.effective_at <= ?)`

	textsSQL = `
		SELECT lang, body, changes, hash
		FROM agreement_text
		WHERE version = ?`

	insertTextSQL = `
		INSERT INTO agreement_text (version, lang, body, changes, hash)
		VALUES (?, ?, ?, ?, ?)`

	acceptanceColumns = `a.id, a.person, COALESCE(p.user_id, ''), a.decision, a.agreement, a.version, a.number, a.lang, a.hash, a.subject_kind,
		a.subject, a.organisation, COALESCE(o.address, ''), a.channel, a.decided_at`

	acceptanceFrom = `agreement_acceptance a
		LEFT JOIN agreement_person p ON p.reference = a.person
		LEFT JOIN agreement_origin o ON o.acceptance = a.id`

	insertAcceptanceSQL = `
		INSERT INTO agreement_acceptance (id, person, decision, agreement, version, number, lang, hash, subject_kind, subject, organisation, channel, decided_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	insertOriginSQL = `
		INSERT INTO agreement_origin (acceptance, person, organisation, address)
		VALUES (?, ?, ?, ?)`

	// What a subject said last of each version.
	decisionsSQL = `
		SELECT version, decision
		FROM agreement_acceptance
		WHERE subject_kind = ? AND subject = ?
		ORDER BY id`
)

type scanner interface{ Scan(dest ...any) error }

func scanAgreement(row scanner) (Agreement, error) {
	var a Agreement
	var names, prevails, kinds, categories string
	var created int64
	if err := row.Scan(&a.ID, &a.Precedence, &names, &prevails, &a.Subject, &kinds, &categories, &created); err != nil {
		return Agreement{}, err
	}
	a.CreatedAt = at(created)
	return a, errors.Join(json.Unmarshal([]byte(names), &a.Names), json.Unmarshal([]byte(prevails), &a.Prevails),
		json.Unmarshal([]byte(kinds), &a.Kinds), json.Unmarshal([]byte(categories), &a.Categories))
}

func insertAgreement(ctx context.Context, tx *store.Tx, a *Agreement) error {
	_, err := tx.Exec(ctx, insertAgreementSQL, a.ID, a.Precedence, marshal(a.Names), marshal(a.Prevails), string(a.Subject),
		array(a.Kinds), array(a.Categories), a.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("adding agreement %s: %w", a.ID, err)
	}
	return nil
}

func loadAgreement(ctx context.Context, q store.Querier, id string) (Agreement, error) {
	a, err := scanAgreement(q.QueryRow(ctx, agreementSQL, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Agreement{}, fault.NotFound("agreement", id)
	}
	if err != nil {
		return Agreement{}, fmt.Errorf("reading agreement %s: %w", id, err)
	}
	return a, nil
}

func scanVersion(row scanner) (Version, error) {
	var v Version
	var created, published, effective, ended int64
	err := row.Scan(&v.ID, &v.Agreement, &v.Number, &v.State, &created, &published, &effective, &ended)
	v.CreatedAt, v.PublishedAt, v.EffectiveAt, v.EndedAt = at(created), at(published), at(effective), at(ended)
	return v, err
}

// rowsOf reads all rows of a bounded statement.
func rowsOf[T any](ctx context.Context, q store.Querier, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

func versions(ctx context.Context, q store.Querier, agreement string) ([]Version, error) {
	all, err := rowsOf(ctx, q, scanVersion, versionsSQL, agreement)
	if err != nil {
		return nil, fmt.Errorf("reading the versions of agreement %s: %w", agreement, err)
	}
	return all, nil
}

// loadVersion reads a version with its texts. A draft is not found by who may not see it.
func loadVersion(ctx context.Context, q store.Querier, who access.Actor, id string) (Version, error) {
	v, err := scanVersion(q.QueryRow(ctx, versionSQL, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !v.visible(who) {
		return Version{}, fault.NotFound("version", id)
	}
	if err != nil {
		return Version{}, fmt.Errorf("reading version %s: %w", id, err)
	}
	v.Texts, err = texts(ctx, q, id)
	return v, err
}

func texts(ctx context.Context, q store.Querier, version string) (map[string]Text, error) {
	out := make(map[string]Text)
	_, err := rowsOf(ctx, q, func(row scanner) (struct{}, error) {
		var lang string
		var t Text
		err := row.Scan(&lang, &t.Body, &t.Changes, &t.Hash)
		out[lang] = t
		return struct{}{}, err
	}, textsSQL, version)
	if err != nil {
		return nil, fmt.Errorf("reading the texts of version %s: %w", version, err)
	}
	return out, nil
}

func replaceTexts(ctx context.Context, tx *store.Tx, version string, texts map[string]Text) error {
	if _, err := tx.Exec(ctx, "DELETE FROM agreement_text WHERE version = ?", version); err != nil {
		return fmt.Errorf("replacing the texts of version %s: %w", version, err)
	}
	for lang, t := range texts {
		if _, err := tx.Exec(ctx, insertTextSQL, version, lang, t.Body, t.Changes, t.Hash); err != nil {
			return fmt.Errorf("writing the %s text of version %s: %w", lang, version, err)
		}
	}
	return nil
}

// set reads all agreements with what is in force and what is ahead.
func set(ctx context.Context, q store.Querier, now time.Time) ([]Agreement, error) {
	all, err := rowsOf(ctx, q, scanAgreement, agreementsSQL)
	if err != nil {
		return nil, fmt.Errorf("reading the agreements: %w", err)
	}
	return all, withVersions(ctx, q, all, now)
}

// withVersions fills in what is in force of agreements, and what is ahead.
func withVersions(ctx context.Context, q store.Querier, all []Agreement, now time.Time) error {
	published, err := rowsOf(ctx, q, scanVersion, publishedSQL)
	if err != nil {
		return fmt.Errorf("reading the published versions: %w", err)
	}
	for i := range all {
		for j := range published { // the newest of an agreement first
			if v := &published[j]; v.Agreement == all[i].ID && all[i].InForce == nil && !v.EffectiveAt.After(now) {
				all[i].InForce = v
			}
		}
		all[i].Ahead = next(published, &all[i])
	}
	return nil
}

// next is the version of an agreement that comes into force first after the one that is; nil if none does.
func next(published []Version, a *Agreement) *Version {
	var found *Version
	for i := range published {
		v := &published[i]
		if v.Agreement != a.ID || a.InForce != nil && v.Number <= a.InForce.Number {
			continue
		}
		if found == nil || v.EffectiveAt.Before(found.EffectiveAt) {
			found = v
		}
	}
	return found
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and slices of strings always encode
	}
	return string(b)
}

func array[T any](all []T) string {
	if len(all) == 0 {
		return "[]"
	}
	return marshal(all)
}
