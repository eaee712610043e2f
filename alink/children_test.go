package alink_test

import (
	"fmt"
	"testing"

	"lampworks/alink"
)

// TestChildSignature holds a signature that was made for a connection against what a gateway sends of its sub-device: the vector of the
// protocol, in both spellings of the method.
func TestChildSignature(t *testing.T) {
	const signed = `{"productKey":"a1X2bEnP82z","deviceName":"device","clientId":"a1X2bEnP82z.device","timestamp":"2524608000000","%s":"hmacSha256","sign":"%s","cleanSession":"true"}`
	const right = "C77070AC04AAAF4D555DCA890B0E7AA4A122847FCC2627EF6B03213BA71883D5"
	for _, tt := range []struct {
		field, sign, secret string
		want                bool
	}{
		{"signMethod", right, "secret", true},
		{"signmethod", right, "secret", true},
		{"signMethod", "c77070ac04aaaf4d555dca890b0e7aa4a122847fcc2627ef6b03213ba71883d5", "secret", true},
		{"signMethod", right, "Secret", false},
		{"signMethod", right[:62] + "D4", "secret", false},
		{"method", right, "secret", false},
	} {
		list, err := alink.ParseChildren(fmt.Appendf(nil, signed, tt.field, tt.sign), true)
		if err != nil || len(list) != 1 || list[0].Verify(tt.secret) != tt.want {
			t.Errorf("%s %s with %q: %+v, %v, want %t", tt.field, tt.sign, tt.secret, list, err, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ topic, want string }{
		{"/sys/pk/dn/thing/topo/add", "pk/dn"},
		{"/sys/pk/dn", "pk/dn"},
		{"/sys/pk/dn/#", "pk/dn"},
		{"/ext/ntp/pk/dn/request", "pk/dn"},
		{"/ext/session/pk/dn/combine/login", "pk/dn"},
		{"/ext/rrpc/17/pk/dn/user/get", "pk/dn"},
		{"/ext/rrpc/+/pk/dn/user/get", "pk/dn"},
		{"/ota/device/inform/pk/dn", "pk/dn"},
		{"/pk/dn/user/get", "pk/dn"},
		{"/sys/+/+/thing/#", "+/+"},
		{"/sys/pk", ""},
		{"/sys//dn/x", ""},
		{"/sys/pk//x", ""},
		{"/ext/rrpc/17", ""},
		{"sys/pk/dn", ""},
		{"", ""},
	} {
		if got := string(alink.Names([]byte(tt.topic))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.topic, got, tt.want)
		}
	}
}
