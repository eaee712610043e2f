package home

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Bind puts a device of who's organisation into a room of a home (绑定). room may
// be empty: in the home, in no room. A device that stands in a home already is a
// conflict.
func (s *Service) Bind(ctx context.Context, who access.Actor, homeID, room, deviceID string, label Label) (Device, error) {
	label, err := label.Checked()
	if err != nil {
		return Device{}, err
	}
	d := Device{ID: deviceID, Room: room, Label: label, BoundAt: s.now().UTC()}
	err = s.change(ctx, who, homeID, func(tx *store.Tx) error {
		unit, err := device.Load(ctx, tx, who, deviceID)
		if err != nil {
			return err
		}
		d.Product, d.DeviceName = unit.Product, unit.Name
		if err := s.free(ctx, tx, homeID, d); err != nil {
			return err
		}
		return s.place(ctx, tx, who, homeID, d)
	})
	if err != nil {
		return Device{}, err
	}
	return d, nil
}

// MayTake finds out whether who may put a device, of whatever maker, into a room of a home of theirs: what [Service.Take] would refuse, it
// refuses.
func (s *Service) MayTake(ctx context.Context, tx *store.Tx, who access.Actor, homeID, room, deviceID string, label Label) error {
	if err := who.Check(access.WriteHome); err != nil {
		return err
	}
	if _, err := versionOf(ctx, tx, who, homeID); err != nil {
		return err
	}
	if err := s.free(ctx, tx, homeID, Device{ID: deviceID, Room: room, Label: label}); err != nil {
		return err
	}
	n, err := count(ctx, tx, "SELECT COUNT(*) FROM home_device WHERE device = ?", deviceID)
	if err != nil {
		return fmt.Errorf("looking for the home of device %s: %w", deviceID, err)
	}
	if n > 0 {
		return errBound(deviceID)
	}
	return nil
}

// Take puts a device, of whatever maker, into a room of a home of who's, in the transaction of the room that has proof that they
// have it in their hands.
func (s *Service) Take(ctx context.Context, tx *store.Tx, who access.Actor, homeID, room, deviceID string, label Label) error {
	if err := s.MayTake(ctx, tx, who, homeID, room, deviceID, label); err != nil {
		return err
	}
	if _, err := Change(ctx, tx, who, homeID); err != nil {
		return err
	}
	return s.place(ctx, tx, who, homeID, Device{ID: deviceID, Room: room, Label: label, BoundAt: s.now().UTC()})
}

// free refuses a device for which a home has no room, or whose names are taken there.
func (s *Service) free(ctx context.Context, tx *store.Tx, homeID string, d Device) error {
	n, err := count(ctx, tx, "SELECT COUNT(*) FROM home_device WHERE home = ?", homeID)
	if err != nil {
		return fmt.Errorf("counting devices of home %s: %w", homeID, err)
	}
	if n >= MaxDevices {
		return fault.Limit("devices", strconv.Itoa(n), fmt.Sprintf("%d devices a home", MaxDevices), 0)
	}
	return s.fits(ctx, tx, homeID, d)
}

// place writes a device into its home.
func (s *Service) place(ctx context.Context, tx *store.Tx, who access.Actor, homeID string, d Device) error {
	_, err := tx.Exec(ctx, insertDeviceSQL, d.ID, homeID, d.Room, marshal(d.Names), marshal(d.Aliases), d.BoundAt.UnixMilli())
	if errors.Is(err, store.ErrDuplicate) {
		return errBound(d.ID)
	}
	if err != nil {
		return fmt.Errorf("binding device %s: %w", d.ID, err)
	}
	s.tell(tx, d.ID, Bound)
	return audit.Record(ctx, tx, who, "home.device.bind", d.ID, "home "+homeID+" "+marshal(d.Names))
}

func errBound(deviceID string) error {
	f := fault.Conflict("device", fmt.Sprintf("device %q stands in a home already", deviceID))
	f.Fix = "unbind it there first"
	return f
}

// SetDevice gives a bound device other names and aliases and puts it into a room.
func (s *Service) SetDevice(ctx context.Context, who access.Actor, homeID, deviceID, room string, label Label) error {
	label, err := label.Checked()
	if err != nil {
		return err
	}
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		if err := s.fits(ctx, tx, homeID, Device{ID: deviceID, Room: room, Label: label}); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, "UPDATE home_device SET room = ?, names = ?, aliases = ? WHERE device = ? AND home = ?",
			room, marshal(label.Names), marshal(label.Aliases), deviceID, homeID)
		if err != nil {
			return fmt.Errorf("setting device %s: %w", deviceID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("device", deviceID)
		}
		return audit.Record(ctx, tx, who, "home.device.set", deviceID, "home "+homeID+" "+marshal(label.Names))
	})
}

// Unbind takes a device out of a home (解绑).
func (s *Service) Unbind(ctx context.Context, who access.Actor, homeID, deviceID string) error {
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM home_device WHERE device = ? AND home = ?", deviceID, homeID)
		if err != nil {
			return fmt.Errorf("unbinding device %s: %w", deviceID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("device", deviceID)
		}
		if err := s.parted(ctx, tx, homeID, deviceID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "home.device.unbind", deviceID, "home "+homeID)
	})
}

// Lends says whether a device is bound in a home of residents, which is its own organisation: whoever acts in its name may command
// it then, whoever made it. It is what command asks.
func (s *Service) Lends(ctx context.Context, q store.Querier, organisation, deviceID string) (bool, error) {
	n, err := count(ctx, q, lendsSQL, deviceID, organisation, organisation)
	return n > 0, err
}

// ShowsIcon refuses a resident an icon that is not of a product of a device in a home of theirs: it is not found.
func (s *Service) ShowsIcon(ctx context.Context, who access.Actor, icon string) error {
	return s.store.Read(ctx, func(v *store.View) error {
		n, err := count(ctx, v, showsIconSQL, who.ID, icon)
		if err == nil && (n == 0 || !who.Resident()) {
			return fault.NotFound("icon", icon)
		}
		return err
	})
}

// Leave takes a device out of the home that it was placed in before a time: somebody reset it then (恢复出厂设置), and it has
// forgotten where it belongs. It is the hook device.Reset.
func (s *Service) Leave(ctx context.Context, tx *store.Tx, deviceID string, at time.Time) error {
	var homeID, organisation string
	err := tx.QueryRow(ctx, `
		SELECT h.id, h.organisation FROM home_device d JOIN home h ON h.id = d.home WHERE d.device = ? AND d.bound_at <= ?`,
		deviceID, at.UnixMilli()).Scan(&homeID, &organisation)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the home of device %s, which was reset: %w", deviceID, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM home_device WHERE device = ?", deviceID); err != nil {
		return fmt.Errorf("unbinding device %s, which was reset: %w", deviceID, err)
	}
	if err := s.parted(ctx, tx, homeID, deviceID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE home SET version = version + 1 WHERE id = ?", homeID); err != nil {
		return fmt.Errorf("changing home %s: %w", homeID, err)
	}
	return audit.Record(ctx, tx, access.System("reset", organisation), "home.device.unbind", deviceID, "home "+homeID+", the device was reset")
}

// parted ends what was of a device that has left its home: favourites, and wishes and commands, which it would carry out in the next one.
func (s *Service) parted(ctx context.Context, tx *store.Tx, homeID, deviceID string) error {
	if err := unlike(ctx, tx, deviceID); err != nil {
		return err
	}
	if err := shadow.Undesire(ctx, tx, deviceID, s.now()); err != nil {
		return err
	}
	if err := command.Part(ctx, tx, s.bus, homeID, deviceID, s.now()); err != nil {
		return err
	}
	s.tell(tx, deviceID, Unbound)
	return nil
}

// unlike takes a device that leaves its home out of everybody's favourites.
func unlike(ctx context.Context, tx *store.Tx, deviceID string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM home_favourite WHERE device = ?", deviceID); err != nil {
		return fmt.Errorf("taking device %s out of favourites: %w", deviceID, err)
	}
	return nil
}

// fits checks that the room is one of the home, and that no other device in it
// has one of the names.
func (s *Service) fits(ctx context.Context, tx *store.Tx, homeID string, d Device) error {
	all, err := rooms(ctx, tx, homeID)
	if err != nil {
		return err
	}
	if err := known(all, d.Room); err != nil {
		return err
	}
	others, err := devices(ctx, tx, inRoomSQL, homeID, d.Room)
	if err != nil {
		return err
	}
	taken := make(map[string]Label)
	for i := range others {
		if others[i].ID != d.ID {
			others[i].Each(func(_, name string) { taken[Fold(name)] = others[i].Label })
		}
	}
	return d.clash(taken, "device", "in this room")
}
