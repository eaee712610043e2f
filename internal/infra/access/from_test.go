package access

import (
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:1":                        "192.0.2.7",
		"192.0.2.7":                          "192.0.2.7",
		"[::ffff:192.0.2.7]:1":               "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:1":           "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff:ffff:ffff:ffff":   "2001:db8:1:2::/64",
		"[fe80::1%eth0]:443":                 "fe80::/64",
		"":                                   "",
		"a name, in a test or behind a pipe": "a name, in a test or behind a pipe",
	} {
		if got := Place(in); got != want {
			t.Errorf("Place(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAgent(t *testing.T) {
	for in, want := range map[string]string{
		"a browser":        "a browser",
		"two\r\nlines\x7f": "twolines",
		"\xff\xfebytes":    "bytes",
		strings.Repeat("a", 199) + "é and the rest": strings.Repeat("a", 199),
	} {
		if got := Agent(in); got != want {
			t.Errorf("Agent(%q) = %q, want %q", in, got, want)
		}
	}
}
