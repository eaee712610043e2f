package voice

import (
	"context"
	"fmt"
	"strconv"

	"lampworks/internal/infra/fault"
	"lampworks/nlu"
)

func isAnnouncement(a nlu.Action) bool { return a.Op == nlu.OpAnnounce }

// A notice is what came of an action that announces something.
type notice struct {
	act      int
	id       string // of the announcement
	speakers int
	why      phrase // it is not announced
	reason   string
}

// Reasons of what is not announced.
const (
	NoSpeaker = "no_speaker"
	TooOften  = "too_often"
)

// announce has said on other speakers what the sentence says is to be announced.
func (t *turn) announce(ctx context.Context) error {
	for i, a := range t.reading.Actions {
		if !isAnnouncement(a) {
			continue
		}
		n := notice{act: i}
		made, err := t.s.Announce(ctx, t.who, t.in.Home, NewAnnouncement{Text: a.Text, Rooms: a.Rooms, from: t.in.Speaker, sentence: t.id})
		switch {
		case err == nil:
			n.id, n.speakers = made.ID, len(made.Speakers)
		case fault.Is(err, fault.Clash):
			n.why, n.reason = failedNoSpeaker, NoSpeaker
		case fault.Is(err, fault.OverLimit):
			n.why, n.reason = failedOften, TooOften
		case refusal(err):
			n.why, n.reason = failedAnnounce, Invalid
		default:
			return fmt.Errorf("announcing what sentence %s says: %w", t.id, err)
		}
		t.notices = append(t.notices, n)
	}
	return nil
}

// judgeNotices gives the sentence the outcome of what it announces.
func (t *turn) judgeNotices() {
	for i := range t.notices {
		if n := &t.notices[i]; n.reason != "" && t.out.Outcome == Acted {
			t.out.Outcome, t.out.Reason = Failed, n.reason
		}
	}
}

// announced says what came of an action that announces something.
func (w *teller) announced(t *turn, act int) (good, bad []string) {
	for i := range t.notices {
		switch n := &t.notices[i]; {
		case n.act != act:
		case n.why != "":
			bad = append(bad, w.say(n.why))
		default:
			good = append(good, w.say(doneAnnounced, "n", w.speakers(n.speakers)))
		}
	}
	return good, bad
}

// speakers says a number of them; in Chinese the phrase has the measure word.
func (w *teller) speakers(n int) string {
	switch {
	case w.lang != nlu.English:
		return strconv.Itoa(n)
	case n == 1:
		return "1 speaker"
	}
	return strconv.Itoa(n) + " speakers"
}
