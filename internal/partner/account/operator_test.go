package account

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store/storetest"
)

func newEmpty(t *testing.T) (*Service, *clock) {
	t.Helper()
	c := &clock{t: time.Now()}
	s := serviceOn(t, storetest.Open(t))
	s.now = c.now
	return s, c
}

func TestSetupCode(t *testing.T) {
	s, c := newEmpty(t)
	ctx := t.Context()
	boss := NewUser{Login: "boss", Password: NewPassword(good)}
	const wrong = "the code is wrong, used or older than 30 minutes"
	if _, err := s.Setup(ctx, "", boss, home); text(err) != wrong {
		t.Errorf("without a code: %v", err)
	}
	first, _, err := s.SetupCode(ctx)
	if err != nil || len(first.Reveal()) != codeChars {
		t.Fatalf("a code of %d characters, %v", len(first.Reveal()), err)
	}
	code, _, err := s.SetupCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := s.hasher.evaluations.Load()
	for _, bad := range []string{"", first.Reveal(), code.Reveal()[1:], code.Reveal() + "a", strings.Repeat("a", codeChars)} {
		if _, err := s.Setup(ctx, bad, boss, home); text(err) != wrong {
			t.Errorf("with %q: %v", bad, err)
		}
	}
	if s.hasher.evaluations.Load() != before {
		t.Error("a wrong code cost an evaluation")
	}
	if _, err := s.Setup(ctx, code.Reveal(), NewUser{Login: "boss", Password: NewPassword("short")}, home); !fault.Is(err, fault.Malformed) {
		t.Errorf("with a short password: %v", err)
	}
	if _, err := New(Config{Store: s.store, Keys: s.keys, Logger: s.log}).Setup(ctx, code.Reveal(), boss, home); text(err) != wrong {
		t.Errorf("after a restart: %v", err)
	}
	c.pass(codeLife)
	if _, err := s.Setup(ctx, code.Reveal(), boss, home); text(err) != wrong {
		t.Errorf("after 30 minutes: %v", err)
	}
	c.pass(-time.Millisecond)
	if u, err := s.Setup(ctx, " "+strings.ToUpper(code.Reveal())+"\n", boss, home); err != nil || u.PlatformRole != access.Admin {
		t.Errorf("in time: %+v, %v", u, err)
	}
	if _, err := s.Setup(ctx, code.Reveal(), NewUser{Login: "second", Password: NewPassword(good)}, home); text(err) != wrong {
		t.Errorf("a second time: %v", err)
	}
	if _, needed, err := s.SetupCode(ctx); needed || err != nil {
		t.Errorf("another code: %v, %v", needed, err)
	}
	if opened, err := s.SignIn(ctx, Credentials{Login: "boss", Password: NewPassword(good), From: home}); err != nil || !opened.Actor.Has(access.Admin) || opened.Actor.May(access.OperatePlatform) || opened.Organisation != "" {
		t.Errorf("the operator logs in as %+v, %v", opened.Actor, err)
	}
}

func TestSetupAtTheSameTimeMakesOneOperator(t *testing.T) {
	s, _ := newEmpty(t)
	code, _, err := s.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var made atomic.Int32
	var wg sync.WaitGroup
	for _, login := range []string{"one", "two", "three", "four"} {
		wg.Go(func() {
			if _, err := s.Setup(t.Context(), code.Reveal(), NewUser{Login: login, Password: NewPassword(good)}, home); err == nil {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d operators were made", made.Load())
	}
}

func TestBootstrap(t *testing.T) {
	const form = `it is not one JSON object with "login", "password", "email" and "totp_secret"`
	const whole = `{"login":"boss","password":"` + good + `","email":"boss@example.com"}`
	path := filepath.Join(t.TempDir(), "bootstrap.json")
	for _, tt := range []struct {
		content string
		mode    os.FileMode
		want    string // after "reading the bootstrap file …: "; empty: an operator was made
	}{
		{whole, 0o600, ""},
		{whole, 0o400, ""},
		{whole[:len(whole)-1] + `,"totp_secret":"JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"}`, 0o600, ""},
		{whole[:len(whole)-1] + `,"totp_secret":"` + good + `"}`, 0o600, "/totp_secret does not follow the rule: 16 to 64 bytes as base32"},
		{whole, 0o644, "its mode is 0644 and others may read the password in it: chmod 600 it"},
		{whole, 0o640, "its mode is 0640 and others may read the password in it: chmod 600 it"},
		{whole, 0o700, "its mode is 0700 and others may read the password in it: chmod 600 it"},
		{"", 0o600, form + " (at byte 0)"},
		{whole + "x", 0o600, form + " (more follows at byte 74)"},
		{`{"login":"boss","pasword":"` + good + `"}`, 0o600, form + " (at byte 46)"},
		{`{"login":"boss","password":["` + good + `"]}`, 0o600, form + " (at byte 49)"},
		{`{"login":"boss","password":` + good + `}`, 0o600, form + " (at byte 0)"},
		{`{"login":"boss","password":"123456789"}`, 0o600, "/password does not follow the rule: 10 to 256 characters, no control characters"},
		{`{"login":"` + good + `","password":"` + good + `"}`, 0o600, "/login does not follow the rule: 3 to 64 letters, digits or . _ - @ +"},
		{strings.Repeat(" ", maxBootstrap) + whole, 0o600, "it is longer than 65536 bytes"},
	} {
		s, _ := newEmpty(t)
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		made, err := s.Bootstrap(t.Context(), path)
		want := tt.want
		if want != "" {
			want = "reading the bootstrap file " + path + ": " + want
		}
		if text(err) != want || made != (want == "") {
			t.Errorf("%.60s (%o): made %v\n got %q\nwant %q", tt.content, tt.mode, made, text(err), want)
		}
		if strings.Contains(text(err), good) {
			t.Errorf("%.60s: the error shows the password", tt.content)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != tt.content {
			t.Errorf("the file was changed to %q, %v", left, err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBootstrapPaths(t *testing.T) {
	s, _ := newEmpty(t)
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent")
	for path, want := range map[string]string{
		absent: "no such file or directory",
		dir:    "it is not a regular file",
	} {
		if _, err := s.Bootstrap(t.Context(), path); text(err) != "reading the bootstrap file "+path+": "+want {
			t.Errorf("%s: %v", path, err)
		}
	}
	w := newTown(t)
	if made, err := w.Bootstrap(t.Context(), absent); made || err != nil {
		t.Errorf("with an operator: %v, %v", made, err)
	}
}

func FuzzBootstrap(f *testing.F) {
	f.Add([]byte(`{"login":"boss","password":"` + good + `","email":"a@b"}`))
	f.Add([]byte(`{"login":1,"password":{},"email":null}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		const mark = "q7Zq7Zq7Z" // stands for the password: an error must not repeat it
		_, _, err := decodeBootstrap([]byte(strings.ReplaceAll(string(b), good, mark)))
		if err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("the error shows the password: %v", err)
		}
	})
}
