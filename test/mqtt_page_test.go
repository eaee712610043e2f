package test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestMQTTPageIsProven holds the page about MQTT against the program: every row names tests that exist, and both languages
// have the same rows.
func TestMQTTPageIsProven(t *testing.T) {
	functions := declaredFunctions(t)
	row := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|$`)
	var tests [2][]string
	for i, language := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../docs/" + language + "/mqtt.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range row.FindAllStringSubmatch(string(page), -1)[1:] { // the first is the head
			names := inTicks(m[3])
			if len(names) == 0 {
				t.Errorf("%s: %s names no test", language, m[1])
			}
			for _, name := range names {
				if !functions[name] {
					t.Errorf("%s: %s names the test %s, which there is not", language, m[1], name)
				}
			}
			tests[i] = append(tests[i], m[3])
		}
	}
	if len(tests[0]) < 30 || !slices.Equal(tests[0], tests[1]) {
		t.Errorf("the languages have %d and %d rows, with the same tests: %v", len(tests[0]), len(tests[1]), slices.Equal(tests[0], tests[1]))
	}
}
