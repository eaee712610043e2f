package test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// canaries are secrets that were handed to the program, or by it, and must stand nowhere afterwards. They are looked for as
// they are, and as hexadecimal and base64 have them.
type canaries struct {
	names []string
	forms map[[8]byte][]form // by their first bytes
}

type form struct {
	name string
	text []byte
}

// add takes a secret of at least twelve bytes.
func (c *canaries) add(t testing.TB, name, secret string) {
	t.Helper()
	if len(secret) < 12 {
		t.Fatalf("the canary %s is too short to be told from chance", name)
	}
	c.names = append(c.names, name)
	raw := []byte(secret)
	texts := [][]byte{raw, []byte(hex.EncodeToString(raw)), []byte(base64.RawStdEncoding.EncodeToString(raw)), []byte(base64.RawURLEncoding.EncodeToString(raw))}
	if b, err := hex.DecodeString(secret); err == nil {
		texts = append(texts, b)
	}
	if c.forms == nil {
		c.forms = make(map[[8]byte][]form)
	}
	for i, text := range texts {
		if i > 0 && bytes.Equal(text, texts[i-1]) {
			continue
		}
		key := [8]byte(text)
		c.forms[key] = append(c.forms[key], form{name, text})
	}
}

// in lists the canaries that stand in b, each once.
func (c *canaries) in(b []byte) []string {
	seen := make(map[string]bool)
	var found []string
	for i := 0; i+8 <= len(b); i++ {
		for _, f := range c.forms[[8]byte(b[i:i+8])] {
			if bytes.HasPrefix(b[i:], f.text) && !seen[f.name] {
				seen[f.name] = true
				found = append(found, f.name)
			}
		}
	}
	return found
}

// under looks into every file below dir and returns how many bytes it read.
func (c *canaries) under(t testing.TB, dir string) (found []string, read int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read += len(b)
		for _, name := range c.in(b) {
			found = append(found, filepath.Base(path)+": "+name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, read
}

// page is what the server answers to nobody in particular.
func (s *server) page(t testing.TB, path string) []byte {
	t.Helper()
	res, err := http.Get(s.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCanariesAreFound(t *testing.T) {
	var c canaries
	c.add(t, "password", "a canary of a passphrase")
	c.add(t, "secret", "00112233445566778899aabbccddeeff")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"as it is": "x a canary of a passphrase y", "hex": "_" + hex.EncodeToString([]byte("a canary of a passphrase")),
		"base64": base64.StdEncoding.EncodeToString([]byte("a canary of a passphrase")), "bytes": "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
		"none": "a canary of a passphras", "part": "00112233445566778899aabbccddee",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, _ := c.under(t, dir)
	want := "[as it is: password base64: password bytes: secret hex: password]"
	if got := fmt.Sprint(found); got != want {
		t.Errorf("found\n got %s\nwant %s", got, want)
	}
}
