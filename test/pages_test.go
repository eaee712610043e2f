package test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestPagesAreProven holds the pages about MQTT and Alink against the program: every row names tests that exist, and both
// languages have the same rows.
func TestPagesAreProven(t *testing.T) {
	functions := declaredFunctions(t)
	row := regexp.MustCompile("(?m)^\\|.*\\| ((?:`[a-z]+\\.[A-Z]\\w+` ?)+)\\|$")
	for name, least := range map[string]int{"mqtt": 30, "alink": 50} {
		var tests [2][]string
		for i, language := range []string{"en", "zh-CN"} {
			page, err := os.ReadFile("../docs/" + language + "/" + name + ".md")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range row.FindAllStringSubmatch(string(page), -1) {
				for _, test := range inTicks(m[1]) {
					if !functions[test] {
						t.Errorf("%s, %s names the test %s, which there is not", name, language, test)
					}
				}
				tests[i] = append(tests[i], m[1])
			}
		}
		if len(tests[0]) < least || !slices.Equal(tests[0], tests[1]) {
			t.Errorf("%s: the languages have %d and %d rows, want %d, with the same tests: %v", name, len(tests[0]), len(tests[1]), least, slices.Equal(tests[0], tests[1]))
		}
	}
}
