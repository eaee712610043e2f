package voice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/household/voice"
	"lampworks/nlu"
)

// handler is somebody who is handed sentences.
type handler func(ctx context.Context, asked voice.Asked) (voice.Handed, error)

func (h handler) HandOn(ctx context.Context, asked voice.Asked) (voice.Handed, error) {
	return h(ctx, asked)
}

const riddle = "今天晚上吃什么好呢"

// notUnderstood is what is said today.
const notUnderstood = "没有听懂。您可以说“打开客厅的灯”。"

// TestHandedOn: what is not understood goes to the handler with what it may be about, and its acts are carried out and confirmed
// as any other.
func TestHandedOn(t *testing.T) {
	var asked voice.Asked
	var answer voice.Handed
	times := 0
	h := newHouse(t, func(c *voice.Config) {
		c.Handler = handler(func(_ context.Context, a voice.Asked) (voice.Handed, error) {
			times++
			asked = a
			return answer, nil
		})
	})
	lamp := h.device["living room lamp"]
	answer.Actions = []nlu.Action{{Op: nlu.OpSet, Targets: []string{lamp}, Prop: "brightness", Value: 20.0}}
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: riddle + "客厅", Room: h.rooms["living room"]})
	if err != nil || a.Outcome != voice.Acted || a.Reason != "" || a.Actions[0].Targets[0].Outcome != voice.Done {
		t.Fatalf("%+v %v", a, err)
	}
	if got := h.road.sent(h); !slices.Equal(got, []string{`living room lamp {"brightness":20}`}) {
		t.Errorf("sent %q", got)
	}
	if names := stagesOf(&a); !slices.Equal(names, []string{"understand", "hand_on", "resolve", "send", "confirm", "answer"}) {
		t.Errorf("stages %q", names)
	}
	if asked.Text != riddle+"客厅" || asked.Lang != "zh-CN" || asked.Room != "客厅" || len(asked.Offer) != 5 || asked.Offer[0].Room != "客厅" ||
		!slices.Contains(asked.Offer[0].Properties, "powerstate") {
		t.Errorf("asked %+v", asked)
	}
	answer = voice.Handed{Reply: "今晚有雨。"}
	if a := h.say(t, "今天天气怎么样"); a.Outcome != voice.Chatted || a.Reply != "今晚有雨。" || a.Reason != "" {
		t.Errorf("%+v", a)
	}
	times = 0
	for _, text := range []string{"打开客厅的灯", "打开台灯", "打开厨房的灯", "不要开灯"} { // there is something to do, to ask, or to say about them
		h.say(t, text)
	}
	if _, err := h.voice.Understand(t.Context(), h.who, voice.Sentence{Home: h.id, Text: riddle}); err != nil || times != 0 {
		t.Errorf("%d sentences were handed on that were understood, or not to be done; %v", times, err)
	}
}

// TestHandlersAreNotBelieved: one that hangs, fails, panics or lies ends in the honest answer in time, and nothing is sent.
func TestHandlersAreNotBelieved(t *testing.T) {
	var do handler
	var logged bytes.Buffer
	h := newHouse(t, func(c *voice.Config) {
		c.Handler = handler(func(ctx context.Context, a voice.Asked) (voice.Handed, error) { return do(ctx, a) })
		c.HandOnWithin, c.Deadline = 50*time.Millisecond, 10*time.Second
		c.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	})
	lamp, curtain := h.device["living room lamp"], h.device["living room curtain"]
	acts := func(actions ...nlu.Action) handler {
		return func(context.Context, voice.Asked) (voice.Handed, error) { return voice.Handed{Actions: actions}, nil }
	}
	on := func(id string) nlu.Action {
		return nlu.Action{Op: nlu.OpSet, Targets: []string{id}, Prop: "powerstate", Value: true}
	}
	says := func(text string) handler {
		return func(context.Context, voice.Asked) (voice.Handed, error) { return voice.Handed{Reply: text}, nil }
	}
	release := make(chan struct{})
	var hanging sync.WaitGroup
	for name, does := range map[string]handler{
		"waits for its context": func(ctx context.Context, _ voice.Asked) (voice.Handed, error) {
			<-ctx.Done()
			return voice.Handed{}, ctx.Err()
		},
		"hangs": func(context.Context, voice.Asked) (voice.Handed, error) {
			hanging.Add(1)
			defer hanging.Done()
			<-release
			return voice.Handed{Actions: []nlu.Action{on(lamp)}}, nil
		},
		"fails": func(_ context.Context, a voice.Asked) (voice.Handed, error) {
			return voice.Handed{Actions: []nlu.Action{on(lamp)}}, errors.New("no model for " + a.Text)
		},
		"panics":                   func(context.Context, voice.Asked) (voice.Handed, error) { panic("lost") },
		"has nothing":              acts(),
		"makes up a device":        acts(on(lamp), on("0197-none")),
		"makes up a property":      acts(nlu.Action{Op: nlu.OpSet, Targets: []string{lamp}, Prop: "warp", Value: true}),
		"makes up a value":         acts(nlu.Action{Op: nlu.OpSet, Targets: []string{lamp}, Prop: "brightness", Value: 1000.0}),
		"makes up a service":       acts(nlu.Action{Op: nlu.OpCall, Targets: []string{curtain}, Service: "burn"}),
		"does one thing twice":     acts(on(lamp), on(lamp)),
		"does too much":            acts(slices.Repeat([]nlu.Action{on(lamp)}, 11)...),
		"starts a scene":           acts(nlu.Action{Op: nlu.OpScene, Scene: "x"}),
		"says too much":            says(strings.Repeat("好", 501)),
		"says what cannot be said": says("好\x00"),
		"says no text":             says("\xff\xfe"),
	} {
		do = does
		a := h.say(t, riddle)
		if a.Outcome != voice.Chatted || a.Reason != "not_understood" || a.Reply != notUnderstood || len(a.Actions) != 0 {
			t.Errorf("%s: %+v", name, a)
		}
		if got := h.road.sent(h); len(got) != 0 {
			t.Errorf("%s: sent %q", name, got)
		}
		if took := time.Duration(a.TotalUS) * time.Microsecond; took > 5*time.Second { // the deadline is twice that
			t.Errorf("%s: answered after %v", name, took)
		}
	}
	close(release)
	hanging.Wait()
	if text := logged.String(); strings.Contains(text, riddle) || strings.Count(text, "handed on in vain") != 15 {
		t.Errorf("the log says %s", text)
	}
}

// TestHandOnIsBounded: who is asked too much is asked no more, until they answer.
func TestHandOnIsBounded(t *testing.T) {
	release, began := make(chan struct{}), make(chan struct{}, 100)
	h := newHouse(t, func(c *voice.Config) {
		c.Handler = handler(func(context.Context, voice.Asked) (voice.Handed, error) {
			began <- struct{}{}
			<-release
			return voice.Handed{Reply: "好"}, nil
		})
		c.HandOnWithin = time.Millisecond
	})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: riddle, Speaker: fmt.Sprint(i)})
			if err != nil || a.Reply != notUnderstood {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
	all.Wait()
	for n := range 64 { // who is asked may begin after who asks has given up
		select {
		case <-began:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d are handed on at once", n)
		}
	}
	if n := len(began); n != 0 {
		t.Errorf("%d too many are handed on at once", n)
	}
	close(release)
}

// TestDangerIsNotHandedBack: what somebody would be asked about first is not done because a handler says so.
func TestDangerIsNotHandedBack(t *testing.T) {
	var target string
	h := newHouse(t, func(c *voice.Config) {
		c.Handler = handler(func(context.Context, voice.Asked) (voice.Handed, error) {
			return voice.Handed{Actions: []nlu.Action{{Op: nlu.OpSet, Targets: []string{target}, Prop: "powerstate", Value: true}}}, nil
		})
	})
	target = h.equip(t, "oven", "烤箱", "oven")
	if a := h.say(t, riddle); a.Outcome != voice.Chatted || a.Reply != notUnderstood || len(h.road.sent(h)) != 0 {
		t.Errorf("%+v", a)
	}
}

func stagesOf(a *voice.Answer) (names []string) {
	for _, s := range a.Stages {
		names = append(names, s.Name)
	}
	return names
}
