// Package certify decides what may be built upon and published (认证).
//
// It owns the tables laboratory, certification, certification_evidence, certificate and certify_standing, and promises:
//   - a product is certified only by a case that the operator, or a laboratory it appointed for such products, passed with
//     evidence and a report;
//   - nobody records a result for an organisation they are a member of;
//   - a laboratory sees the cases that are its own and nothing else, and records only while its appointment lasts;
//   - a certificate is in force from its first moment to its last, to the millisecond, and never after it was revoked;
//   - when a product's last certificate ends, or one is in force again, what rests on the product is told in the transaction
//     that ends or begins it;
//   - a product of which what it is built of was changed is not certified from the transaction that changes it;
//   - an act leaves one audit entry in its transaction, or changes nothing.
//
// It runs no test case and knows no product: a product is an id here, and the report is the input.
package certify

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/notice"
)

// Changed is called in the transaction in which a product begins or ceases to be certified; why says how it ended. Its
// error undoes all.
type Changed func(ctx context.Context, tx *store.Tx, product string, inForce bool, why string) error

// Config is what the room is built on.
type Config struct {
	Store   *store.Store
	Blobs   *blob.Blobs
	Notices *notice.Service // nil: nobody is told
	Changed Changed         // nil: nothing rests on products
	Logger  *slog.Logger
}

// Service answers for certifications. It is safe for concurrent use.
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

// Covers is what a certification is about.
type Covers struct {
	Protocols []string `json:"protocols"`          // the protocols that were tested: "mqtt", "ble_mesh"
	Features  []string `json:"features,omitempty"` // what else: "ota", "voice"
	Firmware  string   `json:"firmware,omitempty"` // the family of firmware: "lw-sdk 1.x"
}

// tell writes a message to an organisation's inbox.
func (s *Service) tell(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error {
	if s.Notices == nil {
		return nil
	}
	return s.Notices.Send(ctx, tx, organisation, kind, data)
}

// laboratoryOf is the laboratory that limits who: those who are of a laboratory and have no other role of the operator.
func laboratoryOf(who access.Actor) (id string, limited bool) {
	if who.Platform() || !who.Has(access.Laboratory) {
		return "", false
	}
	for _, r := range []access.Role{access.Admin, access.Reviewer, access.Certifier, access.PlatformSupport} {
		if who.Has(r) {
			return "", false
		}
	}
	return who.Laboratory, true
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

// marshal is v as JSON; what is given cannot fail.
func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}
