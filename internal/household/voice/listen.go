package voice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// This file tells announcements to the speakers that listen, when nobody speaks with them.

// again is when announcements are looked at anew after the database could not be asked.
const again = 2 * time.Second

// A Speaker (音箱) listens in a home.
type Speaker struct {
	Name string // that of its sentences
	Room string // id of the room it stands in, or empty
}

// listener is one connection of a speaker.
type listener struct {
	Speaker
	tell Tell
}

// Tell offers an announcement to a connection of a speaker, and does not block. false: it could not take it. What it took and
// did not hand over before the connection ended, it says by lost, once: the announcement waits again.
type Tell func(a Announcement, lost func()) bool

// A delivery is an announcement on its way to the connections of a speaker.
type delivery struct {
	l *listeners
	w waiting

	mu   sync.Mutex // guards left
	left int        // connections that may still hand it over
}

// start counts a connection that is offered the announcement.
func (d *delivery) start() {
	d.mu.Lock()
	d.left++
	d.mu.Unlock()
}

// lost says that one of the connections did not hand it over: when none does any more, it is to wait again.
func (d *delivery) lost() {
	d.mu.Lock()
	d.left--
	none := d.left == 0
	d.mu.Unlock()
	if none {
		d.l.giveBack(d.w)
	}
}

// A talk is what somebody and a speaker are at.
type talk struct {
	turns int       // sentences that are not answered
	asked time.Time // a question of the speaker is open until then
}

// listeners knows who listens, who is idle, and what is to be looked at.
type listeners struct {
	wake chan struct{} // has room for one

	mu     sync.Mutex // guards the rest
	byHome map[string][]*listener
	talks  map[conversation]talk
	look   map[string]time.Time // homes in which an announcement may be told, and when
	until  time.Time            // the first announcement that waits stops; zero: it is to be found out
	back   []waiting            // were not handed over and are to wait again; at most what was told to connections that are open
}

func newListeners() listeners {
	return listeners{wake: make(chan struct{}, 1), byHome: make(map[string][]*listener), talks: make(map[conversation]talk), look: make(map[string]time.Time)}
}

// MayListen refuses a speaker that could not listen in a home.
func (s *Service) MayListen(ctx context.Context, who access.Actor, homeID string, sp Speaker) error {
	switch h, _, err := s.ready(ctx, who, homeID); {
	case err != nil:
		return err
	case len(sp.Name) > MaxSpeaker:
		return fault.TooLarge("/query/speaker", int64(len(sp.Name)), MaxSpeaker)
	case strings.TrimSpace(sp.Name) == "":
		return fault.Invalid("/query/speaker", sp.Name, "the name of a speaker", "send it beside the room")
	case sp.Room != "" && h.rooms[sp.Room] == nil:
		return fault.NotFound("room", sp.Room)
	}
	names := s.listeners.in(homeID, nil, sp.Name, nil)
	if len(names) >= MaxSpeakers {
		return fault.Limit("number of speakers that listen", strconv.Itoa(len(names)), strconv.Itoa(MaxSpeakers)+" in a home", 0)
	}
	return nil
}

// Listen has announcements told to a speaker, those that wait for it too, until leave is called.
func (s *Service) Listen(homeID string, sp Speaker, tell Tell) (leave func()) {
	l, one := &s.listeners, &listener{sp, tell}
	l.mu.Lock()
	l.byHome[homeID] = append(l.byHome[homeID], one)
	l.mu.Unlock()
	l.due(homeID, time.Now(), time.Time{})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.byHome[homeID] = slices.DeleteFunc(l.byHome[homeID], func(other *listener) bool { return other == one })
		if len(l.byHome[homeID]) == 0 {
			delete(l.byHome, homeID)
		}
		if key := (conversation{home: homeID, speaker: sp.Name}); l.talks[key].turns == 0 {
			delete(l.talks, key)
		}
	}
}

// in are the speakers that listen in rooms of a home, each once, without one. Those that did not say where they stand are where roomOf says.
func (l *listeners) in(homeID string, rooms []string, without string, roomOf func(string) string) []Speaker {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Speaker
	for _, one := range l.byHome[homeID] {
		sp := one.Speaker
		if sp.Room == "" && roomOf != nil {
			sp.Room = roomOf(sp.Name)
		}
		named := slices.ContainsFunc(all, func(other Speaker) bool { return other.Name == sp.Name })
		if !named && sp.Name != without && (len(rooms) == 0 || slices.Contains(rooms, sp.Room)) {
			all = append(all, sp)
		}
	}
	return all
}

// due has a home looked at, and remembers how long something waits there.
func (l *listeners) due(homeID string, at, until time.Time) {
	l.mu.Lock()
	if first, is := l.look[homeID]; !is || at.Before(first) {
		l.look[homeID] = at
	}
	if !until.IsZero() && until.Before(l.until) {
		l.until = until
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// giveBack has an announcement wait again.
func (l *listeners) giveBack(w waiting) {
	l.mu.Lock()
	l.back = append(l.back, w)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// begin says that somebody speaks with a speaker.
func (l *listeners) begin(key conversation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.talks[key]
	t.turns++
	l.talks[key] = t
}

// end says that a sentence was answered, and whether by a question. What waits for the speaker is looked at when it is idle.
func (l *listeners) end(key conversation, asked bool) {
	l.mu.Lock()
	t, now := l.talks[key], time.Now()
	t.turns--
	t.asked = time.Time{}
	listens := slices.ContainsFunc(l.byHome[key.home], func(one *listener) bool { return one.Name == key.speaker })
	if asked && listens {
		t.asked = now.Add(conversationLife)
	}
	if t.turns > 0 || !t.asked.IsZero() {
		l.talks[key] = t
	} else {
		delete(l.talks, key)
	}
	l.mu.Unlock()
	if listens && t.turns == 0 && t.asked.IsZero() {
		l.due(key.home, now, time.Time{})
	}
}

// idle are the listeners of a home with whom nobody speaks, by name. later is when the next question stops being open.
func (l *listeners) idle(homeID string, now time.Time) (names map[string][]*listener, later time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names = make(map[string][]*listener)
	for _, one := range l.byHome[homeID] {
		key := conversation{home: homeID, speaker: one.Name}
		t := l.talks[key]
		switch {
		case t.turns > 0: // its end has the home looked at
		case t.asked.After(now):
			if later.IsZero() || t.asked.Before(later) {
				later = t.asked
			}
		default:
			if !t.asked.IsZero() {
				delete(l.talks, key)
			}
			names[one.Name] = append(names[one.Name], one)
		}
	}
	return names, later
}

// next are the homes to look at now, whether something stops waiting, and how long nothing else is to be done.
func (l *listeners) next(now time.Time) (homes []string, expired bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = time.Hour
	for homeID, at := range l.look {
		if at.After(now) {
			wait = min(wait, at.Sub(now))
			continue
		}
		homes = append(homes, homeID)
		delete(l.look, homeID)
	}
	if expired = !l.until.After(now); !expired {
		wait = min(wait, l.until.Sub(now))
	}
	return homes, expired, wait
}

// announcing tells what is to be told until ctx ends.
func (s *Service) announcing(ctx context.Context) {
	l := &s.listeners
	for {
		err := s.waitAgain(ctx)
		homes, expired, wait := l.next(time.Now())
		if expired {
			err, wait = errors.Join(err, s.expire(ctx)), 0 // with what it finds out
		}
		for _, homeID := range homes {
			if e := s.tellWaiting(ctx, homeID); e != nil {
				l.due(homeID, time.Now().Add(again), time.Time{})
				err = errors.Join(err, e)
			}
		}
		if err != nil {
			wait = again
			if ctx.Err() == nil {
				s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "announcements are late", slog.Any("error", err))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			if err := s.waitAgain(context.WithoutCancel(ctx)); err != nil {
				s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "announcements were not handed over", slog.Any("error", err))
			}
			return
		case <-l.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// expire gives up what waited for as long as it may, forgets the words that were to be kept for so long only, and finds out when the next does.
func (s *Service) expire(ctx context.Context) error {
	now := time.Now()
	next := now.Add(AnnouncementWaits)
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE voice_heard SET state = ?, at = ? WHERE state = ? AND until <= ?", string(Missed), now.UnixMilli(), string(Waits), now.UnixMilli()); err != nil {
			return fmt.Errorf("giving up announcements: %w", err)
		}
		if _, err := tx.Exec(ctx, "UPDATE voice_announcement SET text = '', brief = 0 WHERE brief = 1 AND until <= ?", now.UnixMilli()); err != nil {
			return fmt.Errorf("forgetting what was announced: %w", err)
		}
		for _, of := range []string{"voice_heard WHERE state = '" + string(Waits) + "'", "voice_announcement WHERE brief = 1"} {
			var until sql.NullInt64
			if err := tx.QueryRow(ctx, "SELECT MIN(until) FROM "+of).Scan(&until); err != nil {
				return fmt.Errorf("reading which announcements wait: %w", err)
			}
			if until.Valid && until.Int64 < next.UnixMilli() {
				next = time.UnixMilli(until.Int64 + 1)
			}
		}
		return nil
	})
	if err == nil {
		s.listeners.mu.Lock()
		s.listeners.until = next
		s.listeners.mu.Unlock()
	}
	return err
}

// waiting is an announcement that a speaker was not told.
type waiting struct {
	Announcement
	home, speaker string
}

// tellWaiting tells the idle speakers of a home what waits for them. What a speaker is handed is written down first: a crash
// loses it rather than have it said twice.
func (s *Service) tellWaiting(ctx context.Context, homeID string) error {
	now := time.Now()
	idle, later := s.listeners.idle(homeID, now)
	if !later.IsZero() {
		s.listeners.due(homeID, later, time.Time{})
	}
	if len(idle) == 0 {
		return nil
	}
	var all []waiting
	err := s.c.Store.Read(ctx, func(v *store.View) (err error) {
		all, err = waitingOf(ctx, v, homeID, now)
		return err
	})
	if err != nil {
		return err
	}
	for i := range all {
		w := &all[i]
		if len(idle[w.speaker]) == 0 {
			continue
		}
		took, err := s.hear(ctx, w, Waits, Told)
		if err != nil {
			return err
		}
		if !took || w.offer(&s.listeners, idle[w.speaker]) {
			continue
		}
		if _, err := s.hear(ctx, w, Told, Waits); err != nil {
			return err
		}
		s.listeners.due(homeID, now.Add(again), w.Until)
	}
	return nil
}

// offer offers an announcement to the connections of its speaker, and says whether one took it.
func (w *waiting) offer(l *listeners, connections []*listener) (taken bool) {
	d := &delivery{l: l, w: *w, left: 1} // one for the offering itself
	for _, one := range connections {
		d.start()
		if one.tell(w.Announcement, sync.OnceFunc(d.lost)) {
			taken = true
		} else {
			d.mu.Lock()
			d.left--
			d.mu.Unlock()
		}
	}
	if taken {
		d.lost()
	}
	return taken
}

// waitAgain writes down that announcements wait which were not handed over. Those whose time is over are missed.
func (s *Service) waitAgain(ctx context.Context) error {
	l := &s.listeners
	l.mu.Lock()
	back := l.back
	l.back = nil
	l.mu.Unlock()
	for i := range back {
		if _, err := s.hear(ctx, &back[i], Told, Waits); err != nil {
			l.mu.Lock()
			l.back = append(l.back, back[i:]...)
			l.mu.Unlock()
			return err
		}
		l.due(back[i].home, time.Now(), back[i].Until)
	}
	return nil
}

// hear moves an announcement on a speaker from a state to another; false: it was not in it.
func (s *Service) hear(ctx context.Context, w *waiting, from, to Hearing) (moved bool, err error) {
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		n, err := deleted(tx.Exec(ctx, "UPDATE voice_heard SET state = ?, at = ? WHERE announcement = ? AND speaker = ? AND state = ?", string(to), time.Now().UnixMilli(), w.ID, w.speaker, string(from)))
		moved = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("telling announcement %s: %w", w.ID, err)
	}
	return moved, nil
}

func waitingOf(ctx context.Context, q store.Querier, homeID string, now time.Time) (all []waiting, err error) {
	rows, err := q.Query(ctx, `
		SELECT a.id, a.text, a.lang, a.at, a.until, h.speaker
		FROM voice_heard h JOIN voice_announcement a ON a.id = h.announcement
		WHERE h.home = ? AND h.state = ? AND h.until > ?
		ORDER BY h.announcement, h.speaker LIMIT ?`, homeID, string(Waits), now.UnixMilli(), MaxAnnouncements*MaxSpeakers)
	if err != nil {
		return nil, fmt.Errorf("reading what waits in home %s: %w", homeID, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		w := waiting{home: homeID}
		var at, until int64
		if err := rows.Scan(&w.ID, &w.Text, &w.Lang, &at, &until, &w.speaker); err != nil {
			return nil, fmt.Errorf("reading what waits in home %s: %w", homeID, err)
		}
		w.At, w.Until = time.UnixMilli(at).UTC(), time.UnixMilli(until).UTC()
		all = append(all, w)
	}
	return all, rows.Err()
}
