package voice

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

// This file counts sentences from their records in the Log.

// MaxDays is how many days are told of at once.
const MaxDays = 366

// The kinds of what is counted; of a stage also its name, and the class of its length is the value.
const (
	countAll     = "all"
	countOutcome = "outcome"
	countReason  = "reason"
	countLang    = "lang"
	countIntent  = "intent"
	countStage   = "stage."
	wholeStage   = "total"
)

// A Day is what was said on a day, UTC, in figures.
type Day struct {
	Day       string // 2026-01-31
	Sentences int64
	Outcomes  map[string]int64
	Reasons   map[string]int64
	Langs     map[string]int64
	Intents   map[string]int64
	Stages    map[string]Lengths // total: the whole road
}

// Lengths says how long a stage took: half of them at most P50, 99 of 100 at most P99, each up to a fifth too high.
type Lengths struct{ P50, P99 time.Duration }

func dateOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// classOf is the class of a length, four to each doubling; its upper end is that of lengthOf.
func classOf(us int64) int {
	if us <= 1 {
		return 0
	}
	return int(math.Ceil(4 * math.Log2(float64(us))))
}

func lengthOf(class int) time.Duration {
	return time.Duration(math.Exp2(float64(class)/4) * float64(time.Microsecond))
}

// Follow counts sentences as the Log tells of them, each once, until ctx ends.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	var from int64
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM voice_cursor WHERE consumer = ?", FactSubject).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading up to where sentences are counted: %w", err)
	}
	if head := log.Head(); from == 0 && head > 0 {
		from = int64(head) - 1
	}
	return uplink.Follow(ctx, log, FactSubject, uplink.Position(from), 1000, s.count, uplink.Logger(s.c.Logger), uplink.Gather(100*time.Millisecond))
}

type figure struct{ organisation, day, kind, value string }

// count adds what records tell, and moves the cursor with it.
func (s *Service) count(ctx context.Context, records []uplink.Record) error {
	sums := make(map[figure]int64)
	for i := range records {
		if r := &records[i]; r.Kind == uplink.Fact && r.Subject == FactSubject {
			var f Fact
			if err := json.Unmarshal(r.Body, &f); err != nil {
				s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "sentence not counted", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
				continue
			}
			f.count(dateOf(r.At), sums)
		}
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		for f, n := range sums {
			_, err := tx.Exec(ctx, `
				INSERT INTO voice_count (organisation, day, kind, value, n) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (organisation, day, kind, value) DO UPDATE SET n = voice_count.n + excluded.n`, f.organisation, f.day, f.kind, f.value, n)
			if err != nil {
				return fmt.Errorf("counting sentences: %w", err)
			}
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO voice_cursor (consumer, position) VALUES (?, ?)
			ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, FactSubject, int64(records[len(records)-1].Pos))
		return err
	})
}

// count adds a sentence to sums.
func (f *Fact) count(day string, sums map[figure]int64) {
	add := func(kind, value string) {
		if value != "" {
			sums[figure{f.Organisation, day, kind, value}]++
		}
	}
	add(countAll, countAll)
	add(countOutcome, f.Outcome)
	add(countReason, f.Reason)
	add(countLang, f.Lang)
	for _, intent := range f.Intents {
		add(countIntent, intent)
	}
	for name, us := range f.StageUS {
		add(countStage+name, strconv.Itoa(classOf(us)))
	}
	add(countStage+wholeStage, strconv.Itoa(classOf(f.TotalUS)))
}

// Statistics are the figures of the days from first to last, those on which something was said, of who's organisation; who
// sees all organisations gets the sum, or one of them.
func (s *Service) Statistics(ctx context.Context, who access.Actor, organisation string, first, last time.Time) ([]Day, error) {
	if err := who.Check(access.ReadVoice); err != nil {
		return nil, err
	}
	if last.Before(first) || last.Sub(first) >= MaxDays*24*time.Hour {
		return nil, fault.Invalid("/query/until", dateOf(last), "a day from since on, of at most 366 days together", "ask for fewer days")
	}
	if !who.Everywhere() {
		organisation = who.Organisation
	}
	where, args := "day >= ? AND day <= ?", []any{dateOf(first), dateOf(last)}
	if organisation != "" || !who.Everywhere() {
		where, args = "organisation = ? AND "+where, append([]any{organisation}, args...)
	}
	var days []Day
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT day, kind, value, CAST(SUM(n) AS BIGINT) FROM voice_count WHERE "+where+" GROUP BY day, kind, value ORDER BY day, kind, value", args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		days, err = readDays(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the figures of sentences: %w", err)
	}
	return days, nil
}

func readDays(rows *sql.Rows) (days []Day, err error) {
	classes := make(map[string]map[int]int64)
	finish := func() {
		for stage, of := range classes {
			days[len(days)-1].Stages[stage] = Lengths{quantile(of, 50), quantile(of, 99)}
		}
		clear(classes)
	}
	for rows.Next() {
		var day, kind, value string
		var n int64
		if err := rows.Scan(&day, &kind, &value, &n); err != nil {
			return nil, err
		}
		if len(days) == 0 || days[len(days)-1].Day != day {
			finish()
			days = append(days, newDay(day))
		}
		days[len(days)-1].add(kind, value, n, classes)
	}
	finish()
	return days, rows.Err()
}

func newDay(day string) Day {
	return Day{
		Day: day, Outcomes: map[string]int64{}, Reasons: map[string]int64{}, Langs: map[string]int64{}, Intents: map[string]int64{}, Stages: map[string]Lengths{},
	}
}

func (d *Day) add(kind, value string, n int64, classes map[string]map[int]int64) {
	switch kind {
	case countAll:
		d.Sentences = n
	case countOutcome:
		d.Outcomes[value] = n
	case countReason:
		d.Reasons[value] = n
	case countLang:
		d.Langs[value] = n
	case countIntent:
		d.Intents[value] = n
	default:
		class, err := strconv.Atoi(value)
		if stage, ok := strings.CutPrefix(kind, countStage); ok && err == nil {
			if classes[stage] == nil {
				classes[stage] = make(map[int]int64)
			}
			classes[stage][class] = n
		}
	}
}

// quantile is the length that percent of a hundred do not exceed.
func quantile(classes map[int]int64, percent int64) time.Duration {
	var all, passed int64
	for _, n := range classes {
		all += n
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		if passed += classes[class]; passed*100 >= all*percent {
			return lengthOf(class)
		}
	}
	return 0
}
