package voice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/nlu"
)

// The kinds of warnings.
const (
	SoundsAlike = "sounds_alike" // with another name of the home
	IsCommand   = "is_command"   // as it is: said alone, it does something, or asks for it
)

// A Warning is a name in a home that will not be understood well. It is allowed all the same.
type Warning struct {
	Kind    string
	Lang    string
	Name    string
	Of      string // id of the room or device that has it
	Other   string // the name it sounds like
	OtherOf string // whose that is
}

const maxWarnings = 200

// a called is a name of something in a home.
type called struct{ lang, name, of, room string }

// Warnings looks for names in a home that sound alike, or are commands.
func (s *Service) Warnings(ctx context.Context, who access.Actor, homeID string) ([]Warning, error) {
	h, err := s.c.Homes.Load(ctx, who, homeID)
	if err != nil {
		return nil, err
	}
	bare, err := nlu.Compile(nlu.Home{})
	if err != nil {
		return nil, fmt.Errorf("reading the names of home %s: %w", homeID, err)
	}
	all := calledIn(&h)
	found := []Warning{}
	heard := make(map[string][]called)
	for _, c := range all {
		if len(found) >= maxWarnings {
			break
		}
		if commands(bare, c) {
			found = append(found, Warning{Kind: IsCommand, Lang: c.lang, Name: c.name, Of: c.of})
		}
		key := nlu.Heard(c.name)
		if i := slices.IndexFunc(heard[key], func(o called) bool { return o.of != c.of && (o.room == c.room || o.room == "" || c.room == "") }); i >= 0 {
			o := heard[key][i]
			found = append(found, Warning{Kind: SoundsAlike, Lang: c.lang, Name: c.name, Of: c.of, Other: o.name, OtherOf: o.of})
		}
		heard[key] = append(heard[key], c)
	}
	return found, nil
}

// calledIn lists the names of a home: devices of one name in two rooms are told apart by the room.
func calledIn(h *home.Home) (all []called) {
	for i := range h.Rooms {
		h.Rooms[i].Each(func(lang, name string) { all = append(all, called{lang, name, h.Rooms[i].ID, ""}) })
	}
	for i := range h.Devices {
		h.Devices[i].Each(func(lang, name string) {
			all = append(all, called{lang, name, h.Devices[i].ID, h.Devices[i].Room})
		})
	}
	return all
}

// commands says whether a name is a command where nothing of that name is (关灯), or the verb of one (打开). The number in it does not
// make it one: 台灯一.
func commands(bare *nlu.Index, c called) bool {
	word := strings.TrimFunc(c.name, func(r rune) bool {
		return unicode.IsDigit(r) || r == ' ' || strings.ContainsRune("零一二两三四五六七八九十号", r)
	})
	r := bare.Read(&nlu.Context{Lang: c.lang}, word)
	switch r.Outcome {
	case nlu.Act:
		return true
	case nlu.Reject:
		return r.Reason.Code == nlu.NoSuchDevice
	case nlu.Clarify:
		return r.Reason.Code == nlu.MissingDevice
	case nlu.Chat:
	}
	return false
}
