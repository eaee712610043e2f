package voice

import (
	"fmt"
	"strconv"

	"lampworks/nlu"
	"lampworks/tsl"
)

// A made sentence aims at a property or service: about is its place in the thing model.
type made struct{ text, about string }

// forms are how sentences are made in a language: %[1]s is the device, %[2]s the property or service, %[3]s the value.
type forms struct {
	on, off          string // of a property that is a switch
	power, powerless string // of the device itself
	set, ask         string
	change           string // %[2]s is the verb
	does             string // %[3]s is what a machine does
	mute             string
	red              string
	call             string // the phrases of a maker are said alone, too
}

var canonicalForms = map[string]forms{
	nlu.Chinese: {
		on: "打开%[1]s的%[2]s", off: "关闭%[1]s的%[2]s", power: "打开%[1]s", powerless: "关闭%[1]s",
		set: "把%[1]s的%[2]s调到%[3]s", ask: "%[1]s的%[2]s是多少", change: "%[1]s%[2]s", call: "%[1]s%[2]s", does: "%[1]s%[3]s", mute: "%[1]s静音", red: "红色",
	},
	nlu.English: {
		on: "turn on the %[2]s of the %[1]s", off: "turn off the %[2]s of the %[1]s", power: "turn on the %[1]s", powerless: "turn off the %[1]s",
		set: "set the %[2]s of the %[1]s to %[3]s", ask: "what is the %[2]s of the %[1]s", change: "%[2]s for the %[1]s", call: "%[1]s, %[2]s", mute: "mute the %[1]s", red: "red",
	},
}

// canonical are sentences in both languages that people would say to the product: at most MaxCanonical, as many of either language.
func (t *trial) canonical() []made {
	var out []made
	for _, lang := range []string{nlu.Chinese, nlu.English} {
		all := t.sentences(lang)
		out = append(out, all[:min(len(all), MaxCanonical/2)]...)
	}
	return out
}

// sentences are those of one language. The first name of the product stands in all, the others once each.
func (t *trial) sentences(lang string) (out []made) {
	voice := t.said.Voice()
	names := voice.Names[lang]
	if len(names) == 0 {
		names = t.ownNames(lang)
	}
	if len(names) == 0 {
		return nil
	}
	form, device := canonicalForms[lang], names[0]
	for _, p := range t.said.Model.Properties() {
		about, said := "/properties/"+p.Identifier, voice.Properties[p.Identifier]
		say := func(text string, args ...any) {
			if text == "" {
				return
			}
			out = append(out, made{fmt.Sprintf(text, append([]any{device}, args...)...), about})
		}
		if nlu.MeaningOf(p) == nlu.Power && p.Type == tsl.Bool {
			for _, name := range names {
				out = append(out, made{fmt.Sprintf(form.power, name), about}, made{fmt.Sprintf(form.powerless, name), about})
			}
			continue
		}
		for _, word := range spokenAs(said.Names[lang], p.Names[lang], p.Aliases[lang]) {
			form.property(p, said.Values, lang, word, say)
		}
		for _, verb := range append(append([]string{}, said.Raise[lang]...), said.Lower[lang]...) {
			say(form.change, verb)
		}
	}
	for _, s := range t.said.Model.Services() {
		about, phrases := "/services/"+s.Identifier, voice.Services[s.Identifier].Phrases[lang]
		for _, word := range spokenAs(phrases, s.Names[lang], s.Aliases[lang]) {
			out = append(out, made{fmt.Sprintf(form.call, device, word), about})
		}
		for _, phrase := range phrases {
			out = append(out, made{phrase, about})
		}
	}
	return out
}

// property makes the sentences of a property by one of its words.
func (f *forms) property(p *tsl.Property, values map[int64]map[string][]string, lang, word string, say func(text string, args ...any)) {
	meaning := nlu.MeaningOf(p)
	switch {
	case !p.Writable && p.Readable:
		say(f.ask, word)
	case !p.Writable:
	case meaning == nlu.Mute:
		say(f.mute)
	case meaning == nlu.Colour:
		say(f.set, word, f.red)
	case p.Type == tsl.Bool:
		say(f.on, word)
		say(f.off, word)
	case p.Type == tsl.Enum:
		form := f.set
		if (meaning == nlu.Work || meaning == nlu.Playback || meaning == nlu.Position) && len(values) == 0 {
			form = f.does
		}
		for _, e := range p.Enum {
			for _, value := range spokenAs(values[e.Value][lang], e.Names[lang], nil) {
				say(form, word, value)
			}
		}
	case p.HasRange && (p.Type == tsl.Int || p.Type == tsl.Float || p.Type == tsl.Double):
		say(f.set, word, middle(p))
	}
}

// spokenAs are the words that a sentence is made with: a maker's, else those of the model.
func spokenAs(words []string, name string, aliases []string) []string {
	if len(words) > 0 {
		return words
	}
	if name == "" {
		return nil
	}
	return append([]string{name}, aliases...)
}

// middle is a value of a number that is allowed, about the middle of its range.
func middle(p *tsl.Property) string {
	n := p.Min
	if p.Step > 0 {
		n += float64(int64((p.Max-p.Min)/2/p.Step)) * p.Step
	} else {
		n = float64(int64((p.Min + p.Max) / 2))
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// ownNames are what the first device of the product is called in the home, or else a device of its category.
func (t *trial) ownNames(lang string) []string {
	for i := range t.plan.Devices {
		if d := &t.plan.Devices[i]; t.mine[d.ID] && len(d.Names[lang]) > 0 {
			return d.Names[lang]
		}
	}
	return t.kind[lang]
}
