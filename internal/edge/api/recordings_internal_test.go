package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
)

// A body that drips does not hold its place for ever, and the deadline of one that came is over with it.
func TestABodyThatDripsIsGivenUp(t *testing.T) {
	read := make(chan error, 1)
	lived := make(chan bool, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := file{body: r.Body, control: http.NewResponseController(w)}.whole(8, 500*time.Millisecond)
		read <- err
		if err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			lived <- false
		case <-time.After(700 * time.Millisecond): // longer than the deadline of the body
			lived <- true
		}
		_, _ = w.Write(b)
	}))
	defer s.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
	go func() {
		for range 7 { // each piece in time, all of them not
			time.Sleep(100 * time.Millisecond)
			fmt.Fprint(conn, "x")
		}
	}()
	if err := <-read; !fault.Is(err, fault.Down) {
		t.Errorf("a body that drips: %v", err)
	}
	answer, err := http.Post(s.URL, "audio/wav", strings.NewReader("12345678"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, err := io.ReadAll(answer.Body); string(b) != "12345678" || err != nil || <-read != nil || !<-lived {
		t.Errorf("a body that came is %q (%v)", b, err)
	}
	if _, err := http.Post(s.URL, "audio/wav", strings.NewReader("123456789")); err != nil {
		t.Fatal(err)
	}
	if err := <-read; !fault.Is(err, fault.TooBig) {
		t.Errorf("a body beyond its limit: %v", err)
	}
}

// TestNoOrganisationTakesAllEars: what one is heard does not keep the others from being heard, and places come back.
func TestNoOrganisationTakesAllEars(t *testing.T) {
	h := hearingSeats()
	var leave []func()
	for i, tt := range []struct {
		of   string
		want bool
	}{{"a", true}, {"a", true}, {"a", false}, {"b", true}, {"b", true}, {"c", true}, {"c", true}, {"d", true}, {"d", true}, {"e", false}} {
		l, err := h.take(tt.of)
		if (err == nil) != tt.want || err != nil && !fault.Is(err, fault.Down) {
			t.Errorf("entry %d, of %s: %v", i, tt.of, err)
		}
		leave = append(leave, l)
	}
	leave[0]()
	if _, err := h.take("e"); err != nil {
		t.Errorf("a place that was given back: %v", err)
	}
	if _, err := h.take("a"); err == nil {
		t.Error("a place that was taken is given again")
	}
}
