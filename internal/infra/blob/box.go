package blob

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"filippo.io/age"
)

// A box wraps the file key of an age file by the key of a blob: the format, its chunks and their order are age's
// (age-encryption.org/v1), the recipient is ours.
type box struct{ key [32]byte }

const stanza = "lampworks"

var errTampered = errors.New("the blob does not open: it was changed, or is another's")

func (b box) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(b.key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Wrap implements age.Recipient.
func (b box) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	a, err := b.aead()
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{Type: stanza, Body: a.Seal(nil, nil, fileKey, []byte(stanza))}}, nil //nolint:gosec // the AEAD draws its nonce itself
}

// Unwrap implements age.Identity.
func (b box) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	a, err := b.aead()
	if err != nil {
		return nil, err
	}
	for _, s := range stanzas {
		if s.Type != stanza {
			continue
		}
		key, err := a.Open(nil, nil, bytes.Clone(s.Body), []byte(stanza))
		if err != nil {
			return nil, errTampered
		}
		return key, nil
	}
	return nil, age.ErrIncorrectIdentity
}
