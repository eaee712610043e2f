// Package config keeps the configuration files that makers give the devices of a product (远程配置).
//
// It owns the tables config_version and config_push, and promises:
//   - a file never changes: what a device fetches has the size and the digest it was told, and a change is another version;
//   - the newest version of a product is the one in force, for devices that ask and for those that are pushed;
//   - a link to a file opens that file, for half an hour, and nothing else;
//   - a push reaches the sessions of the product that are live when it is made, once each, also if its event is lost;
//   - a product of another organisation has no configuration: it is not found.
//
// It holds no connection: the gateway offers files to devices and tells how many took them.
package config

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/product"
)

// Limits.
const (
	MaxSize     = 64 << 10 // bytes of a file
	MaxVersions = 20       // of a product; the oldest go first
	maxNote     = 500      // characters
)

// A Version is one configuration file of a product.
type Version struct {
	ID           string // configId
	Organisation string
	Product      string
	Number       int
	Document     json.RawMessage // left out in lists
	Size         int
	SHA256       string // of the document, lower-case hex
	Note         string
	CreatedAt    time.Time
	CreatedBy    string // user id
}

// A Push is one offer of a version to the devices that are online.
type Push struct {
	Seq       int64
	Product   string
	Number    int
	CreatedAt time.Time
	CreatedBy string
	Sent      int64 // devices it was sent to
	Confirmed int64 // those that answered 200
}

// PushSubject is the Bus subject, completed by the product's id, of a push. It may be lost; see [Service.Pushes].
const PushSubject = "config.push."

// Service answers for configurations. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	products *product.Service
	keys     *keyring.Keyring
	bus      bus.Bus
	now      func() time.Time
}

// New returns the service over a migrated store.
func New(s *store.Store, products *product.Service, keys *keyring.Keyring, b bus.Bus) *Service {
	return &Service{store: s, products: products, keys: keys, bus: b, now: time.Now}
}

// Upload makes a document the next version of a product's configuration.
func (s *Service) Upload(ctx context.Context, who access.Actor, productID string, document []byte, note string) (v Version, err error) {
	if err := fits(document, note); err != nil {
		return v, err
	}
	sum := sha256.Sum256(document)
	v = Version{
		ID: fmt.Sprintf("%x", [16]byte(uuid.Must(uuid.NewRandom()))), Product: productID, Document: document, Size: len(document), SHA256: hex.EncodeToString(sum[:]),
		Note: note, CreatedAt: s.now().Truncate(time.Millisecond).UTC(), CreatedBy: who.User,
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if v.Organisation, err = s.mayChange(ctx, tx, who, productID, enforce.Write); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) + 1 FROM config_version WHERE product = ?", productID).Scan(&v.Number); err != nil {
			return fmt.Errorf("numbering a configuration of product %s: %w", productID, err)
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO config_version (id, organisation, product, number, document, sha256, note, created_at, created_by)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			v.ID, v.Organisation, v.Product, v.Number, string(v.Document), v.SHA256, v.Note, v.CreatedAt.UnixMilli(), v.CreatedBy)
		if err != nil {
			return fmt.Errorf("keeping version %d of the configuration of product %s: %w", v.Number, productID, err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM config_version WHERE product = ? AND number <= ?", productID, v.Number-MaxVersions); err != nil {
			return fmt.Errorf("forgetting old configurations of product %s: %w", productID, err)
		}
		return audit.Record(ctx, tx, who, "config.upload", productID, fmt.Sprintf("version %d, %d bytes, %s", v.Number, v.Size, note))
	})
	return v, err
}

// fits holds what is uploaded against the form of a configuration.
func fits(document []byte, note string) error {
	if len(document) > MaxSize {
		return fault.TooLarge("/document", int64(len(document)), MaxSize)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(document, &object); err != nil || object == nil {
		return fault.Invalid("/document", string(document), "a JSON object", `send an object, such as {"report_every_s":60}`)
	}
	if !utf8.Valid(document) {
		return fault.Invalid("/document", string(document), "UTF-8", "write it in UTF-8")
	}
	if utf8.RuneCountInString(note) > maxNote {
		return fault.Invalid("/note", note, fmt.Sprintf("at most %d characters", maxNote), "say it shorter")
	}
	return nil
}

// mayChange gives the organisation of a product of who's, unless a measure refuses the act.
func (s *Service) mayChange(ctx context.Context, q store.Querier, who access.Actor, productID string, act enforce.What) (organisation string, err error) {
	if _, err := s.products.Revision(ctx, q, who, productID); err != nil {
		return "", err
	}
	if organisation, err = s.products.OwnerIn(ctx, q, productID); err != nil {
		return "", err
	}
	standing, err := enforce.StandingOf(ctx, q, enforce.Chain{Product: productID, Organisation: organisation})
	if err != nil {
		return "", err
	}
	return organisation, standing.Check(act)
}

const versionColumns = "id, organisation, product, number, OCTET_LENGTH(document), sha256, note, created_at, created_by"

func scanVersion(row listing.Scanner, document ...any) (v Version, err error) {
	var at int64
	err = row.Scan(append([]any{&v.ID, &v.Organisation, &v.Product, &v.Number, &v.Size, &v.SHA256, &v.Note, &at, &v.CreatedBy}, document...)...)
	v.CreatedAt = time.UnixMilli(at).UTC()
	return v, err
}

// load reads one version, with its document.
func load(ctx context.Context, q store.Querier, object, id, where string, args ...any) (Version, error) {
	var document string
	v, err := scanVersion(q.QueryRow(ctx, "SELECT "+versionColumns+", document FROM config_version WHERE "+where, args...), &document)
	if errors.Is(err, store.ErrNoRows) {
		return v, fault.NotFound(object, id)
	}
	if err != nil {
		return v, fmt.Errorf("reading a configuration: %w", err)
	}
	v.Document, v.Size = json.RawMessage(document), len(document)
	return v, nil
}

// Version returns one version of a product of who's, with its document.
func (s *Service) Version(ctx context.Context, who access.Actor, productID string, number int) (v Version, err error) {
	err = s.store.Read(ctx, func(view *store.View) error {
		if _, err := s.products.Revision(ctx, view, who, productID); err != nil {
			return err
		}
		v, err = load(ctx, view, "configuration", fmt.Sprint(number), "product = ? AND number = ?", productID, number)
		return err
	})
	return v, err
}

// Current returns the version in force of a product, with its document; not found if it has none. It is for the program's own
// paths, which know whose device they serve.
func (s *Service) Current(ctx context.Context, productID string) (v Version, err error) {
	err = s.store.Read(ctx, func(view *store.View) error {
		v, err = load(ctx, view, "configuration of product", productID, "product = ? ORDER BY number DESC LIMIT 1", productID)
		return err
	})
	return v, err
}
