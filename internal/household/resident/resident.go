// Package resident knows the people who live somewhere (住户): users of the operator's consumer side, apart from the accounts of
// makers.
//
// It owns the tables resident, resident_session, resident_place and resident_code, and promises:
//   - nobody has a password: who reads what is sent to a contact is signed in by the six digits in it, and whoever is new gets an
//     account by the same act;
//   - what is answered does not tell whether a contact has an account;
//   - guessing at the digits is bounded by contact and address, and by contact for all strangers together; asking for codes is
//     bounded by address and by contact; neither takes anything from the holder where they signed in before, and no count begins
//     anew before its time, however much is counted beside it;
//   - a contact is changed by who reads at both, the one before and the new one; the one before is told, and all other sessions end;
//   - however many codes to a contact others ask for, whoever reads there has one that is good;
//   - a session is 256 random bits of which only the hash is stored; it ends after 30 days without use, or when its owner says so;
//   - a code is good for nothing but with the memory of the process that made it: the table alone opens nothing;
//   - whoever leaves is forgotten in one transaction with the rooms above, or, where those refuse, stays.
//
// Where somebody lives, and what they may there, home knows.
package resident

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// room is whose the messages to residents are.
const room = "resident"

// MaxName is how many characters the name of a resident may have.
const MaxName = 32

// A Resident is somebody who lives somewhere.
type Resident struct {
	ID        string
	Contact   Contact
	Name      string // how others in a home see them; may be empty
	Lang      string // of what is sent to them: zh-CN, en, or empty: as they ask
	CreatedAt time.Time
}

// Forget makes the rooms above forget a resident who leaves, in the same transaction; they may refuse.
type Forget func(ctx context.Context, tx *store.Tx, resident string) error

// Config is what the room stands on.
type Config struct {
	Store  *store.Store
	Outbox *outbox.Outbox // hands codes over
	Forget Forget         // nil: no room above knows anything of a resident
	Logger *slog.Logger
}

// Service answers for residents. It is safe for concurrent use.
type Service struct {
	store  *store.Store
	outbox *outbox.Outbox
	forget Forget
	log    *slog.Logger
	now    func() time.Time
	key    [32]byte // of the hashes of codes; made anew at each start
	counts counts
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	s := &Service{store: c.Store, outbox: c.Outbox, forget: c.Forget, log: c.Logger, now: time.Now, counts: newCounts()}
	_, _ = rand.Read(s.key[:]) // never fails: crypto/rand
	return s
}

// Run removes what has ended, once an hour, until ctx ends. Nothing depends on it but the size of the tables.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "ended sessions of residents not removed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) sweep(ctx context.Context) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		now := s.now()
		for statement, before := range map[string]time.Time{
			sweepSessionsSQL: now.Add(-sessionIdle),
			sweepCodesSQL:    now.Add(-codeDay),
		} {
			if _, err := tx.Exec(ctx, statement, before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Load returns who.
func (s *Service) Load(ctx context.Context, who access.Actor) (r Resident, err error) {
	if err := own(who); err != nil {
		return r, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		r, err = load(ctx, v, who.ID)
		return err
	})
	return r, err
}

// Set gives who a name and a language.
func (s *Service) Set(ctx context.Context, who access.Actor, name, lang string) (r Resident, err error) {
	if err := own(who); err != nil {
		return r, err
	}
	if name, err = checkName(name); err != nil {
		return r, err
	}
	if err := checkLang(lang); err != nil {
		return r, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE resident SET name = ?, lang = ? WHERE id = ?", name, lang, who.ID); err != nil {
			return fmt.Errorf("naming resident %s: %w", who.ID, err)
		}
		if r, err = load(ctx, tx, who.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "resident.set", "", "")
	})
	return r, err
}

// Delete forgets who, by a code that was sent to their contact. What refuses to let them go says what is to be done first.
func (s *Service) Delete(ctx context.Context, who access.Actor, code string) error {
	r, err := s.Load(ctx, who)
	if err != nil {
		return err
	}
	return s.guess(ctx, r.Contact, who.From, func() error {
		return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
			if err := s.rightCode(ctx, tx, r.Contact, code); err != nil {
				return err
			}
			if s.forget != nil {
				if err := s.forget(ctx, tx, r.ID); err != nil {
					return err
				}
			}
			for _, statement := range []string{
				"DELETE FROM resident_session WHERE resident = ?", "DELETE FROM resident_place WHERE resident = ?", "DELETE FROM resident WHERE id = ?",
			} {
				if _, err := tx.Exec(ctx, statement, r.ID); err != nil {
					return fmt.Errorf("deleting resident %s: %w", r.ID, err)
				}
			}
			if s.outbox != nil {
				if err := s.outbox.Forget(ctx, tx, room, r.Contact.Address); err != nil {
					return err
				}
			}
			if err := audit.Record(ctx, tx, who, "resident.delete", "", ""); err != nil {
				return err
			}
			return audit.Forget(ctx, tx, r.ID)
		})
	})
}

// own refuses who is no resident.
func own(who access.Actor) error {
	if who.Resident() {
		return nil
	}
	if who.Kind == "" {
		return fault.Unauthenticated("nobody is signed in")
	}
	return fault.Forbidden("what is a resident's own", "a resident's session (POST /api/v1/resident/session)")
}

func load(ctx context.Context, q store.Querier, id string) (Resident, error) {
	var r Resident
	var created int64
	err := q.QueryRow(ctx, "SELECT id, kind, address, name, lang, created_at FROM resident WHERE id = ?", id).
		Scan(&r.ID, &r.Contact.Kind, &r.Contact.Address, &r.Name, &r.Lang, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fault.NotFound("resident", id)
	}
	if err != nil {
		return r, fmt.Errorf("reading resident %s: %w", id, err)
	}
	r.CreatedAt = at(created)
	return r, nil
}

func checkName(name string) (string, error) {
	kept := strings.TrimSpace(name)
	bad := func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }
	if !utf8.ValidString(kept) || utf8.RuneCountInString(kept) > MaxName || strings.ContainsFunc(kept, bad) {
		return "", fault.Invalid("/name", name, fmt.Sprintf("at most %d characters, none of them a control character", MaxName), "choose another name")
	}
	return kept, nil
}

func checkLang(lang string) error {
	if lang != "" && lang != "zh-CN" && lang != "en" {
		return fault.Invalid("/lang", lang, `"zh-CN", "en" or nothing`, "send one of the three")
	}
	return nil
}

// at is the time of a column.
func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func newID() string { return uuid.Must(uuid.NewV7()).String() }
