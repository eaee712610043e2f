package entitlement

import (
	"slices"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
)

// Every service has names in both languages; an act belongs to one service and exists.
func TestServices(t *testing.T) {
	all, err := Services()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	seen := make(map[string]bool)
	for _, n := range all {
		if seen[n.Name] || n.Names["en"] == "" || n.Names["zh-CN"] == "" || n.About["en"] == "" || n.About["zh-CN"] == "" || n.Acts == nil || n.Steps == nil {
			t.Errorf("service %+v", n)
		}
		seen[n.Name] = true
		for _, act := range n.Acts {
			if seen[string(act)] || !slices.Contains(access.Acts(), act) {
				t.Errorf("the act %s of %s belongs to another service too, or is none", act, n.Name)
			}
			seen[string(act)] = true
		}
	}
}

// On a fresh installation nothing is closed.
func TestFresh(t *testing.T) {
	s := newShop(t)
	all, err := Services()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		s.wants(t, works, n.Name, "")
	}
	for _, act := range access.Acts() {
		if err := s.Gate(t.Context(), owner, act); err != nil {
			t.Errorf("the gate stops %s: %v", act, err)
		}
	}
	if got, want := s.require(t, works, "tea"), "service is tea, want one of "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q", got)
	}
	if got, want := s.require(t, "none", "voice"), `there is no organisation "none"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOverview(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: ByApplication})
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "home", Emergency: true, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who                access.Actor
		organisation, want string
	}{
		{owner, "", "certification home"},
		{owner, works, "certification home"},
		{owner, chips, `there is no organisation "org-chips"`},
		{operator, chips, "certification home"},
		{operator, "", "certification home"},
		{access.Actor{}, "", "nobody is signed in"},
	} {
		all, err := s.Overview(t.Context(), tt.who, tt.organisation)
		var closed []string
		for _, st := range all {
			if !st.Open {
				closed = append(closed, st.Name)
			}
		}
		slices.Sort(closed)
		got := strings.Join(closed, " ")
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s of %q: %s, want %s", tt.who.User, tt.organisation, got, tt.want)
		}
	}
}
