package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// ChildrenSubject is the Bus subject, completed by the gateway's id, of a change of what a gateway carries, made by its maker; the payload is
// "+" or "-" and the id of the child. It may be lost: a gateway asks for its topology when it connects.
const ChildrenSubject = "device.children."

// Marks of a change on [ChildrenSubject].
const (
	Attached = "+"
	Detached = "-"
)

// A Name is how a device is called on the wire.
type Name struct{ ProductKey, DeviceName string }

// a carrier is a gateway as its own row has it.
type carrier struct{ id, organisation, product string }

func (c *carrier) subject() quota.Subject { return quota.Device(c.id, c.product, c.organisation) }

func carrierOf(ctx context.Context, q store.Querier, id string) (carrier, error) {
	c := carrier{id: id}
	err := q.QueryRow(ctx, "SELECT organisation, product FROM device WHERE id = ?", id).Scan(&c.organisation, &c.product)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.NotFound("device", id)
	}
	if err != nil {
		return c, fmt.Errorf("reading gateway %s: %w", id, err)
	}
	return c, nil
}

// Adopt has a gateway carry devices of its own organisation, all of them or none, each of which proved its secret to it. One that another
// gateway carries moves, unless the maker attached it there: that is a conflict.
func (s *Service) Adopt(ctx context.Context, gateway string, children []string) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		to, err := carrierOf(ctx, tx, gateway)
		if err != nil {
			return err
		}
		for _, id := range children {
			if err := s.attach(ctx, tx, &to, id, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// attach has a gateway carry a device, which stays as it is if it does already.
func (s *Service) attach(ctx context.Context, tx *store.Tx, to *carrier, child string, pinned bool) error {
	var organisation, had string
	var fixed bool
	err := tx.QueryRow(ctx, `
		SELECT d.organisation, COALESCE(c.gateway, ''), COALESCE(c.pinned, 0)
		FROM device d LEFT JOIN device_child c ON c.child = d.id
		WHERE d.id = ?`, child).Scan(&organisation, &had, &fixed)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && organisation != to.organisation:
		return fault.NotFound("device", child)
	case err != nil:
		return fmt.Errorf("reading device %s: %w", child, err)
	case had == to.id && (fixed || !pinned):
		return nil
	case had != "" && had != to.id && fixed && !pinned:
		return fault.Conflict("", "another gateway carries the device, by the will of its maker")
	}
	if had != to.id {
		if err := s.moves(ctx, tx, to, child, had); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO device_child (child, gateway, pinned, attached_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (child) DO UPDATE SET gateway = excluded.gateway, pinned = excluded.pinned, attached_at = excluded.attached_at`,
		child, to.id, pinned, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("attaching device %s to gateway %s: %w", child, to.id, err)
	}
	return nil
}

// moves counts a device to the gateway that carries it from now on; a session through the one that had it ends.
func (s *Service) moves(ctx context.Context, tx *store.Tx, to *carrier, child, had string) error {
	if err := quota.Take(ctx, tx, to.subject(), quota.Children, 1); err != nil {
		return err
	}
	if had == "" {
		return nil
	}
	if err := quota.Give(ctx, tx, quota.Subject{Kind: quota.KindDevice, ID: had}, quota.Children, 1); err != nil {
		return err
	}
	return s.changed(ctx, tx, child)
}

// Part has a gateway carry devices no longer, all of them or none. One that it does not carry is not found. Those that the maker attached
// stay the maker's to take away: that is a conflict.
func (s *Service) Part(ctx context.Context, gateway string, children []string) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, id := range children {
			if err := s.detach(ctx, tx, gateway, id, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// detach has a gateway carry a device no longer; by the maker's will also one that the maker attached.
func (s *Service) detach(ctx context.Context, tx *store.Tx, gateway, child string, maker bool) error {
	var pinned bool
	err := tx.QueryRow(ctx, "SELECT pinned FROM device_child WHERE child = ? AND gateway = ?", child, gateway).Scan(&pinned)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fault.NotFound("sub-device", child)
	case err != nil:
		return fmt.Errorf("reading what gateway %s carries: %w", gateway, err)
	case pinned && !maker:
		return fault.Conflict("", "the maker attached the device, and takes it away")
	}
	if _, err := tx.Exec(ctx, "DELETE FROM device_child WHERE child = ?", child); err != nil {
		return fmt.Errorf("detaching device %s: %w", child, err)
	}
	if err := quota.Give(ctx, tx, quota.Subject{Kind: quota.KindDevice, ID: gateway}, quota.Children, 1); err != nil {
		return err
	}
	return s.changed(ctx, tx, child)
}

// Attach has a gateway of who's organisation carry a device of it, which no gateway takes away then.
func (s *Service) Attach(ctx context.Context, who access.Actor, gateway, child string) error {
	return s.byMaker(ctx, who, gateway, child, "device.attach", Attached, func(tx *store.Tx, to *carrier) error {
		return s.attach(ctx, tx, to, child, true)
	})
}

// Detach takes a device from the gateway that carries it.
func (s *Service) Detach(ctx context.Context, who access.Actor, gateway, child string) error {
	return s.byMaker(ctx, who, gateway, child, "device.detach", Detached, func(tx *store.Tx, of *carrier) error {
		return s.detach(ctx, tx, of.id, child, true)
	})
}

func (s *Service) byMaker(ctx context.Context, who access.Actor, gateway, child, act, mark string, do func(*store.Tx, *carrier) error) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		g, err := Load(ctx, tx, who, gateway)
		if err != nil {
			return err
		}
		if err := s.isGateway(ctx, g.Product); err != nil {
			return err
		}
		d, err := Load(ctx, tx, who, child)
		if err != nil {
			return err
		}
		if mark == Attached {
			if err := s.isCarried(ctx, d.Product); err != nil {
				return err
			}
		}
		if err := do(tx, &carrier{g.ID, g.Organisation, g.Product}); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.bus.Publish(ChildrenSubject+gateway, []byte(mark+child)) })
		return audit.Record(ctx, tx, who, act, child, "gateway "+gateway)
	})
}

func (s *Service) isGateway(ctx context.Context, product string) error {
	is, err := s.products.Gateway(ctx, product)
	if err == nil && !is {
		f := fault.Conflict("", "the device is not a gateway")
		f.Fix = "ask a device of a product that is one; a product says so in gateway"
		return f
	}
	return err
}

func (s *Service) isCarried(ctx context.Context, product string) error {
	is, err := s.products.Gateway(ctx, product)
	if err == nil && is {
		f := fault.Conflict("/child", "a gateway is not carried by another")
		f.Fix = "let it connect by itself"
		return f
	}
	return err
}

// NameOf is how a device of a gateway's organisation is called on the wire.
func (s *Service) NameOf(ctx context.Context, id string) (n Name, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT p.product_key, d.name FROM device d JOIN product p ON p.id = d.product WHERE d.id = ?", id).Scan(&n.ProductKey, &n.DeviceName)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("device", id)
		}
		return err
	})
	return n, err
}

// maxTopology bounds what a gateway is told of what it carries; no override of the limit goes beyond.
const maxTopology = 10_000

// Topology names what a gateway carries, in the order of ids.
func (s *Service) Topology(ctx context.Context, gateway string) ([]Name, error) {
	var out []Name
	err := s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, `
			SELECT p.product_key, d.name
			FROM device_child c JOIN device d ON d.id = c.child JOIN product p ON p.id = d.product JOIN device g ON g.id = c.gateway
			WHERE c.gateway = ? AND g.organisation = d.organisation
			ORDER BY c.child LIMIT ?`, gateway, maxTopology)
		if err != nil {
			return fmt.Errorf("reading what gateway %s carries: %w", gateway, err)
		}
		defer rows.Close()
		for rows.Next() {
			var n Name
			if err := rows.Scan(&n.ProductKey, &n.DeviceName); err != nil {
				return fmt.Errorf("reading what gateway %s carries: %w", gateway, err)
			}
			out = append(out, n)
		}
		return rows.Err()
	})
	return out, err
}

// Carriers gives the gateway that carries each of the devices; those that none does are left out. Across organisations nothing is carried.
func (s *Service) Carriers(ctx context.Context, children []string) (map[string]string, error) {
	const atOnce = 500
	of := make(map[string]string, len(children))
	err := s.store.Read(ctx, func(v *store.View) error {
		for some := range slices.Chunk(children, atOnce) {
			if err := carriers(ctx, v, some, of); err != nil {
				return fmt.Errorf("reading which gateways carry devices: %w", err)
			}
		}
		return nil
	})
	return of, err
}

func carriers(ctx context.Context, q store.Querier, children []string, of map[string]string) error {
	args := make([]any, len(children))
	for i, id := range children {
		args[i] = id
	}
	rows, err := q.Query(ctx, `
		SELECT c.child, c.gateway
		FROM device_child c JOIN device d ON d.id = c.child JOIN device g ON g.id = c.gateway
		WHERE c.child IN (?`+strings.Repeat(", ?", len(args)-1)+`) AND g.organisation = d.organisation`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var child, gateway string
		if err := rows.Scan(&child, &gateway); err != nil {
			return err
		}
		of[child] = gateway
	}
	return rows.Err()
}

// A Child is a device that a gateway carries.
type Child struct {
	Device
	Pinned     bool // the maker attached it
	AttachedAt time.Time
}

// byGateway is the name that children are filtered by.
const byGateway = "gateway"

func childList() *listing.List[Child] {
	return &listing.List[Child]{
		Object: "sub-device", Columns: "c.pinned, c.attached_at, " + columns,
		From: "device_child c JOIN device d ON d.id = c.child " + withOrder + " LEFT JOIN device_presence p ON p.device = d.id", Where: issued, Key: "c.child",
		Fields: []listing.Field{{Name: scope, Column: "COALESCE(d.organisation, '')"}, {Name: byGateway, Column: "c.gateway"}, {Name: ByOnline, Column: "COALESCE(p.online, 0)", Parse: onlineOf}},
		Ways: []listing.Way{
			{Filters: []string{byGateway}, Rest: []string{scope, ByOnline}, Bound: "a gateway carries a limited number"},
		},
		Scan: func(row listing.Scanner) (c Child, err error) {
			var at int64
			c.Device, err = scan(behind{row, []any{&c.Pinned, &at}})
			c.AttachedAt = time.UnixMilli(at).UTC()
			return c, err
		},
	}
}

// behind scans what stands before the columns of a device, too.
type behind struct {
	row   scanner
	first []any
}

func (b behind) Scan(dest ...any) error { return b.row.Scan(append(slices.Clip(b.first), dest...)...) }

// Children returns a page of what a gateway of who's organisation carries.
func (s *Service) Children(ctx context.Context, who access.Actor, gateway string, ask listing.Ask) (page listing.Page[Child], err error) {
	filters := map[string]string{}
	for name, value := range ask.Filters {
		filters[name] = value
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		g, err := Load(ctx, v, who, gateway)
		if err != nil {
			return err
		}
		filters[byGateway], filters[scope] = g.ID, g.Organisation
		ask.Filters = filters
		page, err = childList().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// CountChildren counts what a gateway carries, as its stock of [quota.Children] should say.
func CountChildren(ctx context.Context, q store.Querier, gateway string) (n int64, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM device_child WHERE gateway = ?", gateway).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what gateway %s carries: %w", gateway, err)
	}
	return n, nil
}

// forgetChildren takes devices, named by a condition, out of the topology, and gives back what they count for their gateways.
func forgetChildren(ctx context.Context, tx *store.Tx, ids string, args []any) error {
	rows, err := tx.Query(ctx, "SELECT gateway, COUNT(*) FROM device_child WHERE child IN "+ids+" GROUP BY gateway", args...)
	if err != nil {
		return fmt.Errorf("counting sub-devices that go: %w", err)
	}
	defer rows.Close()
	gone := make(map[string]int64)
	for rows.Next() {
		var gateway string
		var n int64
		if err := rows.Scan(&gateway, &n); err != nil {
			return fmt.Errorf("counting sub-devices that go: %w", err)
		}
		gone[gateway] = n
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("counting sub-devices that go: %w", err)
	}
	for gateway, n := range gone {
		if err := quota.Give(ctx, tx, quota.Subject{Kind: quota.KindDevice, ID: gateway}, quota.Children, n); err != nil {
			return err
		}
	}
	for _, column := range []string{"child", "gateway"} {
		if _, err := tx.Exec(ctx, "DELETE FROM device_child WHERE "+column+" IN "+ids, args...); err != nil {
			return fmt.Errorf("erasing from device_child: %w", err)
		}
	}
	return nil
}
