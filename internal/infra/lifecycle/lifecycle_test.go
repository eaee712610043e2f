package lifecycle

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type (
	state string
	act   string
)

func is(r access.Role) func(access.Actor) bool {
	return func(a access.Actor) bool { return a.Has(r) }
}

func paper() Table[state, act] {
	return Table[state, act]{
		{From: "draft", Act: "submit", To: "review", May: is(access.Engineer)},
		{From: "review", Act: "approve", To: "certified", May: is(access.Admin)},
		{From: "review", Act: "return", To: "draft", May: is(access.Admin)},
		{From: "certified", Act: "revoke", To: "revoked", May: is(access.Admin)},
		{From: "certified", Act: "lapse", To: "expired", May: access.Actor.Platform},
		{From: "draft", Act: "drop", To: "dropped"},
	}
}

func TestNextRefusesWhatIsNotListed(t *testing.T) {
	maker := access.Actor{Kind: access.KindUser, Roles: []access.Role{access.Engineer}}
	for _, tt := range []struct {
		state state
		act   act
		to    state
		err   string
		code  fault.Code
		open  []string
	}{
		{"draft", "submit", "review", "", "", nil},
		{"draft", "approve", "draft", "approve is not open in state draft", fault.Clash, []string{"submit", "drop"}},
		{"review", "approve", "review", "approve is not allowed: it needs another role", fault.NotAllowed, nil},
		{"revoked", "revoke", "revoked", "revoke is not open in state revoked", fault.Clash, nil},
		{"nowhere", "submit", "nowhere", "submit is not open in state nowhere", fault.Clash, nil},
	} {
		to, err := paper().Next(tt.state, tt.act, maker)
		if to != tt.to {
			t.Errorf("%s from %s leads to %s, want %s", tt.act, tt.state, to, tt.to)
		}
		if tt.err == "" {
			if err != nil {
				t.Errorf("%s from %s: %v", tt.act, tt.state, err)
			}
			continue
		}
		f := fault.Of(err)
		if f == nil || f.Error() != tt.err || f.Code != tt.code || !slices.Equal(f.Open, tt.open) {
			t.Errorf("%s from %s gives %+v, want %q with open acts %q", tt.act, tt.state, f, tt.err, tt.open)
		}
	}
}

func TestSameActOfTwoActors(t *testing.T) {
	table := Table[state, act]{
		{From: "open", Act: "close", To: "withdrawn", May: is(access.Owner)},
		{From: "open", Act: "close", To: "expired", May: access.Actor.Platform},
	}
	if err := table.Check("open"); err != nil {
		t.Error(err)
	}
	if to, err := table.Next("open", "close", access.Clock("c", "")); to != "expired" || err != nil {
		t.Errorf("the clock gets %s, %v", to, err)
	}
}

func TestCheckFindsMistakes(t *testing.T) {
	for _, tt := range []struct {
		table Table[state, act]
		want  string
	}{
		{paper(), ""},
		{append(paper(), Move[state, act]{From: "draft", Act: "drop", To: "review"}), "the move drop from draft is given twice"},
		{append(paper(), Move[state, act]{From: "lost", Act: "find", To: "draft"}), "state lost cannot be reached from draft"},
		{append(paper(), Move[state, act]{From: "draft", Act: "stall", To: "stuck"}, Move[state, act]{From: "stuck", Act: "wait", To: "stuck"},
			Move[state, act]{From: "stuck", Act: "turn", To: "round"}, Move[state, act]{From: "round", Act: "turn", To: "stuck"}), "state stuck can never end"},
		{Table[state, act]{{From: "on", Act: "off", To: "off"}, {From: "off", Act: "on", To: "on"}}, ""},
	} {
		got := ""
		start := state("draft")
		if tt.table[0].From == "on" {
			start = "on"
		}
		if err := tt.table.Check(start); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Check gives %q, want %q", got, tt.want)
		}
	}
}

func TestWalkUsesEveryMoveByAShortestPath(t *testing.T) {
	var got []string
	paper().Walk("draft", func(path []Move[state, act]) {
		s := ""
		for _, m := range path {
			s += string(m.Act) + " "
		}
		got = append(got, s)
	})
	want := []string{
		"submit ", "drop ", "submit approve ", "submit return ",
		"submit approve revoke ", "submit approve lapse ",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestDiagrams(t *testing.T) {
	table := Table[state, act]{{From: "draft", Act: "submit", To: "review"}, {From: "review", Act: "approve", To: "certified"}}
	if diff := cmp.Diff(table.Mermaid(), `stateDiagram-v2
    [*] --> draft
    draft --> review: submit
    review --> certified: approve
    certified --> [*]
`); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(table.Dot(), `digraph {
	"certified" [peripheries=2];
	"draft" -> "review" [label="submit"];
	"review" -> "certified" [label="approve"];
}
`); diff != "" {
		t.Error(diff)
	}
}
