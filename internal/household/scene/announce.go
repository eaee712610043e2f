package scene

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// MaxAnnounced is how many characters an announcement has at most.
const MaxAnnounced = 200

// Reasons of an announcement that was not made.
const (
	NoSpeaker = "no_speaker" // none listens there
	TooMany   = "too_often"  // the home announces too often
)

// CheckText refuses what cannot be announced.
func CheckText(at, text string) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return fault.Invalid(at, text, "UTF-8", "encode it as UTF-8")
	case n == 0:
		return fault.Invalid(at, "", "what is to be announced", "send words")
	case n > MaxAnnounced:
		return fault.Invalid(at, strconv.Itoa(n)+" characters", "at most "+strconv.Itoa(MaxAnnounced)+" characters", "say it shorter")
	case strings.ContainsFunc(text, unicode.IsControl):
		return fault.Invalid(at, text, "a text without control characters", "take them out")
	}
	return nil
}

// checkRooms holds the rooms that an action names against those of the home.
func (a *Action) checkRooms(at string, h *home.Home) error {
	for i, id := range a.Rooms {
		if !slices.ContainsFunc(h.Rooms, func(r home.Room) bool { return r.ID == id }) {
			f := fault.NotFound("room", id)
			f.Where = at + "/rooms/" + strconv.Itoa(i)
			return f
		}
	}
	return nil
}

// AnnounceBy names who makes announcements. It is called before the first run.
func (s *Service) AnnounceBy(announce func(ctx context.Context, who access.Actor, homeID, text string, rooms []string) error) {
	s.announce = announce
}

// say makes the announcement of the next step of a run. It and the place that the run has come to are one transaction: when the program
// is killed, both are there or neither.
func (s *Service) say(ctx context.Context, r *Run) error {
	next, from := *r, r.Position
	next.Steps, next.Position = append([]Step{}, r.Steps...), from+1
	st := &next.Steps[from]
	st.Outcome = Confirmed
	act := store.Alongside(ctx, func(ctx context.Context, tx *store.Tx) error { return next.move(ctx, tx, from) })
	err := fault.Conflict("speakers", "no speaker listens there")
	if s.announce != nil {
		if e := s.announce(act, access.System("scene", r.Organisation), r.Home, st.Text, st.Rooms); e == nil || !refusal(e) {
			return e
		} else if f := fault.Of(e); f != nil {
			err = f
		}
	}
	st.Outcome, st.Reason = Undone, Invalid
	switch {
	case fault.Is(err, fault.Clash):
		st.Reason = NoSpeaker
	case fault.Is(err, fault.OverLimit):
		st.Reason = TooMany
	case fault.Is(err, fault.Missing):
		st.Reason = Gone
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error { return next.move(ctx, tx, from) })
}
