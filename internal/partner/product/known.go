package product

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product/wording"
	"lampworks/tsl"
)

const (
	maxKnown  = 2000             // products kept in memory; a compiled model is 10 to 100 kB
	knownTime = 30 * time.Second // after which a kept product is compared with its row again
)

// known is what the hot paths ask of products: by id and by ProductKey, with the model in force.
type known struct {
	mu      sync.RWMutex
	byID    map[string]*entry
	byKey   map[string]*entry
	once    singleflight.Group
	changes uint64 // grows when something is forgotten, so that an older look does not come back
}

// entry is one product. It is replaced as a whole but for the time of its last comparison.
type entry struct {
	product Product
	model   *tsl.Model       // nil: no version is published
	wording *wording.Wording // nil: as model
	checked time.Time
}

// ByKey finds a product by its ProductKey, whoever asks: the gateway does before it knows who connects. What it returns
// must not be changed.
func (s *Service) ByKey(ctx context.Context, productKey string) (Product, error) {
	e, err := s.find(ctx, &s.known.byKey, productKey, byKeySQL)
	if err != nil {
		return Product{}, err
	}
	return e.product, nil
}

// Model returns the thing model in force of a product, ready to use: the same pointer until another version is
// published. It is for the program's own paths, which know whose device they serve.
func (s *Service) Model(ctx context.Context, product string) (*tsl.Model, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return nil, err
	}
	if e.model == nil {
		return nil, fault.NotFound("thing model of product", product)
	}
	return e.model, nil
}

// Wording returns how devices of a product are spoken of beside what the model says, nil if nothing is: the same pointer until
// another version is published. It is for the program's own paths, as Model.
func (s *Service) Wording(ctx context.Context, product string) (*wording.Wording, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return nil, err
	}
	return e.wording, nil
}

// Key returns the ProductKey of a product. It is for the program's own paths, as Model.
func (s *Service) Key(ctx context.Context, product string) (string, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return "", err
	}
	return e.product.ProductKey, nil
}

// Category returns the name of a product's category. It is for the program's own paths, as Model.
func (s *Service) Category(ctx context.Context, product string) (string, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return "", err
	}
	return e.product.Category, nil
}

// Gateway reports whether devices of a product carry others. It is for the program's own paths, as Model.
func (s *Service) Gateway(ctx context.Context, product string) (bool, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return false, err
	}
	return e.product.Gateway, nil
}

// find looks into one of the maps and, when it does not know or has to compare again, into the table; of many that miss
// the same product at once, one does the work. While the table cannot be read, what was known goes on being so.
func (s *Service) find(ctx context.Context, in *map[string]*entry, key, query string) (*entry, error) {
	now := s.now()
	old, changes := s.known.look(in, key, now)
	if old != nil && now.Sub(old.checked) < knownTime {
		return old, nil
	}
	found, err, _ := s.known.once.Do(fmt.Sprint(changes, query, key), func() (any, error) {
		e, err := s.read(context.WithoutCancel(ctx), old, key, query)
		if err != nil {
			if old != nil && fault.Is(err, fault.Missing) {
				s.known.forget(old.product.ID)
			}
			return nil, err
		}
		e.checked = now
		return s.known.keep(e, changes), nil
	})
	if err != nil && old != nil && !fault.Is(err, fault.Missing) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a product could not be compared with its row, it will be", slog.String("product", old.product.ID), slog.Any("error", err))
		return old, nil
	}
	if err != nil {
		return nil, err
	}
	return found.(*entry), nil
}

// read is a product as its row has it now, with the model of old as long as the version is the same.
func (s *Service) read(ctx context.Context, old *entry, key, query string) (*entry, error) {
	e := &entry{}
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		e.product, err = scan(v.QueryRow(ctx, query, key))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("product", key)
		}
		if err != nil {
			return fmt.Errorf("reading product %.64q: %w", key, err)
		}
		if old != nil && old.product.Voice == e.product.Voice {
			e.wording = old.wording
		} else if e.wording, err = spokenOf(ctx, v, e.product); err != nil {
			return err
		}
		if old != nil && old.product.Version == e.product.Version {
			e.model = old.model
			return nil
		}
		e.model, err = inForce(ctx, v, e.product)
		return err
	})
	return e, err
}

// inForce reads and compiles the version in force.
func inForce(ctx context.Context, q store.Querier, p Product) (*tsl.Model, error) {
	if p.Version == 0 {
		return nil, nil
	}
	v, err := loadVersion(ctx, q, p.ID, p.Version)
	if err != nil {
		return nil, err
	}
	d, err := tsl.Parse(v.Document)
	if err != nil {
		return nil, fmt.Errorf("opening version %d of product %s: %w", p.Version, p.ID, err)
	}
	m, err := tsl.Compile(d)
	if err != nil {
		return nil, fmt.Errorf("compiling version %d of product %s: %w", p.Version, p.ID, err)
	}
	return m, nil
}

// look is the entry of key, nil if there is none. Of many that find it due for a comparison one is told so; the others
// go on with it.
func (k *known) look(in *map[string]*entry, key string, now time.Time) (*entry, uint64) {
	k.mu.RLock()
	e, changes := (*in)[key], k.changes
	due := e != nil && now.Sub(e.checked) >= knownTime
	k.mu.RUnlock()
	if !due {
		return e, changes
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	current := (*in)[key]
	if current != e {
		return current, k.changes
	}
	fresh := *e
	fresh.checked = now
	k.put(&fresh)
	return e, k.changes
}

// keep takes an entry in, unless something was forgotten since it was looked up, and gives it its model back if that is
// known by the other key already.
func (k *known) keep(e *entry, changes uint64) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != changes {
		return e
	}
	if other := k.byID[e.product.ID]; other != nil && other.product.Version == e.product.Version {
		e.model = other.model
	}
	if other := k.byID[e.product.ID]; other != nil && other.product.Voice == e.product.Voice {
		e.wording = other.wording
	}
	if len(k.byID) >= maxKnown && k.byID[e.product.ID] == nil {
		for _, other := range k.byID { // any: the order of use costs more than it gains
			k.drop(other)
			break
		}
	}
	k.put(e)
	return e
}

func (k *known) put(e *entry) {
	if k.byID == nil {
		k.byID, k.byKey = map[string]*entry{}, map[string]*entry{}
	}
	k.byID[e.product.ID], k.byKey[e.product.ProductKey] = e, e
}

func (k *known) drop(e *entry) {
	delete(k.byID, e.product.ID)
	delete(k.byKey, e.product.ProductKey)
}

// forget drops what is known of a product.
func (k *known) forget(product string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	if e := k.byID[product]; e != nil {
		k.drop(e)
	}
}
