package home

import (
	"context"
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // for machines that know no time zones

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Place is where a home lies: what times of day and the sun mean there.
type Place struct {
	TimeZone string // IANA name; empty: the platform's
	Located  bool   // Latitude and Longitude are known
	// In millionths of a degree: north of the equator and east of Greenwich are positive.
	Latitude, Longitude int64
}

// Limits of a place.
const (
	maxZone      = 64 // bytes of the name of a time zone
	maxLatitude  = 90_000_000
	maxLongitude = 180_000_000
)

// UseZone makes zone the one of homes that have none of their own; UTC until then. It is called before the first is loaded.
func (s *Service) UseZone(name string) error {
	if name == "" {
		return nil
	}
	zone, err := ZoneOf(name)
	if err != nil {
		return err
	}
	s.zone = zone
	return nil
}

// Zone is the time zone of a home.
func (s *Service) Zone(h *Home) *time.Location {
	if zone, err := ZoneOf(h.Place.TimeZone); err == nil && h.Place.TimeZone != "" {
		return zone
	}
	return s.zone
}

// ZoneOf finds a time zone by its IANA name. The machine's own ("Local") is none: a home does not move with it.
func ZoneOf(name string) (*time.Location, error) {
	var zone *time.Location
	err := error(nil)
	if len(name) <= maxZone && name != "Local" {
		zone, err = time.LoadLocation(name)
	}
	if zone == nil || err != nil {
		return nil, fault.Invalid("/time_zone", name, "the IANA name of a time zone", "send one such as Asia/Shanghai, Europe/Berlin or UTC, or nothing for the platform's own")
	}
	return zone, nil
}

// SetPlace says where a home lies. What is empty in p is forgotten.
func (s *Service) SetPlace(ctx context.Context, who access.Actor, id string, p Place) error {
	if p.TimeZone != "" {
		if _, err := ZoneOf(p.TimeZone); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		where string
		got   int64
		most  int64
	}{{"/location/latitude_e6", p.Latitude, maxLatitude}, {"/location/longitude_e6", p.Longitude, maxLongitude}} {
		if d.got < -d.most || d.got > d.most {
			return fault.Invalid(d.where, strconv.FormatInt(d.got, 10), fmt.Sprintf("an integer from %d to %d, millionths of a degree", -d.most, d.most), "multiply degrees by 1000000")
		}
	}
	var latitude, longitude any
	if p.Located {
		latitude, longitude = p.Latitude, p.Longitude
	}
	return s.change(ctx, who, id, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE home SET time_zone = ?, latitude_e6 = ?, longitude_e6 = ? WHERE id = ? AND organisation = ?", p.TimeZone, latitude, longitude, id, who.Organisation)
		if err != nil {
			return fmt.Errorf("placing home %s: %w", id, err)
		}
		if err := s.changed(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "home.place", id, p.TimeZone) // where people live is not for the audit
	})
}
