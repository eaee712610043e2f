package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ofMakers are sentences of kong about a program that was built wrongly, or with what this one has not: no command line
// brings them.
var ofMakers = []string{
	`"existingdir" must be applied to a string not {}`,
	`"existingfile" type must be applied to a string not {}`,
	`"filecontent" must be applied to []byte not {}`,
	`"path" type must be applied to a string not {}`,
	`cannot find mapper for {}`,
	`enum can only be applied to a slice or value`,
	`no Run() method found in hierarchy of {}`,
	`no command selected`,
	`no mapper for element type of {}`,
	`no mapper for key type of {}`,
	`no mapper for value type of {}`,
	`flag --{} applies to the default command {}, not {}`,
	`type:"" on map field must be in the form "[<keytype>]:[<valuetype>]"`,
	`type:"counter" must be used with a numeric field`,
	`expected a counter but got {} ({})`,
	`expected duration but got {}`, // durationFlags reads them
	`expected duration but got {}: {}`,
	`failed to open {}: {}`,
	`{} exists but is a directory: {}`,
	`{} exists but is not a directory`,
}

// verbs of a format, and what the catalogue has in their place.
var (
	formatVerb = regexp.MustCompile(`%#?(\[\d\])?0?\d?[a-zT]`)
	onlyHoles  = regexp.MustCompile(`^[^a-zA-Z]*$|^--[a-z-]+ ?: $`) // library.json has those
)

// TestMistakesHaveChinese reads the sources: every sentence of an error has its Chinese, and the catalogue has nothing that
// none says. What is given in both languages by say needs no entry.
func TestMistakesHaveChinese(t *testing.T) {
	kong, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/alecthomas/kong").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		book, folder string
		files        []string
		least        int
	}{
		{"lampworks", ".", []string{"*.go"}, 70},
		{"kong", strings.TrimSpace(string(kong)), []string{"context.go", "mapper.go", "scanner.go", "model.go"}, 20},
		{"triple", "../../triple", []string{"read.go", "secret.go", "triple.go"}, 20},
	} {
		book := entries(t, c.book)
		said, texts := sentences(t, c.folder, c.files)
		if len(said) < c.least {
			t.Errorf("%s: found %d sentences, want %d and more", c.book, len(said), c.least)
		}
		for key, at := range said {
			if book[key] == "" && !slices.Contains(ofMakers, key) {
				t.Errorf("%s: %q has no Chinese in zh-CN/mistake/%s.json", at, key, c.book)
			}
		}
		for _, key := range ofMakers {
			if c.book == "kong" && said[key] == "" {
				t.Errorf("kong does not say %q any more", key)
			}
		}
		for key, zh := range book {
			if said[key] == "" && !texts[key] {
				t.Errorf("%s.json has %q, which nothing says", c.book, key)
			}
			if !hasHan(zh) {
				t.Errorf("%s.json: %q is not Chinese", c.book, zh)
			}
		}
	}
}

// entries are those of one file of the catalogue.
func entries(t *testing.T, file string) (book map[string]string) {
	t.Helper()
	text, err := mistakesInChinese.ReadFile("zh-CN/mistake/" + file + ".json")
	if err == nil {
		err = json.Unmarshal(text, &book)
	}
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// sentences finds the errors that are made in files, as the catalogue has them, with their places; and every text there is.
func sentences(t *testing.T, folder string, globs []string) (said map[string]string, texts map[string]bool) {
	t.Helper()
	said, texts = make(map[string]string), make(map[string]bool)
	set := token.NewFileSet()
	for _, glob := range globs {
		files, err := filepath.Glob(filepath.Join(folder, glob))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", glob, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
						texts[strings.TrimPrefix(formatVerb.ReplaceAllString(text, "{}"), "\n")] = true
					}
				case *ast.CallExpr:
					for _, key := range keysOf(n) {
						said[key] = set.Position(n.Pos()).String()
					}
				}
				return true
			})
		}
	}
	return said, texts
}

// keysOf are the sentences that a call makes an error of.
func keysOf(call *ast.CallExpr) []string {
	name := called(call)
	at, known := map[string]int{"fmt.Errorf": 0, "errors.New": 0, "findPotentialCandidates": 2}[name]
	if !known {
		return nil
	}
	text := strings.Join(literals(call.Args[at]), "")
	key := formatVerb.ReplaceAllString(text, "{}")
	switch {
	case onlyHoles.MatchString(strings.ReplaceAll(key, "{}", "")), strings.Contains(key, ", did you mean "):
		return nil
	case name == "findPotentialCandidates":
		return []string{key, key + ", did you mean {}?", key + ", did you mean one of {}?"}
	}
	return []string{key}
}

// TestMistakesInChinese: what a person is told on a Chinese terminal, whole.
func TestMistakesInChinese(t *testing.T) {
	t.Setenv("LANG", "zh_CN.UTF-8")
	for _, c := range []struct{ args, want string }{
		{"foo", `多余的参数或没有的命令：foo；您要的是 "job" 吗？`},
		{"fleet lst", `多余的参数或没有的命令：lst；您要的是 "list", "log" 中的一个吗？`},
		{"fleet list --limti=3", `没有选项 --limti；您要的是 "--limit" 吗？`},
		{"fleet list --limit=x", `--limit：应为整数，收到的是 "x"`},
		{"fleet list --format=x", `--format 应为 "table","json","csv","jsonl" 之一，收到的是 "x"`},
		{"fleet show", `还需要 "<device>"`},
		{"paper add", `缺少选项：--from=DATE, --issuer=NAME, --number=NUMBER`},
		{"fleet send x y --text=a --base64=b", `--text 与 --base64 不能同时使用`},
		{"device --triple", `--triple：缺少值`},
		{"device --triple --child", `--triple：需要一个值，收到的却是 "--child"；可以写 --triple="--child"`},
		{"device --triple=x --qos=4", `device：--qos 4：应为 0、1 或 2`},
		{"product new --name=zh", `--name：应为 "<键>=<值>"，收到的是 "zh"`},
		{"serve --config=no-such-file", `--config：没有文件 no-such-file`},
	} {
		_, err := newParser(t).Parse(strings.Fields(c.args))
		if err == nil {
			t.Errorf("lampworks %s is taken", c.args)
			continue
		}
		got := regexp.MustCompile(`(/\S*/)no-such-file`).ReplaceAllString(explained(err), "no-such-file")
		if got != c.want {
			t.Errorf("lampworks %s\n got %s\nwant %s", c.args, got, c.want)
		}
	}
}

// TestLibraryMistakes holds what libraries say, and sentences of ours with it in them, against the catalogue.
func TestLibraryMistakes(t *testing.T) {
	t.Setenv("LANG", "zh_CN.UTF-8")
	used := make(map[string]bool)
	for _, c := range []struct{ entry, en, zh string }{
		{"--{}: {}", "--ca: open x: permission denied", "--ca：无权打开 x"},
		{"<{}>: {}", "<n>: expected a valid 64 bit int but got \"x\"", "<n>：应为整数，收到的是 \"x\""},
		{"{}: {}", "a.xlsx: workbook has no sheet of triples", "a.xlsx：工作簿里没有三元组的工作表"},
		{"open {}: no such file or directory", "reading the file: open /a b: no such file or directory", "读取文件：没有文件 /a b"},
		{"open {}: permission denied", "reading the password: open x: permission denied", "读取密码：无权打开 x"},
		{"open {}: file exists", "--out: open x: file exists", "--out：x 已经存在"},
		{"read {}: is a directory", "reading x: read x: is a directory", "读取 x：x 是目录，不是文件"},
		{"stat {}: no such file or directory", "stat x: no such file or directory", "没有文件 x"},
		{"{} {}: dial tcp {}: connect: connection refused", `asking the server: Get "http://a:1/x": dial tcp a:1: connect: connection refused`, "请求服务端：a:1 拒绝连接：那里没有服务端在运行"},
		{"{} {}: dial tcp: lookup {}: no such host", `asking the server: Post "http://a/x": dial tcp: lookup a: no such host`, "请求服务端：找不到主机 a"},
		{"{} {}: dial tcp: lookup {} on {}: no such host", `asking the server: Get "http://a/x": dial tcp: lookup a on 1.1.1.1:53: no such host`, "请求服务端：找不到主机 a"},
		{"{} {}: dial tcp {}: i/o timeout", `asking the server: Get "http://a:1/x": dial tcp a:1: i/o timeout`, "请求服务端：连接 a:1 超时"},
		{"{} {}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)", `asking the server: Get "http://a/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, `请求服务端：服务端没有及时应答（Get "http://a/x"）`},
		{"{} {}: EOF", `asking the server: Get "http://a/x": EOF`, `请求服务端：服务端没有应答就断开了（Get "http://a/x"）`},
		{"{} {}: tls: {}", `asking the server: Get "https://a/x": tls: first record does not look like a TLS handshake`, `请求服务端：TLS：first record does not look like a TLS handshake（Get "https://a/x"）`},
		{`expected {} value but got "EOL" (<EOL>)`, `--a: expected int value but got "EOL" (<EOL>)`, "--a：缺少值"},
		{"", "there is no new password on standard input", "标准输入上没有新密码"},
		{"", "--log-keep x: want a duration above 0, such as 168h", "--log-keep x：应为大于 0 的时长，如 168h"},
		{"", "a.json is no JSON, line 3, byte 7: invalid character", "a.json 不是 JSON（第 3 行第 7 字节）：invalid character"},
		{"", "POST /api/v1/x：不对：/name 缺失\n请填写", "POST /api/v1/x：不对：/name 缺失\n请填写"},
		{"", "asking the server: nobody knows\nThe answer was lost, and what was asked for may be done: look before you ask again.", "请求服务端：nobody knows\n应答丢失了，所请求的事可能已经办成：再次请求之前请先查看。"},
	} {
		used[c.entry] = true
		if got := inTongue(c.en); got != c.zh {
			t.Errorf("%s\n got %s\nwant %s", c.en, got, c.zh)
		}
	}
	for key := range entries(t, "library") {
		if !used[key] {
			t.Errorf("library.json has %q, which no case says", key)
		}
	}
	t.Setenv("LANG", "C.UTF-8")
	if got := inTongue("unknown flag --x"); got != "unknown flag --x" {
		t.Errorf("in English it is %s", got)
	}
}
