package access

import (
	"context"
	"slices"
	"testing"

	"lampworks/internal/infra/fault"
)

func TestRequire(t *testing.T) {
	user := func(roles ...Role) Actor { return Actor{Kind: KindUser, ID: "u", Roles: roles} }
	token := func(scopes []Act, roles ...Role) Actor {
		return Actor{Kind: KindToken, ID: "t", Roles: roles, Scopes: scopes}
	}
	for _, tt := range []struct {
		name string
		who  Actor
		act  Act
		want string
	}{
		{"owner", user(Owner), IssueTriples, ""},
		{"one of two roles", user(Query, Factory), IssueTriples, ""},
		{"query", user(Query), WriteProduct, "product.write is not allowed: it needs role owner or engineer"},
		{"admin is not a member", user(Admin), ControlDevice, "device.control is not allowed: it needs role owner or engineer"},
		{"owner does not operate", user(Owner), ManageOrganisations, "organisation.manage is not allowed: it needs role admin"},
		{"no role", user(), ReadProduct, "product.read is not allowed: it needs role admin or reviewer or certifier or platform_support or owner or engineer or factory or market or support or query"},
		{"unknown role", user("root"), ReadAudit, "audit.read is not allowed: it needs role admin or owner"},
		{"unknown act", user(Owner, Admin), "product.explode", "product.explode is not allowed: it needs the platform itself"},
		{"token of all", token(nil, Owner), Speak, ""},
		{"token in scope", token([]Act{Speak}, Owner), Speak, ""},
		{"token out of scope", token([]Act{Speak}, Owner), ReadHome, "home.read is not allowed: it needs a token with the scope home.read"},
		{"token without scopes", token([]Act{}, Owner), ReadHome, "home.read is not allowed: it needs a token with the scope home.read"},
		{"token beyond its owner", token([]Act{IssueTriples}, Query), IssueTriples, "triple.issue is not allowed: it needs role owner or engineer or factory"},
		{"device", Actor{Kind: KindDevice, ID: "d", Roles: []Role{Owner}}, ReadHome, "home.read is not allowed: it needs role owner or engineer or market or support or query"},
		{"nobody", Actor{}, ReadHome, "nobody is signed in"},
		{"system", System("retention", ""), OperatePlatform, ""},
		{"clock", Clock("timers", "o"), ControlDevice, ""},
	} {
		_, err := Require(With(context.Background(), tt.who), tt.act)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	if _, err := Require(context.Background(), ReadHome); !fault.Is(err, fault.NoActor) {
		t.Errorf("a context without an actor gives %v", err)
	}
}

func TestEveryActIsSomebodys(t *testing.T) {
	acts := Acts()
	for _, act := range acts {
		if needs(act) == "the platform itself" {
			t.Errorf("no role may do %s", act)
		}
	}
	for _, r := range Roles() {
		seen := map[Act]bool{}
		for _, act := range Allowed(r) {
			if seen[act] || !slices.Contains(acts, act) {
				t.Errorf("role %s lists %s twice, or it is not an act", r, act)
			}
			seen[act] = true
		}
	}
	if len(Allowed("")) != 0 {
		t.Error("no role may do something")
	}
}
