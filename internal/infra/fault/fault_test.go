package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestErrorSaysWhatWhereAndRule(t *testing.T) {
	for _, tt := range []struct {
		f    *Fault
		code Code
		want string
	}{
		{Invalid("/params/brightness", "0", "an integer from 1 to 100 %", "send 1..100"), "invalid", "/params/brightness is 0, want an integer from 1 to 100 %"},
		{Invalid("/name", "", "1 to 64 bytes", ""), "invalid", "/name is empty, want 1 to 64 bytes"},
		{Unauthenticated("nobody is signed in"), "unauthenticated", "nobody is signed in"},
		{Forbidden("product.write", "role owner"), "forbidden", "product.write is not allowed: it needs role owner"},
		{Forbidden("product.write", ""), "forbidden", "product.write is not allowed"},
		{NotFound("product", "4711"), "not_found", `there is no product "4711"`},
		{Conflict("login", "the login is taken"), "conflict", "the login is taken"},
		{Closed("approve", "draft", []string{"submit", "drop"}), "conflict", "approve is not open in state draft"},
		{Stale("order", "7"), "stale", `order "7" was changed by somebody else meanwhile`},
		{Limit("triples", "101", "100", time.Minute), "limit", "triples is 101, the limit is 100"},
		{TooLarge("/payload", 300, 256), "too_large", "/payload has 300 bytes, the most is 256"},
		{Unsupported("qos", "3", "0 to 2"), "unsupported", "qos is 3, supported is 0 to 2"},
		{Unavailable("the disk is full", errors.New("SQLITE_FULL")), "unavailable", "the disk is full: SQLITE_FULL"},
		{Expired("code", "ab"), "expired", `code "ab" has expired`},
		{&Fault{Code: Clash}, "conflict", "conflict"},
		{&Fault{Code: Malformed, Where: "a", Got: "1", Rule: "2"}, "invalid", "a is 1, want 2"},
	} {
		if got := tt.f.Error(); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
		if tt.f.Code != tt.code {
			t.Errorf("%q has code %q, want %q", tt.want, tt.f.Code, tt.code)
		}
	}
}

func TestUnlistedNamesTheCatalogue(t *testing.T) {
	short := strings.Fields("a b c d e f g h i j k l") // twelve
	long := append(strings.Fields("light lamp lightstrip light_colour curtain fan"), short...)
	for _, tt := range []struct {
		got  string
		all  []string
		want string
	}{
		{"m", short, "/kind is m, want one of a, b, c, d, e, f, g, h, i, j, k, l"},
		{"", short, "/kind is empty, want one of a, b, c, d, e, f, g, h, i, j, k, l"},
		{"m", append(short, "z"), "/kind is m, want one of the 13 that GET /kinds lists"},
		{"Lihgt", long, "/kind is Lihgt, want one of the 18 that GET /kinds lists; the nearest are light"},
		{"lightstrips", long, "/kind is lightstrips, want one of the 18 that GET /kinds lists; the nearest are lightstrip, light, light_colour"},
		{"", long, "/kind is empty, want one of the 18 that GET /kinds lists"},
		{strings.Repeat("x", 100_000), long, "/kind is " + strings.Repeat("x", 61) + "…, want one of the 18 that GET /kinds lists"},
		{"colour", long, "/kind is colour, want one of the 18 that GET /kinds lists; the nearest are light_colour"},
	} {
		f := Unlisted("/kind", tt.got, tt.all, "GET /kinds")
		if f.What != tt.want || f.Fix != "GET /kinds lists them" {
			t.Errorf("%.20q\n got %q, %q\nwant %q", tt.got, f.What, f.Fix, tt.want)
		}
	}
}

func TestOfLooksThroughWrapping(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("opening: %w", Unavailable("the file is gone", cause))
	if !Is(err, Down) || Is(err, Missing) || Is(cause, Down) || Is(nil, Down) {
		t.Errorf("Is does not tell the code of %v", err)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got, want := Of(err).Sentence(), "the file is gone"; got != want {
		t.Errorf("Sentence gives %q, want %q", got, want)
	}
}

func TestCutKeepsWholeVisibleCharacters(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"lamp", "lamp"},
		{"a\nb\x00c\x7f", "a\uFFFDb\uFFFDc\uFFFD"},
		{"\xff\xfe", "\uFFFD"},
		{strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), strings.Repeat("a", 61) + "…"},
		{strings.Repeat("灯", 30), strings.Repeat("灯", 20) + "…"},
	} {
		if got := Cut(tt.in); got != tt.want {
			t.Errorf("Cut(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}
