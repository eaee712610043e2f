package main

import (
	"go/ast"
	"go/parser"
	"go/token"
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
	"%s\n\n--hash %s\n":            "a text as it is published",
	"--digest %s\n":                "a flag",
	"%-12s %s\n":                   "names of fields",
	"key":                          "read by programs",
	"anchor":                       "read by programs",
	"command %s %s %s\n":           "the protocol's own words",
	"lampworks: %s\n%s%s --help\n": "what was wrong, in its own words",
	"refused %d %s\n":              "the protocol's own words",
	"lampworks %s %s %s/%s\n":      "the version",
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

// TestHelpHasChinese: what every verb, flag and argument says of itself has its Chinese, and the catalogue has nothing that no
// help says.
func TestHelpHasChinese(t *testing.T) {
	book, err := readHelp()
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]bool)
	say := func(where, text string) {
		if said[text] = true; text != "" && !hasHan(book[text]) && hasProse(text) {
			t.Errorf("%s: %q has no Chinese in zh-CN/help", where, text)
		}
	}
	_ = kong.Visit(newParser(t).Model, func(n kong.Visitable, next kong.Next) error {
		switch n := n.(type) {
		case *kong.Application:
			say(n.Name, n.Help)
		case *kong.Node:
			say(n.FullPath(), n.Help)
			say(n.FullPath(), n.Detail)
		case *kong.Flag:
			say("--"+n.Name, n.Help)
		case *kong.Value:
			say("<"+n.Name+">", n.Help)
		}
		return next(nil)
	})
	for text, zh := range book {
		if !said[text] {
			t.Errorf("zh-CN/help has %q, which no help says", text)
		}
		if strings.HasSuffix(text, ".") != strings.HasSuffix(zh, "。") && !strings.HasSuffix(text, "@FILE.") {
			t.Errorf("%q and %q do not end alike", text, zh)
		}
	}
}

// hasHan says whether there is Chinese in a text.
func hasHan(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// hasProse says whether a text is more than one word.
func hasProse(text string) bool { return strings.Contains(text, " ") }

// TestHelpInChinese prints the help of every verb on a Chinese terminal.
func TestHelpInChinese(t *testing.T) {
	t.Setenv("LANG", "zh_CN.UTF-8")
	t.Setenv("COLUMNS", "")
	var verbs []string
	parser := newParser(t)
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if n, ok := n.(*kong.Node); ok {
			verbs = append(verbs, strings.TrimPrefix(n.FullPath(), "lampworks"))
		}
		return next(nil)
	})
	if len(verbs) < 250 {
		t.Errorf("%d verbs, want 250 and more", len(verbs))
	}
	frame := regexp.MustCompile(`(?m)^(Usage|Arguments|Flags|Commands):|^Run "|[\x{e000}\x{e001}]`)
	for _, verb := range append(verbs, "") {
		page := helpOf(parser, verb)
		if m := frame.FindString(page); m != "" {
			t.Errorf("lampworks%s --help says %q", verb, m)
		}
		for line := range strings.Lines(page) {
			if n := columns(line); n > 80 && hasHan(line) && !strings.HasPrefix(line, "用法：") {
				t.Errorf("lampworks%s --help has a line of %d columns: %s", verb, n, line)
			}
		}
	}
	for verb, want := range map[string]string{
		"":             "各命令的详情：lampworks <命令> --help\n",
		" fleet":       "用法：lampworks fleet <命令>\n\n设备：",
		" fleet show":  "参数：\n  <device>    设备的 id。\n",
		" fleet list":  "（$LAMPWORKS_SERVER）。\n",
		" serve":       "（$LAMPWORKS_HTTP）。\n",
		" triple show": "  <triple>    PRODUCT_ID,MAC,SECRET\n",
	} {
		if page := helpOf(parser, verb); !strings.Contains(page, want) {
			t.Errorf("lampworks%s --help lacks %q:\n%s", verb, want, page)
		}
	}
	t.Setenv("LANG", "C.UTF-8")
	if page := helpOf(newParser(t), " fleet show"); !strings.Contains(page, "Id of the device.") || hasHan(page) {
		t.Errorf("in English it is\n%s", page)
	}
}

// columns is how many columns of a terminal a line takes.
func columns(line string) (n int) {
	for _, r := range strings.TrimSuffix(line, "\n") {
		if n++; wide(r) {
			n++
		}
	}
	return n
}

// helpOf is what a verb prints with --help.
func helpOf(parser *kong.Kong, verb string) string {
	var page strings.Builder
	parser.Stdout = &page
	parser.Exit = func(int) { panic("over") }
	func() {
		defer func() { _ = recover() }()
		_, _ = parser.Parse(append(strings.Fields(verb), "--help"))
	}()
	return page.String()
}

// TestLooseIsTight: what is taken apart for wrapping comes together again.
func TestLooseIsTight(t *testing.T) {
	for _, text := range []string{"", "设备", "放在环境变量 LAMPWORKS_TOKEN 里：（别人）看得到。", "一\n\n二 三", "plain words only"} {
		if got := tight(loose(text)); got != text {
			t.Errorf("%q comes back as %q", text, got)
		}
	}
}
