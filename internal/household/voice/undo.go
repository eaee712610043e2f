package voice

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/nlu"
)

// This file takes back what was asked for and is still under way.

// TooLate is the reason of what could not be taken back.
const TooLate = "too_late"

func isUndo(a nlu.Action) bool { return a.Op == nlu.OpUndo }

// open says whether something that was asked for in the conversation of a sentence is under way.
func (s *Service) open(t *turn, scenes bool, now time.Time) bool {
	commands, runs := s.deeds.of(t.conversation(), scenes, now)
	ctx, end := context.WithCancel(context.Background())
	end() // as things are
	if len(commands) > 0 {
		cs, _ := s.c.Commands.Wait(ctx, commands...)
		if slices.ContainsFunc(cs, func(c command.Command) bool { return !c.Ended() }) {
			return true
		}
	}
	return slices.ContainsFunc(runs, func(id string) bool {
		r, err := s.c.Scenes.Await(ctx, id)
		return err == nil && !r.Ended()
	})
}

// undone is what came of taking something back.
type undone struct {
	cancelled, sent []string // devices
	stopped         []scene.Run
}

// undo takes back what is under way: commands that were not sent, and the steps of scenes that were not begun.
func (t *turn) undo(ctx context.Context) error {
	i := slices.IndexFunc(t.reading.Actions, isUndo)
	if i < 0 {
		return nil
	}
	t.undone = &undone{}
	commands, runs := t.s.deeds.of(t.conversation(), t.reading.Actions[i].Value == nlu.OfScene, time.Now())
	if len(commands) > 0 {
		if err := t.cancel(ctx, commands); err != nil {
			return err
		}
	}
	for _, id := range runs {
		r, err := t.s.c.Scenes.Stop(ctx, t.who, t.in.Home, id)
		if err != nil && !refusal(err) && !fault.Is(err, fault.Missing) {
			return fmt.Errorf("stopping run %s for sentence %s: %w", id, t.id, err)
		}
		if err == nil {
			t.undone.stopped = append(t.undone.stopped, r)
		}
	}
	return nil
}

// cancel takes back the commands that were not sent.
func (t *turn) cancel(ctx context.Context, ids []string) error {
	now, end := context.WithCancel(ctx)
	end()
	cs, err := t.s.c.Commands.Wait(now, ids...)
	if err != nil && len(cs) == 0 {
		return fmt.Errorf("looking what became of the commands before sentence %s: %w", t.id, err)
	}
	for i := range cs {
		c := &cs[i]
		if c.Ended() {
			continue
		}
		// The conversation sent it: it is its own, also where a maker lends the device.
		by := access.Actor{Kind: t.who.Kind, ID: t.who.ID, Organisation: c.Organisation}
		_, err := t.s.c.Commands.Cancel(ctx, by, c.ID)
		switch {
		case err == nil:
			t.undone.cancelled = append(t.undone.cancelled, c.Device)
		case refusal(err):
			t.undone.sent = append(t.undone.sent, c.Device)
		default:
			return fmt.Errorf("cancelling command %s for sentence %s: %w", c.ID, t.id, err)
		}
	}
	return nil
}

// judgeUndone gives the sentence the outcome of what it takes back.
func (t *turn) judgeUndone() {
	if u := t.undone; u != nil && len(u.cancelled)+len(u.stopped) == 0 && t.out.Outcome == Acted {
		t.out.Outcome, t.out.Reason = Rejected, TooLate
	}
}

// tookBack says what was taken back, and what is under way already.
func (w *teller) tookBack(t *turn) (good, bad []string) {
	u := t.undone
	known := func(ids []string) []string {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return w.home.devices[id] == nil })
	}
	if ids := known(u.cancelled); len(ids) > 0 {
		good = append(good, w.say(undoneCommands, "names", w.names(ids)))
	}
	for i := range u.stopped {
		all, left := u.stopped[i].Count()
		good = append(good, w.say(undoneScene, "n", strconv.Itoa(all-left), "of", strconv.Itoa(all)))
	}
	if ids := known(u.sent); len(ids) > 0 {
		bad = append(bad, w.say(undoneTooLate, "names", w.names(ids)))
	}
	if len(good)+len(bad) == 0 {
		bad = append(bad, w.say(undoneNothing))
	}
	return good, bad
}
