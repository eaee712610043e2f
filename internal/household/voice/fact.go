package voice

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"lampworks/internal/infra/uplink"
)

// FactSubject is the subject of the record of a sentence in the uplink Log.
const FactSubject = "voice.sentence"

// A Fact is the body of the record of a sentence, as JSON: what statistics are made of. It holds no word of what was said,
// and neither who said it nor in which home.
type Fact struct {
	ID           string           `json:"id"`
	Organisation string           `json:"organisation"`
	Lang         string           `json:"lang"`
	Outcome      string           `json:"outcome"`
	Reason       string           `json:"reason,omitempty"`
	Intents      []string         `json:"intents,omitempty"` // what kinds of things were asked for: set, query …
	Failed       int              `json:"failed,omitempty"`  // targets not confirmed
	StageUS      map[string]int64 `json:"stage_us"`
	TotalUS      int64            `json:"total_us"`
}

// factWait is how long a full Log may hold up an answer.
const factWait = 50 * time.Millisecond

// note appends the record of a sentence to the Log, and puts its words aside for who said it. A sentence was carried out
// whether or not it could be noted.
func (s *Service) note(ctx context.Context, t *turn) {
	s.keeper.put(s.c.Store, t)
	if s.c.Facts == nil {
		return
	}
	body, err := json.Marshal(t.fact())
	if err == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), factWait)
		defer cancel()
		err = s.c.Facts.Append(ctx, uplink.Record{At: t.start, Kind: uplink.Fact, Subject: FactSubject, Body: body}, nil)
	}
	if err != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "sentence not noted", slog.String("sentence", t.id), slog.Any("error", err))
	}
}

func (t *turn) fact() Fact {
	f := Fact{
		ID: t.id, Organisation: t.home.home.Organisation, Lang: t.out.Lang, Outcome: t.out.Outcome, Reason: t.out.Reason,
		StageUS: make(map[string]int64, len(t.out.Stages)), TotalUS: t.out.TotalUS,
	}
	for _, stage := range t.out.Stages {
		f.StageUS[stage.Name] = stage.LengthUS
	}
	for _, a := range t.reading.Actions {
		if op := string(a.Op); !slices.Contains(f.Intents, op) {
			f.Intents = append(f.Intents, op)
		}
	}
	for i := range t.steps {
		if t.steps[i].outcome == Undone {
			f.Failed++
		}
	}
	return f
}
