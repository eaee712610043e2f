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
	"strings"
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

// operated is an empty platform with an operator who has signed in.
func operated(t *testing.T, lang string, flags ...string) (*server, *person) {
	t.Helper()
	return operatedIn(t, t.TempDir(), lang, flags...)
}

// operatedIn is the same in a directory that the test has made.
func operatedIn(t *testing.T, dir, lang string, flags ...string) (*server, *person) {
	t.Helper()
	boot := filepath.Join(dir, "operator.json")
	in := `{"login":"operator","password":"the first of the operators","email":"op@example.com","totp_secret":"` + factorSecret + `"}`
	if err := os.WriteFile(boot, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := start(dir, "serve", append([]string{"--bootstrap", boot}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, s) })
	p := &person{s: s, lang: lang, login: "operator", password: "the first of the operators", secret: factorSecret}
	p.signIn(t)
	return s, p
}

// TestNoSecretIsLeftBehind hands more than a thousand secrets to a server, or has them made by it, and then looks for them in
// everything it has written: log, database, write-ahead logs, Log, blobs, temporary files, figures.
func TestNoSecretIsLeftBehind(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s, operator := operated(t, "en")
	var c canaries
	org := operator.does(t, "POST", "/organisations", map[string]any{"names": names("灯火", "Denghuo"), "kinds": []string{"terminal_maker"}}).id(t)
	maker := &person{s: s, lang: "en", login: "maker", password: "a canary of the maker's password"}
	operator.does(t, "POST", "/users", map[string]string{"login": maker.login, "password": maker.password})
	operator.does(t, "POST", "/organisations/"+org+"/members", map[string]string{"login": maker.login, "role": "owner"})
	maker.signIn(t)
	c.add(t, "the maker's password", maker.password)
	c.people(t, operator)
	c.own(t, maker)
	c.devices(t, &way{s: s, maker: maker})
	if len(c.names) < 1000 {
		t.Fatalf("only %d canaries, want 1000", len(c.names))
	}
	figures := s.page(t, "/metrics")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if found := c.in(append(figures, s.log.String()...)); len(found) > 0 {
		t.Errorf("log and figures hold %q", found)
	}
	for _, dir := range []string{filepath.Join(s.dir, "data"), temporary} {
		found, read := c.under(t, dir)
		t.Logf("%d canaries, %d bytes read in %s", len(c.names), read, filepath.Base(dir))
		if len(found) > 0 {
			t.Errorf("left behind: %d, such as %q", len(found), found[:min(len(found), 20)])
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "data", "planted"), []byte("x"+maker.password), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, _ := c.under(t, filepath.Join(s.dir, "data")); fmt.Sprint(found) != "[planted: the maker's password]" {
		t.Errorf("with one that was planted, found is %q", found)
	}
}

// people makes users, each with a password, a session, a second factor and its recovery codes.
func (c *canaries) people(t *testing.T, operator *person) {
	t.Helper()
	for i := range 20 {
		p := &person{s: operator.s, lang: "en", login: fmt.Sprintf("user%d", i), password: fmt.Sprintf("canary password number %d", i)}
		operator.does(t, "POST", "/users", map[string]string{"login": p.login, "password": p.password})
		p.signIn(t)
		c.add(t, p.login+" password", p.password)
		c.add(t, p.login+" session", p.session)
		p.secret = p.does(t, "POST", "/factor", nil).text(t, "secret")
		c.add(t, p.login+" factor", p.secret)
		codes, _ := p.does(t, "PUT", "/factor", map[string]string{"code": p.code(t)}).at(t, "recovery_codes").([]any)
		for j, code := range codes {
			if text, ok := code.(string); ok && len(text) >= 12 {
				c.add(t, fmt.Sprintf("%s recovery code %d", p.login, j), text)
			}
		}
	}
}

// own makes API tokens: their part behind the public prefix is the secret.
func (c *canaries) own(t *testing.T, maker *person) {
	t.Helper()
	maker.enrol(t)
	for i := range 100 {
		token := maker.does(t, "POST", "/tokens", map[string]string{"name": fmt.Sprintf("token %d", i)}).text(t, "token")
		at := strings.LastIndexByte(token, '_')
		c.add(t, fmt.Sprintf("token %d", i), token[at+1:])
	}
}

// devices takes the workbooks of debug triples.
func (c *canaries) devices(t *testing.T, w *way) {
	t.Helper()
	for i := range 7 {
		p := w.maker.does(t, "POST", "/products", map[string]any{"category": "light", "names": names("灯", fmt.Sprintf("lamp %d", i))}).id(t)
		order := w.maker.does(t, "POST", "/products/"+p+"/orders", map[string]any{"quantity": 100, "purpose": "debug"}).id(t)
		w.issued(t, order)
		_, rows := w.download(t, order)
		for _, row := range rows {
			c.add(t, "secret of "+row.MAC.String(), row.Secret.Reveal())
		}
	}
}
