package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const maxLine = 64 << 10 // bytes; an entry has at most some thousands

// VerifyFile follows an export. It keeps one line in memory. Without a key it trusts the one that the file names.
func VerifyFile(r io.Reader, key ed25519.PublicKey, anchor *Anchor) (Report, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	first, err := readLine(lines)
	if err != nil {
		return Report{}, fmt.Errorf("reading the export: %w", err)
	}
	if first.Type != "audit" || first.Version != 1 {
		return Report{}, errors.New("the file is no audit export of version 1: its first line does not say so")
	}
	if key == nil {
		if key, err = ParseKey(first.Key); err != nil {
			return Report{}, err
		}
	}
	v := newVerifier(key, anchor)
	if first.Root != nil {
		v.root(*first.Root, false)
	}
	for n := int64(1); ; n++ {
		l, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			v.find("the file ends after line %d, without the line that ends an export", n)
			return v.end(), nil
		case errors.Is(err, errLine):
			v.find("line %d: %v", n+1, err)
			return v.end(), nil
		case err != nil:
			return Report{}, fmt.Errorf("reading the export: %w", err)
		}
		if last := v.line(l, n); last {
			if _, err := readLine(lines); !errors.Is(err, io.EOF) {
				v.find("something stands behind the last line")
			}
			return v.end(), nil
		}
	}
}

// line follows one line, the n'th behind the first; last says that it ends the export.
func (v *verifier) line(l *line, n int64) (last bool) {
	switch {
	case l.Type == "entry" && l.Entry != nil:
		v.entry(l.Entry)
		for reference, k := range map[string]*known{l.Entry.User: l.Person, l.Entry.From: l.Address} {
			if k != nil {
				k.Organisation = l.Entry.Organisation
				v.person(reference, k)
			}
		}
	case l.Type == "hidden":
		leaf, err := seal32(l.Leaf)
		if err != nil {
			v.find("entry %d: %v", l.Seq, err)
		}
		v.Hidden++
		v.sealed(l.Seq, leaf, l.Seal)
	case l.Type == "checkpoint" && l.Checkpoint != nil:
		v.checkpoint(*l.Checkpoint)
	case l.Type == "end":
		if l.Lines != n {
			v.find("the last line counts %d lines, and there are %d", l.Lines, n)
		}
		return true
	default:
		v.find("line %d is none of an export", n+1)
	}
	return false
}

var errLine = errors.New("it is not JSON as an export has it")

func readLine(lines *bufio.Scanner) (*line, error) {
	if !lines.Scan() {
		if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("%w: it is too long", errLine)
		}
		return nil, io.EOF
	}
	d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
	d.DisallowUnknownFields()
	l := new(line)
	if err := d.Decode(l); err != nil || d.More() {
		return nil, errLine
	}
	return l, nil
}
