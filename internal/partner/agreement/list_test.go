package agreement

import (
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
)

func TestAgreementsAreListed(t *testing.T) {
	o := newOffice(t)
	third, first, second := o.add(t, User, 9), o.add(t, Organisation, 2), o.add(t, User, 5)
	drafted := o.publish(t, first, "one", 0)
	o.publish(t, first, "two", day)
	names := map[string]string{first.ID: "first", second.ID: "second", third.ID: "third"}
	for _, tt := range []struct {
		ask  listing.Ask
		want string
	}{
		{listing.Ask{Total: true}, "first second third of 3"},
		{listing.Ask{Sort: "id"}, "third first second"},
		{listing.Ask{Limit: 2, Total: true}, "first second … of 3"},
		{listing.Ask{Filters: map[string]string{"subject": "user"}, Sort: "-precedence"}, "third second"},
		{listing.Ask{Sort: "precedence", Since: "3", Until: "9"}, "second"},
		{listing.Ask{Sort: "precedence", Since: "many"}, "/precedence is many, want an integer"},
		{listing.Ask{Sort: "names"}, "a list of agreements is not served in this combination: no filter, sort by names"},
	} {
		page, err := o.Set(t.Context(), tt.ask)
		got := text(err)
		if err == nil {
			got = listed(page, func(a *Agreement) string { return names[a.ID] })
		}
		if got != tt.want {
			t.Errorf("%+v:\n got %s\nwant %s", tt.ask, got, tt.want)
		}
	}
	page, err := o.Set(t.Context(), listing.Ask{Limit: 1})
	if err != nil || page.Items[0].InForce.ID != drafted.ID || page.Items[0].Ahead.Number != 2 {
		t.Errorf("what is in force and ahead of the first: %+v, %v", page.Items, err)
	}
}

func TestVersionsAreListed(t *testing.T) {
	o := newOffice(t)
	a, other := o.add(t, User, 1), o.add(t, User, 2)
	o.publish(t, other, "other", 0)
	for _, body := range []string{"one", "two", "three"} {
		o.publish(t, a, body, 0)
	}
	if _, err := o.SetDraft(t.Context(), legal, a.ID, map[string]NewText{"en": {"four", ""}}); err != nil {
		t.Fatal(err)
	}
	state := func(s State) map[string]string { return map[string]string{"state": string(s)} }
	for _, tt := range []struct {
		who  access.Actor
		ask  listing.Ask
		want string
	}{
		{legal, listing.Ask{Total: true}, "4 3 2 1 of 4"},
		{owner, listing.Ask{Total: true}, "3 2 1 of 3"},
		{owner, listing.Ask{Filters: state(Draft), Total: true}, "of 0"},
		{legal, listing.Ask{Filters: state(Draft)}, "4"},
		{owner, listing.Ask{Filters: state(Superseded), Sort: "version"}, "1 2"},
		{owner, listing.Ask{Limit: 2}, "3 2 …"},
		{owner, listing.Ask{Sort: "state"}, "a list of versions is not served in this combination: filter by agreement, sort by state"},
	} {
		page, err := o.Versions(t.Context(), tt.who, a.ID, tt.ask)
		got := text(err)
		if err == nil {
			got = listed(page, func(v *Version) string { return fmt.Sprint(v.Number) })
		}
		if got != tt.want {
			t.Errorf("%+v to %s:\n got %s\nwant %s", tt.ask, tt.who.User, got, tt.want)
		}
	}
	if _, err := o.Versions(t.Context(), legal, "none", listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("versions of no agreement: %v", err)
	}
}

// listed is a page as one line.
func listed[T any](page listing.Page[T], name func(*T) string) string {
	var parts []string
	for i := range page.Items {
		parts = append(parts, name(&page.Items[i]))
	}
	if page.Next != "" {
		parts = append(parts, "…")
	}
	if page.Total != nil {
		parts = append(parts, fmt.Sprint("of ", page.Total.Count))
	}
	return strings.Join(parts, " ")
}
