// Package notice tells people what they have to know: announcements of the operator (公告) and messages of the platform's
// rooms (站内消息), in one inbox with receipts.
//
// It owns the tables notice_announcement, notice_text, notice_message and notice_receipt, and promises:
//   - what was announced is never changed; another announcement takes its place, or it is withdrawn, and both can be seen;
//   - an announcement is in the inbox of everybody it is meant for from its date on, also of who joins later, until it ends;
//   - a message is written in the transaction of what it tells, so that there is neither without the other, and read in the
//     reader's language;
//   - a receipt says who read what and when, once; the operator sees the numbers and the list;
//   - nobody sees what is for others: it is not found;
//   - it does not grow without end: an organisation keeps its newest 1,000 messages, a person 100 of those that are theirs
//     alone, two years long, and 500 announcements are shown at once.
//
// To read is no act upon anything, so its receipt is its only record.
package notice

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/store"
)

const (
	kept        = 2 * 365 * 24 * time.Hour // messages, and receipts of announcements that have ended
	maxMessages = 1000                     // of one organisation; the oldest gives way
	maxPersonal = 100                      // of one person, whatever they act for
	maxShown    = 500                      // announcements that have not ended
)

// Copy hands a message on to people outside of the platform, by e-mail, in the transaction that writes it.
type Copy func(ctx context.Context, tx *store.Tx, l Letter) error

// A Letter is a message that is important enough to be sent as well.
type Letter struct {
	Organisation string // empty: the user, whatever they act for
	User         string // empty: whoever answers for the organisation
	Kind         string
	About        string // the same in two letters that say the same
	Always       bool   // nobody may decline it
	Texts        map[string]Text
}

// Config is what the room is built on.
type Config struct {
	Store *store.Store
	// Services lists the services that an organisation may use, for announcements to their users. Nil: such an announcement
	// is for all organisations.
	Services func(ctx context.Context, q store.Querier, organisation string) ([]string, error)
	Copy     Copy // nil: messages stay in the inbox
	Logger   *slog.Logger
}

// Service answers for notices. It is safe for concurrent use.
type Service struct {
	Config
	now func() time.Time
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, now: time.Now}
}

// Run removes what is kept no longer, once an hour, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "old notices not removed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep deletes in pieces, so that no writer waits long.
func (s *Service) sweep(ctx context.Context) error {
	before := s.now().Add(-kept).UnixMilli()
	for _, statement := range []string{sweepMessageReceiptsSQL, sweepMessagesSQL, sweepReceiptsSQL} {
		for more := true; more; {
			err := s.Store.Write(ctx, func(tx *store.Tx) error {
				res, err := tx.Exec(ctx, statement, before)
				if err != nil {
					return err
				}
				n, err := res.RowsAffected()
				more = n > 0
				return err
			})
			if err != nil {
				return fmt.Errorf("removing old notices: %w", err)
			}
		}
	}
	return nil
}

// Languages are those of every text.
func Languages() []string { return []string{"zh-CN", "en"} }

func known(lang string) bool { return slices.Contains(Languages(), lang) }

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
