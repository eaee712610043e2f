package alink

import (
	"bytes"
	"strings"
)

// Limits of what a gateway says of its sub-devices (子设备) in one message.
const (
	MaxChildren = 50  // sub-devices in one message
	maxSign     = 128 // bytes of a signature
)

// A Child is a sub-device as its gateway names it, with the signature where one is asked for.
type Child struct {
	Where                  string // JSON Pointer: "/params/0"
	ProductKey, DeviceName string

	clientID, timestamp, method, sign string
}

// Signed reports whether the child comes with a signature.
func (c *Child) Signed() bool { return c.sign != "" }

// Verify reports whether the signature is that of a device with the secret, in constant time: over what a connection of its own
// would sign, see [Sign].
func (c *Child) Verify(secret string) bool {
	return Verify([]byte(c.sign), c.method, secret, ClientID{Bare: c.clientID, Timestamp: c.timestamp}, c.DeviceName, c.ProductKey)
}

const childRule = `an object such as {"productKey":"…","deviceName":"…"}`

// ParseChildren reads a list of sub-devices, each once; an object is a list of one, and one with deviceList holds the list there.
// signed says whether each must bring its signature. The error is a [*Malformed].
func ParseChildren(params []byte, signed bool) ([]Child, error) {
	where, items := "/params", params
	if len(params) > 0 && params[0] == '{' {
		m := members(where, params, childRule, func(name string, value []byte) *Malformed {
			if name == "deviceList" {
				where, items = "/params/deviceList", value
			}
			return nil
		})
		if m != nil {
			return nil, m
		}
		if where == "/params" {
			c, m := childOf(where, params, signed)
			if m != nil {
				return nil, m
			}
			return []Child{c}, nil
		}
	}
	var out []Child
	seen := make(map[[2]string]bool)
	m := listAt(where, items, "a list of sub-devices, such as ["+strings.TrimPrefix(childRule, "an object such as ")+"]", MaxChildren, func(where string, item []byte) *Malformed {
		c, m := childOf(where, item, signed)
		if m != nil {
			return m
		}
		name := [2]string{c.ProductKey, c.DeviceName}
		if seen[name] {
			return &Malformed{Where: where, Got: "is given twice"}
		}
		seen[name] = true
		out = append(out, c)
		return nil
	})
	if m != nil {
		return nil, m
	}
	if len(out) == 0 {
		return nil, &Malformed{Where: where, Got: "empty", Rule: "one sub-device at least"}
	}
	return out, nil
}

func childOf(where string, item []byte, signed bool) (Child, *Malformed) {
	c := Child{Where: where, method: "hmacmd5"}
	m := members(where, item, childRule, func(name string, value []byte) (m *Malformed) {
		at := where + "/" + name
		switch name {
		case "productKey":
			c.ProductKey, m = textOf(at, value, MaxName)
		case "deviceName":
			c.DeviceName, m = textOf(at, value, MaxName)
		case "clientId":
			c.clientID, m = textOf(at, value, MaxID)
		case "timestamp":
			c.timestamp, m = textOf(at, value, 20)
		case "signMethod", "signmethod": // SDKs write it both ways
			c.method, m = textOf(at, value, MaxWord)
			c.method = strings.ToLower(c.method)
		case "sign":
			c.sign, m = textOf(at, value, maxSign)
		}
		return m
	})
	switch {
	case m != nil:
	case !validName(c.ProductKey, ""):
		m = &Malformed{Where: where + "/productKey", Got: cut([]byte(c.ProductKey)), Rule: "letters and digits, 1 to 64"}
	case !validName(c.DeviceName, "-_@.:"):
		m = &Malformed{Where: where + "/deviceName", Got: cut([]byte(c.DeviceName)), Rule: "letters, digits and - _ @ . : only, 1 to 64"}
	case signed && c.sign == "":
		m = &Malformed{Where: where + "/sign", Got: "missing", Rule: "the signature of the sub-device"}
	case signed && strings.Trim(c.timestamp, "0123456789") != "":
		m = &Malformed{Where: where + "/timestamp", Got: cut([]byte(c.timestamp)), Rule: "milliseconds in digits"}
	}
	if _, known := hashOf(c.method); m == nil && signed && !known {
		m = &Malformed{Where: where + "/signMethod", Got: cut([]byte(c.method)), Rule: "hmacsha256, hmacsha1 or hmacmd5"}
	}
	return c, m
}

// AppendChild appends {"productKey":"…","deviceName":"…"}.
func AppendChild(dst []byte, productKey, deviceName string) []byte {
	dst = append(dst, `{"productKey":"`...)
	dst = appendEscaped(dst, productKey)
	dst = append(dst, `","deviceName":"`...)
	dst = appendEscaped(dst, deviceName)
	return append(dst, `"}`...)
}

// Names returns what stands at the place of the names in a topic or filter of the table, as "{pk}/{dn}", whosever branch it is; nil if
// no row has names there. It aliases topic.
func Names(topic []byte) []byte {
	if rest, ok := bytes.CutPrefix(topic, []byte("/ext/rrpc/")); ok {
		if i := bytes.IndexByte(rest, '/'); i > 0 {
			return twoLevels(rest[i+1:])
		}
		return nil
	}
	for i := range branches {
		if rest, ok := bytes.CutPrefix(topic, []byte(branches[i].head)); ok {
			return twoLevels(rest)
		}
	}
	return nil
}

// twoLevels are the first two levels of b, which must be there and not empty.
func twoLevels(b []byte) []byte {
	first := bytes.IndexByte(b, '/')
	if first <= 0 {
		return nil
	}
	end := bytes.IndexByte(b[first+1:], '/')
	if end < 0 {
		end = len(b) - first - 1
	}
	if end == 0 {
		return nil
	}
	return b[:first+1+end]
}

// AppendSigned appends what a gateway sends of a sub-device whose secret it has.
func AppendSigned(dst []byte, productKey, deviceName, secret string) ([]byte, error) {
	id := ClientID{Bare: productKey + "." + deviceName}
	sign, err := Sign("hmacsha256", secret, id, deviceName, productKey)
	if err != nil {
		return dst, err
	}
	dst = AppendChild(dst, productKey, deviceName)
	dst = append(dst[:len(dst)-1], `,"clientId":"`...)
	dst = appendEscaped(dst, id.Bare)
	return append(append(append(dst, `","signMethod":"hmacsha256","sign":"`...), sign...), `"}`...), nil
}
