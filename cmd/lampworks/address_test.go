package main

import (
	"strings"
	"testing"
)

func TestServerAddress(t *testing.T) {
	for _, tt := range []struct{ from, want, wrong string }{
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		{"https://lamps.example/x/", "https://lamps.example/x/", ""},
		{"127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		{"localhost:8080", "http://localhost:8080", ""},
		{"localhost", "http://localhost", ""},
		{"[::1]:8080", "http://[::1]:8080", ""},
		{"lamps.example:8080", "", "write https://lamps.example:8080 or, without encryption, http://lamps.example:8080"},
		{"192.0.2.7:8080", "", "write https://192.0.2.7:8080"},
		{"mqtt://127.0.0.1", "", `got "mqtt://127.0.0.1"`},
		{"http:/127.0.0.1", "", "want an address as http://HOST:PORT"},
		{":8080", "", "want an address as http://HOST:PORT"},
		{"", "", "want an address as http://HOST:PORT"},
	} {
		got, err := serverAddress(tt.from)
		if got != tt.want || tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
			t.Errorf("%q: %q, %v; want %q, %q", tt.from, got, err, tt.want, tt.wrong)
		}
	}
	t.Setenv("LAMPWORKS_SERVER", "lamps.example:8080")
	if _, err := newParser(t).Parse([]string{"whoami"}); err == nil || !strings.Contains(err.Error(), "does not say how to connect") {
		t.Errorf("in the environment: %v", err)
	}
}
