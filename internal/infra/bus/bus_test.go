package bus

import "testing"

func TestValid(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"command.due.0198f3c2", ""},
		{"command.>", ""},
		{"a", ""},
		{"", "subject has 0 bytes, want 1 to 255"},
		{"a..b", `subject "a..b" has an empty token`},
		{"a.>.b", `subject "a.>.b" has the token ">"`},
		{">", `subject ">" has the token ">"`},
		{"a b", `subject "a b" has the token "a b"`},
	} {
		got := ""
		if err := Valid(tt.in); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Valid(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}
