package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// elided stands in the pages for more of the same, which is no argument.
const elided = "…"

// TestPagesCommands parses every command that the pages show in a block: verbs and flags are there, and so are the words that
// a flag takes.
func TestPagesCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := make(map[string][]string)
	for _, page := range append(pages, "../../README.md", "../../README.zh-CN.md") {
		commands[page] = shown(t, page)
	}
	t.Chdir(t.TempDir())
	found := 0
	for page, list := range commands {
		parser := newParser(t)
		for _, command := range list {
			found++
			args := words(command)[1:]
			makeFiles(t, args)
			if _, err := parser.Parse(args); err != nil {
				t.Errorf("%s shows %q: %v", page, command, err)
			}
		}
	}
	if found < 100 {
		t.Errorf("found %d commands, want 100 and more", found)
	}
}

// shown are the commands of the program in the blocks of a page, without what stands around them.
func shown(t *testing.T, page string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```(?:sh|console)\n(.*?)^```")
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(strings.ReplaceAll(m[1], "\\\n", " ")) {
			line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), " #")
			for part := range strings.SplitSeq(line, " && ") {
				part, _, _ = strings.Cut(part, " | ")
				part = strings.TrimPrefix(strings.TrimSpace(part), "bin/")
				if strings.HasPrefix(part, "lampworks ") && !strings.Contains(part, elided) {
					commands = append(commands, part)
				}
			}
		}
	}
	return commands
}

// words are the words of a command as a shell takes them, up to where its input or output goes.
func words(command string) (list []string) {
	word := regexp.MustCompile(`(?:[^\s'"]|'[^']*'|"[^"]*")+`)
	for _, w := range word.FindAllString(command, -1) {
		if strings.HasPrefix(w, "<") || strings.HasPrefix(w, ">") || w == "&" {
			break
		}
		list = append(list, strings.NewReplacer(`'`, "", `"`, "").Replace(w))
	}
	return list
}

// makeFiles makes the files that a command names, which have to be there.
func makeFiles(t *testing.T, args []string) {
	t.Helper()
	file := regexp.MustCompile(`^[\w./-]+(\.(json|pdf|txt|csv|png|pem|key|wav)|/first-operator)$`)
	for _, name := range args {
		if !file.MatchString(name) || filepath.IsAbs(name) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
