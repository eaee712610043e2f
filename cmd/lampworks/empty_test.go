package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTitlesInTheTongue: titles of notices are shown in the language of the terminal, and in it alone.
func TestTitlesInTheTongue(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"items":[{"id":"n","texts":{"zh-CN":{"title":"停机维护"},"en":{"title":"Maintenance"}}}]}`)
	}))
	t.Cleanup(srv.Close)
	for _, tt := range []struct{ lang, want, not string }{{"C.UTF-8", "Maintenance", "停机维护"}, {"zh_CN.UTF-8", "停机维护", "Maintenance"}} {
		t.Setenv("LANG", tt.lang)
		for _, verb := range []string{"list", "all"} {
			o := printed(t, func() error {
				return runVerb(newParser(t), []string{"notice", verb, "--token=t", "--server=" + srv.URL})
			})
			if o.err != nil || !strings.Contains(o.text, tt.want) || strings.Contains(o.text, tt.not) {
				t.Errorf("notice %s on %s: %v\n%s", verb, tt.lang, o.err, o.text)
			}
		}
	}
}

// TestEmptyLists: what is no id is refused before anything is asked, and a list without rows says what was looked for.
func TestEmptyLists(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		io.WriteString(w, `{"items":[]}`)
	}))
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		args, told, wrong string
		asked             int
	}{
		{"order list", "There is nothing here yet.", "", 1},
		{"order list --product " + anID + " --state issued --sort created_at", "There is nothing for state=issued, product=" + anID + ".", "", 1},
		{"order list --product nonsense", "", "--product nonsense: want an id, as " + anID, 0},
		{"order list --product nonsense --format csv", "", "--product nonsense: want an id, as " + anID, 0},
		{"fleet list --order 12", "", "--order 12: want an id, as " + anID, 0},
		{"audit list --organisation platform", "There is nothing for organisation=platform.", "", 1},
		{"order list --format json", "", "", 1},
	} {
		asked = 0
		file, err := os.Create(filepath.Join(t.TempDir(), "err"))
		if err != nil {
			t.Fatal(err)
		}
		before := os.Stderr
		os.Stderr = file
		o := printed(t, func() error {
			return runVerb(newParser(t), append(strings.Fields(tt.args), "--token=t", "--server="+srv.URL))
		})
		os.Stderr = before
		file.Close()
		told, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		wrong := ""
		if o.err != nil {
			wrong = o.err.Error()
		}
		if strings.TrimSpace(string(told)) != tt.told || wrong != tt.wrong || asked != tt.asked {
			t.Errorf("%s\n got %q, %q, asked %d\nwant %q, %q, asked %d", tt.args, told, wrong, asked, tt.told, tt.wrong, tt.asked)
		}
	}
}
