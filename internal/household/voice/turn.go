package voice

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/nlu"
)

// A turn is one sentence on its road.
type turn struct {
	s       *Service
	who     access.Actor
	in      Sentence
	id      string
	start   time.Time
	forgets bool // what is said changes no conversation

	home    *spoken
	reading nlu.Reading
	states  map[string]shadow.State // of the devices looked at
	failure error                   // of reading states within a callback
	steps   []step                  // in the order of actions and their targets
	runs    []performance           // of scenes
	early   bool                    // answered before slow devices are: there is a place in [late], and somebody to tell
	late    bool                    // told after it was answered

	local    time.Time              // when it came, by the clocks of the home
	planned  map[int][]scene.Action // what is done later, by action
	bookings []booking              // of timers
	notices  []notice               // of announcements
	undone   *undone                // of what was taken back
	sent     []string               // ids of commands
	spoken   string                 // a reply that was handed back
	out      Answer
}

// A step is one action on one target.
type step struct {
	act     int // index into reading.Actions
	device  string
	params  json.RawMessage            // of a property set or the input of a service; nil: nothing to send
	service string                     // to be called
	sets    map[string]json.RawMessage // params, by property
	same    bool                       // the device had said so before
	outcome string
	reason  string
	why     nlu.Reason // of understanding, when params could not be made
	note    string     // what the device said when it refused
	value   json.RawMessage
	command string
}

// needs says whether the sentence comes through a stage.
func (t *turn) needs(stage string) bool {
	switch stage {
	case "hand_on":
		return t.s.c.Handler != nil && t.lost()
	case "resolve":
		return t.reading.Outcome == nlu.Act && t.later() == ""
	case "send":
		return t.later() == "" && t.reading.Outcome == nlu.Act &&
			(slices.ContainsFunc(t.steps, func(s step) bool { return s.params != nil }) || slices.ContainsFunc(t.reading.Actions, isScene) ||
				slices.ContainsFunc(t.reading.Actions, ofTimers) || slices.ContainsFunc(t.reading.Actions, isAnnouncement) || slices.ContainsFunc(t.reading.Actions, isUndo))
	case "confirm":
		return len(t.sent)+len(t.runs) > 0
	}
	return true
}

// understand reads the sentence with the home's names and models.
func (t *turn) understand(ctx context.Context) (string, error) {
	h, made, err := t.s.ready(ctx, t.who, t.in.Home)
	if err != nil {
		return "", err
	}
	t.home = h
	if t.in.Room == "" && t.in.Speaker != "" {
		t.in.Room = h.home.RoomOf(t.in.Speaker)
	}
	if t.in.Room != "" && h.rooms[t.in.Room] == nil {
		return "", fault.NotFound("room", t.in.Room)
	}
	now := time.Now()
	t.local = now.In(t.s.c.Homes.Zone(&h.home))
	c := nlu.Context{
		Lang: t.in.Lang, Room: t.in.Room, Now: t.local, Careful: true, Danger: h.dangerous,
		Open:     func(scenes bool) bool { return !t.forgets && t.s.open(t, scenes, now) },
		State:    func(device, property string) (any, bool) { return t.state(ctx, device, property) },
		Previous: t.s.conversations.recall(t.conversation(), h.index, now),
	}
	t.reading = h.index.Read(&c, t.in.Text)
	if err := t.answersWhich(ctx, &c); err != nil {
		return "", err
	}
	if t.failure != nil {
		return "", t.failure
	}
	if t.reading.Reason.Code == nlu.Confirm && !t.who.MayRisk() {
		t.reading = nlu.Reading{Outcome: nlu.Reject, Lang: t.reading.Lang, Reason: nlu.Reason{Code: notAllowed}}
	}
	if !t.forgets {
		t.s.conversations.remember(t.conversation(), h.index, t.reading.Memory, now)
	}
	t.out = Answer{ID: t.id, Text: t.in.Text, Lang: t.language(), Outcome: string(t.reading.Outcome), Reason: string(t.reading.Reason.Code)}
	return t.understood(made), nil
}

// understood is how the sentence was read, in the language of the answer.
func (t *turn) understood(made bool) string {
	w := t.words()
	parts := []string{w.say(stageRead)}
	if t.reading.Outcome != nlu.Act {
		parts[0] = w.say(stageUnread)
	}
	if made {
		parts = append(parts, w.say(stageCompiled))
	}
	if t.reading.Repaired != "" {
		parts = append(parts, w.say(stageRepaired))
	}
	return strings.Join(parts, " · ")
}

// online is which of the devices are connected: those with a session here, and of the others what the rows say.
func (t *turn) online(ctx context.Context, devices []string) (map[string]bool, error) {
	here := make(map[string]bool, len(devices))
	var rest []string
	for _, device := range devices {
		if live := t.s.c.Live; live != nil && live(device) {
			here[device] = true
		} else {
			rest = append(rest, device)
		}
	}
	if len(rest) == 0 {
		return here, nil
	}
	rows, err := t.s.c.Homes.Online(ctx, t.who, t.in.Home, rest...)
	if err != nil {
		return nil, err
	}
	maps.Copy(here, rows)
	return here, nil
}

// words is the catalogue of the language the answer is given in.
func (t *turn) words() catalogue { return t.s.words[t.out.Lang] }

// language is the one the answer is given in.
func (t *turn) language() string {
	for _, lang := range []string{t.reading.Lang, t.in.Lang} {
		if t.s.words[lang] != nil {
			return lang
		}
	}
	return nlu.Chinese
}

// later names what of the sentence cannot be done yet, "" if all can.
func (t *turn) later() phrase {
	for _, a := range t.reading.Actions {
		switch {
		case t.s.c.Scenes != nil:
		case isScene(a):
			return laterScene
		case ofTimers(a):
			return laterTimer
		}
	}
	return ""
}

func isScene(a nlu.Action) bool { return a.Op == nlu.OpScene && !later(a) }

// state is what understanding may know of a device.
func (t *turn) state(ctx context.Context, device, property string) (any, bool) {
	if _, looked := t.states[device]; !looked {
		if err := t.look(ctx, device); err != nil {
			t.failure = err
			return nil, false
		}
	}
	v, ok := t.states[device].Reported[property]
	if !ok {
		return nil, false
	}
	return t.home.value(device, property, v)
}

// look reads the shadows of devices.
func (t *turn) look(ctx context.Context, devices ...string) error {
	found, err := t.s.c.Shadows.States(ctx, devices...)
	if err != nil {
		return err
	}
	if t.states == nil {
		t.states = make(map[string]shadow.State, len(devices))
	}
	for _, d := range devices {
		t.states[d] = found[d] // the zero State of one that never spoke
	}
	return nil
}

// resolve makes steps of the actions: what to send to whom, or what is asked
// of whom.
func (t *turn) resolve(ctx context.Context) (string, error) {
	var all []string
	for _, a := range t.reading.Actions {
		all = append(all, a.Targets...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if err := t.look(ctx, all...); err != nil {
		return "", err
	}
	online, err := t.online(ctx, all)
	if err != nil {
		return "", err
	}
	t.planned = make(map[int][]scene.Action)
	state := func(device, property string) (any, bool) { return t.state(ctx, device, property) }
	for i, a := range t.reading.Actions {
		for _, device := range a.Targets {
			st := step{act: i, device: device}
			switch {
			case t.home.devices[device] == nil: // understanding speaks of the home it was given
				continue
			case a.Op == nlu.OpQuery:
				t.ask(&st, a, online[device])
			case later(a):
				if p := t.plannedFor(&st, a, state); p != nil {
					t.planned[i] = append(t.planned[i], *p)
					continue
				}
			default:
				t.plan(&st, a, online[device], state)
			}
			t.steps = append(t.steps, st)
		}
	}
	if t.failure != nil {
		return "", t.failure
	}
	return t.words().say(stageFound, "actions", strconv.Itoa(len(t.reading.Actions)), "devices", strconv.Itoa(len(all))), nil
}

// ask answers a query from the shadow.
func (t *turn) ask(st *step, a nlu.Action, online bool) {
	v, known := t.states[st.device].Reported[a.Prop]
	if !known {
		st.outcome, st.reason = Undone, UnknownState
		return
	}
	st.outcome, st.value = Answered, v.Value
	if !online {
		st.reason = Offline
	}
}

// plan finds what to send for an action on a device.
func (t *turn) plan(st *step, a nlu.Action, online bool, state func(string, string) (any, bool)) {
	if !online {
		st.outcome, st.reason = Undone, Offline
		return
	}
	params, why := t.home.index.Params(a, st.device, state)
	if a.Op == nlu.OpCall && params != nil {
		st.params, st.service = params, a.Service
		return
	}
	if params == nil || json.Unmarshal(params, &st.sets) != nil || len(st.sets) == 0 {
		st.outcome, st.why, st.reason = Undone, why, reasonOf(why.Code)
		return
	}
	st.params, st.same = params, true
	for property, want := range st.sets {
		st.same = st.same && equal(t.states[st.device].Reported[property].Value, want)
	}
}

func reasonOf(c nlu.Code) string {
	switch c {
	case nlu.OutOfRange:
		return OutOfRange
	case nlu.UnknownState:
		return UnknownState
	case nlu.NoSuchProperty, nlu.ReadOnly:
		return Unsupported
	}
	return Invalid
}

// equal compares two values of one property as they stand on the wire.
func equal(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	x, isNumber := number(a)
	y, isToo := number(b)
	if isNumber && isToo {
		return x == y
	}
	var p, q bytes.Buffer
	return json.Compact(&p, a) == nil && json.Compact(&q, b) == nil && bytes.Equal(p.Bytes(), q.Bytes())
}

// answer puts what came of it into the Answer and into words.
func (t *turn) answer(context.Context) (string, error) {
	t.out.Actions = t.acts()
	for _, id := range t.reading.Candidates {
		if t.home.devices[id] != nil {
			t.out.Candidates = append(t.out.Candidates, t.target(id))
		}
	}
	if t.later() != "" {
		t.out.Outcome, t.out.Reason = Rejected, "not_yet"
	} else {
		t.judge()
		t.judgeScenes()
		t.judgeBookings()
		t.judgeNotices()
		t.judgeUndone()
	}
	teller := teller{catalogue: t.s.words[t.out.Lang], lang: t.out.Lang, home: t.home, candidates: t.reading.Candidates}
	t.out.Reply = cmp.Or(t.spoken, teller.reply(t))
	return t.words().say(stageWritten), nil
}

// judge gives the sentence its outcome, now that the steps have theirs.
func (t *turn) judge() {
	if t.reading.Outcome != nlu.Act {
		return
	}
	for i := range t.steps {
		st := &t.steps[i]
		if st.outcome == Sent && t.out.Outcome == Acted {
			t.out.Outcome = Sent
		}
		if st.outcome != Undone {
			continue
		}
		if t.out.Reason == "" {
			t.out.Reason = st.reason
		}
		if t.reading.Actions[st.act].Op != nlu.OpQuery {
			t.out.Outcome = Failed
		}
	}
	if t.out.Outcome == Failed && !slices.ContainsFunc(t.steps, func(st step) bool { return st.why.Code == "" }) {
		// Nothing was sent, and not because of the devices: what was asked cannot be done.
		t.out.Outcome = Rejected
		if t.out.Reason == UnknownState {
			t.out.Outcome = Clarified
		}
	}
}

func (t *turn) acts() []Act {
	acts := make([]Act, len(t.reading.Actions))
	for i, a := range t.reading.Actions {
		acts[i] = Act{
			Op: string(a.Op), Prop: a.Prop, Service: a.Service, Meaning: string(a.Meaning), Value: a.Value, Direction: a.Direction,
			Scene: a.Scene, Seconds: a.Seconds, Label: a.Label, Text: a.Text, Rooms: a.Rooms, DelaySeconds: a.DelaySeconds, At: a.At, Day: a.Day, Repeat: a.Repeat,
			Targets: make([]Target, 0, len(a.Targets)),
		}
		if a.HasAmount {
			acts[i].Amount = &a.Amount
		}
		if t.later() == "" && !later(a) {
			continue
		}
		for _, id := range a.Targets {
			if slices.ContainsFunc(t.steps, func(st step) bool { return st.act == i && st.device == id }) {
				continue
			}
			if t.home.devices[id] != nil {
				acts[i].Targets = append(acts[i].Targets, t.target(id))
			}
		}
	}
	for i := range t.bookings {
		if b := &t.bookings[i]; b.timer != nil {
			acts[b.act].Timer = b.timer.ID
		}
	}
	for i := range t.notices {
		acts[t.notices[i].act].Announcement = t.notices[i].id
	}
	for i := range t.runs {
		acts[t.runs[i].act].Run = t.runs[i].run.ID
	}
	for i := range t.steps {
		st := &t.steps[i]
		target := t.target(st.device)
		target.Outcome, target.Reason, target.Command = st.outcome, st.reason, st.command
		if st.value != nil {
			target.Value = t.home.shown(st.device, t.reading.Actions[st.act].Prop, st.value)
		}
		acts[st.act].Targets = append(acts[st.act].Targets, target)
	}
	return acts
}

func (t *turn) target(id string) Target {
	d := t.home.devices[id]
	return Target{Device: id, Room: d.Room, Name: d.Names.In(t.out.Lang)}
}
