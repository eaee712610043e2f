package alink_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"lampworks/alink"
)

// TestPage holds the page about the topics against the table, in both languages: a row for every topic but replies, which says
// who publishes, where it is answered, and whether it is served.
func TestPage(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `(/[^`]+)` \\| ([^|]+) \\| (?:`([^`]+)`|–) \\| ([^|]+) \\|")
	for language, words := range map[string]struct {
		publisher map[alink.Direction]string
		not       string
	}{
		"en":    {map[alink.Direction]string{alink.Up: "device", alink.Down: "platform", alink.Both: "both"}, "Not served: "},
		"zh-CN": {map[alink.Direction]string{alink.Up: "设备", alink.Down: "平台", alink.Both: "双方"}, "未提供："},
	} {
		page, err := os.ReadFile("../docs/" + language + "/alink.md")
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string][]string)
		for _, m := range row.FindAllStringSubmatch(string(page), -1) {
			found[m[1]] = append(found[m[1]], m[2], strings.ReplaceAll(m[3], "…", m[1]), m[4])
		}
		for _, of := range alink.Templates() {
			said := found[of.String()]
			delete(found, of.String())
			if answer(of) {
				if said != nil {
					t.Errorf("%s: %s answers another topic, and has a row", language, of)
				}
				continue
			}
			if len(said) != 3 {
				t.Errorf("%s: %s has %d rows, want one", language, of, len(said)/3)
				continue
			}
			answered := ""
			if of.Reply() != 0 {
				answered = of.Reply().String()
			}
			if served := !strings.HasPrefix(said[2], words.not); said[0] != words.publisher[of.Direction()] || said[1] != answered || served != of.Implemented() {
				t.Errorf("%s: of %s the page says %q; it is published by %s, answered on %q, served: %t", language, of, said, words.publisher[of.Direction()], answered, of.Implemented())
			}
		}
		for topic := range found {
			t.Errorf("%s: the page has %s, which the program does not know", language, topic)
		}
	}
}

// answer reports whether a topic is for answers to another, and nothing else.
func answer(of alink.Template) bool {
	if of == alink.OTAUpgrade || of == alink.ShadowGet {
		return false // also published unasked
	}
	for _, other := range alink.Templates() {
		if other.Reply() == of {
			return true
		}
	}
	return false
}
