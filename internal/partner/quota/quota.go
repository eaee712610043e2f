// Package quota knows how much of everything somebody may use, and how much they use (限额).
//
// It owns the registry of limits and the tables quota_used, quota_override, quota_change, quota_notice, quota_node and
// quota_lease. It promises:
//   - a stock (triples, products, members, bytes kept) is counted in the transaction of the act, so that the last unit is
//     given once, and an act that fails gives it back by itself;
//   - of what a connection holds at a time it knows the value in force, and asks who holds it for the use;
//   - a rate is held within its window; a node asks no database for it, and what several nodes let pass together is exact
//     to 5 %; what was used of a day survives the end of the program, but for its last second;
//   - the value in force is that of the nearest override, then the registry's; an override begins and ends by itself;
//   - an organisation is told when 80 % and 95 % of a limit are used, and when it is used up: once a window;
//   - asking whether a rate allows something allocates nothing, and memory is bounded whoever asks.
//
// It knows no room above it: a subject is a kind and an id, and the ids of what it belongs to.
package quota

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/store"
)

// The kinds of a subject. Rooms may use others: a limit says what it is counted for.
const (
	KindPlatform     = "platform"
	KindOrganisation = "organisation"
	KindProduct      = "product"
	KindDevice       = "device"
	KindToken        = "token"
	KindUser         = "user"
)

// A Subject is whom a limit is counted for, and what it belongs to: an override of that holds for the subject too, where
// it has none of its own.
type Subject struct {
	Kind, ID     string
	Product      string // of a device
	Organisation string // empty: nobody's, as a person outside of all
}

// Organisation is the subject of what an organisation uses.
func Organisation(id string) Subject { return Subject{KindOrganisation, id, "", id} }

// Product is the subject of what a product of an organisation uses.
func Product(id, organisation string) Subject { return Subject{KindProduct, id, id, organisation} }

// Device is the subject of what a device uses.
func Device(id, product, organisation string) Subject {
	return Subject{KindDevice, id, product, organisation}
}

// Token is the subject of what is done with an API token, or in a session.
func Token(id, organisation string) Subject { return Subject{KindToken, id, "", organisation} }

// User is the subject of what is done for a person.
func User(id, organisation string) Subject { return Subject{KindUser, id, "", organisation} }

// Config is what a service works with.
type Config struct {
	Store  *store.Store
	Logger *slog.Logger
	// Tell hands a notice on to the organisation. It is called again until it succeeds; nil: notices are only kept.
	Tell func(context.Context, Notice) error
	// Counts recount stocks from the rows they stand for; see [Service.Recount].
	Counts map[Limit]Count
	// Holds is what a subject holds now of a limit that is [Limit.Held]; nil: nothing does.
	Holds func(of Subject, l Limit) int64
	// Shared says that other processes work on the same data, so that rates are parted among them.
	Shared bool
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Service holds rates and answers for limits. It is safe for concurrent use. [Take] and [Give] need none.
type Service struct {
	c      Config
	node   string
	meter  meters
	known  atomic.Pointer[overrides]
	others atomic.Int64  // nodes beside this one
	wake   chan struct{} // has room for one: there may be a notice to tell
}

// New returns the service over a migrated store. Rates are right once Run runs: before, only the registry's values are known.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{c: c, node: uuid.Must(uuid.NewV7()).String(), wake: make(chan struct{}, 1)}
	s.known.Store(&overrides{generation: 1})
	s.meter.init()
	return s
}

// Run writes down what was used, learns of overrides and hands notices on, once a second, until ctx ends; then it writes
// the last time.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "usage of limits could not be written, it will be", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			if err := s.Tick(context.WithoutCancel(ctx)); err != nil {
				s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "the last second's usage of limits is lost", slog.Any("error", err))
			}
			return nil
		case <-t.C:
		case <-s.wake:
		}
	}
}
