package node

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestForwarded(t *testing.T) {
	trusted, err := parsePrefixes("--trusted-proxies", []string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		peer   string
		tls    bool // of the connection
		fors   []string
		proto  string
		from   string
		secure bool
	}{
		{"198.51.100.1:99", false, []string{"203.0.113.5"}, "https", "198.51.100.1:99", false}, // nobody's proxy
		{"198.51.100.1:99", true, []string{"203.0.113.5"}, "http", "198.51.100.1:99", true},
		{"10.1.2.3:99", false, nil, "", "10.1.2.3:99", false},
		{"10.1.2.3:99", false, []string{"203.0.113.5"}, "https", "203.0.113.5:0", true},
		{"[::ffff:10.1.2.3]:99", false, []string{"203.0.113.5"}, "", "203.0.113.5:0", false},
		{"[2001:db8::9]:99", false, []string{"2001:beef::5"}, "wss", "[2001:beef::5]:0", true},
		{"10.1.2.3:99", true, []string{"203.0.113.5"}, "http", "203.0.113.5:0", false},
		{"10.1.2.3:99", true, []string{"203.0.113.5"}, "", "203.0.113.5:0", true},
		{"10.1.2.3:99", false, []string{"6.6.6.6, 203.0.113.5"}, "https", "203.0.113.5:0", true}, // what it wrote itself is not believed
		{"10.1.2.3:99", false, []string{"6.6.6.6", "203.0.113.5,192.0.2.7 , 10.9.9.9"}, "https", "203.0.113.5:0", true},
		{"10.1.2.3:99", false, []string{"203.0.113.5"}, "https, http", "203.0.113.5:0", false},
		{"10.1.2.3:99", false, []string{"10.7.7.7, 192.0.2.7"}, "", "10.7.7.7:0", false},
		{"10.1.2.3:99", false, []string{"203.0.113.5:4711"}, "", "203.0.113.5:0", false},
		{"10.1.2.3:99", false, []string{"[2001:beef::5]:4711"}, "", "[2001:beef::5]:0", false},
		{"10.1.2.3:99", false, []string{"[2001:beef::5]"}, "", "[2001:beef::5]:0", false},
		{"10.1.2.3:99", false, []string{"fe80::1%eth0"}, "", "[fe80::1]:0", false},
		{"10.1.2.3:99", false, []string{"203.0.113.5, unknown"}, "", "10.1.2.3:99", false},
		{"10.1.2.3:99", false, []string{"203.0.113.5, nonsense, 10.9.9.9"}, "", "10.9.9.9:0", false},
		{"10.1.2.3:99", false, []string{""}, "", "10.1.2.3:99", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.tls {
			r.TLS = new(tls.ConnectionState)
		}
		for _, v := range tt.fors {
			r.Header.Add("X-Forwarded-For", v)
		}
		if tt.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tt.proto)
		}
		behind(trusted, http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) {
			if got.RemoteAddr != tt.from || (got.TLS != nil) != tt.secure {
				t.Errorf("%s forwards %q %q: from %s, secure %v; want %s, %v", tt.peer, tt.fors, tt.proto, got.RemoteAddr, got.TLS != nil, tt.from, tt.secure)
			}
			believed := !strings.HasPrefix(tt.peer, "198.")
			if left := got.Header.Get("X-Forwarded-For") != "" || got.Header.Get("X-Forwarded-Proto") != ""; left && believed {
				t.Errorf("%s forwards %q: the headers are left", tt.peer, tt.fors)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestNetworks(t *testing.T) {
	for _, bad := range []string{"", "10.0.0.0/33", "10.0.0.1/8", "lamp.example", "10.0.0.0/8,10.1.0.0/16"} {
		if _, err := parsePrefixes("--trusted-proxies", []string{bad}); err == nil || !strings.Contains(err.Error(), "want a network") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
