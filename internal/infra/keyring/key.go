package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Key32 is a secret key of 32 bytes. It cannot be printed, logged or marshalled.
type Key32 struct{ b [32]byte }

// hidden is what stands for a key wherever it is printed.
const hidden = "[secret]"

// Reveal gives the bytes of the key.
func (k Key32) Reveal() [32]byte { return k.b }

// String gives "[secret]".
func (k Key32) String() string { return hidden }

// GoString gives "[secret]".
func (k Key32) GoString() string { return hidden }

// Format writes "[secret]" whatever the verb.
func (k Key32) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue gives "[secret]".
func (k Key32) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText gives "[secret]", which also serves JSON.
func (k Key32) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func newKey() Key32 {
	var k Key32
	_, _ = rand.Read(k.b[:]) // never fails: crypto/rand
	return k
}

// errSeal says that a sealed key cannot be opened: another key, another place, or a changed byte.
var errSeal = errors.New("the sealed key does not open: it was changed, or sealed by another key or for another owner")

// wrapped keys are: one byte version, 12 bytes nonce, 32 bytes sealed key, 16 bytes tag.
const (
	wrapVersion = 1
	wrapSize    = 1 + 12 + 32 + 16
)

// wrap seals k under outer with AES-256-GCM; purpose and owner are bound to it.
func (outer Key32) wrap(k Key32, purpose, owner string) []byte {
	out := make([]byte, 13, wrapSize)
	out[0] = wrapVersion
	_, _ = rand.Read(out[1:13])
	return outer.aead().Seal(out, out[1:13], k.b[:], associated(purpose, owner))
}

// unwrap opens what wrap sealed.
func (outer Key32) unwrap(sealed []byte, purpose, owner string) (Key32, error) {
	if len(sealed) != wrapSize || sealed[0] != wrapVersion {
		return Key32{}, errSeal
	}
	var k Key32
	if _, err := outer.aead().Open(k.b[:0], sealed[1:13], sealed[13:], associated(purpose, owner)); err != nil {
		return Key32{}, errSeal
	}
	return k, nil
}

func (outer Key32) aead() cipher.AEAD {
	block, err := aes.NewCipher(outer.b[:])
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// associated binds a sealed key to its place: each part with its length.
func associated(purpose, owner string) []byte {
	return fmt.Appendf(nil, "lampworks wrapped key 1 %d:%s %d:%s", len(purpose), purpose, len(owner), owner)
}
