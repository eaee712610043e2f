package voice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/watch"
)

// This file keeps the words of sentences for who said them, for some days, and hands on what they give away.

// Limits of what is kept.
const (
	KeepText  = 7 * 24 * time.Hour // words of a sentence
	MaxKept   = 10_000             // sentences of a home; the oldest go first
	keepDays  = 400                // figures of a day
	maxAside  = 1000               // sentences that wait to be written down; beyond, words are not kept
	ageEvery  = time.Hour          // how often old words are looked for
	lookEvery = time.Minute        // and whether it is time to
	atOnce    = 5000               // rows that are forgotten in one transaction
)

// person is who spoke, as rows name them; empty: nobody one could ask, whose words are never kept.
func person(who access.Actor) string {
	switch {
	case who.User != "":
		return who.User
	case who.Kind == "" || who.ID == "" || who.Platform() || who.Kind == access.KindDevice:
		return ""
	}
	return who.Kind + " " + who.ID
}

// keeper holds words that are not written down yet: an answer does not wait for the disk.
type keeper struct {
	more  chan struct{} // has room for one: there are some
	clock watch.Clock

	writing sync.Mutex // one at a time, so that who asks finds what was said before

	mu    sync.Mutex // guards aside
	aside []saying
}

// saying is a sentence whose words are to be kept.
type saying struct {
	Words
	home, person string
	room         string
	spoken       *spoken // of one that was not understood, the home
}

func (k *keeper) put(s *store.Store, t *turn) {
	who := person(t.who)
	if s == nil || who == "" {
		return
	}
	said := saying{
		Words: Words{ID: t.id, At: t.start, Lang: t.out.Lang, Text: t.in.Text, Reply: t.out.Reply, Outcome: t.out.Outcome, Reason: t.out.Reason},
		home:  t.in.Home, person: who,
	}
	if t.unread() {
		said.spoken, said.room = t.home, t.in.Room
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.aside) < maxAside {
		k.aside = append(k.aside, said)
	}
	select {
	case k.more <- struct{}{}:
	default:
	}
}

// flush writes down what was put aside, as far as who said it wants that. What cannot be written is forgotten.
func (s *Service) flush(ctx context.Context) error {
	k := &s.keeper
	k.writing.Lock()
	defer k.writing.Unlock()
	k.mu.Lock()
	said := k.aside
	k.aside = nil
	k.mu.Unlock()
	if len(said) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // it is others' words, too
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		homes := make(map[string]bool)
		for i := range said {
			kept, err := s.keep(ctx, tx, &said[i])
			if err != nil {
				return err
			}
			if kept {
				homes[said[i].home] = true
			}
		}
		for home := range homes {
			if err := trim(ctx, tx, home); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping the words of %d sentences: %w", len(said), err)
	}
	return nil
}

func (s *Service) keep(ctx context.Context, tx *store.Tx, t *saying) (kept bool, err error) {
	p, err := s.privacy(ctx, tx, t.person, t.home)
	if err == nil && p.Share && t.spoken != nil && len(s.c.InboxKey) > 0 {
		err = s.share(ctx, tx, t)
	}
	if err != nil || !p.KeepText {
		return false, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO voice_sentence (id, organisation, home, person, lang, text, reply, outcome, reason, at)
		SELECT ?, organisation, id, ?, ?, ?, ?, ?, ?, ? FROM home WHERE id = ?`,
		t.ID, t.person, t.Lang, t.Text, t.Reply, t.Outcome, t.Reason, t.At.UnixMilli(), t.home)
	if err != nil {
		return false, fmt.Errorf("keeping the words of a sentence: %w", err)
	}
	return true, nil
}

// trim forgets the oldest words of a home that has many.
func trim(ctx context.Context, tx *store.Tx, home string) error {
	var last string
	err := tx.QueryRow(ctx, "SELECT id FROM voice_sentence WHERE home = ? ORDER BY id DESC LIMIT 1 OFFSET ?", home, MaxKept).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM voice_sentence WHERE home = ? AND id <= ?", home, last)
	}
	if err != nil {
		return fmt.Errorf("forgetting the oldest words of home %s: %w", home, err)
	}
	return nil
}

// Run writes down what was said, forgets what is old and tells announcements, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	if s.c.Store != nil {
		all.Go(func() { s.announcing(ctx) })
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var aged time.Time
	for {
		err := s.flush(context.WithoutCancel(ctx))
		if now := time.Now(); now.Sub(aged).Abs() >= ageEvery {
			failed := s.age(ctx, now)
			if failed == nil {
				aged = now
			}
			err = errors.Join(err, failed)
		}
		if err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "words of sentences were not kept, or not forgotten", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return s.flush(context.WithoutCancel(ctx))
		case <-look.C:
		case <-s.keeper.more:
		}
	}
}

// age forgets words and figures that are too old, unless the clock jumped: then nobody knows which are.
func (s *Service) age(ctx context.Context, now time.Time) error {
	if !s.keeper.clock.Trusted(now) {
		return nil
	}
	for more := true; more; {
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			n, err := deleted(tx.Exec(ctx, "DELETE FROM voice_sentence WHERE id IN (SELECT id FROM voice_sentence WHERE at < ? ORDER BY at LIMIT ?)", now.Add(-KeepText).UnixMilli(), atOnce))
			more = n == atOnce
			return err
		})
		if err != nil {
			return fmt.Errorf("forgetting old words: %w", err)
		}
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if err := ageAnnouncements(ctx, tx, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM voice_count WHERE day < ?", dateOf(now.AddDate(0, 0, -keepDays))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM voice_vocabulary WHERE NOT EXISTS (SELECT 1 FROM voice_inbox i WHERE i.organisation = voice_vocabulary.organisation AND i.vocabulary = voice_vocabulary.id)")
		return err
	})
}

// deleted is how many rows a statement took.
func deleted(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
