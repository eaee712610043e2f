package voice

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Moved forgets what was said in a home that was removed. It is the hook home.Changed.
func (s *Service) Moved(ctx context.Context, tx *store.Tx, homeID string) error {
	var homes int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM home WHERE id = ?", homeID).Scan(&homes); err != nil {
		return fmt.Errorf("looking for home %s: %w", homeID, err)
	}
	if homes > 0 {
		return nil
	}
	for _, table := range [...]string{"voice_sentence", "voice_privacy"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE home = ?", homeID); err != nil {
			return fmt.Errorf("forgetting what was said in home %s: %w", homeID, err)
		}
	}
	return nil
}

// owned are the tables with what belongs to somebody, and the columns that name a row.
func owned(kind string) map[string]string {
	switch kind {
	case "organisation":
		return map[string]string{"voice_sentence": "id", "voice_privacy": "person, home", "voice_count": "organisation, day, kind, value"}
	case "user":
		return map[string]string{"voice_sentence": "id", "voice_privacy": "person, home"}
	}
	return nil
}

// by is the column that names whose a row is.
func by(kind string) string {
	if kind == "user" {
		return "person"
	}
	return kind
}

// Erase deletes what people of an organisation said, what is counted of it and what they wanted, or all of a person's; more
// says that another call is needed. It is called before the homes go.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	for table, key := range owned(kind) {
		n, err := deleted(tx.Exec(ctx, "DELETE FROM "+table+" WHERE ("+key+") IN (SELECT "+key+" FROM "+table+" WHERE "+by(kind)+" = ? LIMIT ?)", id, limit))
		if err != nil {
			return false, fmt.Errorf("erasing from %s: %w", table, err)
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts what belongs to a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (all int64, err error) {
	for table := range owned(kind) {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM "+table+" WHERE "+by(kind)+" = ?", id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting %s of %s %s: %w", table, kind, id, err)
		}
		all += n
	}
	return all, nil
}
