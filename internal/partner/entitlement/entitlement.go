// Package entitlement decides which services (服务) an organisation may use.
//
// It owns the list of services and the tables entitlement_bar, entitlement_switch, entitlement_plan, entitlement_application,
// entitlement_override and entitlement_limit, and promises:
//   - a service without a bar is open to all; what its bar asks for is asked for from the announced date on, and no sooner
//     unless the operator says why it cannot wait;
//   - a service that is switched off is off for everybody at its date, without a new build and without anything running; one
//     that is not announced at least as many days ahead as the operator has set needs to be an emergency with a reason;
//   - an announcement that is withdrawn before its date takes what it announced back;
//   - a refusal names everything that is missing, and where to get it;
//   - nothing is decided about a service that nothing in the program asks for, but to take back what was;
//   - what the operator decides for one organisation has a reason, a beginning and, if wanted, an end, and is told to it;
//   - a plan is recorded and its limits are handed to the room that holds limits, once; nothing is charged.
//
// What this process decided is believed by it for 5 s at most, and not beyond a commit of this process that changes it.
package entitlement

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/quota"
)

// DefaultNoticeDays is how many days ahead a change for the worse is announced at least, unless the operator set another.
const DefaultNoticeDays = 30

// Config is what the room is built on.
type Config struct {
	Store      *store.Store
	Agreements *agreement.Service
	Notices    *notice.Service
	Limits     *quota.Service
	NoticeDays int // 0: DefaultNoticeDays

	// Level is how far an organisation is verified: 0 not at all. Nil: nobody is.
	Level func(ctx context.Context, q store.Querier, organisation string) (int, error)
	// Qualified tells whether an organisation holds a qualification now. Nil: nobody does.
	Qualified func(ctx context.Context, q store.Querier, organisation, qualification string) (bool, error)
	// Qualifications lists those there are. Nil: they are not known, and any may be asked for.
	Qualifications func() []string
	// Kinds is what an organisation is in the trade. Nil: what it says of itself.
	Kinds  func(ctx context.Context, q store.Querier, organisation string) ([]account.Kind, error)
	Logger *slog.Logger
}

// Service answers for entitlements. It is safe for concurrent use.
type Service struct {
	Config
	now      func() time.Time
	wake     chan struct{} // has room for one: limits may be there to hand on
	verdicts verdicts
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.NoticeDays == 0 {
		c.NoticeDays = DefaultNoticeDays
	}
	return &Service{Config: c, now: time.Now, wake: make(chan struct{}, 1)}
}

// Run ends grants whose time is over and hands limits of plans on, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		if err := s.tend(ctx); err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "grants not ended or limits not handed on", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *Service) tend(ctx context.Context) error {
	if err := s.lapse(ctx); err != nil {
		return err
	}
	return s.handOn(ctx)
}

// look makes Run look for what is to be done now.
func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// changed is run after every commit that may change an answer.
func (s *Service) changed(tx *store.Tx, organisation string) {
	tx.AfterCommit(func() { s.verdicts.forget(organisation) })
}

// Forget drops what is believed of an organisation, of all where it is empty. The rooms that Level, Qualified, Kinds and measures come from call it after
// each commit that changes one.
func (s *Service) Forget(organisation string) { s.verdicts.forget(organisation) }

func checkReason(reason string) error {
	if n := utf8.RuneCountInString(reason); n < 1 || n > 1000 || !plain(reason) {
		return fault.Invalid("/reason", reason, "1 to 1000 characters, no control characters", "say why")
	}
	return nil
}

// plain reports whether s is UTF-8 whose only control characters are line ends.
func plain(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' {
			return false
		}
	}
	return utf8.ValidString(s)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// at is the time of a column; zero for zero.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// announced holds a change for the worse of service against the rule that it is announced ahead, and gives the date from
// which it holds: that of the announcement.
func (s *Service) announced(ctx context.Context, q store.Querier, who access.Actor, service, announcement string) (time.Time, error) {
	if announcement == "" {
		return time.Time{}, fault.Invalid("/announcement", "", "the id of a published announcement with the date of the change",
			"announce it, or, if it cannot wait, mark it as an emergency")
	}
	a, err := s.Notices.Announced(ctx, q, announcement)
	if err != nil {
		return time.Time{}, err
	}
	ahead := a.EffectiveAt.Sub(a.PublishedAt)
	switch least := time.Duration(s.NoticeDays) * 24 * time.Hour; {
	case a.State != notice.Published:
		return time.Time{}, fault.InState("/announcement", "the announcement is "+string(a.State), a.Open(who))
	case !a.Audience.Reaches(service):
		return time.Time{}, fault.Conflict("/announcement", "the announcement is not for everybody who uses "+service)
	case a.EffectiveAt.IsZero():
		return time.Time{}, fault.Conflict("/announcement", "the announcement names no date from which it holds")
	case ahead < least:
		return time.Time{}, fault.Invalid("/announcement", fmt.Sprintf("%d days ahead", int(ahead.Hours()/24)), fmt.Sprintf("an announcement at least %d days ahead", s.NoticeDays), "")
	case a.EffectiveAt.Before(s.now()):
		return time.Time{}, fault.Conflict("/announcement", "the date of the announcement is over")
	}
	return a.EffectiveAt, nil
}
