package phrase

import (
	"encoding/json"
	"fmt"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kept are names of the interface that stand in Chinese as they are.
var kept = strings.Fields("Content-Type Idempotency-Key Range audit-keep cursor id limit product_id GET POST PUT PATCH DELETE")

// values are what rooms repeat as it came, where it is one of their own words.
var values = strings.Fields("chip en failed mail module set sms solution terminal terminate true null user xlsx zh-CN")

// unseen are expressions whose texts cannot be read from the sources, with what is in them.
var unseen = map[string]string{
	"err.Error()": "what a library says of a file that it cannot read; a list or a log is refused with it, which is no answer to a request",
}

// libraryFile has what libraries say, which is in no source of ours; TestLibraries holds it against them.
const libraryFile = "library.json"

// TestEverySentenceHasItsChinese reads every text that a refusal can show from the sources, and holds the catalogue against
// them. Whoever adds a refusal adds its Chinese, and takes it out with it.
func TestEverySentenceHasItsChinese(t *testing.T) {
	set, all := load(t)
	r := &reading{t: t, book: Chinese(), used: make(map[string]bool), told: make(map[string]bool)}
	f := newFlow(set, all)
	for _, s := range f.sayings(all) {
		r.check(s)
	}
	for name := range f.strangers {
		r.tell("constructors has no %s: which of its arguments are shown?", name)
	}
	for file, entries := range catalogue(t) {
		for english := range entries {
			if file != libraryFile && !r.used[file+english] && !r.used[english] {
				r.tell("%s has %q, which nothing says", file, english)
			}
		}
	}
	for what := range unseen {
		if !r.used[what] {
			r.tell("the exception %s is needed no more", what)
		}
	}
}

// catalogue is the entries by file.
func catalogue(t *testing.T) map[string]map[string]string {
	t.Helper()
	names, err := fs.Glob(files, "zh-CN/*.json")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]map[string]string)
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		entries := make(map[string]string)
		if err := json.Unmarshal(text, &entries); err != nil {
			t.Fatal(err)
		}
		out[path.Base(name)] = entries
	}
	return out
}

// A reading holds what the sources say against the catalogue.
type reading struct {
	t    *testing.T
	book *Book
	used map[string]bool // entries and exceptions; before what came, the name of its file
	told map[string]bool // failures, each once
}

func (r *reading) tell(format string, args ...any) {
	r.t.Helper()
	if text := fmt.Sprintf(format, args...); !r.told[text] {
		r.told[text] = true
		r.t.Error(text)
	}
}

var (
	letters   = regexp.MustCompile(`[A-Za-z]`)
	prose     = regexp.MustCompile(`[A-Za-z] [A-Za-z]`)
	reference = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) /\S+$`)
)

func place(at token.Position) string {
	folder, _ := filepath.Abs(root)
	name, _ := filepath.Rel(folder, at.Filename)
	return fmt.Sprintf("%s:%d", filepath.ToSlash(name), at.Line)
}

// check looks for the entry of one text.
func (r *reading) check(s saying) {
	english := s.String()
	switch {
	case s.opaque():
		r.opaque(s)
	case !letters.MatchString(english), s.role == "name" && strings.HasPrefix(english, "/"), reference.MatchString(english), slices.Contains(kept, english):
	case s.role == "got":
		r.came(s, english)
	case r.formed(s, english):
	default:
		r.said(s, english)
	}
}

// opaque is a text of which nothing is known here: what it may be is looked at instead.
func (r *reading) opaque(s saying) {
	p := s.template[0]
	switch {
	case p.bare, p.relay, s.role == "name", s.role == "got":
	case len(p.may) > 0:
		for _, m := range p.may {
			r.check(saying{s.at, s.role, m})
		}
	case strings.HasSuffix(filepath.Dir(s.at.Filename), "infra/fault"): // its parameters: see where it is called
	case unseen[p.text] != "":
		r.used[p.text] = true
	default:
		r.tell("%s: %s cannot be seen; make it a constant or a table", place(s.at), p.text)
	}
}

// came looks for what came, as it is said of a place.
func (r *reading) came(s saying, english string) {
	if !prose.MatchString(english) && (slices.Contains(values, english) || strings.ContainsAny(english, "_./")) {
		return // as it is
	}
	if r.book.got.has(english) {
		r.used[gotFile+english] = true
		r.used[gotFile+hole] = true
		return
	}
	r.tell("%s: no Chinese for what came, %q, in %s", place(s.at), english, gotFile)
}

// formed says whether a text is a form, with holes for its parts.
func (r *reading) formed(s saying, english string) bool {
	for form := range r.book.forms {
		if regexp.MustCompile(`\{\w+\}`).ReplaceAllString(form, hole) == english {
			r.used[formsFile+form] = true
			i := slices.IndexFunc(s.template, func(p part) bool { return p.hole })
			for _, m := range s.template[i].may {
				r.check(saying{s.at, "name", m})
			}
			return true
		}
	}
	return false
}

// said looks for a sentence or name.
func (r *reading) said(s saying, english string) {
	x := r.book.said
	if !strings.Contains(english, " ") && strings.Contains(english, "/") {
		return // a type of files
	}
	if x.whole[english] != "" {
		r.used[english] = true
		return
	}
	if parts := strings.Split(english, "; "); !x.has(english) && len(parts) > 1 {
		for _, one := range parts {
			r.check(saying{s.at, s.role, split(one)})
		}
		return
	}
	p := x.best(english)
	if p == nil {
		r.tell("%s: no Chinese for %q", place(s.at), english)
		return
	}
	r.used[p.english] = true
	if said := p.fill(p.values(strings.ReplaceAll(english, hole, "§")), r.book.look, deepest); residue(said) != "" {
		r.tell("%s: no Chinese for %q; by %q it is %s", place(s.at), english, p.english, said)
		return
	}
	if p.english == english {
		r.holes(s, p)
	}
}

// holes looks at what may stand in the holes of a sentence: words, where they are looked up, and no sentence where not.
func (r *reading) holes(s saying, p *pattern) {
	var may [][]template
	for _, part := range s.template {
		if part.hole {
			may = append(may, part.may)
		}
	}
	for _, piece := range p.other {
		if piece.hole == 0 {
			continue
		}
		for _, m := range may[piece.hole-1] {
			switch {
			case piece.look:
				r.check(saying{s.at, "name", m})
				r.special(s, piece.hole, m)
			case !m.opaque() && prose.MatchString(m.String()):
				r.tell("%s: hole %d of %q may hold %q; write it [%[2]d]", place(s.at), piece.hole, p.english, m)
			}
		}
	}
}

// special marks an entry of a sentence with one certain word in a hole.
func (r *reading) special(s saying, n int, word template) {
	var one template
	for _, part := range s.template {
		if part.hole {
			if n--; n == 0 {
				one = append(one, word...)
				continue
			}
		}
		one = append(one, part)
	}
	if english := one.String(); r.book.said.has(english) {
		r.used[english] = true
	}
}

var aside = regexp.MustCompile(`"[^"]*"|'[^']*'|“[^”]*”|(?:(?:GET|POST|PUT|PATCH|DELETE) )?/[^\s，。；：）]+|\{[^}]*\}`)

// residue is what is English in a Chinese sentence: a word that is neither quoted nor a name of the interface.
func residue(said string) string {
	for _, word := range regexp.MustCompile(`[A-Za-z][\w.:/@+-]*`).FindAllString(aside.ReplaceAllString(said, " "), -1) {
		if strings.ToLower(word) == word && !strings.ContainsAny(word, "_./:@0123456789") && !slices.Contains(kept, word) {
			return word
		}
	}
	return ""
}

// split makes a template of a text with holes.
func split(english string) template {
	var t template
	for i, text := range strings.Split(english, hole) {
		if i > 0 {
			t = append(t, part{hole: true, bare: true})
		}
		if text != "" {
			t = append(t, part{text: text})
		}
	}
	return t
}
