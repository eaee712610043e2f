package dayfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Erase implements [history.Series]: day by day, each in one transaction.
func (f *Files) Erase(ctx context.Context, devices []string) error {
	return f.eachDay(ctx, func(d *file) error {
		tx, err := d.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, device := range devices {
			if _, err := tx.ExecContext(ctx, "DELETE FROM report WHERE device = (SELECT id FROM name WHERE name = ?)", device); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM name WHERE name = ?", device); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			delete(d.names, device)
		}
		return tx.Commit()
	})
}

// Holds implements [history.Series].
func (f *Files) Holds(ctx context.Context, devices []string) (n int64, err error) {
	err = f.eachDay(ctx, func(d *file) error {
		for _, device := range devices {
			var id, reports int64
			err := d.db.QueryRowContext(ctx, "SELECT id FROM name WHERE name = ?", device).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err == nil {
				err = d.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM report WHERE device = ?", id).Scan(&reports)
			}
			if err != nil {
				return err
			}
			n += reports + 1
		}
		return nil
	})
	return n, err
}

// eachDay opens one day after the other, so that writing waits for one day at most.
func (f *Files) eachDay(ctx context.Context, do func(*file) error) error {
	days, err := f.days()
	if err != nil {
		return err
	}
	for _, day := range days {
		if err := f.onDay(ctx, day, do); err != nil {
			return fmt.Errorf("going through the points of %s: %w", day, err)
		}
	}
	return nil
}

func (f *Files) onDay(ctx context.Context, day string, do func(*file) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.use(ctx, day)
	if err != nil {
		return err
	}
	return do(d)
}
