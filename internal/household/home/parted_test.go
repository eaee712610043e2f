package home_test

import (
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// TestADeviceThatLeavesObeysTheHomeNoMore, however it leaves: what the home has asked, and was not sent, is cancelled.
func TestADeviceThatLeavesObeysTheHomeNoMore(t *testing.T) {
	s := storetest.Open(t)
	homes := home.New(s)
	for _, tt := range []struct {
		how    string
		leaves func(who access.Actor, homeID, device string) error
	}{
		{"unbound", func(who access.Actor, homeID, device string) error {
			return homes.Unbind(t.Context(), who, homeID, device)
		}},
		{"reset", func(_ access.Actor, _, device string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error { return homes.Leave(t.Context(), tx, device, time.Now().Add(time.Hour)) })
		}},
		{"home removed", func(who access.Actor, homeID, _ string) error { return homes.Remove(t.Context(), who, homeID) }},
		{"resident gone", func(access.Actor, string, string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error { return homes.Depart(t.Context(), tx, "mei") })
		}},
	} {
		id := nest(t, homes, nil)
		who := inside(t, homes, "mei", id)
		device := issued(t, s, "maker", "p", 1)[0]
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			if err := homes.Take(t.Context(), tx, who, id, "", device, zh("灯")); err != nil {
				return err
			}
			for _, c := range []struct{ id, home string }{{device + "-ours", id}, {device + "-makers", ""}} {
				_, err := tx.Exec(t.Context(), `
					INSERT INTO command (id, organisation, device, kind, service, call, params, state, reason, note, result, origin, ref, home,
						actor_kind, actor, actor_from, epoch, created_at, deadline_at)
					VALUES (?, 'maker', ?, 'property_set', '', '', '{}', 'accepted', '', '', '', '', '', ?, '', '', '', 0, 0, 0)`, c.id, device, c.home)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.leaves(who, id, device); err != nil {
			t.Fatalf("%s: %v", tt.how, err)
		}
		for suffix, want := range map[string]string{"-ours": "cancelled parted", "-makers": "accepted "} {
			var state, reason string
			err := s.Read(t.Context(), func(v *store.View) error {
				return v.QueryRow(t.Context(), "SELECT state, reason FROM command WHERE id = ?", device+suffix).Scan(&state, &reason)
			})
			if got := state + " " + reason; err != nil || got != want {
				t.Errorf("%s: %s is %q, %v, want %q", tt.how, suffix, got, err, want)
			}
		}
	}
}
