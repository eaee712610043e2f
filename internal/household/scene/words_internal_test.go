package scene

import (
	"context"
	"fmt"
	"testing"
	"time"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// TestLabelsAge: what a timer was called goes a week after its end, from its run too, and stays where it waits.
func TestLabelsAge(t *testing.T) {
	s := storetest.Open(t)
	now := time.Now()
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	var timers, runs string
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i, ended := range []int64{0, ago(KeepLabels - time.Minute), ago(KeepLabels + time.Minute)} {
			state := Fired
			if ended == 0 {
				state = Pending
			}
			if _, err := tx.Exec(t.Context(), `
				INSERT INTO scene_timer (id, home, organisation, label, seconds, at, day, days, actions, asked, state, occurrence, version, due_at, shift, last_at, last, created_at, ended_at)
				VALUES (?, 'h', 'o', 'x', 0, '', '', 0, '', 'voice', ?, 0, 1, 1, '', 0, '', 1, ?)`, fmt.Sprint(i), state, ended); err != nil {
				return err
			}
			for _, of := range []string{OfTimer, OfScene} {
				if _, err := tx.Exec(t.Context(), `
					INSERT INTO scene_run (id, home, organisation, origin, ref, label, asked, depth, actor_kind, actor, state, position, due_at, steps, started_at)
					VALUES (?, 'h', 'o', ?, 'r', '{"en":"x"}', 'clock', 0, '', '', ?, 0, ?, '[]', 1)`, of+fmt.Sprint(i), of, Done, ended+1); err != nil {
					return err
				}
			}
		}
		return ageLabels(t.Context(), tx, now)
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(query string, into *string) {
		t.Helper()
		if err := s.Read(context.Background(), func(v *store.View) error {
			rows, err := v.Query(t.Context(), query)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, label string
				if err := rows.Scan(&id, &label); err != nil {
					return err
				}
				*into += id + "=" + label + " "
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
	read("SELECT id, label FROM scene_timer ORDER BY id", &timers)
	read("SELECT id, label FROM scene_run WHERE label = '{}' ORDER BY id", &runs)
	if timers != "0=x 1=x 2= " || runs != "timer0={} timer2={} " {
		t.Errorf("timers %q, runs without a label %q", timers, runs)
	}
}
