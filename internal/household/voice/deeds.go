package voice

import (
	"slices"
	"sync"
	"time"
)

// This file remembers what was asked for and is still under way, and which timers were spoken of.

// Limits of what is remembered to be taken back.
const (
	undoCommands = 30 * time.Second // of the last sentence of a conversation: longer than its commands are under way
	undoScenes   = 10 * time.Minute // runs of scenes, with their pauses
	maxUndoRuns  = 8                // of a conversation, the newest
)

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
