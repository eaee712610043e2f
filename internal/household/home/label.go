package home

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"lampworks/internal/infra/fault"
	"lampworks/nlu"
)

// Limits of names.
const (
	MaxName    = nlu.MaxSayable // characters of a name or alias
	MaxAliases = 8              // aliases in one language
)

// Languages a name may be given in.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Names is what something is called, by language: "zh-CN", "en".
type Names map[string]string

// Aliases is what else it is called, by language.
type Aliases map[string][]string

// A Label is every name of a room or device. A name in one language is enough.
type Label struct {
	Names   Names
	Aliases Aliases
}

// In is the name in lang, or in the other language where lang has none.
func (n Names) In(lang string) string {
	if name := n[lang]; name != "" {
		return name
	}
	for _, l := range []string{Chinese, English} {
		if name := n[l]; name != "" {
			return name
		}
	}
	return ""
}

// All lists names and aliases by language, the name first: the form that
// understanding takes.
func (l Label) All() map[string][]string {
	all := make(map[string][]string)
	l.Each(func(lang, name string) { all[lang] = append(all[lang], name) })
	return all
}

// Each goes through names and aliases, a language at a time, the name first.
func (l Label) Each(do func(lang, name string)) {
	for _, lang := range []string{Chinese, English} {
		if name := l.Names[lang]; name != "" {
			do(lang, name)
		}
		for _, alias := range l.Aliases[lang] {
			do(lang, alias)
		}
	}
}

// Checked holds a label against the rules and returns it in the form it is kept in.
func (l Label) Checked() (Label, error) {
	if len(l.Names) == 0 {
		return Label{}, fault.Invalid("/names", "", `a name in "zh-CN" or "en"`, "give at least one")
	}
	kept := Label{Names: make(Names), Aliases: make(Aliases)}
	for _, lang := range slices.Sorted(maps.Keys(l.Names)) {
		name, err := checkName("/names/"+fault.Cut(lang), lang, l.Names[lang])
		if err != nil {
			return Label{}, err
		}
		kept.Names[lang] = name
	}
	for _, lang := range slices.Sorted(maps.Keys(l.Aliases)) {
		where, aliases := "/aliases/"+fault.Cut(lang), l.Aliases[lang]
		if len(aliases) > MaxAliases {
			return Label{}, fault.Limit(where, fmt.Sprint(len(aliases)), fmt.Sprintf("%d aliases a language", MaxAliases), 0)
		}
		seen := map[string]bool{Fold(kept.Names[lang]): true}
		for i, alias := range aliases {
			at := fmt.Sprintf("%s/%d", where, i)
			name, err := checkName(at, lang, alias)
			if err != nil {
				return Label{}, err
			}
			if seen[Fold(name)] {
				return Label{}, fault.Invalid(at, name, "another name than those before it", "leave it out")
			}
			seen[Fold(name)] = true
			kept.Aliases[lang] = append(kept.Aliases[lang], name)
		}
	}
	return kept, nil
}

// CheckWord holds a name, or anything else that is said to mean something of the home, against the rules of names, and returns it
// in the form it is kept in.
func CheckWord(where, lang, word string) (string, error) { return checkName(where, lang, word) }

func checkName(where, lang, name string) (string, error) {
	if lang != Chinese && lang != English {
		return "", fault.Invalid(where, lang, `the language "zh-CN" or "en"`, "use one of the two")
	}
	rule := fmt.Sprintf("1 to %d characters with a letter or digit, and no control characters", MaxName)
	kept, ok := nlu.Sayable(name)
	if !ok {
		return "", fault.Invalid(where, name, rule, "choose another name")
	}
	return kept, nil
}

// Fold is the form in which two names that sound the same way written are equal:
// widths, case and spaces do not tell them apart.
func Fold(name string) string {
	return strings.ToLower(strings.ReplaceAll(norm.NFKC.String(name), " ", ""))
}

// clash refuses a label of which a name is taken.
func (l Label) clash(taken map[string]Label, object, where string) error {
	var err error
	l.Each(func(lang, name string) {
		other, is := taken[Fold(name)]
		if !is || err != nil {
			return
		}
		f := fault.Conflict("/names/"+lang, fmt.Sprintf("the name %q is taken %s by the %s %q", name, where, object, other.Names.In(lang)))
		f.Got, f.Fix = name, "choose another name, so that a sentence means one thing"
		err = f
	})
	return err
}

// marshal writes names and aliases, which cannot fail.
func marshal[M ~map[string]V, V any](m M) string {
	b, err := json.Marshal(m)
	if err != nil || m == nil {
		return "{}"
	}
	return string(b)
}
