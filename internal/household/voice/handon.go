package voice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"lampworks/nlu"
)

// This file hands on what understanding has nothing to do and nothing to ask about.

// Limits of handing on.
const (
	MaxOffered  = 20              // devices that are told of
	maxHanded   = 10              // acts of an answer
	maxSaid     = 500             // characters of a reply
	maxHanding  = 64              // sentences handed on at once; others are answered at once
	handOnTime  = 2 * time.Second // default of [Config.HandOnWithin]
	handOnShare = 2               // of 3 parts of what is left until the answer is due
)

// A Handler takes sentences that nobody here understood. It returns when its context ends; it is believed nothing that the
// home and its models do not allow.
type Handler interface {
	HandOn(ctx context.Context, asked Asked) (Handed, error)
}

// Asked is a sentence with the part of the home that it may be about. Neither who spoke nor which home it is stands in it.
type Asked struct {
	Text  string
	Lang  string
	Room  string // name of the room it was said in; empty: not known
	Offer []Offered
}

// Offered is a device that an answer may name.
type Offered struct {
	Device     string // id
	Room, Name string // in the language of the sentence
	Category   string
	Properties []string // identifiers of the model
	Services   []string
}

// Handed is an answer: acts, or else something to say.
type Handed struct {
	Actions []nlu.Action // set, adjust, query, call; nothing later, and nothing that would be asked about first
	Reply   string       // with Actions it is not said: what came of them is
}

// handing counts what is handed on.
type handing struct {
	mu sync.Mutex // guards n
	n  int
}

func (h *handing) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n >= maxHanding {
		return false
	}
	h.n++
	return true
}

func (h *handing) leave() {
	h.mu.Lock()
	h.n--
	h.mu.Unlock()
}

// lost says whether nobody here has anything to do or to ask.
func (t *turn) lost() bool {
	return t.reading.Outcome == nlu.Chat && t.reading.Reason.Code == nlu.NotUnderstood
}

// handOn gives the sentence to who may understand it. Whatever they do, what comes of it in time is an answer that the home
// allows, or none.
func (t *turn) handOn(ctx context.Context) (string, error) {
	asked := t.asked()
	got, err := t.handed(ctx, asked)
	if ctx.Err() != nil {
		return "", fmt.Errorf("handing on sentence %s: %w", t.id, ctx.Err())
	}
	if err == nil {
		err = t.adopt(&got, asked.Offer)
	}
	if err != nil {
		t.s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "sentence handed on in vain", slog.String("sentence", t.id), slog.String("error", vain(err)))
		return t.words().say(stageVain), nil
	}
	return t.words().say(stageHanded), nil
}

// vain is what the log is told of an error: none of a handler's own words, in which there may be some of the sentence.
func vain(err error) string {
	for _, own := range []error{errBusy, errHung, errPanicked} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	return fmt.Sprintf("it failed with %T, or its answer was refused", err)
}

var (
	errPanicked = errors.New("the handler panicked")

	errBusy = errors.New("as many sentences are handed on as may be")
	errHung = errors.New("no answer in time")
)

// handed asks the handler and waits no longer than there is time.
func (t *turn) handed(ctx context.Context, asked Asked) (Handed, error) {
	h := &t.s.handing
	if !h.enter() {
		return Handed{}, errBusy
	}
	within := min(cmp.Or(t.s.c.HandOnWithin, handOnTime), time.Until(t.patience())*handOnShare/3)
	waiting, cancel := context.WithTimeout(ctx, within)
	type result struct {
		Handed
		error
	}
	got := make(chan result, 1)
	go func() {
		defer h.leave()
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				got <- result{error: fmt.Errorf("%w: %T", errPanicked, p)}
			}
		}()
		answer, err := t.s.c.Handler.HandOn(waiting, asked)
		got <- result{answer, err}
	}()
	select {
	case r := <-got:
		return r.Handed, r.error
	case <-waiting.Done():
	}
	select {
	case r := <-got: // both at once
		return r.Handed, r.error
	default:
		return Handed{}, errHung
	}
}

// asked is the sentence with the devices that share most with it.
func (t *turn) asked() Asked {
	lang := t.out.Lang
	out := Asked{Text: t.in.Text, Lang: lang}
	if r := t.home.rooms[t.in.Room]; r != nil {
		out.Room = r.Names.In(lang)
	}
	scores := make(map[string]int)
	text := []rune(strings.ToLower(t.in.Text))
	for i := range t.home.home.Devices {
		d := &t.home.home.Devices[i]
		model := t.home.model(d.Product)
		if model == nil || d.Hidden {
			continue
		}
		o := Offered{Device: d.ID, Name: d.Names.In(lang), Category: t.home.categories[d.ID]}
		scores[d.ID] = shared(text, d.All())
		if r := t.home.rooms[d.Room]; r != nil {
			o.Room = r.Names.In(lang)
			scores[d.ID] += shared(text, r.All())
		}
		for _, p := range model.Properties() {
			o.Properties = append(o.Properties, p.Identifier)
		}
		for _, service := range model.Services() {
			o.Services = append(o.Services, service.Identifier)
		}
		out.Offer = append(out.Offer, o)
	}
	slices.SortStableFunc(out.Offer, func(a, b Offered) int { return scores[b.Device] - scores[a.Device] })
	out.Offer = out.Offer[:min(len(out.Offer), MaxOffered)]
	return out
}

// shared is how many pairs of characters of the best of names stand in text.
func shared(text []rune, names map[string][]string) (most int) {
	pairs := make(map[[2]rune]bool, len(text))
	for i := 1; i < len(text); i++ {
		pairs[[2]rune{text[i-1], text[i]}] = true
	}
	for _, list := range names {
		for _, name := range list {
			n, letters := 0, []rune(strings.ToLower(name))
			for i := 1; i < len(letters); i++ {
				if pairs[[2]rune{letters[i-1], letters[i]}] {
					n++
				}
			}
			if len(letters) == 1 && slices.Contains(text, letters[0]) {
				n = 1
			}
			most = max(most, n)
		}
	}
	return most
}

// adopt takes an answer as if it had been read here, or refuses it whole.
func (t *turn) adopt(got *Handed, offer []Offered) error {
	if len(got.Actions) == 0 {
		if err := sayable(got.Reply); err != nil {
			return err
		}
		t.spoken, t.out.Reason = got.Reply, ""
		return nil
	}
	if len(got.Actions) > maxHanded {
		return fmt.Errorf("the answer has %d acts, at most %d are taken", len(got.Actions), maxHanded)
	}
	offered := make(map[string]bool, MaxOffered)
	for _, o := range offer {
		offered[o.Device] = true
	}
	actions, done := make([]nlu.Action, len(got.Actions)), make(map[string]bool)
	for i, a := range got.Actions {
		adopted, dangerous, why := t.home.index.Adopt(a)
		switch {
		case why.Code != "":
			return fmt.Errorf("act %d of the answer is not to be done here: %s", i, why.Code)
		case dangerous:
			return fmt.Errorf("act %d of the answer is dangerous", i)
		}
		for _, id := range adopted.Targets {
			what := id + " " + adopted.Prop + " " + adopted.Service
			if !offered[id] || done[what] {
				return fmt.Errorf("act %d of the answer is about a device that was not offered, or about one thing twice", i)
			}
			done[what] = true
		}
		actions[i] = adopted
	}
	t.reading.Outcome, t.reading.Actions, t.reading.Reason, t.reading.Candidates = nlu.Act, actions, nlu.Reason{}, nil
	t.out.Outcome, t.out.Reason = Acted, ""
	return nil
}

// sayable says what is wrong with a text that is to be said.
func sayable(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("the answer is empty")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("the answer is no text")
	case utf8.RuneCountInString(text) > maxSaid:
		return fmt.Errorf("the answer is longer than %d characters", maxSaid)
	}
	return nil
}
