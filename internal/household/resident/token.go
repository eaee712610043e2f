package resident

import (
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[secret]"

// Token is what a session shows to act, "lwr_…". It cannot be printed; [Token.Reveal] gives the text.
type Token struct{ text *string } // a pointer, so that fmt finds nothing to print even where it cannot call methods

func hide(text string) Token { return Token{&text} }

// Reveal returns the text. It is the only way out.
func (t Token) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// Format writes "[secret]" for every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue returns "[secret]".
func (t Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes "[secret]".
func (t Token) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
