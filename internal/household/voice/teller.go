package voice

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lampworks/nlu"
	"lampworks/tsl"
)

const (
	maxNamed   = 3  // devices named one by one; of more, one and the number
	maxClauses = 4  // things told one by one
	maxQuoted  = 40 // characters of foreign words in a reply
)

// A teller puts things into the words of one language.
type teller struct {
	catalogue
	lang       string
	home       *spoken
	candidates []string
	last       string // devices spoken of last, for "it"
}

// name is what a device is called, with its room.
func (w *teller) name(id string) string {
	d := w.home.devices[id]
	name := d.Names.In(w.lang)
	room := w.home.rooms[d.Room]
	if room == nil {
		return w.say(namesPlain, "name", name)
	}
	in := room.Names.In(w.lang)
	if strings.HasPrefix(strings.ToLower(name), strings.ToLower(in)) { // 客厅灯 in 客厅
		return w.say(namesPlain, "name", name)
	}
	return w.say(namesInRoom, "room", in, "name", name)
}

// names lists devices.
func (w *teller) names(ids []string) string {
	if len(ids) > maxNamed {
		return w.say(namesMore, "first", w.name(ids[0]), "n", strconv.Itoa(len(ids)), "others", strconv.Itoa(len(ids)-1))
	}
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = w.name(id)
	}
	return w.list(all, wordAnd)
}

// list joins words: "a", "a and b", "a, b and c".
func (w *teller) list(all []string, last phrase) string {
	n := len(all)
	if n < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:n-1], w.say(wordList)) + w.say(last) + all[n-1]
}

// about says something of devices. The same device again is "it".
func (w *teller) about(p phrase, ids []string, with ...string) string {
	key := strings.Join(ids, " ")
	names, plural := w.names(ids), len(ids) > 1
	if key == w.last && !plural {
		names = w.say(namesIt)
	}
	w.last = key
	return w.say(p, append(with, append(verbs(plural), "names", names)...)...)
}

// verbs are the English forms that follow the number of devices; phrases in
// Chinese do not use them.
func verbs(plural bool) []string {
	if plural {
		return []string{"is", "are", "was", "were", "has", "have", "does", "do"}
	}
	return []string{"is", "is", "was", "was", "has", "has", "does", "does"}
}

// what names a property: by its meaning, else as its model names it.
func (w *teller) what(m nlu.Meaning, p *tsl.Property) string {
	if said, ok := w.catalogue[whatPrefix+phrase(m)]; ok && m != "" {
		return said
	}
	if p != nil {
		if words := w.home.called[p][w.lang]; len(words) > 0 {
			return words[0]
		}
		if name := p.Names[w.lang]; name != "" {
			return quoted(name)
		}
		if p.Name != "" {
			return quoted(p.Name)
		}
	}
	return w.say(whatThis)
}

// service names a service of a device, in quotation marks where its name is not known in the language.
func (w *teller) service(device, id string) string {
	d := w.home.devices[device]
	if d == nil || w.home.model(d.Product) == nil {
		return quoted(id)
	}
	if words := w.home.said[d.Product].Wording.Phrases(id, w.lang); len(words) > 0 {
		return words[0]
	}
	s, ok := w.home.model(d.Product).Service(id)
	switch {
	case !ok:
		return quoted(id)
	case s.Names[w.lang] != "":
		return quoted(s.Names[w.lang])
	}
	return quoted(s.Name)
}

// reported says the value that a device reports, or was sent, for what an action is about.
func (w *teller) reported(a nlu.Action, device string, raw json.RawMessage) (said string, ok bool) {
	p := w.home.property(device, a.Prop)
	if a.Meaning == nlu.Colour && p != nil && p.Type != tsl.Text {
		return w.mixed(a.Prop, device, p, raw)
	}
	return w.value(a.Meaning, p, raw)
}

// mixed says a colour that is a number or a struct: by name if it is one of
// those that understanding writes, else as a number.
func (w *teller) mixed(prop, device string, p *tsl.Property, raw json.RawMessage) (string, bool) {
	for _, key := range w.colours() {
		name := strings.TrimPrefix(string(key), string(colourPrefix))
		params, why := w.home.index.Params(set(prop, name), device, nil)
		var wire map[string]json.RawMessage
		if why.Code == "" && json.Unmarshal(params, &wire) == nil && equal(wire[prop], raw) {
			return w.say(key), true
		}
	}
	if n, ok := number(raw); ok && p.Type == tsl.Int {
		return fmt.Sprintf("#%06x", int64(n)), true
	}
	return "", false
}

func set(prop, value string) nlu.Action {
	return nlu.Action{Op: nlu.OpSet, Prop: prop, Meaning: nlu.Colour, Value: value}
}

func (w *teller) colours() []phrase {
	var all []phrase
	for key := range w.catalogue {
		if strings.HasPrefix(string(key), string(colourPrefix)) {
			all = append(all, key)
		}
	}
	return all
}

// mode says the name of a mode as such: 制冷 is 制冷模式 where one goes on about it.
func (w *teller) mode(name string) string {
	before, after, _ := strings.Cut(w.catalogue[valueMode], "{n}")
	if strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && before+after != "" {
		return name
	}
	return w.say(valueMode, "n", name)
}

// value says a value as it stands on the wire. ok is false when there are no
// words for it.
func (w *teller) value(m nlu.Meaning, p *tsl.Property, raw json.RawMessage) (said string, ok bool) {
	if p == nil {
		return "", false
	}
	n, isNumber := number(raw)
	switch p.Type {
	case tsl.Bool:
		return w.truth(m, n != 0), isNumber
	case tsl.Enum:
		for i := range p.Enum {
			if isNumber && p.Enum[i].Value == int64(n) {
				return w.enum(&p.Enum[i]), true
			}
		}
	case tsl.Int, tsl.Float, tsl.Double:
		if isNumber && m == nlu.Position && p.HasRange && (n == p.Min || n == p.Max) {
			if n == p.Min {
				return w.say(valueClosed), true
			}
			return w.say(valueOpen), true
		}
		return w.number(n, p.Unit), isNumber
	case tsl.Text:
		var s string
		if json.Unmarshal(raw, &s) == nil && s != "" {
			if m == nlu.Colour {
				return w.colour(s), true
			}
			return quoted(s), true
		}
	}
	return "", false
}

func (w *teller) truth(m nlu.Meaning, on bool) string {
	yes, no := valueYes, valueNo
	switch m {
	case nlu.Power, nlu.Swing, nlu.Mute, nlu.ChildLock:
		yes, no = valueOn, valueOff
	case nlu.Contact:
		yes, no = valueOpen, valueClosed
	}
	if on {
		return w.say(yes)
	}
	return w.say(no)
}

func (w *teller) enum(e *tsl.EnumValue) string {
	if words := w.home.valued[e][w.lang]; len(words) > 0 {
		return words[0]
	}
	if name := e.Names[w.lang]; name != "" {
		return quoted(name)
	}
	return w.colour(e.Name)
}

// colour says the name of a colour; other words stay what they are.
func (w *teller) colour(name string) string {
	if said, ok := w.catalogue[colourPrefix+phrase(strings.ToLower(name))]; ok {
		return said
	}
	return quoted(name)
}

func (w *teller) number(n float64, unit string) string {
	said := strconv.FormatFloat(n, 'f', -1, 64)
	if len(said) > 12 {
		said = strconv.FormatFloat(n, 'g', 6, 64)
	}
	switch unit {
	case "":
		return said
	case "%":
		return w.say(valuePercent, "n", said)
	case "°C", "℃", "C":
		return w.say(valueCelsius, "n", said)
	}
	return w.say(valueUnit, "n", said, "unit", quoted(unit))
}

// asked says the value that an action sets, as understanding gave it.
func (w *teller) asked(a nlu.Action, p *tsl.Property) (string, bool) {
	switch v := a.Value.(type) {
	case bool:
		return w.truth(a.Meaning, v), true
	case int64:
		return w.number(float64(v), unitOf(a, p)), true
	case int:
		return w.number(float64(v), unitOf(a, p)), true
	case float64:
		return w.number(v, unitOf(a, p)), true
	case string:
		if p != nil {
			for i := range p.Enum {
				if p.Enum[i].Name == v {
					return w.enum(&p.Enum[i]), true
				}
			}
		}
		return w.colour(v), v != ""
	}
	return "", false
}

func unitOf(a nlu.Action, p *tsl.Property) string {
	if p != nil && p.Unit != "" {
		return p.Unit
	}
	return a.Unit
}

// sentence puts clauses of what went well and of what did not into one.
func (w *teller) sentence(good, bad []string, ok bool) string {
	text := strings.Join(good, w.say(wordClause))
	if ok && len(good) > 0 && len(bad) == 0 {
		text = w.say(wordOK, "text", text)
	}
	if len(good) > 0 && len(bad) > 0 {
		text += w.say(wordBut)
	}
	return w.capital(text + strings.Join(bad, w.say(wordBut)) + w.say(wordEnd))
}

// capital begins a sentence with a capital letter, where the script has any.
func (w *teller) capital(s string) string {
	if w.lang != nlu.English {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// quoted makes foreign words fit to be shown and said: no control or hidden
// characters, and not endless.
func quoted(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		if r != ' ' && !unicode.IsGraphic(r) {
			continue
		}
		if n++; n > maxQuoted {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
