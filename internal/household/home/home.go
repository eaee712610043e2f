// Package home knows where a home lies, which rooms it has, which devices stand in them, and
// what people call them (家庭、房间、设备).
//
// It owns the tables home, home_room, home_device, home_member, home_invite, home_speaker and home_favourite, and promises:
//   - a device stands in at most one home: one of the organisation it belongs to, or, by proof of possession, one of residents;
//   - within a home no two rooms, and within a room no two devices, share a name or alias: what is said there is not ambiguous;
//   - the version of a home grows with every change in it, so that who compiled it knows when it is out of date;
//   - nobody loads a home of another organisation: it is not found;
//   - a home of residents (住户) is its own organisation: what stands in it is seen and commanded by its members only, in their
//     roles, and by nobody any more from the commit that removes them;
//   - such a home has a householder (户主) at any time; an invitation is good once, for 7 days, and only its hash is stored;
//   - a refused change changes nothing, an accepted one leaves one audit entry in its transaction.
//
// It knows no sentence and no state of a device: voice joins them.
package home

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits of a home.
const (
	MaxHomes   = 1000 // homes of one organisation
	MaxRooms   = 100  // rooms of one home
	MaxDevices = 1000 // devices of one home
	MaxPage    = 200  // homes in one page of a list
)

// A Home is a home with what stands in it.
type Home struct {
	ID           string
	Organisation string
	Names        Names
	Version      int64 // grows with every change of the home, its rooms and its devices
	CreatedAt    time.Time
	Place        Place
	Rooms        []Room    // in the order they were added; empty in a list
	Devices      []Device  // in the order of their ids; empty in a list
	Speakers     []Speaker // that were placed, in the order of their names; empty in a list
}

// A Room is one room of a home.
type Room struct {
	ID string
	Label
	Floor Names // what the floor that it lies on is called; empty: nobody said
}

// A Device is a device as it stands in a home.
type Device struct {
	ID         string
	Room       string // id, or empty: in the home, in no room
	Product    string // UUID of the product it is of
	DeviceName string // DeviceName (设备名称) of its triple
	BoundAt    time.Time
	Hidden     bool // nothing that is said reaches it
	Label
}

// Service answers for homes. It is safe for concurrent use.
type Service struct {
	store *store.Store
	bus   bus.Bus // nil: nobody is told
	now   func() time.Time
	zone  *time.Location // of homes without one of their own
	moved Changed        // nil: nobody asks
	left  Left           // the same
}

// New returns the service over a migrated store.
func New(s *store.Store) *Service { return &Service{store: s, now: time.Now, zone: time.UTC} }

// BoundSubject is the Bus subject, completed by the device's id, of a device that was placed in a home or taken from it; the
// payload is [Bound] or [Unbound]. It may be lost.
const (
	BoundSubject = "home.bound."
	Bound        = "bound"
	Unbound      = "unbound"
)

// Changed is the hook that is called when a home was removed, or lies elsewhere: in its transaction, after it was written.
type Changed func(ctx context.Context, tx *store.Tx, home string) error

// A Leaver is a resident who lives in a home no more.
type Leaver struct {
	Home     string
	Resident string
	Role     access.Role // that they had
	Heir     string      // a householder of the home
}

// Left is the hook that is called when a member was removed or left, in its transaction. It is not called for a home that ends with them.
type Left func(ctx context.Context, tx *store.Tx, l Leaver) error

// OnLeft makes s call a hook. It is called before the first member leaves.
func (s *Service) OnLeft(hook Left) { s.left = hook }

// OnChanged makes s call a hook. It is called before the first home changes.
func (s *Service) OnChanged(hook Changed) { s.moved = hook }

func (s *Service) changed(ctx context.Context, tx *store.Tx, id string) error {
	if s.moved == nil {
		return nil
	}
	return s.moved(ctx, tx, id)
}

// TellOn makes s tell on b of devices that come into homes and leave them. It is called before the first of them does.
func (s *Service) TellOn(b bus.Bus) { s.bus = b }

func (s *Service) tell(tx *store.Tx, device, what string) {
	if s.bus != nil {
		tx.AfterCommit(func() { s.bus.Publish(BoundSubject+device, []byte(what)) })
	}
}

// Create makes an empty home in the organisation of who.
func (s *Service) Create(ctx context.Context, who access.Actor, names Names) (Home, error) {
	if err := who.Check(access.WriteHome); err != nil {
		return Home{}, err
	}
	if who.Organisation == "" {
		return Home{}, fault.Forbidden(string(access.WriteHome), "an organisation to act for")
	}
	label, err := Label{Names: names}.Checked()
	if err != nil {
		return Home{}, err
	}
	h := Home{ID: newID(), Organisation: who.Organisation, Names: label.Names, Version: 1, CreatedAt: s.now().UTC().Truncate(time.Millisecond)}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		n, err := count(ctx, tx, countHomesSQL, who.Organisation)
		if err != nil {
			return fmt.Errorf("counting homes: %w", err)
		}
		if n >= MaxHomes {
			return fault.Limit("homes", strconv.Itoa(n), fmt.Sprintf("%d homes an organisation", MaxHomes), 0)
		}
		if _, err := tx.Exec(ctx, insertHomeSQL, h.ID, h.Organisation, marshal(h.Names), h.Version, h.CreatedAt.UnixMilli()); err != nil {
			return fmt.Errorf("adding home %s: %w", h.ID, err)
		}
		return audit.Record(ctx, tx, who, "home.create", h.ID, marshal(h.Names))
	})
	if err != nil {
		return Home{}, err
	}
	return h, nil
}

// Rename gives a home other names.
func (s *Service) Rename(ctx context.Context, who access.Actor, id string, names Names) error {
	label, err := Label{Names: names}.Checked()
	if err != nil {
		return err
	}
	return s.change(ctx, who, id, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE home SET names = ? WHERE id = ? AND organisation = ?", marshal(label.Names), id, who.Organisation); err != nil {
			return fmt.Errorf("renaming home %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "home.rename", id, marshal(label.Names))
	})
}

// Remove takes a home away, with its rooms. Its devices are free for another home.
func (s *Service) Remove(ctx context.Context, who access.Actor, id string) error {
	if who.Resident() {
		if err := who.Check(access.ManageHome); err != nil {
			return err
		}
	}
	return s.change(ctx, who, id, func(tx *store.Tx) error { return s.remove(ctx, tx, who, id) })
}

func (s *Service) remove(ctx context.Context, tx *store.Tx, who access.Actor, id string) error {
	stood, err := devices(ctx, tx, inHomeSQL, id)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM home_favourite WHERE home = ?",
		"DELETE FROM home_speaker WHERE home = ?",
		"DELETE FROM home_device WHERE home = ?",
		"DELETE FROM home_room WHERE home = ?",
		"DELETE FROM home_member WHERE home = ?",
		"DELETE FROM home_invite WHERE home = ?",
		"DELETE FROM home WHERE id = ?",
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("removing home %s: %w", id, err)
		}
	}
	for i := range stood {
		if err := s.parted(ctx, tx, id, stood[i].ID); err != nil {
			return err
		}
	}
	if err := s.changed(ctx, tx, id); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "home.remove", id, "")
}

// Load returns a home of who's organisation with its rooms and devices.
func (s *Service) Load(ctx context.Context, who access.Actor, id string) (Home, error) {
	if err := who.Check(access.ReadHome); err != nil {
		return Home{}, err
	}
	var h Home
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		h, err = load(ctx, v, who, id)
		return err
	})
	return h, err
}

// Version returns the version of a home of who's organisation: one cheap read
// for who keeps something made of it.
func (s *Service) Version(ctx context.Context, who access.Actor, id string) (int64, error) {
	if err := who.Check(access.ReadHome); err != nil {
		return 0, err
	}
	var version int64
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		version, err = versionOf(ctx, v, who, id)
		return err
	})
	return version, err
}

// Online returns which of the devices of a home of who's organisation are
// connected now, of all of them if none is named; others are not in it.
func (s *Service) Online(ctx context.Context, who access.Actor, id string, devices ...string) (map[string]bool, error) {
	if err := who.Check(access.ReadHome); err != nil {
		return nil, err
	}
	var connected map[string]bool
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		connected, err = online(ctx, v, who, id, devices)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading which devices of home %s are online: %w", id, err)
	}
	return connected, nil
}

// A Page is a part of a list.
type Page struct {
	After string // id of the last home of the page before; empty: the first page
	Limit int    // 1..MaxPage; 0 is 50
}

// List returns a page of the homes of who's organisation in the order they were
// made, without what stands in them, and whether more follow.
func (s *Service) List(ctx context.Context, who access.Actor, p Page) ([]Home, bool, error) {
	if err := who.Check(access.ReadHome); err != nil {
		return nil, false, err
	}
	if p.Limit == 0 {
		p.Limit = 50
	}
	if p.Limit < 1 || p.Limit > MaxPage {
		return nil, false, fault.Invalid("/limit", strconv.Itoa(p.Limit), fmt.Sprintf("an integer from 1 to %d", MaxPage), "ask for fewer and follow the cursor")
	}
	var page []Home
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		page, err = list(ctx, v, who.Organisation, p)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("listing homes: %w", err)
	}
	if len(page) > p.Limit {
		return page[:p.Limit], true, nil
	}
	return page, false, nil
}

// change runs do in a transaction that raises the version of the home first,
// which also finds out that it is who's.
func (s *Service) change(ctx context.Context, who access.Actor, id string, do func(tx *store.Tx) error) error {
	if err := who.Check(access.WriteHome); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := Change(ctx, tx, who, id); err != nil {
			return err
		}
		return do(tx)
	})
}

// Change raises the version of a home of who's organisation, in the transaction of what changes in it, and gives the new one. It
// finds out that the home is who's.
func Change(ctx context.Context, tx *store.Tx, who access.Actor, id string) (version int64, err error) {
	done, err := tx.Exec(ctx, "UPDATE home SET version = version + 1 WHERE id = ? AND organisation = ?", id, who.Organisation)
	if err != nil {
		return 0, fmt.Errorf("changing home %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return 0, fault.NotFound("home", id)
	}
	return versionOf(ctx, tx, who, id)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
