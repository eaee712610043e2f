package alink

import (
	"errors"
	"fmt"
	"strings"
)

// A ClientID is an MQTT client id taken apart: a bare form, which is signed, and fields between bars.
type ClientID struct {
	Raw          string // as it came
	Bare         string // before the first bar: `{pk}.{dn}`, the official JavaScript SDK's `{pk}&{dn}`, or anything else
	Timestamp    string // timestamp, digits; signed when it is there. Some C SDKs send a constant
	SignMethod   string // signmethod: hmacsha256, hmacsha1 or hmacmd5; hmacmd5 when it is not given
	SecureMode   string // securemode: 2 TLS, 3 plain TCP
	AuthType     string // authType: "register" asks for a DeviceSecret (dynamic registration)
	Random       string // random, signed when registering
	SDK          string // _v, for people
	Language     string // lan, for people
	Gateway      bool   // gw=1: it has sub-devices
	Ext          string // ext: 1 and 3 ask for RRPC by custom topics
	SubscribeAll bool   // _ss=1: the whole down side is subscribed to without SUBSCRIBE
}

// ParseClientID takes a client id apart. Field names are unique; unknown ones are allowed and not kept.
func ParseClientID(s string) (ClientID, error) {
	if len(s) > MaxClientID {
		return ClientID{}, fmt.Errorf("client id is %d bytes long, want at most %d", len(s), MaxClientID)
	}
	bare, rest, ok := strings.Cut(s, "|")
	if !ok {
		return ClientID{}, fmt.Errorf("client id %q has no fields, want %s", s, wantClientID)
	}
	if bare == "" {
		return ClientID{}, errors.New("client id begins with its fields, want something before the first |")
	}
	fields, ok := strings.CutSuffix(rest, "|")
	if !ok {
		return ClientID{}, fmt.Errorf("client id %q does not end with |, want %s", s, wantClientID)
	}
	c := ClientID{Raw: s, Bare: bare, SignMethod: "hmacmd5"}
	if err := c.parseFields(fields); err != nil {
		return ClientID{}, err
	}
	return c, nil
}

const wantClientID = "{productKey}.{deviceName}|securemode=3,signmethod=hmacsha256,timestamp=1700000000000|"

func (c *ClientID) parseFields(fields string) error {
	rest, more := fields, true
	for n := 0; more; n++ {
		var one string
		start := len(fields) - len(rest)
		one, rest, more = strings.Cut(rest, ",")
		name, value, ok := strings.Cut(one, "=")
		if !ok || name == "" {
			return fmt.Errorf("field %q of the client id has no name and value, want name=value", one)
		}
		if given(fields[:start], name) {
			return fmt.Errorf("field %s of the client id is given twice", name)
		}
		if err := c.set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// given looks for name among the fields before, which are few.
func given(before, name string) bool {
	for one := range strings.SplitSeq(before, ",") {
		if len(one) > len(name) && one[len(name)] == '=' && one[:len(name)] == name {
			return true
		}
	}
	return false
}

func (c *ClientID) set(name, value string) error {
	switch name {
	case "timestamp":
		if value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
			return fmt.Errorf("field timestamp of the client id is %q, want milliseconds in at most 20 digits", value)
		}
		c.Timestamp = value
	case "signmethod":
		if _, ok := hashOf(value); !ok {
			return fmt.Errorf("field signmethod of the client id is %q, want hmacsha256, hmacsha1 or hmacmd5", value)
		}
		c.SignMethod = value
	case "securemode":
		c.SecureMode = value
	case "authType":
		c.AuthType = value
	case "random":
		c.Random = value
	case "_v":
		c.SDK = value
	case "lan":
		c.Language = value
	case "gw":
		c.Gateway = value == "1"
	case "ext":
		c.Ext = value
	case "_ss":
		c.SubscribeAll = value == "1"
	}
	return nil
}

// ParseUserName takes `{dn}&{pk}` apart: it says who connects.
func ParseUserName(s string) (deviceName, productKey string, err error) {
	deviceName, productKey, ok := strings.Cut(s, "&")
	if !ok {
		return "", "", fmt.Errorf("user name %q has no &, want {deviceName}&{productKey}", cut([]byte(s)))
	}
	if !validName(deviceName, "-_@.:") {
		return "", "", fmt.Errorf("device name %q in the user name, want 1 to %d characters of A-Z a-z 0-9 and - _ @ . : only", cut([]byte(deviceName)), MaxName)
	}
	if !validName(productKey, "") {
		return "", "", fmt.Errorf("product key %q in the user name, want 1 to %d characters of A-Z a-z 0-9 only", cut([]byte(productKey)), MaxName)
	}
	return deviceName, productKey, nil
}

func validName(s, also string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(also, c) >= 0 {
			continue
		}
		return false
	}
	return true
}
