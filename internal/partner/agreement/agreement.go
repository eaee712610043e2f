// Package agreement keeps what people and organisations have to agree to before they use the platform (协议), and proves that
// they did.
//
// It owns the tables agreement, agreement_version, agreement_text, agreement_person, agreement_acceptance, agreement_origin,
// agreement_guardian, agreement_paper, agreement_waste and agreement_capacity, and promises:
//   - a published text is never changed, in any language; what was accepted can be shown again for ever;
//   - of all published versions of an agreement exactly one is in force, the newest whose date has come; another is asked for
//     ahead of its date and enforced from it, whether or not anything of the platform runs at that moment;
//   - nobody passes [Service.Gate] whose user or organisation has not accepted what is in force, or who needs a guardian's
//     consent and has none; the refusal names what is missing. It stops people and their tokens: never the platform itself,
//     its operator's staff or a device;
//   - an acceptance is evidence: who, which version, language and hash of the text, when, from where, in whose name. It is
//     only added to, and no row of it goes when a version does;
//   - the evidence names a person by a random reference. Deleting the person deletes what the reference stands for and the
//     address; what stays proves that whoever holds the receipt agreed, and tells nothing about anybody else;
//   - a guardian's name, relation and contact are sealed, and so are their papers; a reviewer sees the contact masked, and in
//     full only with the second factor and a reason; a look at a paper is an entry of the audit before its first byte;
//   - a reviewer confirms the papers they saw: others than those are not confirmed;
//   - who is a minor needs the consent until the end of the month in which they turn 18, which is all that is kept of their
//     birth; they are told a month before, and nothing has to run for the need to end;
//   - the bytes of papers go when the consent has ended, and their hashes stay.
//
// What this process decided is believed by it for 5 s at most, and not beyond a commit of this process that changes it.
package agreement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/watch"
	"lampworks/internal/partner/account"
)

// Export starts to collect everything that an organisation has on the platform, in the transaction that needs it, and gives
// the path of what comes of it.
type Export func(ctx context.Context, tx *store.Tx, organisation, user string) (path string, err error)

// Send brings a code to a guardian's contact, an e-mail address or phone number, in the transaction that stores the code.
type Send func(ctx context.Context, tx *store.Tx, contact, code, lang string) error

// Announce tells people of a version that was published, in the transaction that does it.
type Announce func(ctx context.Context, tx *store.Tx, g *Agreement, v *Version) error

// Config is what the room is built on.
type Config struct {
	Store *store.Store
	Keys  *keyring.Keyring

	// Minor tells whether a user needs a guardian's consent of whom nothing was declared here, and in which month they turn 18,
	// if that is known. Nil: nobody does.
	Minor func(ctx context.Context, q store.Querier, user string) (bool, account.Month, error)
	// Owns tells whether a contact is a user's own, which no guardian's is. Nil: that is not looked at.
	Owns func(ctx context.Context, q store.Querier, user, contact string) (bool, error)
	// Kinds is what an organisation is in the trade. Nil: what it says of itself.
	Kinds func(ctx context.Context, q store.Querier, organisation string) ([]account.Kind, error)
	// Nil: no code is sent, and a reviewer confirms.
	Send Send
	// Tell writes a message to one person. Nil: nobody is told that the end of a consent comes.
	Tell func(ctx context.Context, tx *store.Tx, user, kind string, data map[string]string) error
	// Blobs keeps the papers of guardians. Nil: there are none.
	Blobs *blob.Blobs
	// What declining opens. Nil: declining opens no export.
	Export Export
	// Nil: nobody is told of what is published but at the gate.
	Announce Announce
	Logger   *slog.Logger
}

// Service answers for agreements. It is safe for concurrent use.
type Service struct {
	Config
	now      func() time.Time
	verdicts verdicts
	intake   *blob.Intake
	wake     chan struct{}
	clock    watch.Clock
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{Config: c, now: time.Now, wake: make(chan struct{}, 1)}
	s.intake = blob.NewIntake("papers", "a person", func() time.Time { return s.now() })
	return s
}

// Forget drops what is believed of an organisation, whose kinds may have changed.
func (s *Service) Forget(organisation string) { s.verdicts.forget("", organisation) }

// Run does what [Service.Tick] does, every minute and when bytes are to be deleted, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "agreements and consents not looked after", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// Tick marks versions as superseded once a newer one is in force, ends consents of those who came of age and tells those who
// will, and deletes the bytes of papers that are no more. No gate depends on it.
func (s *Service) Tick(ctx context.Context) error {
	err := s.Store.Write(ctx, func(tx *store.Tx) error { return s.supersede(ctx, tx) })
	return errors.Join(err, s.foretell(ctx), s.lapse(ctx), s.clean(ctx))
}

// supersede ends every published version that a newer one in force has replaced.
func (s *Service) supersede(ctx context.Context, tx *store.Tx) error {
	now := s.now().UnixMilli()
	if _, err := tx.Exec(ctx, supersedeSQL, now, now); err != nil {
		return fmt.Errorf("superseding versions: %w", err)
	}
	return nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// at is the time of a column; zero for zero.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
