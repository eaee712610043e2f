package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestOutcome holds what verbs print that ask more than once: an approval waits at the order, for the job is the maker's,
// and a rejection is shown with its reasons.
func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		answers map[string][]string // by method and path, one after the other; the last stays
		want    string
		wrong   string
	}{
		{
			"an approval that waits",
			[]string{"order", "approve", "o", "--wait"},
			map[string][]string{
				"POST /api/v1/orders/o/decision": {`{"id":"o","state":"issuing","job":"j"}`},
				"GET /api/v1/orders/o":           {`{"state":"issuing","quantity":2}`, `{"state":"issued"}`},
			},
			"{\n  \"state\": \"issued\"\n}\n", "",
		},
		{
			"an approval that fails",
			[]string{"order", "approve", "o", "--wait"},
			map[string][]string{
				"POST /api/v1/orders/o/decision": {`{"id":"o","state":"issuing","job":"j"}`},
				"GET /api/v1/orders/o":           {`{"state":"failed","reason":"no addresses"}`},
			},
			"{\n  \"state\": \"failed\",\n  \"reason\": \"no addresses\"\n}\n", "the order is failed: no addresses",
		},
		{
			"a command that ends as failed",
			[]string{"fleet", "command", "d", "{}", "--wait=1s"},
			map[string][]string{"POST /api/v1/devices/d/commands": {`{"state":"failed","reason":"refused","note":"too hot"}`}},
			"{\n  \"state\": \"failed\",\n  \"reason\": \"refused\",\n  \"note\": \"too hot\"\n}\n",
			"the command ended as failed, refused: the device answered that it did not do it\ntoo hot",
		},
		{
			"a call that nobody answers",
			[]string{"fleet", "call", "d", "ring", "--sync"},
			map[string][]string{"POST /api/v1/devices/d/services/ring": {`{"state":"expired","reason":"offline"}`}},
			"{\n  \"state\": \"expired\",\n  \"reason\": \"offline\"\n}\n",
			"the command ended as expired, offline: the device was not connected before the deadline",
		},
		{
			"a command that goes on",
			[]string{"fleet", "send", "d", "hello", "--text=x", "--wait=1s"},
			map[string][]string{"POST /api/v1/devices/d/messages": {`{"id":"k","state":"sent"}`}},
			"{\n  \"id\": \"k\",\n  \"state\": \"sent\"\n}\n",
			"the command has not ended yet, it is sent; see what becomes of it: lampworks fleet result k",
		},
		{
			"a command that nobody waits for",
			[]string{"fleet", "command", "d", "{}"},
			map[string][]string{"POST /api/v1/devices/d/commands": {`{"state":"accepted"}`}},
			"{\n  \"state\": \"accepted\"\n}\n", "",
		},
		{
			"a gateway that is not there",
			[]string{"fleet", "permit", "d", "--wait=1s"},
			map[string][]string{"POST /api/v1/devices/d/permit-join": {`{"state":"failed","reason":"unconfirmed"}`}},
			"{\n  \"state\": \"failed\",\n  \"reason\": \"unconfirmed\"\n}\n",
			"the command ended as failed, unconfirmed: it was sent, and the device did not say in time whether it did it",
		},
		{
			"half a minute",
			[]string{"order", "open", "o", "--window=30s", "--reason=x"},
			nil, "", "--window 30s: want whole minutes, as 10m",
		},
		{
			"a rejection",
			[]string{"verify", "show", "x"},
			map[string][]string{
				"GET /api/v1/organisations/x/verification":             {`{"state":"rejected"}`},
				"GET /api/v1/organisations/x/verification/submissions": {`{"items":[{"number":1,"state":"rejected","reasons":[{"code":"unreadable"}]}]}`},
			},
			"{\n  \"state\": \"rejected\",\n  \"last_submission\": {\n    \"number\": 1,\n    \"state\": \"rejected\",\n    \"reasons\": [\n      {\n        \"code\": \"unreadable\"\n      }\n    ]\n  }\n}\n", "",
		},
		{
			"an act without an answer",
			[]string{"order", "revoke", "o", "--reason=x"},
			map[string][]string{"POST /api/v1/orders/o/revocation": {``}},
			"revoked: the secrets of order o; sessions with them end within seconds, and the next download hands out new ones\n", "",
		},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := r.Method + " " + r.URL.Path
			left, ok := tt.answers[key]
			if !ok {
				t.Errorf("%s: asked %s", tt.name, key)
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if len(left) > 1 {
				tt.answers[key] = left[1:]
			}
			io.WriteString(w, left[0])
		}))
		got, wrong := printed(t, func() error {
			return runVerb(newParser(t), append(tt.args, "--token=t", "--server="+srv.URL))
		}), ""
		srv.Close()
		if got.err != nil {
			wrong = got.err.Error()
		}
		if got.text != tt.want || wrong != tt.wrong {
			t.Errorf("%s\n got %q, error %q\nwant %q, error %q", tt.name, got.text, wrong, tt.want, tt.wrong)
		}
	}
}

type outcome struct {
	text string
	err  error
}

// printed is what do prints on standard output, and its error.
func printed(t *testing.T, do func() error) outcome {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = f
	o := outcome{err: do()}
	os.Stdout = before
	f.Close()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o.text = string(text)
	return o
}
