package api

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPanicBreaksTheConnection never lets half an answer look whole, and is seen in the log.
func TestPanicBreaksTheConnection(t *testing.T) {
	var logged bytes.Buffer
	a := &API{Config: Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))}}
	server := httptest.NewUnstartedServer(a.door(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("a mistake of ours")
	})))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	res, err := server.Client().Get(server.URL + "/api/v1/x")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
	server.Close()
	if !strings.Contains(logged.String(), `panic="a mistake of ours"`) || !strings.Contains(logged.String(), "request=") {
		t.Errorf("the log has %q", logged.String())
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(Config{})
	}
}
