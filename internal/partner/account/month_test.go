package account

import (
	"testing"
	"time"
)

func TestMonth(t *testing.T) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	const rule = ", want the month in which the person turns 18, YYYY-MM, this one or one to come"
	for _, tt := range []struct{ month, want string }{
		{"2026-11", ""},
		{"2026-10", "/m is 2026-10" + rule},
		{"2044-12", ""},
		{"2045-01", "/m is 2045-01" + rule},
		{"2027-13", "/m is 2027-13" + rule},
		{"2027-5", "/m is 2027-5" + rule},
		{"", "/m is empty" + rule},
	} {
		if got := text(Month(tt.month).Check("/m", now)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.month, got, tt.want)
		}
	}
	if got, want := Month("2026-12").Ends(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("December ends at %s, want %s", got, want)
	}
	born := SignUp{BirthDate: time.Date(2009, 2, 28, 0, 0, 0, 0, time.UTC)}
	if got := born.adultIn(now); got != "2027-02" {
		t.Errorf("of age in %q", got)
	}
	if got := born.adultIn(now.AddDate(1, 0, 0)); got != "" {
		t.Errorf("who is of age turns 18 in %q", got)
	}
}

func TestMasked(t *testing.T) {
	for _, tt := range []struct{ contact, want string }{
		{"mary@example.com", "m***@example.com"},
		{"@example.com", "***@example.com"},
		{"玛丽@example.com", "玛***@example.com"},
		{"+8613800138000", "+86*********00"},
		{"12345678", "***"},
		{"微信：玛丽的妈妈在这里", "微信：******这里"},
		{"", "***"},
	} {
		if got := Masked(tt.contact); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.contact, got, tt.want)
		}
	}
}
