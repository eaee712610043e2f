package main

import (
	"embed"
	"strings"
	"sync"

	"lampworks/internal/edge/api/phrase"
)

// mistakesInChinese is why a command line, a file or a server was not taken: kong.json in the words of kong, lampworks.json in
// those of this program, library.json in those of what both are made of.
//
//go:embed zh-CN/mistake
var mistakesInChinese embed.FS

// mistakes is their catalogue, with what rooms say: a thing model may be wrong here, too. It is read when first asked for.
var mistakes = sync.OnceValues(func() (*phrase.Book, error) {
	return phrase.Extended(mistakesInChinese, "zh-CN/mistake")
})

// explained is what is said of an error in the language of the terminal. What the catalogue does not have stays English.
func explained(err error) string { return inTongue(err.Error()) }

// inTongue is explained for a text of several lines.
func inTongue(text string) string {
	if tongue() != chinese {
		return text
	}
	book, err := mistakes()
	if err != nil {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = book.Say(line)
	}
	return strings.Join(lines, "\n")
}
