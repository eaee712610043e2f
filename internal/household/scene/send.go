package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

// Reasons of a step, beside those of [Flaw].
const (
	Offline      = "offline"       // it is not connected; nothing was sent
	Waiting      = "waiting"       // the command waits: it did not reach the device yet
	Silent       = "silent"        // it was sent and is not answered
	Unconfirmed  = "unconfirmed"   // it was sent and nobody will know whether it was done
	Wrong        = "wrong"         // it says it did it and reports another value
	Refused      = "refused"       // it answered that it will not
	Replaced     = "replaced"      // a newer command took its place
	Busy         = "busy"          // too many commands wait for it
	Suspended    = "suspended"     // a measure of the operator refuses it
	UnknownState = "unknown_state" // a change of a value nobody knows
	Invalid      = "invalid"       // the command was not accepted
	Stopped      = "stopped"       // somebody stopped the run before
)

// A scenery is what steps are carried out in: the home as it is now.
type scenery struct {
	of     models
	online map[string]bool
	states map[string]shadow.State
}

// survey looks at the home for steps of a run.
func (s *Service) survey(ctx context.Context, r *Run, steps []Step) (*scenery, error) {
	me := access.System("scene", r.Organisation)
	h, err := s.c.Homes.Load(ctx, me, r.Home)
	if err != nil {
		return nil, err
	}
	var devices, adjusted []string
	here := make(map[string]bool, len(h.Devices))
	for i := range h.Devices {
		here[h.Devices[i].ID] = true
	}
	for i := range steps {
		d := steps[i].Device
		if !here[d] {
			continue
		}
		devices = append(devices, d)
		if steps[i].Kind == Adjust {
			adjusted = append(adjusted, d)
		}
	}
	h.Devices = slices.DeleteFunc(h.Devices, func(d home.Device) bool { return !slices.Contains(devices, d.ID) })
	sc := &scenery{}
	if sc.of, err = s.modelsOf(ctx, &h); err != nil {
		return nil, err
	}
	if sc.online, err = s.c.Homes.Online(ctx, me, r.Home, devices...); err != nil {
		return nil, err
	}
	for _, d := range devices {
		sc.online[d] = sc.online[d] || s.c.Live != nil && s.c.Live(d)
	}
	if len(adjusted) > 0 {
		sc.states, err = s.c.Shadows.States(ctx, adjusted...)
	}
	return sc, err
}

// send carries out the steps of a run up to one, all at once or, where one is refused, each for itself.
func (s *Service) send(ctx context.Context, r *Run, to int) error {
	sc, err := s.survey(ctx, r, r.Steps[r.Position:to])
	if err != nil {
		return err
	}
	err = s.submit(ctx, r, to, sc)
	if err == nil || !refusal(err) {
		return err
	}
	for to > r.Position {
		err := s.submit(ctx, r, r.Position+1, sc)
		if err != nil && refusal(err) {
			st := &r.Steps[r.Position]
			st.Outcome, st.Reason = Undone, refused(err)
			err = s.step(ctx, r, r.Position+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// submit sends the steps of a run up to one. Their commands and the place that the run has come to are one transaction: when the
// program is killed, both are there or neither. After an error r is as it was.
func (s *Service) submit(ctx context.Context, r *Run, to int, sc *scenery) error {
	next := *r
	next.Steps, next.Position = slices.Clone(r.Steps), to
	var reqs []command.Request
	for i := r.Position; i < to; i++ {
		st := &next.Steps[i]
		if st.Outcome != "" {
			continue
		}
		if req, ok := sc.request(st); ok {
			req.ID = newID()
			req.Origin, req.Ref, req.Home = r.Origin, r.ID, r.Home
			st.Command = req.ID
			reqs = append(reqs, req)
		}
	}
	from := r.Position
	if len(reqs) == 0 {
		if err := s.c.Store.Write(ctx, func(tx *store.Tx) error { return next.move(ctx, tx, from) }); err != nil {
			return err
		}
		*r = next
		return nil
	}
	act := store.Alongside(ctx, func(ctx context.Context, tx *store.Tx) error { return next.move(ctx, tx, from) })
	if _, err := s.c.Commands.Submit(act, r.actor, reqs...); err != nil {
		return fmt.Errorf("sending the commands of run %s: %w", r.ID, err)
	}
	*r = next
	return nil
}

// request is what is sent for a step; ok is false for one that cannot be sent, and has its outcome then.
func (sc *scenery) request(st *Step) (req command.Request, ok bool) {
	model, here := sc.of[st.Device]
	if !here {
		st.Outcome, st.Reason = Skipped, Gone
		return req, false
	}
	if !sc.online[st.Device] {
		st.Outcome, st.Reason = Undone, Offline
		return req, false
	}
	req = command.Request{Device: st.Device, Kind: command.PropertySet, Params: st.Params}
	switch {
	case model == nil || st.fits("", model) != nil:
		st.Outcome, st.Reason = Skipped, NotInModel
		return req, false
	case st.Kind == Call:
		req.Kind, req.Service = command.Service, st.Service
	case st.Kind == Adjust:
		p, _ := model.Property(st.Property)
		params, known := adjusted(p, sc.states[st.Device].Reported[st.Property].Value, st.By)
		if !known {
			st.Outcome, st.Reason = Undone, UnknownState
			return req, false
		}
		req.Params = params
	}
	return req, true
}

// adjusted sets a property to what was reported and so much more, within its limits and on its steps.
func adjusted(p *tsl.Property, reported json.RawMessage, by float64) (json.RawMessage, bool) {
	var now float64
	if json.Unmarshal(reported, &now) != nil {
		return nil, false
	}
	v := now + by
	if p.HasRange {
		v = min(max(v, p.Min), p.Max)
	}
	if p.Step > 0 {
		v = p.Min + math.Round((v-p.Min)/p.Step)*p.Step
		if p.HasRange && v > p.Max {
			v -= p.Step
		}
	}
	form := strconv.FormatFloat(v, 'f', -1, 64)
	if p.Type == tsl.Int {
		form = strconv.FormatInt(int64(math.Round(v)), 10)
	}
	return json.RawMessage(`{` + strconv.Quote(p.Identifier) + `:` + form + `}`), true
}

func refused(err error) string {
	switch {
	case fault.Is(err, fault.OverLimit):
		return Busy
	case fault.Is(err, fault.Suspended):
		return Suspended
	}
	return Invalid
}

// judge gives the steps that were sent what their commands have come to, at the end of ctx at the latest.
func (s *Service) judge(ctx context.Context, r *Run) error {
	var ids []string
	for i := range r.Steps {
		if st := &r.Steps[i]; st.Command != "" && st.Outcome == "" {
			ids = append(ids, st.Command)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	cs, err := s.c.Commands.Wait(ctx, ids...)
	byID := make(map[string]*command.Command, len(cs))
	for i := range cs {
		byID[cs[i].ID] = &cs[i]
	}
	for i := range r.Steps {
		if st := &r.Steps[i]; st.Command != "" && st.Outcome == "" {
			st.judge(byID[st.Command])
		}
	}
	return err
}

// judge gives a step the end of its command; nil is a command nobody could read.
func (st *Step) judge(c *command.Command) {
	if c != nil && c.State == command.Succeeded {
		st.Outcome = Confirmed
		return
	}
	st.Outcome, st.Reason = Undone, Silent
	switch {
	case c == nil:
		st.Reason = Unconfirmed
	case c.Contradicted():
		st.Reason = Wrong
	case !c.Ended():
		if c.State == command.Accepted {
			st.Reason = Waiting
		}
	case c.Reason == command.Refused:
		st.Reason, st.Note = Refused, c.Note
	case c.Reason == command.Wrong:
		st.Reason = Wrong
	case c.Reason == command.Offline:
		st.Reason = Offline
	case c.Reason == command.Replaced, c.Reason == command.Withdrawn, c.Reason == command.Parted:
		st.Reason = Replaced
	default:
		st.Reason = Unconfirmed
	}
}
