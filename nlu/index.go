package nlu

import (
	"fmt"
	"slices"
	"strings"

	"lampworks/tsl"
)

// Index is a compiled home. It is immutable.
type Index struct {
	v        *vocabulary
	rooms    []roomEntry
	devices  []deviceEntry
	scenes   []sceneEntry
	floors   []floorEntry
	names    *trie
	sounds   *trie
	byID     map[string]int32
	values   names
	ownProps names
	worded   map[int32]bool // meanings of this home's models alone whose values are words
	calls    names          // words that call services of this home's models
	spelling []string       // English words of names
}

type roomEntry struct {
	id    string
	label string  // first name as given
	floor int32   // -1 none
	kinds []int32 // by its names: bedroom
}

// roomsOf are the rooms of a kind.
func (x *Index) roomsOf(kind int32) []int32 {
	var out []int32
	if x == nil {
		return nil
	}
	for i := range x.rooms {
		if slices.Contains(x.rooms[i].kinds, kind) {
			out = append(out, int32(i))
		}
	}
	return out
}

// sceneEntry is one scene; value is what its name would be as a mode of a device + 1: 睡眠模式.
type sceneEntry struct {
	id    string
	label string
	value int32
}

type floorEntry struct {
	words []string // every name it has
	name  string
	rooms []int32
}

// deviceEntry is one device; props are in the order of the model.
type deviceEntry struct {
	id       string
	label    string  // first name as given
	raw      string  // category as given
	room     int32   // -1 none
	category int32   // -1 unknown
	called   []int32 // kinds of device that its names say it is
	props    []prop
	services []service
	confirm  *Voice // whose maker wants some acts confirmed; may be nil
}

// property is the property that the model calls id, nil if there is none.
func (d *deviceEntry) property(id string) *prop {
	for i := range d.props {
		if d.props[i].id == id {
			return &d.props[i]
		}
	}
	return nil
}

// kind is how a property is written.
type kind uint8

const (
	kindOther kind = iota
	kindBool
	kindInt
	kindFloat
	kindEnum
	kindText
	kindStruct
)

// prop is a property of a model with its meaning.
type prop struct {
	id       string
	names    [][]rune // what the model calls it, beside what the vocabulary does
	meaning  int32
	kind     kind
	readable bool
	writable bool
	hasRange bool
	min, max float64
	step     float64
	unit     string
	enum     []enumEntry
	fields   []*tsl.Property
}

type enumEntry struct {
	name  string
	value int64
	code  int32   // code of a value, -1 unknown
	also  []int32 // codes of words of the vocabulary that its maker has for it, beside
	plain int32   // the same by what the model says alone: dangers are judged by it
	words [][]rune
}

// called reports whether the value is called w in some language.
func (e *enumEntry) called(w string) bool {
	return slices.ContainsFunc(e.words, func(word []rune) bool { return string(word) == w })
}

// ownMeaning is the first code of meanings that only this home's models have.
const ownMeaning = 1 << 20

func (x *Index) meaning(code int32) Meaning {
	if code >= ownMeaning {
		return Meaning("own:" + x.ownProps.list[code-ownMeaning])
	}
	if code >= 0 && int(code) < len(x.v.meanings.list) {
		return Meaning(x.v.meanings.list[code])
	}
	return ""
}

// Compile builds the index of a home, in milliseconds. An error names what is wrong with the home.
func Compile(h Home) (*Index, error) {
	if len(h.Devices) > MaxDevices {
		return nil, fmt.Errorf("the home has %d devices, want at most %d", len(h.Devices), MaxDevices)
	}
	b := builder{x: &Index{v: vocab(), byID: map[string]int32{}, worded: map[int32]bool{}}, models: map[spokenModel][]prop{}, callable: map[spokenModel][]service{}, rooms: map[string]int32{}}
	b.reserve(&h)
	x := b.x
	x.names, x.sounds = newTrie(40*len(h.Devices)+256), newTrie(40*len(h.Devices)+256)
	for _, r := range h.Rooms {
		if err := b.room(r); err != nil {
			return nil, err
		}
	}
	for _, name := range h.floors {
		b.floor([]string{name})
	}
	for _, d := range h.Devices {
		if err := b.device(d); err != nil {
			return nil, err
		}
	}
	for _, s := range h.Scenes {
		if err := b.scene(s); err != nil {
			return nil, err
		}
	}
	x.names.fit()
	x.sounds.fit()
	return x, nil
}

type builder struct {
	x        *Index
	models   map[spokenModel][]prop
	callable map[spokenModel][]service
	rooms    map[string]int32
	meant    map[int32]bool  // own meanings of the model that is being read
	taken    map[string]bool // words of the home itself, which no maker's word takes away; nil where no maker has any
}

// each calls do with every folded name; what is too long or too many is an error.
func (b *builder) each(what, id string, names map[string][]string, do func(lang string, word []rune)) error {
	for _, lang := range sortedKeys(names) {
		if len(names[lang]) > MaxNames {
			return fmt.Errorf("%s %s has %d names in %s, want at most %d", what, id, len(names[lang]), lang, MaxNames)
		}
		for _, n := range names[lang] {
			w := fold(n)
			if len(w) > MaxNameRunes {
				return fmt.Errorf("%s %s has a name of %d characters, want at most %d", what, id, len(w), MaxNameRunes)
			}
			if len(w) > 0 {
				do(lang, w)
			}
		}
	}
	return nil
}

func (b *builder) add(word []rune, s sense) {
	b.x.names.add(word, s)
	if language(word) == Chinese {
		addSounds(b.x.sounds, word, s, false)
		return
	}
	if n := len(word); n > 2 && word[n-1] != 's' && !(s.class == cDevice && b.inRoom(word)) {
		b.x.names.add(plural(word), s)
	}
	b.x.spelling = spellings(b.x.spelling, word)
}

// inRoom reports whether a name begins with a room's: "kitchen lights" are the lights of the kitchen, not the device
// Kitchen Light twice.
func (b *builder) inRoom(word []rune) bool {
	var n uint32
	for i, r := range word {
		if n = b.x.names.next(n, r); n == 0 {
			return false
		}
		if b.x.names.nodes[n].mask.has(cRoom) && i+1 < len(word) && word[i+1] == ' ' {
			return true
		}
	}
	return false
}

func (b *builder) room(r Room) error {
	x := b.x
	if _, twice := b.rooms[r.ID]; twice || r.ID == "" {
		return fmt.Errorf("room %q is given twice or has no id", r.ID)
	}
	n := int32(len(x.rooms))
	b.rooms[r.ID] = n
	e := roomEntry{id: r.ID, label: label(r.Names, r.ID), floor: -1}
	if words := r.floorWords(); len(words) > 0 {
		e.floor = b.floor(words)
		x.floors[e.floor].rooms = append(x.floors[e.floor].rooms, n)
	}
	x.rooms = append(x.rooms, e)
	s := sense{class: cRoom, code: n}
	return b.each("room", r.ID, r.Names, func(_ string, w []rune) {
		b.add(w, s)
		if k := b.ends(w, cPlace); k >= 0 {
			for _, k := range []int32{k, x.v.wider(k)} {
				if !slices.Contains(x.rooms[n].kinds, k) {
					x.rooms[n].kinds = append(x.rooms[n].kinds, k)
				}
			}
		}
		for _, v := range roomVariants(w) {
			b.add(v, s)
		}
	})
}

// label is the first name of a thing in any language, or its id.
func label(names map[string][]string, id string) string {
	for _, lang := range sortedKeys(names) {
		if len(names[lang]) > 0 {
			return names[lang][0]
		}
	}
	return id
}

// roomVariants are other common forms of a room's name: 主卧室 for 主卧.
func roomVariants(w []rune) [][]rune {
	n := len(w)
	if n < 2 || !isHan(w[n-1]) {
		return nil
	}
	with := func(cut int, tail string) []rune { return append(append([]rune{}, w[:n-cut]...), []rune(tail)...) }
	switch {
	case w[n-1] == '卧':
		return [][]rune{with(0, "室")}
	case hasAt(w, n-2, "卧室") && n > 2:
		return [][]rune{with(1, "")}
	case w[n-1] == '房' && n > 2:
		return [][]rune{with(0, "间")}
	case hasAt(w, n-2, "房间") && n > 2:
		return [][]rune{with(1, "")}
	}
	return nil
}

// floorWords are the names of a room's floor, none if it has none.
func (r *Room) floorWords() []string {
	if r.Floor == "" {
		return r.FloorAlso
	}
	return append([]string{r.Floor}, r.FloorAlso...)
}

// floor finds a floor by one of its names or makes it, and learns those that are new.
func (b *builder) floor(names []string) int32 {
	x := b.x
	n := int32(slices.IndexFunc(x.floors, func(f floorEntry) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(f.words, name) })
	}))
	if n < 0 {
		n = int32(len(x.floors))
		x.floors = append(x.floors, floorEntry{name: names[0]})
	}
	for _, name := range names {
		if !slices.Contains(x.floors[n].words, name) {
			x.floors[n].words = append(x.floors[n].words, name)
			b.floorWord(fold(name), sense{class: cFloor, code: n})
		}
	}
	return n
}

func (b *builder) floorWord(w []rune, s sense) {
	switch {
	case len(w) == 1 && hanDigit(w[0]) > 0: // the floor "二" is spoken of as 二楼
		b.add([]rune(string(w)+"楼"), s)
		b.add([]rune(string(w)+"层"), s)
	case len(w) > 0:
		b.add(w, s)
	}
}

func (b *builder) scene(s Scene) error {
	x := b.x
	n := int32(len(x.scenes))
	if s.ID == "" {
		return fmt.Errorf("scene %d has no id", n)
	}
	x.scenes = append(x.scenes, sceneEntry{id: s.ID, label: label(s.Names, s.ID)})
	err := b.each("scene", s.ID, s.Names, func(_ string, w []rune) {
		b.add(w, sense{class: cScene, code: n})
		if rest, ok := strings.CutPrefix(string(w), "i am "); ok {
			b.add([]rune("i'm "+rest), sense{class: cScene, code: n})
		}
		if c, ok := x.v.lookup(trimMode(string(w)), cValue); ok {
			x.scenes[n].value = c + 1
		}
	})
	if err != nil {
		return err
	}
	return b.each("scene", s.ID, s.Phrases, func(_ string, w []rune) {
		for _, v := range phraseVariants(w) {
			b.add(v, sense{class: cPhrase, code: n})
		}
	})
}

// phraseVariants are a phrase and what is said for it as well: of 我出门了, 我要出门了 and 出门啦. Who says that they come back
// soon is not back.
func phraseVariants(w []rune) [][]rune {
	all := [][]rune{w}
	s := string(w)
	if !strings.HasSuffix(s, "了") {
		return all
	}
	core, mine := strings.CutPrefix(s, "我")
	for _, wish := range []string{"要", "先", "想"} {
		core = strings.TrimPrefix(core, wish)
	}
	if mine && !strings.ContainsAny(core, "回到") && len([]rune(core)) > 1 {
		for _, who := range []string{"我", "我要", "我先", "我们", "我们要"} {
			all = append(all, []rune(who+core))
		}
		if len([]rune(core)) > 2 {
			all = append(all, []rune(core))
		}
	}
	for _, v := range slices.Clone(all) {
		for _, end := range "啦咯喽嘞" {
			all = append(all, append(slices.Clone(v[:len(v)-1]), end))
		}
	}
	return all
}

func (b *builder) device(d Device) error {
	x := b.x
	if _, twice := x.byID[d.ID]; twice || d.ID == "" {
		return fmt.Errorf("device %q is given twice or has no id", d.ID)
	}
	n := int32(len(x.devices))
	x.byID[d.ID] = n
	e := deviceEntry{id: d.ID, label: label(d.Names, d.ID), raw: d.Category, room: -1, category: -1}
	if d.Room != "" {
		r, ok := b.rooms[d.Room]
		if !ok {
			return fmt.Errorf("device %s is in room %q, which the home does not have", d.ID, d.Room)
		}
		e.room = r
	}
	if c, ok := x.v.categoryIDs[identifier(d.Category)]; ok {
		e.category = c
	}
	if d.Model != nil {
		key := spokenModel{d.Model, d.Voice}
		props, ok := b.models[key]
		if !ok {
			props = b.properties(d.Model.Properties(), e.category, d.Voice)
			b.models[key] = props
		}
		e.props = props
		if e.services, ok = b.callable[key]; !ok {
			e.services = b.services(d.Model.Services(), d.Voice)
			b.callable[key] = e.services
		}
		b.callDevice(&e, n, d.Voice)
	}
	err := b.each("device", d.ID, d.Names, func(lang string, w []rune) {
		b.add(w, sense{class: cDevice, code: n})
		b.parts(w, n)
		if kind := b.typeOf(w); kind >= 0 {
			e.called = append(e.called, kind)
			if e.category < 0 {
				e.category = kind
			}
		}
	})
	x.devices = append(x.devices, e)
	return err
}

// typeOf is the category whose word ends the name: 厨下净水器's is unknown, 小吊灯's is light.
func (b *builder) typeOf(w []rune) int32 { return b.ends(w, cType) }

// ends is the code of the word of class c that ends w, or -1.
func (b *builder) ends(w []rune, c class) int32 {
	lang := language(w)
	s := scan{v: b.x.v, lang: lang, words: b.x.v.words[lang], text: w}
	for i := range w {
		if lang == English && i > 0 && w[i-1] != ' ' {
			continue
		}
		if code, end := s.wordOf(i, c); end == len(w) {
			return code
		}
	}
	return -1
}

// parts adds the ends of a longer name that are still a name: "bedside lamp" of "left bedside lamp".
func (b *builder) parts(w []rune, n int32) {
	lang := language(w)
	if lang == English {
		for i := 1; i < len(w); i++ {
			if w[i-1] == ' ' && strings.ContainsRune(string(w[i:]), ' ') {
				b.add(append([]rune{}, w[i:]...), sense{class: cPart, code: n})
			}
		}
		return
	}
	if b.typeOf(w) < 0 {
		return
	}
	for i := 1; i+2 <= len(w) && len(w) >= 3; i++ {
		if len(w)-i >= 2 && isHan(w[i]) {
			b.x.names.add(w[i:], sense{class: cPart, code: n})
			addSounds(b.x.sounds, w[i:], sense{class: cPart, code: n}, false)
		}
	}
}
