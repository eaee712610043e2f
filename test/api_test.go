package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// try calls the API and decodes the answer into out, if that is not nil.
func (s *server) try(method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.http+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, err
	}
	if res.StatusCode >= 300 {
		return res.StatusCode, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
	}
	if out == nil || len(answer) == 0 {
		return res.StatusCode, nil
	}
	return res.StatusCode, json.Unmarshal(answer, out)
}

// call does the same and must succeed. Beyond the limit of requests a second it waits, as a good client does.
func (s *server) call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	for range 10 {
		status, err := s.try(method, path, in, out)
		if status == http.StatusTooManyRequests {
			time.Sleep(time.Second) // as Retry-After says
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s %s: beyond the limit of requests ten times", method, path)
}

type deviceView struct {
	ID     string `json:"id"`
	Name   string `json:"device_name"`
	Online bool   `json:"online"`
	Reason string `json:"reason"`
}

// device is the platform's view of a triple's device.
func (s *server) device(t testing.TB, name string) deviceView {
	t.Helper()
	var page struct {
		Items []deviceView `json:"items"`
	}
	s.call(t, "GET", "/api/v1/devices?name="+name, nil, &page)
	if len(page.Items) != 1 {
		t.Fatalf("%d devices are called %s, want 1", len(page.Items), name)
	}
	return page.Items[0]
}

// sessionEnd waits until the platform says that the device's session is over, and returns why.
func (s *server) sessionEnd(t testing.TB, name string) string {
	t.Helper()
	var d deviceView
	eventually(t, "the end of the session of "+name, func() (bool, any) {
		d = s.device(t, name)
		return !d.Online && d.Reason != "", d
	})
	return d.Reason
}

// reported waits until the platform knows a property as want.
func (s *server) reported(t testing.TB, id, property, want string) {
	t.Helper()
	eventually(t, property+"="+want, func() (bool, any) {
		var sh struct {
			Reported map[string]struct {
				Value json.RawMessage `json:"value"`
			} `json:"reported"`
		}
		s.call(t, "GET", "/api/v1/devices/"+id+"/shadow", nil, &sh)
		return string(sh.Reported[property].Value) == want, sh.Reported
	})
}

type commandView struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	State   string          `json:"state"`
	Reason  string          `json:"reason"`
	Note    string          `json:"note"`
	Result  json.RawMessage `json:"result"`
	EndedAt *time.Time      `json:"ended_at"`
}

type newCommand struct {
	Kind       string         `json:"kind"`
	Service    string         `json:"service,omitempty"`
	Params     map[string]any `json:"params"`
	DeadlineMS int            `json:"deadline_ms,omitempty"`
	WaitMS     int            `json:"wait_ms,omitempty"`
}

func set(property string, value any) newCommand {
	return newCommand{Kind: "property_set", Params: map[string]any{property: value}, WaitMS: 15_000}
}

// command gives a command to a device and waits for its end.
func (s *server) command(t testing.TB, id string, in newCommand) commandView {
	t.Helper()
	var c commandView
	s.call(t, "POST", "/api/v1/devices/"+id+"/commands", in, &c)
	return c
}

// wantEnd fails unless the command ended so.
func wantEnd(t testing.TB, c commandView, state, reason string) {
	t.Helper()
	if c.State != state || c.Reason != reason {
		t.Errorf("command ended as %s %q (%s), want %s %q", c.State, c.Reason, c.Note, state, reason)
	}
}

type answer struct {
	Text    string `json:"text"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Reply   string `json:"reply"`
	Actions []struct {
		Op      string `json:"op"`
		Prop    string `json:"prop"`
		Service string `json:"service"`
		Value   any    `json:"value"`
		Targets []struct {
			Device  string `json:"device"`
			Room    string `json:"room"`
			Name    string `json:"name"`
			Outcome string `json:"outcome"`
			Reason  string `json:"reason"`
		} `json:"targets"`
	} `json:"actions"`
}

// home is the demo's home.
func (s *server) home(t testing.TB) string {
	t.Helper()
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	s.call(t, "GET", "/api/v1/homes", nil, &page)
	if len(page.Items) != 1 {
		t.Fatalf("the demo has %d homes, want 1", len(page.Items))
	}
	return page.Items[0].ID
}

// say says a sentence to the demo's home. Each speaker is a conversation of its own.
func (s *server) say(t testing.TB, speaker, text string) answer {
	t.Helper()
	var a answer
	s.call(t, "POST", "/api/v1/homes/"+url.PathEscape(s.home(t))+"/sentences", map[string]string{"text": text, "speaker": speaker}, &a)
	return a
}
