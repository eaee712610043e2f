package timeline

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/store"
)

// Bounds of when the oldest entries are looked for.
const (
	trimEvery = 100    // entries of a device after which that is: it keeps so many more at times
	maxSince  = 50_000 // devices whose entries are counted for it
)

// A writing is what one transaction adds.
type writing struct {
	device map[string]int // entries by device
}

func newWriting() *writing { return &writing{make(map[string]int)} }

func (w *writing) reset() { clear(w.device) }

func (w *writing) entry(ctx context.Context, tx *store.Tx, e *Entry) error {
	what, why := cut(e.What), cut(e.Why)
	_, err := tx.Exec(ctx, "INSERT INTO timeline_entry (device, at, kind, what, why, folded, times, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		e.Device, e.At.UnixMilli(), string(e.Kind), what, why, strings.ToLower(what+" "+why), max(e.Times, 1), e.Command)
	if err != nil {
		return fmt.Errorf("adding to the timeline of device %s: %w", e.Device, err)
	}
	w.device[e.Device]++
	return nil
}

func (w *writing) tally(ctx context.Context, tx *store.Tx, device string, t *tally) error {
	for _, c := range t.counts {
		if err := w.entry(ctx, tx, &Entry{Device: device, At: c.last, Kind: c.kind, What: c.what, Why: c.why, Times: c.times}); err != nil {
			return err
		}
	}
	return nil
}

// written tells who watches, and forgets the oldest entries of devices that have many.
func (s *Service) written(ctx context.Context, w *writing) {
	for device, n := range w.device {
		s.bus.Publish(ChangedSubject+device, nil)
		if s.due(device, n) {
			if err := s.trim(ctx, device); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "a timeline was not trimmed", slog.String("device", device), slog.Any("error", err))
			}
		}
	}
}

// due counts entries of a device and reports whether its oldest are to be looked for.
func (s *Service) due(device string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since == nil || len(s.since) > maxSince {
		s.since = make(map[string]int) // the age forgets what is missed
	}
	s.since[device] += n
	if s.since[device] < trimEvery {
		return false
	}
	delete(s.since, device)
	return true
}

func (s *Service) trim(ctx context.Context, device string) error {
	const oldest = "SELECT seq FROM timeline_entry WHERE device = ? AND seq <= (SELECT seq FROM timeline_entry WHERE device = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)"
	return s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := forget(ctx, tx, oldest, device, device, MaxEntries)
		return err
	})
}

// forget takes away the entries that a query selects, and notes of each device up to where it did.
func forget(ctx context.Context, tx *store.Tx, which string, args ...any) (n int64, err error) {
	_, err = tx.Exec(ctx, `
		INSERT INTO timeline_forgotten (device, seq) SELECT device, MAX(seq) FROM timeline_entry WHERE seq IN (`+which+`) GROUP BY device
		ON CONFLICT (device) DO UPDATE SET seq = CASE WHEN excluded.seq > timeline_forgotten.seq THEN excluded.seq ELSE timeline_forgotten.seq END`, args...)
	if err != nil {
		return 0, fmt.Errorf("noting what timelines forget: %w", err)
	}
	r, err := tx.Exec(ctx, "DELETE FROM timeline_entry WHERE seq IN ("+which+")", args...)
	if err != nil {
		return 0, fmt.Errorf("forgetting entries of timelines: %w", err)
	}
	return r.RowsAffected()
}

// forgotten is the newest entry of a device that is forgotten, 0 if none is.
func forgotten(ctx context.Context, q store.Querier, device string) (seq int64, err error) {
	err = q.QueryRow(ctx, "SELECT seq FROM timeline_forgotten WHERE device = ?", device).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// age forgets entries that are too old, unless the clock jumped: then nobody knows which are.
func (s *Service) age(ctx context.Context) error {
	const atOnce, old = 5000, "SELECT seq FROM timeline_entry WHERE at < ? ORDER BY at, seq LIMIT ?"
	now := s.now()
	if !s.clock.Trusted(now) {
		return nil
	}
	for more := true; more; {
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			n, err := forget(ctx, tx, old, now.Add(-Keep).UnixMilli(), atOnce)
			more = n == atOnce
			return err
		})
		if err != nil {
			return fmt.Errorf("forgetting old entries of timelines: %w", err)
		}
	}
	return nil
}

// ageEvery is how often old entries are looked for.
const ageEvery = time.Hour

// cut bounds a text.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	n := maxText - len("…")
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
