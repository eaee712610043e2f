package home

import (
	"context"
	"fmt"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// AddRoom adds a room to a home.
func (s *Service) AddRoom(ctx context.Context, who access.Actor, homeID string, label Label) (Room, error) {
	label, err := label.checked()
	if err != nil {
		return Room{}, err
	}
	r := Room{ID: newID(), Label: label}
	err = s.change(ctx, who, homeID, func(tx *store.Tx) error {
		others, err := rooms(ctx, tx, homeID)
		if err != nil {
			return err
		}
		if len(others) >= MaxRooms {
			return fault.Limit("rooms", strconv.Itoa(len(others)), fmt.Sprintf("%d rooms a home", MaxRooms), 0)
		}
		if err := clashOfRooms(r, others); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertRoomSQL, r.ID, homeID, marshal(r.Names), marshal(r.Aliases), s.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("adding a room to home %s: %w", homeID, err)
		}
		return audit.Record(ctx, tx, who, "home.room.add", r.ID, "home "+homeID+" "+marshal(r.Names))
	})
	if err != nil {
		return Room{}, err
	}
	return r, nil
}

// SetRoom gives a room other names and aliases.
func (s *Service) SetRoom(ctx context.Context, who access.Actor, homeID, roomID string, label Label) error {
	label, err := label.checked()
	if err != nil {
		return err
	}
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		others, err := rooms(ctx, tx, homeID)
		if err != nil {
			return err
		}
		if err := known(others, roomID); err != nil {
			return err
		}
		if err := clashOfRooms(Room{roomID, label}, others); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE home_room SET names = ?, aliases = ? WHERE id = ?", marshal(label.Names), marshal(label.Aliases), roomID); err != nil {
			return fmt.Errorf("setting room %s: %w", roomID, err)
		}
		return audit.Record(ctx, tx, who, "home.room.set", roomID, "home "+homeID+" "+marshal(label.Names))
	})
}

// RemoveRoom takes an empty room away. A room with devices is a conflict:
// where they stand is not ours to guess.
func (s *Service) RemoveRoom(ctx context.Context, who access.Actor, homeID, roomID string) error {
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		n, err := count(ctx, tx, countInRoomSQL, homeID, roomID)
		if err != nil {
			return fmt.Errorf("counting devices of room %s: %w", roomID, err)
		}
		if n > 0 {
			f := fault.Conflict("room", fmt.Sprintf("room %q still has devices (%d)", roomID, n))
			f.Fix = "put them into another room or unbind them first"
			return f
		}
		done, err := tx.Exec(ctx, "DELETE FROM home_room WHERE id = ? AND home = ?", roomID, homeID)
		if err != nil {
			return fmt.Errorf("removing room %s: %w", roomID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("room", roomID)
		}
		return audit.Record(ctx, tx, who, "home.room.remove", roomID, "home "+homeID)
	})
}

// known finds the room among those of its home; the empty id is no room, and always known.
func known(all []Room, id string) error {
	if id == "" {
		return nil
	}
	for i := range all {
		if all[i].ID == id {
			return nil
		}
	}
	return fault.NotFound("room", id)
}

func clashOfRooms(r Room, others []Room) error {
	taken := make(map[string]Label)
	for i := range others {
		if others[i].ID != r.ID {
			others[i].each(func(_, name string) { taken[fold(name)] = others[i].Label })
		}
	}
	return r.clash(taken, "room", "in this home")
}
