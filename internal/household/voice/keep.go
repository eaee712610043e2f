package voice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
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
	maxTries  = 10                 // to write a sentence down, a minute apart or when somebody asks; then its words are not kept
	maxFailed = 3                  // sentences that fail by themselves before the rest waits for the next time
	goneFor   = time.Hour          // longer than a sentence is on its road, with all tries
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
	gone  map[string]time.Time // persons that were erased, and when
}

// saying is a sentence whose words are to be kept.
type saying struct {
	Words
	home, person string
	room         string
	spoken       *spoken // of one that was not understood, the home
	tries        int     // how often it could not be written
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

// take takes what was put aside: what is tried for the first time, and what could not be written before.
func (k *keeper) take() (fresh, tried []saying) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.aside {
		if k.aside[i].tries == 0 {
			fresh = append(fresh, k.aside[i])
		} else {
			tried = append(tried, k.aside[i])
		}
	}
	k.aside = nil
	return fresh, tried
}

// putBack keeps aside what could not be written, as far as it may be tried again and there is room.
func (k *keeper) putBack(said []saying) {
	said = slices.DeleteFunc(said, func(t saying) bool { return t.tries >= maxTries })
	k.mu.Lock()
	defer k.mu.Unlock()
	k.aside = append(said, k.aside...)
	k.aside = k.aside[:min(len(k.aside), maxAside)]
}

// drop forgets what lies aside and is meant, and says how many sentences that were.
func (k *keeper) drop(meant func(*saying) bool) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := len(k.aside)
	k.aside = slices.DeleteFunc(k.aside, func(t saying) bool { return meant(&t) })
	return before - len(k.aside)
}

// leave remembers that a person is erased: of what they said and is still on its road nothing is written any more.
func (k *keeper) leave(person string) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone == nil {
		k.gone = make(map[string]time.Time)
	}
	maps.DeleteFunc(k.gone, func(_ string, since time.Time) bool { return now.Sub(since) > goneFor })
	k.gone[person] = now
}

func (k *keeper) left(person string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, is := k.gone[person]
	return is
}

// flush writes down what was put aside, as far as who said it wants that. What cannot be written is tried again, [maxTries] times at
// most, each sentence by itself: one does not keep those of others from being written.
func (s *Service) flush(ctx context.Context) error {
	k := &s.keeper
	k.writing.Lock()
	defer k.writing.Unlock()
	fresh, tried := k.take()
	ctx = context.WithoutCancel(ctx) // it is others' words, too
	var back []saying
	err := s.write(ctx, fresh)
	if err != nil {
		back = fresh
	}
	for failed := 0; len(tried) > 0; tried = tried[1:] {
		if failed == maxFailed {
			back = append(back, tried...)
			break
		}
		if e := s.write(ctx, tried[:1]); e != nil {
			err, failed = e, failed+1
			back = append(back, tried[0])
		}
	}
	if err == nil {
		return nil
	}
	for i := range back {
		back[i].tries++
	}
	k.putBack(back)
	return err
}

// settle writes down what was said before something that is asked about it. What could not be written is not what was asked.
func (s *Service) settle(ctx context.Context) {
	if err := s.flush(ctx); err != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "words of sentences wait", slog.Any("error", err))
	}
}

// write writes sentences down in one transaction.
func (s *Service) write(ctx context.Context, said []saying) error {
	if len(said) == 0 {
		return nil
	}
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

// keep writes a sentence down, unless who said it or the home is gone, or they chose anew since: what was said before was written
// before they chose, or is not to be.
func (s *Service) keep(ctx context.Context, tx *store.Tx, t *saying) (kept bool, err error) {
	var homes int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM home WHERE id = ?", t.home).Scan(&homes); err != nil {
		return false, fmt.Errorf("looking for home %s: %w", t.home, err)
	}
	p, err := s.privacy(ctx, tx, t.person, t.home)
	if err == nil && (homes == 0 || s.keeper.left(t.person) || t.At.Before(p.Changed)) {
		return false, nil
	}
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

// correct writes beside the words of a sentence what came of it in the end.
func (s *Service) correct(ctx context.Context, t *turn) error {
	if s.c.Store == nil || person(t.who) == "" {
		return nil
	}
	s.settle(ctx)
	s.keeper.correct(t) // that could not be written yet
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE voice_sentence SET reply = ?, outcome = ?, reason = ? WHERE id = ?", t.out.Reply, t.out.Outcome, t.out.Reason, t.id)
		return err
	})
}

func (k *keeper) correct(t *turn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.aside {
		if w := &k.aside[i]; w.ID == t.id {
			w.Reply, w.Outcome, w.Reason = t.out.Reply, t.out.Outcome, t.out.Reason
		}
	}
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
