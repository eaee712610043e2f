package entitlement

import (
	"fmt"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/quota"
)

func (s *shop) plan(t testing.TB, service string, includes map[string]int64) Plan {
	t.Helper()
	p, err := s.AddPlan(t.Context(), operator, NewPlan{
		Service: service, Names: account.Names{"en": "Pro", "zh-CN": "专业版"}, Period: Month, Amount: 9900, Currency: "CNY", Includes: includes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanRules(t *testing.T) {
	s := newShop(t)
	good := NewPlan{Service: "certification", Names: account.Names{"en": "Pro", "zh-CN": "专业版"}, Period: Month, Amount: 9900, Currency: "CNY"}
	with := func(change func(*NewPlan)) NewPlan {
		n := good
		change(&n)
		return n
	}
	for _, tt := range []struct {
		who  access.Actor
		n    NewPlan
		want string
	}{
		{owner, good, "service.manage is not allowed: it needs role admin"},
		{operator, with(func(n *NewPlan) { n.Names = account.Names{"en": "x"} }), "/names/zh-CN is empty, want 1 to 100 characters, no control characters"},
		{operator, with(func(n *NewPlan) { n.Names = account.Names{"en": "x", "zh-CN": "y", "fr": "z"} }), "/names is 3, want a name in zh-CN and one in en"},
		{operator, with(func(n *NewPlan) { n.Period = "day" }), "/period is day, want once, month, quarter or year"},
		{operator, with(func(n *NewPlan) { n.Amount = -1 }), "/amount is -1, want an integer from 0 to 1000000000000"},
		{operator, with(func(n *NewPlan) { n.Currency = "Taler" }), "/currency is Taler, want a currency of ISO 4217, as CNY"},
		{operator, with(func(n *NewPlan) { n.Currency = "cny" }), "/currency is cny, want a currency of ISO 4217, as CNY"},
		{operator, with(func(n *NewPlan) { n.Includes = map[string]int64{"tea": 1} }), fmt.Sprintf("/includes/tea is tea, want one of the %d that GET /api/v1/limits lists", len(quota.Limits()))},
		{operator, with(func(n *NewPlan) { n.Includes = map[string]int64{"products": -1} }), "/includes/products is -1, want 0 to " + fmt.Sprint(quota.Products.Spec().Max) + " " + fmt.Sprint(quota.Products.Spec().Unit)},
		{operator, good, ""},
	} {
		before := s.count(t, "entitlement_plan") + s.count(t, "audit_entry")
		_, err := s.AddPlan(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_plan") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	p := s.plan(t, "certification", nil)
	for _, tt := range []struct{ got, want string }{
		{text(s.RetirePlan(t.Context(), owner, p.ID)), "service.manage is not allowed: it needs role admin"},
		{text(s.RetirePlan(t.Context(), operator, "none")), `there is no plan "none"`},
		{text(s.RetirePlan(t.Context(), operator, p.ID)), ""},
		{text(s.RetirePlan(t.Context(), operator, p.ID)), "retire is not open in state retired"},
	} {
		if tt.got != tt.want {
			t.Errorf("retiring:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
}

// The limits of a plan come with the grant and go with its end, each once.
func TestPlansBringLimits(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: Paid})
	p := s.plan(t, "certification", map[string]int64{"products": 77, "members": 5})
	value := func(l quota.Limit) int64 {
		return s.Limits.Value(quota.Subject{Kind: quota.KindOrganisation, ID: works, Organisation: works}, l)
	}
	tend := func() {
		t.Helper()
		if err := s.tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	usual := value(quota.Products)
	a := s.apply(t, owner, "certification", p.ID)
	if _, err := s.Decide(t.Context(), operator, a.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	tend()
	tend()
	if got := value(quota.Products); got != 77 || s.count(t, "quota_override") != 2 {
		t.Errorf("with the plan %d products, %d overrides; want 77, 2", got, s.count(t, "quota_override"))
	}
	s.wants(t, works, "certification", "")
	if _, err := s.Decide(t.Context(), operator, a.ID, End, "unpaid", time.Time{}); err != nil {
		t.Fatal(err)
	}
	tend()
	if got := value(quota.Products); got != usual || s.count(t, "entitlement_limit") != 0 {
		t.Errorf("after the plan %d products, want %d; %d limits are noted", got, usual, s.count(t, "entitlement_limit"))
	}
	s.wants(t, works, "certification", "it needs a plan")
}
