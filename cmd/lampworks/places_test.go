package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// spoken is a command line each of whose values is another one, and what it asked of a server.
type spoken struct {
	leaf  *kong.Node
	of    map[string]string // which flag or argument a value is
	asked map[string]string // route to path
	sent  map[string]string // place to value, of all requests
}

var spokenOnce []spoken // one tour takes a third of the time of all tests here

// everyVerb gives each flag and argument of each verb that asks a server a value of its own, and says where it went.
func everyVerb(t *testing.T) []spoken {
	t.Helper()
	if spokenOnce != nil {
		return spokenOnce
	}
	doc := readAPI(t)
	rec := &recorder{doc: doc, seen: make(map[string]bool)}
	var now spoken
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if op, _ := doc.find(r.Method, r.URL.Path); op != "" && now.asked[op] == "" {
			now.asked[op] = r.URL.Path
		}
		for name, values := range r.URL.Query() {
			now.sent["/query/"+name] = values[0]
		}
		b, _ := io.ReadAll(r.Body)
		var body any
		if json.Unmarshal(b, &body) == nil {
			places("", body, now.sent)
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		rec.ServeHTTP(w, r)
	}))
	defer srv.Close()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	silence(t)
	parser := newParser(t)
	for _, leaf := range parser.Model.Leaves(false) {
		if !remote(leaf) {
			continue
		}
		for _, line := range commandLines(t, leaf) {
			if slices.ContainsFunc(line, func(a string) bool { return strings.HasSuffix(a, ".json") }) || exclusive(leaf) {
				parser = newParser(t) // kong remembers files, and flags that exclude each other
			}
			args, of := distinct(line, leaf)
			now = spoken{leaf, of, make(map[string]string), make(map[string]string)}
			_ = runVerb(parser, append(args, "--server", srv.URL))
			spokenOnce = append(spokenOnce, now)
		}
	}
	return spokenOnce
}

// TestEveryPlaceHasItsFlag looks where in a request each value of a verb stands, and demands that a refusal of that place is
// told with its flag.
func TestEveryPlaceHasItsFlag(t *testing.T) {
	for _, s := range everyVerb(t) {
		if s.leaf.FullPath() == "lampworks login" {
			continue
		}
		for where, got := range s.sent {
			given := s.of[got]
			if name := flagOf(where, s.leaf); given != "" && !strings.HasPrefix(name, given) {
				t.Errorf("%s: %s stands at %s, and a refusal of that names %q", s.leaf.FullPath(), given, where, name)
			}
		}
	}
}

// places lists the texts of a JSON value by their pointers.
func places(at string, v any, into map[string]string) {
	switch v := v.(type) {
	case string:
		into[at] = v
	case float64:
		into[at] = strconv.FormatFloat(v, 'f', -1, 64)
	case map[string]any:
		for name, member := range v {
			places(at+"/"+name, member, into)
		}
	}
}

// distinct is a command line each of whose values is another one, and which flag or argument each of them is.
func distinct(line []string, leaf *kong.Node) (args []string, of map[string]string) {
	args, of = slices.Clone(line), make(map[string]string)
	own := func(v *kong.Value, was string) string {
		own := was
		switch n := len(of); v.Target.Interface().(type) {
		case time.Time:
			own = fmt.Sprintf("2027-01-31T00:00:%02dZ", n)
		case int, int64, *int64:
			own = strconv.Itoa(7000 + n)
		case string:
			if v.Flag != nil && slices.Contains(idsOnly, v.Name) {
				own = fmt.Sprintf("%s%02d", anID[:len(anID)-2], n)
			} else if v.Enum == "" && (v.Flag != nil || !strings.HasSuffix(was, ":x")) && !slices.Contains([]string{"server", "token", "file", "out", "fill", "care", "model", "params"}, v.Name) {
				own = "text" + strconv.Itoa(n)
			}
		}
		if own != was {
			of[own] = written(v)
		}
		return own
	}
	n := 0
	for i, word := range args {
		flag := slices.IndexFunc(leaf.Flags, func(f *kong.Flag) bool { return strings.HasPrefix(word, "--"+f.Name+"=") })
		switch {
		case flag >= 0:
			name, value, _ := strings.Cut(word, "=")
			args[i] = name + "=" + own(leaf.Flags[flag].Value, value)
		case i >= len(strings.Fields(leaf.FullPath()))-1 && n < len(leaf.Positional) && !strings.HasPrefix(word, "--"):
			args[i] = own(leaf.Positional[n], word)
			n++
		}
	}
	return args, of
}
