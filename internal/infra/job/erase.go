package job

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Erase deletes jobs of an organisation, and those about one object of other kinds; more says that another call is needed.
func (r *Runner) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	res, err := tx.Exec(ctx, "DELETE FROM job WHERE seq IN (SELECT seq FROM job WHERE "+about(kind)+" LIMIT ?)", id, limit)
	if err != nil {
		return false, fmt.Errorf("erasing jobs: %w", err)
	}
	n, err := res.RowsAffected()
	return n >= int64(limit), err
}

// Holds counts the jobs of a subject.
func (r *Runner) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM job WHERE "+about(kind), id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting jobs of %s %s: %w", kind, id, err)
	}
	return n, nil
}

func about(kind string) string {
	if kind == "organisation" {
		return "organisation = ?"
	}
	return "object = ?"
}

// Forget takes the name and the address of a person who is deleted out of their jobs; the id stays.
func (r *Runner) Forget(ctx context.Context, tx *store.Tx, user string) error {
	_, err := tx.Exec(ctx, "UPDATE job SET actor_login = '', actor_from = '' WHERE actor_user = ?", user)
	if err != nil {
		return fmt.Errorf("forgetting a person in jobs: %w", err)
	}
	return nil
}
