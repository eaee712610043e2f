package agreement

import (
	"context"
	"fmt"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// Set lists agreements, the one that prevails first, each with the version in force and the one ahead. Filter: subject.
func (s *Service) Set(ctx context.Context, ask listing.Ask) (page listing.Page[Agreement], err error) {
	if ask.Sort == "" {
		ask.Sort = "precedence"
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		if page, err = agreements().Read(ctx, v, ask); err != nil {
			return err
		}
		return withVersions(ctx, v, page.Items, s.now())
	})
	return page, err
}

// agreements is how the set is listed.
func agreements() *listing.List[Agreement] {
	return &listing.List[Agreement]{
		Object: "agreement", Columns: agreementColumns, From: "agreement",
		Fields: []listing.Field{{Name: "subject"}, {Name: "precedence", Parse: integer("/precedence")}},
		Ways: []listing.Way{
			{Rest: []string{"subject"}, Bound: "there are at most 200 agreements"},
			{Sort: "precedence", Rest: []string{"subject"}, Bound: "there are at most 200 agreements"},
		},
		Scan: func(row listing.Scanner) (Agreement, error) { return scanAgreement(row) },
	}
}

// Versions lists the versions of an agreement, the newest first, without their texts. Drafts are the manager's to see. Filter:
// state.
func (s *Service) Versions(ctx context.Context, who access.Actor, agreement string, ask listing.Ask) (page listing.Page[Version], err error) {
	if ask.Sort == "" {
		ask.Sort = "-version"
	}
	ask.Filters = map[string]string{"agreement": agreement, "state": ask.Filters["state"]}
	err = s.Store.Read(ctx, func(v *store.View) error {
		if _, err := loadAgreement(ctx, v, agreement); err != nil {
			return err
		}
		page, err = versionsFor(who).Read(ctx, v, ask)
		return err
	})
	return page, err
}

// versionsFor is how the versions are listed that who may see: everybody what was ever published, managers the rest too.
func versionsFor(who access.Actor) *listing.List[Version] {
	l := &listing.List[Version]{
		Object: "version", Columns: versionColumns, From: "agreement_version", Key: "number",
		Fields: []listing.Field{{Name: "agreement"}, {Name: "state"}, {Name: "version", Column: "number", Parse: integer("/version")}},
		Ways: []listing.Way{
			{Filters: []string{"agreement"}, Sort: "version", Rest: []string{"state"}, Bound: "an agreement has at most 1,000 versions"},
		},
		Scan: func(row listing.Scanner) (Version, error) { return scanVersion(row) },
	}
	if !manager(who) {
		l.Where = "published_at > 0"
	}
	return l
}

// integer reads the ends of what is sorted by a number.
func integer(where string) func(string) (any, error) {
	return func(text string) (any, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fault.Invalid(where, text, "an integer", fmt.Sprintf("such as %d", 1))
		}
		return n, nil
	}
}
