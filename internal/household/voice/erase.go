package voice

import (
	"context"
	"errors"
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
	if err := s.withdrawAll(ctx, tx, "home", homeID, -1); err != nil {
		return err
	}
	for _, table := range [...]string{"voice_sentence", "voice_privacy", "voice_heard", "voice_announcement"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE home = ?", homeID); err != nil {
			return fmt.Errorf("forgetting what was said in home %s: %w", homeID, err)
		}
	}
	return nil
}

// withdrawAll takes back what was given away by those whose choice names something; limit below 0: of all.
func (s *Service) withdrawAll(ctx context.Context, tx *store.Tx, column, id string, limit int) error {
	query, args := "SELECT person, home FROM voice_privacy WHERE "+column+" = ? ORDER BY person, home", []any{id}
	if limit >= 0 {
		query, args = query+" LIMIT ?", append(args, limit)
	}
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	var all [][2]string
	for rows.Next() {
		var of [2]string
		if err := rows.Scan(&of[0], &of[1]); err != nil {
			rows.Close()
			return err
		}
		all = append(all, of)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, of := range all {
		if err := s.withdraw(ctx, tx, of[0], of[1], ""); err != nil {
			return err
		}
	}
	return nil
}

// owned are the tables with what belongs to somebody, and the columns that name a row.
func owned(kind string) map[string]string {
	switch kind {
	case "organisation":
		return map[string]string{"voice_sentence": "id", "voice_privacy": "person, home", "voice_count": "organisation, day, kind, value", "voice_heard": "announcement, speaker", "voice_announcement": "id", "voice_inbox": "id", "voice_vocabulary": "organisation, id"}
	case "user":
		return map[string]string{"voice_sentence": "id", "voice_privacy": "person, home", "voice_heard": "announcement, speaker", "voice_announcement": "id"}
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
	switch kind {
	case "user":
		s.keeper.leave(id)
		err = s.withdrawAll(ctx, tx, "person", id, limit)
	case "organisation":
		_, err = tx.Exec(ctx, "DELETE FROM voice_inbox_person WHERE entry IN (SELECT id FROM voice_inbox WHERE organisation = ?)", id)
	}
	if err != nil {
		return false, fmt.Errorf("erasing who is in the inbox: %w", err)
	}
	for table, key := range owned(kind) {
		n, err := deleted(tx.Exec(ctx, "DELETE FROM "+table+" WHERE ("+key+") IN (SELECT "+key+" FROM "+table+" WHERE "+by(kind)+" = ? ORDER BY "+key+" LIMIT ?)", id, limit))
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
