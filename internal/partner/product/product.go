// Package product knows the products of makers (产品) and their thing models.
//
// It owns the tables product, product_draft and product_model and the categories' data files, and promises:
//   - a ProductID is given to one product only, also after older data were restored; its ProductKey follows from it;
//   - a product has its key for secrets from the transaction that makes it;
//   - a published thing model never changes; what the devices of a product are checked against is its latest version;
//   - from the commit that publishes a version, this process uses it; another process of the same data within 30 s;
//   - ByKey and Model cost no query while they know the answer, and keep a bounded number of answers;
//   - an act changes everything it says and leaves one audit entry, in one transaction, or changes nothing;
//   - nobody sees a product of another organisation: it is not found.
//
// Who may use a product's triples, and whether it is certified, is decided by others.
package product

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// Published is called in the transaction that publishes a version of a product's thing model; its error undoes all.
type Published func(ctx context.Context, tx *store.Tx, product string, version int) error

// Service answers for products. It is safe for concurrent use.
type Service struct {
	store *store.Store
	keys  *keyring.Keyring
	log   *slog.Logger
	hooks []Published
	now   func() time.Time
	known known

	numbers sync.Mutex // one ProductID is drawn at a time
}

// New returns the service over a migrated store. The hooks run at each publication, in order.
func New(s *store.Store, keys *keyring.Keyring, log *slog.Logger, hooks ...Published) *Service {
	return &Service{store: s, keys: keys, log: log, hooks: hooks, now: time.Now}
}

// A Product is a kind of device that a maker makes.
type Product struct {
	ID           string // UUID, for ever
	Organisation string
	ProductID    triple.ProductID
	ProductKey   string
	Category     string
	Names        Names
	Version      int // of the thing model in force; 0: none yet
	CreatedAt    time.Time
	ChangedAt    time.Time
}

// Names is a name by language: "zh-CN", "en".
type Names map[string]string

// NewProduct is what a product is made of.
type NewProduct struct {
	Category string
	Names    Names
	Document []byte // its thing model, TSL; empty: the category's
}

// firstNumber is the first ProductID given here.
const firstNumber = 10001

// numberMark is the high-water mark of ProductIDs beside the root key.
const numberMark = "product_id"

// Create makes a product of who's organisation and publishes its thing model as version 1.
func (s *Service) Create(ctx context.Context, who access.Actor, n NewProduct) (Product, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Product{}, err
	}
	c, err := FindCategory(n.Category)
	if err != nil {
		return Product{}, err
	}
	if err := checkNames(n.Names); err != nil {
		return Product{}, err
	}
	document := c.Document
	if len(n.Document) > 0 {
		if document, err = checkDocument(n.Document); err != nil {
			return Product{}, err
		}
	}
	number, err := s.drawNumber(ctx)
	if err != nil {
		return Product{}, err
	}
	now := s.now()
	p := Product{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: who.Organisation, ProductID: number, ProductKey: triple.ProductKey(number),
		Category: n.Category, Names: n.Names, Version: 1, CreatedAt: at(now.UnixMilli()), ChangedAt: at(now.UnixMilli()),
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if err := insert(ctx, tx, p); err != nil {
			return err
		}
		if err := s.keys.NewProductKey(ctx, tx, p.Organisation, p.ID); err != nil {
			return err
		}
		v := Version{Number: 1, Document: document, PublishedAt: p.CreatedAt, PublishedBy: who.Login}
		if err := s.enter(ctx, tx, p.ID, v); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "product.create", p.ID, fmt.Sprintf("%s %s %s", p.ProductID, p.Category, marshal(p.Names)))
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// drawNumber takes the next ProductID. The mark beside the root key is raised first, so that restored data do not give
// a number again; a product that then fails to be made leaves a gap.
func (s *Service) drawNumber(ctx context.Context) (triple.ProductID, error) {
	s.numbers.Lock()
	defer s.numbers.Unlock()
	var last int64
	err := s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, lastNumberSQL).Scan(&last)
	})
	if err != nil {
		return 0, fmt.Errorf("finding the last ProductID: %w", err)
	}
	next := max(uint64(last), s.keys.HighWater(numberMark), firstNumber-1) + 1
	if next > 1<<32-1 {
		return 0, fault.Limit("product_id", strconv.FormatUint(next, 10), "at most 4294967295, 32 bits", 0)
	}
	if err := s.keys.SetHighWater(numberMark, next); err != nil {
		return 0, fmt.Errorf("noting ProductID %d beside the root key: %w", next, err)
	}
	return triple.ProductID(next), nil
}

// Load returns a product of who's organisation.
func (s *Service) Load(ctx context.Context, who access.Actor, id string) (Product, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Product{}, err
	}
	var p Product
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		p, err = load(ctx, v, who, id)
		return err
	})
	return p, err
}

// A Filter limits a list. Empty fields do not limit.
type Filter struct {
	Category string
	Search   string // a part of a name, the ProductKey or the ProductID, any case
	Cursor   string // where the page before ended
	Limit    int    // 1..500; 0 is 100
}

// List returns products of who's organisation, oldest first, and the cursor of the next page, empty after the last.
func (s *Service) List(ctx context.Context, who access.Actor, f Filter) ([]Product, string, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return nil, "", err
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 1 || f.Limit > 500 {
		return nil, "", fault.Invalid("/limit", strconv.Itoa(f.Limit), "an integer from 1 to 500", "ask for at most 500 and follow the cursor")
	}
	var page []Product
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		page, err = list(ctx, v, who.Organisation, f)
		return err
	})
	if err != nil || len(page) <= f.Limit {
		return page, "", err
	}
	page = page[:f.Limit]
	return page, page[f.Limit-1].ID, nil
}

// Rename gives a product other names.
func (s *Service) Rename(ctx context.Context, who access.Actor, id string, names Names) error {
	if err := allow(who, access.WriteProduct); err != nil {
		return err
	}
	if err := checkNames(names); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		p.Names = names
		if _, err := tx.Exec(ctx, renameSQL, marshal(names), p.search(), s.now().UnixMilli(), id, who.Organisation); err != nil {
			return fmt.Errorf("renaming product %s: %w", id, err)
		}
		tx.AfterCommit(func() { s.known.forget(id) })
		return audit.Record(ctx, tx, who, "product.rename", id, marshal(names))
	})
}

// allow checks an act that changes something: it needs an organisation to do it in.
func allow(who access.Actor, act access.Act) error {
	if err := who.Check(act); err != nil {
		return err
	}
	if who.Organisation == "" {
		return fault.Forbidden(string(act), "an organisation to act for")
	}
	return nil
}

func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Product, error) {
	p, err := scan(q.QueryRow(ctx, loadSQL, id, who.Organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return Product{}, fault.NotFound("product", id)
	}
	if err != nil {
		return Product{}, fmt.Errorf("reading product %s: %w", id, err)
	}
	return p, nil
}

// at is a time as tables keep it: milliseconds, UTC.
func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// marshal is v as JSON; what is given cannot fail.
func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}
