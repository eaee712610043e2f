package wording

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

const maxDepth = 8 // properties/id/values/0/zh-CN/0 and what holds it

// node is one JSON value with its members in order, so that a problem can say where it stands.
type node struct {
	kind    byte // '{' '[' 's' string, 'b' bool, 'n' number, '0' null
	text    string
	truth   bool
	members []member
	items   []*node
}

type member struct {
	name  string
	value *node
}

func (n *node) got() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 's':
		return strconv.Quote(fault.Cut(n.text))
	case 'b':
		return strconv.FormatBool(n.truth)
	case '0':
		return "null"
	}
	return fault.Cut(n.text)
}

var errDeep = errors.New("nested too deep")

// tree reads a document as it stands.
func tree(document []byte) (*node, *tsl.Problem) {
	if len(document) > MaxBytes {
		return nil, &tsl.Problem{Got: strconv.Itoa(len(document)) + " bytes", Rule: "at most " + strconv.Itoa(MaxBytes) + " bytes"}
	}
	if !utf8.Valid(document) {
		return nil, &tsl.Problem{Got: "not UTF-8", Rule: "a JSON object in UTF-8", Fix: "save the file as UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	n, err := value(d, 0)
	if errors.Is(err, errDeep) {
		return nil, &tsl.Problem{Got: "nested more than 8 deep", Rule: "a JSON object as the page on voice configuration shows it"}
	}
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return n, nil
		}
	}
	return nil, &tsl.Problem{Got: "not JSON", Rule: "a JSON object", Fix: "send well-formed JSON"}
}

func value(d *json.Decoder, depth int) (*node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return &node{kind: 's', text: t}, nil
	case bool:
		return &node{kind: 'b', truth: t}, nil
	case json.Number:
		return &node{kind: 'n', text: t.String()}, nil
	case json.Delim:
		if depth >= maxDepth {
			return nil, errDeep
		}
		return within(d, t, depth)
	}
	return &node{kind: '0'}, nil
}

// within reads what an object or a list holds, to its end.
func within(d *json.Decoder, open json.Delim, depth int) (*node, error) {
	n := &node{kind: byte(open)}
	for d.More() {
		name := ""
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = t.(string)
		}
		v, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		if open == '{' {
			n.members = append(n.members, member{name, v})
		} else {
			n.items = append(n.items, v)
		}
	}
	_, err := d.Token()
	return n, err
}

// pointer is a member's name as a part of a JSON Pointer.
func pointer(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(fault.Cut(name))
}
