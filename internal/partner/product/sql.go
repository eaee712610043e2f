package product

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lampworks/internal/infra/store"
)

const (
	columns = `id, organisation, product_id, product_key, category, names, version, created_at, changed_at`

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
		SELECT COALESCE(MAX(product_id), 0)
		FROM product`

	insertSQL = `
		INSERT INTO product (id, organisation, product_id, product_key, category, names, search, version, created_at, changed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	renameSQL = `
		UPDATE product
		SET names = ?, search = ?, changed_at = ?
		WHERE id = ? AND organisation = ?`

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

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Product, error) {
	var p Product
	var names string
	var created, changed int64
	err := row.Scan(&p.ID, &p.Organisation, &p.ProductID, &p.ProductKey, &p.Category, &names, &p.Version, &created, &changed)
	if err != nil {
		return Product{}, err
	}
	p.CreatedAt, p.ChangedAt = at(created), at(changed)
	return p, json.Unmarshal([]byte(names), &p.Names)
}

func insert(ctx context.Context, tx *store.Tx, p Product) error {
	_, err := tx.Exec(ctx, insertSQL, p.ID, p.Organisation, uint32(p.ProductID), p.ProductKey, p.Category, marshal(p.Names), p.search(),
		0, p.CreatedAt.UnixMilli(), p.ChangedAt.UnixMilli())
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

// list reads one row more than the page holds, to say whether more follow.
func list(ctx context.Context, q store.Querier, organisation string, f Filter) ([]Product, error) {
	statement := "SELECT " + columns + " FROM product WHERE organisation = ? AND id > ?"
	args := []any{organisation, f.Cursor}
	if f.Category != "" {
		statement += " AND category = ?"
		args = append(args, f.Category)
	}
	if f.Search != "" {
		statement += ` AND search LIKE ? ESCAPE '\'`
		args = append(args, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(f.Search))+"%")
	}
	rows, err := q.Query(ctx, statement+" ORDER BY id LIMIT ?", append(args, f.Limit+1)...)
	if err != nil {
		return nil, fmt.Errorf("listing products: %w", err)
	}
	defer rows.Close()
	products := []Product{}
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("listing products: %w", err)
		}
		products = append(products, p)
	}
	return products, rows.Err()
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
