package virtual_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
)

// TestBindTokens: a device shows the tokens that were taken, draws them anew in time, shows none while it is bound, and presses its
// button under the one it shows.
func TestBindTokens(t *testing.T) {
	var shown, news []string
	c := virtual.Config{QoS: 1, OnToken: func(token string) { shown = append(shown, token) }}
	c.OnNews = func(n virtual.News) { news = append(news, string(n.What)) }
	c.OnRefused = func(code int, why string) { news = append(news, fmt.Sprint(code, " ", why)) }
	playAs(t, c, func(t *testing.T, s *server, d *virtual.Device, _ <-chan error) {
		announced := func() (token string, button bool) {
			t.Helper()
			synctest.Wait()
			said := s.heard()
			var a struct {
				Token  string
				Button bool
			}
			if last := said[len(said)-1]; json.Unmarshal([]byte(strings.TrimPrefix(last, "match ")), &a) != nil || len(a.Token) != 32 {
				t.Fatalf("announced %q", said)
			}
			return a.Token, a.Button
		}
		reply := func(code int) { s.answers(alink.EnrolleeMatchReply, code) }
		bind := func(operation string) {
			s.orders(alink.CloudNotify, "", `{"identifier":"awss.BindNotify","value":{"Operation":"`+operation+`"}}`)
		}
		first, _ := announced()
		if err := d.PressButton(t.Context()); len(shown) != 0 || err == nil {
			t.Errorf("before the platform has answered it shows %q, and its button is pressed: %v", shown, err)
		}
		reply(alink.CodeOK)
		if len(shown) != 1 || shown[0] != first {
			t.Fatalf("it announced %s and shows %q", first, shown)
		}
		if err := d.PressButton(t.Context()); err != nil {
			t.Fatal(err)
		}
		if token, button := announced(); token != first || !button {
			t.Errorf("the button announces %s, %v", token, button)
		}
		reply(alink.CodeOK)
		time.Sleep(10 * time.Minute)
		second, _ := announced()
		reply(alink.CodeParam)
		if second == first || len(shown) != 1 || len(news) != 1 || !strings.HasPrefix(news[0], "460 ") {
			t.Errorf("after ten minutes it announced %s and, refused, shows %q; it says %q", second, shown, news)
		}
		time.Sleep(10 * time.Minute)
		third, _ := announced()
		reply(alink.CodeOK)
		if len(shown) != 2 || shown[1] != third {
			t.Errorf("it announced %s and shows %q", third, shown)
		}
		bind("Bind")
		time.Sleep(time.Hour)
		synctest.Wait()
		if said := s.heard(); len(said) != 0 || d.PressButton(t.Context()) == nil {
			t.Errorf("bound, it announces %q, and its button does something", said)
		}
		bind("Unbind")
		if token, _ := announced(); token == third {
			t.Errorf("unbound, it announces %s again", token)
		}
		if got := strings.Join(news[1:], ", "); got != "bound, unbound" {
			t.Errorf("it says %s", got)
		}
	})
}
