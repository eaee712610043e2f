package voice

import (
	"context"
	"encoding/json"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/nlu"
)

// A Replayed is a case with what this program reads now.
type Replayed struct {
	Entry
	Passes bool
	Got    json.RawMessage // as `lampworks nlu` writes it
}

// Cases lists the cases, the newest first, each read again by this program with the models in force now. Filters and sorts are
// those of [Service.Inbox].
func (s *Service) Cases(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Replayed], error) {
	filters := map[string]string{ByState: string(Case)}
	for _, name := range []string{ByLang, ByOrganisation} {
		if ask.Filters[name] != "" {
			filters[name] = ask.Filters[name]
		}
	}
	ask.Filters = filters
	found, err := s.Inbox(ctx, who, ask)
	if err != nil {
		return listing.Page[Replayed]{}, err
	}
	page := listing.Page[Replayed]{Items: make([]Replayed, len(found.Items)), Next: found.Next, Total: found.Total}
	homes := make(map[string]*nlu.Index)
	for i := range found.Items {
		page.Items[i].Entry = found.Items[i]
		if err := s.try(ctx, &page.Items[i], homes); err != nil {
			return listing.Page[Replayed]{}, err
		}
	}
	return page, nil
}

// try reads a case again; homes keeps those that were made ready.
func (s *Service) try(ctx context.Context, c *Replayed, homes map[string]*nlu.Index) error {
	key := c.Organisation + " " + c.Vocabulary
	x := homes[key]
	if x == nil {
		var text string
		err := s.c.Store.Read(ctx, func(v *store.View) error {
			return v.QueryRow(ctx, "SELECT home FROM voice_vocabulary WHERE organisation = ? AND id = ?", c.Organisation, c.Vocabulary).Scan(&text)
		})
		if err == nil {
			x, err = s.compiled(ctx, text)
		}
		if err != nil {
			return fmt.Errorf("making the home of case %s ready: %w", c.ID, err)
		}
		homes[key] = x
	}
	expect, err := nlu.ReadExpectation(c.Expect)
	if err != nil {
		return fmt.Errorf("reading case %s: %w", c.ID, err)
	}
	r := x.Read(&nlu.Context{Lang: c.Lang, Room: c.Room}, c.Text)
	c.Passes, c.Got = expect.Met(&r), nlu.Result(&r)
	return nil
}
