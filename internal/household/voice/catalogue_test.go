package voice

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lampworks/internal/household/scene"
	"lampworks/nlu"
)

// declared reads every constant of type phrase from the source.
func declared(t *testing.T) map[phrase]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "catalogue.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[phrase]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "phrase" {
			for _, v := range spec.Values {
				s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found[phrase(s)] = true
			}
		}
		return true
	})
	delete(found, whatPrefix)
	delete(found, colourPrefix)
	delete(found, dayPrefix)
	return found
}

var meanings = []nlu.Meaning{
	nlu.Power, nlu.Brightness, nlu.Colour, nlu.ColourTemperature, nlu.Position, nlu.Temperature, nlu.TargetTemperature,
	nlu.Humidity, nlu.TargetHumidity, nlu.Mode, nlu.FanSpeed, nlu.Level, nlu.Swing, nlu.Volume, nlu.Mute, nlu.Channel,
	nlu.Playback, nlu.Work, nlu.Locked, nlu.Battery, nlu.PM25, nlu.Remaining, nlu.ChildLock, nlu.Presence, nlu.Contact,
	nlu.Illuminance, nlu.Energy,
}

// Every phrase of the code is in every catalogue, and none is there in vain.
func TestCataloguesAreComplete(t *testing.T) {
	want := declared(t)
	for _, m := range meanings {
		want[whatPrefix+phrase(m)] = true
	}
	for _, d := range scene.Weekdays() {
		want[dayPrefix+phrase(d)] = true
	}
	all := catalogues()
	for lang, c := range all {
		for key := range want {
			if _, ok := c[key]; !ok {
				t.Errorf("%s: %q is missing", lang, key)
			}
		}
		for key := range c {
			if !want[key] && !strings.HasPrefix(string(key), string(colourPrefix)) {
				t.Errorf("%s: %q is not used", lang, key)
			}
			if _, ok := all[nlu.English][key]; !ok {
				t.Errorf("en: %q is missing", key)
			}
			if _, ok := all[nlu.Chinese][key]; !ok {
				t.Errorf("zh-CN: %q is missing", key)
			}
		}
	}
}

// The JSON decoder keeps the last of two equal keys without a word.
func TestCataloguesNameNothingTwice(t *testing.T) {
	for _, lang := range []string{nlu.Chinese, nlu.English} {
		b, err := replyFiles.ReadFile("replies/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, m := range regexp.MustCompile(`(?m)^\s*"([^"]+)":`).FindAllStringSubmatch(string(b), -1) {
			if seen[m[1]] {
				t.Errorf("%s: %q is given twice", lang, m[1])
			}
			seen[m[1]] = true
		}
		if !json.Valid(b) {
			t.Errorf("%s is not JSON", lang)
		}
	}
}

// Both languages are told the same things; English adds the forms of its verbs.
func TestCataloguesFillTheSame(t *testing.T) {
	blank := regexp.MustCompile(`\{(\w+)\}`)
	blanks := func(s string) []string {
		var found []string
		for _, m := range blank.FindAllStringSubmatch(s, -1) {
			found = append(found, m[1])
		}
		found = slices.DeleteFunc(found, func(b string) bool {
			return slices.Contains([]string{"is", "was", "has", "does", "what", "n", "others"}, b)
		})
		slices.Sort(found)
		return found
	}
	all := catalogues()
	for key, zh := range all[nlu.Chinese] {
		if en := all[nlu.English][key]; !slices.Equal(blanks(zh), blanks(en)) {
			t.Errorf("%s: %q and %q are not told the same", key, zh, en)
		}
	}
}

// The voice of the house: polite, plain, no exclamation.
func TestCataloguesAreCalm(t *testing.T) {
	for lang, c := range catalogues() {
		for key, said := range c {
			if strings.ContainsAny(said, "!！你") {
				t.Errorf("%s: %s is %q", lang, key, said)
			}
		}
	}
}

func TestSay(t *testing.T) {
	c := catalogue{"a": "{x} and {y}", "b": "{", "c": "{x", "d": "x}"}
	for _, tt := range []struct {
		key  phrase
		with []string
		want string
	}{
		{"a", []string{"x", "1", "y", "2"}, "1 and 2"},
		{"a", []string{"x", "{y}", "y", "{x}"}, "{y} and {x}"}, // what is filled in is not looked at again
		{"a", nil, " and "},
		{"b", nil, ""},
		{"c", []string{"x", "1"}, "1"},
		{"d", nil, "x}"},
		{"none", nil, ""},
	} {
		if got := c.say(tt.key, tt.with...); got != tt.want {
			t.Errorf("say(%s, %q) = %q, want %q", tt.key, tt.with, got, tt.want)
		}
	}
}
