package home

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// AddRoom adds a room to a home. floor, which may be empty, is what the floor that it lies on is called (楼层).
func (s *Service) AddRoom(ctx context.Context, who access.Actor, homeID string, label Label, floor Names) (Room, error) {
	label, err := label.Checked()
	if err != nil {
		return Room{}, err
	}
	if floor, err = checkFloor(floor); err != nil {
		return Room{}, err
	}
	r := Room{ID: newID(), Label: label, Floor: floor}
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
		_, err = tx.Exec(ctx, insertRoomSQL, r.ID, homeID, marshal(r.Names), marshal(r.Aliases), marshal(r.Floor), s.now().UnixMilli())
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

// SetRoom gives a room other names and aliases, and another floor.
func (s *Service) SetRoom(ctx context.Context, who access.Actor, homeID, roomID string, label Label, floor Names) error {
	label, err := label.Checked()
	if err != nil {
		return err
	}
	if floor, err = checkFloor(floor); err != nil {
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
		if err := clashOfRooms(Room{ID: roomID, Label: label}, others); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE home_room SET names = ?, aliases = ?, floor = ? WHERE id = ?", marshal(label.Names), marshal(label.Aliases), marshal(floor), roomID); err != nil {
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
		if _, err := tx.Exec(ctx, "DELETE FROM home_speaker WHERE home = ? AND room = ?", homeID, roomID); err != nil {
			return fmt.Errorf("removing the speakers of room %s: %w", roomID, err)
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
			others[i].Each(func(_, name string) { taken[Fold(name)] = others[i].Label })
		}
	}
	return r.clash(taken, "room", "in this home")
}

// checkFloor holds what a floor is called against the rules of names.
func checkFloor(floor Names) (Names, error) {
	kept := make(Names)
	for _, lang := range slices.Sorted(maps.Keys(floor)) {
		name, err := checkName("/floor/"+fault.Cut(lang), lang, floor[lang])
		if err != nil {
			return nil, err
		}
		kept[lang] = name
	}
	return kept, nil
}
