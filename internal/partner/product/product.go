// Package product knows the products of makers (产品) and their thing models.
//
// It owns the tables product, product_draft, product_model, product_paper and product_erased and the data files of categories,
// papers and protocols, and promises:
//   - a ProductID is given to one product only, also after older data were restored; its ProductKey follows from it;
//   - a product has its key for secrets from the transaction that makes it;
//   - a published thing model never changes; what the devices of a product are checked against is its latest version;
//   - from the commit that publishes a version, this process uses it; another process of the same data within 30 s;
//   - ByKey and Model cost no query while they know the answer, and keep a bounded number of answers;
//   - an act changes everything it says and leaves one audit entry, in one transaction, or changes nothing;
//   - what a product waits for before a step of its life is named whole, and only that keeps it from the step;
//   - nothing is built on a product that is not certified; what was is flagged in the transaction in which that ends, and its
//     maker told;
//   - of others' products a maker sees what is published to build on, and of that what it is and what was certified;
//   - a thing model that breaks something is not published over devices in use unless its maker has seen how many there are;
//   - otherwise nobody sees a product of another organisation: it is not found.
//
// Who may use a product's triples, and whether a product is certified, is decided by others.
package product

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/quota"
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
	Parts

	numbers sync.Mutex // one ProductID is drawn at a time
}

// New returns the service over a migrated store. The hooks run at each publication, in order.
func New(s *store.Store, keys *keyring.Keyring, log *slog.Logger, hooks ...Published) *Service {
	return &Service{store: s, keys: keys, log: log, hooks: hooks, now: time.Now}
}

// Parts is what the life of products needs beside the store. Without a part nothing that needs it is done.
type Parts struct {
	Certify *certify.Service // nil: nothing is certified
	Blobs   *blob.Blobs      // files of icons and papers
	Notices *notice.Service  // nil: nobody is told
	// Kinds is what an organisation is in the trade, at least what it says of itself: [account.KindsOf]. Nil: everybody may make everything.
	Kinds func(ctx context.Context, q store.Querier, organisation string) ([]account.Kind, error)
	// Terms refuses an organisation that has not accepted the terms of a product. Nil: there are none.
	Terms func(ctx context.Context, q store.Querier, organisation, product, category string) error
	// Enter refuses an organisation that a service of the platform is not open to. Nil: all are.
	Enter func(ctx context.Context, q store.Querier, organisation, service string) error
	// Devices counts the devices of a product that have been in use. Nil: there are none.
	Devices func(ctx context.Context, q store.Querier, product string) (int64, error)
}

// With gives the service its parts, before it is used.
func (s *Service) With(p Parts) *Service {
	s.Parts = p
	return s
}

// A Product is a kind of device that a maker makes, or what devices are built on.
type Product struct {
	ID           string // UUID, for ever
	Organisation string
	ProductID    triple.ProductID
	ProductKey   string
	Category     string
	Names        Names
	Version      int // of the thing model in force; 0: none yet
	Voice        int // of the voice configuration in force; 0: none yet
	CreatedAt    time.Time
	ChangedAt    time.Time
	Kind         Kind
	State        State
	Offered      bool     // others may build on it
	BuiltOn      string   // product: chip or module; empty: nothing, or directly on the platform's protocol
	Solution     string   // product; empty: none
	Protocols    []string // of a chip, what it was tuned for; of others, what they use of that; empty: all of it
	Gateway      bool     // its devices carry others, which reach the platform through them (网关)
	Registration bool     // its devices may register by its secret, in windows that its maker opens (动态注册)
	Care         Care
	Icon         string // blob; empty: none
	IconMedia    string
	Flagged      bool   // something it is built on is not certified
	Flag         string // what, in one sentence
	FlaggedAt    time.Time
	Revision     int64

	secret   uint32 // generation of its own secret
	iconSize int64  // bytes, as they count for the storage
}

// Names is a name by language: "zh-CN", "en".
type Names map[string]string

// whole says whether there is a name in every language.
func (n Names) whole() bool { return n["zh-CN"] != "" && n["en"] != "" }

// NewProduct is what a product is made of.
type NewProduct struct {
	Kind      Kind   // empty: a terminal
	Category  string // of a terminal; others may have none
	Names     Names
	Document  []byte // its thing model, TSL; empty: the category's
	BuiltOn   string // product
	Solution  string // product
	Protocols []string
	Gateway   bool // its devices carry others
}

// firstNumber is the first ProductID given here.
const firstNumber = 10001

// numberMark is the high-water mark of ProductIDs beside the root key.
const numberMark = "product_id"

// Create makes a product of who's organisation as a draft, and publishes its thing model, if it has one, as version 1.
func (s *Service) Create(ctx context.Context, who access.Actor, n NewProduct) (Product, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Product{}, err
	}
	rule, err := ruleOf(n.Kind)
	if err != nil {
		return Product{}, err
	}
	document, err := n.document(rule.Kind)
	if err != nil {
		return Product{}, err
	}
	if err := checkNames(n.Names); err != nil {
		return Product{}, err
	}
	number, err := s.drawNumber(ctx)
	if err != nil {
		return Product{}, err
	}
	now := at(s.now().UnixMilli())
	p := Product{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: who.Organisation, ProductID: number, ProductKey: triple.ProductKey(number),
		Category: n.Category, Names: n.Names, CreatedAt: now, ChangedAt: now, Kind: rule.Kind, State: Drafted, Protocols: []string{}, Revision: 1, secret: 1,
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return s.create(ctx, tx, who, rule, n, &p, document) })
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// document is the thing model of a new product; nil: it has none.
func (n *NewProduct) document(kind Kind) (json.RawMessage, error) {
	var document json.RawMessage
	if n.Category != "" || kind == Terminal {
		c, err := FindCategory(n.Category)
		if err != nil {
			return nil, err
		}
		document = c.Document
	}
	if len(n.Document) == 0 {
		return document, nil
	}
	return checkDocument(n.Document)
}

func (s *Service) create(ctx context.Context, tx *store.Tx, who access.Actor, rule Rule, n NewProduct, p *Product, document json.RawMessage) error {
	if err := s.mayMake(ctx, tx, who, rule); err != nil {
		return err
	}
	if err := p.stands(ctx, tx, enforce.Write); err != nil {
		return err
	}
	if err := quota.Take(ctx, tx, quota.Organisation(p.Organisation), quota.Products, 1); err != nil {
		return err
	}
	c := Change{BuiltOn: &n.BuiltOn, Solution: &n.Solution, Gateway: &n.Gateway}
	if len(n.Protocols) > 0 {
		c.Protocols = &n.Protocols
		if err := checkProtocols("/protocols", n.Protocols); err != nil {
			return err
		}
	}
	if err := s.apply(ctx, tx, p, c); err != nil {
		return err
	}
	if err := insert(ctx, tx, *p); err != nil {
		return err
	}
	if err := s.keys.NewProductKey(ctx, tx, p.Organisation, p.ID); err != nil {
		return err
	}
	if document != nil {
		p.Version = 1
		if err := s.enter(ctx, tx, p.ID, Version{Number: 1, Document: document, PublishedAt: p.CreatedAt, PublishedBy: who.User}); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, who, "product.create", p.ID, strings.TrimSpace(fmt.Sprintf("%s %s %s", p.ProductID, p.Category, marshal(p.Names))))
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

// Rename gives a product other names.
func (s *Service) Rename(ctx context.Context, who access.Actor, id string, names Names) error {
	if err := allow(who, access.WriteProduct); err != nil {
		return err
	}
	if err := checkNames(names); err != nil {
		return err
	}
	_, err := s.change(ctx, who, id, func(_ *store.Tx, p *Product) (string, string, error) {
		p.Names = names
		return "product.rename", marshal(names), nil
	})
	return err
}

// Revision is the number of a product's last change.
func (s *Service) Revision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	p, err := load(ctx, q, who, id)
	return p.Revision, err
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

// at is a time as tables keep it: milliseconds, UTC; zero for zero.
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

// millisOf reads a time as callers write it.
func millisOf(text string) (any, error) {
	t, err := fault.Time("/changed_at", text)
	if err != nil {
		return nil, err
	}
	return t.UnixMilli(), nil
}

// bit is a flag as tables keep it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// marshal is v as JSON; what is given cannot fail.
func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}
