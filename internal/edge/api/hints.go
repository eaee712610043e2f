package api

import (
	"context"
	"maps"
	"slices"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
)

// maxLikely bounds the names of a home that a recogniser is told of.
const maxLikely = 500

// likely are the names that people of a home say, in a language, or in all if none is given.
func (a *API) likely(ctx context.Context, who access.Actor, h *home.Home, lang string) ([]string, error) {
	scenes, err := a.Scenes.List(ctx, who, h.ID)
	if err != nil {
		return nil, err
	}
	return likelyOf(h, scenes, lang), nil
}

// likelyOf puts first what everything is called, and other words for it behind. Nothing that is said reaches a device that is hidden:
// its names are not told.
func likelyOf(h *home.Home, scenes []scene.Scene, lang string) []string {
	var first, others []string
	name := func(names home.Names) {
		for _, l := range slices.Sorted(maps.Keys(names)) {
			if lang == "" || l == lang {
				first = append(first, names[l])
			}
		}
	}
	other := func(aliases home.Aliases) {
		for _, l := range slices.Sorted(maps.Keys(aliases)) {
			if lang == "" || l == lang {
				others = append(others, aliases[l]...)
			}
		}
	}
	for i := range h.Rooms {
		name(h.Rooms[i].Names)
		name(h.Rooms[i].Floor)
		other(h.Rooms[i].Aliases)
	}
	for i := range scenes {
		name(scenes[i].Names)
		other(scenes[i].Phrases)
		other(scenes[i].Aliases)
	}
	for i := range h.Devices {
		if !h.Devices[i].Hidden {
			name(h.Devices[i].Names)
			other(h.Devices[i].Aliases)
		}
	}
	seen := make(map[string]bool)
	words := slices.DeleteFunc(append(first, others...), func(word string) bool {
		again := seen[word]
		seen[word] = true
		return again
	})
	return words[:min(len(words), maxLikely)]
}
