package entitlement

import (
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
)

func TestOverrides(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: ByApplication})
	now := s.clock.now()
	for _, tt := range []struct {
		who  access.Actor
		n    NewOverride
		want string
	}{
		{owner, NewOverride{Organisation: works, Service: "certification", Allowed: true, Reason: "r"}, "service.manage is not allowed: it needs role admin"},
		{operator, NewOverride{Organisation: works, Service: "certification"}, "/reason is empty, want 1 to 1000 characters, no control characters"},
		{operator, NewOverride{Organisation: "none", Service: "certification", Reason: "r"}, `there is no organisation "none"`},
		{operator, NewOverride{Organisation: works, Service: "certification", Reason: "r", From: now.Add(-day)}, "/from is " + now.Add(-day).UTC().Format(time.RFC3339) + ", want now or a time to come"},
		{operator, NewOverride{Organisation: works, Service: "certification", Reason: "r", Until: now}, "/until is " + now.UTC().Format(time.RFC3339) + ", want a time after from"},
		{operator, NewOverride{Organisation: works, Service: "certification", Allowed: true, Reason: "a pilot", From: now.Add(day), Until: now.Add(2 * day)}, ""},
		{operator, NewOverride{Organisation: works, Service: "voice", Reason: "too loud"}, ""},
	} {
		before := s.count(t, "entitlement_override") + s.count(t, "notice_message") + s.count(t, "audit_entry")
		_, err := s.Override(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_override") + s.count(t, "notice_message") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+3 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	s.wants(t, works, "voice", "the operator decided so: too loud")
	s.wants(t, chips, "voice", "")
	s.wants(t, works, "certification", "it has to be applied for")
	s.clock.pass(day)
	s.wants(t, works, "certification", "")
	s.clock.pass(day)
	s.wants(t, works, "certification", "it has to be applied for")
	page, err := s.Overrides(t.Context(), owner, listing.Ask{Filters: map[string]string{"service": "voice"}})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the owner sees %+v, %v", page.Items, err)
	}
	id := page.Items[0].ID
	for _, tt := range []struct{ got, want string }{
		{text(s.EndOverride(t.Context(), owner, id, "r")), "service.manage is not allowed: it needs role admin"},
		{text(s.EndOverride(t.Context(), operator, id, "")), "/reason is empty, want 1 to 1000 characters, no control characters"},
		{text(s.EndOverride(t.Context(), operator, "none", "r")), `there is no override "none"`},
		{text(s.EndOverride(t.Context(), operator, id, "r")), ""},
		{text(s.EndOverride(t.Context(), operator, id, "r")), "end is not open in state ended"},
	} {
		if tt.got != tt.want {
			t.Errorf("ending:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
	s.wants(t, works, "voice", "")
}
