package enforce

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const measureColumns = `id, subject_kind, subject, organisation, kind, service, state, cause, reason, evidence, imposed_by, created_at,
	starts_at, ends_at, due_at, appeal_until, closed_at, closed_by, closing`

func insertMeasure(ctx context.Context, tx *store.Tx, m Measure) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO enforce_measure (`+measureColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`,
		m.ID, m.Subject.Kind, m.Subject.ID, m.Organisation, m.Kind, m.Service, m.State, m.Cause, m.Reason, ids(m.Evidence), m.By,
		ms(m.Created), ms(m.Starts), ms(m.Ends), ms(m.Due), ms(m.AppealUntil))
	if err != nil {
		return fmt.Errorf("entering a measure against %s: %w", m.Subject, err)
	}
	return nil
}

func scanMeasure(row listing.Scanner) (Measure, error) {
	var m Measure
	var evidence string
	var created, starts, ends, due, appeal, closed int64
	err := row.Scan(&m.ID, &m.Subject.Kind, &m.Subject.ID, &m.Organisation, &m.Kind, &m.Service, &m.State, &m.Cause, &m.Reason, &evidence, &m.By,
		&created, &starts, &ends, &due, &appeal, &closed, &m.ClosedBy, &m.Closing)
	if err != nil {
		return m, err
	}
	m.Created, m.Starts, m.Ends, m.Due, m.AppealUntil, m.Closed = moment(created), moment(starts), moment(ends), moment(due), moment(appeal), moment(closed)
	return m, json.Unmarshal([]byte(evidence), &m.Evidence)
}

// updateClosed writes how a measure ended, if nobody was faster.
func updateClosed(ctx context.Context, tx *store.Tx, m *Measure, from State) error {
	r, err := tx.Exec(ctx, `
		UPDATE enforce_measure
		SET state = ?, closed_at = ?, closed_by = ?, closing = ?
		WHERE id = ? AND state = ?`, m.State, ms(m.Closed), m.ClosedBy, m.Closing, m.ID, from)
	if err != nil {
		return fmt.Errorf("closing measure %s: %w", m.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return fault.Stale("measure", m.ID)
	}
	return nil
}

func insertChange(ctx context.Context, tx *store.Tx, of Subject, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO enforce_change (subject_kind, subject, at) VALUES (?, ?, ?)", of.Kind, of.ID, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("noting the change of %s: %w", of, err)
	}
	return nil
}

// event keeps what happened, to be told.
func (s *Service) event(ctx context.Context, tx *store.Tx, measure, organisation, kind, note string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO enforce_event (id, measure, organisation, kind, note, at, told_at)
		VALUES (?, ?, ?, ?, ?, ?, 0)`, uuid.Must(uuid.NewV7()).String(), measure, organisation, kind, note, s.c.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keeping the event %s of %s: %w", kind, measure, err)
	}
	return nil
}

// ids is a list as its column holds it.
func ids(list []string) string {
	if list == nil {
		list = []string{}
	}
	b, _ := json.Marshal(list) // strings always marshal
	return string(b)
}
