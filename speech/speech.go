// Package speech turns sound into words and words into sound: an interface for
// recognition and one for synthesis, an adapter that runs eSpeak NG as a child
// process, a bounded cache, and a converter of sound. Adapters for servers are
// packages below it.
//
// It owns no table and no file, and promises:
//   - sound of 8 to 48 kHz, in one or two channels, becomes the 16 kHz mono that engines get, however it is cut into pieces;
//   - what it returns is a complete RIFF/WAVE file with true lengths, 16 bit PCM, whatever the engine wrote;
//   - a text never reaches a shell, a command line or markup: it goes to the engine's standard input as plain words;
//   - a call ends within its deadline even when the engine hangs, and the number of engines that run at once is bounded;
//   - without an engine every call fails with [ErrUnavailable], which says what to install; nothing else of the program is affected.
//
// Before any voice gets a text it is written out in words here ([Aloud]): 26℃,
// 50%, 7:30, 2.5 and 4000 K. Mandarin is handed to eSpeak NG as pinyin with tone
// digits, because it reads Chinese characters badly; heteronyms come from a small
// phrase table, English words inside Chinese and Chinese names inside English go
// to the voice of their language.
package speech

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxRunes is the longest text that is spoken, in Unicode code points.
const MaxRunes = 500

// The languages a text can be spoken in.
const (
	Chinese = "zh-CN"
	English = "en"
)

// A Synthesizer speaks. Implementations are safe for concurrent use.
type Synthesizer interface {
	// Speak returns text, spoken in lang ("zh-CN" or "en"), as a WAV file.
	// The caller must not change the bytes: they may be shared.
	// A text that cannot be spoken is a [*TextError]; a missing engine is [ErrUnavailable].
	Speak(ctx context.Context, text, lang string) ([]byte, error)
}

// ErrUnavailable says that no speech engine can be run. The text of the error
// that wraps it names the package to install.
var ErrUnavailable = errors.New("speech is unavailable")

// A TextError is a text or language that cannot be spoken.
type TextError struct {
	Where string // "text" or "lang"
	Got   string // what came, in short
	Rule  string // what is allowed
	Fix   string // what to do
}

func (e *TextError) Error() string {
	return e.Where + " is " + e.Got + ", want " + e.Rule + ": " + e.Fix
}

// CheckText holds the limits that every synthesiser has in common.
func CheckText(text, lang string) error {
	if lang != Chinese && lang != English {
		return &TextError{Where: "lang", Got: fmt.Sprintf("%.16q", lang), Rule: `"zh-CN" or "en"`, Fix: "choose one of the two"}
	}
	if !utf8.ValidString(text) {
		return &TextError{Where: "text", Got: "not UTF-8", Rule: "UTF-8", Fix: "encode it as UTF-8"}
	}
	if n := utf8.RuneCountInString(text); n > MaxRunes {
		return &TextError{
			Where: "text", Got: fmt.Sprintf("%d characters long", n),
			Rule: fmt.Sprintf("at most %d", MaxRunes), Fix: "send it in parts",
		}
	}
	if strings.TrimSpace(text) == "" {
		return errNothing()
	}
	return nil
}

func errNothing() error {
	return &TextError{Where: "text", Got: "empty", Rule: "something that can be said", Fix: "send words or numbers"}
}
