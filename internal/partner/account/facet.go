package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// Organisations returns a page of organisations, in the order they were made, but those that were erased. Filters: kind, form,
// name (its beginning), and lang, the language of the names that are sorted and filtered by. Sorts: name, created_at. The
// operator only.
func (s *Service) Organisations(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Organisation], err error) {
	if err := who.Check(access.ManageOrganisations); err != nil {
		return page, err
	}
	lang := ask.Filters["lang"]
	if lang == "" {
		lang = "en"
	}
	facet := facetOf(Kind(ask.Filters["kind"]), ask.Filters["form"])
	ask = scoped(ask, []string{"name"}, map[string]string{"facet": facet, "lang": lang})
	beginning(&ask, "name")
	return read(ctx, s, organisations(), ask)
}

func organisations() *listing.List[Organisation] {
	found := []string{"facet", "lang"}
	return &listing.List[Organisation]{
		Object: "organisation", Columns: organisationColumns, From: "organisation_listed l JOIN organisation o ON o.id = l.organisation", Key: "l.organisation",
		Fields: []listing.Field{
			{Name: "facet", Column: "l.facet", Parse: func(text string) (any, error) { return strings.TrimPrefix(text, all), nil }},
			{Name: "lang", Column: "l.lang", Parse: langOf},
			{Name: "name", Column: "l.name", Prefix: true, Parse: folding},
			{Name: "created_at", Column: "l.organisation", Parse: listing.MadeAt},
		},
		Ways: []listing.Way{
			{Filters: found},
			{Filters: found, Sort: "created_at"},
			{Filters: found, Sort: "name"},
			{Filters: append(slices.Clone(found), "name"), Sort: "name"},
		},
		Scan: func(row listing.Scanner) (Organisation, error) { return scanOrganisation(row) },
	}
}

// langOf is one of the languages that organisations are named in.
func langOf(text string) (any, error) {
	if !slices.Contains(languages, text) {
		return nil, fault.Invalid("/lang", text, "zh-CN or en", "send one of the two")
	}
	return text, nil
}

// all stands for no facet in a filter, where an empty text is no filter.
const all = "all"

// facetOf is what organisations of a kind and form are found by; empty: of any.
func facetOf(kind Kind, form string) string {
	var parts []string
	if kind != "" {
		parts = append(parts, "kind:"+string(kind))
	}
	if form != "" {
		parts = append(parts, "form:"+form)
	}
	if parts == nil {
		return all
	}
	return strings.Join(parts, " ")
}

// enlist writes down what an organisation is found by.
func enlist(ctx context.Context, tx *store.Tx, o *Organisation) error {
	if _, err := tx.Exec(ctx, "DELETE FROM organisation_listed WHERE organisation = ?", o.ID); err != nil {
		return fmt.Errorf("listing organisation %s: %w", o.ID, err)
	}
	for _, kind := range slices.Concat([]Kind{""}, o.Kinds) {
		for _, form := range []string{"", o.Form} {
			facet := strings.TrimPrefix(facetOf(kind, form), all)
			for _, lang := range languages {
				_, err := tx.Exec(ctx, "INSERT INTO organisation_listed (facet, lang, organisation, name) VALUES (?, ?, ?, ?)", facet, lang, o.ID, folded(o.Names.in(lang)))
				if err != nil {
					return fmt.Errorf("listing organisation %s: %w", o.ID, err)
				}
			}
		}
	}
	return nil
}

// in is the name in a language, or in the one there is.
func (n Names) in(lang string) string {
	if name := n[lang]; name != "" {
		return name
	}
	for _, lang := range languages {
		if name := n[lang]; name != "" {
			return name
		}
	}
	return ""
}

// Walk gives organisations in the order they were made, behind one: those that were erased too, so that the place of each stays.
func (s *Service) Walk(ctx context.Context, who access.Actor, after string, limit int) ([]Organisation, error) {
	if err := who.Check(access.ManageOrganisations); err != nil {
		return nil, err
	}
	var all []Organisation
	err := s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+organisationColumns+" FROM organisation o WHERE o.id > ? ORDER BY o.id LIMIT ?", after, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		all = nil
		for rows.Next() {
			o, err := scanOrganisation(rows)
			if err != nil {
				return err
			}
			all = append(all, o)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("walking the organisations: %w", err)
	}
	return all, nil
}

// atOnce is how many rows Begin sets right in one transaction.
const atOnce = 100

// Begin sets right what lists need of rows that a version of the program before them has written. It is called before the
// first request.
func (s *Service) Begin(ctx context.Context) error {
	for {
		var missing []Organisation
		var without bool
		err := s.store.Read(ctx, func(v *store.View) (err error) {
			if missing, err = unlisted(ctx, v); err != nil {
				return err
			}
			without, err = exists(ctx, v, "SELECT 1 FROM member WHERE login_key = '' LIMIT 1")
			return err
		})
		if err != nil || len(missing) == 0 && !without {
			return err
		}
		err = s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
			for i := range missing {
				if err := enlist(ctx, tx, &missing[i]); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, `
				UPDATE member
				SET login_key = COALESCE((SELECT u.login_key FROM account_user u WHERE u.id = member.user_id), 'none')
				WHERE login_key = ''`)
			return err
		})
		if err != nil {
			return fmt.Errorf("listing what was not: %w", err)
		}
	}
}

// unlisted are organisations that no list shows, but those that were erased.
func unlisted(ctx context.Context, q store.Querier) (missing []Organisation, err error) {
	rows, err := q.Query(ctx, `
		SELECT `+organisationColumns+`
		FROM organisation o
		WHERE o.names <> '{}' AND NOT EXISTS (SELECT 1 FROM organisation_listed l WHERE l.organisation = o.id)
		ORDER BY o.id
		LIMIT ?`, atOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		o, err := scanOrganisation(rows)
		if err != nil {
			return nil, err
		}
		missing = append(missing, o)
	}
	return missing, rows.Err()
}
