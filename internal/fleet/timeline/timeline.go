// Package timeline tells what happened to a device (设备时间线): when it came and why it went, what it sent, what of that was refused
// and why, its wills, what it was commanded and what became of that.
//
// It owns the tables timeline_entry and timeline_cursor, and promises:
//   - connections, wills, registrations, fights for a triple, and refusals that the device could not be told follow the uplink Log exactly, and
//     commands and their ends their rows: an entry and the position that it came from are one transaction;
//   - messages and refusals are counted by topic and reason, one entry a minute; `kill -9` loses what was counted since;
//   - a device keeps its newest 1,000 entries of seven days, and who reads on behind what is forgotten is told so;
//   - what is counted has 32 MB of memory, some 20 kB a device at most; a device that is silent has none of it;
//   - nothing waits for it: it reads behind, as every consumer.
package timeline

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/watch"
)

// A Kind is what an entry tells of.
type Kind string

// The kinds of entries.
const (
	Connected    Kind = "connected"    // What: the address
	Disconnected Kind = "disconnected" // Why: the reason
	Refused      Kind = "refused"      // messages that were not taken; What: their topic, empty for a connection
	Slowed       Kind = "slowed"       // it was read more slowly, because it was ahead of a limit; What: that, Why: its value
	Message      Kind = "message"      // messages that were stored; What: their topic
	Will         Kind = "will"         // What: its topic
	Registered   Kind = "registered"   // it was handed a secret; Why: how, and from where
	Fight        Kind = "fight"        // two places had one triple; Why: both
	Commanded    Kind = "command"      // What: what it is, or its topic
	Answered     Kind = "answer"       // how a command ended; What: as of the command; Why: state, reason, and what the device said
)

// Kinds lists the kinds.
func Kinds() []Kind {
	return []Kind{Connected, Disconnected, Refused, Slowed, Message, Will, Registered, Fight, Commanded, Answered}
}

// Limits of what is kept.
const (
	MaxEntries = 1000               // of a device; the oldest go first
	Keep       = 7 * 24 * time.Hour // of their time
	maxText    = 256                // bytes of What and of Why
)

// An Entry is one thing that happened, or the same thing several times within a minute.
type Entry struct {
	Seq    int64 // grows; of all devices
	Device string
	At     time.Time // of several, the last
	Kind   Kind
	What   string
	Why    string
	Times  int64 // how often; 1 for what is not counted
	// Of a command, as it is now:
	Command string // its id
	State   command.State
	Reason  command.Reason
	EndedAt time.Time
}

// ChangedSubject is the Bus subject, completed by the device's id, of new entries. It may be lost; see [Service.After].
const ChangedSubject = "timeline.changed."

// Service answers for timelines. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	commands *command.Commands
	bus      bus.Bus
	log      *slog.Logger
	now      func() time.Time

	mu      sync.Mutex // guards the fields below
	tallies map[string]*tally
	held    int            // bytes of tallies
	dropped int64          // what found no room among them since it was last said
	since   map[string]int // entries of a device since its oldest were looked for
	ends    []string       // ids of commands that ended

	crowded chan struct{} // has room for one: it is time to write down what was counted

	clock watch.Clock
}

// New returns the service over a migrated store.
func New(s *store.Store, commands *command.Commands, b bus.Bus, log *slog.Logger) *Service {
	return &Service{store: s, commands: commands, bus: b, log: log, now: time.Now, tallies: make(map[string]*tally), crowded: make(chan struct{}, 1)}
}

// The names that entries are filtered and sorted by.
const (
	ByKind   = "kind"
	ByText   = "text" // any part of What or Why, in any case
	ByAt     = "at"
	ofDevice = "device"
)

const columns = "e.seq, e.device, e.at, e.kind, e.what, e.why, e.times, e.ref"

func entries() *listing.List[Entry] {
	const bound = "a device keeps at most 1,000 entries"
	rest := []string{ByKind, ByText}
	return &listing.List[Entry]{
		Object: "entry", Columns: columns, From: "timeline_entry e", Key: "e.seq", Newest: true,
		Fields: []listing.Field{
			{Name: ofDevice, Column: "e.device"},
			{Name: ByKind, Column: "e.kind"},
			{Name: ByText, Column: "e.folded", Part: true},
			{Name: ByAt, Column: "e.at", Parse: listing.Millis},
		},
		Ways: []listing.Way{
			{Filters: []string{ofDevice}, Rest: rest, Bound: bound},
			{Filters: []string{ofDevice}, Rest: rest, Bound: bound, Sort: ByAt},
		},
		Scan: scan,
	}
}

func scan(row listing.Scanner) (e Entry, err error) {
	var at int64
	err = row.Scan(&e.Seq, &e.Device, &at, &e.Kind, &e.What, &e.Why, &e.Times, &e.Command)
	e.At = time.UnixMilli(at).UTC()
	return e, err
}

// List returns a page of what happened to a device of who's organisation, the newest first. Filters: kind, text. Sort: at.
func (s *Service) List(ctx context.Context, who access.Actor, id string, ask listing.Ask) (page listing.Page[Entry], err error) {
	filters := map[string]string{ofDevice: id}
	for _, name := range []string{ByKind, ByText} {
		filters[name] = ask.Filters[name]
	}
	if text := filters[ByText]; text != "" {
		filters[ByText] = strings.ToLower(text)
	}
	ask.Filters = filters
	err = s.store.Read(ctx, func(v *store.View) error {
		if _, err := device.Load(ctx, v, who, id); err != nil {
			return err
		}
		if page, err = entries().Read(ctx, v, ask); err != nil {
			return err
		}
		return complete(ctx, v, page.Items)
	})
	return page, err
}

// After returns what happened to a device behind an entry, oldest first, at most limit, and behind which it does: a later one if
// some is forgotten already. The caller has checked that the device is its own.
func (s *Service) After(ctx context.Context, id string, seq int64, limit int) (es []Entry, behind int64, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		forgotten, err := forgotten(ctx, v, id)
		if err != nil {
			return err
		}
		behind = max(seq, forgotten)
		rows, err := v.Query(ctx, "SELECT "+columns+" FROM timeline_entry e WHERE e.device = ? AND e.seq > ? ORDER BY e.seq LIMIT ?", id, behind, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		es = nil
		for rows.Next() {
			e, err := scan(rows)
			if err != nil {
				return err
			}
			es = append(es, e)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return complete(ctx, v, es)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("reading the timeline of device %s: %w", id, err)
	}
	return es, behind, nil
}

// Newest is the newest entry of a device, 0 if there never was one.
func (s *Service) Newest(ctx context.Context, id string) (seq int64, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		forgotten, err := forgotten(ctx, v, id)
		if err != nil {
			return err
		}
		err = v.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM timeline_entry WHERE device = ?", id).Scan(&seq)
		seq = max(seq, forgotten)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the timeline of device %s: %w", id, err)
	}
	return seq, nil
}

// complete says of commands what became of them.
func complete(ctx context.Context, v *store.View, es []Entry) error {
	var ids []string
	for i := range es {
		if es[i].Command != "" {
			ids = append(ids, es[i].Command)
		}
	}
	now, err := command.Look(ctx, v, ids)
	if err != nil {
		return err
	}
	for i := range es {
		if c, ok := now[es[i].Command]; ok {
			es[i].State, es[i].Reason, es[i].EndedAt = c.State, c.Reason, c.EndedAt
		}
	}
	return nil
}
