package alink

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// hashOf knows the three sign methods of Link Kit. MD5 and SHA-1 are what old devices have; inside an HMAC they still hold.
func hashOf(method string) (func() hash.Hash, bool) {
	switch method {
	case "hmacsha256":
		return sha256.New, true
	case "hmacsha1":
		return sha1.New, true
	case "hmacmd5":
		return md5.New, true
	}
	return nil, false
}

// Sign returns the password of a connection in upper-case hex: the HMAC, by method and keyed with the characters of secret, over
// clientId, deviceName, productKey and - if the client id has one - timestamp, each name followed by its value.
func Sign(method, secret string, c ClientID, deviceName, productKey string) (string, error) {
	text := "clientId" + c.Bare + "deviceName" + deviceName + "productKey" + productKey
	if c.Timestamp != "" {
		text += "timestamp" + c.Timestamp
	}
	return sum(method, secret, text)
}

// SignRegister returns the signature of a dynamic registration (一型一密), keyed with the ProductSecret: over deviceName, productKey and random.
func SignRegister(method, productSecret, deviceName, productKey, random string) (string, error) {
	return sum(method, productSecret, "deviceName"+deviceName+"productKey"+productKey+"random"+random)
}

// Verify reports whether password is the signature [Sign] returns, in upper or lower case, in constant time. An unknown method is false.
func Verify(password []byte, method, secret string, c ClientID, deviceName, productKey string) bool {
	want, err := Sign(method, secret, c, deviceName, productKey)
	return err == nil && same(password, want)
}

// VerifyRegister does the same for [SignRegister].
func VerifyRegister(password []byte, method, productSecret, deviceName, productKey, random string) bool {
	want, err := SignRegister(method, productSecret, deviceName, productKey, random)
	return err == nil && same(password, want)
}

func sum(method, secret, text string) (string, error) {
	h, ok := hashOf(method)
	if !ok {
		return "", fmt.Errorf("sign method is %q, want hmacsha256, hmacsha1 or hmacmd5", method)
	}
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(text))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil))), nil
}

// same compares hexadecimal digits of any case. Only the length, which is no secret, decides early.
func same(password []byte, want string) bool {
	var upper [2 * sha256.Size]byte
	if len(password) != len(want) {
		return false
	}
	for i, c := range password {
		if c >= 'a' && c <= 'f' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	return subtle.ConstantTimeCompare(upper[:len(want)], []byte(want)) == 1
}
