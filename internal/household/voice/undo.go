package voice

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/nlu"
)

// This file takes back what was asked for and is still under way.

// Limits of what is remembered to be taken back.
const (
	undoCommands = 30 * time.Second // of the last sentence of a conversation: longer than its commands are under way
	undoScenes   = 10 * time.Minute // runs of scenes, with their pauses
	maxUndoRuns  = 8                // of a conversation, the newest
)

// TooLate is the reason of what could not be taken back.
const TooLate = "too_late"

func isUndo(a nlu.Action) bool { return a.Op == nlu.OpUndo }

// deed is what a conversation has under way.
type deed struct {
	sentence string // the last that was said
	at       time.Time

	commands []string
	sent     time.Time
	runs     []string // of the sentence that sent last, and of those before it
	newest   int      // how many runs are of the last one
	began    time.Time
	timers   []string // that the last sentence about timers has set or told of
	asked    string   // the sentence that was answered with the question which of them is meant
	before   string   // the sentence before the last
}

// deeds remembers what conversations have under way, each for a while. When there are too many, those that were silent
// for long go, then others.
type deeds struct {
	mu    sync.Mutex // guards byKey
	byKey map[conversation]*deed
}

// speak says that a sentence is spoken.
func (d *deeds) speak(key conversation, sentence string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byKey == nil {
		d.byKey = make(map[conversation]*deed)
	}
	if len(d.byKey) >= maxConversations {
		for k, v := range d.byKey {
			if now.Sub(v.at) > undoScenes || len(d.byKey) >= maxConversations {
				delete(d.byKey, k)
			}
		}
	}
	if d.byKey[key] == nil {
		d.byKey[key] = &deed{}
	}
	mine := d.byKey[key]
	mine.before, mine.sentence, mine.at = mine.sentence, sentence, now
}

// last says whether nothing was said in a conversation since a sentence.
func (d *deeds) last(key conversation, sentence string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byKey[key] == nil || d.byKey[key].sentence == sentence
}

// did remembers what a sentence has sent and begun.
func (d *deeds) did(t *turn) {
	if len(t.sent)+len(t.runs) == 0 {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.byKey[t.conversation()]
	if mine == nil {
		return
	}
	mine.commands, mine.sent, mine.newest = slices.Clone(t.sent), now, len(t.runs)
	for i := range t.runs {
		mine.runs, mine.began = append(mine.runs, t.runs[i].run.ID), now
	}
	mine.runs = mine.runs[max(0, len(mine.runs)-maxUndoRuns):]
}

// booked remembers which timers a sentence has set or told of.
func (d *deeds) booked(t *turn) {
	if len(t.bookings) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.byKey[t.conversation()]
	if mine == nil {
		return
	}
	mine.timers, mine.asked = nil, ""
	for i := range t.bookings {
		b := &t.bookings[i]
		if b.timer != nil {
			mine.timers = append(mine.timers, b.timer.ID)
		}
		if b.which {
			mine.asked = t.id
		}
		for k := range b.listed {
			mine.timers = append(mine.timers, b.listed[k].ID)
		}
	}
}

// asks reports whether the sentence before was answered with the question which timer is meant.
func (d *deeds) asks(key conversation) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.byKey[key]
	return mine != nil && mine.asked != "" && mine.asked == mine.before
}

// timers are those that the last sentence about timers of a conversation has set or told of.
func (d *deeds) timers(key conversation) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if mine := d.byKey[key]; mine != nil {
		return slices.Clone(mine.timers)
	}
	return nil
}

// of is what may be taken back in a conversation: the commands of the last sentence and its runs, or all runs.
func (d *deeds) of(key conversation, scenes bool, now time.Time) (commands, runs []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.byKey[key]
	if mine == nil {
		return nil, nil
	}
	if now.Sub(mine.began) < undoScenes {
		if runs = mine.runs; !scenes {
			runs = runs[max(0, len(runs)-mine.newest):]
		}
	}
	if !scenes && now.Sub(mine.sent) < undoCommands {
		commands = mine.commands
	}
	return slices.Clone(commands), slices.Clone(runs)
}

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
