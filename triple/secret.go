package triple

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strings"
)

const (
	hidden       = "[secret]"
	secretLength = 32 // characters
)

// A Secret is a DeviceSecret (设备密钥): 32 lower-case hexadecimal characters, which are themselves the key on the wire. The zero value is no
// secret. It cannot be printed, and == does not compile: compare with Equal. Behind a pointer, because fmt prints the fields of
// a struct that is not exported without asking its methods.
type Secret struct {
	_    [0]func()
	text *string
}

// ParseSecret reads 32 lower-case hexadecimal characters. The error does not contain them.
func ParseSecret(s string) (Secret, error) {
	if len(s) != secretLength {
		return Secret{}, fmt.Errorf("device secret has %d characters, want %d lower-case hexadecimal digits", len(s), secretLength)
	}
	if strings.Trim(s, "0123456789abcdef") != "" {
		return Secret{}, fmt.Errorf("device secret has other characters than lower-case hexadecimal digits, want %d of them", secretLength)
	}
	return Secret{text: &s}, nil
}

// Reveal returns the 32 characters, or "" of the zero value. It is the only way out.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal compares in constant time. Two zero values are equal.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns "[secret]".
func (s Secret) String() string { return hidden }

// Format writes "[secret]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue returns "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON returns "[secret]" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalJSON refuses: a secret is read by [ParseSecret] from where it is known to stand.
func (s *Secret) UnmarshalJSON([]byte) error {
	return errors.New("a device secret is not read from JSON")
}

// infoLabel begins the info of every derivation. It and the encoding below may never change; another version gets another label.
const infoLabel = "lampworks device secret 1"

// Derive returns the DeviceSecret of one device: the first 16 bytes of HKDF-SHA256 (RFC 5869), written as 32 lower-case hex characters, with
//
//	IKM  = productKey, the 32 bytes of the product's own key
//	salt = none (a string of 32 zero bytes)
//	info = "lampworks device secret 1"
//	       ‖ 00 24 ‖ productUUID, 36 characters in lower case
//	       ‖ 00 06 ‖ mac, 6 bytes, most significant first
//	       ‖ 00 04 ‖ generation, 4 bytes, most significant first
//
// so that each variable part follows its length in two bytes. productUUID is the identity of the product in the database, which it keeps for ever;
// generation begins at 1 and grows when the triple is downloaded again.
func Derive(productKey [32]byte, productUUID string, mac MAC, generation uint32) Secret {
	info := make([]byte, 0, 96)
	info = append(info, infoLabel...)
	info = appendPart(info, []byte(strings.ToLower(productUUID)))
	info = appendPart(info, mac[:])
	info = appendPart(info, binary.BigEndian.AppendUint32(nil, generation))
	raw, err := hkdf.Key(sha256.New, productKey[:], nil, string(info), secretLength/2)
	if err != nil {
		panic("triple: HKDF-SHA256 refuses 16 bytes: " + err.Error()) // only for more than 255 hashes of output, or by a FIPS policy for short keys
	}
	text := hex.EncodeToString(raw)
	return Secret{text: &text}
}

func appendPart(dst, part []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(part))), part...)
}

// A Deriver derives many secrets of one product, five times as fast as [Derive]. It is not safe for concurrent use.
type Deriver struct {
	mac   hash.Hash // keyed with what HKDF extracted
	info  []byte    // up to the MAC
	label int       // bytes of info that stay
}

// NewDeriver does for one product what does not depend on the device.
func NewDeriver(productKey [32]byte, productUUID string) *Deriver {
	prk, err := hkdf.Extract(sha256.New, productKey[:], nil)
	if err != nil {
		panic("triple: HKDF-SHA256 refuses a key of 32 bytes: " + err.Error()) // see Derive
	}
	info := appendPart([]byte(infoLabel), []byte(strings.ToLower(productUUID)))
	return &Deriver{mac: hmac.New(sha256.New, prk), info: info, label: len(info)}
}

// Secret returns what [Derive] returns for the same device.
func (d *Deriver) Secret(mac MAC, generation uint32) Secret {
	d.info = appendPart(d.info[:d.label], mac[:])
	d.info = append(d.info, 0, 4)
	d.info = binary.BigEndian.AppendUint32(d.info, generation)
	d.info = append(d.info, 1) // the first block of HKDF's expansion is all that 16 bytes need
	var sum [sha256.Size]byte
	var digits [secretLength]byte
	d.mac.Reset()
	d.mac.Write(d.info)
	hex.Encode(digits[:], d.mac.Sum(sum[:0])[:secretLength/2])
	text := string(digits[:])
	return Secret{text: &text}
}
