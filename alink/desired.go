package alink

import (
	"fmt"
	"strconv"
)

// MaxNames is how many properties one request about what is desired may name.
const MaxNames = 300

// ParseNames reads a list of identifiers, as the params of a request for what is desired. Nothing at all is an empty list. The
// error is a [*Malformed].
func ParseNames(params []byte) ([]string, error) {
	const rule = `a list of identifiers, such as ["brightness"]`
	if len(params) == 0 || string(params) == "null" || string(params) == "{}" {
		return nil, nil
	}
	if params[0] != '[' {
		return nil, &Malformed{Where: "/params", Got: cut(params), Rule: rule}
	}
	s := scanner{b: params}
	var out []string
	m := s.items(func(n int, value []byte) *Malformed {
		if value[0] != '"' || n >= MaxNames {
			return &Malformed{Where: "/params/" + strconv.Itoa(n), Got: cut(value), Rule: fmt.Sprintf("%s, of at most %d", rule, MaxNames)}
		}
		out = append(out, Text(value[1:len(value)-1]))
		return nil
	})
	if m != nil {
		return nil, m
	}
	return out, nil
}

// A Version is a property and the version of a wish for it; 0: whichever there is.
type Version struct {
	Name    string
	Version int64
}

// ParseVersions reads {"identifier":{"version":n}}, as the params of a request to delete what is desired. The version may be
// left out. The error is a [*Malformed].
func ParseVersions(params []byte) ([]Version, error) {
	if len(params) == 0 || params[0] != '{' {
		return nil, &Malformed{Where: "/params", Got: cut(params), Rule: `an object such as {"brightness":{"version":2}}`}
	}
	s := scanner{b: params}
	m := s.enter()
	var out []Version
	for first := true; m == nil; first = false {
		key, value, more, wrong := s.member(first)
		if wrong != nil || !more {
			m = wrong
			break
		}
		if len(out) == MaxNames {
			return nil, &Malformed{Where: "/params/" + cut(key), Got: "one too many", Rule: fmt.Sprintf("at most %d", MaxNames)}
		}
		v := Version{Name: Text(key)}
		v.Version, m = versionOf("/params/"+cut(key), value)
		out = append(out, v)
	}
	if m != nil {
		return nil, m
	}
	return out, nil
}

// versionOf reads {"version":n}, the number bare or in quotes.
func versionOf(where string, value []byte) (n int64, m *Malformed) {
	if value[0] != '{' {
		return 0, &Malformed{Where: where, Got: cut(value), Rule: `an object such as {"version":2}`}
	}
	s := scanner{b: value}
	_ = s.enter() // the value was walked before, so nothing can be wrong with it
	for first := true; ; first = false {
		key, v, more, m := s.member(first)
		if m != nil || !more {
			return n, m
		}
		if Text(key) != "version" {
			continue
		}
		text, m := content(where+"/version", v)
		if m != nil {
			return 0, m
		}
		var err error
		if n, err = strconv.ParseInt(string(text), 10, 64); len(text) > 0 && (err != nil || n < 0) {
			return 0, &Malformed{Where: where + "/version", Got: cut(v), Rule: "a whole number"}
		}
	}
}
