package certify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const (
	caseColumns = `id, organisation, product, kind, category, covers, laboratory, state, report, note, opened_by, opened_at, decided_by, decided_at, revision`

	openCaseSQL = `
		SELECT id
		FROM certification
		WHERE product = ? AND decided_at = 0`

	insertCaseSQL = `
		INSERT INTO certification (` + caseColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	updateCaseSQL = `
		UPDATE certification
		SET laboratory = ?, state = ?, report = ?, note = ?, decided_by = ?, decided_at = ?, revision = ?
		WHERE id = ? AND state = ? AND revision = ?`

	countEvidenceSQL = `
		SELECT COUNT(*)
		FROM certification_evidence
		WHERE certification = ?`

	insertEvidenceSQL = `
		INSERT INTO certification_evidence (id, certification, organisation, media, size, sha256, added_by, added_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	evidenceSQL = `
		SELECT id, certification, organisation, media, size, sha256, added_at
		FROM certification_evidence
		WHERE certification = ?
		ORDER BY id`

	// Memberships are the accounts'.
	memberSQL = `
		SELECT 1
		FROM member
		WHERE organisation = ? AND user_id = ?`

	certificateColumns = `id, certification, organisation, product, laboratory, covers, report, conditions, valid_from, valid_until, state, reason,
		issued_at, ended_at, told, revision`

	insertCertificateSQL = `
		INSERT INTO certificate (` + certificateColumns + `, next_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	updateCertificateSQL = `
		UPDATE certificate
		SET state = ?, reason = ?, ended_at = ?, told = ?, next_at = ?, revision = ?
		WHERE id = ? AND state = ? AND revision = ?`

	certificatesOfSQL = `
		SELECT ` + certificateColumns + `
		FROM certificate
		WHERE product = ?
		ORDER BY id DESC
		LIMIT 200`

	// Those of a product that have not ended, by their state.
	inForceSQL = `
		SELECT id
		FROM certificate
		WHERE product = ? AND state IN ('pending', 'valid')
		ORDER BY id
		LIMIT 100`

	dueSQL = `
		SELECT id
		FROM certificate
		WHERE next_at > 0 AND next_at <= ?
		ORDER BY next_at
		LIMIT 100`

	standingSQL = `
		SELECT in_force
		FROM certify_standing
		WHERE product = ?`

	setStandingSQL = `
		INSERT INTO certify_standing (product, organisation, in_force, since)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (product) DO UPDATE
		SET in_force = excluded.in_force, since = excluded.since`

	laboratoryColumns = `id, names, kinds, categories, valid_from, valid_until, state, reason, created_at, revision`

	insertLaboratorySQL = `
		INSERT INTO laboratory (` + laboratoryColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	updateLaboratorySQL = `
		UPDATE laboratory
		SET names = ?, kinds = ?, categories = ?, valid_from = ?, valid_until = ?, state = ?, reason = ?, revision = ?
		WHERE id = ? AND revision = ?`
)

func scanCase(row listing.Scanner) (Case, error) {
	var c Case
	var covers string
	var opened, decided int64
	err := row.Scan(&c.ID, &c.Organisation, &c.Product, &c.Kind, &c.Category, &covers, &c.Laboratory, &c.State, &c.Report, &c.Note,
		&c.OpenedBy, &opened, &c.DecidedBy, &decided, &c.Revision)
	if err != nil {
		return Case{}, err
	}
	c.OpenedAt, c.DecidedAt = at(opened), at(decided)
	return c, json.Unmarshal([]byte(covers), &c.Covers)
}

func insertCase(ctx context.Context, tx *store.Tx, c *Case) error {
	_, err := tx.Exec(ctx, insertCaseSQL, c.ID, c.Organisation, c.Product, c.Kind, c.Category, marshal(c.Covers), c.Laboratory, string(c.State),
		c.Report, c.Note, c.OpenedBy, millis(c.OpenedAt), c.DecidedBy, millis(c.DecidedAt), c.Revision)
	if err != nil {
		return fmt.Errorf("opening certification %s: %w", c.ID, err)
	}
	return nil
}

func updateCase(ctx context.Context, tx *store.Tx, c *Case, from State) error {
	c.Revision++
	res, err := tx.Exec(ctx, updateCaseSQL, c.Laboratory, string(c.State), c.Report, c.Note, c.DecidedBy, millis(c.DecidedAt), c.Revision,
		c.ID, string(from), c.Revision-1)
	return changed(res, err, "certification", c.ID)
}

// changed says whether the one row was there as it was read.
func changed(res sql.Result, err error, object, id string) error {
	if err != nil {
		return fmt.Errorf("changing %s %s: %w", object, id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fault.Stale(object, id), err)
	}
	return nil
}

// sight is the condition that keeps a load to what who sees.
func sight(who access.Actor) (string, []any) {
	laboratory, limited := laboratoryOf(who)
	switch {
	case limited:
		return " AND laboratory = ? AND laboratory <> ''", []any{laboratory}
	case who.Everywhere():
		return "", nil
	}
	return " AND organisation = ?", []any{who.Organisation}
}

func loadCase(ctx context.Context, q store.Querier, who access.Actor, id string) (Case, error) {
	where, args := sight(who)
	c, err := scanCase(q.QueryRow(ctx, "SELECT "+caseColumns+" FROM certification WHERE id = ?"+where, append([]any{id}, args...)...))
	return c, found(err, "certification", id)
}

func found(err error, object, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound(object, id)
	}
	if err != nil {
		return fmt.Errorf("reading %s %s: %w", object, id, err)
	}
	return nil
}

func loadEvidence(ctx context.Context, q store.Querier, id string) ([]Evidence, error) {
	rows, err := q.Query(ctx, evidenceSQL, id)
	if err != nil {
		return nil, fmt.Errorf("listing the evidence of certification %s: %w", id, err)
	}
	defer rows.Close()
	all := []Evidence{}
	for rows.Next() {
		var e Evidence
		var added int64
		if err := rows.Scan(&e.ID, &e.Case, &e.Organisation, &e.Media, &e.Size, &e.SHA256, &added); err != nil {
			return nil, err
		}
		e.AddedAt = at(added)
		all = append(all, e)
	}
	return all, rows.Err()
}

func scanCertificate(row listing.Scanner) (Certificate, error) {
	var c Certificate
	var covers string
	var from, until, issued, ended int64
	err := row.Scan(&c.ID, &c.Case, &c.Organisation, &c.Product, &c.Laboratory, &covers, &c.Report, &c.Conditions, &from, &until, &c.State,
		&c.Reason, &issued, &ended, &c.told, &c.Revision)
	if err != nil {
		return Certificate{}, err
	}
	c.ValidFrom, c.ValidUntil, c.IssuedAt, c.EndedAt = at(from), at(until), at(issued), at(ended)
	return c, json.Unmarshal([]byte(covers), &c.Covers)
}

func insertCertificate(ctx context.Context, tx *store.Tx, c *Certificate) error {
	_, err := tx.Exec(ctx, insertCertificateSQL, c.ID, c.Case, c.Organisation, c.Product, c.Laboratory, marshal(c.Covers), c.Report, c.Conditions,
		millis(c.ValidFrom), millis(c.ValidUntil), string(c.State), c.Reason, millis(c.IssuedAt), millis(c.EndedAt), c.told, c.Revision, millis(c.next()))
	if err != nil {
		return fmt.Errorf("issuing certificate %s: %w", c.ID, err)
	}
	return nil
}

func updateCertificate(ctx context.Context, tx *store.Tx, c *Certificate, from CertificateState) error {
	c.Revision++
	res, err := tx.Exec(ctx, updateCertificateSQL, string(c.State), c.Reason, millis(c.EndedAt), c.told, millis(c.next()), c.Revision,
		c.ID, string(from), c.Revision-1)
	return changed(res, err, "certificate", c.ID)
}

func loadCertificate(ctx context.Context, q store.Querier, who access.Actor, id string) (Certificate, error) {
	where, args := sight(who)
	c, err := scanCertificate(q.QueryRow(ctx, "SELECT "+certificateColumns+" FROM certificate WHERE id = ?"+where, append([]any{id}, args...)...))
	return c, found(err, "certificate", id)
}

func certificatesOf(ctx context.Context, q store.Querier, product string) ([]Certificate, error) {
	rows, err := q.Query(ctx, certificatesOfSQL, product)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates of product %s: %w", product, err)
	}
	defer rows.Close()
	var all []Certificate
	for rows.Next() {
		c, err := scanCertificate(rows)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of product %s: %w", product, err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func scanLaboratory(row listing.Scanner) (Laboratory, error) {
	var l Laboratory
	var names, kinds, categories string
	var from, until, created int64
	if err := row.Scan(&l.ID, &names, &kinds, &categories, &from, &until, &l.State, &l.Reason, &created, &l.Revision); err != nil {
		return Laboratory{}, err
	}
	l.ValidFrom, l.ValidUntil, l.CreatedAt = at(from), at(until), at(created)
	return l, errors.Join(json.Unmarshal([]byte(names), &l.Names), json.Unmarshal([]byte(kinds), &l.Kinds), json.Unmarshal([]byte(categories), &l.Categories))
}

func loadLaboratory(ctx context.Context, q store.Querier, id string) (Laboratory, error) {
	l, err := scanLaboratory(q.QueryRow(ctx, "SELECT "+laboratoryColumns+" FROM laboratory WHERE id = ?", id))
	return l, found(err, "laboratory", id)
}

func insertLaboratory(ctx context.Context, tx *store.Tx, l *Laboratory) error {
	_, err := tx.Exec(ctx, insertLaboratorySQL, l.ID, marshal(l.Names), marshal(l.Kinds), marshal(l.Categories), millis(l.ValidFrom), millis(l.ValidUntil),
		string(l.State), l.Reason, millis(l.CreatedAt), l.Revision)
	if err != nil {
		return fmt.Errorf("appointing laboratory %s: %w", l.ID, err)
	}
	return nil
}

func updateLaboratory(ctx context.Context, tx *store.Tx, l *Laboratory) error {
	l.Revision++
	res, err := tx.Exec(ctx, updateLaboratorySQL, marshal(l.Names), marshal(l.Kinds), marshal(l.Categories), millis(l.ValidFrom), millis(l.ValidUntil),
		string(l.State), l.Reason, l.Revision, l.ID, l.Revision-1)
	return changed(res, err, "laboratory", l.ID)
}

// texts is the one column of a query.
func texts(ctx context.Context, q store.Querier, query string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
