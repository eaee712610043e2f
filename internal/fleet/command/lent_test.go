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

// TestWhatAHomeAskedOfADeviceThatLeavesIt is not carried out any more, whether it waits or comes back; what its maker asked is. Who
// acts for the home sees what was asked there, and nothing else.
func TestWhatAHomeAskedOfADeviceThatLeavesIt(t *testing.T) {
	r := newRoom(t, 1)
	lamp := r.Lights[0].ID
	r.commands.LendBy(func(context.Context, store.Querier, string, string) (bool, error) { return true, nil })
	in := func(home string) access.Actor {
		return access.Actor{Kind: access.KindResident, ID: "mei", User: "mei", Organisation: home, Roles: []access.Role{access.Guest}}
	}
	ask := func(who access.Actor, brightness, home string) command.Command {
		t.Helper()
		cs, err := r.commands.Submit(t.Context(), who, command.Request{
			Device: lamp, Kind: command.PropertySet, Params: []byte(`{"` + brightness + `":1}`), Deadline: time.Minute, Home: home,
		})
		if err != nil {
			t.Fatal(err)
		}
		return cs[0]
	}
	sent := ask(in("nest"), "powerstate", "")
	taken, err := r.commands.Take(t.Context(), lamp, 7, 10, nil)
	if err != nil || len(taken) != 1 {
		t.Fatalf("taken are %+v, %v", taken, err)
	}
	waits, makers := ask(in("nest"), "brightness", "another home than one's own"), ask(r.Maker, "powerstate", "")
	for _, tt := range []struct {
		name string
		who  access.Actor
		id   string
		seen bool
	}{
		{"what was asked in the home", in("nest"), waits.ID, true},
		{"what the maker asked", in("nest"), makers.ID, false},
		{"in another home", in("den"), waits.ID, false},
		{"in no home", in(""), waits.ID, false},
		{"in no home, of the maker", in(""), makers.ID, false},
		{"by the maker", r.Maker, waits.ID, true},
	} {
		if _, err := r.commands.Load(t.Context(), tt.who, tt.id); (err == nil) != tt.seen || err != nil && !fault.Is(err, fault.Missing) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	told := make(chan string, 8)
	defer r.Bus.Subscribe(command.EndedSubject+lamp, func(_ string, id []byte) { told <- string(id) })()
	part := func(home string) {
		t.Helper()
		err := r.Store.Write(t.Context(), func(tx *store.Tx) error { return command.Part(t.Context(), tx, r.Bus, home, lamp, time.Now()) })
		if err != nil {
			t.Fatal(err)
		}
	}
	part("den")
	if c, err := r.commands.Load(t.Context(), r.Maker, waits.ID); err != nil || c.State != command.Accepted {
		t.Errorf("when another home lets go it is %s, %v", c.State, err)
	}
	part("nest")
	if err := r.commands.Return(t.Context(), 7, taken); err != nil {
		t.Fatal(err)
	}
	again, _, err := r.commands.Resume(t.Context(), command.Resumption{Device: lamp, Since: 0, Epoch: 8}, 10, func(*command.Command) bool { return true })
	if err != nil || len(again) != 0 {
		t.Errorf("to the next session go again %+v, %v", again, err)
	}
	if c, err := r.commands.Load(t.Context(), r.Maker, waits.ID); err != nil || c.State != command.Cancelled || c.Reason != command.Parted {
		t.Errorf("what waited is %s (%s), %v", c.State, c.Reason, err)
	}
	if id := <-told; id != waits.ID {
		t.Errorf("told was the end of %s", id)
	}
	if next, err := r.commands.Take(t.Context(), lamp, 8, 10, nil); err != nil || len(next) != 1 || next[0].ID != makers.ID {
		t.Errorf("then are taken %+v, %v; want %s, and not %s", next, err, makers.ID, sent.ID)
	}
}
