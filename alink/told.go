package alink

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of what a device says of itself.
const (
	MaxTags     = 100  // tags in a message
	MaxTagKey   = 64   // bytes
	MaxTagValue = 256  // bytes of UTF-8
	MaxLines    = 100  // lines of a device's log in a message
	MaxLine     = 2048 // bytes of the text of a line
	MaxWord     = 64   // bytes of a firmware's version and module, of a line's level, module and code
	MaxTrace    = 256  // bytes of what a line belongs to
)

// A Tag is a word that a device carries (设备标签).
type Tag struct{ Key, Value string }

// ParseTags reads a list of {"attrKey":"…","attrValue":"…"}; values says whether the second is wanted. The error is a [*Malformed].
func ParseTags(params []byte, values bool) ([]Tag, error) {
	const rule = `a list such as [{"attrKey":"room","attrValue":"2"}]`
	var out []Tag
	m := list(params, rule, MaxTags, func(where string, item []byte) *Malformed {
		var tag Tag
		valued := false
		m := members(where, item, rule, func(name string, value []byte) (m *Malformed) {
			switch name {
			case "attrKey":
				tag.Key, m = wordOf(where+"/attrKey", value, MaxTagKey)
			case "attrValue":
				if values {
					valued = true
					tag.Value, m = textOf(where+"/attrValue", value, MaxTagValue)
				}
			}
			return m
		})
		switch {
		case m != nil:
			return m
		case tag.Key == "":
			return &Malformed{Where: where + "/attrKey", Got: "missing", Rule: "a key"}
		case values && !valued:
			return &Malformed{Where: where + "/attrValue", Got: "missing", Rule: "a value"}
		}
		out = append(out, tag)
		return nil
	})
	if m != nil {
		return nil, m
	}
	return out, nil
}

// A Firmware is what runs on a part of a device.
type Firmware struct{ Module, Version string }

// DefaultModule is the module of a version that names none.
const DefaultModule = "default"

// ParseFirmware reads {"version":"1.0.0","module":"MCU"}. The error is a [*Malformed].
func ParseFirmware(params []byte) (Firmware, error) {
	const rule = `an object such as {"version":"1.0.0","module":"MCU"}`
	f := Firmware{Module: DefaultModule}
	m := members("/params", params, rule, func(name string, value []byte) (m *Malformed) {
		switch {
		case name == "version":
			f.Version, m = textOf("/params/version", value, MaxWord)
		case name == "module" && value[0] != 'n':
			f.Module, m = wordOf("/params/module", value, MaxWord)
		}
		return m
	})
	if m == nil && f.Version == "" {
		m = &Malformed{Where: "/params/version", Got: "missing", Rule: "a version"}
	}
	if m != nil {
		return Firmware{}, m
	}
	return f, nil
}

// A Line is one of a device's own log (设备本地日志).
type Line struct {
	At                         time.Time // by the device; zero if it says none that is understood
	Level, Module, Code, Trace string
	Text                       string
}

// ParseLog reads a list of {"utcTime","logLevel","module","code","traceContext","logContent"}. The error is a [*Malformed].
func ParseLog(params []byte) ([]Line, error) {
	const rule = `a list such as [{"utcTime":"2026-03-14T12:00:00.000+0800","logLevel":"INFO","module":"wifi","code":"","logContent":"…"}]`
	var out []Line
	m := list(params, rule, MaxLines, func(where string, item []byte) *Malformed {
		l, said := Line{Level: "OTHER"}, false
		m := members(where, item, rule, func(name string, value []byte) (m *Malformed) {
			at := where + "/" + name
			switch name {
			case "utcTime":
				var when string
				when, m = textOf(at, value, MaxWord)
				l.At = timeOf(when)
			case "logLevel":
				l.Level, m = wordOf(at, value, MaxWord)
				l.Level = strings.ToUpper(l.Level)
			case "module":
				l.Module, m = textOf(at, value, MaxWord)
			case "code":
				l.Code, m = textOf(at, value, MaxWord)
			case "traceContext":
				l.Trace, m = textOf(at, value, MaxTrace)
			case "logContent":
				said = true
				l.Text, m = textOf(at, value, MaxLine)
			}
			return m
		})
		if m == nil && !said {
			m = &Malformed{Where: where + "/logContent", Got: "missing", Rule: "what happened"}
		}
		out = append(out, l)
		return m
	})
	if m != nil {
		return nil, m
	}
	return out, nil
}

// timeOf reads the time of a line, as SDKs write it; zero if it is written in another way.
func timeOf(s string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// list calls do for each item of params, at most as many as most.
func list(params []byte, rule string, most int, do func(where string, item []byte) *Malformed) *Malformed {
	return listAt("/params", params, rule, most, do)
}

// listAt is list of what stands at a place.
func listAt(at string, params []byte, rule string, most int, do func(where string, item []byte) *Malformed) *Malformed {
	if len(params) == 0 || params[0] != '[' {
		return &Malformed{Where: at, Got: cut(params), Rule: rule}
	}
	s := scanner{b: params}
	return s.items(func(n int, value []byte) *Malformed {
		where := at + "/" + strconv.Itoa(n)
		if n >= most {
			return &Malformed{Where: where, Got: "one too many", Rule: fmt.Sprintf("at most %d at once", most)}
		}
		return do(where, value)
	})
}

// members calls do for each member of an object.
func members(where string, object []byte, rule string, do func(name string, value []byte) *Malformed) *Malformed {
	if len(object) == 0 || object[0] != '{' {
		return &Malformed{Where: where, Got: cut(object), Rule: rule}
	}
	s := scanner{b: object}
	m := s.enter()
	for first := true; m == nil; first = false {
		key, value, more, wrong := s.member(first)
		if wrong != nil || !more {
			return wrong
		}
		m = do(Text(key), value)
	}
	return m
}

// textOf reads a string, or a number as its digits, of at most most bytes of UTF-8 without a NUL. null is as an empty one.
func textOf(where string, value []byte, most int) (string, *Malformed) {
	var out string
	switch c := value[0]; {
	case c == '"':
		out = Text(value[1 : len(value)-1])
	case c == '-' || c >= '0' && c <= '9':
		out = string(value)
	case c != 'n':
		return "", &Malformed{Where: where, Got: cut(value), Rule: "a string"}
	}
	switch {
	case len(out) > most:
		return "", &Malformed{Where: where, Got: strconv.Itoa(len(out)) + " bytes long", Rule: fmt.Sprintf("at most %d bytes", most)}
	case strings.ContainsRune(out, 0) || !utf8.ValidString(out):
		return "", &Malformed{Where: where, Got: cut(value), Rule: "text without NUL"}
	}
	return out, nil
}

// wordOf is text of letters, digits and . _ - : @ only, and at least one of them.
func wordOf(where string, value []byte, most int) (string, *Malformed) {
	out, m := textOf(where, value, most)
	if m != nil {
		return "", m
	}
	for _, c := range []byte(out) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && !strings.ContainsRune("._-:@", rune(c)) {
				return "", &Malformed{Where: where, Got: cut(value), Rule: "letters, digits and . _ - : @"}
			}
		}
	}
	if out == "" {
		return "", &Malformed{Where: where, Got: cut(value), Rule: "letters, digits and . _ - : @, at least one"}
	}
	return out, nil
}
