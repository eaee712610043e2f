package voice

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"lampworks/internal/household/scene"
)

// This file answers before slow devices do, and tells later what came of it.

// maxLate is how many sentences may be under way after their answer; who speaks then waits for the devices.
const maxLate = 1000

// ToldSubject is the Bus subject, completed by the id of the home, of what came of a sentence after it was answered; the payload
// is a [Telling] as JSON. It may be lost.
const ToldSubject = "voice.told."

// A Telling is an answer that was finished after it had been given: the same id, with what came of it in the end.
type Telling struct {
	User   string `json:"user"` // id of the person who spoke; others have no business with it
	Home   string `json:"home"`
	Answer Answer `json:"answer"`
	Quiet  bool   `json:"quiet"` // something else was said since: it is to be shown, and not spoken over the reply to that
}

// late counts the sentences that are under way after their answer.
type late struct {
	life context.Context //nolint:containedctx // of what is under way
	end  context.CancelFunc
	all  sync.WaitGroup

	mu sync.Mutex // guards n, and that none enters when life has ended
	n  int
}

// enter takes a place; it is given back by leave.
func (l *late) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life.Err() != nil || l.n >= maxLate {
		return false
	}
	l.n++
	l.all.Add(1)
	return true
}

func (l *late) leave() {
	l.mu.Lock()
	l.n--
	l.mu.Unlock()
	l.all.Done()
}

// Close ends the waiting for devices whose sentences were answered already; nobody is told of them.
func (s *Service) Close() {
	s.late.mu.Lock()
	s.late.end()
	s.late.mu.Unlock()
	s.late.all.Wait()
}

// patience is when a sentence is answered at the latest: where its speaker can be told later, before slow devices answer.
func (t *turn) patience() time.Time {
	if t.early {
		return t.start.Add(min(t.s.c.SentAfter, t.s.c.Deadline))
	}
	return t.start.Add(t.s.c.Deadline)
}

// open says whether something of the sentence has not ended.
func (t *turn) open() bool {
	return slices.ContainsFunc(t.steps, func(st step) bool { return st.outcome == Sent }) ||
		slices.ContainsFunc(t.runs, func(p performance) bool { return p.run.State == scene.Running })
}

// finish waits for what is open of an answered sentence, and tells.
func (s *Service) finish(t *turn) {
	defer s.late.leave()
	ctx, cancel := context.WithTimeout(s.late.life, s.c.CommandDeadline+s.c.Deadline)
	defer cancel()
	t.early, t.late = false, true
	t.steps = slices.DeleteFunc(t.steps, func(st step) bool { return isScene(t.reading.Actions[st.act]) })
	t.out.Outcome, t.out.Reason, t.out.Stages = string(t.reading.Outcome), "", nil
	t.out.Candidates = nil
	_, err := t.confirm(ctx)
	if err == nil {
		_, err = t.answer(ctx)
	}
	if s.late.life.Err() != nil {
		return
	}
	if err != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "what came of a sentence was not told", slog.String("sentence", t.id), slog.Any("error", err))
		return
	}
	t.out.TotalUS = time.Since(t.start).Microseconds()
	if err := s.correct(ctx, t); err != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "what came of a sentence stands not beside its words", slog.String("sentence", t.id), slog.Any("error", err))
	}
	s.c.Told(Telling{t.who.User, t.in.Home, t.out, !s.deeds.last(t.conversation(), t.id)})
}
