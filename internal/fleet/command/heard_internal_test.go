package command

import (
	"log/slog"
	"testing"
	"time"

	"lampworks/internal/infra/uplink"
)

// tailed is a Log of which only the end is asked.
type tailed struct {
	uplink.Log
	tail uplink.Position
}

func (l *tailed) Tail() uplink.Position { return l.tail }

// TestNoCommandIsLostWhileItsAnswerWaitsInTheLog: a deadline counts only once completion has read all that stood in the
// Log when it passed.
func TestNoCommandIsLostWhileItsAnswerWaitsInTheLog(t *testing.T) {
	s := &Commands{log: slog.New(slog.DiscardHandler)}
	at := func(sec int) time.Time { return time.Unix(int64(1000+sec), 0) }
	if got := s.heard(t.Context(), at(0)); !got.Equal(at(0)) {
		t.Errorf("with nobody to read, heard until %v", got)
	}
	log := &tailed{tail: 5}
	var l uplink.Log = log
	s.reading.log.Store(&l)
	for _, step := range []struct {
		sec        int
		tail, done uplink.Position
		want       time.Time
	}{
		{1, 5, 5, time.Time{}}, // the first look only notes where the end is
		{2, 5, 5, at(1)},
		{3, 9, 5, at(2)},  // 6 to 9 came: noted
		{4, 9, 5, at(2)},  // and are not read
		{5, 12, 8, at(2)}, // nor all of them
		{6, 12, 9, at(3)},
		{7, 12, 12, at(6)},
		{60, 20, 12, at(7)},
		{80, 20, 12, at(7)},
		{91, 20, 12, at(91)}, // a reading that does not come on is given up
	} {
		log.tail = step.tail
		s.reading.done.Store(uint64(step.done))
		if got := s.heard(t.Context(), at(step.sec)); !got.Equal(step.want) {
			t.Errorf("at %d s, read %d of %d: heard until %v, want %v", step.sec, step.done, step.tail, got, step.want)
		}
	}
}
