package tsl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a document.
const (
	maxDocument = 512 << 10 // bytes, as Alibaba Cloud's import allows
	maxDepth    = 24        // far more than properties/i/dataType/specs/item/specs/j/dataType/specs needs
)

// A node is one JSON value of a document, with its members in order, so that a problem can say where it stands.
type node struct {
	kind    byte   // '{' '[' 's' string, 'n' number, 'b' bool, '0' null
	text    string // string, number literal, "true" or "false"
	members []member
	items   []*node
}

type member struct {
	name  string
	value *node
}

// got is the value for a problem.
func (n *node) got() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 's':
		return cut([]byte(quote(n.text)))
	case '0':
		return "null"
	}
	return cut([]byte(n.text))
}

// quote is s as JSON, letters beyond ASCII as they are.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// read makes the tree of a document.
func read(doc []byte) (*node, *Problem) {
	if len(doc) > maxDocument {
		return nil, &Problem{Got: fmt.Sprintf("%d bytes long", len(doc)), Rule: "at most 524288 bytes", Fix: "split the model into several products"}
	}
	if !utf8.Valid(doc) {
		return nil, &Problem{Got: "not UTF-8", Rule: "JSON in UTF-8", Fix: "save the file as UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\xEF\xBB\xBF"))))
	d.UseNumber()
	n, err := readValue(d, 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the closing brace")
		}
	}
	if err != nil {
		return nil, &Problem{Got: fmt.Sprintf("not JSON near byte %d (%v)", d.InputOffset(), err), Rule: "one JSON object", Fix: "send well-formed JSON"}
	}
	return n, nil
}

func readValue(d *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("deeper than %d levels", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return readObject(d, depth)
		}
		return readList(d, depth)
	case string:
		return &node{kind: 's', text: t}, nil
	case json.Number:
		return &node{kind: 'n', text: t.String()}, nil
	case bool:
		return &node{kind: 'b', text: fmt.Sprint(t)}, nil
	}
	return &node{kind: '0'}, nil
}

func readObject(d *json.Decoder, depth int) (*node, error) {
	n := &node{kind: '{'}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errors.New("a name in quotes is missing")
		}
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{name, v})
	}
	_, err := d.Token()
	return n, err
}

func readList(d *json.Decoder, depth int) (*node, error) {
	n := &node{kind: '['}
	for d.More() {
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, v)
	}
	_, err := d.Token()
	return n, err
}
