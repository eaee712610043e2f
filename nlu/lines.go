package nlu

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// maxLine is the longest line that is read, bytes.
const maxLine = 4 << 20

// line is one utterance with its context, as the evaluation sets have it.
type line struct {
	ID        string `json:"id"`
	Lang      string `json:"lang"`
	Utterance string `json:"utterance"`
	Context   struct {
		SpeakerRoom        string   `json:"speaker_room"`
		PreviousUtterances []string `json:"previous_utterances"`
	} `json:"context"`
}

// lineAction is one action as the evaluation sets have it.
type lineAction struct {
	Op           Op       `json:"op"`
	Targets      []string `json:"targets,omitempty"`
	Prop         string   `json:"prop,omitempty"`
	Service      string   `json:"service,omitempty"`
	Value        any      `json:"value,omitempty"`
	Direction    string   `json:"direction,omitempty"`
	Amount       *float64 `json:"amount,omitempty"`
	Scene        string   `json:"scene,omitempty"`
	DelaySeconds int      `json:"delay_seconds,omitempty"`
	At           string   `json:"at,omitempty"`
	Day          string   `json:"day,omitempty"`
	Repeat       []string `json:"repeat,omitempty"`
	Seconds      int      `json:"seconds,omitempty"`
	Label        string   `json:"label,omitempty"`
}

type lineReading struct {
	ID         string       `json:"id,omitempty"`
	Lang       string       `json:"lang"`
	Outcome    Outcome      `json:"outcome"`
	Actions    []lineAction `json:"actions"`
	Candidates []string     `json:"candidates,omitempty"`
	Reason     Code         `json:"reason,omitempty"`
	Word       string       `json:"word,omitempty"`
	Repaired   string       `json:"repaired,omitempty"`
	LatencyUS  int64        `json:"latency_us"`
}

// Lines reads one utterance a line from in and writes one reading a line to out. format is "genie" (or "") or "ha",
// lang is the default language of lines that name none. With format "ha" a nil home means each line's own context.
func Lines(ctx context.Context, home *Home, format, lang string, in io.Reader, out io.Writer) error {
	switch format {
	case "", "genie":
		return genieLines(ctx, home, lang, in, out)
	case "ha":
		return haLines(ctx, home, lang, in, out)
	}
	return fmt.Errorf("format %q, want genie or ha", format)
}

// eachLine calls do with each line that is not blank.
func eachLine(ctx context.Context, in io.Reader, do func(n int, b []byte) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; s.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := do(n, s.Bytes()); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("reading lines: %w", err)
	}
	return nil
}

func genieLines(ctx context.Context, home *Home, lang string, in io.Reader, out io.Writer) error {
	if home == nil {
		return fmt.Errorf("a home is needed: --home HOME.json")
	}
	x, err := Compile(*home)
	if err != nil {
		return fmt.Errorf("compiling the home: %w", err)
	}
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	err = eachLine(ctx, in, func(n int, b []byte) error {
		var l line
		if err := json.Unmarshal(b, &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if l.Lang == "" {
			l.Lang = lang
		}
		c := &Context{Lang: l.Lang, Room: l.Context.SpeakerRoom}
		for _, u := range l.Context.PreviousUtterances {
			c.Previous = x.Read(c, u).Memory
		}
		start := time.Now()
		r := x.Read(c, l.Utterance)
		return e.Encode(lineOf(l.ID, r, time.Since(start)))
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

type haReading struct {
	ID        string         `json:"id,omitempty"`
	Intent    string         `json:"intent,omitempty"`
	Slots     map[string]any `json:"slots"`
	LatencyUS int64          `json:"latency_us"`
}

func haLines(ctx context.Context, home *Home, lang string, in io.Reader, out io.Writer) error {
	var shared *Index
	if home != nil {
		x, err := Compile(*home)
		if err != nil {
			return fmt.Errorf("compiling the home: %w", err)
		}
		shared = x
	}
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	err := eachLine(ctx, in, func(n int, b []byte) error {
		var l struct {
			line
			Context haContext `json:"context"`
		}
		if err := json.Unmarshal(b, &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		x := shared
		if x == nil {
			var err error
			if x, err = Compile(*l.Context.home()); err != nil {
				return fmt.Errorf("line %d: compiling its context: %w", n, err)
			}
		}
		start := time.Now()
		at := l.Lang
		if at == "" {
			at = lang
		}
		r := x.readHAIntent(at, l.Utterance)
		return e.Encode(haReading{ID: l.ID, Intent: r.Intent, Slots: r.Slots, LatencyUS: time.Since(start).Microseconds()})
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func lineOf(id string, r Reading, took time.Duration) lineReading {
	out := lineReading{ID: id, Lang: r.Lang, Outcome: r.Outcome, Actions: []lineAction{}, Candidates: r.Candidates, Reason: r.Reason.Code, Word: r.Reason.Word, Repaired: r.Repaired, LatencyUS: took.Microseconds()}
	for i := range r.Actions {
		a := &r.Actions[i]
		o := lineAction{
			Op: a.Op, Targets: a.Targets, Prop: a.Prop, Service: a.Service, Value: a.Value, Direction: a.Direction, Scene: a.Scene,
			DelaySeconds: a.DelaySeconds, At: a.At, Day: a.Day, Repeat: a.Repeat, Seconds: a.Seconds, Label: a.Label,
		}
		if a.HasAmount {
			o.Amount = &a.Amount
		}
		out.Actions = append(out.Actions, o)
	}
	return out
}
