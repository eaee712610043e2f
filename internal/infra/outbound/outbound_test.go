package outbound

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/outbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var letter = outbox.Message{Kind: outbox.Mail, To: "ann@example.com", Subject: "代码 code", Body: "123456\n"}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbound")
	s, err := Senders(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s[outbox.Mail].Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(dir + "/*.json")
	if err != nil || len(names) != 1 {
		t.Fatalf("files %v, %v", names, err)
	}
	info, err := os.Stat(names[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(b, &got); err != nil || got["to"] != letter.To || got["body"] != letter.Body || got["kind"] != "mail" {
		t.Errorf("it says %s, %v", b, err)
	}
}

func TestSettings(t *testing.T) {
	const key = "canary-of-a-key"
	sms := SMS{URL: "https://sms.example/" + key + "?to={phone}", Body: `{"text":"{text}"}`, Headers: []string{"Authorization: " + key}}
	with := func(change func(*SMS)) SMS { s := sms; change(&s); return s }
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{SMTP: "mail.example:25"}, "--smtp-url: want smtp://user:password@host:587 or smtps://user:password@host:465"},
		{Config{SMTP: "smtp://ann:" + key + "@mail.example:x"}, "--smtp-url: want smtp://user:password@host:587 or smtps://user:password@host:465"},
		{Config{SMTP: "smtp://ann:" + key + "@mail.example"}, "--smtp-url needs --smtp-from: the address that mail comes from"},
		{Config{SMTP: "smtp://mail.example", From: "nobody"}, `--smtp-from: want an address, or "Name <address>"`},
		{Config{SMTP: "smtps://ann:" + key + "@mail.example", From: "Lamps <no-reply@lamps.example>"}, ""},
		{Config{SMS: sms}, ""},
		{Config{SMS: with(func(s *SMS) { s.URL = "ftp://" + key })}, "--sms-url: want https://host/path, with {phone} and {text} where they belong"},
		{Config{SMS: with(func(s *SMS) { s.URL = "http://sms.example/{phone}" + key })}, "--sms-url: want https; plain http is for a server on this machine, with --allow-loopback-targets"},
		{Config{SMS: with(func(s *SMS) { s.Body = `{"` + key + `":{text}}` })}, `--sms-body: want JSON such as {"to":"{phone}","content":"{text}"}`},
		{Config{SMS: with(func(s *SMS) { s.Body = "" })}, "--sms-url and --sms-body: {phone} and {text} must stand in one of them"},
		{Config{SMS: with(func(s *SMS) { s.Headers = []string{key} })}, `--sms-header: want "Name: value"`},
	} {
		_, err := Senders(tt.c)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s %s:\n got %q\nwant %q", tt.c.SMTP, tt.c.SMS.URL, got, tt.want)
		}
	}
}

func TestSMS(t *testing.T) {
	status, seen := 200, ""
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen = fmt.Sprint(r.Method, " ", r.URL.RawQuery, " ", r.Header.Get("X-Key"), " ", string(b))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "canary-of-an-answer")
	}))
	t.Cleanup(provider.Close)
	c := SMS{URL: provider.URL + "/?to={phone}", Body: `{"content":"{text}"}`, Headers: []string{"X-Key: canary-of-a-key"}}
	s, err := newSMS(c, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.CloseIdleConnections)
	m := outbox.Message{Kind: outbox.SMS, To: "+8613800000000", Body: "a \"code\" & 123456\n"}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if want := `POST to=%2B8613800000000 canary-of-a-key {"content":"a \"code\" \u0026 123456\n"}`; seen != want {
		t.Errorf("the provider saw\n got %s\nwant %s", seen, want)
	}
	for _, tt := range []struct {
		status  int
		want    string
		forGood bool
	}{
		{500, "the text message provider 127.0.0.1 answers 500", false},
		{302, "the text message provider 127.0.0.1 answers 302", false},
		{400, "refused for good: the text message provider 127.0.0.1 answers 400", true},
	} {
		status = tt.status
		err := s.Send(t.Context(), m)
		if err == nil || err.Error() != tt.want || errors.Is(err, outbox.ErrRefused) != tt.forGood {
			t.Errorf("%d: got %v, want %s", tt.status, err, tt.want)
		}
	}
	guarded, err := newSMS(SMS{URL: "https://localhost:" + provider.URL[strings.LastIndex(provider.URL, ":")+1:] + "/canary-of-a-key?{phone}{text}"}, false)
	if err != nil {
		t.Fatal(err)
	}
	err = guarded.Send(t.Context(), m)
	if err == nil || !strings.Contains(err.Error(), "it is an address of this machine; --allow-loopback-targets lets it pass") || strings.Contains(err.Error(), "canary") {
		t.Errorf("a loopback address: %v", err)
	}
}

// talk is a mail server that answers one connection by a script: what a line begins with, and the answer.
func talk(t *testing.T, answers map[string]string) (address string, heard func() string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		var all strings.Builder
		defer func() { done <- all.String() }()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "220 test ESMTP\r\n")
		in, data := bufio.NewScanner(c), false
		for in.Scan() {
			line := in.Text()
			all.WriteString(line + "\n")
			if data {
				if line == "." {
					data = false
					fmt.Fprint(c, "250 taken\r\n")
				}
				continue
			}
			word, _, _ := strings.Cut(line, " ")
			answer := answers[word]
			switch {
			case answer != "":
			case word == "DATA":
				answer, data = "354 go on", true
			case word == "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				answer = "250 ok"
			}
			fmt.Fprint(c, answer+"\r\n")
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), func() string {
		select {
		case all := <-done:
			return all
		case <-time.After(20 * time.Second):
			t.Fatal("the connection does not end")
			return ""
		}
	}
}

func TestMail(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers map[string]string
		want    string
		forGood bool
	}{
		{"taken", nil, "", false},
		{"greylisted", map[string]string{"RCPT": "451 canary later"}, "the mail server 127.0.0.1 refuses for now (code 451)", false},
		{"no such user", map[string]string{"RCPT": "550 canary <ann@example.com>"}, "refused for good: the mail server 127.0.0.1 refuses (code 550)", true},
	} {
		address, heard := talk(t, tt.answers)
		s, err := newMail("smtp://"+address, "Lamps <no-reply@lamps.example>")
		if err != nil {
			t.Fatal(err)
		}
		err = s.Send(t.Context(), letter)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want || errors.Is(err, outbox.ErrRefused) != tt.forGood {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if all := heard(); tt.want == "" && (!strings.Contains(all, "RCPT TO:<ann@example.com>") || !strings.Contains(all, "123456") || !strings.Contains(all, "=?UTF-8?")) {
			t.Errorf("the server heard\n%s", all)
		}
	}
	s, err := newMail("smtp://127.0.0.1:1", "no-reply@lamps.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), letter); err == nil || err.Error() != "the mail server 127.0.0.1 cannot be reached, or does not take our sign-in" {
		t.Errorf("nobody there: %v", err)
	}
}
