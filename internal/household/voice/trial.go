package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/product/wording"
	"lampworks/nlu"
	"lampworks/tsl"
)

// Limits of a trial.
const (
	MaxTried     = 50  // sentences
	MaxCanonical = 200 // sentences that are made of a configuration
)

// A TrialRequest asks how a home would understand a product with a voice configuration that need not be published.
type TrialRequest struct {
	Product   string
	Document  json.RawMessage // a configuration; empty: the draft, or the version in force
	Home      string          // id of a home of who's; empty: a home with two rooms, and the product in each
	Sentences []string        // at most MaxTried
}

// How far a sentence came.
const (
	Reached   = "reached"        // it would do, ask or call something of the product
	Elsewhere = "elsewhere"      // of something else
	Ambiguous = "ambiguous"      // it is asked back which device is meant
	Unread    = "not_understood" // neither
)

// A Tried sentence is what understanding makes of it. Nothing of it is done.
type Tried struct {
	Text       string        `json:"text"`
	Lang       string        `json:"lang" doc:"It was read in."`
	About      string        `json:"about,omitempty" doc:"Of sentences that are made: where in the thing model they aim, /properties/ID or /services/ID."`
	Reach      string        `json:"reach" enum:"reached,elsewhere,ambiguous,not_understood" doc:"Whether it comes to the product."`
	Confirm    bool          `json:"confirm,omitempty" doc:"It waits for a yes."`
	Outcome    string        `json:"outcome" enum:"act,clarify,reject,chat"`
	Reason     string        `json:"reason,omitempty"`
	Word       string        `json:"word,omitempty" doc:"That was not understood, or of which there is no such thing."`
	Actions    []TriedAction `json:"actions,omitempty" nullable:"false"`
	Candidates []TriedTarget `json:"candidates,omitempty" nullable:"false" doc:"To choose from, when it is asked back."`
}

// A TriedAction is one thing that a sentence would do.
type TriedAction struct {
	Op        string        `json:"op"`
	Prop      string        `json:"prop,omitempty"`
	Service   string        `json:"service,omitempty"`
	Value     any           `json:"value,omitempty"`
	Direction string        `json:"direction,omitempty"`
	Scene     string        `json:"scene,omitempty"`
	Targets   []TriedTarget `json:"targets,omitempty" nullable:"false"`
}

// A TriedTarget is a device of the home, or a sample of the product.
type TriedTarget struct {
	Device string `json:"device"`
	Name   string `json:"name"`
	Mine   bool   `json:"mine" doc:"It is one of the product."`
}

// A Collision is a word of the configuration that means something else in the home.
type Collision struct {
	Where string `json:"where" doc:"JSON Pointer into the document."`
	Word  string `json:"word"`
	With  string `json:"with" enum:"room,floor,device,scene,product" doc:"What else has it. The names of a home win; what products share is asked back."`
	Name  string `json:"name" doc:"Which one."`
}

// A Trial is what came of a request.
type Trial struct {
	Problems   tsl.Problems
	Warnings   []tsl.Problem
	Sample     bool // the home has no device of the product: there was one for the trial
	Sentences  []Tried
	Canonical  []Tried // made of the configuration and the thing model
	Collisions []Collision
}

// Try reads sentences in a home in which devices of a product are spoken of as a configuration says. Nothing is sent, kept or changed.
func (s *Service) Try(ctx context.Context, who access.Actor, in TrialRequest) (Trial, error) {
	if err := in.check(); err != nil {
		return Trial{}, err
	}
	judged, err := s.c.Products.JudgeVoice(ctx, who, in.Product, in.Document)
	if err != nil {
		return Trial{}, err
	}
	said, err := scene.SpokenOf(ctx, s.c.Products, in.Product)
	if err != nil {
		return Trial{}, err
	}
	out := Trial{Problems: judged.Problems, Warnings: judged.Warnings}
	if said.Model == nil {
		return out, nil
	}
	said.Wording = judged.Document.Ready(0)
	t := &trial{s: s, request: in, said: said, document: &judged.Document, mine: make(map[string]bool), names: make(map[string]string)}
	if err := t.furnish(ctx, who, &out); err != nil {
		return Trial{}, err
	}
	for _, text := range in.Sentences {
		out.Sentences = append(out.Sentences, t.read(text, ""))
	}
	for _, c := range t.canonical() {
		out.Canonical = append(out.Canonical, t.read(c.text, c.about))
	}
	out.Collisions = t.collisions()
	return out, nil
}

func (in *TrialRequest) check() error {
	if len(in.Sentences) > MaxTried {
		return fault.Limit("/sentences", strconv.Itoa(len(in.Sentences)), "at most 50 sentences", 0)
	}
	for i, text := range in.Sentences {
		if text == "" || len(text) > MaxText || !utf8.ValidString(text) {
			return fault.Invalid("/sentences/"+strconv.Itoa(i), text, "1 to 2048 bytes of UTF-8", "")
		}
	}
	return nil
}

// A trial is one request on its way.
type trial struct {
	s        *Service
	request  TrialRequest
	said     scene.Spoken // of the product, with the configuration that is tried
	document *wording.Document

	plan  nlu.Home
	home  *spoken // nil: a sample home
	index *nlu.Index
	mine  map[string]bool     // devices of the product
	names map[string]string   // of devices
	kind  map[string][]string // what a device of the category is called
	room  string              // where the speaker stands: where a device of the product is
}

// furnish makes the home ready, with a sample of the product if it has none.
func (t *trial) furnish(ctx context.Context, who access.Actor, out *Trial) (err error) {
	category, err := t.s.c.Products.Category(ctx, t.request.Product)
	if err != nil {
		return fmt.Errorf("looking up the category of product %s: %w", t.request.Product, err)
	}
	if c, err := product.FindCategory(category); err == nil { // a product of a category that is no longer there has its own words alone
		t.kind = map[string][]string{nlu.Chinese: {c.Names[nlu.Chinese]}, nlu.English: {c.Names[nlu.English]}}
	}
	sample := nlu.Device{Category: category, Names: t.kind, Model: t.said.Model, Voice: t.said.Voice()}
	if t.request.Home == "" {
		t.sampleHome(sample)
	} else {
		if t.home, t.plan, err = t.s.plan(ctx, who, t.request.Home); err != nil {
			return err
		}
		for i := range t.plan.Devices {
			d := &t.plan.Devices[i]
			known := t.home.devices[d.ID]
			t.names[d.ID] = known.Names.In(home.Chinese)
			if known.Product == t.request.Product {
				d.Voice = t.said.Voice()
				t.place(d)
			}
		}
	}
	if len(t.mine) == 0 {
		out.Sample = true
		sample.ID = "sample_device"
		if len(t.plan.Rooms) > 0 {
			sample.Room = t.plan.Rooms[0].ID
		}
		t.plan.Devices = append(t.plan.Devices, sample)
		t.names[sample.ID] = sample.ID
		t.place(&sample)
	}
	if t.index, err = nlu.Compile(t.plan); err != nil {
		return fmt.Errorf("making a home ready for a trial: %w", err)
	}
	return nil
}

// place notes a device of the product. The speaker stands in the room of the first.
func (t *trial) place(d *nlu.Device) {
	if len(t.mine) == 0 {
		t.room = d.Room
	}
	t.mine[d.ID] = true
}

// sampleHome has two rooms with a device of the product in each.
func (t *trial) sampleHome(d nlu.Device) {
	for _, r := range []struct{ id, zh, en string }{{"living_room", "客厅", "living room"}, {"bedroom", "卧室", "bedroom"}} {
		t.plan.Rooms = append(t.plan.Rooms, nlu.Room{ID: r.id, Names: map[string][]string{nlu.Chinese: {r.zh}, nlu.English: {r.en}}})
		d.ID, d.Room = "sample_"+r.id, r.id
		t.plan.Devices = append(t.plan.Devices, d)
		t.names[d.ID] = r.en
		t.place(&d)
	}
}

// read tells what understanding makes of a sentence; about is where it was made for, "" if somebody wrote it.
func (t *trial) read(text, about string) Tried {
	c := nlu.Context{Room: t.room, Careful: true}
	if t.home != nil {
		c.Danger = t.home.dangerous
	}
	r := t.index.Read(&c, text)
	out := Tried{Text: text, Lang: r.Lang, About: about, Outcome: string(r.Outcome), Reason: string(r.Reason.Code), Word: r.Reason.Word, Reach: Unread}
	for i := range r.Actions {
		a := &r.Actions[i]
		act := TriedAction{Op: string(a.Op), Prop: a.Prop, Service: a.Service, Value: a.Value, Direction: a.Direction, Scene: a.Scene, Targets: t.targets(a.Targets)}
		out.Actions = append(out.Actions, act)
	}
	out.Candidates = t.targets(r.Candidates)
	switch {
	case r.Outcome == nlu.Act:
		out.Reach = t.reach(r.Actions, about)
	case r.Reason.Code == nlu.Confirm:
		out.Confirm = true
		out.Reach = t.reach([]nlu.Action{{Op: nlu.OpSet, Prop: r.Reason.Prop, Service: r.Reason.Service, Targets: []string{r.Reason.Device}}}, about)
	case r.Reason.Code == nlu.AmbiguousDevice:
		out.Reach = Ambiguous
	}
	return out
}

// reach says whether actions are the product's; of a sentence that was made, whether they are what it was made for, and nothing else.
func (t *trial) reach(actions []nlu.Action, about string) string {
	hit, missed := false, false
	for i := range actions {
		a := &actions[i]
		aimed := about == "" || about == "/services/"+a.Service || about == "/properties/"+a.Prop
		for _, id := range a.Targets {
			mine := t.mine[id] && aimed
			hit, missed = hit || mine, missed || !mine
		}
		missed = missed || len(a.Targets) == 0
	}
	if hit && !(missed && about != "") {
		return Reached
	}
	return Elsewhere
}

func (t *trial) targets(ids []string) []TriedTarget {
	var out []TriedTarget
	for _, id := range ids {
		out = append(out, TriedTarget{Device: id, Name: t.names[id], Mine: t.mine[id]})
	}
	return out
}

// collisions are the words of the configuration that something in the home has, too.
func (t *trial) collisions() []Collision {
	type other struct{ with, name string }
	has := make(map[string][]other)
	note := func(with, name string, names map[string][]string) {
		for _, list := range names {
			for _, w := range list {
				f := nlu.Folded(w)
				if o := (other{with, name}); !slices.Contains(has[f], o) {
					has[f] = append(has[f], o)
				}
			}
		}
	}
	for _, r := range t.plan.Rooms {
		note("room", label(r.Names), r.Names)
		note("floor", r.Floor, map[string][]string{"": append([]string{r.Floor}, r.FloorAlso...)})
	}
	for i := range t.plan.Devices {
		note("device", label(t.plan.Devices[i].Names), t.plan.Devices[i].Names)
	}
	for _, s := range t.plan.Scenes {
		note("scene", label(s.Names), s.Names)
		note("scene", label(s.Names), s.Phrases)
	}
	t.others(func(category string, words map[string][]string) { note("product", category, words) })
	out := []Collision{}
	t.document.Every(func(where, _, word string) {
		for _, o := range has[nlu.Folded(word)] {
			out = append(out, Collision{where, word, o.with, o.name})
		}
	})
	return out
}

// others calls note with the words of the other products of the home: of their thing models, and of their makers.
func (t *trial) others(note func(category string, words map[string][]string)) {
	seen := make(map[*tsl.Model]bool)
	for i := range t.plan.Devices {
		d := &t.plan.Devices[i]
		if t.mine[d.ID] || seen[d.Model] {
			continue
		}
		seen[d.Model] = true
		words := func(names tsl.Names, aliases map[string][]string) {
			for _, name := range names {
				note(d.Category, map[string][]string{"": {name}})
			}
			note(d.Category, aliases)
		}
		for _, p := range d.Model.Properties() {
			words(p.Names, p.Aliases)
			for _, e := range p.Enum {
				words(e.Names, nil)
			}
		}
		for _, s := range d.Model.Services() {
			words(s.Names, s.Aliases)
		}
		if v := d.Voice; v != nil {
			note(d.Category, v.Names)
			for _, p := range v.Properties {
				note(d.Category, p.Names)
				note(d.Category, p.Raise)
				note(d.Category, p.Lower)
				for _, words := range p.Values {
					note(d.Category, words)
				}
			}
			for _, s := range v.Services {
				note(d.Category, s.Phrases)
			}
		}
	}
}

// label is a name in any language.
func label(names map[string][]string) string {
	for _, lang := range []string{nlu.Chinese, nlu.English} {
		if len(names[lang]) > 0 {
			return names[lang][0]
		}
	}
	return ""
}
