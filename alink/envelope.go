package alink

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A Request is what either side asks of the other. The slices alias the payload.
type Request struct {
	ID      []byte // what stands between the quotes, escapes and all; a number is taken as its digits. Empty if there is none
	Version []byte // as ID, "1.0" from all known devices
	Method  []byte // as ID
	Params  []byte // the value as it came, of any JSON type; nil if there is none
	Ack     bool   // the sender wants a reply: all do but those that say "sys":{"ack":0}
}

// A Reply is an answer to a request. The slices alias the payload.
type Reply struct {
	ID      []byte // as in [Request]. The official JavaScript SDK makes up an id of its own in service replies unless its user copies the request's
	Code    int
	Data    []byte // the value as it came; nil if there is none
	Message []byte // what stands between the quotes, escapes and all; see [Text]
}

// field is a known member's place in the names below.
type field uint8

const (
	fieldID field = iota
	fieldVersion
	fieldSys
	fieldParams
	fieldMethod
	fieldCode
	fieldData
	fieldMessage
	fieldNone
)

const (
	requestFields = 1<<fieldID | 1<<fieldVersion | 1<<fieldSys | 1<<fieldParams | 1<<fieldMethod
	replyFields   = 1<<fieldID | 1<<fieldCode | 1<<fieldData | 1<<fieldMessage
)

// ParseRequest reads an envelope in one pass. The whole payload is checked to be JSON in UTF-8; members it does not know are skipped.
// The error is a [*Malformed].
func ParseRequest(payload []byte) (Request, error) {
	r := Request{Ack: true}
	s := scanner{b: payload}
	m := s.open()
	var seen uint
	for first := true; m == nil; first = false {
		var key, value []byte
		var more bool
		if key, value, more, m = s.member(first); m != nil || !more {
			break
		}
		f := fieldOf(key)
		if m = once(&seen, f, requestFields); m != nil {
			break
		}
		switch f {
		case fieldID:
			r.ID, m = content("/id", value)
		case fieldVersion:
			r.Version, m = content("/version", value)
		case fieldMethod:
			r.Method, m = content("/method", value)
		case fieldParams:
			r.Params = value
		case fieldSys:
			r.Ack, m = ack(value)
		}
	}
	if m == nil {
		m = s.close()
	}
	if m != nil {
		return Request{}, m
	}
	return r, nil
}

// ParseReply reads an answer in one pass, as [ParseRequest] does. code must be there, as a number or as a string of digits.
func ParseReply(payload []byte) (Reply, error) {
	var r Reply
	s := scanner{b: payload}
	m := s.open()
	var seen uint
	for first := true; m == nil; first = false {
		var key, value []byte
		var more bool
		if key, value, more, m = s.member(first); m != nil || !more {
			break
		}
		f := fieldOf(key)
		if m = once(&seen, f, replyFields); m != nil {
			break
		}
		switch f {
		case fieldID:
			r.ID, m = content("/id", value)
		case fieldCode:
			r.Code, m = code(value)
		case fieldData:
			r.Data = value
		case fieldMessage:
			if value[0] == '"' { // others put objects and null here; the code decides
				r.Message = value[1 : len(value)-1]
			}
		}
	}
	if m == nil {
		m = s.close()
	}
	if m == nil && seen&(1<<fieldCode) == 0 {
		m = &Malformed{Where: "/code", Got: "missing", Rule: "a number such as 200"}
	}
	if m != nil {
		return Reply{}, m
	}
	return r, nil
}

// fieldOf knows a member by its name. A name with escapes is decoded first.
func fieldOf(key []byte) field {
	var buf [16]byte
	switch string(plain(buf[:0], key)) {
	case "id":
		return fieldID
	case "version":
		return fieldVersion
	case "sys":
		return fieldSys
	case "params":
		return fieldParams
	case "method":
		return fieldMethod
	case "code":
		return fieldCode
	case "data":
		return fieldData
	case "message":
		return fieldMessage
	}
	return fieldNone
}

// plain decodes the escapes of a member's name, if it has any, into buf. What is too long to be a known name stays as it is.
func plain(buf, key []byte) []byte {
	if bytes.IndexByte(key, '\\') < 0 || len(key) > 6*len("message") {
		return key
	}
	return appendText(buf, key)
}

var fieldNames = [...]string{"/id", "/version", "/sys", "/params", "/method", "/code", "/data", "/message"}

func once(seen *uint, f field, known uint) *Malformed {
	bit := uint(1) << f
	if *seen&known&bit != 0 {
		return &Malformed{Where: fieldNames[f], Got: "is given twice"}
	}
	*seen |= bit
	return nil
}

// content returns a string's inside or a number's digits; null is as if the member were not there.
func content(where string, value []byte) ([]byte, *Malformed) {
	switch c := value[0]; {
	case c == '"':
		value = value[1 : len(value)-1]
	case c == '-' || c >= '0' && c <= '9':
	case c == 'n':
		return nil, nil
	default:
		return nil, &Malformed{Where: where, Got: cut(value), Rule: "a string or a number"}
	}
	if len(value) > MaxID {
		return nil, &Malformed{Where: where, Got: strconv.Itoa(len(value)) + " bytes long", Rule: "at most " + strconv.Itoa(MaxID)}
	}
	return value, nil
}

// ack reads the one system parameter that matters here: whether the sender wants a reply.
func ack(value []byte) (bool, *Malformed) {
	if value[0] == 'n' {
		return true, nil
	}
	wrong := &Malformed{Where: "/sys", Got: cut(value), Rule: `an object such as {"ack":0}`}
	if value[0] != '{' {
		return false, wrong
	}
	want := true
	var buf [16]byte
	s := scanner{b: value}
	_ = s.enter() // the value was walked before, so nothing can be wrong with it
	for first := true; ; first = false {
		key, v, more, m := s.member(first)
		if m != nil || !more {
			return want, nil
		}
		if string(plain(buf[:0], key)) != "ack" {
			continue
		}
		if string(v) != "0" && string(v) != "1" {
			return false, &Malformed{Where: "/sys/ack", Got: cut(v), Rule: "0 or 1"}
		}
		want = v[0] == '1'
	}
}

// code reads an integer, bare or in quotes.
func code(value []byte) (int, *Malformed) {
	digits := value
	if len(digits) > 2 && digits[0] == '"' {
		digits = digits[1 : len(digits)-1]
	}
	negative := len(digits) > 1 && digits[0] == '-'
	n := 0
	for i, c := range digits {
		if i == 0 && negative {
			continue
		}
		if c < '0' || c > '9' || i > 9 {
			return 0, &Malformed{Where: "/code", Got: cut(value), Rule: "a whole number of at most 9 digits"}
		}
		n = n*10 + int(c-'0')
	}
	if negative {
		n = -n
	}
	return n, nil
}

// AppendRequest appends a request. params is JSON; nil stands for {}.
func AppendRequest(dst []byte, id, method string, params []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendEscaped(dst, id)
	dst = append(dst, `","version":"`+envelopeVersion+`","params":`...)
	dst = appendValue(dst, params)
	dst = append(dst, `,"method":"`...)
	dst = appendEscaped(dst, method)
	return append(dst, `"}`...)
}

// AppendReply appends a reply. id is what [Request.ID] held, and goes back as a string. message is plain text, data is JSON and nil stands for {};
// an empty method is left out.
func AppendReply(dst, id []byte, code int, message string, data []byte, method string) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendContent(dst, id)
	dst = append(dst, `","code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"data":`...)
	dst = appendValue(dst, data)
	dst = append(dst, `,"message":"`...)
	dst = appendEscaped(dst, message)
	if method != "" {
		dst = append(dst, `","method":"`...)
		dst = appendEscaped(dst, method)
	}
	return append(dst, `","version":"`+envelopeVersion+`"}`...)
}

func appendValue(dst, value []byte) []byte {
	if len(value) == 0 {
		return append(dst, "{}"...)
	}
	return append(dst, value...)
}

// appendContent appends what may stand between quotes as it is, and escapes what may not.
func appendContent(dst, b []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, '"'), b...), '"')
	s := scanner{b: dst[start:]}
	if s.str() == nil && s.i == len(s.b) && utf8.Valid(b) {
		copy(dst[start:], b)
		return dst[:start+len(b)]
	}
	return appendEscaped(dst[:start], string(b))
}

const hexDigits = "0123456789abcdef"

func appendEscaped(dst []byte, text string) []byte {
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r != utf8.RuneError || n > 1 {
				i += n - 1
				continue
			}
			dst = append(append(dst, text[start:i]...), string(utf8.RuneError)...)
			start = i + 1
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, text[start:]...)
}

// Text decodes the escapes of what stood between quotes, as in [Request.ID] and [Reply.Message].
func Text(content []byte) string { return string(appendText(nil, content)) }

func appendText(dst, content []byte) []byte {
	for i := 0; i < len(content); i++ {
		if content[i] != '\\' || i+1 == len(content) {
			dst = append(dst, content[i])
			continue
		}
		i++
		switch c := content[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(content[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+2 < len(content) && content[i+1] == '\\' && content[i+2] == 'u' {
					low = hex4(content[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// hex4 reads four hexadecimal digits, -1 if they are not there.
func hex4(b []byte) (r rune) {
	if len(b) < 4 {
		return -1
	}
	for _, c := range b[:4] {
		v, ok := hexValue(c)
		if !ok {
			return -1
		}
		r = r<<4 | v
	}
	return r
}
