package nlu

import "strings"

// This file reads announcements and lists in the terms of the ha-* sets.

// leftover is the raw text of the longest run of tokens that keep says belong to no structure.
func (h *haReader) leftover(keep func(*token) bool) string {
	best, at := [2]int32{}, -1
	for i := 0; i <= len(h.tokens); i++ {
		if i < len(h.tokens) && keep(&h.tokens[i]) {
			if at < 0 {
				at = i
			}
			continue
		}
		if at >= 0 {
			if from, to := h.tokens[at].start, h.tokens[i-1].end; to-from > best[1]-best[0] {
				best = [2]int32{from, to}
			}
			at = -1
		}
	}
	return h.rawSpan(best[0], best[1])
}

// rawSpan is the utterance as it was given between two positions of the text.
func (s *scan) rawSpan(from, to int32) string {
	if from >= to {
		return ""
	}
	end := len(s.raw)
	if int(to) < len(s.origin) {
		end = s.origin[to]
	}
	return strings.Trim(s.raw[s.origin[from]:end], " ，。！？,.!?、")
}

func (h *haReader) broadcast() {
	h.is("Broadcast")
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cTopic); ok && s.code == topicBroadcast {
			h.out.Slots["message"] = h.rawSpan(h.tokens[i].end, int32(len(h.text)))
			return
		}
	}
}

// list reads items of lists.
func (h *haReader) list() {
	skip := cTopic.bit() | cBa.bit() | cIn.bit() | cOf.bit() | cAsk.bit() | cTo.bit() | cBy.bit() | cParticle.bit()
	if h.lang == Chinese {
		skip |= cFiller.bit()
	}
	structural := func(t *token) bool {
		if t.mask == 0 || t.mask.has(cNumber) {
			return false
		}
		if t.mask.has(cDevice) {
			return true
		}
		v, ok := h.sense(t, cVerb)
		if ok {
			switch v.verb() {
			case vCancel, vUp, vDown, vSet, vTell:
				return true
			}
		}
		return t.mask.any(skip) || t.mask == cNone.bit()
	}
	shopping := h.topic(topicShopping) || h.category("todo") < 0
	verb := "AddItem"
	switch {
	case h.topic(topicDone), h.saidBefore(vTell):
		verb = "CompleteItem"
	case h.saidBefore(vCancel, vDown):
		verb = "RemoveItem"
	}
	if item := h.leftover(func(t *token) bool { return !structural(t) }); item != "" {
		h.out.Slots["item"] = item
	}
	if shopping {
		if verb == "RemoveItem" {
			verb = "CompleteItem"
		}
		h.is("ShoppingList" + verb)
		return
	}
	h.is("List" + verb)
	h.out.Slots["name"] = h.x.devices[h.category("todo")].label
}
