package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A breaker is a server that carries requests out and loses the first answers: it breaks off, or is still at it.
type breaker struct {
	lose int
	busy bool // it says that it is at it, instead of breaking off, from the second on
	keys []string
	sent []string
}

func (b *breaker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	b.keys, b.sent = append(b.keys, r.Header.Get("Idempotency-Key")), append(b.sent, string(text))
	switch {
	case len(b.keys) > b.lose:
		io.WriteString(w, `{"id":"x","token":""}`)
	case b.busy && len(b.keys) > 1:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusConflict)
	default:
		panic(http.ErrAbortHandler)
	}
}

// TestLostAnswerIsAskedForAgain: what creates is sent again under its key, the same body each time, and another invocation has
// another key; what acts is sent once.
func TestLostAnswerIsAskedForAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "paper")
	if err := os.WriteFile(file, []byte("a paper"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{} // keys of invocations
	for _, tt := range []struct {
		name   string
		args   []string
		lose   int
		busy   bool
		asked  int
		failed string
	}{
		{"nothing is lost", []string{"product", "new", "--name", "en=Lamp", "--category", "light"}, 0, false, 1, ""},
		{"one answer is lost", []string{"product", "new", "--name", "en=Lamp", "--category", "light"}, 1, false, 2, ""},
		{"the server is at it still", []string{"product", "new", "--name", "en=Lamp", "--category", "light"}, 2, true, 3, ""},
		{"a file", []string{"certify", "evidence", "add", "x", file}, 1, false, 2, ""},
		{"every answer is lost", []string{"product", "new", "--name", "en=Lamp", "--category", "light"}, 9, false, 3, "look before you ask again"},
		{"an act", []string{"order", "reject", "x", "--reason", "x"}, 1, false, 1, "EOF"},
		{"a token is told once", []string{"token", "new", "robot"}, 1, false, 2, "end it: lampworks token end x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &breaker{lose: tt.lose, busy: tt.busy}
			srv := httptest.NewServer(b)
			defer srv.Close()
			silence(t)
			err := runVerb(newParser(t), append(tt.args, "--token=x", "--server", srv.URL))
			if (err == nil) != (tt.failed == "") || err != nil && !strings.Contains(err.Error(), tt.failed) {
				t.Errorf("it ends with %v, want %q", err, tt.failed)
			}
			if len(b.keys) != tt.asked || len(slices.Compact(b.keys)) != 1 || len(slices.Compact(b.sent)) != 1 {
				t.Errorf("keys %q, bodies %q, want %d the same", b.keys, b.sent, tt.asked)
			}
			if key := b.keys[0]; used[key] {
				t.Errorf("the key %q is that of another invocation", key)
			} else {
				used[key] = true
			}
		})
	}
}

// TestNobodyThereIsToldAtOnce: where nothing went out there is no doubt.
func TestNobodyThereIsToldAtOnce(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	err := runVerb(newParser(t), []string{"product", "new", "--name", "en=Lamp", "--category", "light", "--token=x", "--server", srv.URL})
	if err == nil || strings.Contains(err.Error(), "lost") {
		t.Errorf("it ends with %v", err)
	}
}
