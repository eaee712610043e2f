package voice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Privacy is what somebody wants done with the words they say in a home.
type Privacy struct {
	KeepText bool      // for [KeepText], for themselves
	Share    bool      // what was not understood may be looked at by who makes the understanding better
	Changed  time.Time // zero: they have chosen nothing
}

// Words is a sentence as who said it can look it up.
type Words struct {
	ID      string
	At      time.Time
	Lang    string
	Text    string
	Reply   string
	Outcome string
	Reason  string
}

// The names that sentences are filtered and sorted by.
const (
	ByOutcome = "outcome"
	ByLang    = "lang"
	ByAt      = "at"
	ofPerson  = "person"
	ofHome    = "home"
)

func sentences() *listing.List[Words] {
	const bound = "a home keeps at most 10,000 sentences"
	own, rest := []string{ofPerson, ofHome}, []string{ByOutcome, ByLang}
	return &listing.List[Words]{
		Object: "sentence", Columns: "s.id, s.at, s.lang, s.text, s.reply, s.outcome, s.reason", From: "voice_sentence s", Key: "s.id", Newest: true,
		Fields: []listing.Field{
			{Name: ofPerson, Column: "s.person"},
			{Name: ofHome, Column: "s.home"},
			{Name: ByOutcome, Column: "s.outcome"},
			{Name: ByLang, Column: "s.lang"},
			{Name: ByAt, Column: "s.at", Parse: listing.Millis},
		},
		Ways: []listing.Way{
			{Filters: own, Rest: rest, Bound: bound},
			{Filters: own, Rest: rest, Bound: bound, Sort: ByAt},
		},
		Scan: func(row listing.Scanner) (w Words, err error) {
			var at int64
			err = row.Scan(&w.ID, &at, &w.Lang, &w.Text, &w.Reply, &w.Outcome, &w.Reason)
			w.At = time.UnixMilli(at).UTC()
			return w, err
		},
	}
}

// speaks finds out that the home is one who may see, and gives the name that who has in rows.
func (s *Service) speaks(ctx context.Context, who access.Actor, homeID string) (string, error) {
	if err := who.Check(access.ReadHome); err != nil {
		return "", err
	}
	if _, err := s.c.Homes.Version(ctx, who, homeID); err != nil {
		return "", err
	}
	p := person(who)
	if p == "" {
		return "", fault.Forbidden("voice.privacy", "a person: nobody else's words are kept")
	}
	return p, nil
}

// Privacy is what who wants done with their words in a home.
func (s *Service) Privacy(ctx context.Context, who access.Actor, homeID string) (p Privacy, err error) {
	own, err := s.speaks(ctx, who, homeID)
	if err != nil {
		return p, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		p, err = s.privacy(ctx, v, own, homeID)
		return err
	})
	return p, err
}

func (s *Service) privacy(ctx context.Context, q store.Querier, person, homeID string) (p Privacy, err error) {
	var keep, share, at int64
	err = q.QueryRow(ctx, "SELECT keep_text, share, changed_at FROM voice_privacy WHERE person = ? AND home = ?", person, homeID).Scan(&keep, &share, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return Privacy{KeepText: !s.c.ForgetText}, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading what is wanted of words: %w", err)
	}
	return Privacy{KeepText: keep != 0, Share: share != 0, Changed: time.UnixMilli(at).UTC()}, nil
}

// SetPrivacy says what who wants done with their words in a home. Words that are not to be kept any more are deleted with it.
func (s *Service) SetPrivacy(ctx context.Context, who access.Actor, homeID string, want Privacy) (Privacy, error) {
	own, err := s.speaks(ctx, who, homeID)
	if err != nil {
		return Privacy{}, err
	}
	s.settle(ctx)
	want.Changed = time.Now().UTC().Truncate(time.Millisecond)
	if s.keeper.left(own) {
		return Privacy{}, fault.NotFound("home", homeID)
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO voice_privacy (person, home, organisation, keep_text, share, changed_at) SELECT ?, id, organisation, ?, ?, ? FROM home WHERE id = ?
			ON CONFLICT (person, home) DO UPDATE SET keep_text = excluded.keep_text, share = excluded.share, changed_at = excluded.changed_at`,
			own, flag(want.KeepText), flag(want.Share), want.Changed.UnixMilli(), homeID)
		if err != nil {
			return fmt.Errorf("writing what is wanted of words: %w", err)
		}
		if !want.KeepText {
			if err := forget(ctx, tx, own, homeID); err != nil {
				return err
			}
			if err := hush(ctx, tx, own, homeID, ""); err != nil {
				return err
			}
		}
		if !want.Share {
			if err := s.withdraw(ctx, tx, own, homeID, ""); err != nil {
				return err
			}
		}
		note := "keep_text " + strconv.FormatBool(want.KeepText) + ", share_unrecognised " + strconv.FormatBool(want.Share)
		return audit.Record(ctx, tx, who, "voice.privacy.set", homeID, note)
	})
	return want, err
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// forget deletes the words of a person in a home.
func forget(ctx context.Context, tx *store.Tx, person, homeID string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM voice_sentence WHERE person = ? AND home = ?", person, homeID); err != nil {
		return fmt.Errorf("deleting words: %w", err)
	}
	return nil
}

// Sentences are what who said in a home and is still kept, the newest first. Filters: outcome, lang. Sort: at. Nobody sees
// the words of others.
func (s *Service) Sentences(ctx context.Context, who access.Actor, homeID string, ask listing.Ask) (page listing.Page[Words], err error) {
	own, err := s.speaks(ctx, who, homeID)
	if err != nil {
		return page, err
	}
	s.settle(ctx)
	ask.Filters = map[string]string{ofPerson: own, ofHome: homeID, ByOutcome: ask.Filters[ByOutcome], ByLang: ask.Filters[ByLang]}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = sentences().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Forget deletes the words of a sentence of who's own; without an id, all of theirs in the home. What of it was given away, and
// nobody has decided about, goes too.
func (s *Service) Forget(ctx context.Context, who access.Actor, homeID, id string) error {
	own, err := s.speaks(ctx, who, homeID)
	if err != nil {
		return err
	}
	s.settle(ctx)
	k := &s.keeper
	k.writing.Lock() // what could not be written is not, behind the deletion
	defer k.writing.Unlock()
	if id == "" {
		err = s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.forgetAll(ctx, tx, who, own, homeID) })
	} else {
		err = s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.forgetOne(ctx, tx, who, own, homeID, id) })
	}
	if err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	n := k.drop(func(t *saying) bool { return t.person == own && t.home == homeID && (id == "" || t.ID == id) })
	if n > 0 {
		err = nil
	}
	return err
}

func (s *Service) forgetAll(ctx context.Context, tx *store.Tx, who access.Actor, own, homeID string) error {
	if err := forget(ctx, tx, own, homeID); err != nil {
		return err
	}
	if err := hush(ctx, tx, own, homeID, ""); err != nil {
		return err
	}
	if err := s.withdraw(ctx, tx, own, homeID, ""); err != nil {
		return err
	}
	if s.c.Scenes != nil && who.Resident() {
		if err := s.c.Scenes.ForgetLabels(ctx, tx, homeID, who.ID); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, who, "voice.sentence.delete_all", homeID, "")
}

func (s *Service) forgetOne(ctx context.Context, tx *store.Tx, who access.Actor, own, homeID, id string) error {
	var text string
	err := tx.QueryRow(ctx, "SELECT text FROM voice_sentence WHERE id = ? AND person = ? AND home = ?", id, own, homeID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound("sentence", id)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM voice_sentence WHERE id = ?", id)
	}
	if err != nil {
		return fmt.Errorf("deleting the words of a sentence: %w", err)
	}
	if err := hush(ctx, tx, own, homeID, id); err != nil {
		return err
	}
	if err := s.withdraw(ctx, tx, own, homeID, text); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "voice.sentence.delete", id, "home "+homeID)
}
