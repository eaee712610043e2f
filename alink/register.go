package alink

import (
	"fmt"
	"net/url"
	"strings"
)

// A Register is what a device sends which asks for a secret of its own (一型一密), signed with the secret of its product.
type Register struct {
	ProductKey, DeviceName string

	random, method, sign string
}

const maxRandom = 128 // bytes

// RegisterOf is the request that a CONNECT with authType=register makes.
func RegisterOf(c *ClientID, deviceName, productKey string, password []byte) (Register, error) {
	r := Register{ProductKey: productKey, DeviceName: deviceName, random: c.Random, method: c.SignMethod, sign: string(password)}
	return r, r.check()
}

// ParseRegister reads the form that is sent over HTTPS.
func ParseRegister(form url.Values) (Register, error) {
	for name, values := range form {
		if len(values) > 1 {
			return Register{}, fmt.Errorf("%.64s is given %d times, want once", name, len(values))
		}
	}
	r := Register{ProductKey: form.Get("productKey"), DeviceName: form.Get("deviceName"), random: form.Get("random"), method: strings.ToLower(form.Get("signMethod")), sign: form.Get("sign")}
	if r.method == "" {
		r.method = "hmacmd5"
	}
	return r, r.check()
}

func (r *Register) check() error {
	switch {
	case !validName(r.ProductKey, ""):
		return fmt.Errorf("productKey is %q, want 1 to %d letters and digits", cut([]byte(r.ProductKey)), MaxName)
	case !validName(r.DeviceName, "-_@.:"):
		return fmt.Errorf("deviceName is %q, want 1 to %d letters, digits and - _ @ . : only", cut([]byte(r.DeviceName)), MaxName)
	case r.random == "" || len(r.random) > maxRandom:
		return fmt.Errorf("random has %d bytes, want 1 to %d", len(r.random), maxRandom)
	case len(r.sign) > maxSign:
		return fmt.Errorf("sign has %d bytes, want at most %d", len(r.sign), maxSign)
	}
	if _, ok := hashOf(r.method); !ok {
		return fmt.Errorf("signMethod is %q, want hmacsha256, hmacsha1 or hmacmd5", cut([]byte(r.method)))
	}
	return nil
}

// Verify reports whether the request is signed with the secret of a product, in constant time.
func (r *Register) Verify(productSecret string) bool {
	return VerifyRegister([]byte(r.sign), r.method, productSecret, r.DeviceName, r.ProductKey, r.random)
}
