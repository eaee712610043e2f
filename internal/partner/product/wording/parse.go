package wording

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/fault"
	"lampworks/nlu"
	"lampworks/tsl"
)

// Parse reads a document by itself: its form, its words, its replies. [Check] holds it against a product.
func Parse(document []byte) (Document, tsl.Problems) {
	root, problem := tree(document)
	if problem != nil {
		return Document{}, tsl.Problems{*problem}
	}
	p := &parser{}
	var d Document
	p.object("", root, func(at, name string, n *node) bool {
		switch name {
		case "names":
			d.Names = p.words(at, n)
		case "properties":
			d.Properties = table(p, at, n, p.property)
		case "services":
			d.Services = table(p, at, n, p.service)
		case "replies":
			d.Replies = table(p, at, n, p.reply)
		default:
			return false
		}
		return true
	})
	if p.count > MaxWords {
		p.add("", strconv.Itoa(p.count)+" words", "at most 1000 words in one document", "leave the rarest out")
	}
	return d, p.problems
}

type parser struct {
	problems tsl.Problems
	count    int // words so far
}

func (p *parser) add(at, got, rule, fix string) {
	p.problems = append(p.problems, tsl.Problem{Path: at, Got: got, Rule: rule, Fix: fix})
}

// object reads the members that read knows.
func (p *parser) object(at string, n *node, read func(at, name string, n *node) bool) {
	if n.kind != '{' {
		p.add(at, n.got(), "an object", "")
		return
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		where := at + pointer(m.name)
		switch {
		case seen[m.name]:
			p.add(where, "given twice", "", "keep one of them")
		case !read(where, m.name, m.value):
			p.add(where, "not a member of a voice configuration", "", "leave it out")
		}
		seen[m.name] = true
	}
}

// table reads an object whose members are named by the thing model.
func table[T any](p *parser, at string, n *node, read func(at string, n *node) T) map[string]T {
	if len(n.members) > MaxThings {
		p.add(at, strconv.Itoa(len(n.members)), "at most 200 members", "")
		return nil
	}
	all := make(map[string]T, len(n.members))
	p.object(at, n, func(at, name string, n *node) bool {
		all[name] = read(at, n)
		return true
	})
	return all
}

func (p *parser) property(at string, n *node) (out Property) {
	p.object(at, n, func(at, name string, n *node) bool {
		switch name {
		case "names":
			out.Names = p.words(at, n)
		case "values":
			out.Values = table(p, at, n, p.words)
		case "verbs":
			out.Verbs = p.verbs(at, n)
		case "confirm":
			out.Confirm = p.confirm(at, n)
		default:
			return false
		}
		return true
	})
	return out
}

func (p *parser) verbs(at string, n *node) *Verbs {
	out := &Verbs{}
	p.object(at, n, func(at, name string, n *node) bool {
		switch name {
		case "raise":
			out.Raise = p.words(at, n)
		case "lower":
			out.Lower = p.words(at, n)
		default:
			return false
		}
		return true
	})
	return out
}

func (p *parser) service(at string, n *node) (out Service) {
	p.object(at, n, func(at, name string, n *node) bool {
		switch name {
		case "phrases":
			out.Phrases = p.words(at, n)
		case "confirm":
			out.Confirm = p.confirm(at, n)
		default:
			return false
		}
		return true
	})
	return out
}

// confirm: it can be asked for. What is dangerous is confirmed whatever stands here.
func (p *parser) confirm(at string, n *node) bool {
	if n.kind != 'b' || !n.truth {
		p.add(at, n.got(), "true", "leave it out: what is dangerous is confirmed in any case")
	}
	return true
}

// words reads lists of words by language.
func (p *parser) words(at string, n *node) Words {
	out := Words{}
	p.object(at, n, func(at, lang string, n *node) bool {
		if !p.language(at, lang) {
			return true
		}
		if n.kind != '[' || len(n.items) > MaxList {
			p.add(at, n.got(), "a list of at most 16 words", "")
			return true
		}
		p.count += len(n.items)
		for i, item := range n.items {
			if w, ok := p.word(at+"/"+index(i), lang, item); ok {
				out[lang] = append(out[lang], w)
			}
		}
		return true
	})
	return out
}

func (p *parser) language(at, lang string) bool {
	if !slices.Contains(languages, lang) {
		p.add(at, fault.Cut(lang), `the language "zh-CN" or "en"`, "use one of the two")
		return false
	}
	return true
}

func (p *parser) word(at, lang string, n *node) (string, bool) {
	kept, ok := nlu.Sayable(n.text)
	switch {
	case n.kind != 's' || !ok:
		p.add(at, n.got(), "1 to 32 characters with a letter or digit, and no control characters", "choose another word")
	case lang == nlu.English && nlu.HasChinese(kept):
		p.add(at, n.got(), "an English word without Chinese characters", "put it under zh-CN")
	case len([]rune(nlu.Folded(kept))) < 2:
		p.add(at, n.got(), "a word of at least two characters", "choose a longer word: one character is in too many others")
	case !strings.ContainsFunc(kept, unicode.IsLetter):
		p.add(at, n.got(), "a word, not a number", "choose another word")
	default:
		return kept, true
	}
	return "", false
}

func (p *parser) reply(at string, n *node) (out Reply) {
	p.object(at, n, func(at, name string, n *node) bool {
		if name != "done" {
			return false
		}
		out.Done = map[string]string{}
		p.object(at, n, func(at, lang string, n *node) bool {
			if p.language(at, lang) && p.said(at, n) {
				out.Done[lang] = strings.TrimSpace(n.text)
			}
			return true
		})
		return true
	})
	return out
}

// said checks a sentence with slots.
func (p *parser) said(at string, n *node) bool {
	text := strings.TrimSpace(n.text)
	if n.kind != 's' || text == "" || utf8.RuneCountInString(text) > MaxReply || strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }) {
		p.add(at, n.got(), "a sentence of 1 to 120 characters on one line", "")
		return false
	}
	rest := strings.NewReplacer(SlotDevice, "", SlotValue, "").Replace(text)
	if strings.ContainsAny(rest, "{}") {
		p.add(at, n.got(), "no braces but those of {device} and {value}", "leave the others out")
		return false
	}
	return true
}

func index(i int) string { return strconv.Itoa(i) }

// enumKey reads the number of an enum's value, as the thing model writes it.
func enumKey(key string) (int64, bool) {
	n, err := strconv.ParseInt(key, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == key
}
