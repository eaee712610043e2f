package access

import (
	"context"
	"slices"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
)

func TestRequire(t *testing.T) {
	user := func(roles ...Role) Actor { return Actor{Kind: KindUser, ID: "u", Roles: roles} }
	strong := func(a Actor) Actor { a.Strong = true; return a }
	resident := func(roles ...Role) Actor { return Actor{Kind: KindResident, ID: "r", User: "r", Roles: roles} }
	proved := func(a Actor, since time.Duration) Actor {
		a.Session, a.Strong, a.Proved = "s", true, time.Now().Add(-since)
		return a
	}
	const (
		weak  = "organisation.manage needs a session opened with the second factor: roles of the operator do nothing without"
		stale = "triple.download shows secrets and needs a code of the second factor, shown in this session within the last 15 minutes"
		bare  = "triple.download shows secrets and needs a session in which the second factor was shown; a token has none"
	)
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
		{"admin is not a member", strong(user(Admin)), ControlDevice, "device.control is not allowed: it needs role owner or engineer"},
		{"owner does not operate", user(Owner), ManageOrganisations, "organisation.manage is not allowed: it needs role admin"},
		{"no role", user(), ReadProduct, "product.read is not allowed: it needs role admin or reviewer or certifier or platform_support or owner or engineer or factory or market or support or query"},
		{"unknown role", user("root"), ReadAudit, "audit.read is not allowed: it needs role admin or owner"},
		{"unknown act", strong(user(Owner, Admin)), "product.explode", "product.explode is not allowed: it needs the platform itself"},
		{"token of all", token(nil, Owner), Speak, ""},
		{"token in scope", token([]Act{Speak}, Owner), Speak, ""},
		{"token out of scope", token([]Act{Speak}, Owner), ReadHome, "home.read is not allowed: it needs a token with the scope home.read"},
		{"token without scopes", token([]Act{}, Owner), ReadHome, "home.read is not allowed: it needs a token with the scope home.read"},
		{"token beyond its owner", token([]Act{IssueTriples}, Query), IssueTriples, "triple.issue is not allowed: it needs role owner or engineer or factory"},
		{"device", Actor{Kind: KindDevice, ID: "d", Roles: []Role{Owner}}, ReadHome, "home.read is not allowed: it needs role owner or engineer or market or support or query"},
		{"householder", resident(Householder), ManageHome, ""},
		{"adult", resident(Adult), ManageHome, "home.manage is not allowed: it needs role householder"},
		{"child", resident(Child), ControlDevice, "device.control is not allowed: it needs role householder or adult or guest"},
		{"guest", resident(Guest), WriteHome, "home.write is not allowed: it needs role householder or adult"},
		{"householder in a maker's place", resident(Householder), ReadDevice, "device.read is not allowed: it needs an account of a maker or an operator"},
		{"resident with a maker's role", resident(Owner), ReadHome, "home.read is not allowed: it needs role householder or adult or child or guest"},
		{"user with a role in a home", user(Householder), ReadHome, "home.read is not allowed: it needs role owner or engineer or market or support or query"},
		{"operator without the second factor", user(Admin), ManageOrganisations, weak},
		{"operator who is an owner, too", user(Admin, Owner), ReadHome, "home.read needs a session opened with the second factor: roles of the operator do nothing without"},
		{"operator with it", strong(user(Admin)), ManageOrganisations, ""},
		{"operator with it long ago", proved(user(Admin), 24*time.Hour), ManageOrganisations, ""},
		{"operator's token without it", token(nil, Admin), ManageOrganisations, "organisation.manage needs the second factor, and this token was made without it"},
		{"operator's token with it", strong(token(nil, Admin)), ManageOrganisations, ""},
		{"secrets without a proof", Actor{Kind: KindUser, ID: "u", Session: "s", Roles: []Role{Owner}}, DownloadTriples, stale},
		{"secrets with a proof", proved(user(Owner), 0), DownloadTriples, ""},
		{"secrets at the limit", proved(user(Factory), Fresh-time.Minute), DownloadTriples, ""},
		{"secrets beyond it", proved(user(Factory), Fresh+time.Second), DownloadTriples, stale},
		{"secrets with a proof of tomorrow", proved(user(Owner), -24*time.Hour), DownloadTriples, stale},
		{"secrets by token", strong(token(nil, Owner)), DownloadTriples, bare},
		{"tracing a leak shows none", token(nil, Owner), TraceTriples, ""},
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
		if act != ManageHome && (Actor{Kind: KindUser}).needs(act) == "the platform itself" {
			t.Errorf("no role may do %s", act)
		}
	}
	for _, r := range append(Roles(), HomeRoles()...) {
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
