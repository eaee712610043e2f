package nlu

import "strings"

// This file reads announcements: 广播饭好了, 在客厅播报吃饭了, tell everyone in the bedroom that dinner is ready.

// announcement is the reading of a sentence that begins by saying that something is to be announced. What is announced is not
// read: it may speak of lights and doors as it likes.
func (s *scan) announcement(c *Context) (Reading, bool) {
	i, rooms := s.places(0)
	if !s.announces(i) {
		return Reading{}, false
	}
	at := s.tokens[i].end
	if i++; i < len(s.tokens) {
		if to, more := s.places(i); len(more) > 0 && (to == len(s.tokens) || s.parts(to)) {
			i, rooms = to, append(rooms, more...)
			at = s.tokens[i-1].end
		}
	}
	text := s.rawSpan(s.begin(at), int32(len(s.text)))
	if end, more := s.trailing(at); len(more) > 0 {
		text, rooms = s.rawSpan(s.begin(at), end), append(rooms, more...)
	}
	if s.topical(at) {
		return Reading{}, false
	}
	out := Reading{Outcome: Act, Lang: s.lang, Actions: []Action{{Op: OpAnnounce, Text: text, Rooms: rooms}}, Memory: c.Previous.without()}
	if text == "" {
		out.Outcome, out.Reason.Code, out.Actions = Reject, MissingText, nil
	}
	return out, true
}

// without is the memory where no question is open any more.
func (m *Memory) without() *Memory {
	if m == nil || m.code == Confirm {
		return nil
	}
	return m
}

// announces: token i says that something is announced, and names nothing in the home. 广播音乐 and 通知我 are something else.
func (s *scan) announces(i int) bool {
	if i >= len(s.tokens) {
		return false
	}
	t := &s.tokens[i]
	topic, ok := s.sense(t, cTopic)
	if !ok || topic.code != topicBroadcast || t.mask.any(nounClasses|cScene.bit()) || string(s.text[t.start:t.end]) == "通知" {
		return false
	}
	return i+1 == len(s.tokens) || s.tokens[i+1].start != t.end || !s.tokens[i+1].mask.has(cMedia)
}

// places are the rooms named from token i on, with the words that lead to them: 在客厅, 给客厅和卧室, in the bedroom. Politeness
// is passed over. The index is that of the token behind them.
func (s *scan) places(i int) (int, []string) {
	var rooms []string
	for ; i < len(s.tokens); i++ {
		t := &s.tokens[i]
		if room, ok := s.sense(t, cRoom); ok && int(room.code) < len(s.x.rooms) {
			rooms = append(rooms, s.x.rooms[room.code].id)
			continue
		}
		if s.announces(i) || !s.isBreak(t) && !t.mask.any(cFiller.bit()|cBa.bit()|cAsk.bit()|cIn.bit()|cTo.bit()|cOf.bit()|cToo.bit()) && !s.leads(t) {
			break
		}
	}
	return i, rooms
}

// leads: the token stands between a verb, rooms and what is said there.
func (s *scan) leads(t *token) bool {
	switch string(s.text[t.start:t.end]) {
	case "给", "向", "对", "到", "在", "和", "、", "to", "in", "the", "and", "please":
		return true
	}
	return false
}

// parts: what is announced begins at token i, or just before it: rooms that lead it do not belong to it.
func (s *scan) parts(i int) bool {
	if s.isBreak(&s.tokens[i-1]) {
		return true
	}
	rest := string(s.text[s.tokens[i-1].end:])
	for _, word := range []string{"说", ":", ",", " that ", " :", "that "} {
		if strings.HasPrefix(rest, word) {
			return true
		}
	}
	return false
}

// begin is where what is announced begins: behind the words that lead to it.
func (s *scan) begin(at int32) int32 {
	for {
		rest := string(s.text[at:])
		lead := ""
		for _, word := range []string{" ", ":", ",", "一下", "一声", "说", "that "} {
			if strings.HasPrefix(rest, word) {
				lead = word
			}
		}
		if lead == "" {
			return at
		}
		at += int32(len([]rune(lead)))
	}
}

// trailing is a place behind what is announced, and where that ends: 饭好了到客厅. A sentence that goes on as one does not: 大家到客厅.
func (s *scan) trailing(at int32) (int32, []string) {
	n := len(s.tokens)
	if s.lang != Chinese || n < 3 {
		return 0, nil
	}
	room, ok := s.sense(&s.tokens[n-1], cRoom)
	to := s.tokens[n-1].start - 1
	if !ok || to <= at || s.text[to] != '到' || int(room.code) >= len(s.x.rooms) || !strings.ContainsRune("了啦吧哦,;! ", s.text[to-1]) && !s.blank(to) {
		return 0, nil
	}
	return to, []string{s.x.rooms[room.code].id}
}

// blank: a blank stood before a position of the text, which normalising takes out between Chinese characters.
func (s *scan) blank(at int32) bool {
	from := s.origin[at]
	return from > 0 && s.raw[from-1] == ' '
}

// topical: nothing is announced but what somebody asks for by such a word: 播报天气.
func (s *scan) topical(at int32) bool {
	said := false
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.start < at || s.isBreak(t) || t.mask.only(cFiller.bit()) {
			continue
		}
		topic, ok := s.sense(t, cTopic)
		if !ok || topic.code == topicBroadcast {
			return false
		}
		said = true
	}
	return said
}
