package nlu

import "strconv"

// quantity is a number with what was said around it.
type quantity struct {
	unclear bool // not a single value: 10-20%, or a time that cannot be: -5 minutes
	kind    quantityKind
	value   float64
	unit    int32
	hours   float64 // durations
	mins    float64
	secs    float64
	clock   int   // minutes since midnight
	day     int32 // code of a day + 1, 0 none
	spoken  bool  // written as words or Chinese characters
	half    bool  // "half", which is 50 % of whatever it is
}

type quantityKind uint8

const (
	qNumber quantityKind = iota
	qDuration
	qClock
)

func (q *quantity) seconds() int { return int(q.hours*3600 + q.mins*60 + q.secs + 0.5) }

// numberAt reads one number without its unit at position i. end is i if there is none.
func numberAt(text []rune, i int, lang string) (q quantity, end int) {
	if i < len(text) && isDigit(text[i]) {
		return digitsAt(text, i)
	}
	if lang == English {
		return englishAt(text, i)
	}
	return chineseAt(text, i)
}

// digitsAt reads 26, 26.5, 1,000 and mixed forms such as 4千.
func digitsAt(text []rune, i int) (q quantity, end int) {
	j := i
	for j < len(text) && isDigit(text[j]) && j-i < 12 {
		j++
	}
	if j+1 < len(text) && text[j] == '.' && isDigit(text[j+1]) {
		j++
		for j < len(text) && isDigit(text[j]) && j-i < 18 {
			j++
		}
	}
	v, err := strconv.ParseFloat(string(text[i:j]), 64)
	if err != nil {
		return q, i
	}
	if j < len(text) {
		switch text[j] {
		case '千':
			v, j = v*1000, j+1
		case '百':
			if j+1 >= len(text) || text[j+1] != '分' {
				v, j = v*100, j+1
			}
		case '万':
			v, j = v*10000, j+1
		}
	}
	return quantity{value: v}, j
}

func hanDigit(r rune) int {
	switch r {
	case '零', '〇':
		return 0
	case '一', '壹', '幺':
		return 1
	case '二', '两', '贰', '俩':
		return 2
	case '三', '叁':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	}
	return -1
}

func hanUnit(r rune) int {
	switch r {
	case '十', '拾':
		return 10
	case '百':
		return 100
	case '千':
		return 1000
	case '万':
		return 10000
	}
	return 0
}

// chineseAt reads 二十六, 两百零五, 一百二, 二六, 四千, 二十六点五, 零下五.
func chineseAt(text []rune, i int) (q quantity, end int) {
	sign, j := 1.0, i
	if j+1 < len(text) && (text[j] == '零' && text[j+1] == '下' || text[j] == '负') {
		sign = -1
		for j < len(text) && (text[j] == '零' || text[j] == '下' || text[j] == '负') {
			j++
		}
		if j < len(text) && isDigit(text[j]) {
			q, end = digitsAt(text, j)
			q.value = -q.value
			return q, end
		}
	}
	v, k := hanInteger(text, j)
	if k == j {
		return q, i
	}
	if k+1 < len(text) && text[k] == '点' && hanDigit(text[k+1]) >= 0 && hanUnitAt(text, k+2) != 10 {
		scale := 0.1
		m := k + 1
		for m < len(text) && hanDigit(text[m]) >= 0 && m-k < 8 {
			v += scale * float64(hanDigit(text[m]))
			scale /= 10
			m++
		}
		v = float64(int64(v*1e6+0.5)) / 1e6
		k = m
	}
	return quantity{value: sign * v, spoken: true}, k
}

func hanUnitAt(text []rune, i int) int {
	if i < len(text) {
		return hanUnit(text[i])
	}
	return 0
}

// soundsTen: characters that recognisers write for 十.
func soundsTen(r rune) bool {
	switch r {
	case '是', '时', '实', '石', '事', '市', '食', '式', '世':
		return true
	}
	return false
}

func hanInteger(text []rune, i int) (v float64, end int) {
	total, section, digit, digits, last := 0, 0, -1, 0, 1
	zero, j := false, i
	for ; j < len(text) && j-i < 16; j++ {
		if d := hanDigit(text[j]); d >= 0 {
			if digits > 0 { // 二六, 二七零零: digit by digit
				digit = digit*10 + d
			} else {
				digit = d
			}
			zero = zero || d == 0 && digits == 0 && last > 1
			digits++
			continue
		}
		u := hanUnit(text[j])
		if u == 0 && j > i && digit >= 0 && j+1 < len(text) && soundsTen(text[j]) && hanDigit(text[j+1]) > 0 {
			u = 10 // 二是六, as recognisers write 二十六
		}
		if u == 0 || u == 100 && j+1 < len(text) && text[j+1] == '分' && digits == 0 {
			break
		}
		if digit < 0 {
			if u != 10 || section%100 != 0 {
				break
			}
			digit = 1
		}
		if u == 10000 {
			total, section = total+(section+digit)*u, 0
		} else {
			section += digit * u
		}
		digit, digits, last, zero = -1, 0, u, false
	}
	if j == i {
		return 0, i
	}
	if digit >= 0 {
		if digits == 1 && last >= 100 && !zero { // 一百二 is 120
			digit *= last / 10
		}
		section += digit
	}
	return float64(total + section), j
}

var englishNumbers = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
	"eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
	"eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
}

// wordAt is the Latin word at i and where it ends.
func wordAt(text []rune, i int) (string, int) {
	j := i
	for j < len(text) && (isLetter(text[j]) || text[j] == '\'') {
		j++
	}
	return string(text[i:j]), j
}

func skipBlank(text []rune, i int) int {
	for i < len(text) && text[i] == ' ' {
		i++
	}
	return i
}

// englishAt reads twenty six, a hundred and five, twenty point five.
func englishAt(text []rune, i int) (q quantity, end int) {
	total, cur, seen, j, stop := 0.0, 0.0, false, i, i
	for {
		if j >= len(text) || j-i > 60 {
			break
		}
		w, k := wordAt(text, j)
		n, ok := englishNumbers[w]
		switch {
		case w == "and" && seen && cur >= 100 || w == "a" && !seen:
			next, _ := wordAt(text, skipBlank(text, k))
			if m, isNumber := englishNumbers[next]; !isNumber || w == "a" && m < 100 {
				ok = false
			} else {
				j = skipBlank(text, k)
				continue
			}
		case w == "point" && seen:
			if v, m := pointAt(text, skipBlank(text, k)); m > k {
				return quantity{value: total + cur + v, spoken: true}, m
			}
			ok = false
		}
		if !ok || k == j {
			break
		}
		if seen && n < 10 && int(cur)%10 != 0 || seen && n >= 10 && n < 100 && int(cur)%100 != 0 {
			break
		}
		switch n {
		case 100:
			cur = max(cur, 1) * 100
		case 1000:
			total, cur = total+max(cur, 1)*1000, 0
		default:
			cur += float64(n)
		}
		seen, stop = true, k
		j = skipBlank(text, k)
	}
	if !seen {
		return q, i
	}
	return quantity{value: total + cur, spoken: true}, stop
}

func pointAt(text []rune, i int) (v float64, end int) {
	scale, j, end := 0.1, i, i
	for range 4 {
		w, k := wordAt(text, j)
		n, ok := englishNumbers[w]
		if !ok || n > 9 {
			break
		}
		v += scale * float64(n)
		scale /= 10
		end = k
		j = skipBlank(text, k)
	}
	return v, end
}
