// Package nlu turns a sentence about a home into what to do: text and a home in, a Reading out.
//
// It owns the vocabulary of Chinese and English home control (as data, in vocabulary/) and the way from words to
// properties of thing models. It is generated from the home's names and the products' models, never from sentences:
//
//	normalise → numbers → entity lattice → clauses → frames → resolve against the model → act, clarify, reject or chat
//
// It promises:
//   - a wrong action is worse than a question: only an Outcome of Act carries actions, and every value in them is one
//     that the model of each target allows;
//   - a Reading names property and value as the model it was given names them, whatever they are called;
//   - no input makes it panic, and none longer than MaxRunes is looked at;
//   - it does no I/O, keeps no state between calls, and an Index may be read by any number of goroutines.
package nlu

import (
	"time"

	"lampworks/tsl"
)

// Limits of what is read.
const (
	MaxRunes     = 512  // longest sentence, in runes
	MaxNameRunes = 64   // longest name or phrase in a home
	MaxDevices   = 2000 // devices of one home
	MaxNames     = 32   // names and aliases of one room, device or scene in one language
)

// Languages that a sentence is read in.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Home is what a sentence may speak about. Names are keyed by language, the name first, then its aliases.
type Home struct {
	Rooms   []Room
	Devices []Device
	Scenes  []Scene

	floors []string // floors without a room
}

// Room is one room; Floor is the floor it lies on, in the users' words ("二楼", "First Floor"), or empty. FloorAlso is what else
// that floor is called, in another language for example.
type Room struct {
	ID        string
	Names     map[string][]string
	Floor     string
	FloorAlso []string
}

// Device is one device: Room is the id of its room or empty, Category the identifier of its product's category.
type Device struct {
	ID       string
	Room     string
	Category string
	Names    map[string][]string
	Model    *tsl.Model
	Voice    *Voice // what its maker says beside the model; nil: nothing
}

// Scene is started by its name, or by a sentence that is one of its phrases.
type Scene struct {
	ID      string
	Names   map[string][]string
	Phrases map[string][]string
}

// Context is what is known beside the words. The zero value is honest: nothing is.
type Context struct {
	Lang     string                                                // "" recognises the language from the sentence
	Room     string                                                // id of the speaker's room, "" unknown
	State    func(device, property string) (value any, known bool) // last reported value; may be nil
	Previous *Memory                                               // of this conversation, from Reading.Memory; nil starts one
	Now      time.Time                                             // the speaker's local time, for "half past seven"; may be zero
	Careful  bool                                                  // what is dangerous is asked back first, with the code Confirm
	Open     func(scenes bool) bool                                // reports whether something that was asked for, or a scene of it, is under way; may be nil
	Danger   func(scene string) bool                               // reports whether a scene does what is dangerous; may be nil
}

// Outcome is what a sentence comes to.
type Outcome string

// The four outcomes. Only Act has actions.
const (
	Act     Outcome = "act"     // carry out Actions
	Clarify Outcome = "clarify" // ask back: Reason says what, Candidates which
	Reject  Outcome = "reject"  // understood, but it cannot or must not be done: Reason says why
	Chat    Outcome = "chat"    // not a command: hand on
)

// Op is the kind of an action.
type Op string

// The kinds of actions. Scene and timers have no targets.
const (
	OpSet         Op = "set"
	OpAdjust      Op = "adjust"
	OpQuery       Op = "query"
	OpScene       Op = "scene"
	OpTimer       Op = "timer"
	OpTimerCancel Op = "timer_cancel"
	OpTimerQuery  Op = "timer_query"
	OpCall        Op = "call"     // a service of the model
	OpAnnounce    Op = "announce" // to be said on speakers
	OpUndo        Op = "undo"     // of what was asked for and is under way; of Context.Open only
)

// All is the Value of an OpTimerCancel for every timer.
const All = "all"

// Action is one thing to do. Targets all have the property Prop with the same meaning and the same name.
type Action struct {
	Op        Op
	Targets   []string // device ids, in the order of the home
	Prop      string   // identifier as the model names it; OpCall: of the input that Value is for, or empty
	Service   string   // OpCall: identifier as the model names it
	Meaning   Meaning
	Value     any    // OpSet: bool, int64, float64 or string (name of an enum value as the model names it, a colour name)
	Direction string // OpAdjust: "up" or "down"
	Amount    float64
	HasAmount bool     // false: "a little", the step is ours to choose
	Unit      string   // of Amount and Value as the model has it; "%" of a relative amount
	Scene     string   // OpScene: its id
	Seconds   int      // timers: length
	Label     string   // timers: their name
	Last      bool     // of OpTimerCancel: those that the sentence before has set or told of
	Text      string   // OpAnnounce: what is to be said, as it was said
	Rooms     []string // OpAnnounce: ids of the rooms it is for; none: all

	DelaySeconds int      // not now, but so much later; 0 is now
	At           string   // "15:04", or empty
	Day          string   // "today", "tomorrow", "day_after_tomorrow", "monday" … with At, or empty
	Repeat       []string // the weekdays on which it is to be done again and again, with At: "monday" …; nil: once
}

// Code says why a reading is not an act. Codes are stable; replies are made from them.
type Code string

// The codes, with the outcome they come with.
const (
	AmbiguousDevice  Code = "ambiguous_device"   // clarify: Candidates
	MissingDevice    Code = "missing_device"     // clarify: what to do is known, to what is not
	AmbiguousMeaning Code = "ambiguous_property" // clarify: a bare value fits several properties
	MissingValue     Code = "missing_value"      // clarify: set, but to what
	UnclearWords     Code = "unclear_words"      // clarify: Word was not understood within a command
	UnknownState     Code = "unknown_state"      // clarify: a relative change of a value nobody knows (from Params)
	Confirm          Code = "confirm"            // clarify: it is dangerous; Device, Prop or Service, Value say what a yes would do
	NoSuchDevice     Code = "no_such_device"     // reject: the home or Room has none
	NoSuchProperty   Code = "no_such_property"   // reject: Device has no property of that Meaning
	NoSuchValue      Code = "no_such_value"      // reject: Allowed has what there is
	OutOfRange       Code = "out_of_range"       // reject: Min, Max, Unit
	ReadOnly         Code = "read_only"          // reject: can be asked, not set
	MissingText      Code = "missing_text"       // reject: announce, but what
	TooLong          Code = "too_long"           // reject: more than MaxRunes
	Conditional      Code = "conditional"        // reject: "if … then …" is an automation, not a command
	Negated          Code = "negated"            // chat: "do not …"
	Narrative        Code = "narrative"          // chat: tells what was, or wonders
	NotUnderstood    Code = "not_understood"     // chat
)

// Reason is why, with what a reply needs to say it.
type Reason struct {
	Code    Code
	Word    string  // the words concerned, as said
	Room    string  // room id
	Device  string  // device id
	Prop    string  // identifier as the model names it
	Service string  // Confirm: identifier of the service
	Scene   string  // Confirm: id of the scene
	Meaning Meaning // and what it means
	Value   any     // the value that was asked for
	Min     float64 // OutOfRange: the limits
	Max     float64
	Unit    string
	Allowed []string // NoSuchValue: names as the model has them
}

// Reading is what one sentence was understood as.
type Reading struct {
	Outcome    Outcome
	Lang       string // language it was read in
	Actions    []Action
	Candidates []string // device ids to choose from
	Reason     Reason   // zero when Outcome is Act
	Repaired   string   // the sentence as it was repaired by sound, or empty
	Memory     *Memory  // what the conversation knows now: the next Context.Previous, for as long as the owner lets it live

	frames []frame // as parsed, for other output formats
}
