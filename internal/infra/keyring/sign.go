package keyring

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Signer signs what others can check with its public half. It cannot be printed, logged or marshalled.
type Signer struct{ private ed25519.PrivateKey }

// Sign gives the Ed25519 signature of message.
func (s Signer) Sign(message []byte) []byte { return ed25519.Sign(s.private, message) }

// Public is the half that everybody may know.
func (s Signer) Public() ed25519.PublicKey { return s.private.Public().(ed25519.PublicKey) }

// String gives "[secret]".
func (s Signer) String() string { return hidden }

// Format writes "[secret]" whatever the verb.
func (s Signer) Format(f fmt.State, v rune) { Key32{}.Format(f, v) }

// LogValue gives "[secret]".
func (s Signer) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText gives "[secret]", which also serves JSON.
func (s Signer) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const signing = "signing key"

// Signer gives the key that signs for a purpose. It is made once, at the first call.
func (k *Keyring) Signer(ctx context.Context, s *store.Store, purpose string) (Signer, error) {
	var out Signer
	read := func(q store.Querier) (err error) {
		out, err = k.signer(ctx, q, purpose)
		return err
	}
	err := s.Read(ctx, func(v *store.View) error { return read(v) })
	if errors.Is(err, sql.ErrNoRows) {
		err = s.Write(ctx, func(tx *store.Tx) error {
			err := read(tx)
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			out, err = k.newSigner(ctx, tx, purpose)
			return err
		})
	}
	if err != nil {
		return Signer{}, fmt.Errorf("opening the key that signs for %s: %w", purpose, err)
	}
	return out, nil
}

// SignerPublic gives the public half, also to who has no root key.
func SignerPublic(ctx context.Context, q store.Querier, purpose string) (ed25519.PublicKey, error) {
	var public []byte
	err := q.QueryRow(ctx, `SELECT public FROM keyring_signing WHERE purpose = ?`, purpose).Scan(&public)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fault.NotFound("signing key", purpose)
	case err != nil:
		return nil, fmt.Errorf("reading the public key of %s: %w", purpose, err)
	case len(public) != ed25519.PublicKeySize:
		return nil, fmt.Errorf("the public key of %s has %d bytes, want %d", purpose, len(public), ed25519.PublicKeySize)
	}
	return public, nil
}

func (k *Keyring) signer(ctx context.Context, q store.Querier, purpose string) (Signer, error) {
	var public, sealed []byte
	err := q.QueryRow(ctx, `SELECT public, sealed FROM keyring_signing WHERE purpose = ?`, purpose).Scan(&public, &sealed)
	if err != nil {
		return Signer{}, err
	}
	seed, err := k.Unseal(ctx, q, "", signing, purpose, sealed)
	if err != nil {
		return Signer{}, err
	}
	if len(seed) != ed25519.SeedSize {
		return Signer{}, errSeal
	}
	s := Signer{ed25519.NewKeyFromSeed(seed)}
	if !s.Public().Equal(ed25519.PublicKey(public)) {
		return Signer{}, fmt.Errorf("the public key of %s was changed in the database", purpose)
	}
	return s, nil
}

func (k *Keyring) newSigner(ctx context.Context, tx *store.Tx, purpose string) (Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Signer{}, err
	}
	sealed, err := k.Seal(ctx, tx, "", signing, purpose, private.Seed())
	if err != nil {
		return Signer{}, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO keyring_signing (purpose, public, sealed, created_at) VALUES (?, ?, ?, ?)`,
		purpose, []byte(public), sealed, time.Now().UnixMilli())
	return Signer{private}, err
}
