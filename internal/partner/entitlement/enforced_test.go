package entitlement

import (
	"strings"
	"testing"

	"lampworks/internal/partner/account"
)

// What nothing asks for is not decided about, and what was decided before that was refused can be taken back.
func TestOnlyWhatIsEnforcedIsDecidedAbout(t *testing.T) {
	s := newShop(t)
	all, err := Services()
	if err != nil {
		t.Fatal(err)
	}
	rows := func() (n int) {
		for _, table := range []string{"entitlement_bar", "entitlement_switch", "entitlement_override", "entitlement_plan", "audit_entry"} {
			n += s.count(t, table)
		}
		return n
	}
	for _, n := range all {
		before := rows()
		_, bar := s.SetBar(t.Context(), operator, NewBar{Service: n.Name, Kind: Open, Level: 1, Emergency: true, Reason: "r"})
		_, off := s.Turn(t.Context(), operator, NewSwitch{Service: n.Name, Emergency: true, Reason: "r"})
		_, in := s.Override(t.Context(), operator, NewOverride{Organisation: works, Service: n.Name, Allowed: true, Reason: "r"})
		_, out := s.Override(t.Context(), operator, NewOverride{Organisation: works, Service: n.Name, Reason: "r"})
		_, plan := s.AddPlan(t.Context(), operator, NewPlan{Service: n.Name, Names: account.Names{"en": "Pro", "zh-CN": "专业版"}, Period: Month, Currency: "CNY"})
		want := ""
		if !n.Enforced() {
			want = "nothing is enforced for the service " + n.Name + " yet, so that this would change nothing; enforced are device_access_wifi, "
			if after := rows(); after != before {
				t.Errorf("%s: %d rows before, %d after", n.Name, before, after)
			}
		}
		for what, err := range map[string]error{"a bar": bar, "a switch-off": off, "letting one in": in, "keeping one out": out, "a plan": plan} {
			if got := text(err); want == "" && got != "" || !strings.HasPrefix(got, want) {
				t.Errorf("%s of %s:\n got %q\nwant %q", what, n.Name, got, want)
			}
		}
	}
	s.exec(t, `
		INSERT INTO entitlement_bar (id, service, kind, agreement, kinds, level, qualifications, announcement, reason, effective_at, created_at, cancelled_at)
		VALUES ('b', 'ota', 'application', '', '[]', 0, '[]', '', 'r', 1, 1, 0)`)
	s.exec(t, "INSERT INTO entitlement_switch (id, service, turned_on, emergency, announcement, reason, effective_at, created_at, cancelled_at) VALUES ('w', 'ota', 0, 1, '', 'r', 1, 1, 0)")
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "ota", On: true, Reason: "r"}); err != nil {
		t.Error(err)
	}
	s.wants(t, works, "ota", "it has to be applied for")
	if _, err := s.SetBar(t.Context(), operator, NewBar{Service: "ota", Kind: Open, Reason: "r"}); err != nil {
		t.Error(err)
	}
	s.wants(t, works, "ota", "")
}
