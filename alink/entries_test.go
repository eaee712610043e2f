package alink

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEntries(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"properties":{"a":1},"events":{"e":{}}}`, `/params "" "" {"a":1} {"e":{}}`},
		{`{}`, `/params "" "" - -`},
		{`[]`, ``},
		{`[{"identity":{"productKey":"pk","deviceName":"dn","x":1},"properties":[{"a":1}]},{"events":[]}]`, `/params/0 "pk" "dn" [{"a":1}] -; /params/1 "" "" - []`},
		{
			`{"properties":{"a":1},"subDevices":[{"identity":{"deviceName":"s1"},"properties":{}},{"identity":{"deviceName":"s2"},"properties":{}}]}`,
			`/params "" "" {"a":1} -; /params/subDevices/0 "" "s1" {} -; /params/subDevices/1 "" "s2" {} -`,
		},
		{`{"prop\u0065rties":{}}`, `/params "" "" {} -`},
		{``, `/params is missing, want an object with properties and events`},
		{`7`, `/params is 7, want an object with properties and events`},
		{`[{"properties":{}},"x"]`, `/params/1 is "x"], want an object with properties and events`},
		{`{"a":[{"value":1}]}`, `/params/a is unknown, want properties, events or identity`},
		{`[{"subDevices":[]}]`, `/params/0/subDevices is unknown, want properties, events or identity`},
		{`{"properties":{},"properties":{}}`, `/params/properties is given twice`},
		{`{"identity":"dn"}`, `/params/identity is "dn", want an object such as {"productKey":"…","deviceName":"…"}`},
		{`{"identity":{"deviceName":5}}`, `/params/identity/deviceName is 5, want a string`},
		{`[` + strings.Repeat(`{},`, MaxEntries) + `{}]`, `/params/200 is one entry too many, want at most 200`},
	} {
		var got []string
		list, err := Entries([]byte(tt.in))
		for _, e := range list {
			got = append(got, fmt.Sprintf("%s %q %q %s %s", e.Where, e.ProductKey, e.DeviceName, or(e.Properties), or(e.Events)))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%.60s\n got %s\nwant %s", tt.in, text, tt.want)
		}
	}
}

func or(b []byte) string {
	if b == nil {
		return "-"
	}
	return string(b)
}

func TestEntryOf(t *testing.T) {
	for _, tt := range []struct {
		key, name string
		want      bool
	}{{"", "", true}, {"pk", "dn", true}, {"pk", "", false}, {"", "dn", false}, {"pk", "other", false}} {
		if e := (Entry{ProductKey: []byte(tt.key), DeviceName: []byte(tt.name)}); e.Of("pk", "dn") != tt.want {
			t.Errorf("an entry of %q %q is of pk dn: %t", tt.key, tt.name, !tt.want)
		}
	}
}

// FuzzEntries: of params that an envelope let through, what comes out stands in what went in, and as encoding/json reads it.
func FuzzEntries(f *testing.F) {
	for _, s := range []string{
		`{"properties":{"a":1},"events":{"e":{}},"subDevices":[{"identity":{"productKey":"p","deviceName":"d"}}]}`, `[{"properties":[{"a":{"value":1,"time":2}}]},{}]`,
		`[[]]`, `[{},]`, `{"identity":{"deviceName":"\u00e9"}}`, `[`, `{"subDevices":{"subDevices":{}}}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, params []byte) {
		list, err := Entries(params)
		if err != nil {
			if m := new(Malformed); !errors.As(err, &m) || m.Where == "" {
				t.Errorf("Entries(%q): %v", params, err)
			}
			return
		}
		if _, err := ParseRequest(append(append([]byte(`{"params":`), params...), '}')); err != nil {
			return
		}
		for _, e := range list {
			for _, part := range [][]byte{e.Properties, e.Events} {
				if part != nil && !json.Valid(part) {
					t.Errorf("Entries(%q): %q", params, part)
				}
			}
		}
		var one struct{ Properties json.RawMessage }
		if len(list) == 1 && params[0] == '{' && json.Unmarshal(params, &one) == nil && len(one.Properties) > 0 && len(list[0].Properties) > 0 && string(one.Properties) != string(list[0].Properties) {
			t.Errorf("Entries(%q): properties %q, want %q", params, list[0].Properties, one.Properties)
		}
	})
}
