package command

import (
	"context"
	"fmt"
	"strings"

	"lampworks/internal/infra/store"
)

// Since returns the commands given after the one with a seq, in their order, at most limit; for a reader that must miss none.
func (s *Commands) Since(ctx context.Context, seq int64, limit int) ([]Command, error) {
	var out []Command
	err := s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+columns+" FROM command WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			c, err := scan(rows)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the commands after %d: %w", seq, err)
	}
	return out, nil
}

// Look returns commands as q sees them, by id; at most 500 of them. The caller has checked whose they are.
func Look(ctx context.Context, q store.Querier, ids []string) (map[string]Command, error) {
	out := make(map[string]Command, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := q.Query(ctx, "SELECT "+columns+" FROM command WHERE id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
	if err != nil {
		return nil, fmt.Errorf("reading commands by their ids: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading commands by their ids: %w", err)
		}
		out[c.ID] = c
	}
	return out, rows.Err()
}
