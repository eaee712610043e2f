package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// A person is somebody who uses the platform by its API alone.
type person struct {
	s        *server
	lang     string // of Accept-Language
	login    string
	password string
	session  string // token of the session; empty: not signed in
	secret   string // of the second factor, base32; empty: none
	last     string // code that was used last: it is good once
}

// A reply is an answer that was read to its end.
type reply struct {
	what   string
	status int
	header http.Header
	body   []byte
}

// ask sends in: nil, JSON, or bytes as they are. Headers come in pairs.
func (p *person) ask(t testing.TB, method, path string, in any, headers ...string) reply {
	t.Helper()
	r, err := p.try(t.Context(), method, path, in, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try asks a server that may be gone before it has answered.
func (p *person) try(ctx context.Context, method, path string, in any, headers ...string) (reply, error) {
	var body io.Reader
	kind := "application/json"
	switch in := in.(type) {
	case nil:
	case []byte:
		body, kind = bytes.NewReader(in), "application/octet-stream"
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return reply{}, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.s.http+"/api/v1"+path, body)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept-Language", p.lang)
	if p.session != "" {
		req.Header.Set("Authorization", "Bearer "+p.session)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, err
	}
	return reply{method + " " + path, res.StatusCode, res.Header, b}, nil
}

// does asks for what must be carried out.
func (p *person) does(t testing.TB, method, path string, in any, headers ...string) reply {
	t.Helper()
	r := p.ask(t, method, path, in, headers...)
	if r.status >= 300 {
		t.Fatalf("%s as %s: %d %s", r.what, p.login, r.status, r.body)
	}
	return r
}

// refused asks for what must be refused, with the status and the code given, and with all parts in its text.
func (p *person) refused(t testing.TB, status int, code, method, path string, in any, parts ...string) reply {
	t.Helper()
	r := p.ask(t, method, path, in)
	if r.status != status || r.text(t, "code") != code {
		t.Fatalf("%s as %s: %d %s, want %d %s", r.what, p.login, r.status, r.body, status, code)
	}
	for _, part := range parts {
		if !bytes.Contains(r.body, []byte(part)) {
			t.Fatalf("%s as %s does not say %q: %s", r.what, p.login, part, r.body)
		}
	}
	r.speaks(t, p.lang)
	return r
}

var (
	han = regexp.MustCompile(`\p{Han}`)
	// named is what a sentence in Chinese has of the interface, and of what people wrote: it is quoted, or a route.
	named = regexp.MustCompile(`"[^"]*"|“[^”]*”|((GET|POST|PUT|PATCH|DELETE) )?/[^\s，。；：）]+|Authorization: Bearer`)
	prose = regexp.MustCompile(`[A-Za-z]{2,} [A-Za-z]{2,}`)
)

// speaks holds a refusal to its language: every text for people, of the whole and of each place that is wrong.
func (r reply) speaks(t testing.TB, lang string) {
	t.Helper()
	var told struct {
		Title, Detail, Rule, Fix string
		Problems                 []struct{ Rule, Fix string }
	}
	if err := json.Unmarshal(r.body, &told); err != nil {
		t.Fatal(err)
	}
	if chinese := lang == "zh-CN"; han.MatchString(told.Title) != chinese || chinese && !han.MatchString(told.Detail) {
		t.Errorf("%s in %s is titled %q and says %q", r.what, lang, told.Title, told.Detail)
	}
	texts := []string{told.Detail, told.Rule, told.Fix}
	for _, flaw := range told.Problems {
		texts = append(texts, flaw.Rule, flaw.Fix)
	}
	for _, text := range texts {
		if lang == "zh-CN" && prose.MatchString(named.ReplaceAllString(text, "·")) {
			t.Errorf("%s in %s says %q", r.what, lang, text)
		}
	}
}

// at is a field of a JSON answer, by its path: "items/0/id".
func (r reply) at(t testing.TB, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%s: %d %q: %v", r.what, r.status, r.body, err)
	}
	for step := range strings.SplitSeq(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) text(t testing.TB, path string) string {
	t.Helper()
	s, _ := r.at(t, path).(string)
	return s
}

// items are those of a list.
func (r reply) items(t testing.TB) (items []map[string]any) {
	t.Helper()
	all, _ := r.at(t, "items").([]any)
	for _, item := range all {
		items = append(items, item.(map[string]any))
	}
	return items
}

func (r reply) id(t testing.TB) string {
	t.Helper()
	return r.text(t, "id")
}

// takeSession keeps the session that an answer sets.
func (p *person) takeSession(t testing.TB, r reply) {
	t.Helper()
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == "lw_session" {
			p.session = c.Value
			return
		}
	}
	t.Fatalf("%s sets no session: %s", r.what, r.body)
}

// signIn opens a session, with the second factor where there is one.
func (p *person) signIn(t testing.TB) {
	t.Helper()
	in := map[string]string{"login": p.login, "password": p.password}
	if p.secret != "" {
		in["code"] = p.code(t)
	}
	p.session = ""
	p.takeSession(t, p.does(t, "POST", "/session", in))
}

// code is a code of the second factor that was not used yet: a code is good once, so a second one within its half minute
// is that of the next.
func (p *person) code(t testing.TB) string {
	t.Helper()
	now := time.Now()
	for _, at := range []time.Time{now.Add(-30 * time.Second), now, now.Add(30 * time.Second)} {
		code, err := totp.GenerateCode(p.secret, at)
		if err != nil {
			t.Fatal(err)
		}
		if code > "" && (p.last == "" || p.newer(t, code, at)) {
			p.last = code + " " + strconv.FormatInt(at.Unix()/30, 10)
			return code
		}
	}
	t.Fatalf("%s has used every code of this minute", p.login)
	return ""
}

// newer reports whether a code is of a later step than the last.
func (p *person) newer(t testing.TB, _ string, at time.Time) bool {
	t.Helper()
	_, step, _ := strings.Cut(p.last, " ")
	last, err := strconv.ParseInt(step, 10, 64)
	return err == nil && at.Unix()/30 > last
}

// admits makes the account of a maker, and an organisation of theirs in which the operator is no member.
func (p *person) admits(t testing.TB, maker *person) (organisation string) {
	t.Helper()
	owner := p.does(t, "POST", "/users", map[string]string{"login": maker.login, "password": maker.password}).id(t)
	return p.does(t, "POST", "/organisations", map[string]any{"names": names("灯火", "Denghuo"), "kinds": []string{"terminal_maker"}, "owner": owner}).id(t)
}

// enrol gives a second factor.
func (p *person) enrol(t testing.TB) {
	t.Helper()
	p.secret = p.does(t, "POST", "/factor", nil).text(t, "secret")
	if codes, ok := p.does(t, "PUT", "/factor", map[string]string{"code": p.code(t)}).at(t, "recovery_codes").([]any); !ok || len(codes) != 10 {
		t.Fatalf("%s has %d recovery codes, want 10", p.login, len(codes))
	}
}

var codeForm = regexp.MustCompile(`(?:code is|验证码是) ([a-z2-7]{4}-[a-z2-7]{4}|[0-9]{6})`)

// mailed is the code of the newest message to a contact, as the development sender leaves it in the data directory.
func (s *server) mailed(t testing.TB, contact string) (code string) {
	t.Helper()
	eventually(t, "a code for "+contact, func() (bool, any) {
		names, err := filepath.Glob(filepath.Join(s.dir, "data", "outbound", "*"))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		slices.Reverse(names)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err == nil && bytes.Contains(b, []byte(contact)) {
				if found := codeForm.FindStringSubmatch(string(b)); found != nil {
					code = found[1]
					return true, nil
				}
			}
		}
		return false, fmt.Sprintf("%d messages", len(names))
	})
	return code
}
