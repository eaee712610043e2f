package api

import (
	"context"
	"time"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type privacyView struct {
	KeepText          bool   `json:"keep_text" doc:"Words of one's sentences are kept for 7 days, for oneself."`
	ShareUnrecognised bool   `json:"share_unrecognised" doc:"What was not understood may be looked at by who makes the understanding better, without one's name."`
	ChangedAt         moment `json:"changed_at,omitzero" doc:"Absent: nothing was chosen."`
}

func privacyOf(p voice.Privacy) privacyView {
	return privacyView{p.KeepText, p.Share, moment(p.Changed)}
}

type wordsView struct {
	ID      string `json:"id" doc:"Of the answer that was given."`
	At      moment `json:"at"`
	Lang    string `json:"lang"`
	Text    string `json:"text"`
	Reply   string `json:"reply"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
}

func wordsOf(w *voice.Words) wordsView {
	return wordsView{w.ID, moment(w.At), w.Lang, w.Text, w.Reply, w.Outcome, w.Reason}
}

type lengthsView struct {
	P50US int64 `json:"p50_us" doc:"Half of them took at most so long, in microseconds; up to a fifth too high."`
	P99US int64 `json:"p99_us"`
}

type dayView struct {
	Day       string                 `json:"day" format:"date" doc:"In UTC."`
	Sentences int64                  `json:"sentences"`
	Outcomes  map[string]int64       `json:"outcomes"`
	Reasons   map[string]int64       `json:"reasons"`
	Langs     map[string]int64       `json:"langs"`
	Intents   map[string]int64       `json:"intents" doc:"How many sentences asked for something of a kind: set, query …"`
	Stages    map[string]lengthsView `json:"stages" doc:"How long the parts of the road took; total is the whole."`
}

type voiceDays struct {
	Days []dayView `json:"days" nullable:"false" doc:"Those on which something was said, in their order."`
}

func daysOf(days []voice.Day) voiceDays {
	out := voiceDays{Days: make([]dayView, len(days))}
	for i := range days {
		d := &days[i]
		v := dayView{d.Day, d.Sentences, d.Outcomes, d.Reasons, d.Langs, d.Intents, make(map[string]lengthsView, len(d.Stages))}
		for name, l := range d.Stages {
			v.Stages[name] = lengthsView{l.P50.Microseconds(), l.P99.Microseconds()}
		}
		out.Days[i] = v
	}
	return out
}

type setPrivacyInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		KeepText          bool `json:"keep_text" doc:"false deletes the words there are."`
		ShareUnrecognised bool `json:"share_unrecognised" doc:"false takes back what nobody has decided about yet."`
	}
}

type wordsInput struct {
	ListInput
	Home    string `path:"home" maxLength:"64"`
	Outcome string `query:"outcome" enum:"act,clarify,reject,chat,failed,sent"`
	Lang    string `query:"lang" enum:"zh-CN,en"`
}

type oneSentenceInput struct {
	Home     string `path:"home" maxLength:"64"`
	Sentence string `path:"sentence" maxLength:"64"`
}

type voiceDaysInput struct {
	Since        string `query:"since" maxLength:"10" format:"date" doc:"First day, as 2026-01-31; 30 days before the last, if it is not given."`
	Until        string `query:"until" maxLength:"10" format:"date" doc:"Last day; today, if it is not given. At most 366 days together."`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only this one."`
}

// days reads the two ends.
func (in *voiceDaysInput) days(now time.Time) (first, last time.Time, err error) {
	if last, err = day("/query/until", in.Until, now.UTC()); err != nil {
		return first, last, err
	}
	first, err = day("/query/since", in.Since, last.AddDate(0, 0, -30))
	return first, last, err
}

func day(where, text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fault.Invalid(where, text, "a day, such as 2026-01-31", "send year, month and day")
	}
	return t, nil
}

// wordRoutes are about what people say: what is kept of it for them, and what is counted.
func (a *API) wordRoutes() {
	const privacy, all = "/api/v1/homes/{home}/voice-privacy", "/api/v1/homes/{home}/sentences"
	route(a, "GET", privacy, access.ReadHome, ofHome, "What is kept of what one says in a home", func(ctx context.Context, who access.Actor, in *homeInput) (privacyView, error) {
		p, err := a.Voice.Privacy(ctx, who, in.Home)
		return privacyOf(p), err
	})
	route(a, "PUT", privacy, access.ReadHome, ofHome, "Say what is to be kept of what one says in a home", func(ctx context.Context, who access.Actor, in *setPrivacyInput) (privacyView, error) {
		p, err := a.Voice.SetPrivacy(ctx, who, in.Home, voice.Privacy{KeepText: in.Body.KeepText, Share: in.Body.ShareUnrecognised})
		return privacyOf(p), err
	})
	list(a, all, access.ReadHome, ofHome, "What one said oneself in the last 7 days in a home, newest first; nobody else sees it", func(ctx context.Context, who access.Actor, in *wordsInput) (page[wordsView], error) {
		p, err := a.Voice.Sentences(ctx, who, in.Home, in.ask(map[string]string{voice.ByOutcome: in.Outcome, voice.ByLang: in.Lang}))
		return pageFrom(p, wordsOf), err
	})
	route(a, "DELETE", all, access.ReadHome, ofHome, "Delete all that one said oneself in a home", func(ctx context.Context, who access.Actor, in *homeInput) (nothing, error) {
		return nothing{}, a.Voice.Forget(ctx, who, in.Home, "")
	})
	route(a, "DELETE", all+"/{sentence}", access.ReadHome, ofHome, "Delete a sentence that one said oneself", func(ctx context.Context, who access.Actor, in *oneSentenceInput) (nothing, error) {
		return nothing{}, a.Voice.Forget(ctx, who, in.Home, in.Sentence)
	})
	route(a, "GET", "/api/v1/voice/statistics", access.ReadVoice, ofCaller, "What was said, by day, in figures: no sentence is in them", func(ctx context.Context, who access.Actor, in *voiceDaysInput) (voiceDays, error) {
		first, last, err := in.days(time.Now())
		if err != nil {
			return voiceDays{}, err
		}
		days, err := a.Voice.Statistics(ctx, who, in.Organisation, first, last)
		return daysOf(days), err
	})
}
