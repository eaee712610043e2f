// Package phrase says in another language what rooms say in English when they refuse (拒绝的中文).
//
// It owns the catalogue, and promises:
//   - rooms write English, and the log and the audit keep it; only what is answered is translated;
//   - every sentence that a room refuses with has its entry: a test reads the sources for those that lack one, and for entries
//     that nothing uses;
//   - a value, an id or a name of the interface stays as it is, and so does what the catalogue does not have;
//   - nothing is read before the first sentence is asked for.
//
// A sentence of the catalogue has holes where the rooms put values: "the login {} is taken". Its translation takes what is in
// them in their order, or by number, as it is: {} or {2}. What is in a hole [] or [2] is of the catalogue itself, a name, a
// sentence or a list of them, and is looked up.
package phrase

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed zh-CN
var files embed.FS

// Chinese is the catalogue of Chinese, read when it is first asked for.
var Chinese = sync.OnceValue(func() *Book {
	b, err := read(files, "zh-CN")
	if err != nil {
		panic("phrase: " + err.Error()) // it is part of the program, and the tests read it
	}
	return b
})

// Files whose entries are no sentences and names.
const (
	formsFile = "forms.json" // how the place, what came and the rule make one sentence
	gotFile   = "got.json"   // what came, as it is said of a place: "missing"
)

// A Book is the catalogue of one language.
type Book struct {
	forms map[string]string
	got   *index
	said  *index
}

// Extended is the catalogue of Chinese with the sentences of a program beside it, as the JSON files of a folder have them.
func Extended(by fs.FS, folder string) (*Book, error) {
	b, err := read(files, "zh-CN")
	if err != nil {
		return nil, err
	}
	return b, b.addFolder(by, folder)
}

func read(from fs.FS, folder string) (*Book, error) {
	b := &Book{forms: make(map[string]string), got: newIndex(), said: newIndex()}
	if err := b.addFolder(from, folder); err != nil {
		return nil, err
	}
	return b, b.addNames(folder)
}

func (b *Book) addFolder(from fs.FS, folder string) error {
	names, err := fs.Glob(from, folder+"/*.json")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		entries := make(map[string]string)
		if err := json.Unmarshal(text, &entries); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for english, other := range entries {
			if err := b.add(path.Base(name), english, other); err != nil {
				return fmt.Errorf("%s: %q: %w", name, english, err)
			}
		}
	}
	return nil
}

func (b *Book) add(file, english, other string) error {
	switch file {
	case formsFile:
		b.forms[english] = other
		return nil
	case gotFile:
		return b.got.add(english, other)
	}
	return b.said.add(english, other)
}

// Detail translates the sentence of a refusal. Its parts help where the sentence is made of them: what came may be anything.
func (b *Book) Detail(sentence, where, got, rule string) string {
	parts := strings.NewReplacer("{where}", where, "{got}", got, "{rule}", rule)
	for english, other := range b.forms {
		if parts.Replace(english) == sentence {
			return b.formed(other, where, got, rule, deepest)
		}
	}
	return b.Say(sentence)
}

// A mark stands between the sentences or names of a list.
type mark struct{ english, other string }

var (
	betweenSentences = mark{"; ", "；"}
	betweenNames     = []mark{{", ", "、"}, {" or ", "或"}}
)

const (
	deepest  = 6  // levels of holes and lists that are looked into
	maxParts = 16 // of a list
)

// Say translates a sentence, or several of them with "; " between.
func (b *Book) Say(sentence string) string {
	if said, ok := b.say(sentence, deepest); ok {
		return said
	}
	return sentence
}

func (b *Book) say(sentence string, depth int) (string, bool) {
	if said, ok := b.said.whole[sentence]; ok {
		return said, true
	}
	if said, ok := b.sentences(sentence, depth); ok {
		return said, true
	}
	return b.clause(sentence, depth)
}

// look translates what stands in a hole: a name, a list of them, or what Say does.
func (b *Book) look(words string, depth int) string {
	if words == "" || depth <= 0 || words[0] == '/' && !strings.Contains(words, " ") {
		return words
	}
	if said, ok := b.said.whole[words]; ok {
		return said
	}
	if said, ok := b.names(words, betweenNames[:1], depth); ok {
		return said
	}
	if said, ok := b.say(words, depth); ok {
		return said
	}
	said, _ := b.names(words, betweenNames, depth)
	return said
}

// clause translates what is one sentence or name.
func (b *Book) clause(words string, depth int) (string, bool) {
	if depth <= 0 {
		return words, false
	}
	if said, ok := b.said.find(words, b.look, depth-1); ok {
		return said, true
	}
	return b.parted(words, depth-1)
}

// sentences translates several sentences, if the catalogue has them all. One may have the mark in itself: each is as short as
// leaves the others whole.
func (b *Book) sentences(words string, depth int) (string, bool) {
	parts := strings.SplitN(words, betweenSentences.english, maxParts)
	if len(parts) == 1 {
		return words, false
	}
	said := make([]string, len(parts)+1) // from each part to the end
	whole := make([]bool, len(parts)+1)
	whole[len(parts)] = true
	for i := len(parts) - 1; i >= 0; i-- {
		for end := i + 1; end <= len(parts) && !whole[i]; end++ {
			if !whole[end] {
				continue
			}
			said[i], whole[i] = b.clause(strings.Join(parts[i:end], betweenSentences.english), depth)
			if end < len(parts) {
				said[i] += betweenSentences.other + said[end]
			}
		}
	}
	return said[0], whole[0]
}

// names translates a list of names, if all are in the catalogue or names of the interface. One may have the mark in itself.
func (b *Book) names(words string, by []mark, depth int) (string, bool) {
	if depth <= 0 || len(by) == 0 {
		return words, false
	}
	parts := strings.SplitN(words, by[0].english, maxParts)
	if len(parts) == 1 {
		return b.names(words, by[1:], depth)
	}
	var l line
	for len(parts) > 0 {
		n, said := b.name(parts, by, depth)
		if n == 0 {
			return words, false
		}
		if l.Len() > 0 {
			l.write(by[0].other)
		}
		l.write(said)
		parts = parts[n:]
	}
	return l.String(), true
}

// name translates the first of the parts, with those after it that belong to it; 0: it is no name.
func (b *Book) name(parts []string, by []mark, depth int) (n int, said string) {
	for n := 1; n <= len(parts); n++ {
		if said, ok := b.clause(strings.Join(parts[:n], by[0].english), depth); ok {
			return n, said
		}
	}
	if said, ok := b.names(parts[0], by[1:], depth-1); ok {
		return 1, said
	}
	if strings.Contains(parts[0], " ") {
		return 0, ""
	}
	return 1, parts[0]
}

// parted translates a sentence within another that is made of a place, what came there and a rule.
func (b *Book) parted(sentence string, depth int) (string, bool) {
	where, rest, ok := strings.Cut(sentence, " is ")
	if !ok || depth <= 0 || strings.Contains(sentence, betweenSentences.english) || !strings.HasPrefix(where, "/") && !b.said.has(where) {
		return "", false
	}
	english, got, rule := placeForm, rest, ""
	if i := strings.LastIndex(rest, ruleMark); i >= 0 {
		english, got, rule = placeForm+ruleMark+"{rule}", rest[:i], rest[i+len(ruleMark):]
	}
	other, ok := b.forms[english]
	return b.formed(other, where, got, rule, depth), ok
}

// The form of a place with what came there, and what parts it from the rule.
const (
	placeForm = "{where} is {got}"
	ruleMark  = ", want "
)

// formed fills the translation of a form.
func (b *Book) formed(other, where, got, rule string, depth int) string {
	var l line
	for rest := other; rest != ""; {
		text, after, _ := strings.Cut(rest, "{")
		name, next, _ := strings.Cut(after, "}")
		l.write(text)
		switch name {
		case "where":
			l.write(b.look(where, depth))
		case "got":
			said, _ := b.got.find(got, b.look, depth)
			l.write(said)
		case "rule":
			l.write(b.Say(rule))
		}
		rest = next
	}
	return l.String()
}
