// Package verify knows who an organisation is: its form, its papers and what a reviewer made of them (认证、资质).
//
// It owns the tables verify_case, verify_queue, verify_submission, verify_paper, verify_used, verify_grant, verify_waiver,
// verify_consequence and verify_waste, and the catalogue of forms, papers, qualifications and levels, which is data. It
// promises:
//   - what a reviewer has decided about stays as it was: a submission is a snapshot, the next one is another;
//   - of two who decide at once one wins, and the other is told that the submission is decided (stale);
//   - nobody reviews an organisation of which they are a member;
//   - the kinds of an organisation that was ever approved are those that were approved, whatever it says of itself since; one
//     that changes its names or kinds while it is verified is checked again;
//   - names, numbers of persons and phones stand sealed in the database, are shown masked, and in full only to a reviewer
//     whose look is an entry of the audit; the same holds for papers;
//   - a verification holds until the earliest day on which a paper it rests upon ends, to the millisecond, whether or not a
//     clock runs; the organisation is told 60, 30 and 7 days ahead;
//   - what is asked for by a date has its consequence at that date exactly once; an answer puts it off until it is reviewed,
//     and one that is rejected leaves the date as it was;
//   - a condition is waived in writing only: who, which, why, from when, until when, and everybody concerned can see it.
//
// The bytes of papers lie in the blob store, sealed.
package verify

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
)

// A Consequence is what the operator's measures have to do about an organisation.
type Consequence struct {
	ID           string
	Organisation string
	Kind         string // EndsAgreement, FalsePapers, TruePapers
	Reason       string // what the organisation will read
	Submission   int    // what it is about
}

// The kinds of a consequence, and of what is asked for.
const (
	LevelDrops    = "level_drops"    // the verification expires; the room does that itself
	EndsAgreement = "agreement_ends" // and the agreement ends
	FalsePapers   = "false_papers"   // a reviewer found that papers are false
	TruePapers    = "true_papers"    // that was taken back: what it brought ends
)

// Config is what a service works with.
type Config struct {
	Store  *store.Store
	Keys   *keyring.Keyring
	Blobs  *blob.Blobs
	Logger *slog.Logger
	// Tell tells an organisation something, in the transaction of what it tells; nil: nobody is told.
	Tell func(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error
	// Enforce hands a consequence to the operator's measures, by at least one [store.Store.Write] under ctx: the consequence
	// is marked as done in the first. It is called again until it succeeds; nil: consequences are kept until there is one.
	Enforce func(ctx context.Context, c Consequence) error
	// Changed is called after every commit that may change what holds for an organisation; nil: nobody believes anything.
	Changed func(organisation string)
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Service keeps verifications. It is safe for concurrent use.
type Service struct {
	c         Config
	catalogue *Catalogue
	wake      chan struct{}
	intake    *blob.Intake
}

// New returns the service over a migrated store.
func New(c Config) (*Service, error) {
	catalogue, err := ReadCatalogue(catalogueJSON)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{c: c, catalogue: catalogue, wake: make(chan struct{}, 1)}
	s.intake = blob.NewIntake("papers", "an organisation", s.now)
	return s, nil
}

// Catalogue is what is asked of whom. It is not to be changed.
func (s *Service) Catalogue() *Catalogue { return s.catalogue }

func (s *Service) now() time.Time { return time.UnixMilli(s.c.Now().UnixMilli()).UTC() }

// today is the day that dates are held against, midnight UTC.
func (s *Service) today() time.Time { return s.now().Truncate(day) }

func (s *Service) tell(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error {
	if s.c.Tell == nil {
		return nil
	}
	return s.c.Tell(ctx, tx, organisation, kind, data)
}

// changed tells after the commit that something else may hold for an organisation.
func (s *Service) changed(tx *store.Tx, organisation string) {
	if s.c.Changed != nil {
		tx.AfterCommit(func() { s.c.Changed(organisation) })
	}
}

// look wakes Run: there is something to do now.
func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

const day = 24 * time.Hour

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// moment is the time of ms; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// dateText is a day as people read it.
func dateText(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.Format(time.DateOnly)
}
