package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/product/wording"
	"lampworks/nlu"
	"lampworks/tsl"
)

// words goes through everything that starts a scene: names, aliases, phrases. where says in which list a word stands.
func (sc *Scene) words(do func(where, lang, word string)) {
	sc.Each(func(lang, name string) { do("/names/"+lang, lang, name) })
	for _, lang := range []string{home.Chinese, home.English} {
		for i, phrase := range sc.Phrases[lang] {
			do(fmt.Sprintf("/phrases/%s/%d", lang, i), lang, phrase)
		}
	}
}

// checkPhrases holds phrases against the rules of names.
func checkPhrases(phrases home.Aliases) (home.Aliases, error) {
	kept := make(home.Aliases)
	for _, lang := range slices.Sorted(maps.Keys(phrases)) {
		where := "/phrases/" + fault.Cut(lang)
		if len(phrases[lang]) > MaxPhrases {
			return nil, fault.Limit(where, fmt.Sprint(len(phrases[lang])), fmt.Sprintf("%d phrases a language", MaxPhrases), 0)
		}
		for i, phrase := range phrases[lang] {
			word, err := home.CheckWord(fmt.Sprintf("%s/%d", where, i), lang, phrase)
			if err != nil {
				return nil, err
			}
			kept[lang] = append(kept[lang], word)
		}
	}
	return kept, nil
}

// clash refuses words that a room or a device of the home has.
func clash(sc *Scene, h *home.Home) error {
	rooms, devices := make(map[string]home.Label), make(map[string]home.Label)
	for i := range h.Rooms {
		h.Rooms[i].Each(func(_, name string) { rooms[home.Fold(name)] = h.Rooms[i].Label })
	}
	for i := range h.Devices {
		h.Devices[i].Each(func(_, name string) { devices[home.Fold(name)] = h.Devices[i].Label })
	}
	if err := sc.taken(rooms, "room"); err != nil {
		return err
	}
	return sc.taken(devices, "device")
}

// taken refuses a scene of which a word is another thing's.
func (sc *Scene) taken(by map[string]home.Label, object string) error {
	var err error
	sc.words(func(where, _, word string) {
		other, is := by[home.Fold(word)]
		if !is || err != nil {
			return
		}
		f := fault.Conflict(where, fmt.Sprintf("the name %q is taken in this home by the %s %q", word, object, nameOf(other)))
		f.Got, f.Fix = word, "choose another name, so that a sentence means one thing"
		err = f
	})
	return err
}

func nameOf(l home.Label) string { return l.Names.In(home.Chinese) }

// checkWords refuses a scene of which a word is a command in the home as it is.
func (s *Service) checkWords(ctx context.Context, h *home.Home, sc *Scene) error {
	plan, _, err := Plan(ctx, s.c.Products, h)
	if err != nil {
		return err
	}
	index, err := nlu.Compile(plan)
	if err != nil {
		return fmt.Errorf("reading the names of a scene in home %s: %w", h.ID, err)
	}
	bare, err := nlu.Compile(nlu.Home{})
	if err != nil {
		return fmt.Errorf("reading the names of a scene: %w", err)
	}
	sc.words(func(where, lang, word string) {
		if err != nil {
			return
		}
		if commands(index, bare, lang, word) {
			f := fault.Conflict(where, fmt.Sprintf("%q is a command already, and would start a scene from now on", word))
			f.Got, f.Fix = word, "choose another name, or send anyway as true if the scene shall come first"
			err = f
		}
	})
	return err
}

// commands says whether a word is a command in the home, or would be one if it had the device: 关灯 where there is no light. What
// only sounds like a part of one (出门, "I'm home") is none: asked back, nobody would be understood.
func commands(index, bare *nlu.Index, lang, word string) bool {
	r := index.Read(&nlu.Context{Lang: lang}, word)
	switch r.Outcome {
	case nlu.Act:
		return true
	case nlu.Clarify:
		return r.Reason.Code == nlu.AmbiguousDevice || r.Reason.Code == nlu.UnknownState
	case nlu.Reject:
		return r.Reason.Code != nlu.NoSuchDevice || bare.Read(&nlu.Context{Lang: lang}, word).Reason.Code == nlu.NoSuchDevice
	case nlu.Chat:
	}
	return false
}

// Spoken is what understanding has of a product: its thing model, nil if it has none, and what its maker says beside it, nil if nothing.
type Spoken struct {
	Model   *tsl.Model
	Wording *wording.Wording
}

// Plan is a home as understanding takes it, without its scenes, and what it has of its products. A device whose product has no model
// cannot be spoken to and is left out, as is one that is hidden.
func Plan(ctx context.Context, products *product.Service, h *home.Home) (plan nlu.Home, byProduct map[string]Spoken, err error) {
	byProduct = make(map[string]Spoken)
	for i := range h.Rooms {
		r := &h.Rooms[i]
		room := nlu.Room{ID: r.ID, Names: r.All(), Floor: r.Floor[home.Chinese]}
		if also := r.Floor[home.English]; also != "" {
			room.FloorAlso = []string{also}
		}
		plan.Rooms = append(plan.Rooms, room)
	}
	categories := make(map[string]string)
	for i := range h.Devices {
		d := &h.Devices[i]
		said, seen := byProduct[d.Product]
		if !seen {
			if said, err = SpokenOf(ctx, products, d.Product); err != nil {
				return plan, nil, err
			}
			byProduct[d.Product] = said
			if categories[d.Product], err = products.Category(ctx, d.Product); err != nil && said.Model != nil {
				return plan, nil, fmt.Errorf("looking up the category of product %s: %w", d.Product, err)
			}
		}
		if said.Model != nil && !d.Hidden {
			plan.Devices = append(plan.Devices, nlu.Device{ID: d.ID, Room: d.Room, Category: categories[d.Product], Names: d.All(), Model: said.Model, Voice: said.Voice()})
		}
	}
	return plan, byProduct, nil
}

// SpokenOf is what understanding has of a product now. As long as nothing is published the pointers stay the same.
func SpokenOf(ctx context.Context, products *product.Service, id string) (said Spoken, err error) {
	if said.Model, err = products.Model(ctx, id); err != nil && !fault.Is(err, fault.Missing) {
		return Spoken{}, fmt.Errorf("opening the thing model of product %s: %w", id, err)
	}
	if said.Wording, err = products.Wording(ctx, id); err != nil && !fault.Is(err, fault.Missing) {
		return Spoken{}, fmt.Errorf("opening the voice configuration of product %s: %w", id, err)
	}
	return said, nil
}

// Voice is what the maker says beside the model, nil if nothing.
func (s Spoken) Voice() *nlu.Voice {
	if s.Wording == nil {
		return nil
	}
	return s.Wording.Voice
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil || string(b) == "null" {
		return "{}"
	}
	return string(b)
}
