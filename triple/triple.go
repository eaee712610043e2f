// Package triple is the identity of a device: the triple (三元组) of ProductID, MAC and DeviceSecret.
//
// It owns their formats, the derivation of a DeviceSecret from its product's key, and the six-column workbook in which triples reach a factory.
// It promises:
//   - [ProductKey] and [Derive] give the same answer for ever: devices in the field rest on it, and vectors pin them;
//   - no two ProductIDs share a ProductKey;
//   - a [Secret] shows itself only through Reveal: printed, logged or marshalled it is "[secret]";
//   - a workbook is written in constant memory and is complete or unreadable, never silently short.
//
// It stores nothing and knows no organisation: which MAC is issued to whom is decided elsewhere.
package triple

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A ProductID (产品 ID) names a product in Bluetooth adverts and in triples. People see it in decimal, hashes in eight hex digits.
type ProductID uint32

// ParseProductID reads the decimal form, without sign and without leading zeros, which would look like the hexadecimal one.
func ParseProductID(s string) (ProductID, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s != strconv.FormatUint(n, 10) {
		return 0, fmt.Errorf("product id %q, want a decimal number up to 4294967295 without leading zeros", cut(s))
	}
	return ProductID(n), nil
}

// String returns the decimal form.
func (p ProductID) String() string { return strconv.FormatUint(uint64(p), 10) }

// Hex returns the form that is hashed: eight lower-case hexadecimal digits.
func (p ProductID) Hex() string {
	return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, uint32(p)))
}

// keyDigits are the 31 characters of a ProductKey: no 0 or o, no 1, i or l, so that one can be read out and typed in.
const keyDigits = "23456789abcdefghjkmnpqrstuvwxyz"

// The formula of ProductKey. None of these may ever change.
const (
	keyMark   = "lw"           // no key of Alibaba's begins so; theirs begin with a1
	keyLength = 9              // digits behind the mark
	keySpace  = 26439622160671 // 31^9
	keyFactor = 16340585188291 // about keySpace/φ, and no multiple of 31
	keyOffset = 5077003121893
)

// ProductKey (产品标识) returns the name by which Wi-Fi devices know the product: "lw" and nine digits, eleven characters in all.
//
// The digits are k = (pid × 16340585188291 + 5077003121893) mod 31^9 in base 31, most significant first, with the alphabet
// 23456789abcdefghjkmnpqrstuvwxyz. The factor has no divisor in common with 31^9, which is larger than 2^32, so every product has its own key;
// neighbours look unlike, but the key is a name, not a secret.
func ProductKey(pid ProductID) string {
	k := mulMod(uint64(pid), keyFactor, keySpace) + keyOffset
	if k >= keySpace {
		k -= keySpace
	}
	var b [len(keyMark) + keyLength]byte
	copy(b[:], keyMark)
	for i := len(b) - 1; i >= len(keyMark); i-- {
		b[i] = keyDigits[k%uint64(len(keyDigits))]
		k /= uint64(len(keyDigits))
	}
	return string(b[:])
}

// mulMod returns a × b mod m in 128 bits.
func mulMod(a, b, m uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi, lo, m) // hi < m, for a < 2^32 and b < 2^44
	return r
}

// A MAC names one device. It is its Bluetooth public address, its Wi-Fi address, and as twelve lower-case digits its DeviceName (设备名称).
type MAC [6]byte

// MACOf returns the address that counts n, of which 48 bits are used.
func MACOf(n uint64) (m MAC) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	copy(m[:], b[2:])
	return m
}

// ParseMAC reads any usual notation: twelve hex digits in either case, bare or parted by ":", "-", "." or " " in groups of two, four or six.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	digits := s
	if group := strings.IndexAny(s, ":-. "); group == 2 || group == 4 || group == 6 {
		digits = ""
		for part := range strings.SplitSeq(s, s[group:group+1]) {
			if len(part) != group || len(digits) > 12 {
				return MAC{}, badMAC(s)
			}
			digits += part
		}
	}
	if len(digits) != 12 {
		return MAC{}, badMAC(s)
	}
	if _, err := hex.Decode(m[:], []byte(digits)); err != nil {
		return MAC{}, badMAC(s)
	}
	return m, nil
}

func badMAC(s string) error {
	return fmt.Errorf("MAC %q, want twelve hexadecimal digits such as 78da07c11ca8 or 78:DA:07:C1:1C:A8", cut(s))
}

func cut(s string) string {
	if len(s) > 64 {
		return s[:61] + "..."
	}
	return s
}

// String returns twelve lower-case hexadecimal digits: the DeviceName.
func (m MAC) String() string { return hex.EncodeToString(m[:]) }

// Upper returns twelve upper-case hexadecimal digits.
func (m MAC) Upper() string { return strings.ToUpper(m.String()) }

// Uint64 returns the address as a number, for counting through a pool.
func (m MAC) Uint64() uint64 {
	return uint64(binary.BigEndian.Uint16(m[:2]))<<32 | uint64(binary.BigEndian.Uint32(m[2:]))
}

// MarshalText returns [MAC.String].
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [ParseMAC] reads.
func (m *MAC) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMAC(string(text))
	return err
}

// A Triple is the identity of one device.
type Triple struct {
	ProductID ProductID
	MAC       MAC
	Secret    Secret
}

// Parse reads a triple as tools write it: "pid,mac,secret" or "pid secret mac", pid in decimal. Errors do not contain the secret.
func Parse(s string) (Triple, error) {
	var pid, mac, secret string
	if f := strings.Split(strings.TrimSpace(s), ","); len(f) == 3 {
		pid, mac, secret = strings.TrimSpace(f[0]), strings.TrimSpace(f[1]), strings.TrimSpace(f[2])
	} else if f := strings.Fields(s); len(f) == 3 {
		pid, secret, mac = f[0], f[1], f[2]
	} else {
		return Triple{}, fmt.Errorf(`triple has %d parts, want "pid,mac,secret" or "pid secret mac"`, max(len(f), strings.Count(s, ",")+1))
	}
	t := Triple{}
	var err error
	if t.ProductID, err = ParseProductID(pid); err != nil {
		return Triple{}, fmt.Errorf("triple: %w", err)
	}
	if len(mac) == secretLength { // the two were swapped; the text must not end up in the message
		return Triple{}, fmt.Errorf("triple: a text of %d characters at the place of the MAC", len(mac))
	}
	if t.MAC, err = ParseMAC(mac); err != nil {
		return Triple{}, fmt.Errorf("triple: %w", err)
	}
	if t.Secret, err = ParseSecret(secret); err != nil {
		return Triple{}, fmt.Errorf("triple: %w", err)
	}
	return t, nil
}

// String returns the triple without its secret.
func (t Triple) String() string { return t.ProductID.String() + "," + t.MAC.String() + "," + hidden }

// Reveal returns "pid,mac,secret", the form of command lines.
func (t Triple) Reveal() string {
	return t.ProductID.String() + "," + t.MAC.String() + "," + t.Secret.Reveal()
}

// RevealSpaced returns "pid secret mac", the form of the Bluetooth mesh stack's own tools.
func (t Triple) RevealSpaced() string {
	return t.ProductID.String() + " " + t.Secret.Reveal() + " " + t.MAC.String()
}

// Equal compares in a time that does not depend on the secret.
func (t Triple) Equal(u Triple) bool {
	return t.Secret.Equal(u.Secret) && t.ProductID == u.ProductID && t.MAC == u.MAC
}
