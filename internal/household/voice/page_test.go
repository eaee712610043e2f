package voice_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/partner/product"
	"lampworks/nlu"
	"lampworks/tsl"
)

var update = flag.Bool("update", false, "write the generated part of docs/*/voice.md")

// Marks of the part of the page that is made here.
const (
	generated = "<!-- generated: go test ./internal/household/voice -run TestPage -update -->\n"
	closing   = "<!-- end of what is generated -->\n"
)

// pageWords are the words of the page itself.
type pageWords struct {
	file                                                       string
	general, types, verbs, properties, values, categories      string
	meaning, words, called, narrow, identifier, value, example string
	comma, none                                                string
}

var pages = map[string]pageWords{
	nlu.English: {
		"en", "General words", "Kinds of devices", "What is to be done", "Properties", "Values", "By category",
		"meaning", "words", "Called", "Only a device that is called so", "property or service", "values", "for example", ", ", "–",
	},
	nlu.Chinese: {
		"zh-CN", "通用词", "设备种类", "要做什么", "属性", "取值", "按品类",
		"含义", "说法", "称呼", "只指叫这个名字的设备", "属性或服务", "取值", "例句", "、", "–",
	},
}

// TestPage holds what the voice interaction specification says is understood to the vocabulary and the categories, of which
// TestTemplatesAreSpokenTo holds that each example is.
func TestPage(t *testing.T) {
	all, err := product.Categories()
	if err != nil {
		t.Fatal(err)
	}
	for lang, w := range pages {
		path := "../../../docs/" + w.file + "/voice.md"
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(page), generated)
		_, after, closed := strings.Cut(rest, closing)
		if !ok || !closed {
			t.Fatalf("%s has no part between %q and %q", path, generated, closing)
		}
		want := before + generated + w.vocabulary(t, lang) + w.list(all, lang) + closing + after
		if want == string(page) {
			continue
		}
		if !*update {
			t.Errorf("%s does not say what is understood; go test ./internal/household/voice -run TestPage -update", path)
			continue
		}
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// vocabulary is the tables of the words that hold for every product.
func (w *pageWords) vocabulary(t *testing.T, lang string) string {
	t.Helper()
	b, err := os.ReadFile("../../../nlu/vocabulary/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Types, Properties, Values, Verbs map[string][]string }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n## %s\n", w.general)
	for _, s := range []struct {
		title string
		words map[string][]string
	}{{w.types, v.Types}, {w.verbs, v.Verbs}, {w.properties, v.Properties}, {w.values, v.Values}} {
		fmt.Fprintf(&out, "\n### %s\n\n| %s | %s |\n| --- | --- |\n", s.title, w.meaning, w.words)
		var keys []string
		for key := range s.words {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			fmt.Fprintf(&out, "| `%s` | %s |\n", key, strings.Join(s.words[key][:min(12, len(s.words[key]))], w.comma))
		}
	}
	return out.String()
}

// list is a chapter for each category.
func (w *pageWords) list(all []product.Category, lang string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n## %s\n", w.categories)
	for i := range all {
		c := &all[i]
		fmt.Fprintf(&out, "\n### %s `%s`\n\n", c.Names[lang], c.Name)
		var wide, own []string
		for _, word := range c.Aliases[lang] {
			if slices.Contains(narrow[c.Name], word) {
				own = append(own, word)
			} else {
				wide = append(wide, word)
			}
		}
		fmt.Fprintf(&out, "%s: %s", w.called, strings.Join(wide, w.comma))
		if len(own) > 0 {
			fmt.Fprintf(&out, ". %s: %s", w.narrow, strings.Join(own, w.comma))
		}
		fmt.Fprintf(&out, "\n\n| %s | %s | %s | %s |\n| --- | --- | --- | --- |\n", w.identifier, w.words, w.value, w.example)
		for _, p := range c.Model.Properties() {
			w.property(&out, p, lang, c.Names[lang])
		}
		for _, s := range c.Model.Services() {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", s.Identifier, s.Names[lang], w.none, fmt.Sprintf(tongues[lang].calls, c.Names[lang], s.Names[lang]))
		}
	}
	return out.String() + "\n"
}

func (w *pageWords) property(out *strings.Builder, p *tsl.Property, lang, device string) {
	var values []string
	switch {
	case len(p.Enum) > 0:
		for _, e := range p.Enum {
			values = append(values, e.Names[lang])
		}
	case p.HasRange && p.Identifier != "color":
		values = []string{fmt.Sprintf("%v–%v %s", p.Min, p.Max, p.Unit)}
	default:
		values = []string{w.none}
	}
	say := propertySayings(p, lang, device, p.Names[lang])
	examples := []string{say[0].text}
	if last := say[len(say)-1].text; last != say[0].text {
		examples = append(examples, last)
	}
	called := append([]string{p.Names[lang]}, p.Aliases[lang]...)
	fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", p.Identifier, strings.Join(called, w.comma), strings.TrimSpace(strings.Join(values, w.comma)), strings.Join(examples, " · "))
}
