package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// Moved forgets what belongs to a home that was removed, and finds out when things are due in one that lies elsewhere now. It is the hook home.Changed.
func (s *Service) Moved(ctx context.Context, tx *store.Tx, homeID string) error {
	var homes int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM home WHERE id = ?", homeID).Scan(&homes); err != nil {
		return fmt.Errorf("looking for home %s: %w", homeID, err)
	}
	if homes > 0 {
		return s.rezone(ctx, tx, homeID)
	}
	for kind, table := range tables() {
		ids := "(SELECT id FROM " + table + " WHERE home = ?)"
		if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = '"+kind+"' AND id IN "+ids, homeID); err != nil {
			return fmt.Errorf("forgetting the devices of home %s: %w", homeID, err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE home = ?", homeID); err != nil {
			return fmt.Errorf("forgetting %ss of home %s: %w", kind, homeID, err)
		}
	}
	return nil
}

// tables has the table of each kind of what names devices.
func tables() map[string]string {
	return map[string]string{"scene": "scene", "run": "scene_run", OfTimer: "scene_timer", OfAutomation: "scene_automation", "trace": "scene_trace"}
}

// Erase deletes what an organisation's homes do by themselves and, of the devices of a subject, every mention; more says that
// another call is needed. It is called before the devices and the homes go.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind == "organisation" {
		return eraseAll(ctx, tx, id, limit)
	}
	of := device.Of("device", kind)
	if of == "" {
		return false, nil
	}
	rows, err := tx.Query(ctx, "SELECT device, kind, id FROM scene_device WHERE "+of+" ORDER BY device, kind, id LIMIT ?", id, limit)
	if err != nil {
		return false, fmt.Errorf("looking for scenes of erased devices: %w", err)
	}
	var found []mention
	for rows.Next() {
		var m mention
		if err := rows.Scan(&m.device, &m.kind, &m.id); err != nil {
			rows.Close()
			return false, err
		}
		found = append(found, m)
	}
	if err := rows.Close(); err != nil {
		return false, err
	}
	for _, m := range found {
		if err := m.erase(ctx, tx); err != nil {
			return false, fmt.Errorf("erasing device %s from %s %s: %w", m.device, m.kind, m.id, err)
		}
	}
	return len(found) >= limit, nil
}

// A mention is a device that something names.
type mention struct{ device, kind, id string }

// erase takes the device out of what names it: a run and an automation go, of a scene what it does with it.
func (m *mention) erase(ctx context.Context, tx *store.Tx) error {
	if m.kind == "run" {
		if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = ? AND id = ?", m.kind, m.id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM scene_run WHERE id = ?", m.id)
		return err
	}
	if m.kind == OfAutomation {
		_, err := tx.Exec(ctx, "UPDATE scene_run SET asked = '' WHERE home = (SELECT home FROM scene_automation WHERE id = ?) AND ref = ? AND origin = ?", m.id, m.id, OfAutomation)
		if err != nil { // there stands what the device said
			return err
		}
		return dropAutomation(ctx, tx, m.id)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE device = ? AND kind = ? AND id = ?", m.device, m.kind, m.id); err != nil {
		return err
	}
	table := tables()[m.kind]
	var text string
	if err := tx.QueryRow(ctx, "SELECT actions FROM "+table+" WHERE id = ?", m.id).Scan(&text); err != nil {
		return err
	}
	var actions []Action
	if err := json.Unmarshal([]byte(text), &actions); err != nil {
		return err
	}
	rest := slices.DeleteFunc(actions, func(a Action) bool { return a.Device == m.device })
	if len(rest) == 0 && m.kind != "scene" { // a timer without actions would ring
		_, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE id = ?", m.id)
		return err
	}
	kept, err := encode(rest)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE "+table+" SET actions = ? WHERE id = ?", kept, m.id)
	return err
}

func eraseAll(ctx context.Context, tx *store.Tx, organisation string, limit int) (more bool, err error) {
	for kind, table := range tables() {
		ids := "(SELECT id FROM " + table + " WHERE organisation = ? ORDER BY id LIMIT ?)"
		if _, err := tx.Exec(ctx, "DELETE FROM scene_device WHERE kind = '"+kind+"' AND id IN "+ids, organisation, limit); err != nil {
			return false, fmt.Errorf("erasing the devices of %ss: %w", kind, err)
		}
		r, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE id IN "+ids, organisation, limit)
		if err != nil {
			return false, fmt.Errorf("erasing %ss: %w", kind, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts what belongs to a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if kind == "organisation" {
		var counts []string
		for _, table := range tables() {
			counts = append(counts, "(SELECT COUNT(*) FROM "+table+" WHERE organisation = ?)")
		}
		args := slices.Repeat([]any{id}, len(counts))
		if err := q.QueryRow(ctx, "SELECT "+strings.Join(counts, " + "), args...).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting scenes of organisation %s: %w", id, err)
		}
		return n, nil
	}
	of := device.Of("device", kind)
	if of == "" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM scene_device WHERE "+of, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting scenes of %s %s: %w", kind, id, err)
	}
	return n, nil
}
