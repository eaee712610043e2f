package alink

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func many(n int, value string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("\"a%d\":%s", i, value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestParseShadow(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"method":"get"}`, "get"},
		{` {"method":"update","state":{"reported":{"powerstate":1}},"version":7} `, `update 7 {"powerstate":1}`},
		{`{"method":"update","state":{"reported":{"powerstate":1},"desired":"null"},"version":-1}`, `update -1 {"powerstate":1} done`},
		{`{"method":"update","state":{"desired":null},"version":8}`, `update 8 done`},
		{`{"method":"delete","state":{"reported":"null"},"version":2}`, `delete 2 all`},
		{`{"method":"delete","state":{"reported":{"a":"null","b":null}},"version":2}`, `delete 2 [a b]`},
		{`{"method":"update","state":{"reported":` + many(128, "1") + `},"version":1}`, `update 1 ` + many(128, "1")},
		{``, `400 byte 0 is the end, want {, for a message is a JSON object`},
		{`[]`, `400 byte 0 is '[', want {, for a message is a JSON object`},
		{`{"method":"get"`, `400 byte 15 is the end, want a comma or }`},
		{`{"method":"get"} x`, `400 byte 17 is 'x', want the end of the message`},
		{"{\"method\":\"\xff\"}", `400 byte 11 is not UTF-8`},
		{`{"method":"get","method":"get"}`, `400 /method is given twice`},
		{`{}`, `401 /method is missing, want get, update or delete`},
		{`{"method":"control"}`, `406 /method is control, want get, update or delete`},
		{`{"method":{}}`, `406 /method is {}, want a string`},
		{`{"method":"update","version":1}`, `402 /state is missing, want an object such as {"reported":{"powerstate":1}}`},
		{`{"method":"update","state":"reported","version":1}`, `402 /state is missing, want an object such as {"reported":{"powerstate":1}}`},
		{`{"method":"update","state":{"reported":{"a":1}}}`, `403 /version is missing, want a whole number, or -1 to begin again at 0`},
		{`{"method":"update","state":{"reported":{"a":1}},"version":-2}`, `403 /version is -2, want a whole number up to 9007199254740992, or -1 to begin again at 0`},
		{`{"method":"update","state":{"reported":{"a":1}},"version":"1"}`, `403 /version is "1", want a whole number up to 9007199254740992, or -1 to begin again at 0`},
		{`{"method":"update","state":{"reported":{"a":1}},"version":1.5}`, `403 /version is 1.5, want a whole number up to 9007199254740992, or -1 to begin again at 0`},
		{`{"method":"update","state":{},"version":1}`, `404 /state/reported is missing, want an object such as {"powerstate":1}`},
		{`{"method":"update","state":{"reported":{}},"version":1}`, `405 /state/reported is empty, want at least one value`},
		{`{"method":"delete","state":{"reported":{}},"version":1}`, `405 /state/reported is empty, want at least one attribute`},
		{`{"method":"delete","state":{"reported":{"a":1}},"version":1}`, `407 /state/reported/a is 1, want "null"`},
		{`{"method":"update","state":{"desired":{"a":1}},"version":1}`, `407 /state/desired is {"a":1}, want "null": a device says only that all of it is done`},
		{`{"method":"update","state":{"reported":` + many(129, "1") + `},"version":1}`, `408 /state/reported has more than 128 attributes`},
		{`{"method":"delete","state":{"reported":` + many(129, "null") + `},"version":1}`, `408 /state/reported has more than 128 attributes`},
	} {
		if got := toldOfShadow(ParseShadow([]byte(tt.in))); got != tt.want {
			t.Errorf("%.100s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func toldOfShadow(r ShadowRequest, err error) string {
	if err != nil {
		f := new(ShadowFault)
		if !errors.As(err, &f) {
			return "no code: " + err.Error()
		}
		return fmt.Sprint(f.Code, " ", f)
	}
	out := string(r.Method)
	if r.Method != ShadowOfGet {
		out += fmt.Sprint(" ", r.Version)
	}
	if r.Reported != nil {
		out += " " + string(r.Reported)
	}
	if r.Names != nil {
		out += fmt.Sprint(" ", r.Names)
	}
	if r.All {
		out += " all"
	}
	if r.DropDesired {
		out += " done"
	}
	return out
}

// FuzzParseShadow: what comes out is within the limits, and a refusal has a code and says why.
func FuzzParseShadow(f *testing.F) {
	for _, s := range []string{
		`{"method":"get"}`, `{"method":"update","state":{"reported":{"a":{"value":1,"time":2}},"desired":"null"},"version":-1}`,
		`{"method":"delete","state":{"reported":{"a":"null"}},"version":1}`, `{"method":"delete","state":{"reported":null},"version":0}`, `{"state":`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := ParseShadow(in)
		if err != nil {
			if f := new(ShadowFault); !errors.As(err, &f) || f.Code < ShadowBadJSON || f.Code >= ShadowConflict || f.Error() == "" {
				t.Errorf("%q: %v", in, err)
			}
			return
		}
		said := r.Reported != nil || r.DropDesired || r.All || len(r.Names) > 0
		if said == (r.Method == ShadowOfGet) || r.Method != ShadowOfGet && r.Version < AnyVersion || len(r.Names) > MaxAttributes {
			t.Errorf("%q: %+v", in, r)
		}
	})
}
