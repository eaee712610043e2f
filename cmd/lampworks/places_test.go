package main

import (
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

// TestEveryPlaceHasItsFlag gives each flag and argument of each verb that asks a server a value of its own, looks where in
// the request it stands, and demands that a refusal of that place is told with the flag.
func TestEveryPlaceHasItsFlag(t *testing.T) {
	var sent map[string]string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.URL.Query() {
			sent["/query/"+name] = values[0]
		}
		b, _ := io.ReadAll(r.Body)
		var body any
		if json.Unmarshal(b, &body) == nil {
			places("", body, sent)
		}
		state := "done"
		if strings.HasPrefix(r.URL.Path, "/api/v1/mac-lists") {
			state = "ready"
		}
		io.WriteString(w, `{"id":"x","job":"x","state":"`+state+`","needed":true,"open":true,"items":[],"token":"x","count":0,"actor":{"login":"x"}}`)
	}))
	t.Cleanup(srv.Close)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	silence(t)
	parser := newParser(t)
	for _, leaf := range parser.Model.Leaves(false) {
		if !remote(leaf) || leaf.FullPath() == "lampworks login" {
			continue
		}
		for _, line := range commandLines(t, leaf) {
			if exclusive(leaf) {
				parser = newParser(t) // kong remembers flags that exclude each other
			}
			sent = make(map[string]string)
			args, of := distinct(line, leaf)
			_ = runVerb(parser, append(args, "--server", srv.URL))
			for where, got := range sent {
				given := of[got]
				if name := flagOf(where, leaf); given != "" && !strings.HasPrefix(name, given) {
					t.Errorf("%s: %s stands at %s, and a refusal of that names %q", leaf.FullPath(), given, where, name)
				}
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
