package wording

import (
	"slices"
	"strconv"
	"strings"

	"lampworks/nlu"
	"lampworks/tsl"
)

// Check holds a document against the thing model and category of its product. problems keep it from being published; warnings do not:
// they say what a word will not do, or do beside. everyday is a home in which words must not mean anything: one device of each category,
// whose id is the category's name.
func Check(d *Document, model *tsl.Model, category string, everyday *nlu.Index) (problems tsl.Problems, warnings []tsl.Problem) {
	c := &checker{model: model, everyday: everyday, category: category, kind: nlu.CategoryKey(category), mine: map[string]string{}}
	c.names(d.Names)
	for _, id := range sorted(d.Properties) {
		p := d.Properties[id]
		c.property("/properties"+pointer(id), id, &p)
	}
	for _, id := range sorted(d.Services) {
		c.service("/services"+pointer(id), id, d.Services[id].Phrases)
	}
	for _, id := range sorted(d.Replies) {
		c.reply("/replies"+pointer(id), id, d.Replies[id])
	}
	return c.problems, c.warnings
}

type checker struct {
	model    *tsl.Model
	everyday *nlu.Index
	category string
	kind     string            // of device, "" if understanding knows none
	mine     map[string]string // folded word → where it stands
	problems tsl.Problems
	warnings []tsl.Problem
}

func (c *checker) add(at, got, rule, fix string) {
	c.problems = append(c.problems, tsl.Problem{Path: at, Got: got, Rule: rule, Fix: fix})
}

func (c *checker) warn(at, got, rule, fix string) {
	c.warnings = append(c.warnings, tsl.Problem{Path: at, Got: got, Rule: rule, Fix: fix})
}

// each calls check with every word that no other thing of the product has, and with what the vocabulary takes it for.
func (c *checker) each(at string, words Words, check func(at, word string, uses []nlu.Use)) {
	for _, lang := range languages {
		for i, w := range words[lang] {
			where := at + pointer(lang) + "/" + index(i)
			folded := nlu.Folded(w)
			first, twice := c.mine[folded]
			if twice {
				c.add(where, strconv.Quote(w), "a word that means one thing of the product", "it stands at "+first+" already: choose another word")
				continue
			}
			c.mine[folded] = where
			check(where, w, nlu.Uses(w))
		}
	}
}

// taken notes that a word means something else already.
func (c *checker) taken(at, word string, u nlu.Use) {
	rule := "a word that the vocabulary does not have as " + u.Kind + " " + u.Key
	c.add(at, strconv.Quote(word), rule, "choose another word: this one would no longer mean what everybody means by it")
}

func (c *checker) names(words Words) {
	c.each("/names", words, func(at, word string, uses []nlu.Use) {
		for _, u := range uses {
			if u.Kind != "type" || u.Key != c.kind {
				c.taken(at, word, u)
				return
			}
		}
		if len(uses) > 0 {
			c.warn(at, strconv.Quote(word), "a word that is not understood for the category already", "leave it out, it changes nothing")
		}
		c.spoken(at, word)
	})
}

func (c *checker) property(at, id string, p *Property) {
	t, ok := c.model.Property(id)
	if !ok {
		c.add(at, "not a property of the thing model", "one of "+strings.Join(propertyIDs(c.model), ", "), "leave it out, or publish a version of the thing model that has it")
		return
	}
	c.each(at+"/names", p.Names, func(at, word string, uses []nlu.Use) { c.propertyWord(at, word, t, uses) })
	c.values(at+"/values", t, p.Values)
	if p.Verbs != nil {
		number := t.Writable && (t.Type == tsl.Int || t.Type == tsl.Float || t.Type == tsl.Double)
		if !number {
			c.add(at+"/verbs", "not a number that can be set", "a number that can be set in the thing model", "leave it out")
			return
		}
		c.each(at+"/verbs/raise", p.Verbs.Raise, c.free)
		c.each(at+"/verbs/lower", p.Verbs.Lower, c.free)
	}
}

func (c *checker) values(at string, t *tsl.Property, values map[string]Words) {
	if len(values) > 0 && t.Type != tsl.Enum {
		c.add(at, "not an enum", "an enum in the thing model", "leave it out")
		return
	}
	for _, key := range sorted(values) {
		where := at + pointer(key)
		n, ok := enumKey(key)
		if !ok || !slices.ContainsFunc(t.Enum, func(e tsl.EnumValue) bool { return e.Value == n }) {
			c.add(where, "not a value of the thing model", "one of "+strings.Join(enumKeys(t), ", "), "name values by the number that the thing model gives them")
			continue
		}
		c.each(where, values[key], c.valueWord)
	}
}

// propertyWord: a word for a property may be one of the vocabulary, which then says what the property is about.
func (c *checker) propertyWord(at, word string, t *tsl.Property, uses []nlu.Use) {
	meaning := nlu.MeaningOf(t)
	for _, u := range uses {
		if u.Kind != "property" || meaning != "" && about(u.Key) != about(string(meaning)) {
			c.taken(at, word, u)
			return
		}
	}
	c.spoken(at, word)
}

// about is what a property is about, whether it is measured or wished.
func about(meaning string) string { return strings.TrimPrefix(meaning, "target_") }

func (c *checker) valueWord(at, word string, uses []nlu.Use) {
	for _, u := range uses {
		if u.Kind != "value" {
			c.taken(at, word, u)
			return
		}
	}
	c.spoken(at, word)
}

// free: the word has no meaning yet.
func (c *checker) free(at, word string, uses []nlu.Use) {
	if len(uses) > 0 {
		c.taken(at, word, uses[0])
		return
	}
	c.spoken(at, word)
}

// doing are the verbs of the vocabulary that a service may be called by.
var doing = []string{"start", "resume", "clean", "mow", "stop", "pause", "dock"}

func (c *checker) service(at, id string, phrases Words) {
	if _, ok := c.model.Service(id); !ok {
		c.add(at, "not a service of the thing model", "one of "+strings.Join(serviceIDs(c.model), ", "), "leave it out, or publish a version of the thing model that has it")
		return
	}
	c.each(at+"/phrases", phrases, func(at, word string, uses []nlu.Use) {
		for _, u := range uses {
			if u.Kind != "verb" || !slices.Contains(doing, u.Key) {
				c.taken(at, word, u)
				return
			}
		}
		c.spoken(at, word)
	})
}

// spoken reads a word as if it were a sentence, or a part of one: what is said to something else must not come to mean the product.
func (c *checker) spoken(at, word string) {
	r := c.everyday.Read(nil, word)
	uses, unknown := c.everyday.Uses(word)
	common := unknown == 0 && len(nlu.Uses(word)) == 0 // it is made of everybody's words alone
	if !common && r.Outcome != nlu.Act {
		return
	}
	if i := slices.IndexFunc(uses, func(u nlu.Use) bool { return u.Kind == "type" && u.Key != c.kind }); i >= 0 {
		c.add(at, strconv.Quote(word), "a word that is no command to other devices", "choose another word: this one speaks to a device of the kind "+uses[i].Key)
		return
	}
	if i := slices.IndexFunc(uses, claims); common && i >= 0 {
		c.add(at, strconv.Quote(word), "a word that people do not say to everything", "choose another word: the vocabulary has all of this one, as "+uses[i].Kind+" "+uses[i].Key)
		return
	}
	for _, a := range r.Actions {
		for _, other := range a.Targets {
			if other != c.category {
				c.warn(at, strconv.Quote(word), "a word that other devices do not act on", "where a home has a device of the category "+other+", say which is meant: the words of this product come first")
				return
			}
		}
	}
}

// claims reports whether a part of a word is what is said to anything: verbs (打开), directions (亮一点), rooms, all of them.
func claims(u nlu.Use) bool {
	switch u.Kind {
	case "verb":
		return !slices.Contains(doing, u.Key)
	case "direction", "room":
		return true
	case "word":
		return slices.Contains([]string{"all", "both", "thing", "house", "other", "here", "it"}, u.Key)
	}
	return false
}

func (c *checker) reply(at, id string, r Reply) {
	p, property := c.model.Property(id)
	s, service := c.model.Service(id)
	if !property && !service {
		c.add(at, "neither a property nor a service of the thing model", "one of "+strings.Join(append(propertyIDs(c.model), serviceIDs(c.model)...), ", "), "leave it out")
		return
	}
	if property && !p.Writable {
		c.add(at, "a property that is only read", "a property that can be set, or a service", "leave it out")
		return
	}
	if service && len(s.Input) == 0 {
		for _, lang := range sorted(r.Done) {
			if strings.Contains(r.Done[lang], SlotValue) {
				c.add(at+"/done"+pointer(lang), strconv.Quote(r.Done[lang]), "no {value}: the service takes none", "leave {value} out")
			}
		}
	}
}

func propertyIDs(m *tsl.Model) (ids []string) {
	for _, p := range m.Properties() {
		ids = append(ids, p.Identifier)
	}
	return few(ids)
}

func serviceIDs(m *tsl.Model) (ids []string) {
	for _, s := range m.Services() {
		ids = append(ids, s.Identifier)
	}
	return few(ids)
}

func enumKeys(t *tsl.Property) (keys []string) {
	for _, e := range t.Enum {
		keys = append(keys, strconv.FormatInt(e.Value, 10))
	}
	return few(keys)
}

// few are the first of many.
func few(all []string) []string {
	if len(all) > 20 {
		return append(all[:20:20], "…")
	}
	return all
}
