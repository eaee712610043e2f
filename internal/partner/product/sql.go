package product

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const (
	columns = `id, organisation, product_id, product_key, category, names, version, created_at, changed_at, kind, state, offered, built_on,
		solution, protocols, care, icon, icon_media, icon_size, flagged, flag, flagged_at, gateway, registration, secret_generation, voice, revision`

	loadSQL = `
		SELECT ` + columns + `
		FROM product
		WHERE id = ? AND organisation = ?`

	byKeySQL = `
		SELECT ` + columns + `
		FROM product
		WHERE product_key = ?`

	// The platform's own look: whose product it is does not matter to the check of a message.
	inForceSQL = `
		SELECT ` + columns + `
		FROM product
		WHERE id = ?`

	lastNumberSQL = `
		SELECT MAX(last)
		FROM (
			SELECT COALESCE(MAX(product_id), 0) AS last FROM product
			UNION ALL
			SELECT COALESCE(MAX(product_id), 0) AS last FROM product_erased
		) AS numbers`

	insertSQL = `
		INSERT INTO product (id, organisation, product_id, product_key, category, names, search, version, created_at, changed_at, kind, state, built_on, solution, protocols, care, gateway)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	saveSQL = `
		UPDATE product
		SET names = ?, search = ?, state = ?, offered = ?, built_on = ?, solution = ?, protocols = ?, care = ?, icon = ?, icon_media = ?, icon_size = ?, flagged = ?,
			flag = ?, flagged_at = ?, gateway = ?, registration = ?, secret_generation = ?, revision = ?, changed_at = ?
		WHERE id = ? AND revision = ?`

	iconSQL = `
		SELECT organisation, icon_media
		FROM product
		WHERE icon = ? AND icon <> ''
		LIMIT 1`

	dependentsSQL = `
		SELECT id FROM product WHERE built_on = ? AND built_on <> ''
		UNION
		SELECT id FROM product WHERE solution = ? AND solution <> ''
		ORDER BY id`

	paperColumns = `id, organisation, product, kind, number, issuer, valid_from, valid_until, file, media, size, state, note, created_at, told, revision`

	insertPaperSQL = `
		INSERT INTO product_paper (` + paperColumns + `, next_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	updatePaperSQL = `
		UPDATE product_paper
		SET state = ?, note = ?, told = ?, next_at = ?, revision = ?
		WHERE id = ? AND state = ? AND revision = ?`

	papersOfSQL = `
		SELECT ` + paperColumns + `
		FROM product_paper
		WHERE product = ?
		ORDER BY id
		LIMIT 100`

	draftSQL = `
		SELECT revision, document, changed_at
		FROM product_draft
		WHERE product = ?`

	saveDraftSQL = `
		INSERT INTO product_draft (product, revision, document, changed_at)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (product) DO UPDATE
		SET revision = excluded.revision, document = excluded.document, changed_at = excluded.changed_at`

	dropDraftSQL = `
		DELETE FROM product_draft
		WHERE product = ?`

	insertModelSQL = `
		INSERT INTO product_model (product, version, document, note, breaking, published_at, published_by)
		VALUES (?, ?, ?, ?, ?, ?, ?)`

	advanceSQL = `
		UPDATE product
		SET version = ?, changed_at = ?
		WHERE id = ? AND version = ?`

	versionSQL = `
		SELECT version, document, note, breaking, published_at, published_by
		FROM product_model
		WHERE product = ? AND version = ?`

	versionsSQL = `
		SELECT version, '', note, breaking, published_at, published_by
		FROM product_model
		WHERE product = ? AND version < ?
		ORDER BY version DESC
		LIMIT ?`
)

const (
	voiceDraftSQL = `
		SELECT revision, document, changed_at
		FROM product_voice_draft
		WHERE product = ?`

	saveVoiceDraftSQL = `
		INSERT INTO product_voice_draft (product, revision, document, changed_at)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (product) DO UPDATE
		SET revision = excluded.revision, document = excluded.document, changed_at = excluded.changed_at`

	dropVoiceDraftSQL = `
		DELETE FROM product_voice_draft
		WHERE product = ?`

	insertVoiceSQL = `
		INSERT INTO product_voice (product, version, model, document, note, published_at, published_by)
		VALUES (?, ?, ?, ?, ?, ?, ?)`

	advanceVoiceSQL = `
		UPDATE product
		SET voice = ?, changed_at = ?
		WHERE id = ? AND voice = ?`

	voiceSQL = `
		SELECT version, model, document, note, published_at, published_by
		FROM product_voice
		WHERE product = ? AND version = ?`

	voicesSQL = `
		SELECT version, model, '', note, published_at, published_by
		FROM product_voice
		WHERE product = ? AND version < ?
		ORDER BY version DESC
		LIMIT ?`
)

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Product, error) {
	var p Product
	var names, protocols, care string
	var created, changed, flagged int64
	var offered, flag, gateway, registers int
	err := row.Scan(&p.ID, &p.Organisation, &p.ProductID, &p.ProductKey, &p.Category, &names, &p.Version, &created, &changed, &p.Kind, &p.State,
		&offered, &p.BuiltOn, &p.Solution, &protocols, &care, &p.Icon, &p.IconMedia, &p.iconSize, &flag, &p.Flag, &flagged, &gateway, &registers, &p.secret, &p.Voice, &p.Revision)
	if err != nil {
		return Product{}, err
	}
	p.CreatedAt, p.ChangedAt, p.FlaggedAt, p.Offered, p.Flagged, p.Gateway, p.Registration = at(created), at(changed), at(flagged), offered == 1, flag == 1, gateway == 1, registers == 1
	return p, errors.Join(json.Unmarshal([]byte(names), &p.Names), json.Unmarshal([]byte(protocols), &p.Protocols), json.Unmarshal([]byte(care), &p.Care))
}

func insert(ctx context.Context, tx *store.Tx, p Product) error {
	_, err := tx.Exec(ctx, insertSQL, p.ID, p.Organisation, uint32(p.ProductID), p.ProductKey, p.Category, marshal(p.Names), p.search(),
		0, p.CreatedAt.UnixMilli(), p.ChangedAt.UnixMilli(), string(p.Kind), string(p.State), p.BuiltOn, p.Solution, marshal(p.Protocols), marshal(p.Care), bit(p.Gateway))
	if err != nil {
		return fmt.Errorf("adding product %s: %w", p.ID, err)
	}
	return nil
}

// search is what a list's search looks into.
func (p *Product) search() string {
	parts := []string{p.ProductKey, p.ProductID.String()}
	for _, lang := range slices.Sorted(maps.Keys(p.Names)) {
		parts = append(parts, p.Names[lang])
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// load returns a product that who sees.
func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Product, error) {
	if who.Everywhere() {
		return find(ctx, q, id)
	}
	p, err := scan(q.QueryRow(ctx, loadSQL, id, who.Organisation))
	return p, missing(err, "product", id)
}

// find returns a product, whosever it is.
func find(ctx context.Context, q store.Querier, id string) (Product, error) {
	p, err := scan(q.QueryRow(ctx, inForceSQL, id))
	return p, missing(err, "product", id)
}

func missing(err error, object, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound(object, id)
	}
	if err != nil {
		return fmt.Errorf("reading %s %s: %w", object, id, err)
	}
	return nil
}

// dependents are the products that are built on one.
func dependents(ctx context.Context, q store.Querier, id string) ([]string, error) {
	on, err := texts(ctx, q, dependentsSQL, id, id)
	if err != nil {
		return nil, fmt.Errorf("looking for what is built on product %s: %w", id, err)
	}
	return on, nil
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

func scanPaper(row listing.Scanner) (Paper, error) {
	var d Paper
	var from, until, created int64
	err := row.Scan(&d.ID, &d.Organisation, &d.Product, &d.Kind, &d.Number, &d.Issuer, &from, &until, &d.File, &d.Media, &d.Size, &d.State, &d.Note,
		&created, &d.told, &d.Revision)
	d.ValidFrom, d.ValidUntil, d.CreatedAt = at(from), at(until), at(created)
	return d, err
}

func insertPaper(ctx context.Context, tx *store.Tx, d *Paper) error {
	_, err := tx.Exec(ctx, insertPaperSQL, d.ID, d.Organisation, d.Product, d.Kind, d.Number, d.Issuer, millis(d.ValidFrom), millis(d.ValidUntil),
		d.File, d.Media, d.Size, string(d.State), d.Note, millis(d.CreatedAt), d.told, d.Revision, millis(d.next()))
	if err != nil {
		return fmt.Errorf("adding paper %s: %w", d.ID, err)
	}
	return nil
}

func updatePaper(ctx context.Context, tx *store.Tx, d *Paper, from PaperState) error {
	d.Revision++
	res, err := tx.Exec(ctx, updatePaperSQL, string(d.State), d.Note, d.told, millis(d.next()), d.Revision, d.ID, string(from), d.Revision-1)
	if err != nil {
		return fmt.Errorf("changing paper %s: %w", d.ID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fault.Stale("paper", d.ID), err)
	}
	return nil
}

func loadPaper(ctx context.Context, q store.Querier, who access.Actor, id string) (Paper, error) {
	where, args := "", []any{id}
	if !who.Everywhere() {
		where, args = " AND organisation = ?", append(args, who.Organisation)
	}
	d, err := scanPaper(q.QueryRow(ctx, "SELECT "+paperColumns+" FROM product_paper WHERE id = ?"+where, args...))
	return d, missing(err, "paper", id)
}

// papersOf are all papers of a product; there are at most 100.
func papersOf(ctx context.Context, q store.Querier, id string) ([]Paper, error) {
	rows, err := q.Query(ctx, papersOfSQL, id)
	if err != nil {
		return nil, fmt.Errorf("listing the papers of product %s: %w", id, err)
	}
	defer rows.Close()
	var all []Paper
	for rows.Next() {
		d, err := scanPaper(rows)
		if err != nil {
			return nil, fmt.Errorf("listing the papers of product %s: %w", id, err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

func scanVersion(row scanner) (Version, error) {
	var v Version
	var document string
	var published int64
	if err := row.Scan(&v.Number, &document, &v.Note, &v.Breaking, &published, &v.PublishedBy); err != nil {
		return Version{}, err
	}
	v.Document, v.PublishedAt = json.RawMessage(document), at(published)
	return v, nil
}
