package quota

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// The shares of a limit that are told of, percent.
const (
	firstNotice  = 80
	secondNotice = 95
	lastNotice   = 100
)

// Why a notice is given.
const (
	Near    = "near"    // 80 or 95 % are used
	Reached = "reached" // it is used up: what comes is refused or slowed down
	Changed = "changed" // the operator set, throttled, cut off or lifted
	Adjust  = "adjust"  // the operator asks to use less by a date
)

// A Notice is what an organisation is told about a limit.
type Notice struct {
	ID           string
	Organisation string
	Subject      Subject // Kind and ID
	Limit        Limit
	Kind         string
	Percent      int64
	Used, Value  int64
	Note         string
	At           time.Time
	Told         time.Time // when it was handed on; zero: not yet
}

// step is the share to tell of that used has reached.
func step(used, value int64) int64 {
	switch {
	case value <= 0:
		return 0
	case used >= value:
		return lastNotice
	case float64(used) >= float64(value)*secondNotice/100:
		return secondNotice
	case float64(used) >= float64(value)*firstNotice/100:
		return firstNotice
	}
	return 0
}

// tell notes that used has come to a share which was not told of yet, in the transaction that used it.
func tell(ctx context.Context, tx *store.Tx, of Subject, l Limit, since, used, value, told int64, now time.Time) error {
	at := step(used, value)
	if at <= told || of.Organisation == "" || of.Kind == KindUser { // what a person got is no organisation's business
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE quota_used
		SET told = ?
		WHERE subject_kind = ? AND subject = ? AND name = ? AND since = ?`, at, of.Kind, of.ID, l.String(), since)
	if err != nil {
		return fmt.Errorf("noting the use of %s: %w", l, err)
	}
	kind := Near
	if at == lastNotice {
		kind = Reached
	}
	return note(ctx, tx, Notice{Organisation: of.Organisation, Subject: of, Limit: l, Kind: kind, Percent: at, Used: used, Value: value, At: now})
}

// note keeps a notice until it is handed on.
func note(ctx context.Context, tx *store.Tx, n Notice) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO quota_notice (id, organisation, subject_kind, subject, name, kind, percent, used, value, note, at, told_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		newID(), n.Organisation, n.Subject.Kind, n.Subject.ID, n.Limit.String(), n.Kind, n.Percent, n.Used, n.Value, n.Note, n.At.UnixMilli())
	if err != nil {
		return fmt.Errorf("keeping the notice about %s: %w", n.Limit, err)
	}
	return nil
}

const noticeColumns = "id, organisation, subject_kind, subject, name, kind, percent, used, value, note, at, told_at"

func scanNotice(row listing.Scanner) (Notice, error) {
	var n Notice
	var name string
	var at, told int64
	err := row.Scan(&n.ID, &n.Organisation, &n.Subject.Kind, &n.Subject.ID, &name, &n.Kind, &n.Percent, &n.Used, &n.Value, &n.Note, &at, &told)
	if err != nil {
		return n, err
	}
	n.Subject.Organisation, n.At, n.Told = n.Organisation, moment(at), moment(told)
	n.Limit, err = ParseLimit(name)
	return n, err
}

// moment is the time of ms; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func notices() *listing.List[Notice] {
	return &listing.List[Notice]{
		Object: "notice", Columns: noticeColumns, From: "quota_notice", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}},
		Ways:   []listing.Way{{Filters: []string{"organisation"}}},
		Scan:   scanNotice,
	}
}

// Notices lists what who's organisation was told about limits, newest first.
func (s *Service) Notices(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Notice], err error) {
	if err := who.Check(access.ReadQuota); err != nil {
		return page, err
	}
	ask.Filters = map[string]string{"organisation": who.Organisation}
	if who.Organisation == "" {
		return listing.Page[Notice]{Items: []Notice{}}, nil // the operator's people read those of an organisation where they act for it
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = notices().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// handOn gives notices to whoever tells organisations, oldest first. What cannot be handed on stays.
func (s *Service) handOn(ctx context.Context) error {
	if s.c.Tell == nil {
		return nil
	}
	var open []Notice
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+noticeColumns+" FROM quota_notice WHERE told_at = 0 ORDER BY id LIMIT 100")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			n, err := scanNotice(rows)
			if err != nil {
				return err
			}
			open = append(open, n)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("reading open notices: %w", err)
	}
	for _, n := range open {
		if err := s.c.Tell(ctx, n); err != nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "a notice about a limit was not handed on, it will be", slog.String("notice", n.ID), slog.Any("error", err))
			return nil
		}
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE quota_notice SET told_at = ? WHERE id = ?", s.c.Now().UnixMilli(), n.ID)
			return err
		})
		if err != nil {
			return fmt.Errorf("noting that notice %s was told: %w", n.ID, err)
		}
	}
	return nil
}
