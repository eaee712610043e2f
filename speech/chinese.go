package speech

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file says numbers in Chinese.

func (w *aloud) chinese(found number) {
	switch found.kind {
	case ofDate:
		w.out.WriteString(digitsZh(found.parts[0]) + "年" + integerZh(found.parts[1]) + "月" + integerZh(found.parts[2]) + "日")
	case ofTime:
		w.out.WriteString(timeZh(found.parts))
	case ofVersion:
		for i, part := range found.parts {
			if i > 0 {
				w.out.WriteString("点")
			}
			w.out.WriteString(digitsZh(part))
		}
	case ofFraction:
		w.out.WriteString(integerZh(found.parts[1]) + "分之" + integerZh(found.parts[0]))
	default:
		w.out.WriteString(found.chinese(w.last))
		if found.to {
			w.out.WriteString("到")
		}
	}
}

// chinese says one number with its unit, after a character.
func (n *number) chinese(before rune) string {
	said := numberZh(n.value)
	next, _ := utf8.DecodeRuneInString(n.after)
	counted := n.unit.zh != "" && n.unit.sign != "K" || strings.ContainsRune(measures, next)
	switch {
	case n.value == "2" && before != '第' && counted:
		said = "两"
	case len(n.value) == 4 && next == '年', strings.HasPrefix(n.value, "0") && len(n.value) > 1 && n.value[1] != '.':
		said = digitsZh(strings.ReplaceAll(n.value, ".", ""))
	}
	switch {
	case n.unit.sign == "%":
		return "百分之" + sign(n.negative, "负") + numberZh(n.value)
	case n.unit.sign == "°C":
		return sign(n.negative, "零下") + said + n.unit.zh
	}
	return sign(n.negative, "负") + said + n.unit.zh
}

// measures are characters before which 2 is 两.
const measures = "个盏台次点度分小天秒家间档挡路层条扇件种位组只张把"

func sign(negative bool, word string) string {
	if negative {
		return word
	}
	return ""
}

// timeZh says hours, minutes and, where they are given, seconds.
func timeZh(m []string) string {
	hour := integerZh(m[0])
	if strings.TrimPrefix(m[0], "0") == "2" {
		hour = "两"
	}
	said := hour + "点"
	switch {
	case m[1] == "00" && m[2] == "":
		return said + "整"
	case m[1] == "30" && m[2] == "":
		return said + "半"
	case m[1][0] == '0':
		said += "零" + integerZh(m[1]) + "分"
	default:
		said += integerZh(m[1]) + "分"
	}
	if m[2] != "" {
		said += integerZh(m[2]) + "秒"
	}
	return said
}

// numberZh says digits with at most one point.
func numberZh(value string) string {
	whole, fraction, point := strings.Cut(value, ".")
	said := integerZh(whole)
	if point {
		said += "点" + digitsZh(fraction)
	}
	return said
}

const digitNames = "零一二三四五六七八九"

func digitsZh(digits string) string {
	names := []rune(digitNames)
	var b strings.Builder
	for _, d := range []byte(digits) {
		b.WriteRune(names[d-'0'])
	}
	return b.String()
}

// integerZh says a whole number of up to twelve digits; longer ones are said
// digit by digit.
func integerZh(digits string) string {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n >= 1e12 {
		return digitsZh(digits)
	}
	if n == 0 {
		return "零"
	}
	var b strings.Builder
	for _, g := range []struct {
		size uint64
		name string
	}{{1e8, "亿"}, {1e4, "万"}, {1, ""}} {
		part := n / g.size % 1e4
		if part == 0 {
			continue
		}
		if b.Len() > 0 && part < 1000 {
			b.WriteString("零")
		}
		if part == 2 && g.size > 1 {
			b.WriteString("两")
		} else {
			groupZh(&b, part)
		}
		b.WriteString(g.name)
	}
	return b.String()
}

// groupZh says 1 to 9999.
func groupZh(b *strings.Builder, n uint64) {
	names := []rune(digitNames)
	first, gap := true, false
	for _, p := range []struct {
		size uint64
		name string
	}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
		d := n / p.size % 10
		if d == 0 {
			gap = !first
			continue
		}
		if gap {
			b.WriteString("零")
		}
		switch {
		case d == 2 && p.size >= 100:
			b.WriteString("两")
		case d == 1 && p.size == 10 && first && b.Len() == 0: // 十二, not 一十二
		default:
			b.WriteRune(names[d])
		}
		b.WriteString(p.name)
		first, gap = false, false
	}
}
