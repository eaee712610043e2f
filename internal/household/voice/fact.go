package voice

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"lampworks/internal/infra/uplink"
)

// FactSubject is the subject of the record of a sentence in the uplink Log.
const FactSubject = "voice.sentence"

// A Fact is the body of the record of a sentence, as JSON. It holds no word of
// what was said unless [Config.KeepText] is on.
type Fact struct {
	ID           string           `json:"id"`
	Organisation string           `json:"organisation"`
	Home         string           `json:"home"`
	Lang         string           `json:"lang"`
	Outcome      string           `json:"outcome"`
	Reason       string           `json:"reason,omitempty"`
	Devices      []string         `json:"devices,omitempty"` // that something was asked of
	Failed       int              `json:"failed,omitempty"`  // targets not confirmed
	StageUS      map[string]int64 `json:"stage_us"`
	TotalUS      int64            `json:"total_us"`
	Text         string           `json:"text,omitempty"`
}

// factWait is how long a full Log may hold up an answer.
const factWait = 50 * time.Millisecond

// note appends the record of a sentence to the Log. A sentence was carried out
// whether or not it could be noted.
func (s *Service) note(ctx context.Context, t *turn) {
	if s.c.Facts == nil {
		return
	}
	f := Fact{
		ID: t.id, Organisation: t.who.Organisation, Home: t.in.Home, Lang: t.out.Lang, Outcome: t.out.Outcome, Reason: t.out.Reason,
		StageUS: make(map[string]int64, len(t.out.Stages)), TotalUS: t.out.TotalUS,
	}
	for _, stage := range t.out.Stages {
		f.StageUS[stage.Name] = stage.LengthUS
	}
	seen := make(map[string]bool)
	for i := range t.steps {
		if st := &t.steps[i]; !seen[st.device] {
			seen[st.device] = true
			f.Devices = append(f.Devices, st.device)
		}
		if t.steps[i].outcome == Undone {
			f.Failed++
		}
	}
	if s.c.KeepText {
		f.Text = t.in.Text
	}
	body, err := json.Marshal(f)
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
