package voice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/nlu"
)

// Limits of announcements.
const (
	MaxAnnounced       = scene.MaxAnnounced
	AnnouncedAMinute   = 10               // of a home
	AnnouncementWaits  = 10 * time.Minute // for a speaker that is not idle, or away
	MaxAnnouncements   = 100              // of a home that are kept; the oldest go first
	MaxSpeakers        = 64               // that listen in a home
	rateOfAnnouncement = time.Minute
)

// A NewAnnouncement is what is to be said on the speakers of a home.
type NewAnnouncement struct {
	Text  string
	Lang  string   // "zh-CN", "en", or empty: recognised from the text
	Rooms []string // ids; none: all speakers
	from  string   // the speaker that was told to announce it: it does not

	sentence string // id of the one that says it; empty: none
}

// A Hearing is what became of an announcement on one speaker.
type Hearing string

// The states of a speaker's hearing.
const (
	Waits     Hearing = "waiting" // until the speaker is idle and there
	Told      Hearing = "told"    // it was handed to the speaker
	Missed    Hearing = "missed"  // it waited for as long as it may
	Cancelled Hearing = "cancelled"
)

// An Announcement is what is or was to be said (播报).
type Announcement struct {
	ID       string
	Text     string
	Lang     string
	Rooms    []string
	At       time.Time
	Until    time.Time // it waits no longer
	Speakers []Heard
}

// Heard is what became of an announcement on one speaker.
type Heard struct {
	Speaker string
	Room    string
	State   Hearing
	At      time.Time // since when
}

// Announce has a text said on the speakers that listen in a home: at once where nobody speaks with them, else as soon as they
// are idle. It refuses when there is no such speaker.
func (s *Service) Announce(ctx context.Context, who access.Actor, homeID string, in NewAnnouncement) (a Announcement, err error) {
	if err := who.Check(access.Speak); err != nil {
		return a, err
	}
	if err := in.check(); err != nil {
		return a, err
	}
	h, _, err := s.ready(ctx, who, homeID)
	if err != nil {
		return a, err
	}
	for i, room := range in.Rooms {
		if h.rooms[room] == nil {
			f := fault.NotFound("room", room)
			f.Where = "/rooms/" + strconv.Itoa(i)
			return a, f
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	a = Announcement{ID: uuid.Must(uuid.NewV7()).String(), Text: in.Text, Lang: in.Lang, Rooms: in.Rooms, At: now, Until: now.Add(AnnouncementWaits)}
	for _, speaker := range s.listeners.in(homeID, in.Rooms, in.from, h.home.RoomOf) {
		a.Speakers = append(a.Speakers, Heard{Speaker: speaker.Name, Room: speaker.Room, State: Waits, At: now})
	}
	if len(a.Speakers) == 0 {
		f := fault.Conflict("speakers", "no speaker listens there")
		f.Fix = "open a live view of the home with the name of a speaker"
		return a, f
	}
	if err := s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.insertAnnouncement(ctx, tx, who, &h.home.ID, &a, in.sentence) }); err != nil {
		return a, err
	}
	s.listeners.due(homeID, now, a.Until)
	return a, nil
}

func (in *NewAnnouncement) check() error {
	in.Text = strings.TrimSpace(in.Text)
	if err := scene.CheckText("/text", in.Text); err != nil {
		return err
	}
	if in.Lang != "" && in.Lang != nlu.Chinese && in.Lang != nlu.English {
		return fault.Invalid("/lang", in.Lang, `"zh-CN", "en" or nothing`, "leave it out to have it recognised")
	}
	if in.Lang == "" {
		in.Lang = nlu.English
		if strings.ContainsFunc(in.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			in.Lang = nlu.Chinese
		}
	}
	return nil
}

func (s *Service) insertAnnouncement(ctx context.Context, tx *store.Tx, who access.Actor, homeID *string, a *Announcement, sentence string) error {
	var lately, first int64
	err := tx.QueryRow(ctx, "SELECT COUNT(*), COALESCE(MIN(at), 0) FROM voice_announcement WHERE home = ? AND at > ?", *homeID, a.At.Add(-rateOfAnnouncement).UnixMilli()).Scan(&lately, &first)
	if err != nil {
		return fmt.Errorf("counting announcements of home %s: %w", *homeID, err)
	}
	if lately >= AnnouncedAMinute {
		return fault.Limit("number of announcements", strconv.FormatInt(lately, 10), strconv.Itoa(AnnouncedAMinute)+" a minute in a home", time.UnixMilli(first).Add(rateOfAnnouncement).Sub(a.At))
	}
	rooms, err := json.Marshal(append([]string{}, a.Rooms...))
	if err != nil {
		return fmt.Errorf("writing announcement %s: %w", a.ID, err)
	}
	brief, err := s.briefly(ctx, tx, person(who), *homeID, sentence)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO voice_announcement (id, organisation, home, person, lang, text, rooms, at, until, sentence, brief)
		SELECT ?, organisation, id, ?, ?, ?, ?, ?, ?, ?, ? FROM home WHERE id = ?`,
		a.ID, person(who), a.Lang, a.Text, string(rooms), a.At.UnixMilli(), a.Until.UnixMilli(), sentence, flag(brief), *homeID)
	if err != nil {
		return fmt.Errorf("writing announcement %s: %w", a.ID, err)
	}
	for _, sp := range a.Speakers {
		_, err := tx.Exec(ctx, `
			INSERT INTO voice_heard (announcement, speaker, organisation, home, person, room, state, at, until)
			SELECT ?, ?, organisation, id, ?, ?, ?, ?, ? FROM home WHERE id = ?`,
			a.ID, sp.Speaker, person(who), sp.Room, string(sp.State), sp.At.UnixMilli(), a.Until.UnixMilli(), *homeID)
		if err != nil {
			return fmt.Errorf("writing whom announcement %s is for: %w", a.ID, err)
		}
	}
	if err := trimAnnouncements(ctx, tx, *homeID); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "voice.announce", a.ID, "home "+*homeID)
}

// briefly says whether the words of an announcement go when it waits no longer: they are those of a sentence whose words are not kept.
func (s *Service) briefly(ctx context.Context, tx *store.Tx, person, homeID, sentence string) (bool, error) {
	if sentence == "" || person == "" {
		return sentence != "", nil
	}
	p, err := s.privacy(ctx, tx, person, homeID)
	return !p.KeepText, err
}

// hush forgets the words of what a person announced by a sentence in a home, or by any with an empty one: at once where no speaker waits
// for them, else when none does any more, after [AnnouncementWaits] at most.
func hush(ctx context.Context, tx *store.Tx, person, homeID, sentence string) error {
	_, err := tx.Exec(ctx, "UPDATE voice_announcement SET brief = 1 WHERE person = ? AND home = ? AND sentence <> '' AND (? = '' OR sentence = ?) AND text <> ''", person, homeID, sentence, sentence)
	if err == nil {
		_, err = tx.Exec(ctx, `
			UPDATE voice_announcement SET text = '', brief = 0
			WHERE person = ? AND home = ? AND brief = 1 AND NOT EXISTS (SELECT 1 FROM voice_heard h WHERE h.announcement = voice_announcement.id AND h.state = ?)`,
			person, homeID, string(Waits))
	}
	if err != nil {
		return fmt.Errorf("forgetting what was announced: %w", err)
	}
	return nil
}

// trimAnnouncements forgets the oldest announcements of a home that has many.
func trimAnnouncements(ctx context.Context, tx *store.Tx, homeID string) error {
	for _, table := range [...]string{"voice_heard WHERE home = ? AND announcement", "voice_announcement WHERE home = ? AND id"} {
		_, err := tx.Exec(ctx, "DELETE FROM "+table+" <= (SELECT id FROM voice_announcement WHERE home = ? ORDER BY id DESC LIMIT 1 OFFSET ?)", homeID, homeID, MaxAnnouncements)
		if err != nil {
			return fmt.Errorf("forgetting the oldest announcements of home %s: %w", homeID, err)
		}
	}
	return nil
}

// ageAnnouncements forgets those that are older than the words of sentences may be.
func ageAnnouncements(ctx context.Context, tx *store.Tx, now time.Time) error {
	for _, table := range [...]string{"voice_heard WHERE announcement", "voice_announcement WHERE id"} {
		_, err := tx.Exec(ctx, "DELETE FROM "+table+" IN (SELECT id FROM voice_announcement WHERE at < ?)", now.Add(-KeepText).UnixMilli())
		if err != nil {
			return fmt.Errorf("forgetting old announcements: %w", err)
		}
	}
	return nil
}

// Announcements are the last of a home, the newest first.
func (s *Service) Announcements(ctx context.Context, who access.Actor, homeID string) (all []Announcement, err error) {
	err = s.seen(ctx, who, access.ReadHome, homeID, func(v *store.View) error {
		all, err = announcementsOf(ctx, v, homeID, "")
		return err
	})
	return all, err
}

// Announcement is one of a home.
func (s *Service) Announcement(ctx context.Context, who access.Actor, homeID, id string) (a Announcement, err error) {
	err = s.seen(ctx, who, access.ReadHome, homeID, func(v *store.View) error {
		a, err = announcementOf(ctx, v, homeID, id)
		return err
	})
	return a, err
}

// seen reads what belongs to a home that is who's.
func (s *Service) seen(ctx context.Context, who access.Actor, act access.Act, homeID string, read func(*store.View) error) error {
	if err := who.Check(act); err != nil {
		return err
	}
	if _, err := s.c.Homes.Version(ctx, who, homeID); err != nil {
		return err
	}
	return s.c.Store.Read(ctx, read)
}

// CancelAnnouncement takes an announcement back from the speakers that were not told yet.
func (s *Service) CancelAnnouncement(ctx context.Context, who access.Actor, homeID, id string) (a Announcement, err error) {
	if err := who.Check(access.Speak); err != nil {
		return a, err
	}
	if _, err := s.c.Homes.Version(ctx, who, homeID); err != nil {
		return a, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if a, err = announcementOf(ctx, tx, homeID, id); err != nil {
			return err
		}
		n, err := deleted(tx.Exec(ctx, "UPDATE voice_heard SET state = ?, at = ? WHERE announcement = ? AND home = ? AND state = ?", string(Cancelled), time.Now().UnixMilli(), id, homeID, string(Waits)))
		if err != nil {
			return fmt.Errorf("cancelling announcement %s: %w", id, err)
		}
		if n == 0 {
			return fault.Conflict("state", "no speaker waits for the announcement")
		}
		if a, err = announcementOf(ctx, tx, homeID, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "voice.announce.cancel", id, "home "+homeID)
	})
	return a, err
}

func announcementOf(ctx context.Context, q store.Querier, homeID, id string) (Announcement, error) {
	all, err := announcementsOf(ctx, q, homeID, id)
	if err == nil && len(all) == 0 {
		err = fault.NotFound("announcement", id)
	}
	if err != nil {
		return Announcement{}, err
	}
	return all[0], nil
}

// announcementsOf reads those of a home, or the one with id.
func announcementsOf(ctx context.Context, q store.Querier, homeID, id string) (all []Announcement, err error) {
	rows, err := q.Query(ctx, `
		SELECT a.id, a.text, a.lang, a.rooms, a.at, a.until, h.speaker, h.room, h.state, h.at
		FROM (SELECT id, text, lang, rooms, at, until FROM voice_announcement WHERE home = ? AND (? = '' OR id = ?) ORDER BY id DESC LIMIT ?) a
		JOIN voice_heard h ON h.announcement = a.id
		ORDER BY a.id DESC, h.speaker`, homeID, id, id, MaxAnnouncements)
	if err != nil {
		return nil, fmt.Errorf("reading announcements of home %s: %w", homeID, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a Announcement
		var h Heard
		var rooms string
		var at, until, since int64
		if err := rows.Scan(&a.ID, &a.Text, &a.Lang, &rooms, &at, &until, &h.Speaker, &h.Room, &h.State, &since); err != nil {
			return nil, fmt.Errorf("reading announcements of home %s: %w", homeID, err)
		}
		if n := len(all); n == 0 || all[n-1].ID != a.ID {
			if err := json.Unmarshal([]byte(rooms), &a.Rooms); err != nil {
				return nil, fmt.Errorf("reading announcement %s: %w", a.ID, err)
			}
			a.At, a.Until = time.UnixMilli(at).UTC(), time.UnixMilli(until).UTC()
			all = append(all, a)
		}
		h.At = time.UnixMilli(since).UTC()
		last := &all[len(all)-1]
		last.Speakers = append(last.Speakers, h)
	}
	return all, rows.Err()
}
