package voice

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
)

// Understand says what a sentence would do, in the name of who, and does none of it: nothing is sent, noted or remembered.
// The Answer has neither reply nor outcomes of targets.
func (s *Service) Understand(ctx context.Context, who access.Actor, in Sentence) (Answer, error) {
	if err := who.Check(access.Speak); err != nil {
		return Answer{}, err
	}
	if err := in.check(); err != nil {
		return Answer{}, err
	}
	t := &turn{s: s, who: who, in: in, id: uuid.Must(uuid.NewV7()).String(), start: time.Now(), forgets: true}
	if _, err := t.understand(ctx); err != nil {
		return Answer{}, err
	}
	t.out.Actions = t.acts()
	for i, a := range t.reading.Actions { // those of things that cannot be done yet have theirs
		targets := t.out.Actions[i].Targets[:0]
		for _, id := range a.Targets {
			if t.home.devices[id] != nil {
				targets = append(targets, t.target(id))
			}
		}
		t.out.Actions[i].Targets = targets
	}
	t.out.TotalUS = time.Since(t.start).Microseconds()
	return t.out, nil
}
