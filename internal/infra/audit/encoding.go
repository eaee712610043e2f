package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"lampworks/internal/infra/fault"
)

// The encoding is for ever; docs/en/audit.md describes it for those who check it with tools of their own.

// A row is an entry as it is stored and sealed: persons by reference.
type row struct {
	Seq          int64  `json:"seq"`
	ID           string `json:"id"`
	At           int64  `json:"at"` // ms
	Organisation string `json:"organisation"`
	Kind         string `json:"actor_kind"`
	Actor        string `json:"actor"`
	User         string `json:"actor_user"`
	Login        string `json:"actor_login"` // of entries that were sealed with it; empty since
	From         string `json:"actor_from"`
	Act          string `json:"act"`
	Object       string `json:"object"`
	Note         string `json:"note"`
	Seal         []byte `json:"seal"`
	SealedAt     int64  `json:"sealed_at"` // ms
}

// leaf is the hash of an entry alone: SHA-256 over a line that names the form, and every field with its length before it.
func (r *row) leaf() [32]byte {
	b := []byte("lampworks audit entry 1\n")
	b = field(b, number(r.Seq))
	b = field(b, []byte(r.ID))
	b = field(b, number(r.At))
	for _, text := range []string{r.Organisation, r.Kind, r.Actor, r.User, r.Login, r.From, r.Act, r.Object, r.Note} {
		b = field(b, []byte(text))
	}
	return sha256.Sum256(field(b, number(r.SealedAt)))
}

// link is the seal of an entry: SHA-256 over the seal before (32 zeros for the first) and the entry's own hash.
func link(previous, leaf [32]byte) [32]byte {
	b := field([]byte("lampworks audit seal 1\n"), previous[:])
	return sha256.Sum256(field(b, leaf[:]))
}

// A Checkpoint is a signed statement of what the chain was at a moment.
type Checkpoint struct {
	Number        int64  `json:"number"`   // 1, 2, 3 …
	Seq           int64  `json:"seq"`      // of the newest entry it covers
	Seal          []byte `json:"seal"`     // of that entry
	Entries       int64  `json:"entries"`  // how many were ever sealed up to it
	At            int64  `json:"at"`       // ms
	Previous      []byte `json:"previous"` // hash of the checkpoint before; of the first: 32 zeros
	Signature     []byte `json:"signature"`
	RootSignature []byte `json:"root_signature,omitempty"` // what is before it was removed
}

// message is what is signed.
func (c *Checkpoint) message() []byte {
	b := []byte("lampworks audit checkpoint 1\n")
	b = field(b, number(c.Number))
	b = field(b, number(c.Seq))
	b = field(b, c.Seal)
	b = field(b, number(c.Entries))
	b = field(b, number(c.At))
	return field(b, c.Previous)
}

// rootMessage is what is signed when everything before the checkpoint is removed.
func (c *Checkpoint) rootMessage() []byte {
	return field([]byte("lampworks audit root 1\n"), c.message())
}

func (c *Checkpoint) hash() [32]byte { return sha256.Sum256(c.message()) }

func (c *Checkpoint) signedBy(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.message(), c.Signature)
}

func (c *Checkpoint) rootedBy(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.rootMessage(), c.RootSignature)
}

// Anchor is what an auditor keeps elsewhere: number and hash of a checkpoint.
func (c *Checkpoint) Anchor() Anchor { return Anchor{c.Number, c.hash()} }

// An Anchor names a checkpoint, so that a chain without it is known to be cut or another.
type Anchor struct {
	Number int64
	Hash   [32]byte
}

// String gives "17:" and 64 hexadecimal characters.
func (a Anchor) String() string {
	return strconv.FormatInt(a.Number, 10) + ":" + hex.EncodeToString(a.Hash[:])
}

// ParseAnchor reads what String gives.
func ParseAnchor(s string) (Anchor, error) {
	var a Anchor
	n, h, _ := strings.Cut(strings.TrimSpace(s), ":")
	b, err := hex.DecodeString(h)
	if a.Number, _ = strconv.ParseInt(n, 10, 64); err != nil || len(b) != len(a.Hash) || a.Number < 1 {
		return Anchor{}, fault.Invalid("anchor", s, "the number of a checkpoint, a colon and 64 hexadecimal characters", "give the anchor that an earlier verify printed")
	}
	copy(a.Hash[:], b)
	return a, nil
}

// ParseKey reads a public key as Ed25519 keys are printed here: 64 hexadecimal characters.
func ParseKey(s string) (ed25519.PublicKey, error) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fault.Invalid("key", s, "64 hexadecimal characters", "give the key that lampworks audit key prints")
	}
	return b, nil
}

// field appends a value with its length, four bytes, big endian.
func field(b, value []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(value))) // columns are far below 4 GiB
	return append(b, value...)
}

// number is eight bytes, big endian.
func number(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n)) // two's complement
}

// seal32 is a stored hash; one of another length is no hash.
func seal32(b []byte) (out [32]byte, err error) {
	if len(b) != len(out) {
		return out, fmt.Errorf("a hash has %d bytes, want %d", len(b), len(out))
	}
	copy(out[:], b)
	return out, nil
}
