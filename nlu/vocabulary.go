package nlu

import (
	"embed"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
)

//go:embed vocabulary/*.json vocabulary/traditional.txt
var vocabularyFiles embed.FS

// class is the grammatical kind of a token.
type class uint8

type classes uint64

func (c class) bit() classes           { return 1 << c }
func (m classes) has(c class) bool     { return m>>c&1 == 1 }
func (m classes) any(of classes) bool  { return m&of != 0 }
func (m classes) only(of classes) bool { return m != 0 && m&^of == 0 }

// The classes. What follows cWords are the keys of "words" in the vocabulary files.
const (
	cNone class = iota
	cType
	cProp
	cValue
	cColour
	cWhite
	cVerb
	cDir
	cExtreme
	cState
	cPeriod
	cDay
	cUnit
	cRoom
	cFloor
	cDevice
	cPart // the end of a device's name: "bedside lamp" of "left bedside lamp"
	cScene
	cPhrase // of a scene, or from firstCall on a service of a model: 烧水
	cNumber
	cTopic // weather, clock, list …: what other assistants are asked
	cChoice
	cAll
	cBoth
	cAny
	cHouse
	cOther
	cExcept
	cExceptEnd
	cOnlyKeep
	cAnd
	cThen
	cAlso
	cNot
	cQ
	cQHow
	cQIs
	cWhy
	cTold
	cIf
	cIt
	cHere
	cLittle
	cToo
	cEnoughNot
	cTo
	cBy
	cOf
	cBa
	cIn
	cAsk
	cFiller
	cMedia
	cWrong
	cEnough
	cAsWell
	cTimer
	cRemind
	cAfter
	cLeft
	cParticle // on, off
	cNamed
	cPlace // a kind of room: bedroom
	cThing // devices, appliances, everything
	classCount
)

const _ = uint(64 - classCount) // a class is a bit

// wordClasses are the keys of "words"; the code of a sense is the position in codes.
var wordClasses = map[string]struct {
	class class
	code  int32
}{
	"all": {class: cAll}, "both": {class: cBoth}, "any": {class: cAny}, "house": {class: cHouse}, "other": {class: cOther},
	"except": {class: cExcept}, "except_end": {class: cExceptEnd}, "only_keep": {class: cOnlyKeep}, "and": {class: cAnd},
	"then": {class: cThen}, "also": {class: cAlso}, "not": {class: cNot}, "q": {class: cQ}, "q_how": {class: cQHow},
	"q_is": {class: cQIs}, "where": {cQHow, 8}, "why": {class: cWhy}, "told": {class: cTold}, "if": {class: cIf},
	"it": {class: cIt}, "that": {class: cFiller}, "here": {class: cHere}, "little": {class: cLittle}, "too": {class: cToo},
	"enough_not": {class: cEnoughNot}, "to": {class: cTo}, "by": {class: cBy}, "of": {class: cOf}, "ba": {class: cBa},
	"in": {class: cIn}, "ask": {class: cAsk}, "filler": {class: cFiller}, "media": {class: cMedia}, "wrong": {class: cWrong},
	"enough": {class: cEnough}, "as_well": {class: cAsWell}, "timer": {class: cTimer}, "remind": {class: cRemind},
	"after": {class: cAfter}, "in_time": {class: cIn}, "minutes_left": {class: cLeft}, "named": {class: cNamed},
	"particle_on": {cParticle, 1}, "particle_off": {cParticle, 0}, "scene": {cTopic, topicScene},
	"broadcast": {cTopic, topicBroadcast}, "weather": {cTopic, topicWeather}, "clock": {cTopic, topicClock},
	"date": {cTopic, topicDate}, "list": {cTopic, topicList}, "shopping": {cTopic, topicShopping},
	"done": {cTopic, topicDone}, "put": {cTopic, topicPut}, "first": {cChoice, 0}, "second": {cChoice, 1}, "third": {cChoice, 2}, "either": {cChoice, 99},
	"q_temperature": {cQHow, 1}, "q_brightness": {cQHow, 2}, "q_level": {cQHow, 3}, "q_humidity": {cQHow, 4}, "q_volume": {cQHow, 5},
	"q_remaining": {cQHow, 6}, "q_battery": {cQHow, 7}, "thing": {class: cThing},
}

// howMeanings are what "how warm", "how bright" ask for, by the code of the word.
var howMeanings = [...]Meaning{"", TargetTemperature, Brightness, Level, Humidity, Volume, Remaining, Battery, ""}

const howWhere = 8

const (
	topicScene int32 = iota
	topicBroadcast
	topicWeather
	topicClock
	topicDate
	topicList
	topicShopping
	topicDone
	topicPut
)

// sense is one meaning of a word: its class and what it stands for within it.
type sense struct {
	class class
	sign  int8 // directions and extremes: +1 or -1; types: typeNarrow or typeObject
	code  int32
}

// Types by words that are not simply the category's.
const (
	typeNarrow int8 = 1 // a kind within it: 落地灯 is no other lamp than one called so
	typeObject int8 = 2 // what it works at: 衣服 of the washing machine, in questions and where it is to start or stop
)

// verb is what is to be done, before it is known to what.
type verb int32

const (
	vNone verb = iota
	vOn
	vOff
	vOpen
	vClose
	vUp
	vDown
	vSet
	vStart
	vStop
	vPause
	vResume
	vPlay
	vNext
	vPrevious
	vMute
	vUnmute
	vLock
	vUnlock
	vClean
	vDock
	vMow
	vCancel
	vRun
	vTell
)

var verbNames = map[string]verb{
	"on": vOn, "off": vOff, "open": vOpen, "close": vClose, "up": vUp, "down": vDown, "set": vSet, "start": vStart,
	"stop": vStop, "pause": vPause, "resume": vResume, "play": vPlay, "next": vNext, "previous": vPrevious, "mute": vMute,
	"unmute": vUnmute, "lock": vLock, "unlock": vUnlock, "clean": vClean, "dock": vDock, "mow": vMow, "cancel": vCancel,
	"run": vRun, "tell": vTell,
}

// verbBits are the bits of a verb's code; above them stands the category + 1 of the machine that a task needs: 烧水.
const verbBits = 8

func (s sense) verb() verb     { return verb(s.code & (1<<verbBits - 1)) }
func (s sense) machine() int32 { return s.code >> verbBits }

// String is the key of the verb in the vocabulary.
func (v verb) String() string {
	for key, code := range verbNames {
		if code == v {
			return key
		}
	}
	return ""
}

// direction codes beside meanings: what a change is about when the word alone does not say.
const (
	dirAny  int32 = -1 // higher, lower: of the property said
	dirWarm int32 = -2 // warmer light, warmer room
	dirCold int32 = -3
	dirHot  int32 = -4 // the room is too hot
	dirTemp int32 = -5 // hottest, coldest
	dirAir  int32 = -6 // the air is stuffy
)

// states, codes of cState
const (
	stateOn int32 = iota
	stateOff
	stateLocked
	stateUnlocked
	stateRunning
	stateOpened
)

// period and day codes
const (
	periodAM int32 = iota
	periodNoon
	periodPM
	periodNight
)

// units, codes of cUnit
const (
	uNone int32 = iota
	uPercent
	uDegree
	uFahrenheit
	uKelvin
	uLevel
	uChannel
	uHour
	uMinute
	uSecond
	uDay
)

var unitNames = map[string]int32{
	"%": uPercent, "degree": uDegree, "fahrenheit": uFahrenheit, "kelvin": uKelvin, "level": uLevel, "channel": uChannel,
	"hour": uHour, "minute": uMinute, "second": uSecond, "day": uDay,
}

// names is a numbered list of strings.
type names struct {
	list  []string
	index map[string]int32
}

func (n *names) code(s string) int32 {
	if c, ok := n.index[s]; ok {
		return c
	}
	if n.index == nil {
		n.index = map[string]int32{}
	}
	c := int32(len(n.list))
	n.list = append(n.list, s)
	n.index[s] = c
	return c
}

// vocabulary is the words of all languages and the identifiers of makers' models, loaded once a process.
type vocabulary struct {
	meanings, values, categories, colours, days, kinds names
	propIDs, valueIDs, categoryIDs                     map[string]int32 // folded identifier → code
	words                                              map[string]*trie // language → lexicon
	sounds                                             *trie            // Chinese words by sound
	spelling                                           []string         // English words, for misspellings
	yes                                                map[string]*trie // language → what says yes, and may stand around it
	undo                                               map[string]*trie // the same of what takes back what is under way
}

// vocab is the vocabulary; the files are part of the program, so that what is wrong with them a test finds.
var vocab = sync.OnceValue(func() *vocabulary {
	v, err := loadVocabulary()
	if err != nil {
		return &vocabulary{words: map[string]*trie{Chinese: newTrie(1), English: newTrie(1)}, sounds: newTrie(1)}
	}
	return v
})

type vocabularyFile struct {
	Types, Narrow, Objects, Tasks, Properties, Values, Colours, Whites, Verbs, Directions, Extremes, States, Words, Periods, Days, Units, Rooms map[string][]string
	Categories                                                                                                                                  map[string][]string
	Yes                                                                                                                                         map[string][]string
	Undo                                                                                                                                        map[string][]string
}

func readVocabulary(name string) (*vocabularyFile, error) {
	b, err := vocabularyFiles.ReadFile("vocabulary/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the vocabulary: %w", err)
	}
	var f vocabularyFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("reading vocabulary/%s: %w", name, err)
	}
	return &f, nil
}

func loadVocabulary() (*vocabulary, error) {
	ids, err := readVocabulary("identifiers.json")
	if err != nil {
		return nil, err
	}
	v := &vocabulary{words: map[string]*trie{}, sounds: newTrie(8000), yes: map[string]*trie{}, undo: map[string]*trie{}}
	v.propIDs = identifiers(ids.Properties, &v.meanings)
	v.valueIDs = identifiers(ids.Values, &v.values)
	v.categoryIDs = identifiers(ids.Categories, &v.categories)
	for lang, file := range map[string]string{Chinese: "zh-CN.json", English: "en.json"} {
		f, err := readVocabulary(file)
		if err != nil {
			return nil, err
		}
		t := newTrie(6000)
		if err := v.addFile(t, f, lang); err != nil {
			return nil, fmt.Errorf("vocabulary/%s: %w", file, err)
		}
		v.words[lang] = t
		if v.yes[lang], err = wholeWords(f.Yes, map[string]int32{"yes": sayYes, "around": 0}); err != nil {
			return nil, fmt.Errorf("vocabulary/%s: %w", file, err)
		}
		if v.undo[lang], err = wholeWords(f.Undo, map[string]int32{"undo": undoLast, "scene": undoScene, "around": 0}); err != nil {
			return nil, fmt.Errorf("vocabulary/%s: %w", file, err)
		}
	}
	en, err := readVocabulary("en.json")
	if err != nil {
		return nil, err
	}
	for key, words := range en.Types { // English names of things stand in Chinese sentences too: "把 TV 关了"
		for _, w := range words {
			v.words[Chinese].add(fold(w), sense{class: cType, code: v.categories.code(key)})
		}
	}
	return v, nil
}

func identifiers(m map[string][]string, n *names) map[string]int32 {
	out := map[string]int32{}
	for _, key := range sortedKeys(m) {
		c := n.code(key)
		for _, id := range m[key] {
			if _, taken := out[id]; !taken {
				out[id] = c
			}
		}
	}
	return out
}

// wider is the kind of room that a kind is one of: 主卧 is a 卧室, but a 卧室 is not the 客房.
func (v *vocabulary) wider(kind int32) int32 {
	switch v.kinds.list[kind] {
	case "main_bedroom", "second_bedroom", "guest_room":
		return v.kinds.code("bedroom")
	}
	return kind
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// addFile puts one language into t.
func (v *vocabulary) addFile(t *trie, f *vocabularyFile, lang string) error {
	var failed error
	add := func(section map[string][]string, of func(key string) (sense, bool)) {
		for _, key := range sortedKeys(section) {
			s, ok := of(key)
			if !ok {
				failed = fmt.Errorf("%q is not a key that the reader knows", key)
				return
			}
			for i, w := range section[key] {
				v.addWord(t, w, s, lang, i == 0)
			}
		}
	}
	coded := func(c class, n *names) func(string) (sense, bool) {
		return func(key string) (sense, bool) { return sense{class: c, code: n.code(key)}, true }
	}
	add(f.Types, coded(cType, &v.categories))
	marked := func(sign int8) func(string) (sense, bool) {
		return func(key string) (sense, bool) {
			c, ok := v.categories.index[key]
			return sense{class: cType, sign: sign, code: c}, ok
		}
	}
	add(f.Narrow, marked(typeNarrow))
	add(f.Objects, marked(typeObject))
	add(f.Properties, coded(cProp, &v.meanings))
	add(f.Values, coded(cValue, &v.values))
	add(f.Colours, coded(cColour, &v.colours))
	add(f.Days, coded(cDay, &v.days))
	add(f.Rooms, coded(cPlace, &v.kinds))
	add(f.Whites, func(key string) (sense, bool) {
		k, err := strconv.ParseInt(key, 10, 32)
		return sense{class: cWhite, code: int32(k)}, err == nil
	})
	add(f.Verbs, func(key string) (sense, bool) {
		c, ok := verbNames[key]
		return sense{class: cVerb, code: int32(c)}, ok
	})
	add(f.Tasks, func(key string) (sense, bool) {
		c, ok := v.categories.index[key]
		return sense{class: cVerb, code: int32(vStart) | (c+1)<<verbBits}, ok
	})
	add(f.Units, func(key string) (sense, bool) { c, ok := unitNames[key]; return sense{class: cUnit, code: c}, ok })
	add(f.Periods, listed(cPeriod, "am", "noon", "pm", "night"))
	add(f.States, listed(cState, "on", "off", "locked", "unlocked", "running", "opened"))
	add(f.Words, func(key string) (sense, bool) {
		w, ok := wordClasses[key]
		return sense{class: w.class, code: w.code}, ok
	})
	add(f.Directions, v.direction(cDir))
	add(f.Extremes, v.direction(cExtreme))
	return failed
}

func listed(c class, keys ...string) func(string) (sense, bool) {
	return func(key string) (sense, bool) {
		for i, k := range keys {
			if k == key {
				return sense{class: c, code: int32(i)}, true
			}
		}
		return sense{}, false
	}
}

// direction reads keys such as "brightness+", "warm" and "-".
func (v *vocabulary) direction(c class) func(string) (sense, bool) {
	return func(key string) (sense, bool) {
		switch key {
		case "warm":
			return sense{class: c, sign: 1, code: dirWarm}, true
		case "cold":
			return sense{class: c, sign: -1, code: dirCold}, true
		case "hot":
			return sense{class: c, sign: 1, code: dirHot}, true
		case "stuffy":
			return sense{class: c, sign: 1, code: dirAir}, true
		}
		name, sign := key, int8(1)
		if strings.HasSuffix(key, "-") {
			sign = -1
		} else if !strings.HasSuffix(key, "+") {
			return sense{}, false
		}
		switch name = name[:len(name)-1]; name {
		case "":
			return sense{class: c, sign: sign, code: dirAny}, true
		case "temperature":
			return sense{class: c, sign: sign, code: dirTemp}, true
		}
		_, known := v.meanings.index[name]
		return sense{class: c, sign: sign, code: v.meanings.code(name)}, known
	}
}

func (v *vocabulary) addWord(t *trie, w string, s sense, lang string, main bool) {
	k := fold(w)
	t.add(k, s)
	if lang == Chinese {
		addSounds(v.sounds, k, s, main)
		return
	}
	if s.class == cType || s.class == cProp {
		t.add(plural(k), s)
	}
	v.spelling = spellings(v.spelling, k)
}

// plural is the English plural of a name.
func plural(k []rune) []rune {
	n := len(k)
	out := append(make([]rune, 0, n+2), k...)
	if n < 2 {
		return out
	}
	switch last := k[n-1]; {
	case last == 's' || last == 'x' || last == 'h' && (k[n-2] == 'c' || k[n-2] == 's'):
		return append(out, 'e', 's')
	case last == 'y' && !strings.ContainsRune("aeiou", k[n-2]):
		return append(out[:n-1], 'i', 'e', 's')
	}
	return append(out, 's')
}

// identifier folds a maker's identifier: PowerSwitch, power_switch and power-switch are one.
func identifier(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r != '_' && r != '-' && r != '.' && r != ' ' && r != ':' {
			b.WriteRune(r)
		}
	}
	return b.String()
}
