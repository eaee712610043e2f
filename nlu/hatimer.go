package nlu

import (
	"math"
	"strings"
)

// This file reads timers in the terms of the ha-* sets.

func (h *haReader) hasTimer() bool {
	for i := range h.frames {
		if h.frames[i].timer {
			return true
		}
	}
	return false
}

// timerToken is where the timer was said, -1 nowhere.
func (h *haReader) timerToken() int {
	for i := range h.tokens {
		if h.tokens[i].mask.has(cTimer) {
			return i
		}
	}
	return -1
}

// spans are the tokens that are durations.
func (h *haReader) spans() []int {
	var out []int
	for i := range h.tokens {
		if t := &h.tokens[i]; t.number != 0 && t.mask == cNumber.bit() && h.numbers[t.number-1].kind == qDuration {
			out = append(out, i)
		}
	}
	return out
}

func (h *haReader) length(i int, prefix string) {
	q := h.numbers[h.tokens[i].number-1]
	for _, part := range []struct {
		name  string
		value float64
	}{{"hours", q.hours}, {"minutes", q.mins}, {"seconds", q.secs}} {
		if part.value > 0 {
			h.out.Slots[prefix+part.name] = roundedSlot(part.value)
		}
	}
}

func (h *haReader) timer() {
	at, spans := h.timerToken(), h.spans()
	kind := h.timerIntent(at, spans)
	h.is(kind)
	if kind == "StartTimer" {
		for _, i := range spans {
			h.length(i, "")
		}
		if command := h.command(spans); command != "" {
			h.out.Slots["conversation_command"] = command
			return
		}
	} else {
		h.lengths(kind, at, spans)
	}
	h.timerPlace()
	if _, placed := h.out.Slots["area"]; !placed {
		if name := h.timerName(at); name != "" {
			h.out.Slots["name"] = name
		}
	}
}

func (h *haReader) timerPlace() {
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cRoom); ok {
			h.out.Slots["area"] = h.x.rooms[s.code].label
			return
		}
	}
}

func (h *haReader) timerIntent(at int, spans []int) string {
	all := false
	for i := range h.tokens {
		all = all || h.tokens[i].mask.has(cAll)
	}
	put := h.topic(topicPut)
	switch {
	case at < 0:
		return "StartTimer"
	case h.saidBefore(vCancel, vOff, vStop) && all:
		return "CancelAllTimers"
	case h.saidBefore(vUp) && len(spans) > 0 || put && len(spans) > 0:
		return "IncreaseTimer"
	case h.saidBefore(vDown) && len(spans) > 0:
		return "DecreaseTimer"
	case h.saidBefore(vCancel, vStop) || h.saidBefore(vOff) && h.commandless(at):
		return "CancelTimer"
	case h.saidBefore(vPause):
		return "PauseTimer"
	case h.saidBefore(vResume):
		return "UnpauseTimer"
	case h.asksTimer():
		return "TimerStatus"
	}
	return "StartTimer"
}

// commandless: the verb is about the timer, no device is named.
func (h *haReader) commandless(int) bool {
	for i := range h.frames {
		for k := range h.frames[i].targets {
			if h.frames[i].targets[k].noun() {
				return false
			}
		}
	}
	return true
}

func (h *haReader) asksTimer() bool {
	for i := range h.tokens {
		if h.tokens[i].mask.any(cQHow.bit()|cQIs.bit()|cLeft.bit()) || h.saidBefore(vTell) {
			return true
		}
	}
	return false
}

// lengths tells the length that names a timer from the one to change it by.
func (h *haReader) lengths(kind string, at int, spans []int) {
	if kind != "IncreaseTimer" && kind != "DecreaseTimer" {
		for _, i := range spans {
			h.length(i, "start_")
		}
		return
	}
	start := -1
	if len(spans) > 1 {
		for _, i := range spans {
			if h.namesTimer(i, at) {
				start = i
			}
		}
	}
	for _, i := range spans {
		if i == start {
			h.length(i, "start_")
		} else {
			h.length(i, "")
		}
	}
}

// namesTimer: the duration stands right before the timer, or in "timer for …".
func (h *haReader) namesTimer(i, at int) bool {
	if i < at {
		for k := i + 1; k < at; k++ {
			if !h.tokens[k].mask.any(cOf.bit() | cFiller.bit()) {
				return false
			}
		}
		return true
	}
	return h.lang == English && i > at && i <= at+2 && !h.tokens[i-1].mask.any(cBy.bit()|cTo.bit())
}

// command is what is to be done when the time is over.
func (h *haReader) command(spans []int) string {
	if len(spans) == 0 {
		return ""
	}
	from, to := h.tokens[spans[0]].start, h.tokens[spans[len(spans)-1]].end
	first, last := spans[0], spans[len(spans)-1]
	if first > 0 && h.tokens[first-1].mask.has(cIn) {
		from = h.tokens[first-1].start
	}
	for k := last + 1; k < len(h.tokens) && h.tokens[k].mask.any(cAfter.bit()); k++ {
		to = h.tokens[k].end
	}
	orders := func(a, b int32) bool {
		acts, named := false, false
		for i := range h.tokens {
			if t := &h.tokens[i]; t.start >= a && t.end <= b {
				s, ok := h.sense(t, cVerb)
				acts = acts || ok && s.verb() != vSet && s.verb() != vStart && s.verb() != vTell
				named = named || t.mask.any(nounClasses|cScene.bit())
			}
		}
		return acts && named
	}
	before, after := h.rawSpan(0, from), h.rawSpan(to, int32(len(h.text)))
	switch {
	case orders(to, int32(len(h.text))):
		return after
	case orders(0, from):
		for i := range h.tokens { // 关灯设置10分钟计时器
			if t := &h.tokens[i]; t.end == from {
				if s, ok := h.sense(t, cVerb); ok && (s.verb() == vSet || s.verb() == vStart) {
					return h.rawSpan(0, t.start)
				}
			}
		}
		return before
	}
	return ""
}

// timerName is the name of a timer: 煮面计时器, timer named pizza.
func (h *haReader) timerName(at int) string {
	if at < 0 {
		return ""
	}
	for i := range h.tokens {
		t := &h.tokens[i]
		w := string(h.text[t.start:t.end])
		if t.mask.has(cNamed) || w == "叫" || w == "for" && i > at && i+1 < len(h.tokens) && h.tokens[i+1].number == 0 || w == "叫做" {
			if name := h.nameFrom(i+1, 1); name != "" {
				return name
			}
		}
	}
	return h.nameFrom(at-1, -1)
}

// nameFrom takes the run of words from token i in one direction that can be a name.
func (h *haReader) nameFrom(i, step int) string {
	for i >= 0 && i < len(h.tokens) && h.tokens[i].mask.any(cOf.bit()|cFiller.bit()|cNamed.bit()) && h.tokens[i].mask != 0 {
		i += step
	}
	from, to := int32(len(h.text)), int32(0)
	for ; i >= 0 && i < len(h.tokens); i += step {
		t := &h.tokens[i]
		structural := t.number != 0 && t.mask == cNumber.bit() || t.mask.any(cVerb.bit()|cOf.bit()|cBa.bit()|cTimer.bit()|cAll.bit()|cIn.bit()|cBy.bit()|cTo.bit()|cFiller.bit()|cAsk.bit()|cQHow.bit()|cQIs.bit()|cTopic.bit()|cLeft.bit()|cNamed.bit()) || t.mask == cNone.bit()
		if structural && t.mask != 0 {
			break
		}
		from, to = min(from, t.start), max(to, t.end)
	}
	if to == 0 {
		return ""
	}
	return strings.TrimSpace(h.rawSpan(from, to))
}

func roundedSlot(v float64) float64 { return math.Round(v*100) / 100 }
