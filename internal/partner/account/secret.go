package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[secret]"

// secret is a text that no format, log or encoder shows. It is held by a pointer, so that fmt finds nothing to print even
// where it cannot call methods: in an unexported field of somebody else's struct.
type secret struct{ text *string }

func hide(text string) secret { return secret{text: &text} }

// Reveal returns the text. It is the only way out.
func (s secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String returns "[secret]".
func (s secret) String() string { return hidden }

// Format writes "[secret]" for every verb.
func (s secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue returns "[secret]".
func (s secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes "[secret]".
func (s secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// UnmarshalJSON reads a JSON string. Its error does not quote what it read.
func (s *secret) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New("a secret is not a JSON string")
	}
	*s = hide(text)
	return nil
}

// Password is what a person knows. It cannot be printed; [Password.Reveal] gives the text. The zero value is empty.
type Password struct{ secret }

// NewPassword wraps a password as the person typed it.
func NewPassword(text string) Password { return Password{hide(text)} }

// Token is what a session or a program shows to act: "lws_…" for a session, "lw_<prefix>_<secret>" for an API token.
// It cannot be printed; [Token.Reveal] gives the text. Only its hash is stored.
type Token struct{ secret }

// Code is the one-time code of the first operator. It cannot be printed; [Code.Reveal] gives the text.
type Code struct{ secret }
