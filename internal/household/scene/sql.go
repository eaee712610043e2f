package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/store"
)

const (
	scenesSQL = `
		SELECT id, home, organisation, names, aliases, phrases, actions, version, created_at, changed_at
		FROM scene
		WHERE home = ?
		ORDER BY id
		LIMIT ?`
	keepSceneSQL = `
		INSERT INTO scene (id, home, organisation, names, aliases, phrases, actions, version, created_at, changed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET names = excluded.names, aliases = excluded.aliases, phrases = excluded.phrases,
			actions = excluded.actions, version = excluded.version, changed_at = excluded.changed_at`
)

// scenesOf reads the scenes of a home, by id.
func scenesOf(ctx context.Context, q store.Querier, homeID string) (map[string]*Scene, error) {
	rows, err := q.Query(ctx, scenesSQL, homeID, MaxScenes)
	if err != nil {
		return nil, fmt.Errorf("reading the scenes of home %s: %w", homeID, err)
	}
	defer rows.Close()
	all := make(map[string]*Scene)
	for rows.Next() {
		var sc Scene
		var names, aliases, phrases, actions string
		var created, changed int64
		if err := rows.Scan(&sc.ID, &sc.Home, &sc.Organisation, &names, &aliases, &phrases, &actions, &sc.Version, &created, &changed); err != nil {
			return nil, fmt.Errorf("reading the scenes of home %s: %w", homeID, err)
		}
		sc.CreatedAt, sc.ChangedAt = time.UnixMilli(created).UTC(), time.UnixMilli(changed).UTC()
		if err := errors.Join(decodeLabel(names, aliases, phrases, &sc), json.Unmarshal([]byte(actions), &sc.Actions)); err != nil {
			return nil, fmt.Errorf("reading scene %s: %w", sc.ID, err)
		}
		all[sc.ID] = &sc
	}
	return all, rows.Err()
}

func inOrder(byID map[string]*Scene) []Scene {
	list := make([]Scene, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		list = append(list, *byID[id])
	}
	return list
}

func insertScene(ctx context.Context, tx *store.Tx, sc *Scene) error {
	actions, err := encode(sc.Actions)
	if err != nil {
		return fmt.Errorf("encoding the actions of scene %s: %w", sc.ID, err)
	}
	_, err = tx.Exec(ctx, keepSceneSQL, sc.ID, sc.Home, sc.Organisation, marshal(sc.Names), marshal(sc.Aliases), marshal(sc.Phrases), actions,
		sc.Version, sc.CreatedAt.UnixMilli(), sc.ChangedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("writing scene %s: %w", sc.ID, err)
	}
	return nil
}

// link notes which devices something names, so that it is found when one of them is deleted.
func link(ctx context.Context, tx *store.Tx, kind, id string, devices []string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = ? AND id = ?", kind, id); err != nil {
		return fmt.Errorf("forgetting the devices of %s %s: %w", kind, id, err)
	}
	for _, d := range devices {
		if _, err := tx.Exec(ctx, "INSERT INTO scene_device (device, kind, id) VALUES (?, ?, ?)", d, kind, id); err != nil {
			return fmt.Errorf("noting the devices of %s %s: %w", kind, id, err)
		}
	}
	return nil
}

// places are n question marks.
func places(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
