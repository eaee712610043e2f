package home_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// lives is a resident who acts for no home yet.
func lives(id string) access.Actor {
	return access.Actor{Kind: access.KindResident, ID: id, User: id}
}

// inside is a resident as they act in a home.
func inside(t *testing.T, s *home.Service, id, homeID string) access.Actor {
	t.Helper()
	who, err := s.Enter(t.Context(), lives(id), homeID)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// nest is a home of residents: mei is its householder, and others are members in their roles.
func nest(t *testing.T, s *home.Service, others map[string]access.Role) (homeID string) {
	t.Helper()
	h, err := s.Settle(t.Context(), lives("mei"), home.Names{"zh-CN": "家"})
	if err != nil {
		t.Fatal(err)
	}
	for id, role := range others {
		in, err := s.Invite(t.Context(), inside(t, s, "mei", h.ID), h.ID, role)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Join(t.Context(), lives(id), in.Code); err != nil {
			t.Fatal(err)
		}
	}
	return h.ID
}

func TestMembersActInTheirRoles(t *testing.T) {
	s := home.New(storetest.Open(t))
	id := nest(t, s, map[string]access.Role{"an": access.Adult, "bo": access.Child, "lu": access.Guest})
	for _, tt := range []struct {
		who  string
		what string
		do   func(who access.Actor) error
		want string
	}{
		{"mei", "rename", func(who access.Actor) error {
			return s.Rename(t.Context(), who, id, home.Names{"en": "Nest"})
		}, ""},
		{"an", "add a room", func(who access.Actor) error {
			_, err := s.AddRoom(t.Context(), who, id, zh("客厅"), nil)
			return err
		}, ""},
		{
			"an", "remove the home", func(who access.Actor) error { return s.Remove(t.Context(), who, id) },
			"home.manage is not allowed: it needs role householder",
		},
		{"an", "invite", func(who access.Actor) error {
			_, err := s.Invite(t.Context(), who, id, access.Guest)
			return err
		}, "home.manage is not allowed: it needs role householder"},
		{"bo", "add a room", func(who access.Actor) error {
			_, err := s.AddRoom(t.Context(), who, id, zh("书房"), nil)
			return err
		}, "home.write is not allowed: it needs role householder or adult"},
		{
			"lu", "send somebody away", func(who access.Actor) error { return s.RemoveMember(t.Context(), who, id, "bo") },
			"home.manage is not allowed: it needs role householder",
		},
		{"bo", "look", func(who access.Actor) error {
			_, err := s.Load(t.Context(), who, id)
			return err
		}, ""},
	} {
		if got := text(tt.do(inside(t, s, tt.who, id))); got != tt.want {
			t.Errorf("%s, to %s:\n got %q\nwant %q", tt.who, tt.what, got, tt.want)
		}
	}
	if _, err := s.Load(t.Context(), access.Actor{Kind: access.KindUser, ID: "u", Organisation: "maker", Roles: []access.Role{access.Owner}}, id); !fault.Is(err, fault.Missing) {
		t.Errorf("a maker sees the home of residents: %v", err)
	}
	if _, err := s.Enter(t.Context(), access.Actor{Kind: access.KindUser, ID: "mei"}, id); !fault.Is(err, fault.Missing) {
		t.Errorf("a user enters as the resident of that id: %v", err)
	}
}

func TestARemovedMemberIsOutAtOnce(t *testing.T) {
	s := home.New(storetest.Open(t))
	id := nest(t, s, map[string]access.Role{"bo": access.Child})
	if err := s.RemoveMember(t.Context(), inside(t, s, "mei", id), id, "bo"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(t.Context(), lives("bo"), id); !fault.Is(err, fault.Missing) {
		t.Errorf("entering after the end of the membership: %v", err)
	}
	other := nest(t, s, nil)
	if _, err := s.Enter(t.Context(), lives("bo"), other); !fault.Is(err, fault.Missing) {
		t.Errorf("entering a home of others: %v", err)
	}
}

func TestAHomeHasAHouseholder(t *testing.T) {
	rows := storetest.Open(t)
	s := home.New(rows)
	id := nest(t, s, map[string]access.Role{"an": access.Adult})
	mei := inside(t, s, "mei", id)
	want := "the home would be without a householder"
	depart := func(resident string) error {
		return rows.Write(t.Context(), func(tx *store.Tx) error { return s.Depart(t.Context(), tx, resident) })
	}
	for what, err := range map[string]error{
		"leaving":        s.RemoveMember(t.Context(), mei, id, "mei"),
		"another role":   s.SetMember(t.Context(), mei, id, "mei", access.Adult),
		"being deleted":  depart("mei"),
		"for themselves": s.Transfer(t.Context(), mei, id, "nobody"),
	} {
		if err == nil || what != "for themselves" && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	if who := inside(t, s, "mei", id); who.Roles[0] != access.Householder {
		t.Fatalf("a refused act made of the householder a %s", who.Roles[0])
	}
	if err := s.Transfer(t.Context(), mei, id, "an"); err != nil {
		t.Fatal(err)
	}
	if a, m := inside(t, s, "an", id).Roles[0], inside(t, s, "mei", id).Roles[0]; a != access.Householder || m != access.Adult {
		t.Errorf("after the transfer the roles are %s and %s", a, m)
	}
	if err := depart("mei"); err != nil {
		t.Errorf("deleting who has handed the home on: %v", err)
	}
	if err := depart("an"); err != nil {
		t.Errorf("deleting who lives alone: %v", err)
	}
	if _, err := s.Owner(t.Context(), id); !fault.Is(err, fault.Missing) {
		t.Errorf("the home that nobody lives in: %v", err)
	}
}

func TestInvitationsAreGoodOnce(t *testing.T) {
	s := home.New(storetest.Open(t))
	id := nest(t, s, nil)
	mei := inside(t, s, "mei", id)
	in, err := s.Invite(t.Context(), mei, id, access.Guest)
	if err != nil || len(in.Code) != 26 || in.ExpiresAt.Sub(in.MadeAt) != 7*24*time.Hour {
		t.Fatalf("the invitation is %+v, %v", in, err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.Join(t.Context(), lives(fmt.Sprint("r", i)), in.Code) })
	}
	wg.Wait()
	joined := 0
	for _, err := range errs {
		switch {
		case err == nil:
			joined++
		case !fault.Is(err, fault.Missing):
			t.Errorf("joining by a used code: %v", err)
		}
	}
	if joined != 1 {
		t.Errorf("%d have joined by one code, want 1", joined)
	}
	again, err := s.Invite(t.Context(), mei, id, access.Guest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), lives("mei"), again.Code); !fault.Is(err, fault.Clash) {
		t.Errorf("a member joins again: %v", err)
	}
	if err := s.Withdraw(t.Context(), mei, id, again.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), lives("x"), again.Code); !fault.Is(err, fault.Missing) {
		t.Errorf("joining by a withdrawn code: %v", err)
	}
	if _, err := s.Invite(t.Context(), mei, id, "owner"); !fault.Is(err, fault.Malformed) {
		t.Errorf("inviting as a maker's role: %v", err)
	}
}

func TestLimitsOfMembership(t *testing.T) {
	s := home.New(storetest.Open(t))
	others := make(map[string]access.Role)
	for i := range home.MaxMembers - 1 {
		others[fmt.Sprint("r", i)] = access.Guest
	}
	full := nest(t, s, others)
	in, err := s.Invite(t.Context(), inside(t, s, "mei", full), full, access.Guest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), lives("late"), in.Code); !fault.Is(err, fault.OverLimit) {
		t.Errorf("one member too many: %v", err)
	}
	for range home.MaxLived - 1 {
		nest(t, s, nil)
	}
	_, err = s.Settle(context.WithoutCancel(t.Context()), lives("mei"), home.Names{"en": "x"})
	if !fault.Is(err, fault.OverLimit) {
		t.Errorf("one home too many: %v", err)
	}
	if all, err := s.Residences(t.Context(), lives("mei")); err != nil || len(all) != home.MaxLived {
		t.Errorf("%d homes, %v", len(all), err)
	}
}
