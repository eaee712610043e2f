package command_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// TestADeviceIsLentToItsHome: who acts in the name of the home that a device is bound in commands it, as long as it is, and its
// maker sees the command without learning more than an opaque id.
func TestADeviceIsLentToItsHome(t *testing.T) {
	r := newRoom(t, 2)
	bound, free := r.Lights[0], r.Lights[1]
	home := map[string]string{bound.ID: "nest"}
	asked := 0
	r.commands.LendBy(func(_ context.Context, _ store.Querier, organisation, device string) (bool, error) {
		asked++
		return home[device] == organisation, nil
	})
	in := func(home string) access.Actor {
		return access.Actor{Kind: access.KindResident, ID: "mei", User: "mei", Organisation: home, Roles: []access.Role{access.Guest}, From: "192.0.2.44:1"}
	}
	submit := func(who access.Actor, device string) ([]command.Command, error) {
		return r.commands.Submit(t.Context(), who, command.Request{Device: device, Kind: command.PropertySet, Params: []byte(`{"powerstate":1}`), Deadline: time.Minute, Origin: "voice"})
	}
	for _, tt := range []struct {
		name   string
		who    access.Actor
		device string
	}{
		{"a device that is bound nowhere", in("nest"), free.ID},
		{"from a home of others", in("den"), bound.ID},
		{"for no home", in(""), bound.ID},
		{"by another maker", access.Actor{Kind: access.KindUser, ID: "u", Organisation: "other", Roles: []access.Role{access.Owner}}, bound.ID},
		{"a device that is not there", in("nest"), "0197-none"},
	} {
		if _, err := submit(tt.who, tt.device); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: %v, want not found", tt.name, err)
		}
	}
	cs, err := submit(in("nest"), bound.ID)
	if err != nil {
		t.Fatal(err)
	}
	if cs[0].Organisation != bound.Organisation {
		t.Errorf("the command is of %q, want the maker's, %q", cs[0].Organisation, bound.Organisation)
	}
	if _, err := r.commands.Load(t.Context(), r.Maker, cs[0].ID); err != nil {
		t.Errorf("the maker does not see the command: %v", err)
	}
	var kind, actor, from string
	err = r.Store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT actor_kind, actor, actor_from FROM command WHERE id = ?", cs[0].ID).Scan(&kind, &actor, &from)
	})
	if err != nil || kind != access.KindResident || actor != "mei" || from != "" {
		t.Errorf("the row tells of %q %q from %q, %v", kind, actor, from, err)
	}

	asked = 0
	r.commands.LendBy(func(_ context.Context, q store.Querier, _, _ string) (bool, error) {
		asked++
		_, within := q.(*store.Tx)
		return !within, nil // taken back between the look and the commit
	})
	if _, err := submit(in("nest"), bound.ID); !fault.Is(err, fault.Missing) || asked != 2 {
		t.Errorf("a device that is taken back meanwhile: %v, asked %d times", err, asked)
	}
	broken := errors.New("the database is away")
	r.commands.LendBy(func(context.Context, store.Querier, string, string) (bool, error) { return false, broken })
	if _, err := submit(in("nest"), bound.ID); !errors.Is(err, broken) {
		t.Errorf("not knowing whether it is lent: %v", err)
	}
}
