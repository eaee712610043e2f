// Package takeout gives an organisation what the platform has of it, as one file (数据导出): to whoever declines an
// agreement, leaves, or is told to delete.
//
// It owns the table takeout_export and promises:
//   - an export holds what the lists show to an owner of the organisation, and nothing else: it is collected by an actor
//     that may see that and no more, so it has no other organisation's rows and no secret;
//   - it is collected page by page, in bounded memory and without a long look into the database: each list is read once, as it
//     was while it was read, and all files of it say the same;
//   - half a file is never there: an export is ready in one step, after its last byte is on disk, sealed by a key of the
//     organisation; what is interrupted begins again, what fails says why;
//   - one is collected at a time, at most five a day; a file is kept for seven days and then removed;
//   - only an owner who showed the second factor in the last 15 minutes gets the file, and every time is on record.
//
// What is collected it does not know: whoever has the lists hands them in, see [Service.Over].
package takeout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// Limits.
const (
	Keep      = 7 * 24 * time.Hour // how long a file is kept
	MaxADay   = 5                  // exports of one organisation in 24 hours
	MaxBytes  = 8 << 30            // of one file
	maxReason = 1000               // characters
)

// A Collection writes one kind of what an organisation has into an archive, as who sees it.
type Collection func(ctx context.Context, who access.Actor, out *Archive) error

// Config is what a service works with.
type Config struct {
	Store  *store.Store
	Blobs  *blob.Blobs
	Jobs   *job.Runner
	Logger *slog.Logger
	// MaxBytes is how large a file may be; 0: [MaxBytes].
	MaxBytes int64
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Service collects exports. It is safe for concurrent use.
type Service struct {
	c     Config
	parts []Collection
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = MaxBytes
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{c: c}
	c.Jobs.Handle(exportJob, access.LeaveOrganisation, s.collect)
	return s
}

// Over names what is collected, in the order of the file. It is called before Run, where the lists are built.
func (s *Service) Over(parts ...Collection) { s.parts = parts }

// Act is what leaving needs: who may end the organisation may take its data along.
const act = access.LeaveOrganisation

// check lets only those pass who may end the organisation that they act for.
func check(who access.Actor, organisation string) error {
	if err := who.Check(act); err != nil {
		return err
	}
	if organisation == "" || who.Organisation != organisation {
		return fault.NotFound("organisation", organisation)
	}
	return nil
}

// Order begins an export of the organisation that who acts for.
func (s *Service) Order(ctx context.Context, who access.Actor, organisation, reason string) (e Export, err error) {
	if err := check(who, organisation); err != nil {
		return e, err
	}
	if err := who.CheckProved("organisation.export"); err != nil {
		return e, err
	}
	if len([]rune(reason)) > maxReason {
		return e, fault.Invalid("/reason", reason, fmt.Sprintf("at most %d characters", maxReason), "")
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		running, recent, err := s.recent(ctx, tx, organisation)
		switch {
		case err != nil:
			return err
		case running != nil:
			return &fault.Fault{
				Code: fault.Clash, What: "an export is being collected: " + running.ID, Where: "organisation " + organisation,
				Fix: "wait for it, or cancel it: DELETE " + Path(organisation) + "/" + running.ID,
			}
		case len(recent) >= MaxADay:
			free := recent[len(recent)-1].Created.Add(24 * time.Hour)
			return fault.Limit("organisation "+organisation, fmt.Sprintf("%d exports in 24 hours", len(recent)), fmt.Sprintf("at most %d in 24 hours", MaxADay), free.Sub(s.c.Now()))
		}
		if e, err = s.begin(ctx, tx, who, reason); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "organisation.export", e.ID, reason)
	})
	return e, err
}

// Collect begins an export in a transaction of an act that opens it, such as declining an agreement, and gives its path. One
// that is being collected, or was today, is as good.
func (s *Service) Collect(ctx context.Context, tx *store.Tx, organisation, user string) (path string, err error) {
	running, recent, err := s.recent(ctx, tx, organisation)
	if err != nil {
		return "", err
	}
	if running != nil {
		return Path(organisation) + "/" + running.ID, nil
	}
	for _, e := range recent {
		if e.State == Ready {
			return Path(organisation) + "/" + e.ID, nil
		}
	}
	if len(recent) >= MaxADay {
		return Path(organisation), nil
	}
	who := access.Actor{Kind: access.KindUser, ID: user, User: user, Organisation: organisation}
	e, err := s.begin(ctx, tx, who, "an agreement was declined")
	return Path(organisation) + "/" + e.ID, err
}

// Path is where the exports of an organisation are.
func Path(organisation string) string { return "/api/v1/organisations/" + organisation + "/exports" }

// begin enters an export and its job.
func (s *Service) begin(ctx context.Context, tx *store.Tx, who access.Actor, reason string) (Export, error) {
	e := Export{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: who.Organisation, State: Collecting, Reason: reason, By: who.User,
		Created: moment(s.c.Now().UnixMilli()),
	}
	j, err := s.c.Jobs.Submit(ctx, tx, who, job.Spec{Kind: exportJob, Object: e.ID, Input: exportInput{e.ID, e.Organisation}})
	if err != nil {
		return e, err
	}
	e.Job = j.ID
	return e, insert(ctx, tx, &e)
}

// recent gives the export that is being collected, and those of the last 24 hours, newest first.
func (s *Service) recent(ctx context.Context, q store.Querier, organisation string) (running *Export, all []Export, err error) {
	newest, err := exports().Read(ctx, q, listing.Ask{Filters: map[string]string{"organisation": organisation}, Limit: MaxADay + 1})
	if err != nil {
		return nil, nil, err
	}
	now := s.c.Now()
	since := now.Add(-24 * time.Hour)
	for i := range newest.Items {
		e := &newest.Items[i]
		if e.State == Collecting {
			running = e
		}
		if e.Created.After(since) && !e.Created.After(now.Add(24*time.Hour)) { // later: of a clock that ran ahead
			all = append(all, *e)
		}
	}
	return running, all, nil
}

// List lists the exports of who's organisation, newest first. Filter: state.
func (s *Service) List(ctx context.Context, who access.Actor, organisation string, ask listing.Ask) (page listing.Page[Export], err error) {
	if err := check(who, organisation); err != nil {
		return page, err
	}
	ask.Filters = map[string]string{"organisation": organisation, "state": ask.Filters["state"]}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = exports().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Load gives one export of who's organisation.
func (s *Service) Load(ctx context.Context, who access.Actor, organisation, id string) (e Export, err error) {
	if err := check(who, organisation); err != nil {
		return e, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		e, err = load(ctx, v, organisation, id)
		return err
	})
	return e, err
}

// Discard ends an export: one that is being collected is cancelled, the file of one that is ready is removed.
func (s *Service) Discard(ctx context.Context, who access.Actor, organisation, id string) (e Export, err error) {
	if err := check(who, organisation); err != nil {
		return e, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if e, err = load(ctx, tx, organisation, id); err != nil {
			return err
		}
		do := Throw
		if e.State == Collecting {
			do = Cancel
			_, err := s.c.Jobs.CancelIn(ctx, tx, access.System("takeout", ""), e.Job)
			if err != nil && !fault.Is(err, fault.Clash) && !fault.Is(err, fault.Missing) {
				return err
			}
		}
		if err := s.move(ctx, tx, who, &e, do); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "organisation.export_"+string(do), e.ID, "")
	})
	return e, err
}

// lapsed says whether the time of a file that ends then is over now. One that would be kept for twice as long as any is of a clock
// that ran ahead.
func lapsed(ends, now time.Time) bool { return !now.Before(ends) || ends.Sub(now) > 2*Keep }

// Fetch opens the file of an export, and records that who took it.
func (s *Service) Fetch(ctx context.Context, who access.Actor, organisation, id string) (e Export, file io.ReadCloser, err error) {
	if e, err = s.Load(ctx, who, organisation, id); err != nil {
		return e, nil, err
	}
	if err := who.CheckProved("organisation.export"); err != nil {
		return e, nil, err
	}
	switch {
	case e.State == Expired || e.State == Discarded || e.State == Ready && lapsed(e.Expires, s.c.Now()):
		return e, nil, fault.Expired("export", id)
	case e.State != Ready:
		return e, nil, fault.Closed("fetch", string(e.State), e.Open(who))
	}
	if file, err = s.c.Blobs.Open(ctx, organisation, e.File); err != nil {
		return e, nil, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, who, "organisation.export_fetch", e.ID, e.SHA256)
	})
	if err != nil {
		return e, nil, errors.Join(err, file.Close())
	}
	return e, file, nil
}

// Owner finds the organisation that an export is of.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "export", "SELECT organisation FROM takeout_export WHERE id = ?", id)
}
