// Package keyring keeps the keys from which secrets are derived.
//
// It owns the tables keyring_root, keyring_tenant, keyring_product and keyring_signing, the root key
// file and the file of high-water marks beside it. It promises:
//   - a copy of the database opens nothing: product keys are wrapped by the key of
//     their organisation, those by the root key, which is in a file outside;
//   - the root key is made once, at the first start; data that know one never get another;
//   - a key cannot be printed, and a wrapped key or sealed value opens only in its own row;
//   - a high-water mark that was set is on disk and never falls, also after a restore of older data.
package keyring

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// maxCached is how many opened product keys are kept in memory.
const maxCached = 4096

// A Keyring opens and makes keys. All methods may be called by any goroutine.
type Keyring struct {
	root  Key32
	print string
	marks marks

	mu     sync.Mutex // guards opened
	opened map[string]Key32
}

// Open reads the root key from the file at rootKeyPath, which must be readable by
// its owner only. At the first start of new data it makes the file; afterwards a
// missing or another key is an error that names the fingerprint of the right one.
func Open(ctx context.Context, s *store.Store, rootKeyPath string) (*Keyring, error) {
	known, err := knownFingerprint(ctx, s)
	if err != nil {
		return nil, err
	}
	root, err := readRoot(rootKeyPath)
	switch {
	case errors.Is(err, errNoFile) && known == "":
		root, err = makeRoot(rootKeyPath)
	case errors.Is(err, errNoFile):
		return nil, fmt.Errorf("the root key %s is missing; these data need the one with fingerprint %s: "+
			"put it there, or name its place with --root-key", rootKeyPath, known)
	}
	if err != nil {
		return nil, err
	}
	k := &Keyring{root: root, print: fingerprint(root), opened: make(map[string]Key32)}
	if known != "" && known != k.print {
		return nil, fmt.Errorf("the root key %s has the fingerprint %s; these data need the one with fingerprint %s",
			rootKeyPath, k.print, known)
	}
	if known == "" {
		if err := k.register(ctx, s); err != nil {
			return nil, err
		}
	}
	return k, k.marks.open(rootKeyPath + ".marks")
}

// Fingerprint names the root key without telling it: 16 hexadecimal characters.
func (k *Keyring) Fingerprint() string { return k.print }

func knownFingerprint(ctx context.Context, s *store.Store) (known string, err error) {
	err = s.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, `SELECT fingerprint FROM keyring_root WHERE one = 1`).Scan(&known)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the fingerprint of the root key: %w", err)
	}
	return known, nil
}

// register writes down which root key the data belong to.
func (k *Keyring) register(ctx context.Context, s *store.Store) error {
	err := s.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO keyring_root (one, fingerprint, created_at) VALUES (1, ?, ?)`,
			k.print, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("registering the root key: %w", err)
	}
	return nil
}

// NewProductKey makes the key of a product that belongs to organisation, within
// the transaction that makes the product. A product has one key for ever.
func (k *Keyring) NewProductKey(ctx context.Context, tx *store.Tx, organisation, product string) error {
	tenant, err := k.tenant(ctx, tx, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		tenant, err = k.newTenant(ctx, tx, organisation)
	}
	if err != nil {
		return fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO keyring_product (product, organisation, wrapped, created_at) VALUES (?, ?, ?, ?)`,
		product, organisation, tenant.wrap(newKey(), "product", product), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("storing the key of product %s: %w", product, err)
	}
	return nil
}

// ProductKey opens the key of a product. It is kept in memory; the order of use does not matter.
func (k *Keyring) ProductKey(ctx context.Context, q store.Querier, product string) (Key32, error) {
	key, ok := k.OpenedKey(product)
	if ok {
		return key, nil
	}
	var organisation string
	var wrapped []byte
	err := q.QueryRow(ctx, `SELECT organisation, wrapped FROM keyring_product WHERE product = ?`, product).
		Scan(&organisation, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return Key32{}, fault.NotFound("product key", product)
	}
	if err != nil {
		return Key32{}, fmt.Errorf("reading the key of product %s: %w", product, err)
	}
	tenant, err := k.tenant(ctx, q, organisation)
	if err != nil {
		return Key32{}, fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	if key, err = tenant.unwrap(wrapped, "product", product); err != nil {
		return Key32{}, fmt.Errorf("opening the key of product %s: %w", product, err)
	}
	if _, committed := q.(*store.View); committed { // what a transaction sees may yet be rolled back
		k.keep(product, key)
	}
	return key, nil
}

// OpenedKey is the key of a product if memory holds it.
func (k *Keyring) OpenedKey(product string) (key Key32, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok = k.opened[product]
	return key, ok
}

// Transfer wraps the key of a product for another organisation. The key itself stays, and with it every secret.
func (k *Keyring) Transfer(ctx context.Context, tx *store.Tx, product, organisation string) error {
	key, err := k.ProductKey(ctx, tx, product)
	if err != nil {
		return err
	}
	tenant, err := k.tenant(ctx, tx, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		tenant, err = k.newTenant(ctx, tx, organisation)
	}
	if err != nil {
		return fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	_, err = tx.Exec(ctx, `UPDATE keyring_product SET organisation = ?, wrapped = ? WHERE product = ?`,
		organisation, tenant.wrap(key, "product", product), product)
	if err != nil {
		return fmt.Errorf("storing the key of product %s: %w", product, err)
	}
	return nil
}

// tenant opens the key of an organisation; [sql.ErrNoRows] if it has none.
func (k *Keyring) tenant(ctx context.Context, q store.Querier, organisation string) (Key32, error) {
	var wrapped []byte
	err := q.QueryRow(ctx, `SELECT wrapped FROM keyring_tenant WHERE organisation = ?`, organisation).Scan(&wrapped)
	if err != nil {
		return Key32{}, err
	}
	return k.root.unwrap(wrapped, "tenant", organisation)
}

func (k *Keyring) newTenant(ctx context.Context, tx *store.Tx, organisation string) (Key32, error) {
	key := newKey()
	_, err := tx.Exec(ctx, `INSERT INTO keyring_tenant (organisation, wrapped, created_at) VALUES (?, ?, ?)`,
		organisation, k.root.wrap(key, "tenant", organisation), time.Now().UnixMilli())
	return key, err
}

// keep puts an opened key into the cache and makes room for it.
func (k *Keyring) keep(product string, key Key32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for p := range k.opened {
		if len(k.opened) < maxCached {
			break
		}
		delete(k.opened, p)
	}
	k.opened[product] = key
}
