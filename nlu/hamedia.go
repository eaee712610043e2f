package nlu

import "strings"

// This file reads players, cleaners and mowers in the terms of the ha-* sets.

// mediaClasses are the words for kinds of media.
var mediaClasses = []struct{ word, class string }{
	{"the artist", "artist"},
	{"artist", "artist"},
	{"the album", "album"},
	{"album", "album"},
	{"the song", "track"},
	{"the track", "track"},
	{"song", "track"},
	{"the playlist", "playlist"},
	{"the movie", "movie"},
	{"专辑", "album"},
	{"的歌", "track"},
	{"歌曲", "track"},
	{"电影", "movie"},
	{"播放清单", "playlist"},
}

// play reads what is to be played: the words that nothing else explains.
func (h *haReader) play() {
	query := h.leftover(func(t *token) bool {
		return t.mask == 0 || !t.mask.any(cVerb.bit()|cIn.bit()|cRoom.bit()|cFloor.bit()|cDevice.bit()|cType.bit()|cMedia.bit()|cBa.bit()|cOf.bit()|cAsk.bit()|cHere.bit()|cTo.bit())
	})
	if query == "" {
		h.media("MediaUnpause")
		return
	}
	h.media("MediaSearchAndPlay")
	for _, c := range mediaClasses {
		if name, ok := strings.CutPrefix(query, c.word+" "); ok {
			h.out.Slots["media_class"], query = c.class, name
		} else if strings.HasSuffix(string(h.text), c.word) {
			h.out.Slots["media_class"] = c.class
			query = strings.TrimSuffix(strings.TrimSuffix(query, c.word), "的")
		}
	}
	h.out.Slots["search_query"] = strings.TrimSpace(query)
}

func (h *haReader) media(name string) {
	h.is(name)
	if h.name() >= 0 {
		h.places()
		return
	}
	h.places()
}

func (h *haReader) work(c string) {
	switch h.f.verb {
	case vNext:
		h.media("MediaNext")
	case vPrevious:
		h.media("MediaPrevious")
	case vPause:
		h.media("MediaPause")
	case vResume:
		h.media("MediaUnpause")
	case vMute:
		h.media("MediaPlayerMute")
	case vUnmute:
		h.media("MediaPlayerUnmute")
	case vPlay:
		h.play()
	case vMow:
		h.media("LawnMowerStartMowing")
		if h.saidBefore(vStop, vCancel) {
			h.is("LawnMowerDock")
		}
	default:
		h.machine(c)
	}
}

// saidBefore: one of the verbs stands anywhere in the sentence.
func (h *haReader) saidBefore(vs ...verb) bool {
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cVerb); ok {
			for _, v := range vs {
				if s.verb() == v {
					return true
				}
			}
		}
	}
	return false
}

func (h *haReader) machine(c string) {
	mower := c == "mower"
	switch h.f.verb {
	case vDock, vStop:
		h.media("VacuumReturnToBase")
		if mower {
			h.is("LawnMowerDock")
		}
		return
	}
	if mower {
		h.media("LawnMowerStartMowing")
		return
	}
	h.name()
	h.places()
	_, area := h.out.Slots["area"]
	here := false
	for i := range h.f.targets {
		here = here || h.f.targets[i].here
	}
	if area || here {
		h.is("VacuumCleanArea")
		return
	}
	h.is("VacuumStart")
}
