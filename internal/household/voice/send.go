package voice

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"lampworks/internal/fleet/command"
	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// send submits one command for each device, all in one transaction. Several
// properties of one device go together; a property that is set twice is two
// commands, in order.
func (t *turn) send(ctx context.Context) (string, error) {
	detail, err := t.sendPart(ctx, false)
	if err != nil {
		return "", err
	}
	n, err := t.startScenes(ctx)
	if err != nil {
		return "", err
	}
	if behind, err := t.sendPart(ctx, true); err != nil {
		return "", err
	} else if behind != "" {
		detail = behind
	}
	if err := t.book(ctx); err != nil {
		return "", err
	}
	if err := t.announce(ctx); err != nil {
		return "", err
	}
	if err := t.undo(ctx); err != nil {
		return "", err
	}
	t.s.deeds.did(t)
	switch {
	case detail == "" && t.undone != nil:
		detail = t.words().say(stageUndone)
	case detail == "" && n > 0:
		detail = t.words().say(stageScenes, "n", strconv.Itoa(n))
	case detail == "" && len(t.notices) > 0:
		detail = t.words().say(stageAnnounced)
	case detail == "":
		detail = t.words().say(stageTimers, "n", strconv.Itoa(len(t.bookings)))
	}
	return detail, nil
}

// sendPart sends what stands before the first scene of the sentence, or behind it: that is said to hold when the scene is over.
func (t *turn) sendPart(ctx context.Context, behind bool) (string, error) {
	reqs, members := t.requests(behind)
	if len(reqs) == 0 {
		return "", nil
	}
	if behind {
		t.letScenes(ctx)
	}
	return t.sendAll(ctx, reqs, members)
}

func (t *turn) sendAll(ctx context.Context, reqs []command.Request, members [][]int) (string, error) {
	cs, err := t.s.c.Commands.Submit(ctx, t.who, reqs...)
	if err == nil {
		for i := range cs {
			t.submitted(members[i], cs[i])
		}
		return t.words().say(stageSent, "n", strconv.Itoa(len(cs))), nil
	}
	if !refusal(err) {
		return "", fmt.Errorf("sending the commands of sentence %s: %w", t.id, err)
	}
	for i := range reqs { // one of them was refused and took the others with it: each for itself
		cs, err := t.s.c.Commands.Submit(ctx, t.who, reqs[i])
		switch {
		case err == nil:
			t.submitted(members[i], cs[0])
		case refusal(err):
			t.refused(members[i], err)
		default:
			return "", fmt.Errorf("sending a command of sentence %s: %w", t.id, err)
		}
	}
	return t.words().say(stageSome, "n", strconv.Itoa(len(t.sent)), "of", strconv.Itoa(len(reqs))), nil
}

// requests gathers the steps of each device, of those before the first scene or behind it. members holds, for each request,
// the indexes of its steps.
func (t *turn) requests(behind bool) (reqs []command.Request, members [][]int) {
	first := slices.IndexFunc(t.reading.Actions, isScene)
	open := make(map[string]int) // device → its last request
	for i := range t.steps {
		st := &t.steps[i]
		if st.params == nil || behind != (first >= 0 && st.act > first) {
			continue
		}
		if st.service != "" {
			delete(open, st.device) // what follows is sent after it
			reqs = append(reqs, command.Request{
				Device: st.device, Kind: command.Service, Service: st.service, Params: st.params,
				Deadline: t.s.c.CommandDeadline, Origin: "voice", Ref: t.id, Home: t.home.home.ID,
			})
			members = append(members, []int{i})
			continue
		}
		at, ok := open[st.device]
		if ok && !slices.ContainsFunc(members[at], func(m int) bool { return overlap(t.steps[m].sets, st.sets) }) {
			reqs[at].Params = merge(reqs[at].Params, st.params)
			members[at] = append(members[at], i)
			continue
		}
		open[st.device] = len(reqs)
		reqs = append(reqs, command.Request{
			Device: st.device, Kind: command.PropertySet, Params: st.params,
			Deadline: t.s.c.CommandDeadline, Origin: "voice", Ref: t.id, Home: t.home.home.ID,
		})
		members = append(members, []int{i})
	}
	return reqs, members
}

func overlap(a, b map[string]json.RawMessage) bool {
	for k := range a {
		if _, both := b[k]; both {
			return true
		}
	}
	return false
}

// merge puts two JSON objects with different members into one.
func merge(a, b json.RawMessage) json.RawMessage {
	a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	return slices.Concat(a[:len(a)-1], []byte(","), b[1:])
}

// refusal says whether an error is about the command rather than the program.
func refusal(err error) bool {
	if _, is := errors.AsType[*tsl.Violation](err); is {
		return true
	}
	f := fault.Of(err)
	return f != nil && !fault.Passes(f)
}

func (t *turn) submitted(members []int, c command.Command) {
	t.sent = append(t.sent, c.ID)
	for _, m := range members {
		t.steps[m].command = c.ID
	}
}

func (t *turn) refused(members []int, err error) {
	reason := Invalid
	switch {
	case fault.Is(err, fault.OverLimit):
		reason = Busy
	case fault.Is(err, fault.Suspended):
		reason = Suspended
	}
	for _, m := range members {
		t.steps[m].outcome, t.steps[m].reason = Undone, reason
	}
}

// confirm waits until every command ended, or for what is left of the deadline.
func (t *turn) confirm(ctx context.Context) (string, error) {
	end := t.patience()
	if t.late {
		end, _ = ctx.Deadline()
	}
	waiting, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	cs, err := t.s.c.Commands.Wait(waiting, t.sent...)
	if err == nil || waiting.Err() != nil && ctx.Err() == nil {
		err = cmp.Or(t.watchScenes(waiting), err)
	}
	switch {
	case ctx.Err() != nil && !t.late: // nobody waits for the answer any more
		return "", fmt.Errorf("waiting for the devices of sentence %s: %w", t.id, ctx.Err())
	case err != nil && waiting.Err() == nil:
		return "", fmt.Errorf("waiting for the devices of sentence %s: %w", t.id, err)
	}
	ended := make(map[string]*command.Command, len(cs))
	for i := range cs {
		ended[cs[i].ID] = &cs[i]
	}
	done := 0
	var wrong []string
	for i := range t.steps {
		st := &t.steps[i]
		if st.command == "" {
			continue
		}
		if isScene(t.reading.Actions[st.act]) {
			if st.outcome == Done {
				done++
			}
			continue
		}
		c := ended[st.command]
		if st.judge(c); t.early && c != nil && !c.Ended() {
			st.outcome, st.reason = Sent, ""
		}
		switch {
		case st.outcome == Sent:
		case st.outcome != Undone:
			done++
		case st.reason == Wrong:
			wrong = append(wrong, st.device)
		}
	}
	if len(wrong) > 0 {
		if err := t.look(ctx, wrong...); err != nil {
			return "", err
		}
		t.reportedInstead()
	}
	return t.words().say(stageConfirmed, "n", strconv.Itoa(done), "of", strconv.Itoa(len(t.steps))), nil
}

// judge gives a step the end of its command; nil is a command nobody could read.
func (st *step) judge(c *command.Command) {
	if c != nil && c.State == command.Succeeded {
		st.outcome = Done
		if st.same {
			st.outcome = Already
		}
		return
	}
	st.outcome, st.reason = Undone, Silent
	switch {
	case c == nil:
	case c.Contradicted():
		st.reason = Wrong
	case !c.Ended():
		if c.State == command.Accepted {
			st.reason = Waiting
		}
	case c.Reason == command.Refused:
		st.reason, st.note = Refused, c.Note
	case c.Reason == command.Wrong:
		st.reason = Wrong
	case c.Reason == command.Offline:
		st.reason = Offline
	case c.Reason == command.Replaced, c.Reason == command.Withdrawn, c.Reason == command.Parted:
		st.reason = Replaced
	default:
		st.reason = Unconfirmed
	}
}

// reportedInstead finds the value that the device gave where another was asked.
func (t *turn) reportedInstead() {
	for i := range t.steps {
		st := &t.steps[i]
		if st.reason != Wrong {
			continue
		}
		prop := t.reading.Actions[st.act].Prop
		if now := t.states[st.device].Reported[prop].Value; now != nil && !equal(now, st.sets[prop]) {
			st.value = now
		}
	}
}
