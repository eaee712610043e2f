// Package tsl is the thing model (物模型): the document in which a maker says what a product can do, and the check of
// every message against it.
//
// The document is the TSL (Thing Specification Language) JSON that Alibaba Cloud's IoT Platform exports. The package owns
// no state and does no I/O. It promises:
//   - Parse names every problem of a document in one go, each with its JSON Pointer path and what to do about it;
//   - what Parse accepts, the JSON Schema of [Schema] accepts too, and the other way round except for rules between
//     values (a range upside down, a name given twice), which a schema cannot say;
//   - a [Model] never changes and is safe for any number of goroutines;
//   - a message is checked in one pass over its bytes, without maps; a message without fault costs no allocation;
//   - a message that breaks the model is answered with one [Violation] that names the place, the value, the rule and
//     the way out. No input panics.
//
// On the wire a bool is 0 or 1, an enum is one of its numbers, a date is a string of milliseconds since 1970 UTC, a
// text is measured in bytes of UTF-8.
package tsl

import (
	"cmp"
	"strings"
)

// Type is one of the nine data types of a thing model.
type Type uint8

// The data types, as the document spells them in lower case.
const (
	Int    Type = iota + 1 // whole number, 32 bit unless its range says more
	Float                  // single precision
	Double                 // double precision
	Bool                   // 0 or 1 on the wire, each with a name
	Enum                   // a number of a list, each with a name
	Text                   // string, length in bytes of UTF-8
	Date                   // string of milliseconds since 1970 UTC
	Array                  // list of int, float, double, text or struct
	Struct                 // named fields of the first seven types
)

var typeNames = [...]string{Int: "int", Float: "float", Double: "double", Bool: "bool", Enum: "enum", Text: "text", Date: "date", Array: "array", Struct: "struct"}

// String is the type as the document spells it: "int", "struct".
func (t Type) String() string {
	if int(t) < len(typeNames) && t > 0 {
		return typeNames[t]
	}
	return "unknown"
}

// ParseType reads a type as the document spells it.
func ParseType(s string) (Type, bool) {
	for t := Int; t <= Struct; t++ {
		if typeNames[t] == s {
			return t, true
		}
	}
	return 0, false
}

// Numeric reports whether t is int, float or double.
func (t Type) Numeric() bool { return t == Int || t == Float || t == Double }

// A Violation is one value that the thing model does not allow.
type Violation struct {
	Where string // JSON Pointer into the message: "/params/brightness"
	Got   string // the value as it came, cut at 64 bytes, or what is wrong: "given twice", "missing"
	Rule  string // "an integer from 1 to 100 %"; empty when Got says it all
	Fix   string // "send 1..100, or publish a model version with a wider range"; may be empty
}

// Error is the place, the value and the rule: "/params/brightness is 0, want an integer from 1 to 100 %".
func (v *Violation) Error() string {
	if v.Rule == "" {
		return v.Where + " is " + v.Got
	}
	return v.Where + " is " + v.Got + ", want " + v.Rule
}

// Help is Error and, after a semicolon, what to do.
func (v *Violation) Help() string {
	if v.Fix == "" {
		return v.Error()
	}
	return v.Error() + "; " + v.Fix
}

// A Problem is one thing in a document that keeps it from being a thing model.
type Problem struct {
	Path string // JSON Pointer into the document: "/properties/3/dataType/specs/min"; "" is the document itself
	Got  string // the value as it came, cut at 64 bytes, or what is wrong: "missing", "given twice"
	Rule string // what is wanted
	Fix  string // what to do; may be empty
}

// String is the problem as a sentence.
func (p Problem) String() string {
	where := cmp.Or(p.Path, "the document")
	s := where + " is " + p.Got
	if p.Rule != "" {
		s = where + " is " + p.Got + ", want " + p.Rule
	}
	if p.Fix != "" {
		return s + "; " + p.Fix
	}
	return s
}

// Problems is every problem of a document, in the order of the document; it is the error of [Parse] and [Compile].
type Problems []Problem

// Error is one line a problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}
