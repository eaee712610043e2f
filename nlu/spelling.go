package nlu

import (
	"slices"
	"strings"
)

// This file repairs misspelled English words.

// spellings adds the words of a key that are long enough to be told apart when misspelled.
func spellings(list []string, key []rune) []string {
	for _, w := range strings.Fields(string(key)) {
		if len(w) >= 4 {
			list = append(list, w)
		}
	}
	return list
}

// respell replaces unknown English words by the one word that is a letter or two away, and reads again.
func (s *scan) respell(c *Context, unknown int) (Reading, bool) {
	text, origin := append([]rune{}, s.text...), append([]int{}, s.origin...)
	changed := false
	for i := len(s.tokens) - 1; i >= 0; i-- {
		t := &s.tokens[i]
		if t.mask != 0 {
			continue
		}
		if w := s.nearest(string(s.text[t.start:t.end])); w != "" {
			from := make([]int, len([]rune(w)))
			for k := range from {
				from[k] = s.origin[min(int(t.start)+k, int(t.end)-1)]
			}
			origin = append(origin[:t.start:t.start], append(from, origin[t.end:]...)...)
			text = append(text[:t.start:t.start], append([]rune(w), text[t.end:]...)...)
			changed = true
		}
	}
	if !changed || len(text) > 2*MaxRunes {
		return Reading{}, false
	}
	s.text, s.origin = append(s.text[:0], text...), append(s.origin[:0], origin...)
	s.lattice()
	left := s.segment()
	out := s.resolve(c, left)
	if left >= unknown || out.Outcome != Act && out.Outcome != Clarify {
		return Reading{}, false
	}
	out.Repaired = string(s.text)
	return out, true
}

// nearest is the only word at the smallest distance from w, or "".
func (s *scan) nearest(w string) string {
	limit := 1
	switch {
	case len(w) < 4:
		return ""
	case len(w) >= 8:
		limit = 2
	}
	best, found, twice := limit+1, "", false
	for _, list := range [][]string{s.x.spelling, s.v.spelling} {
		for _, k := range list {
			if len(w) == len(k) && len(w) < 6 && !permuted(w, k) { // cook is a word, and not a misspelled cool
				continue
			}
			if k == found || len(k)-len(w) > limit || len(w)-len(k) > limit {
				continue
			}
			switch d := distance(w, k, best); {
			case d < best:
				best, found, twice = d, k, false
			case d == best && d <= limit:
				twice = true
			}
		}
	}
	if twice || best > limit {
		return ""
	}
	return found
}

// permuted reports whether a and b have the same letters.
func permuted(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return string(x) == string(y)
}

// distance counts the letters to change, add, drop or swap, up to limit.
func distance(a, b string, limit int) int {
	var rows [3][40]int
	if len(a) >= 39 || len(b) >= 39 {
		return limit + 1
	}
	prev2, prev, cur := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			least = min(least, cur[j])
		}
		if least > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
