package alink

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTold(t *testing.T) {
	const tags, firmware = `a list such as [{"attrKey":"room","attrValue":"2"}]`, `an object such as {"version":"1.0.0","module":"MCU"}`
	const letters = "letters, digits and . _ - : @"
	for _, tt := range []struct{ what, in, want string }{
		{"tags", `[{"attrKey":"Temperature","attrValue":"36.8"},{"attrKey":"a.b","attrValue":7,"x":[1]}]`, `[{Temperature 36.8} {a.b 7}]`},
		{"tags", `[{"attrKey":"房","attrValue":"客厅"}]`, `/params/0/attrKey is "房", want ` + letters},
		{"tags", `[{"attrKey":"room","attrValue":"客厅"}]`, `[{room 客厅}]`},
		{"tags", `[]`, `[]`},
		{"tags", `[{"attrKey":"room"}]`, `/params/0/attrValue is missing, want a value`},
		{"tags", `[{"attrValue":"x"}]`, `/params/0/attrKey is missing, want a key`},
		{"tags", `[{"attrKey":"","attrValue":"x"}]`, `/params/0/attrKey is "", want ` + letters + `, at least one`},
		{"tags", `[{"attrKey":"a b","attrValue":"x"}]`, `/params/0/attrKey is "a b", want ` + letters},
		{"tags", `[{"attrKey":"a","attrValue":{}}]`, `/params/0/attrValue is {}, want a string`},
		{"tags", `[{"attrKey":"a","attrValue":"\u0000"}]`, `/params/0/attrValue is "\u0000", want text without NUL`},
		{"tags", `[{"attrKey":"` + strings.Repeat("k", 65) + `","attrValue":"x"}]`, `/params/0/attrKey is 65 bytes long, want at most 64 bytes`},
		{"tags", `[{"attrKey":"k","attrValue":"` + strings.Repeat("v", 257) + `"}]`, `/params/0/attrValue is 257 bytes long, want at most 256 bytes`},
		{"tags", `{"room":"2"}`, `/params is {"room":"2"}, want ` + tags},
		{"tags", ``, `/params is , want ` + tags},
		{"tags", `["room"]`, `/params/0 is "room", want ` + tags},
		{"tags", `[` + strings.Repeat(`{"attrKey":"k","attrValue":"v"},`, 100) + `{}]`, `/params/100 is one too many, want at most 100 at once`},
		{"keys", `[{"attrKey":"room"},{"attrKey":"x","attrValue":{}}]`, `[{room } {x }]`},
		{"firmware", `{"version":"1.0.0"}`, `{default 1.0.0}`},
		{"firmware", `{"version":2,"module":"MCU"}`, `{MCU 2}`},
		{"firmware", `{"version":"1","module":null}`, `{default 1}`},
		{"firmware", `{"module":"MCU"}`, `/params/version is missing, want a version`},
		{"firmware", `{"version":"1","module":"a/b"}`, `/params/module is "a/b", want ` + letters},
		{"firmware", `"1.0"`, `/params is "1.0", want ` + firmware},
		{
			"log", `[{"utcTime":"2026-03-14T20:00:00.123+0800","logLevel":"error","module":"wifi","code":"-7","traceContext":"12","logContent":"lost\nit"}]`,
			`[{2026-03-14 12:00:00.123 +0000 UTC ERROR wifi -7 12 lost` + "\n" + `it}]`,
		},
		{"log", `[{"utcTime":"yesterday","logContent":""}]`, `[{0001-01-01 00:00:00 +0000 UTC OTHER    }]`},
		{"log", `[{"logLevel":"INFO"}]`, `/params/0/logContent is missing, want what happened`},
		{"log", `[{"logContent":"` + strings.Repeat("x", 2049) + `"}]`, `/params/0/logContent is 2049 bytes long, want at most 2048 bytes`},
		{"log", `[{"logLevel":" ","logContent":"x"}]`, `/params/0/logLevel is " ", want ` + letters},
	} {
		var got any
		var err error
		switch in := []byte(tt.in); tt.what {
		case "tags":
			got, err = ParseTags(in, true)
		case "keys":
			got, err = ParseTags(in, false)
		case "firmware":
			got, err = ParseFirmware(in)
		case "log":
			got, err = ParseLog(in)
		}
		said := fmt.Sprint(got)
		if err != nil {
			said = err.Error()
		}
		if said != tt.want {
			t.Errorf("%s %.80s\n got %s\nwant %s", tt.what, tt.in, said, tt.want)
		}
	}
}

// FuzzTold: whatever a device says of itself, what comes out is within the limits, and a refusal names a place.
func FuzzTold(f *testing.F) {
	for _, s := range []string{
		`[{"attrKey":"Temperature","attrValue":"36.8"}]`, `{"version":"1.0.0","module":"MCU"}`, `[{"utcTime":"2026-03-14T20:00:00.123+0800","logLevel":"INFO","logContent":"x\ud83d"}]`, `[[`, `[{"attrKey":`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		proper := func(err error) {
			if m := new(Malformed); err != nil && (!errors.As(err, &m) || m.Where == "") {
				t.Errorf("%q: %v", in, err)
			}
		}
		tags, err := ParseTags(in, true)
		proper(err)
		for _, tag := range tags {
			if tag.Key == "" || len(tag.Key) > MaxTagKey || len(tag.Value) > MaxTagValue {
				t.Errorf("ParseTags(%q): %q", in, tag)
			}
		}
		lines, err := ParseLog(in)
		proper(err)
		for _, l := range lines {
			if l.Level == "" || len(l.Level) > MaxWord || len(l.Text) > MaxLine || len(l.Trace) > MaxTrace {
				t.Errorf("ParseLog(%q): %+v", in, l)
			}
		}
		v, err := ParseFirmware(in)
		if proper(err); err == nil && (v.Version == "" || v.Module == "" || len(v.Version) > MaxWord) {
			t.Errorf("ParseFirmware(%q): %+v", in, v)
		}
	})
}
