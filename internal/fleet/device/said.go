package device

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

// Limits of what is kept of a device's own words.
const (
	MaxModules = 32                 // parts of a device whose version is kept
	MaxLines   = 1000               // of its log; the oldest go first
	KeepLines  = 7 * 24 * time.Hour // of their receipt
)

// templateOf reads the topic of a message record without decoding the rest; 0 if it is of no known form.
func templateOf(body []byte) alink.Template {
	if len(body) < 18 || !known(body[0]) {
		return 0
	}
	return alink.Template(body[17])
}

// word takes down what a device says of itself in a message.
func (b *batch) word(ctx context.Context, tx *store.Tx, r uplink.Record) error {
	do := sayer(templateOf(r.Body))
	if do == nil {
		return nil
	}
	m, err := DecodeMessage(r.Body)
	if err != nil {
		return nil //nolint:nilerr // it has a known form
	}
	req, err := alink.ParseRequest(m.Payload)
	if err != nil {
		return nil //nolint:nilerr // the gateway has told the device already
	}
	return do(b, ctx, tx, r, req)
}

// sayer is what keeps what messages on t say; nil: nothing of them is kept here.
func sayer(t alink.Template) func(*batch, context.Context, *store.Tx, uplink.Record, alink.Request) error {
	switch t {
	case alink.OTAInform:
		return (*batch).firmware
	case alink.LogPost:
		return (*batch).lines
	case alink.Reset:
		return (*batch).reset
	}
	return nil
}

func (b *batch) firmware(ctx context.Context, tx *store.Tx, r uplink.Record, req alink.Request) error {
	f, err := alink.ParseFirmware(req.Params)
	if err != nil {
		return nil //nolint:nilerr // the gateway has told the device already
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO device_firmware (device, module, version, informed_at)
		SELECT id, ?, ?, ? FROM device WHERE id = ? AND (SELECT COUNT(*) FROM device_firmware f WHERE f.device = device.id AND f.module <> ?) < ?
		ON CONFLICT (device, module) DO UPDATE SET version = excluded.version, informed_at = excluded.informed_at
		WHERE device_firmware.version <> excluded.version`,
		f.Module, f.Version, r.At.UnixMilli(), r.Device, f.Module, MaxModules)
	if err != nil {
		return fmt.Errorf("noting the firmware of device %s: %w", r.Device, err)
	}
	return nil
}

func (b *batch) reset(ctx context.Context, tx *store.Tx, r uplink.Record, _ alink.Request) error {
	if _, err := tx.Exec(ctx, "UPDATE device SET reset_at = ? WHERE id = ?", r.At.UnixMilli(), r.Device); err != nil {
		return fmt.Errorf("noting the reset of device %s: %w", r.Device, err)
	}
	if b.f.s.resets == nil {
		return nil
	}
	return b.f.s.resets(ctx, tx, r.Device, r.At)
}

func (b *batch) lines(ctx context.Context, tx *store.Tx, r uplink.Record, req alink.Request) error {
	lines, err := alink.ParseLog(req.Params)
	if err != nil {
		return nil //nolint:nilerr // the gateway has told the device already
	}
	for _, l := range lines {
		at := sql.NullInt64{Int64: l.At.UnixMilli(), Valid: !l.At.IsZero()}
		_, err := tx.Exec(ctx, `
			INSERT INTO device_line (device, received_at, at, level, module, code, trace, content, folded)
			SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM device WHERE id = ?`,
			r.At.UnixMilli(), at, l.Level, l.Module, l.Code, l.Trace, l.Text, strings.ToLower(l.Text), r.Device)
		if err != nil {
			return fmt.Errorf("keeping the log of device %s: %w", r.Device, err)
		}
	}
	b.wrote[r.Device] = true
	return nil
}

// trim forgets the oldest lines of the devices that wrote some.
func (b *batch) trim(ctx context.Context, tx *store.Tx) error {
	for device := range b.wrote {
		_, err := tx.Exec(ctx, `
			DELETE FROM device_line WHERE device = ? AND seq <= (SELECT seq FROM device_line WHERE device = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
			device, device, MaxLines)
		if err != nil {
			return fmt.Errorf("forgetting old lines of device %s: %w", device, err)
		}
	}
	return nil
}

// age forgets, once in a while, the lines that are too old, unless the clock jumped: then nobody knows which are.
func (f *follower) age(ctx context.Context, now time.Time) {
	const every, atOnce = time.Hour, 5000
	if now.Sub(f.aged) < every {
		return
	}
	f.aged = now
	if !f.clock.Trusted(now) {
		return
	}
	for more := true; more; {
		err := f.s.store.Write(ctx, func(tx *store.Tx) error {
			r, err := tx.Exec(ctx, "DELETE FROM device_line WHERE seq IN (SELECT seq FROM device_line WHERE received_at < ? ORDER BY received_at LIMIT ?)",
				now.Add(-KeepLines).UnixMilli(), atOnce)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			more = n == atOnce
			return err
		})
		if err != nil {
			f.s.log.LogAttrs(ctx, slog.LevelWarn, "old lines of devices were not forgotten", slog.Any("error", err))
			return
		}
	}
}

// A Firmware is the version that a part of a device says it runs.
type Firmware struct {
	Module, Version string
	InformedAt      time.Time // when it was first told of this version
}

func firmwareList() *listing.List[Firmware] {
	return &listing.List[Firmware]{
		Object: "firmware", Columns: "module, version, informed_at", From: "device_firmware", Key: "module",
		Fields: []listing.Field{{Name: ofDevice}},
		Ways:   []listing.Way{{Filters: []string{ofDevice}}},
		Scan: func(row listing.Scanner) (f Firmware, err error) {
			var at int64
			err = row.Scan(&f.Module, &f.Version, &at)
			f.InformedAt = time.UnixMilli(at).UTC()
			return f, err
		},
	}
}

// Firmware returns a page of the versions that a device of who's organisation runs, by module.
func (s *Service) Firmware(ctx context.Context, who access.Actor, id string, ask listing.Ask) (listing.Page[Firmware], error) {
	return listOfDevice(ctx, s, who, id, firmwareList(), ask)
}

// A Line is one of a device's own log.
type Line struct {
	alink.Line
	Received time.Time
}

// The names that the lines of a device are filtered and sorted by.
const (
	ByLevel    = "level"
	ByModule   = "module"
	ByText     = "text"        // any part of what it says, in any case
	ByReceived = "received_at" // when it came
)

func lineList() *listing.List[Line] {
	const bound = "a device keeps at most 1,000 lines"
	rest := []string{ByLevel, ByModule, ByText}
	return &listing.List[Line]{
		Object: "line", Columns: "received_at, at, level, module, code, trace, content", From: "device_line", Key: "seq", Newest: true,
		Fields: []listing.Field{{Name: ofDevice}, {Name: ByLevel}, {Name: ByModule}, {Name: ByText, Column: "folded", Part: true}, {Name: ByReceived, Parse: listing.Millis}},
		Ways: []listing.Way{
			{Filters: []string{ofDevice}, Rest: rest, Bound: bound},
			{Filters: []string{ofDevice}, Rest: rest, Bound: bound, Sort: ByReceived},
		},
		Scan: func(row listing.Scanner) (l Line, err error) {
			var received int64
			var at sql.NullInt64
			err = row.Scan(&received, &at, &l.Level, &l.Module, &l.Code, &l.Trace, &l.Text)
			if l.Received = time.UnixMilli(received).UTC(); at.Valid {
				l.At = time.UnixMilli(at.Int64).UTC()
			}
			return l, err
		},
	}
}

// Lines returns a page of the log of a device of who's organisation, newest first.
func (s *Service) Lines(ctx context.Context, who access.Actor, id string, ask listing.Ask) (listing.Page[Line], error) {
	return listOfDevice(ctx, s, who, id, lineList(), ask)
}
