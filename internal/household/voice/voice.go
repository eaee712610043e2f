// Package voice carries out what somebody says to a home, and says what came of it (语音).
//
// A sentence is understood with the names and thing models of the home, resolved
// into what to send to which device, sent as commands, confirmed by the devices'
// own answers, and answered in words.
//
// It owns the tables voice_*: what people want done with their words, those words for a few days,
// figures, announcements (播报), and an inbox of what was not understood. It promises:
//   - "done" is said only of what the device confirmed; silence, a refusal and another value than asked are each said as such;
//   - an unclear sentence is answered by a question and switches nothing; so is one that opens a lock, a gate or a valve, or
//     starts what heats unseen, until somebody says yes;
//   - an answer comes within the deadline of the sentence, whatever the devices do; who can be told later is answered sooner, and
//     told what came of it once;
//   - no sound is kept: it never sees one; the record of a sentence and what is counted hold figures and outcomes, and no word of it;
//   - words are kept for who said them, for 7 days, the newest 10,000 of a home; nobody else sees them, and who switches that off
//     has deleted what there was;
//   - what was not understood is shown to who makes the understanding better, with the consent of who said it, without them and
//     without the home; it is taken back with the consent, until somebody has decided about it;
//   - an announcement is told once to each speaker that listened when it came, not within a conversation and not later than 10 minutes;
//     what was not told then is told as missed, across restarts too;
//   - what it has nothing to do and nothing to ask about goes to one [Handler], if there is one; whatever that does, its answer is
//     one that the home and its models allow, in time and without danger, or it is said that nothing was understood.
//
// It knows no socket and no microphone: edges bring the text and carry the answer away.
package voice

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/product"
	"lampworks/nlu"
)

// Limits of a sentence.
const (
	MaxText    = 2048 // bytes; longer than what understanding looks at, so that the answer can say so
	MaxSpeaker = 64   // bytes of the name of a speaker
)

// Commands is what voice asks of the room command.
type Commands interface {
	Submit(ctx context.Context, who access.Actor, reqs ...command.Request) ([]command.Command, error)
	Wait(ctx context.Context, ids ...string) ([]command.Command, error)
	Cancel(ctx context.Context, who access.Actor, id string) (command.Command, error)
}

// Config is what voice stands on, and its settings.
type Config struct {
	Homes    *home.Service
	Scenes   Scenes // nil: homes have none
	Products *product.Service
	Shadows  *shadow.Service
	Commands Commands
	Facts    uplink.Log   // gets a record of each sentence; nil: none
	Store    *store.Store // nil: no words are kept and nothing is counted
	// Live reports whether a device has a session now. Presence rows follow the Log and may be behind: a device that has
	// just connected is not to be called offline. nil: the rows alone are asked.
	Live   func(device string) bool
	Logger *slog.Logger

	Deadline        time.Duration // from the sentence to its answer; default 3 s
	SentAfter       time.Duration // the same where the speaker can be told later; default 1.5 s
	Told            func(Telling) // is given what came later of a sentence, for who speaks with Sentence.Later; nil: everybody waits
	CommandDeadline time.Duration // how long a device may take; default 10 s
	Handler         Handler       // gets what nobody here understood; nil: that is said at once
	HandOnWithin    time.Duration // how long it may take, within the deadline; default 2 s
	InboxKey        []byte        // hides who gave a sentence away; nil: none is taken
	ForgetText      bool          // words of those who have not chosen are not kept
}

// Service answers sentences. It is safe for concurrent use.
type Service struct {
	c             Config
	late          late
	indexes       indexes
	conversations conversations
	deeds         deeds
	keeper        keeper
	listeners     listeners
	handing       handing
	words         map[string]catalogue
}

// New returns the service. Sentences may be under way after they were answered: see [Service.Close].
func New(c Config) *Service {
	if c.Deadline <= 0 {
		c.Deadline = 3 * time.Second
	}
	if c.CommandDeadline <= 0 {
		c.CommandDeadline = command.DefaultDeadline
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.SentAfter <= 0 {
		c.SentAfter = 1500 * time.Millisecond
	}
	life, end := context.WithCancel(context.Background())
	return &Service{
		c: c, words: catalogues(), late: late{life: life, end: end},
		indexes:       indexes{max: maxIndexed},
		conversations: conversations{max: maxConversations, life: conversationLife},
		keeper:        keeper{more: make(chan struct{}, 1)},
		listeners:     newListeners(),
	}
}

// A Sentence is what somebody said.
type Sentence struct {
	Home    string // id
	Room    string // id of the room it was said in, or empty
	Text    string // UTF-8, at most MaxText bytes
	Lang    string // "zh-CN", "en", or empty: recognised from the words
	Speaker string // which speaker (音箱) or conversation; empty: one of the actor's own
	Later   bool   // who speaks can be told later: slow devices do not hold the answer up
}

// Outcomes of a sentence. The first four are those of understanding; of the
// fifth, something was to be done and not all of it is confirmed. Sent, of a
// sentence and of a target, is that devices have not answered yet, and what
// they do is told later.
const (
	Acted     = string(nlu.Act)
	Clarified = string(nlu.Clarify)
	Rejected  = string(nlu.Reject)
	Chatted   = string(nlu.Chat)
	Failed    = "failed"
	Sent      = "sent"
)

// An Answer is what came of a sentence.
type Answer struct {
	ID         string   `json:"id"`
	Text       string   `json:"text"` // the sentence
	Lang       string   `json:"lang"` // it was understood in, and is answered in
	Outcome    string   `json:"outcome"`
	Reason     string   `json:"reason,omitempty"` // why it was not carried out: of understanding, or the first of its targets
	Reply      string   `json:"reply"`
	Actions    []Act    `json:"actions,omitempty"`
	Candidates []Target `json:"candidates,omitempty"` // to choose from, when the reply asks
	Stages     []Stage  `json:"stages"`
	TotalUS    int64    `json:"total_us"`
}

// An Act is one thing the sentence asks for.
type Act struct {
	Op           string   `json:"op"` // set, adjust, query, call, scene, timer …
	Prop         string   `json:"prop,omitempty"`
	Service      string   `json:"service,omitempty"` // of a call
	Meaning      string   `json:"meaning,omitempty"`
	Value        any      `json:"value,omitempty"`
	Direction    string   `json:"direction,omitempty"`
	Amount       *float64 `json:"amount,omitempty"`
	Scene        string   `json:"scene,omitempty"`
	Run          string   `json:"run,omitempty"`   // of the scene
	Timer        string   `json:"timer,omitempty"` // that was set
	Seconds      int      `json:"seconds,omitempty"`
	Label        string   `json:"label,omitempty"`
	Text         string   `json:"text,omitempty"`  // of an announcement
	Rooms        []string `json:"rooms,omitempty"` // ids of the rooms it is for
	Announcement string   `json:"announcement,omitempty"`
	DelaySeconds int      `json:"delay_seconds,omitempty"`
	At           string   `json:"at,omitempty"`
	Day          string   `json:"day,omitempty"`
	Repeat       []string `json:"repeat,omitempty"` // weekdays
	Targets      []Target `json:"targets"`
}

// Outcomes of a target.
const (
	Done     = "done"     // the device confirmed
	Already  = "already"  // it confirmed, and had said so before
	Answered = "answered" // a query: Value is what it last reported
	Undone   = "failed"   // Reason says why
	Open     = ""         // nothing was asked of it
)

// Reasons of a target that failed, and of a query without an answer.
const (
	Offline      = "offline"       // it is not connected; nothing was sent
	Waiting      = "waiting"       // the command waits: it did not reach the device before the deadline
	Silent       = "silent"        // it was sent and not answered before the deadline
	Unconfirmed  = "unconfirmed"   // it was sent and nobody will know whether it was done
	Wrong        = "wrong"         // it says it did it and reports another value
	Refused      = "refused"       // it answered that it will not
	Replaced     = "replaced"      // a newer command took its place
	Busy         = "busy"          // too many commands wait for it
	Suspended    = "suspended"     // a measure of the operator refuses it
	OutOfRange   = "out_of_range"  // the model does not allow the value
	UnknownState = "unknown_state" // a relative change of a value nobody knows, or a query
	Unsupported  = "unsupported"   // it has no such property
	Invalid      = "invalid"       // the command was not accepted
)

// A Target is a device an act is for, and what came of it there.
type Target struct {
	Device  string `json:"device"`
	Room    string `json:"room,omitempty"`
	Name    string `json:"name"`
	Outcome string `json:"outcome,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Value   any    `json:"value,omitempty"` // as it was reported: a query, or what it reports instead
	Command string `json:"command,omitempty"`
}

// A Stage is a part of the road of a sentence. Times are in microseconds since
// it came.
type Stage struct {
	Name     string `json:"name"` // understand, hand_on, resolve, send, confirm, answer
	StartUS  int64  `json:"start_us"`
	LengthUS int64  `json:"length_us"`
	Detail   string `json:"detail,omitempty"`
}

// Say carries out a sentence in the name of who. A sentence that cannot be
// carried out is an Answer too; an error is a bad request ([fault.Fault]) or
// something of the program's own that does not work.
func (s *Service) Say(ctx context.Context, who access.Actor, in Sentence) (answer Answer, err error) {
	t := &turn{s: s, who: who, in: in, id: uuid.Must(uuid.NewV7()).String(), start: time.Now()}
	if in.Later && s.c.Told != nil && s.late.enter() {
		t.early = true
	}
	if key := (conversation{home: in.Home, speaker: in.Speaker}); in.Speaker != "" {
		s.listeners.begin(key)
		defer func() { s.listeners.end(key, err == nil && answer.Outcome == Clarified) }()
	}
	s.deeds.speak(t.conversation(), t.id, time.Now())
	answer, err = s.say(ctx, t)
	switch {
	case !t.early:
	case err == nil && t.open():
		go s.finish(t)
	default:
		s.late.leave()
	}
	return answer, err
}

func (s *Service) say(ctx context.Context, t *turn) (Answer, error) {
	who, in := t.who, &t.in
	if err := who.Check(access.Speak); err != nil {
		return Answer{}, err
	}
	if err := in.check(); err != nil {
		return Answer{}, err
	}
	steps := []struct {
		name string
		do   func(context.Context) (detail string, err error)
	}{
		{"understand", t.understand},
		{"hand_on", t.handOn},
		{"resolve", t.resolve},
		{"send", t.send},
		{"confirm", t.confirm},
		{"answer", t.answer},
	}
	for _, step := range steps {
		if !t.needs(step.name) {
			continue
		}
		began := time.Since(t.start)
		detail, err := step.do(ctx)
		if err != nil {
			return Answer{}, err
		}
		t.out.Stages = append(t.out.Stages, Stage{
			Name: step.name, StartUS: began.Microseconds(), LengthUS: (time.Since(t.start) - began).Microseconds(), Detail: detail,
		})
	}
	t.out.TotalUS = time.Since(t.start).Microseconds()
	s.note(ctx, t)
	return t.out, nil
}

func (in *Sentence) check() error {
	switch {
	case in.Home == "":
		return fault.Invalid("/home", "", "the id of a home", "say which home is spoken to")
	case len(in.Text) > MaxText:
		return fault.TooLarge("/text", int64(len(in.Text)), MaxText)
	case !utf8.ValidString(in.Text):
		return fault.Invalid("/text", in.Text, "UTF-8", "encode it as UTF-8")
	case in.Lang != "" && in.Lang != nlu.Chinese && in.Lang != nlu.English:
		return fault.Invalid("/lang", in.Lang, `"zh-CN", "en" or nothing`, "leave it out to have it recognised")
	case len(in.Speaker) > MaxSpeaker:
		return fault.TooLarge("/speaker", int64(len(in.Speaker)), MaxSpeaker)
	}
	return nil
}

// conversation is whose words follow on whose: a speaker in a home, or a person.
// Who may not do what is confirmed first has one of their own: their yes is an answer to nothing that others were asked.
func (t *turn) conversation() conversation {
	if t.in.Speaker != "" && t.who.MayRisk() {
		return conversation{home: t.in.Home, speaker: t.in.Speaker}
	}
	return conversation{home: t.in.Home, speaker: fmt.Sprintf("%s %s", t.who.Kind, t.who.ID), own: true}
}
