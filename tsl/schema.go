package tsl

import (
	"bytes"
	_ "embed"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (2020-12) of a document, for editors and other programs. It says of a document's shape
// what [Parse] says; rules between values (min above max, an identifier given twice) are Parse's alone.
func Schema() []byte { return bytes.Clone(schema) }
