package home

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

const nameRule = ", want 1 to 32 characters with a letter or digit, and no control characters"

func TestNames(t *testing.T) {
	for _, tt := range []struct{ lang, name, want string }{
		{"zh-CN", "客厅", ""},
		{"en", "Living room 2", ""},
		{"zh-CN", strings.Repeat("灯", 32), ""},
		{"zh-CN", strings.Repeat("灯", 33), "/names/zh-CN is " + strings.Repeat("灯", 20) + "…" + nameRule},
		{"zh-CN", "", "/names/zh-CN is empty" + nameRule},
		{"zh-CN", "  ", "/names/zh-CN is   " + nameRule},
		{"zh-CN", "。！", "/names/zh-CN is 。！" + nameRule},
		{"zh-CN", "灯\n亮", "/names/zh-CN is 灯\uFFFD亮" + nameRule},
		{"zh-CN", "灯\x00", "/names/zh-CN is 灯\uFFFD" + nameRule},
		{"zh-CN", "灯\u202e亮", "/names/zh-CN is 灯\u202e亮" + nameRule},
		{"zh-CN", "灯\u200b", "/names/zh-CN is 灯\u200b" + nameRule},
		{"zh-CN", "灯\u2028", "/names/zh-CN is 灯\u2028" + nameRule},
		{"zh-CN", "\xff灯", "/names/zh-CN is \uFFFD灯" + nameRule},
		{"fr", "lampe", `/names/fr is fr, want the language "zh-CN" or "en"`},
	} {
		_, err := Label{Names: Names{tt.lang: tt.name}}.Checked()
		if got := text(err); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	if _, err := (Label{}).Checked(); text(err) != `/names is empty, want a name in "zh-CN" or "en"` {
		t.Errorf("no name: %v", err)
	}
}

func TestAliases(t *testing.T) {
	for _, tt := range []struct {
		aliases []string
		want    string
	}{
		{[]string{"主灯", "吸顶灯"}, ""},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8"}, ""},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "/aliases/zh-CN is 9, the limit is 8 aliases a language"},
		{[]string{"主灯", "主 灯"}, "/aliases/zh-CN/1 is 主 灯, want another name than those before it"},
		{[]string{"灯"}, "/aliases/zh-CN/0 is 灯, want another name than those before it"},
		{[]string{""}, "/aliases/zh-CN/0 is empty" + nameRule},
	} {
		_, err := Label{Names: Names{"zh-CN": "灯"}, Aliases: Aliases{"zh-CN": tt.aliases}}.Checked()
		if got := text(err); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.aliases, got, tt.want)
		}
	}
}

func TestLabelIsKeptTidy(t *testing.T) {
	got, err := Label{
		Names:   Names{"zh-CN": "\u3000客厅 的  灯 ", "en": "cafe\u0301 lamp"},
		Aliases: Aliases{"zh-CN": {"主灯 "}, "en": nil},
	}.Checked()
	want := Label{Names: Names{"zh-CN": "客厅 的 灯", "en": "café lamp"}, Aliases: Aliases{"zh-CN": {"主灯"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, want → got:\n%s", err, diff)
	}
	if diff := cmp.Diff(map[string][]string{"zh-CN": {"客厅 的 灯", "主灯"}, "en": {"café lamp"}}, got.All()); diff != "" {
		t.Errorf("All: want → got:\n%s", diff)
	}
	if got := (Names{"zh-CN": "灯"}).In("en"); got != "灯" {
		t.Errorf("the only name in English: %q", got)
	}
}

// Whatever is accepted is short, visible, and accepted again unchanged.
func FuzzName(f *testing.F) {
	for _, s := range []string{"客厅", " a ", "\u202e", "Ａ", "e\u0301", "👨\u200d👩"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		kept, err := checkName("/names/en", "en", s)
		if err != nil {
			return
		}
		if strings.ContainsFunc(kept, func(r rune) bool { return !unicode.IsGraphic(r) }) || len([]rune(kept)) > MaxName {
			t.Errorf("%q was accepted", kept)
		}
		if again, err := checkName("/names/en", "en", kept); err != nil || again != kept {
			t.Errorf("%q once more gives %q, %v", kept, again, err)
		}
	})
}
