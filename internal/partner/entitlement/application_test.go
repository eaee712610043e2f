package entitlement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/partner/notice"
)

func TestApplicationRules(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: ByApplication})
	s.set(t, NewBar{Service: "remote_control", Kind: Paid})
	one, paid := s.plan(t, "certification", nil), s.plan(t, "remote_control", nil)
	old := s.plan(t, "remote_control", nil)
	if err := s.RetirePlan(t.Context(), operator, old.ID); err != nil {
		t.Fatal(err)
	}
	nowhere := owner
	nowhere.Organisation = ""
	for _, tt := range []struct {
		who  access.Actor
		n    NewApplication
		want string
	}{
		{engineer, NewApplication{Service: "certification", Purpose: "x"}, "entitlement.apply is not allowed: it needs role owner or market"},
		{nowhere, NewApplication{Service: "certification", Purpose: "x"}, "a service is applied for in the name of an organisation, and this session acts for none"},
		{owner, NewApplication{Service: "certification"}, "/purpose is empty, want 1 to 1000 characters, no control characters"},
		{owner, NewApplication{Service: "voice", Purpose: "x"}, "the service voice is open: there is nothing to apply for"},
		{owner, NewApplication{Service: "remote_control", Purpose: "x"}, "/plan is empty, want the id of a plan of the service"},
		{owner, NewApplication{Service: "remote_control", Purpose: "x", Plan: "none"}, `there is no plan "none"`},
		{owner, NewApplication{Service: "remote_control", Purpose: "x", Plan: one.ID}, "the plan is not offered for remote_control"},
		{owner, NewApplication{Service: "remote_control", Purpose: "x", Plan: old.ID}, "the plan is not offered for remote_control"},
		{owner, NewApplication{Service: "remote_control", Purpose: "x", Plan: paid.ID}, ""},
		{owner, NewApplication{Service: "certification", Purpose: "x"}, ""},
		{owner, NewApplication{Service: "certification", Purpose: "x"}, "an application for certification is open already"},
	} {
		before := s.count(t, "entitlement_application") + s.count(t, "audit_entry")
		_, err := s.Apply(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_application") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	if _, err := s.Apply(t.Context(), owner, NewApplication{Service: "certification", Purpose: "x"}); fmt.Sprint(fault.Of(err).Open) != "[withdraw]" {
		t.Errorf("beside the other application %v are open", fault.Of(err).Open)
	}
	s.wants(t, works, "certification", "the application waits for a decision")
	s.wants(t, works, "remote_control", "the plan waits for a decision")
	s.wants(t, chips, "remote_control", "it needs a plan")
}

func (s *shop) apply(t testing.TB, who access.Actor, service, plan string) Application {
	t.Helper()
	a, err := s.Apply(t.Context(), who, NewApplication{Service: service, Plan: plan, Purpose: "to try"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestApplicationLife(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: ByApplication})
	a := s.apply(t, owner, "certification", "")
	tomorrow := s.clock.now().Add(day)
	for _, tt := range []struct {
		name   string
		who    access.Actor
		act    Act
		reason string
		until  time.Time
		want   string
	}{
		{"a foreign one", foreign, Withdraw, "", time.Time{}, fmt.Sprintf("there is no application %q", a.ID)},
		{"one's own", owner, Grant, "", time.Time{}, "grant is not allowed: it needs another role"},
		{"an engineer withdraws", engineer, Withdraw, "", time.Time{}, "withdraw is not allowed: it needs another role"},
		{"refuse without a reason", operator, Refuse, "", time.Time{}, "/reason is empty, want 1 to 1000 characters, no control characters"},
		{"end before it began", operator, End, "x", time.Time{}, "end is not open in state requested"},
		{"until with a refusal", operator, Refuse, "x", tomorrow, "/until is " + tomorrow.UTC().Format(time.RFC3339) + ", want a time to come, with a grant"},
		{"until the past", operator, Grant, "", s.clock.now(), "/until is " + s.clock.now().UTC().Format(time.RFC3339) + ", want a time to come, with a grant"},
		{"the clock's", operator, Lapse, "", time.Time{}, "lapse is not open in state requested"},
		{"grant", operator, Grant, "", tomorrow, ""},
		{"grant again", operator, Grant, "", time.Time{}, "grant is not open in state granted"},
		{"lapse by hand", operator, Lapse, "", time.Time{}, "lapse is not allowed: it needs another role"},
	} {
		before := s.count(t, "audit_entry")
		_, err := s.Decide(t.Context(), tt.who, a.ID, tt.act, tt.reason, tt.until)
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if after := s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+1 {
			t.Errorf("%s: %d entries before, %d after", tt.name, before, after)
		}
	}
	s.wants(t, works, "certification", "")
	s.clock.pass(day)
	s.wants(t, works, "certification", "it has to be applied for") // nothing has run
	if err := s.tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Application(t.Context(), owner, a.ID); err != nil || got.State != Ended || got.Reason != "its time is over" {
		t.Errorf("after its time it is %+v, %v", got, err)
	}
	w := s.apply(t, owner, "certification", "")
	if w, err := s.GiveUp(t.Context(), owner, w.ID, ""); err != nil || w.State != Withdrawn {
		t.Errorf("giving up what waits: %+v, %v", w, err)
	}
	b := s.apply(t, owner, "certification", "")
	if _, err := s.Decide(t.Context(), operator, b.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if b, err := s.GiveUp(t.Context(), owner, b.ID, "not needed"); err != nil || b.State != Ended {
		t.Errorf("giving up what was granted: %+v, %v", b, err)
	}
	if page, err := s.Applications(t.Context(), owner, listing.Ask{}); err != nil || len(page.Items) != 3 {
		t.Errorf("the owner sees %d, %v", len(page.Items), err)
	}
	if page, err := s.Applications(t.Context(), foreign, listing.Ask{Filters: map[string]string{"organisation": works}}); err != nil || len(page.Items) != 0 {
		t.Errorf("a stranger sees %d, %v", len(page.Items), err)
	}
	items, _, err := s.Notices.Inbox(t.Context(), owner, notice.Ask{})
	var titles []string
	for _, i := range items {
		titles = append(titles, i.Texts["en"].Title)
	}
	if got, want := strings.Join(titles, ", "), "The service Certification has ended, The service Certification was granted, The service Certification has ended, The service Certification was granted"; got != want {
		t.Errorf("the organisation was told\n got %s\nwant %s, %v", got, want, err)
	}
}
