package nlu

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// simplified maps a traditional character to the one that the vocabulary is written in.
var simplified = sync.OnceValue(func() map[rune]rune {
	m := map[rune]rune{}
	b, err := vocabularyFiles.ReadFile("vocabulary/traditional.txt")
	if err != nil {
		return m
	}
	var from rune
	for _, r := range string(b) {
		switch {
		case r == '\n':
			from = 0
		case from == 0:
			from = r
		default:
			m[from] = r
		}
	}
	return m
})

// normalRune folds width, case, variants of punctuation and traditional characters. 0 drops the rune.
func normalRune(r rune) rune {
	switch {
	case r < 0x80:
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '-' || r == '_' || r == '\t' || r == '\n' || r == '\r' || r == '"':
			return ' '
		case r < ' ' || r == 0x7f:
			return 0
		}
		return r
	case r >= 0xff01 && r <= 0xff5e: // full width
		return normalRune(r - 0xfee0)
	}
	switch r {
	case 0x3000, 0xa0, 0x2002, 0x2003, 0x2009:
		return ' '
	case '，':
		return ','
	case '。', '；':
		return ';'
	case '‘', '’', 'ʼ', '´':
		return '\''
	case '“', '”', '「', '」', '《', '》', '…', '—', '–', '−', '﹣', '·', '～', '\u200b', '\ufeff':
		return ' '
	case 'º', '˚':
		return '°'
	case '℃':
		return '度'
	case '：':
		return ':'
	case utf8.RuneError:
		return ' '
	}
	if r >= 0x3400 && r <= 0x9fff {
		if s, ok := simplified()[r]; ok {
			return s
		}
		return r
	}
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
		return 0
	}
	return unicode.ToLower(r)
}

// normalise folds s into text and writes to origin, for each rune of text, the byte offset in s that it came from. Runs
// of blanks become one, blanks beside Chinese characters go.
func normalise(s string, text []rune, origin []int) ([]rune, []int) {
	for i, r := range s {
		r = normalRune(r)
		if r == 0 {
			continue
		}
		n := len(text)
		if n > 0 && (text[n-1] == '左' || text[n-1] == '右') && (r == '边' || r == '侧' || r == '面' || r == '的') {
			continue // 左边的床头灯 is 左床头灯, in names as in sentences
		}
		if r == ' ' && (n == 0 || text[n-1] == ' ' || isHan(text[n-1])) {
			continue
		}
		if n > 0 && text[n-1] == ' ' && isHan(r) {
			text, origin = text[:n-1], origin[:n-1]
		}
		text, origin = append(text, r), append(origin, i)
	}
	for len(text) > 0 && text[len(text)-1] == ' ' {
		text, origin = text[:len(text)-1], origin[:len(origin)-1]
	}
	return text, origin
}

// fold normalises a word of the vocabulary or a name.
func fold(s string) []rune {
	text, _ := normalise(s, nil, nil)
	return text
}

func isHan(r rune) bool { return r >= 0x3400 && r <= 0x9fff }
func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r > 0x7f && r < 0x3000 && unicode.IsLetter(r)
}
func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// language recognises the language of normalised text: Chinese if there is any Chinese character.
func language(text []rune) string {
	for _, r := range text {
		if isHan(r) {
			return Chinese
		}
	}
	return English
}
