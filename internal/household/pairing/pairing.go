// Package pairing binds devices to homes of residents by proof of possession (配网、绑定).
//
// A device draws a bind token of 128 bits and announces it in its own session; who stands before it reads the token from its
// screen, its app or its QR code and claims the device with it. The room owns the tables pairing_token, pairing_claim and
// pairing_try, and promises:
//   - a token is good once, for ten minutes, and ends with the session that announced it; only its hash is stored;
//   - a device that is bound anywhere is never bound over; of two who claim one at a time, one gets it;
//   - five wrong tokens in an hour, of one resident or from one address, and no more are looked at;
//   - a lock or a camera is bound only if its button is pressed within two minutes after it was claimed, in the session and with
//     the token that it was claimed by; another token, or another session, ends the claim, and says so;
//   - whoever has lost the right to arrange the home meanwhile binds nothing.
//
// Unbinding, and what a reset does, is home's.
package pairing

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/fleet/device"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
)

// How long things hold.
const (
	TokenLife  = 10 * time.Minute
	ButtonLife = 2 * time.Minute // of a claim that waits for the button
	TryWindow  = time.Hour
	MaxTries   = 5         // wrong tokens in it
	keepClaims = time.Hour // that ended, for who asks what became of them
)

// Config is what the room stands on.
type Config struct {
	Store    *store.Store
	Homes    *home.Service
	Products *product.Service
	// Epoch is that of the session which a device has now; false: it has none.
	Epoch  func(device string) (epoch uint64, connected bool)
	Logger *slog.Logger
}

// Service answers for pairing. It is safe for concurrent use.
type Service struct {
	c   Config
	now func() time.Time
}

// New returns the service over a migrated store.
func New(c Config) *Service { return &Service{c: c, now: time.Now} }

// An Announcement is what a device says of its bind token.
type Announcement struct {
	Token  string `json:"token"`
	Button bool   `json:"button"` // its button was pressed
}

var tokenForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func parseAnnouncement(params []byte) (a Announcement, err error) {
	if err := json.Unmarshal(params, &a); err != nil {
		return a, fault.Invalid("/params", fault.Cut(string(params)), `{"token":"32 hex digits","button":true}`, "send an object with the token, and button where it was pressed")
	}
	a.Token = strings.ToLower(a.Token)
	if !tokenForm.MatchString(a.Token) {
		return a, fault.Invalid("/params/token", "not shown", "32 hex digits: 128 bits, drawn anew for each announcement", "draw 16 random bytes and write them in hex")
	}
	return a, nil
}

// Announce takes the bind token of a device in the session of that epoch. Announced again, a token holds for ten minutes from then
// on; another takes its place, and ends the claims that wait by the one before. With the button, it ends the claim that waits for it.
func (s *Service) Announce(ctx context.Context, deviceID string, epoch uint64, params []byte) error {
	a, err := parseAnnouncement(params)
	if err != nil {
		return err
	}
	hash, session := tokenHash(a.Token), int64(epoch) //nolint:gosec // an epoch counts sessions
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		now := s.now()
		var owner string
		var was int64
		err := tx.QueryRow(ctx, "SELECT device, used_at FROM pairing_token WHERE hash = ?", hash[:]).Scan(&owner, &was)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("looking for a bind token: %w", err)
		}
		if err == nil && (owner != deviceID || was != 0) {
			f := fault.Conflict("/params/token", "the token was announced or used before")
			f.Fix = "draw another"
			return f
		}
		if !s.holds(deviceID, session) { // what a session says that is over ends no claim of the next
			return errToken()
		}
		if _, err = tx.Exec(ctx, putTokenSQL, deviceID, hash[:], session, now.Add(TokenLife).UnixMilli()); err != nil {
			return fmt.Errorf("noting the bind token of device %s: %w", deviceID, err)
		}
		if err := s.overtake(ctx, tx, deviceID, hash, session); err != nil {
			return err
		}
		if !a.Button {
			return nil
		}
		return s.pressed(ctx, tx, deviceID, hash, session)
	})
}

// Tell is the text of the QR code that a device shows: what an app opens, or a person scans.
func Tell(publicURL, productKey, deviceName, token string) string {
	return strings.TrimSuffix(publicURL, "/") + "/bind#" + productKey + "." + deviceName + "." + token
}

var told = regexp.MustCompile(`#([^.#]{1,32})\.([^.#]{1,64})\.([0-9a-fA-F]{32})$`)

// Run removes what is over, every ten minutes, until ctx ends. Nothing depends on it but the size of the tables.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "old bind tokens not removed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) sweep(ctx context.Context) error {
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		now := s.now()
		for statement, before := range map[string]time.Time{
			// A used one is remembered for a day, so that it is not announced again.
			"DELETE FROM pairing_token WHERE expires_at < ?": now.Add(-24 * time.Hour),
			"DELETE FROM pairing_claim WHERE expires_at < ?": now.Add(-keepClaims),
			"DELETE FROM pairing_try WHERE until < ?":        now,
		} {
			if _, err := tx.Exec(ctx, statement, before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Erase deletes what the room has of a subject: of its devices, or of a resident.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, _ int) (more bool, err error) {
	var steps []string
	args := []any{id}
	if of := device.Of("device", kind); of != "" {
		steps = append(steps, "DELETE FROM pairing_token WHERE "+of, "DELETE FROM pairing_claim WHERE "+of)
	}
	if kind == "user" {
		steps = append(steps, "DELETE FROM pairing_claim WHERE resident = ?")
		if _, err := tx.Exec(ctx, "DELETE FROM pairing_try WHERE who = ?", byResident+id); err != nil {
			return false, fmt.Errorf("erasing the tries of a resident: %w", err)
		}
	}
	for _, step := range steps {
		if _, err := tx.Exec(ctx, step, args...); err != nil {
			return false, fmt.Errorf("erasing bindings: %w", err)
		}
	}
	return false, nil
}

// Holds counts what the room has of a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return 0, nil
	}
	err = q.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM pairing_token WHERE "+of+") + (SELECT COUNT(*) FROM pairing_claim WHERE "+of+")", id, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting bindings of %s %s: %w", kind, id, err)
	}
	return n, nil
}

// tokenHash is what is stored of a token. The 128 bits in it need no slow hash.
func tokenHash(token string) [sha256.Size]byte { return sha256.Sum256([]byte("bind " + token)) }

// mustPress says whether a device of a category is bound only by its button.
func mustPress(category string) bool { return category == "door_lock" || category == "camera" }

func newID() string { return uuid.Must(uuid.NewV7()).String() }
