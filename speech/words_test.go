package speech

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// written shows pieces as "voice|text" lines, voices in short.
func written(pieces []piece) string {
	var all []string
	for _, p := range pieces {
		all = append(all, map[string]string{voicePinyin: "zh", voiceEnglish: "en"}[p.voice]+"|"+p.text)
	}
	return strings.Join(all, "\n")
}

func TestWordsInChinese(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"好的，空调已调到26℃。", "zh|hao3 de5, kong1 tiao2 yi3 tiao2 dao4 er4 shi2 liu4 she4 shi4 du4."},
		{"亮度50%", "zh|liang4 du4 bai3 fen1 zhi1 wu3 shi2"},
		{"亮度５０％", "zh|liang4 du4 bai3 fen1 zhi1 wu3 shi2"},
		{"早上7:30", "zh|zao3 shang4 qi1 dian3 ban4"},
		{"2:05", "zh|liang3 dian3 ling2 wu3 fen1"},
		{"19:00", "zh|shi2 jiu3 dian3 zheng3"},
		{"2.5", "zh|er4 dian3 wu3"},
		{"4000K", "zh|si4 qian1 kei4"},
		{"-5℃", "zh|ling2 xia4 wu3 she4 shi4 du4"},
		{"2700–6500 K", "zh|liang3 qian1 qi1 bai3 dao4 liu4 qian1 wu3 bai3 kei4"},
		{"1..100 %", "zh|yi1 dao4 bai3 fen1 zhi1 yi4 bai3"},
		{"2026-11-23", "zh|er4 ling2 er4 liu4 nian2 shi2 yi1 yue4 er4 shi2 san1 ri4"},
		{"2个灯", "zh|liang3 ge4 deng1"},
		{"第2个", "zh|di4 er4 ge4"},
		{"12,846台", "zh|yi2 wan4 liang3 qian1 ba1 bai3 si4 shi2 liu4 tai2"},
		{"版本1.4.2", "zh|ban3 ben3 yi1 dian3 si4 dian3 er4"},
		{"PM2.5是35μg/m³", "zh|pi4 ai2 mu5 er4 dian3 wu3 shi4 san1 shi2 wu3 wei1 ke4 mei3 li4 fang1 mi3"},
		{"请检查Wi-Fi和TV", "zh|qing3 jian3 cha2\nen|Wi-Fi\nzh|he2 ti4 wei1"},
		{"打开 floor lamp 了", "zh|da3 kai1\nen|floor lamp\nzh|le5"},
		{"<speak>[[x]]</speak>", "en|speak x speak"},
		{"不是一个，第一，一起，不一定", "zh|bu2 shi4 yi2 ge4, di4 yi1, yi4 qi3, bu4 yi2 ding4"},
		{"重新连上，重量", "zh|chong2 xin1 lian2 shang4, zhong4 liang4"},
		{"客厅\x00的\u202e灯", "zh|ke4 ting1 de5 deng1"},
		{"主卧还是次卧的灯？", "zh|zhu3 wo4 hai2 shi4 ci4 wo4 de5 deng1?"},
		{"调亮一点，11度，110个", "zh|tiao2 liang4 yi4 dian3, shi2 yi1 du4, yi4 bai3 yi1 shi2 ge4"},
		{"…、。", ""},
		{"-v en; rm -rf /", "en|v en, rm rf"},
	} {
		if got := written(words(tt.in, Chinese)); got != tt.want {
			t.Errorf("words(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestWordsInEnglish(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Done, 26 °C.", "en|Done, twenty-six degrees Celsius."},
		{"Brightness is 50 %", "en|Brightness is fifty percent"},
		{"at 7:30, 7:00, 7:05 and 0:00", "en|at seven thirty, seven o'clock, seven oh five and midnight"},
		{"4000 K", "en|four thousand kelvin"},
		{"from one to one hundred", "en|from one to one hundred"},
		{"2700–6500 K", "en|two thousand seven hundred to six thousand five hundred kelvin"},
		{"-5 °C", "en|minus five degrees Celsius"},
		{"客厅的灯 is on", "zh|ke4 ting1 de5 deng1\nen|is on"},
		{"客厅2号灯 is on", "zh|ke4 ting1 er4 hao4 deng1\nen|is on"},
		{"5 metres", "en|five metres"},
	} {
		if got := written(words(tt.in, English)); got != tt.want {
			t.Errorf("words(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestIntegerZh(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"0", "零"},
		{"10", "十"},
		{"11", "十一"},
		{"20", "二十"},
		{"101", "一百零一"},
		{"110", "一百一十"},
		{"200", "两百"},
		{"222", "两百二十二"},
		{"1001", "一千零一"},
		{"1010", "一千零一十"},
		{"1100", "一千一百"},
		{"10000", "一万"},
		{"20000", "两万"},
		{"20002", "两万零二"},
		{"100000", "十万"},
		{"120000", "十二万"},
		{"1000500", "一百万零五百"},
		{"100000000", "一亿"},
		{"999999999999", "九千九百九十九亿九千九百九十九万九千九百九十九"},
		{"1000000000000", "一零零零零零零零零零零零零"},
		{"007", "七"},
	} {
		if got := integerZh(tt.in); got != tt.want {
			t.Errorf("integerZh(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// Every phrase is as long as its reading, is found, and has one tone a syllable.
func TestPhrases(t *testing.T) {
	for word, said := range phrases {
		n := utf8.RuneCountInString(word)
		if n < 2 || n > longestPhrase {
			t.Errorf("%s is %d characters long, want 2 to %d", word, n, longestPhrase)
		}
		syllables := strings.Fields(said)
		if len(syllables) != n {
			t.Errorf("%s has %d characters and %d syllables: %s", word, n, len(syllables), said)
		}
		for _, s := range syllables {
			if !strings.Contains("12345", s[len(s)-1:]) {
				t.Errorf("%s: syllable %q has no tone", word, s)
			}
		}
	}
}

// What reaches the engine is plain: no markup, no phoneme brackets, no control
// characters, and never more processes than allowed.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"好的，26℃", "a中b中c中", "[[x]]<y>&lt;", "1..2..3", "-1-2:3", "\x00\u202e", "１２：３０", "9999999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckText(s, Chinese) != nil {
			t.Skip()
		}
		for _, lang := range []string{Chinese, English} {
			pieces := words(s, lang)
			if len(pieces) > maxPieces+1 {
				t.Errorf("%d pieces of %q", len(pieces), s)
			}
			for _, p := range pieces {
				if i := strings.IndexFunc(p.text, func(r rune) bool { return !isWord(r) && !strings.ContainsRune(" ,.?!'-", r) }); i >= 0 {
					t.Errorf("words(%q, %s): %q holds something not to be said at %d", s, lang, p.text, i)
				}
			}
		}
	})
}

func BenchmarkWords(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		words("好的，客厅的空调已调到26℃，湿度百分之50。", Chinese)
	}
}
