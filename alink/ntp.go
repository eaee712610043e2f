package alink

import "strconv"

// ParseNTP reads a device's question for the time: {"deviceSendTime":"ms"}. What it says goes back as it came. The error is a
// [*Malformed].
func ParseNTP(payload []byte) (sent []byte, err error) {
	s := scanner{b: payload}
	m := s.open()
	for first := true; m == nil; first = false {
		var key, value []byte
		var more bool
		if key, value, more, m = s.member(first); m != nil || !more {
			break
		}
		if Text(key) == "deviceSendTime" {
			sent, m = sendTime(value)
		}
	}
	if m == nil {
		m = s.close()
	}
	if m == nil && sent == nil {
		m = &Malformed{Where: "/deviceSendTime", Got: "missing", Rule: wantSendTime}
	}
	if m != nil {
		return nil, m
	}
	return sent, nil
}

const wantSendTime = "milliseconds by the device's clock, at most 20 digits"

func sendTime(value []byte) ([]byte, *Malformed) {
	text, m := content("/deviceSendTime", value)
	if m != nil {
		return nil, m
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return nil, &Malformed{Where: "/deviceSendTime", Got: cut(value), Rule: wantSendTime}
		}
	}
	if len(text) == 0 || len(text) > 20 {
		return nil, &Malformed{Where: "/deviceSendTime", Got: cut(value), Rule: wantSendTime}
	}
	return text, nil
}

// AppendNTP appends the answer to a question for the time: milliseconds since 1970 UTC at which it came and at which the
// answer leaves.
func AppendNTP(dst, sent []byte, received, leaves int64) []byte {
	dst = append(append(append(dst, `{"deviceSendTime":"`...), sent...), `","serverRecvTime":"`...)
	dst = append(strconv.AppendInt(dst, received, 10), `","serverSendTime":"`...)
	return append(strconv.AppendInt(dst, leaves, 10), `"}`...)
}
