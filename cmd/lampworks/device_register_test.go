package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lampworks/internal/fleet/virtual"
)

// TestRegisterOnce: the triple that is handed over is kept before anything is done with it, in a file that is the user's alone; the
// next start asks for none, and a refusal leaves no file.
func TestRegisterOnce(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	const product, mac, secret = "7", "02aab4000007", "086c25813378092753ed1952bd0da2eb"
	asked, answer := 0, `{"code":6288,"message":"no window is open"}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != "/auth/register/device" || r.FormValue("deviceName") != mac || r.FormValue("productKey") != "a1key" || r.FormValue("sign") == "" {
			t.Errorf("asked %s %v", r.URL, r.Form)
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "triple")
	d := deviceCommand{
		Server: "127.0.0.1:1883", Triple: product + "," + mac, Secret: "of the product", ProductKey: "a1key", Category: "light", MQTT: "5", Fault: "none", LogLevel: "info",
		Register: s.URL, Registered: file,
	}
	run := func() (string, error) {
		t.Helper()
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		c, err := d.config()
		if err != nil {
			t.Fatal(err)
		}
		err = d.register(t.Context(), &c)
		return c.Triple.Secret.Reveal(), err
	}
	_, err := run()
	var refused *virtual.NotRegistered
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "open a window") {
		t.Errorf("refused with %v", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a refusal leaves a file: %v", err)
	}
	answer = `{"code":200,"message":"success","data":{"productKey":"a1key","deviceName":"` + mac + `","deviceSecret":"` + secret + `"}}`
	for range 2 {
		got, err := run()
		if err != nil || got != secret {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want once refused and once granted", asked)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	d.Triple = product + ",02aab4000008"
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "another device") {
		t.Errorf("with the triple of another device: %v", err)
	}
}
