package device

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Tag is a word that a device gave itself (设备标签).
type Tag struct {
	Key, Value string
	UpdatedAt  time.Time
}

// MaxTags is how many tags a device carries at most.
const MaxTags = 100

// SetTags gives a device tags; those it has of the same keys are replaced. It is for the device itself, which the gateway knows.
func (s *Service) SetTags(ctx context.Context, id string, tags []alink.Tag) error {
	now := time.Now().UnixMilli()
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, t := range tags {
			_, err := tx.Exec(ctx, `
				INSERT INTO device_tag (device, key, value, pair, organisation, product, updated_at)
				SELECT id, ?, ?, ?, organisation, product, ? FROM device WHERE id = ?
				ON CONFLICT (device, key) DO UPDATE SET value = excluded.value, pair = excluded.pair, updated_at = excluded.updated_at`,
				t.Key, t.Value, t.Key+"="+t.Value, now, id)
			if err != nil {
				return fmt.Errorf("giving device %s the tag %s: %w", id, t.Key, err)
			}
		}
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM device_tag WHERE device = ?", id).Scan(&n); err != nil {
			return fmt.Errorf("counting the tags of device %s: %w", id, err)
		}
		if n > MaxTags {
			f := fault.Limit("tags of the device", fmt.Sprint(n), fmt.Sprintf("%d", MaxTags), 0)
			f.Fix = "delete some first"
			return f
		}
		return nil
	})
}

// DropTags takes tags from a device; those it does not have are passed over. It is for the device itself.
func (s *Service) DropTags(ctx context.Context, id string, tags []alink.Tag) error {
	if len(tags) == 0 {
		return nil
	}
	args := make([]any, 1, len(tags)+1)
	args[0] = id
	for _, t := range tags {
		args = append(args, t.Key)
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM device_tag WHERE device = ? AND key IN (?"+strings.Repeat(", ?", len(tags)-1)+")", args...); err != nil {
			return fmt.Errorf("taking tags from device %s: %w", id, err)
		}
		return nil
	})
}

const ofDevice = "device"

func tagsList() *listing.List[Tag] {
	return &listing.List[Tag]{
		Object: "tag", Columns: "key, value, updated_at", From: "device_tag", Key: "key",
		Fields: []listing.Field{{Name: ofDevice}},
		Ways:   []listing.Way{{Filters: []string{ofDevice}}},
		Scan: func(row listing.Scanner) (t Tag, err error) {
			var at int64
			err = row.Scan(&t.Key, &t.Value, &at)
			t.UpdatedAt = time.UnixMilli(at).UTC()
			return t, err
		},
	}
}

// Tags returns a page of the tags of a device of who's organisation, by key.
func (s *Service) Tags(ctx context.Context, who access.Actor, id string, ask listing.Ask) (listing.Page[Tag], error) {
	return listOfDevice(ctx, s, who, id, tagsList(), ask)
}

// listOfDevice reads a list of what belongs to a device of who's organisation.
func listOfDevice[T any](ctx context.Context, s *Service, who access.Actor, id string, list *listing.List[T], ask listing.Ask) (page listing.Page[T], err error) {
	filters := map[string]string{}
	for name, value := range ask.Filters {
		filters[name] = value
	}
	filters[ofDevice] = id
	ask.Filters = filters
	err = s.store.Read(ctx, func(v *store.View) error {
		if _, err := Load(ctx, v, who, id); err != nil {
			return err
		}
		page, err = list.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// taggedList is the devices that carry a tag.
func taggedList() *listing.List[Device] {
	return &listing.List[Device]{
		Object: "device", Columns: columns, From: "device_tag t JOIN device d ON d.id = t.device " + withOrder + " LEFT JOIN device_presence p ON p.device = d.id", Where: issued, Key: "t.device",
		Fields: []listing.Field{{Name: scope, Column: "t.organisation"}, {Name: ByProduct, Column: "t.product"}, {Name: ByTag, Column: "t.pair"}},
		Ways: []listing.Way{
			{Filters: []string{ByProduct, ByTag}, Rest: []string{scope}, Bound: oneOwner},
			{Filters: []string{scope, ByTag}},
			{Filters: []string{ByTag}},
		},
		Scan: func(row listing.Scanner) (Device, error) { return scan(row) },
	}
}
