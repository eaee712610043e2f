package nlu

import (
	"strings"
	"unicode/utf8"
)

// This file reads numbers with their units: percentages, durations, times of day.

// quantities adds to the lattice the longest quantity that begins at i.
func (s *scan) quantities(i int) {
	text := s.text
	if i > 0 && isLetter(text[i]) && isLetter(text[i-1]) || i > 0 && isDigit(text[i]) && isDigit(text[i-1]) {
		return
	}
	if s.lang == English && isLetter(text[i]) && !s.startsQuantity(i) {
		return
	}
	if q, end := s.clockAt(i); end > i && !(end == i+2 && text[i] == '一') { // 一点 is a little
		s.quantity(i, end, q)
	}
	if q, end := s.durationAt(i); end > i {
		s.quantity(i, end, q)
	}
	if q, end := s.shareAt(i); end > i {
		s.quantity(i, end, q)
		return
	}
	j := i
	if s.lang == Chinese && text[j] == '第' {
		j++
	}
	q, end := numberAt(text, j, s.lang)
	if end == j {
		return
	}
	if unit, k := s.unitAt(end); unit != uNone && unit != uHour && unit != uMinute && unit != uSecond && unit != uDay {
		q.unit = unit
		s.quantity(i, k, q)
		return
	}
	s.quantity(i, end, q)
}

// starters are the English words besides numbers that a quantity can begin with.
var starters = map[string]bool{"a": true, "an": true, "half": true, "halfway": true, "quarter": true, "at": true, "by": true, "noon": true, "midday": true, "midnight": true}

// startsQuantity looks at one word only, so that most words cost no more than that.
func (s *scan) startsQuantity(i int) bool {
	var buf [12]byte
	n := 0
	for j := i; j < len(s.text) && isLetter(s.text[j]); j++ {
		if n == len(buf) || s.text[j] > 'z' {
			return false
		}
		buf[n] = byte(s.text[j])
		n++
	}
	if _, ok := englishNumbers[string(buf[:n])]; ok || starters[string(buf[:n])] {
		return true
	}
	_, end := s.wordOf(i, cDay)
	return end > i
}

func (s *scan) quantity(i, end int, q quantity) {
	s.signed(i, end, &q)
	s.numbers = append(s.numbers, q)
	e := edge{start: int32(i), end: int32(end), mask: cNumber.bit(), number: int32(len(s.numbers))}
	if q.spoken && q.value == 1 && q.kind == qNumber && q.unit == uNone { // "the kitchen one"
		e.cost = 4
	}
	s.edges = append(s.edges, e)
}

// signed gives q what stands before it, which normalising drops: the minus of -10%, the dash of 10-20%.
func (s *scan) signed(i, end int, q *quantity) {
	if end > len(s.origin) {
		return
	}
	before, within := s.raw[:s.origin[i]], s.raw[s.origin[i]:s.origin[end-1]]
	var dash, minus, span bool
	for k, r := range within { // 百分之-10, 7-30 am
		if isDash(r) || r == '~' || r == '～' {
			next, _ := utf8.DecodeRuneInString(strings.TrimLeft(within[k+utf8.RuneLen(r):]+s.raw[s.origin[end-1]:], " "))
			if isDigit(normalRune(next)) {
				last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(within[:k], " "))
				span = span || isDigit(normalRune(last))
				minus = minus || !isDigit(normalRune(last))
			}
		}
	}
	before = strings.TrimRight(before, " \t\u3000")
	last, n := utf8.DecodeLastRuneInString(before)
	if dash = isDash(last); dash || last == '~' || last == '～' {
		before = strings.TrimRight(before[:len(before)-n], " \t\u3000")
		last, _ = utf8.DecodeLastRuneInString(before)
		switch normalRune(last) {
		case '%', '度', '°', '成', '档', '级':
			span = true
		default:
			span = span || isDigit(normalRune(last)) || s.lang == Chinese && (hanDigit(last) >= 0 || hanUnit(last) > 0)
		}
		minus = minus || dash && !span
	}
	for _, w := range []string{"minus", "negative"} {
		if k := i - 1 - len(w); s.lang == English && k >= 0 && hasAt(s.text, k, w+" ") && (k == 0 || !isLetter(s.text[k-1])) {
			minus = true
		}
	}
	switch {
	case span || minus && q.kind != qNumber:
		q.unclear = true
	case minus:
		q.value = -q.value
	}
}

func isDash(r rune) bool {
	switch r {
	case '-', '－', '−', '–', '—', '﹣':
		return true
	}
	return false
}

// unitAt finds the longest unit at i, blanks skipped.
func (s *scan) unitAt(i int) (unit int32, end int) {
	i = skipBlank(s.text, i)
	var n uint32
	for j := i; j < len(s.text); j++ {
		if n = s.words.next(n, s.text[j]); n == 0 {
			break
		}
		if s.words.nodes[n].mask.has(cUnit) && !s.splits(i, j+1) {
			for e := s.words.nodes[n].head; e != 0; e = s.words.chain[e].next {
				if se := s.words.chain[e].sense; se.class == cUnit {
					unit, end = se.code, j+1
				}
			}
		}
	}
	if end == 0 {
		return uNone, i
	}
	return unit, end
}

// shareAt reads 百分之五十, 五成, 三分之一, 一半, half.
func (s *scan) shareAt(i int) (q quantity, end int) {
	text := s.text
	if s.lang == English {
		if w, k := wordAt(text, i); w == "half" || w == "halfway" {
			return quantity{value: 50, unit: uPercent, spoken: true, half: true}, k
		}
		return q, i
	}
	if hasAt(text, i, "一半") || hasAt(text, i, "半开") {
		return quantity{value: 50, unit: uPercent, spoken: true, half: true}, i + len([]rune("一半")) - b2i(text[i] == '半')
	}
	if text[i] == '半' && !hasAt(text, i, "半小时") && !hasAt(text, i, "半个") {
		return quantity{value: 50, unit: uPercent, spoken: true, half: true}, i + 1
	}
	if hasAt(text, i, "百分之") {
		if n, k := numberAt(text, i+3, s.lang); k > i+3 {
			n.unit = uPercent
			return n, k
		}
		if hasAt(text, i+3, "百") {
			return quantity{value: 100, unit: uPercent, spoken: true}, i + 4
		}
		return q, i
	}
	n, k := numberAt(text, i, s.lang)
	if k == i {
		return q, i
	}
	switch {
	case k < len(text) && text[k] == '成' && n.value >= 0 && n.value <= 10 && k-i == 1:
		n.value, n.unit, k = n.value*10, uPercent, k+1
		if k < len(text) && text[k] == '半' {
			n.value, k = n.value+5, k+1
		}
		return n, k
	case hasAt(text, k, "分之"):
		if m, e := numberAt(text, k+2, s.lang); e > k+2 && n.value > 0 {
			return quantity{value: float64(int(m.value/n.value*100 + 0.5)), unit: uPercent, spoken: true}, e
		}
	}
	return q, i
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func hasAt(text []rune, i int, w string) bool {
	for _, r := range w {
		if i >= len(text) || text[i] != r {
			return false
		}
		i++
	}
	return true
}

// durationAt reads 一个半小时, 1小时10分钟30秒, half an hour, 5 and a half minutes.
func (s *scan) durationAt(i int) (q quantity, end int) {
	q.kind, end = qDuration, i
	j, last := i, uDay
	for j < len(s.text) {
		v, unit, k := s.durationPart(j)
		if k == j || unit == uDay && j > i || unit <= last && j > i {
			break
		}
		switch unit {
		case uHour:
			q.hours = v
		case uMinute:
			q.mins = v
		case uSecond:
			q.secs = v
		default:
			q.hours += 24 * v
			unit = uHour - 1
		}
		last, end = unit, k
		j = skipBlank(s.text, k)
		if w, m := wordAt(s.text, j); w == "and" {
			if _, _, e := s.durationPart(skipBlank(s.text, m)); e > skipBlank(s.text, m) {
				j = skipBlank(s.text, m)
			}
		}
	}
	return q.carried(), end
}

// carried turns halves of a unit into the next one: 1.5 h is 1 h 30 min.
func (q quantity) carried() quantity {
	if f := q.hours - float64(int(q.hours)); f > 0 {
		q.hours, q.mins = q.hours-f, q.mins+f*60
	}
	if f := q.mins - float64(int(q.mins)); f > 0 {
		q.mins, q.secs = q.mins-f, q.secs+float64(int(f*60+0.5))
	}
	return q
}

func (s *scan) durationPart(i int) (v float64, unit int32, end int) {
	text := s.text
	if s.lang == Chinese {
		return s.chineseDuration(i)
	}
	w, k := wordAt(text, i)
	if w == "a" || w == "an" { // a quarter of an hour
		if part, e := wordAt(text, skipBlank(text, k)); part == "half" || part == "quarter" {
			w, k = part, e
		}
	}
	if w == "half" || w == "an" || w == "a" || w == "quarter" {
		value, j := 1.0, skipBlank(text, k)
		if w == "half" || w == "quarter" {
			value = map[string]float64{"half": 0.5, "quarter": 0.25}[w]
			for range 2 {
				if a, m := wordAt(text, j); a == "a" || a == "an" || a == "of" {
					j = skipBlank(text, m)
				}
			}
		}
		if unit, k = s.unitAt(j); isTimeUnit(unit) {
			if j := skipBlank(text, k); value == 1 && hasAt(text, j, "and a half") {
				value, k = 1.5, j+len("and a half")
			}
			return value, unit, k
		}
		return 0, 0, i
	}
	n, k := numberAt(text, i, s.lang)
	if k == i {
		return 0, 0, i
	}
	for _, half := range []string{"and a half", "and half"} {
		if j := skipBlank(text, k); hasAt(text, j, half) {
			n.value, k = n.value+0.5, j+len(half)
			break
		}
	}
	unit, e := s.unitAt(k)
	if !isTimeUnit(unit) {
		return 0, 0, i
	}
	if j := skipBlank(text, e); hasAt(text, j, "and a half") {
		n.value, e = n.value+0.5, j+len("and a half")
	}
	return n.value, unit, e
}

func isTimeUnit(u int32) bool { return u >= uHour && u <= uDay }

func (s *scan) chineseDuration(i int) (v float64, unit int32, end int) {
	text := s.text
	n, k := numberAt(text, i, s.lang)
	switch {
	case k > i:
		v = n.value
		if hasAt(text, k, "个半") {
			v, k = v+0.5, k+2
			if k < len(text) && text[k] == '个' {
				k++
			}
		} else if hasAt(text, k, "刻钟") {
			return v * 15, uMinute, k + 2
		}
	case text[i] == '半':
		v, k = 0.5, i+1
	default:
		return 0, 0, i
	}
	unit, e := s.unitAt(k)
	if !isTimeUnit(unit) {
		return 0, 0, i
	}
	if e < len(text) && text[e] == '半' && (unit == uHour || unit == uMinute) { // 一小时半, 一分半
		v, e = v+0.5, e+1
	}
	return v, unit, e
}

// clockAt reads 晚上十点半, 明早七点, 7:30, half past seven, ten pm.
func (s *scan) clockAt(i int) (q quantity, end int) {
	q.kind = qClock
	period, j := int32(-1), i
	for range 3 { // day, period of the day
		if d, k := s.wordOf(j, cDay); k > j {
			q.day, period, j = d+1, dayPeriod(s.v.days.list[d], period), k
		} else if p, k := s.wordOf(j, cPeriod); k > j && s.lang == Chinese {
			period, j = p, k
		} else {
			break
		}
		j = skipBlank(s.text, j)
	}
	if s.lang == Chinese && j < len(s.text) && (s.text[j] == '的' || s.text[j] == ',') && j > i {
		j++
	}
	minute, k, exact := s.dialAt(j)
	if k == j {
		return q, i
	}
	bare := !exact && period < 0 && q.day == 0
	if s.lang == English {
		for range 2 {
			if p, e := s.wordOf(skipBlank(s.text, k), cPeriod); e > skipBlank(s.text, k) {
				period, k, bare = p, e, false
			}
			if d, e := s.wordOf(skipBlank(s.text, k), cDay); e > skipBlank(s.text, k) {
				q.day, period, k = d+1, dayPeriod(s.v.days.list[d], period), e
				if w, _ := wordAt(s.text, j); w == "at" || w == "by" { // at seven tomorrow
					bare = false
				}
			}
		}
		if bare {
			return q, i
		}
	}
	q.clock = at24(minute, period)
	return q, k
}

func dayPeriod(day string, period int32) int32 {
	switch {
	case len(day) > 3 && day[len(day)-3:] == " am":
		return periodAM
	case len(day) > 6 && day[len(day)-6:] == " night":
		return periodNight
	}
	return period
}

func at24(minute int, period int32) int {
	h := minute / 60
	switch period {
	case periodPM:
		if h < 12 {
			h += 12
		}
	case periodNight:
		if h >= 5 && h < 12 {
			h += 12
		} else if h == 12 {
			h = 0
		}
	case periodNoon:
		if h < 5 {
			h += 12
		}
	case periodAM:
		if h == 12 {
			h = 0
		}
	}
	return h%24*60 + minute%60
}

// wordOf finds the longest word of class c at i.
func (s *scan) wordOf(i int, c class) (code int32, end int) {
	end = i
	var n uint32
	for j := i; j < len(s.text); j++ {
		if n = s.words.next(n, s.text[j]); n == 0 {
			break
		}
		if s.words.nodes[n].mask.has(c) && !s.splits(i, j+1) {
			for e := s.words.nodes[n].head; e != 0; e = s.words.chain[e].next {
				if se := s.words.chain[e].sense; se.class == c {
					code, end = se.code, j+1
				}
			}
		}
	}
	return code, end
}

// dialAt reads the dial: 十点半, 7:30, 三点一刻, half past seven; minutes since midnight. A bare number is not exact.
func (s *scan) dialAt(i int) (minute, end int, exact bool) {
	if i >= len(s.text) {
		return 0, i, false
	}
	if s.lang == English {
		return englishDial(s.text, i)
	}
	minute, end = s.chineseDial(i)
	return minute, end, true
}

func (s *scan) chineseDial(i int) (minute, end int) {
	text := s.text
	h, k := numberAt(text, i, s.lang)
	if hasAt(text, i, "零点") || hasAt(text, i, "零时") {
		h, k = quantity{}, i+1
	}
	if k == i || h.value < 0 || h.value > 24 || k >= len(text) {
		return 0, i
	}
	minute = int(h.value) % 24 * 60
	if text[k] == ':' {
		if m, e := digitsAt(text, k+1); e == k+3 && m.value < 60 {
			return minute + int(m.value), e
		}
		return 0, i
	}
	if text[k] != '点' && text[k] != '时' || hasAt(text, k, "时候") {
		return 0, i
	}
	k++
	if k < len(text) && (text[k] == '钟' || text[k] == '整') {
		return minute, k + 1
	}
	switch {
	case k < len(text) && text[k] == '半':
		return minute + 30, k + 1
	case hasAt(text, k, "一刻"):
		return minute + 15, k + 2
	case hasAt(text, k, "三刻"):
		return minute + 45, k + 2
	}
	if m, e := numberAt(text, k, s.lang); e > k && m.value < 60 && m.value == float64(int(m.value)) {
		if e < len(text) && text[e] == '分' {
			return minute + int(m.value), e + 1
		}
		if m.value >= 10 && !hasAt(text, e, "度") && !hasAt(text, e, "%") || text[k] == '零' {
			return minute + int(m.value), e
		}
	}
	return minute, k
}

func englishDial(text []rune, i int) (minute, end int, exact bool) {
	at := i
	if w, k := wordAt(text, i); w == "at" || w == "by" {
		at = skipBlank(text, k)
	}
	switch w, k := wordAt(text, at); w {
	case "noon", "midday":
		return 12 * 60, k, true
	case "midnight":
		return 0, k, true
	case "half", "quarter":
		minute, end = pastDial(text, i, w, k)
		return minute, end, true
	}
	h, k := numberAt(text, at, English)
	if k == at || h.value < 0 || h.value > 24 || h.value != float64(int(h.value)) {
		return 0, i, false
	}
	minute = int(h.value) % 24 * 60
	if k < len(text) && text[k] == ':' {
		if m, e := digitsAt(text, k+1); e == k+3 && m.value < 60 {
			return minute + int(m.value), e, true
		}
		return 0, i, false
	}
	j := skipBlank(text, k)
	if hasAt(text, j, "o'clock") {
		return minute, j + len("o'clock"), true
	}
	if m, e := numberAt(text, j, English); e > j && m.value >= 10 && m.value < 60 {
		p := skipBlank(text, e)
		if at != i && h.value <= 12 || hasAt(text, p, "am") || hasAt(text, p, "pm") || hasAt(text, p, "a.m") || hasAt(text, p, "p.m") {
			return minute + int(m.value), e, true
		}
	}
	return minute, k, false
}

func pastDial(text []rune, i int, part string, k int) (minute, end int) {
	w, k := wordAt(text, skipBlank(text, k))
	if w != "past" && w != "to" {
		return 0, i
	}
	h, e := numberAt(text, skipBlank(text, k), English)
	if e == skipBlank(text, k) || h.value > 24 {
		return 0, i
	}
	off := map[string]int{"half": 30, "quarter": 15}[part]
	if w == "to" {
		off = -off
	}
	return (int(h.value)*60 + off + 1440) % 1440, e
}
