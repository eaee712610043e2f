package speech

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A unit as it is written after a number, and as it is said.
type unit struct{ sign, zh, en string }

// units are tried in this order: longer signs first.
var units = []unit{
	{"μg/m3", "微克每立方米", "micrograms per cubic metre"},
	{"mg/m3", "毫克每立方米", "milligrams per cubic metre"},
	{"m3/h", "立方米每小时", "cubic metres an hour"},
	{"kWh", "千瓦时", "kilowatt hours"},
	{"km/h", "公里每小时", "kilometres an hour"},
	{"min", "分钟", "minutes"},
	{"ppm", "PPM", "parts per million"},
	{"m/s", "米每秒", "metres a second"},
	{"hPa", "百帕", "hectopascals"},
	{"lux", "勒克斯", "lux"},
	{"°C", "摄氏度", "degrees Celsius"},
	{"°F", "华氏度", "degrees Fahrenheit"},
	{"kHz", "千赫", "kilohertz"},
	{"lx", "勒克斯", "lux"},
	{"kW", "千瓦", "kilowatts"},
	{"dB", "分贝", "decibels"},
	{"Hz", "赫兹", "hertz"},
	{"Pa", "帕", "pascals"},
	{"ms", "毫秒", "milliseconds"},
	{"mA", "毫安", "milliamperes"},
	{"kg", "千克", "kilograms"},
	{"km", "公里", "kilometres"},
	{"cm", "厘米", "centimetres"},
	{"mm", "毫米", "millimetres"},
	{"ml", "毫升", "millilitres"},
	{"m2", "平方米", "square metres"},
	{"m3", "立方米", "cubic metres"},
	{"°", "度", "degrees"},
	{"%", "", "percent"}, // 百分之… stands before the number
	{"K", "K", "kelvin"},
	{"W", "瓦", "watts"},
	{"V", "伏", "volts"},
	{"A", "安", "amperes"},
	{"L", "升", "litres"},
	{"g", "克", "grams"},
	{"m", "米", "metres"},
	{"s", "秒", "seconds"},
	{"h", "小时", "hours"},
}

var (
	dateForm    = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})`)
	timeForm    = regexp.MustCompile(`^(\d{1,2}):([0-5]\d)(?::([0-5]\d))?`)
	versionForm = regexp.MustCompile(`^\d+(?:\.\d+){2,}`)
	numberForm  = regexp.MustCompile(`^-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?`)
	rangeForm   = regexp.MustCompile(`^ ?(?:\.\.|-|–|~|to) ?\d`)
)

// number writes the number that rest starts with, its unit, and the "to" of a
// range after it. It returns the bytes used, and moves w.rest for none of them.
func (w *writer) number() int {
	before, _ := utf8.DecodeLastRuneInString(w.zh.String())
	if w.base == Chinese || (w.zh.Len() > 0 && before == w.last) {
		w.toChinese()
		return w.chineseNumber()
	}
	w.toEnglish()
	return w.englishNumber()
}

func (w *writer) chineseNumber() int {
	s := w.rest
	if m := dateForm.FindStringSubmatch(s); m != nil {
		w.zh.WriteString(digitsZh(m[1]) + "年" + integerZh(m[2]) + "月" + integerZh(m[3]) + "日")
		return len(m[0])
	}
	if m := timeForm.FindStringSubmatch(s); m != nil {
		w.zh.WriteString(timeZh(m))
		return len(m[0])
	}
	if m := versionForm.FindString(s); m != "" {
		for i, part := range strings.Split(m, ".") {
			if i > 0 {
				w.zh.WriteString("点")
			}
			w.zh.WriteString(digitsZh(part))
		}
		return len(m)
	}
	m := numberForm.FindString(s)
	u, n := unitAfter(s[len(m):])
	n += len(m)
	value, negative := strings.CutPrefix(strings.ReplaceAll(m, ",", ""), "-")
	following, _ := utf8.DecodeRuneInString(s[n:])
	said := numberZh(value)
	if value == "2" && w.last != '第' && (u.zh != "" && u.sign != "K" || strings.ContainsRune(measures, following)) {
		said = "两"
	}
	switch {
	case u.sign == "%":
		said = "百分之" + sign(negative, "负") + numberZh(value)
	case u.sign == "°C":
		said = sign(negative, "零下") + said + u.zh
	default:
		said = sign(negative, "负") + said + u.zh
	}
	w.zh.WriteString(said)
	if r := rangeForm.FindString(s[n:]); r != "" && !dateForm.MatchString(s) {
		w.zh.WriteString("到")
		n += len(r) - 1 // the digit stays
	}
	return n
}

// measures are characters before which 2 is 两.
const measures = "个盏台次点度分小天秒家间档挡路层条扇件种位组只张把"

func sign(negative bool, word string) string {
	if negative {
		return word
	}
	return ""
}

func timeZh(m []string) string {
	hour := integerZh(m[1])
	if strings.TrimPrefix(m[1], "0") == "2" {
		hour = "两"
	}
	said := hour + "点"
	switch {
	case m[2] == "00" && m[3] == "":
		said += "整"
	case m[2][0] == '0':
		said += "零" + integerZh(m[2]) + "分"
	default:
		said += integerZh(m[2]) + "分"
	}
	if m[3] != "" {
		said += integerZh(m[3]) + "秒"
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

func (w *writer) englishNumber() int {
	s := w.rest
	if m := dateForm.FindStringSubmatch(s); m != nil {
		w.en.WriteString(" " + m[1] + " " + m[2] + " " + m[3])
		return len(m[0])
	}
	if m := timeForm.FindStringSubmatch(s); m != nil {
		w.en.WriteString(" " + timeEn(m))
		return len(m[0])
	}
	if m := versionForm.FindString(s); m != "" {
		w.en.WriteString(" " + strings.ReplaceAll(m, ".", " point "))
		return len(m)
	}
	m := numberForm.FindString(s)
	u, n := unitAfter(s[len(m):])
	n += len(m)
	value, negative := strings.CutPrefix(strings.ReplaceAll(m, ",", ""), "-")
	w.en.WriteString(" " + sign(negative, "minus ") + value)
	if u.en != "" {
		w.en.WriteString(" " + u.en)
	}
	if r := rangeForm.FindString(s[n:]); r != "" {
		w.en.WriteString(" to ")
		n += len(r) - 1
	}
	return n
}

func timeEn(m []string) string {
	hour := m[1]
	if len(hour) == 2 {
		hour = strings.TrimPrefix(hour, "0")
	}
	switch {
	case m[2] == "00" && hour != "0":
		return hour + " o'clock"
	case m[2][0] == '0':
		return hour + " oh " + m[2][1:]
	}
	return hour + " " + m[2]
}

// unitAfter finds a unit at the start of s, with at most one space before it.
// A letter directly after the sign means it was the start of a word.
func unitAfter(s string) (unit, int) {
	t := strings.TrimPrefix(s, " ")
	for _, u := range units {
		rest, ok := strings.CutPrefix(t, u.sign)
		if !ok {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(rest); isLatin(next) && u.sign != "%" {
			continue
		}
		return u, len(s) - len(rest)
	}
	return unit{}, 0
}
