package triple

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

const (
	productLabel  = "lampworks product secret 1" // as infoLabel
	productLength = 16
	productDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// DeriveProduct returns the ProductSecret of a product, 16 letters and digits: of the first 64 bytes of HKDF-SHA256 with the key, no salt and
//
//	info = "lampworks product secret 1"
//	       ‖ 00 24 ‖ productUUID, 36 characters in lower case
//	       ‖ 00 04 ‖ generation, 4 bytes, most significant first
//
// those below 248, each modulo 62 as a place in 0-9A-Za-z, the first 16 of them.
func DeriveProduct(productKey [32]byte, productUUID string, generation uint32) Secret {
	info := appendPart([]byte(productLabel), []byte(strings.ToLower(productUUID)))
	info = appendPart(info, binary.BigEndian.AppendUint32(nil, generation))
	raw, err := hkdf.Key(sha256.New, productKey[:], nil, string(info), 64)
	if err != nil {
		panic("triple: HKDF-SHA256 refuses 64 bytes: " + err.Error()) // see Derive
	}
	text := make([]byte, 0, productLength)
	for _, b := range raw {
		if b < 4*byte(len(productDigits)) && len(text) < productLength {
			text = append(text, productDigits[int(b)%len(productDigits)])
		}
	}
	secret := string(text)
	return Secret{text: &secret}
}
