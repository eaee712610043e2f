package home

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits of speakers.
const (
	MaxSpeakers    = 100 // that one home has placed
	maxSpeakerName = 64  // bytes
)

// A Speaker is where sentences come from (音箱), and the room it stands in. It is called as it calls itself with a sentence: by a name, or,
// if it is a device of the home, by its id.
type Speaker struct{ ID, Room string }

// RoomOf is the room that a speaker stands in: as somebody said, or else as the device of that id is placed. Empty: nobody knows.
func (h *Home) RoomOf(speaker string) string {
	for i := range h.Speakers {
		if h.Speakers[i].ID == speaker {
			return h.Speakers[i].Room
		}
	}
	for i := range h.Devices {
		if h.Devices[i].ID == speaker {
			return h.Devices[i].Room
		}
	}
	return ""
}

// PlaceSpeaker says in which room a speaker stands: what is said to it without naming a room is meant there.
func (s *Service) PlaceSpeaker(ctx context.Context, who access.Actor, homeID, speaker, room string) error {
	if speaker == "" || len(speaker) > maxSpeakerName || !utf8.ValidString(speaker) || strings.ContainsFunc(speaker, unseen) {
		return fault.Invalid("/speaker", speaker, fmt.Sprintf("1 to %d bytes, and no control characters", maxSpeakerName), "choose another name")
	}
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		all, err := rooms(ctx, tx, homeID)
		if err != nil {
			return err
		}
		if room == "" {
			return fault.Invalid("/room", "", "the id of a room", "name the room, or remove the speaker")
		}
		if err := known(all, room); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO home_speaker (home, speaker, room) VALUES (?, ?, ?)
			ON CONFLICT (home, speaker) DO UPDATE SET room = excluded.room`, homeID, speaker, room)
		if err != nil {
			return fmt.Errorf("placing a speaker in home %s: %w", homeID, err)
		}
		n, err := count(ctx, tx, "SELECT COUNT(*) FROM home_speaker WHERE home = ?", homeID)
		if err != nil {
			return fmt.Errorf("counting speakers of home %s: %w", homeID, err)
		}
		if n > MaxSpeakers {
			return fault.Limit("speakers", strconv.Itoa(n), fmt.Sprintf("%d speakers a home", MaxSpeakers), 0)
		}
		return audit.Record(ctx, tx, who, "home.speaker.place", room, "home "+homeID)
	})
}

// RemoveSpeaker forgets where a speaker stands.
func (s *Service) RemoveSpeaker(ctx context.Context, who access.Actor, homeID, speaker string) error {
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM home_speaker WHERE home = ? AND speaker = ?", homeID, speaker)
		if err != nil {
			return fmt.Errorf("removing a speaker of home %s: %w", homeID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("speaker", speaker)
		}
		return audit.Record(ctx, tx, who, "home.speaker.remove", homeID, "")
	})
}

func unseen(r rune) bool { return !unicode.IsGraphic(r) }

func speakers(ctx context.Context, q store.Querier, homeID string) ([]Speaker, error) {
	rows, err := q.Query(ctx, "SELECT speaker, room FROM home_speaker WHERE home = ? ORDER BY speaker LIMIT ?", homeID, MaxSpeakers)
	if err != nil {
		return nil, fmt.Errorf("reading speakers of home %s: %w", homeID, err)
	}
	defer rows.Close()
	var all []Speaker
	for rows.Next() {
		var sp Speaker
		if err := rows.Scan(&sp.ID, &sp.Room); err != nil {
			return nil, fmt.Errorf("reading speakers of home %s: %w", homeID, err)
		}
		all = append(all, sp)
	}
	return all, rows.Err()
}
