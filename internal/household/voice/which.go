package voice

import (
	"context"
	"slices"
	"strings"

	"lampworks/internal/household/scene"
	"lampworks/nlu"
)

// This file reads the answer to the question which timer is meant: 煮蛋的, one hour, 七点的.

// answersWhich reads a sentence that is none by itself as the answer to the question which timer is to be cancelled.
func (t *turn) answersWhich(ctx context.Context, c *nlu.Context) error {
	if t.reading.Outcome == nlu.Act || t.forgets || !t.s.deeds.asks(t.conversation()) {
		return nil
	}
	text := t.s.words[t.language()].say(timerAnswer, "text", t.bareText())
	whole := t.home.index.Read(c, text)
	if whole.Outcome != nlu.Act || len(whole.Actions) != 1 || whole.Actions[0].Op != nlu.OpTimerCancel {
		return nil
	}
	all, err := t.s.c.Scenes.Timers(ctx, t.who, t.in.Home)
	if err != nil {
		return err
	}
	asked := t.s.deeds.timers(t.conversation())
	if slices.ContainsFunc(all, func(timer scene.Timer) bool {
		return slices.Contains(asked, timer.ID) && t.meant(&timer, whole.Actions[0])
	}) {
		t.reading = whole
		t.reading.Actions[0].Last = true
	}
	return nil
}

// bareText is a short answer without what stands around it: that of ten minutes, 煮蛋的那个.
func (t *turn) bareText() string {
	text := strings.Trim(strings.TrimSpace(t.in.Text), "。，！？.,!?")
	for _, around := range strings.Split(t.s.words[t.language()].say(timerAround), "|") {
		text = strings.TrimSuffix(strings.TrimPrefix(text, around), around)
	}
	return strings.TrimSpace(text)
}
