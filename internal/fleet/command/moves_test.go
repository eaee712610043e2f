package command

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
)

// TestMoves walks from every state by every act.
func TestMoves(t *testing.T) {
	states := []State{Accepted, Sent, Acknowledged, Succeeded, Failed, Expired, Cancelled}
	acts := []Act{Send, Return, Acknowledge, Confirm, Refuse, Drop, Lose, Contradict, Lapse, Replace, Revoke}
	want := map[State]string{
		Accepted:     "send→sent lapse→expired replace→cancelled revoke→cancelled",
		Sent:         "return→accepted acknowledge→acknowledged confirm→succeeded refuse→failed drop→failed lose→failed contradict→failed",
		Acknowledged: "confirm→succeeded refuse→failed lose→failed contradict→failed",
	}
	for _, from := range states {
		var got []string
		for _, act := range acts {
			if to, err := moves.Next(from, act, access.Actor{}); err == nil {
				got = append(got, fmt.Sprintf("%s→%s", act, to))
			}
		}
		if text := strings.Join(got, " "); text != want[from] {
			t.Errorf("from %s\n got %s\nwant %s", from, text, want[from])
		}
	}
	for _, m := range moves {
		if !slices.Contains(states, m.To) || !slices.Contains(acts, m.Act) {
			t.Errorf("the test does not know %+v", m)
		}
	}
}
