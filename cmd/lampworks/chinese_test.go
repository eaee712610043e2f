package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"
)

// prose is two words or more of a sentence, or one that ends it; names of flags, formats and commands are neither.
var prose = regexp.MustCompile(`[a-z]{2,}[ :,;] ?[a-z%]|^[a-z]{2,}$`)

// notSaid are texts that verbs print and that are no sentences, each with its reason.
var notSaid = map[string]string{
	"%s\n\n--hash %s\n":               "a text as it is published",
	"--digest %s\n":                   "a flag",
	"%-12s %s\n":                      "names of fields",
	"key":                             "read by programs",
	"anchor":                          "read by programs",
	"command %s %s %s\n":              "the protocol's own words",
	"refused %d %s\n":                 "the protocol's own words",
	"lampworks %s %s %s/%s\n":         "the version",
	"lampworks: %v\nTry: %s --help\n": "kong's own sentence, in English",
}

// TestSuccessLinesHaveChinese reads the sources: every sentence that a verb prints is given in both languages, by say.
func TestSuccessLinesHaveChinese(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch called(call) {
			case "say":
				seen++
				checkSaid(t, set, call)
			case "note", "fmt.Println", "fmt.Printf", "fmt.Fprintf", "fmt.Fprintln":
				for _, arg := range call.Args {
					for _, text := range literals(arg) {
						if prose.MatchString(text) && notSaid[text] == "" {
							t.Errorf("%s: %q has no Chinese: put it into say", set.Position(call.Pos()), text)
						}
					}
				}
			}
			return true
		})
	}
	if seen < 40 {
		t.Errorf("found %d sentences in both languages, want 40 and more", seen)
	}
}

// checkSaid demands that the second text of a say is Chinese, where both stand there.
func checkSaid(t *testing.T, set *token.FileSet, call *ast.CallExpr) {
	t.Helper()
	chinese, punctuation := "", false
	for _, text := range literals(call.Args[1]) {
		chinese += text
	}
	for _, r := range chinese {
		punctuation = punctuation || strings.ContainsRune("：，。；、—", r)
	}
	if chinese != "" && !punctuation && !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		t.Errorf("%s: %q is not Chinese", set.Position(call.Pos()), chinese)
	}
}

// called is the name of what is called.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// literals are the texts in an expression, without those of a say in it.
func literals(e ast.Expr) (all []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return called(n) != "say"
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// TestHelpHasChinese: every verb of the first page, its groups, and every flag that ten verbs and more have are told in Chinese
// on a Chinese terminal, and the catalogue has nothing that no help says.
func TestHelpHasChinese(t *testing.T) {
	t.Setenv("LANG", "C.UTF-8")
	model := newParser(t).Model
	need, said := make(map[string]bool), make(map[string]bool)
	uses := make(map[string]int)
	for _, verb := range model.Children {
		need[verb.Help] = true
	}
	_ = kong.Visit(model, func(n kong.Visitable, next kong.Next) error {
		switch n := n.(type) {
		case *kong.Node:
			said[n.Help] = true
		case *kong.Flag:
			said[n.Help] = true
			if uses[n.Help]++; uses[n.Help] >= 10 {
				need[n.Help] = true
			}
		case *kong.Value:
			said[n.Help] = true
		}
		return next(nil)
	})
	book, err := readHelp()
	if err != nil {
		t.Fatal(err)
	}
	for text := range need {
		if book[text] == "" {
			t.Errorf("%q has no Chinese in help.json", text)
		}
	}
	for text := range book {
		if !said[text] {
			t.Errorf("help.json has %q, which no help says", text)
		}
	}
	t.Setenv("LANG", "zh_CN.UTF-8")
	for _, verb := range newParser(t).Model.Children {
		if !strings.ContainsFunc(verb.Help, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s is told as %q on a Chinese terminal", verb.Name, verb.Help)
		}
	}
	if _, err := os.Stat("help.json"); err != nil {
		t.Error(err)
	}
}
