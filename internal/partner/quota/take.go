package quota

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Take uses n units of a limit up for a subject, in the transaction of the act that needs them: if that fails they were
// never taken. Beyond the limit it refuses with a [fault.OverLimit] that names limit, use and value. A limit with a
// window is counted exactly too, in the window that holds the present: for what happens seldom, as a text message.
func Take(ctx context.Context, tx *store.Tx, of Subject, l Limit, n int64) error {
	if n < 0 {
		return fmt.Errorf("taking %d of %s: fewer than none", n, l)
	}
	if of.Kind == KindOrganisation {
		of.Organisation = of.ID
	}
	now := time.Now()
	value, _, err := inForce(ctx, tx, of, l, now)
	if err != nil {
		return err
	}
	since := l.window(now)
	if used, err := usedOf(ctx, tx, of, l, since); err != nil || used > value-n {
		if err != nil {
			return err
		}
		return over(l, used, n, value, l.left(now))
	}
	var used, told int64
	row := tx.QueryRow(ctx, `
		INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
		VALUES (?, ?, ?, ?, ?, 0)
		ON CONFLICT (subject_kind, subject, name, since)
		DO UPDATE SET used = quota_used.used + excluded.used
		RETURNING used, told`, of.Kind, of.ID, l.String(), since, n)
	if err := row.Scan(&used, &told); err != nil {
		return fmt.Errorf("taking %d %s of %s %s: %w", n, l, of.Kind, of.ID, err)
	}
	return tell(ctx, tx, of, l, since, used, value, told, now)
}

// Give gives n units of a stock back, in the transaction of the act that frees them. Never below none.
func Give(ctx context.Context, tx *store.Tx, of Subject, l Limit, n int64) error {
	if n < 0 {
		return fmt.Errorf("giving back %d of %s: fewer than none", n, l)
	}
	_, err := tx.Exec(ctx, `
		UPDATE quota_used
		SET used = CASE WHEN used > ? THEN used - ? ELSE 0 END
		WHERE subject_kind = ? AND subject = ? AND name = ? AND since = ?`, n, n, of.Kind, of.ID, l.String(), l.window(time.Now()))
	if err != nil {
		return fmt.Errorf("giving back %d %s of %s %s: %w", n, l, of.Kind, of.ID, err)
	}
	value, _, err := inForce(ctx, tx, of, l, time.Now())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE quota_used
		SET told = 0
		WHERE subject_kind = ? AND subject = ? AND name = ? AND since = 0 AND told > 0 AND used < ?`,
		of.Kind, of.ID, l.String(), value/100*firstNotice) // well below: the next time is news again
	if err != nil {
		return fmt.Errorf("giving back %d %s of %s %s: %w", n, l, of.Kind, of.ID, err)
	}
	return nil
}

// over is the refusal of n more than used.
func over(l Limit, used, n, value int64, after time.Duration) *fault.Fault {
	spec := l.Spec()
	f := fault.Limit(l.String(), strconv.FormatInt(used+n, 10), Rule(value, l), after)
	f.Fix = "GET /api/v1/organisations/{organisation}/limits shows what is used; the operator can raise it"
	if spec.Window > 0 {
		f.Fix = "wait until the " + unit(spec.Window) + " is over, or ask the operator for more"
	}
	if value == 0 {
		f.Fix = "it is cut off; the reason stands in GET /api/v1/limits/overrides"
	}
	return f
}

// Rule is a value of l in words: "100 triples for each product".
func Rule(value int64, l Limit) string {
	spec := l.Spec()
	rule := fmt.Sprintf("%d %s", value, spec.Unit)
	if spec.Window > 0 {
		rule += " a " + unit(spec.Window)
	}
	return rule + " for each " + spec.Of
}

func unit(window time.Duration) string {
	switch window {
	case time.Second:
		return "second"
	case time.Minute:
		return "minute"
	case time.Hour:
		return "clock-hour"
	}
	return "day"
}

// window is when the window that holds now began, ms; 0 for a stock.
func (l Limit) window(now time.Time) int64 {
	w := l.Spec().Window.Milliseconds()
	if w == 0 {
		return 0
	}
	ms := now.UnixMilli()
	return ms - ms%w
}

// left is how long the window that holds now lasts; 0 for a stock.
func (l Limit) left(now time.Time) time.Duration {
	w := l.Spec().Window
	if w == 0 {
		return 0
	}
	return w - time.Duration(now.UnixMilli()-l.window(now))*time.Millisecond
}

// A Count counts what a stock of the subject with this id really is, from the rows it stands for.
type Count func(ctx context.Context, q store.Querier, id string) (int64, error)

// Recounted is what a recount found wrong, and set right.
type Recounted struct {
	Limit     Limit
	Subject   string
	Was, Is   int64
	Corrected bool
}

// Recount holds the stocks of a subject against the rows they stand for and sets right what differs, each in one
// transaction with its audit entry.
func (s *Service) Recount(ctx context.Context, who access.Actor, of Subject) ([]Recounted, error) {
	if err := who.Check(access.ManageQuota); err != nil {
		return nil, err
	}
	var out []Recounted
	for _, l := range Limits() {
		count := s.c.Counts[l]
		if count == nil || l.Spec().Of != of.Kind {
			continue
		}
		r := Recounted{Limit: l, Subject: of.ID}
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			var err error
			if r.Was, err = usedOf(ctx, tx, of, l, 0); err != nil {
				return err
			}
			if r.Is, err = count(ctx, tx, of.ID); err != nil || r.Is == r.Was {
				return err
			}
			r.Corrected = true
			_, err = tx.Exec(ctx, `
				INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
				VALUES (?, ?, ?, 0, ?, 0)
				ON CONFLICT (subject_kind, subject, name, since)
				DO UPDATE SET used = excluded.used`, of.Kind, of.ID, l.String(), r.Is)
			if err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "quota.recount", of.Kind+" "+of.ID, fmt.Sprintf("%s was %d, is %d", l, r.Was, r.Is))
		})
		if err != nil {
			return out, fmt.Errorf("recounting %s of %s %s: %w", l, of.Kind, of.ID, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func usedOf(ctx context.Context, q store.Querier, of Subject, l Limit, since int64) (int64, error) {
	var used int64
	err := q.QueryRow(ctx, `
		SELECT COALESCE(SUM(used), 0)
		FROM quota_used
		WHERE subject_kind = ? AND subject = ? AND name = ? AND since = ?`, of.Kind, of.ID, l.String(), since).Scan(&used)
	if err != nil {
		return 0, fmt.Errorf("reading the use of %s by %s %s: %w", l, of.Kind, of.ID, err)
	}
	return used, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
