package alink

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestNTP(t *testing.T) {
	const rule = "milliseconds by the device's clock, at most 20 digits"
	for _, tt := range []struct{ in, want string }{
		{`{"deviceSendTime":"1571724098000"}`, `{"deviceSendTime":"1571724098000","serverRecvTime":"7","serverSendTime":"8"}`},
		{`{"x":[1],"deviceSendTime":1571724098000}`, `{"deviceSendTime":"1571724098000","serverRecvTime":"7","serverSendTime":"8"}`},
		{`{}`, `/deviceSendTime is missing, want ` + rule},
		{`{"deviceSendTime":null}`, `/deviceSendTime is null, want ` + rule},
		{`{"deviceSendTime":""}`, `/deviceSendTime is "", want ` + rule},
		{`{"deviceSendTime":-5}`, `/deviceSendTime is -5, want ` + rule},
		{`{"deviceSendTime":"1e5"}`, `/deviceSendTime is "1e5", want ` + rule},
		{`{"deviceSendTime":"123456789012345678901"}`, `/deviceSendTime is "123456789012345678901", want ` + rule},
		{`{"deviceSendTime":"1"} x`, `byte 23 is 'x', want the end of the message`},
		{`[1]`, `byte 0 is '[', want {, for a message is a JSON object`},
	} {
		sent, err := ParseNTP([]byte(tt.in))
		got := string(AppendNTP(nil, sent, 7, 8))
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestNamesAndVersions(t *testing.T) {
	const list, object = `a list of identifiers, such as ["brightness"]`, `an object such as {"version":2}`
	for _, tt := range []struct{ what, in, want string }{
		{"names", ``, `[]`},
		{"names", `{}`, `[]`},
		{"names", `[]`, `[]`},
		{"names", `["a", "\u4e2d"]`, `[a 中]`},
		{"names", `{"a":1}`, `/params is {"a":1}, want ` + list},
		{"names", `["a",{"b":1}]`, `/params/1 is {"b":1}, want ` + list + `, of at most 300`},
		{"names", `["a"` + strings.Repeat(`,"a"`, MaxNames) + `]`, `/params/300 is "a", want ` + list + `, of at most 300`},
		{"versions", `{"a":{"version":2},"b":{},"c":{"version":"3","x":1}}`, `[{a 2} {b 0} {c 3}]`},
		{"versions", `{}`, `[]`},
		{"versions", `["a"]`, `/params is ["a"], want an object such as {"brightness":{"version":2}}`},
		{"versions", `{"a":2}`, `/params/a is 2, want ` + object},
		{"versions", `{"a":{"version":-2}}`, `/params/a/version is -2, want a whole number`},
		{"versions", `{"a":{"version":2.5}}`, `/params/a/version is 2.5, want a whole number`},
		{"versions", `{"a":{"version":[]}}`, `/params/a/version is [], want a string or a number`},
	} {
		var got any
		var err error
		if tt.what == "names" {
			got, err = ParseNames([]byte(tt.in))
		} else {
			got, err = ParseVersions([]byte(tt.in))
		}
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if text != tt.want {
			t.Errorf("%s %.60s\n got %s\nwant %s", tt.what, tt.in, text, tt.want)
		}
	}
}

// FuzzAsks: questions are read as encoding/json reads them, or refused with a place and a rule.
func FuzzAsks(f *testing.F) {
	for _, s := range []string{`{"deviceSendTime":"1571724098000"}`, `["a","b"]`, `{"a":{"version":2},"b":{}}`, `[`, `{"a":{"version"`, `[[],"\u00e9"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		proper := func(err error) {
			if m := new(Malformed); err != nil && (!errors.As(err, &m) || m.Where == "") {
				t.Errorf("%q: %v", in, err)
			}
		}
		sent, err := ParseNTP(in)
		proper(err)
		if err == nil && !json.Valid(AppendNTP(nil, sent, 1, 2)) {
			t.Errorf("%q is answered %q", in, AppendNTP(nil, sent, 1, 2))
		}
		if _, err := ParseRequest(append(append([]byte(`{"params":`), in...), '}')); err != nil || len(in) == 0 || strings.ContainsAny(string(in[:1]), " \t\r\n") {
			return
		}
		names, err := ParseNames(in)
		proper(err)
		var want []string
		if err == nil && in[0] == '[' && (json.Unmarshal(in, &want) != nil || len(want) != len(names)) {
			t.Errorf("ParseNames(%q) = %q", in, names)
		}
		_, err = ParseVersions(in)
		proper(err)
	})
}
