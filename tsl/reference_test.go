package tsl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The reference checker is the slow reading of the same promise: encoding/json, maps, exact fractions. It collects the
// places of all violations of a post.
type reference struct{ places map[string]bool }

// referencePost is the set of places that break the model; "syntax" alone when it is not JSON as we take it.
func referencePost(m *Model, in []byte) map[string]bool {
	r := &reference{places: map[string]bool{}}
	if !json.Valid(in) || !utf8.Valid(in) || halfPair(in) {
		return map[string]bool{"syntax": true}
	}
	names, values, ok := membersOf(in)
	if !ok {
		return map[string]bool{"/params": true}
	}
	r.members("/params", names, values, m.Properties(), true, false)
	return r.places
}

func (r *reference) members(path string, names []string, values []json.RawMessage, props []*Property, post, require bool) {
	byName := map[string]*Property{}
	for _, p := range props {
		byName[p.Identifier] = p
	}
	seen := map[string]bool{}
	for i, name := range names {
		p := byName[name]
		switch {
		case p == nil:
			r.places[path+"/"+escapePointer(cutName(name))] = true
		case seen[name]:
			r.places[path+"/"+name] = true
		case post:
			r.posted(path+"/"+name, p, values[i])
		default:
			r.value(path+"/"+name, p, values[i])
		}
		seen[name] = true
	}
	for _, p := range props {
		if require && p.Required && !seen[p.Identifier] {
			r.places[path+"/"+p.Identifier] = true
		}
	}
}

// cutName is the name as an error repeats it, "?" for a long one.
func cutName(name string) string {
	if len(name) <= maxGot {
		return cut([]byte(name))
	}
	return "?" // not compared
}

func (r *reference) posted(path string, p *Property, v json.RawMessage) {
	names, values, isObject := membersOf(v)
	if !isObject || p.Type == Struct && !wraps(p, names) {
		r.value(path, p, v)
		return
	}
	if len(names) == 0 {
		r.places[path] = true
		return
	}
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case name != "value" && name != "time":
			r.places[path+"/"+escapePointer(cutName(name))] = true
		case seen[name]:
			r.places[path+"/"+name] = true
		case name == "time":
			n, ok := new(big.Int).SetString(string(values[i]), 10)
			if !ok || n.Sign() < 0 || n.Cmp(big.NewInt(maxTime)) > 0 {
				r.places[path+"/time"] = true
			}
		default:
			r.value(path+"/value", p, values[i])
		}
		seen[name] = true
	}
	if !seen["value"] {
		r.places[path+"/value"] = true
	}
}

func wraps(p *Property, names []string) bool {
	if len(names) == 0 || names[0] != "value" && names[0] != "time" {
		return false
	}
	for _, f := range p.Fields {
		if f.Identifier == "value" || f.Identifier == names[0] {
			return false
		}
	}
	return true
}

func (r *reference) value(path string, p *Property, raw json.RawMessage) {
	switch p.Type {
	case Array:
		var items []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
			r.places[path] = true
			return
		}
		for i, item := range items {
			r.value(path+"/"+strconv.Itoa(i), p.Item, item)
		}
		if len(items) > p.Size {
			r.places[path] = true
		}
	case Struct:
		names, values, ok := membersOf(raw)
		if !ok {
			r.places[path] = true
			return
		}
		r.members(path, names, values, p.Fields, false, true)
	default:
		if !scalar(p, raw) {
			r.places[path] = true
		}
	}
}

var dateText = regexp.MustCompile(`^"[0-9]{1,15}"$`)

func scalar(p *Property, raw json.RawMessage) bool {
	var s string
	isText := raw[0] == '"' && json.Unmarshal(raw, &s) == nil
	switch p.Type {
	case Text:
		return isText && len(s) <= p.Length
	case Date:
		n, ok := new(big.Int).SetString(strings.Trim(string(raw), `"`), 10)
		return isText && dateText.Match(raw) && ok && n.Cmp(big.NewInt(maxTime)) <= 0
	case Int, Bool, Enum:
		n, ok := new(big.Int).SetString(string(raw), 10)
		if !ok || !n.IsInt64() {
			return false
		}
		return p.referenceAllows(n.Int64())
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return false
	}
	inside := v >= p.Min && v <= p.Max
	if p.Type == Float {
		inside = inside || float32(v) >= float32(p.Min) && float32(v) <= float32(p.Max)
	}
	return inside && (p.Step == 0 || onGrid(v, p.gridFloat, p.Step, p.Type == Float))
}

func (p *Property) referenceAllows(v int64) bool {
	if p.Type == Int {
		low, high := int64(math.MinInt32), int64(math.MaxInt32)
		if p.HasRange {
			low, high = int64(p.Min), int64(p.Max)
		}
		return v >= low && v <= high && (p.Step == 0 || (v-p.grid)%int64(p.Step) == 0)
	}
	for _, e := range p.Enum {
		if e.Value == v {
			return true
		}
	}
	return false
}

// membersOf is the members of a JSON object in their order, duplicates included.
func membersOf(b []byte) (names []string, values []json.RawMessage, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, false
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, false
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, nil, false
		}
		names, values = append(names, t.(string)), append(values, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, false
	}
	_, err := d.Token()
	return names, values, errors.Is(err, io.EOF)
}

// halfPair reports an escaped half of a surrogate pair anywhere, which encoding/json replaces silently.
func halfPair(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		i++
		if b[i] != 'u' {
			continue
		}
		r, _ := hex4(b[i+1:])
		i += 4
		switch {
		case r >= 0xDC00 && r <= 0xDFFF:
			return true
		case r >= 0xD800 && r <= 0xDBFF:
			if i+6 >= len(b) || b[i+1] != '\\' || b[i+2] != 'u' {
				return true
			}
			if low, _ := hex4(b[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}
