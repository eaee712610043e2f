package keyring

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	sealVersion = 1
	sealHead    = 1 + 12 // version, nonce

	// MaxSealed is the most bytes of one sealed value; what is larger is a blob.
	MaxSealed = 64 << 10
)

// Seal encrypts a small value of an organisation (empty: the platform's own) for one purpose and the identity of its row,
// with AES-256-GCM: it opens for no other purpose and in no other row. The key of the organisation is made when there is none.
func (k *Keyring) Seal(ctx context.Context, tx *store.Tx, organisation, purpose, identity string, plain []byte) ([]byte, error) {
	if len(plain) > MaxSealed {
		return nil, fault.TooLarge("a sealed value", int64(len(plain)), MaxSealed)
	}
	key, err := k.owner(ctx, tx, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		key, err = k.newTenant(ctx, tx, organisation)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	out := make([]byte, sealHead, sealHead+len(plain)+16)
	out[0] = sealVersion
	_, _ = rand.Read(out[1:sealHead])
	return key.aead().Seal(out, out[1:sealHead], plain, sealedFor(purpose, identity)), nil
}

// Unseal opens what Seal gave for the same organisation, purpose and identity. After the key of an organisation was
// forgotten nothing of it opens: that is a fault of the code expired.
func (k *Keyring) Unseal(ctx context.Context, q store.Querier, organisation, purpose, identity string, sealed []byte) ([]byte, error) {
	key, err := k.owner(ctx, q, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.Expired("key of organisation", organisation)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	if len(sealed) < sealHead || sealed[0] != sealVersion {
		return nil, errSeal
	}
	plain, err := key.aead().Open(nil, sealed[1:sealHead], sealed[sealHead:], sealedFor(purpose, identity))
	if err != nil {
		return nil, errSeal
	}
	return plain, nil
}

// DataKey gives the key of one stream of an organisation (empty: the platform's own), such as a blob: it is derived, and
// stored nowhere. The organisation's own key is made when there is none.
func (k *Keyring) DataKey(ctx context.Context, s *store.Store, organisation, purpose, identity string) (Key32, error) {
	var key Key32
	err := s.Read(ctx, func(v *store.View) (err error) {
		key, err = k.owner(ctx, v, organisation)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = s.Write(ctx, func(tx *store.Tx) (err error) {
			if key, err = k.owner(ctx, tx, organisation); errors.Is(err, sql.ErrNoRows) {
				key, err = k.newTenant(ctx, tx, organisation)
			}
			return err
		})
	}
	if err != nil {
		return Key32{}, fmt.Errorf("opening the key of organisation %s: %w", organisation, err)
	}
	return key.derive("stream", purpose, identity), nil
}

// owner opens the key of an organisation, or derives the platform's own; [sql.ErrNoRows] if there is none.
func (k *Keyring) owner(ctx context.Context, q store.Querier, organisation string) (Key32, error) {
	if organisation == "" {
		return k.root.derive("platform", "", ""), nil
	}
	return k.tenant(ctx, q, organisation)
}

// derive is HKDF-SHA256 (RFC 5869) with every part of the info in front of which its length stands.
func (k Key32) derive(use, purpose, identity string) Key32 {
	info := fmt.Sprintf("lampworks derived key 1 %d:%s %d:%s %d:%s", len(use), use, len(purpose), purpose, len(identity), identity)
	var out Key32
	b, err := hkdf.Key(sha256.New, k.b[:], nil, info, len(out.b))
	if err != nil {
		panic(err) // 32 bytes are less than HKDF can give
	}
	copy(out.b[:], b)
	return out
}

// sealedFor binds a sealed value to its place: each part with its length.
func sealedFor(purpose, identity string) []byte {
	return fmt.Appendf(nil, "lampworks sealed value 1 %d:%s %d:%s", len(purpose), purpose, len(identity), identity)
}

// Erase destroys keys, so that nothing sealed or derived by them opens again, copies of the database included: of an
// organisation (its own and those of its products), or of a product. More rows than limit are left for another call.
func (k *Keyring) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	var statement string
	switch kind {
	case "product":
		statement = "DELETE FROM keyring_product WHERE product IN (SELECT product FROM keyring_product WHERE product = ? LIMIT ?)"
	case "organisation":
		statement = "DELETE FROM keyring_product WHERE product IN (SELECT product FROM keyring_product WHERE organisation = ? LIMIT ?)"
	default:
		return false, nil
	}
	res, err := tx.Exec(ctx, statement, id, limit)
	if err != nil {
		return false, fmt.Errorf("erasing the product keys of %s %s: %w", kind, id, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return false, err
	}
	tx.AfterCommit(k.forget)
	if kind == "organisation" && n < int64(limit) {
		if _, err := tx.Exec(ctx, "DELETE FROM keyring_tenant WHERE organisation = ?", id); err != nil {
			return false, fmt.Errorf("erasing the key of organisation %s: %w", id, err)
		}
	}
	return n == int64(limit), nil
}

// Holds counts the keys of an organisation or a product.
func (k *Keyring) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	switch kind {
	case "product":
		err = q.QueryRow(ctx, "SELECT COUNT(*) FROM keyring_product WHERE product = ?", id).Scan(&n)
	case "organisation":
		err = q.QueryRow(ctx, `
			SELECT (SELECT COUNT(*) FROM keyring_product WHERE organisation = ?) + (SELECT COUNT(*) FROM keyring_tenant WHERE organisation = ?)`,
			id, id).Scan(&n)
	}
	if err != nil {
		return 0, fmt.Errorf("counting the keys of %s %s: %w", kind, id, err)
	}
	return n, nil
}

// forget empties the memory of opened keys.
func (k *Keyring) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.opened)
}
