package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

// Kept is a session as it is written down.
type Kept struct {
	Lasts     time.Duration
	ExpiresAt time.Time // zero while a connection has it
	Filters   []Filter
	Held      int   // messages of QoS 2 that were taken and not released
	Will      *Will // nil: none
	WillAt    time.Time
}

// Live is a session as its connection has it.
type Live struct {
	Protocol  string // MQTT 3.1.1, MQTT 5
	Secure    bool
	KeepAlive time.Duration // 0: not watched
	Filters   []Filter
	Inflight  int // messages for the device that it has not acknowledged
	Unacked   int // messages of the device that are not stored yet
}

// Show gives what is written down of a device's session; none is not found.
func (s *Service) Show(ctx context.Context, device string) (k Kept, found bool, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		var lasts int64
		var expires, willAt sql.NullInt64
		var list, held, will []byte
		err := v.QueryRow(ctx, "SELECT lasts_s, expires_at, filters, held, will, will_at FROM session WHERE device = ?", device).
			Scan(&lasts, &expires, &list, &held, &will, &willAt)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		k = Kept{Lasts: time.Duration(lasts) * time.Second, ExpiresAt: moment(expires), Held: len(identifiers(held)), WillAt: moment(willAt)}
		if will != nil {
			w, err := readWill(will)
			if err != nil {
				return err
			}
			k.Will = &w
		}
		k.Filters, err = parseFilters(list)
		return err
	})
	if err != nil {
		return Kept{}, false, fmt.Errorf("reading the session of device %s: %w", device, err)
	}
	return k, found, nil
}

func moment(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
