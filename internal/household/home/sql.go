package home

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	countHomesSQL   = "SELECT COUNT(*) FROM home WHERE organisation = ?"
	countInRoomSQL  = "SELECT COUNT(*) FROM home_device WHERE home = ? AND room = ?"
	insertHomeSQL   = "INSERT INTO home (id, organisation, names, version, created_at) VALUES (?, ?, ?, ?, ?)"
	insertRoomSQL   = "INSERT INTO home_room (id, home, names, aliases, floor, created_at) VALUES (?, ?, ?, ?, ?, ?)"
	insertDeviceSQL = "INSERT INTO home_device (device, home, room, names, aliases, bound_at) VALUES (?, ?, ?, ?, ?, ?)"

	// Homes of a resident with a device whose product has an icon.
	showsIconSQL = `
		SELECT COUNT(*)
		FROM home_member m
		JOIN home_device d ON d.home = m.home
		JOIN device u ON u.id = d.device
		JOIN product p ON p.id = u.product
		WHERE m.resident = ? AND p.icon = ? AND p.icon <> ''`

	lendsSQL = `
		SELECT COUNT(*)
		FROM home_device d
		JOIN home h ON h.id = d.home
		WHERE d.device = ? AND h.id = ? AND h.organisation = ?`

	homeSQL = `
		SELECT id, organisation, names, version, created_at, time_zone, latitude_e6, longitude_e6
		FROM home
		WHERE id = ? AND organisation = ?`
	pageSQL = `
		SELECT id, organisation, names, version, created_at, time_zone, latitude_e6, longitude_e6
		FROM home
		WHERE organisation = ? AND id > ?
		ORDER BY id
		LIMIT ?`
	residencesSQL = `
		SELECT h.id, h.organisation, h.names, h.version, h.created_at, h.time_zone, h.latitude_e6, h.longitude_e6, m.role, m.joined_at
		FROM home_member m
		JOIN home h ON h.id = m.home
		WHERE m.resident = ?
		ORDER BY h.id
		LIMIT ?`
	membersSQL = `
		SELECT m.resident, COALESCE(r.name, ''), m.role, m.joined_at
		FROM home_member m
		LEFT JOIN resident r ON r.id = m.resident
		WHERE m.home = ?
		ORDER BY m.resident
		LIMIT ?`
	roomsSQL = `
		SELECT id, names, aliases, floor
		FROM home_room
		WHERE home = ?
		ORDER BY id
		LIMIT ?`
	devicesSQL = `
		SELECT h.device, h.room, d.product, d.name, h.names, h.aliases, h.bound_at, h.hidden
		FROM home_device h
		JOIN device d ON d.id = h.device
		WHERE h.home = ?`
	onlineSQL = `
		SELECT d.device
		FROM home h
		JOIN home_device d ON d.home = h.id
		JOIN device_presence p ON p.device = d.device
		WHERE h.id = ? AND h.organisation = ? AND p.online = 1`
	onlineAllSQL = onlineSQL + ` LIMIT 1000`
	onlineFewSQL = onlineSQL + ` AND d.device IN (?, ?, ?, ?, ?, ?, ?, ?)`
	inHomeSQL    = devicesSQL + ` ORDER BY h.device LIMIT 1000`
	inRoomSQL    = devicesSQL + ` AND h.room = ? ORDER BY h.device LIMIT 1000`
)

type scanner interface{ Scan(dest ...any) error }

// scanHome reads a home, and into more what stands behind it in the row.
func scanHome(row scanner, more ...any) (Home, error) {
	var h Home
	var names string
	var created int64
	var latitude, longitude sql.NullInt64
	into := []any{&h.ID, &h.Organisation, &names, &h.Version, &created, &h.Place.TimeZone, &latitude, &longitude}
	if err := row.Scan(append(into, more...)...); err != nil {
		return Home{}, err
	}
	h.Place.Located, h.Place.Latitude, h.Place.Longitude = latitude.Valid && longitude.Valid, latitude.Int64, longitude.Int64
	h.CreatedAt = time.UnixMilli(created).UTC()
	return h, json.Unmarshal([]byte(names), &h.Names)
}

func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Home, error) {
	h, err := scanHome(q.QueryRow(ctx, homeSQL, id, who.Organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return Home{}, fault.NotFound("home", id)
	}
	if err != nil {
		return Home{}, fmt.Errorf("reading home %s: %w", id, err)
	}
	if h.Rooms, err = rooms(ctx, q, id); err != nil {
		return Home{}, err
	}
	if h.Devices, err = devices(ctx, q, inHomeSQL, id); err != nil {
		return Home{}, err
	}
	if h.Speakers, err = speakers(ctx, q, id); err != nil {
		return Home{}, err
	}
	return h, nil
}

func versionOf(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	var version int64
	err := q.QueryRow(ctx, "SELECT version FROM home WHERE id = ? AND organisation = ?", id, who.Organisation).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fault.NotFound("home", id)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the version of home %s: %w", id, err)
	}
	return version, nil
}

func list(ctx context.Context, q store.Querier, organisation string, p Page) ([]Home, error) {
	rows, err := q.Query(ctx, pageSQL, organisation, p.After, p.Limit+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []Home
	for rows.Next() {
		h, err := scanHome(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, h)
	}
	return page, rows.Err()
}

func rooms(ctx context.Context, q store.Querier, homeID string) ([]Room, error) {
	rows, err := q.Query(ctx, roomsSQL, homeID, MaxRooms)
	if err != nil {
		return nil, fmt.Errorf("reading rooms of home %s: %w", homeID, err)
	}
	defer rows.Close()
	var all []Room
	for rows.Next() {
		var r Room
		var names, aliases, floor string
		if err := rows.Scan(&r.ID, &names, &aliases, &floor); err != nil {
			return nil, fmt.Errorf("reading rooms of home %s: %w", homeID, err)
		}
		r.Label, err = decode(names, aliases)
		if err = errors.Join(err, json.Unmarshal([]byte(floor), &r.Floor)); err != nil {
			return nil, fmt.Errorf("reading room %s: %w", r.ID, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func devices(ctx context.Context, q store.Querier, query string, args ...any) ([]Device, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading devices of home %v: %w", args[0], err)
	}
	defer rows.Close()
	var all []Device
	for rows.Next() {
		var d Device
		var names, aliases string
		var bound, hidden int64
		if err := rows.Scan(&d.ID, &d.Room, &d.Product, &d.DeviceName, &names, &aliases, &bound, &hidden); err != nil {
			return nil, fmt.Errorf("reading devices of home %v: %w", args[0], err)
		}
		d.Hidden = hidden != 0
		d.BoundAt = time.UnixMilli(bound).UTC()
		if d.Label, err = decode(names, aliases); err != nil {
			return nil, fmt.Errorf("reading device %s of a home: %w", d.ID, err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

func decode(names, aliases string) (Label, error) {
	var l Label
	err := errors.Join(json.Unmarshal([]byte(names), &l.Names), json.Unmarshal([]byte(aliases), &l.Aliases))
	return l, err
}

func count(ctx context.Context, q store.Querier, query string, args ...any) (int, error) {
	var n int
	err := q.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// few is how many devices are asked for by name; of more, the whole home is read.
const few = 8

func online(ctx context.Context, q store.Querier, who access.Actor, id string, devices []string) (map[string]bool, error) {
	query, args := onlineAllSQL, []any{id, who.Organisation}
	if n := len(devices); n > 0 && n <= few {
		query = onlineFewSQL
		for i := range few {
			args = append(args, devices[min(i, n-1)]) // one statement for any number: the last again
		}
	}
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	connected := make(map[string]bool)
	for rows.Next() {
		var device string
		if err := rows.Scan(&device); err != nil {
			return nil, err
		}
		if len(devices) == 0 || slices.Contains(devices, device) {
			connected[device] = true
		}
	}
	return connected, rows.Err()
}
