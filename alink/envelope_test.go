package alink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestParseRequest(t *testing.T) {
	for _, tt := range []struct {
		in, id, version, method, params string
		ack                             bool
	}{
		{`{"id":"1","version":"1.0","params":{"powerstate":1},"method":"thing.event.property.post"}`, "1", "1.0", "thing.event.property.post", `{"powerstate":1}`, true},
		{" {\t\"id\" :\r\n 7 , \"params\" : [ 1 , { } ] }\n", "7", "", "", "[ 1 , { } ]", true},
		{`{"id":"1","sys":{"ack":0},"params":{}}`, "1", "", "", "{}", false},
		{`{"id":"1","sys":{"ack":1,"x":[]},"params":{}}`, "1", "", "", "{}", true},
		{`{"id":"1","sys":{"\u0061ck":0}}`, "1", "", "", "", false},
		{`{"id":"1","sys":{}}`, "1", "", "", "", true},
		{`{"id":"1","sys":null,"version":null,"params":null}`, "1", "", "", "null", true},
		{`{"\u0069d":"a\"b\/\u00e9","time":1700000000000}`, `a\"b\/\u00e9`, "", "", "", true},
		{`{"id":-1.5e+3,"version":1}`, "-1.5e+3", "1", "", "", true},
		{`{"method":"get"}`, "", "", "get", "", true},
		{`{"unknown":{"id":"2"},"unknown":1,"id":""}`, "", "", "", "", true},
		{`{}`, "", "", "", "", true},
	} {
		r, err := ParseRequest([]byte(tt.in))
		if err != nil || string(r.ID) != tt.id || string(r.Version) != tt.version || string(r.Method) != tt.method || string(r.Params) != tt.params || r.Ack != tt.ack {
			t.Errorf("ParseRequest(%s) = %q %q %q %q %v, %v", tt.in, r.ID, r.Version, r.Method, r.Params, r.Ack, err)
		}
	}
}

func TestParseRequestSaysWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", MaxID+1)
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	for _, tt := range []struct{ in, want string }{
		{``, "byte 0 is the end, want {, for a message is a JSON object"},
		{`[1]`, "byte 0 is '[', want {, for a message is a JSON object"},
		{`"a"`, `byte 0 is '"', want {, for a message is a JSON object`},
		{"\x00", `byte 0 is '\x00', want {, for a message is a JSON object`},
		{`{`, "byte 1 is the end, want a member's name in quotes"},
		{`{"id"`, "byte 5 is the end, want a colon"},
		{`{"id":`, "byte 6 is the end, want a value"},
		{`{"id":"1"`, "byte 9 is the end, want a comma or }"},
		{`{"id":"1",}`, "byte 10 is '}', want a member's name in quotes"},
		{`{,"id":"1"}`, "byte 1 is ',', want a member's name in quotes"},
		{`{"id":"1";}`, "byte 9 is ';', want a comma or }"},
		{`{"id":"1"}{}`, "byte 10 is '{', want the end of the message"},
		{`{'id':1}`, "byte 1 is '\\'', want a member's name in quotes"},
		{`{"id":01}`, "byte 7 is '1', want a comma or }"},
		{`{"id":-}`, "byte 7 is '}', want a digit"},
		{`{"id":1.}`, "byte 8 is '}', want a digit"},
		{`{"id":1e}`, "byte 8 is '}', want a digit"},
		{`{"id":tru}`, "byte 6 is 't', want true"},
		{`{"id":NaN}`, "byte 6 is 'N', want a value"},
		{`{"id":"a` + "\n" + `"}`, `byte 8 is '\n', want a character of a string; control characters are escaped`},
		{`{"id":"a`, "byte 8 is the end, want the closing quote of a string"},
		{`{"id":"\x"}`, "byte 8 is 'x', want a character that may be escaped"},
		{`{"id":"\u12g4"}`, "byte 11 is 'g', want a hexadecimal digit"},
		{`{"params":[1 2]}`, "byte 13 is '2', want a comma or ]"},
		{`{"params":[1,]}`, "byte 13 is ']', want a value"},
		{"{\"id\":\"\xff\"}", "byte 7 is not UTF-8"},
		{"{\"id\":\"\xed\xa0\x80\"}", "byte 7 is not UTF-8"},
		{"{\"id\":\"\xe4\xb8", "byte 7 is not UTF-8"},
		{`{"id":"1","id":"2"}`, "/id is given twice"},
		{`{"params":{},"p\u0061rams":{}}`, "/params is given twice"},
		{`{"id":true}`, "/id is true, want a string or a number"},
		{`{"id":{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23]}}`, `/id is {"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,2…, want a string or a number`},
		{`{"id":"` + long + `"}`, "/id is 257 bytes long, want at most 256"},
		{`{"method":[]}`, "/method is [], want a string or a number"},
		{`{"version":false}`, "/version is false, want a string or a number"},
		{`{"sys":1}`, `/sys is 1, want an object such as {"ack":0}`},
		{`{"sys":{"ack":"0"}}`, `/sys/ack is "0", want 0 or 1`},
		{`{"sys":{"ack":2}}`, `/sys/ack is 2, want 0 or 1`},
		{`{"params":` + deep + `}`, "byte 41 is '[', want at most 32 levels of nesting"},
	} {
		_, err := ParseRequest([]byte(tt.in))
		if got := text(err); got != tt.want {
			t.Errorf("ParseRequest(%.60s)\n got %q\nwant %q", tt.in, got, tt.want)
		}
		if m, ok := errors.AsType[*Malformed](err); !ok || m.Code() != CodeBadRequest {
			t.Errorf("ParseRequest(%.60s): %T has no code 400", tt.in, err)
		}
	}
	if _, err := ParseRequest([]byte(`{"params":` + deep[1:len(deep)-1] + `}`)); err != nil {
		t.Errorf("one level less: %v", err)
	}
	if _, err := ParseRequest([]byte(`{"params":[` + strings.Repeat("[{},[]],", MaxDepth) + `0]}`)); err != nil {
		t.Errorf("side by side is not nested: %v", err)
	}
	if _, err := ParseRequest([]byte(`{"id":"` + long[1:] + `"}`)); err != nil {
		t.Errorf("one byte less: %v", err)
	}
}

func TestParseReply(t *testing.T) {
	for _, tt := range []struct {
		in, id, data, message string
		code                  int
		err                   string
	}{
		{`{"id":"1","code":200,"data":{}}`, "1", "{}", "", 200, ""},
		{`{"code":200,"data":{"out":1},"id":"7"}`, "7", `{"out":1}`, "", 200, ""},
		{`{"id":7,"code":"200","message":"suc\ncess","method":"x","version":"1.0"}`, "7", "", `suc\ncess`, 200, ""},
		{`{"code":-1,"message":null}`, "", "", "", -1, ""},
		{`{"code":999999999}`, "", "", "", 999999999, ""},
		{`{"id":"1"}`, "", "", "", 0, "/code is missing, want a number such as 200"},
		{`{"id":"1","code":null}`, "", "", "", 0, "/code is null, want a whole number of at most 9 digits"},
		{`{"id":"1","code":""}`, "", "", "", 0, `/code is "", want a whole number of at most 9 digits`},
		{`{"id":"1","code":2e2}`, "", "", "", 0, "/code is 2e2, want a whole number of at most 9 digits"},
		{`{"id":"1","code":2.5}`, "", "", "", 0, "/code is 2.5, want a whole number of at most 9 digits"},
		{`{"id":"1","code":12345678901}`, "", "", "", 0, "/code is 12345678901, want a whole number of at most 9 digits"},
		{`{"id":"1","code":1,"code":1}`, "", "", "", 0, "/code is given twice"},
		{`{"id":[],"code":1}`, "", "", "", 0, "/id is [], want a string or a number"},
		{`{"code":1`, "", "", "", 0, "byte 9 is the end, want a comma or }"},
	} {
		r, err := ParseReply([]byte(tt.in))
		if text(err) != tt.err || string(r.ID) != tt.id || string(r.Data) != tt.data || string(r.Message) != tt.message || r.Code != tt.code {
			t.Errorf("ParseReply(%s) = %q %d %q %q, %v", tt.in, r.ID, r.Code, r.Data, r.Message, err)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{string(AppendRequest(nil, "7", "thing.service.property.set", []byte(`{"powerstate":1}`))), `{"id":"7","version":"1.0","params":{"powerstate":1},"method":"thing.service.property.set"}`},
		{string(AppendRequest([]byte("x"), "a\"\\\n\x01客", "m", nil)), `x{"id":"a\"\\\n\u0001客","version":"1.0","params":{},"method":"m"}`},
		{string(AppendReply(nil, []byte("7"), 200, "success", nil, "thing.event.property.post")), `{"id":"7","code":200,"data":{},"message":"success","method":"thing.event.property.post","version":"1.0"}`},
		{string(AppendReply(nil, []byte(`a\"b`), 460, `/params/a is "x"`, []byte(`{"a":1}`), "")), `{"id":"a\"b","code":460,"data":{"a":1},"message":"/params/a is \"x\"","version":"1.0"}`},
		{string(AppendReply(nil, []byte(`a"b`), 200, "\xff", nil, "")), `{"id":"a\"b","code":200,"data":{},"message":"�","version":"1.0"}`},
		{string(AppendReply(nil, nil, 200, "", nil, "")), `{"id":"","code":200,"data":{},"message":"","version":"1.0"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("\n got %s\nwant %s", tt.got, tt.want)
		}
	}
}

// The reply to a request carries its id as it came, whatever stood in it.
func TestReplyEchoesTheID(t *testing.T) {
	for _, id := range []string{`1`, `a\"b`, `\u5ba2`, `1|exp-topic|/sys/a/b/thing/event/property/post_reply`, `\/`, ``} {
		r, err := ParseRequest([]byte(`{"id":"` + id + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendReply(nil, r.ID, 200, "", nil, ""); !bytes.HasPrefix(got, []byte(`{"id":"`+id+`",`)) {
			t.Errorf("id %s came back in %s", id, got)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`a`: "a", `\n\t\r\b\f\"\\\/`: "\n\t\r\b\f\"\\/", `\u5BA2\u5385`: "客厅", `\ud83d\ude00`: "😀", `\ud83d`: "�", `\ud83d\u0041`: "�A", `\ude00`: "�", `\`: `\`, `\u12`: "�",
	} {
		if got := Text([]byte(in)); got != want {
			t.Errorf("Text(%s) = %q, want %q", in, got, want)
		}
	}
}

var envelopeSeeds = []string{
	`{"id":"1","version":"1.0","params":{"powerstate":1},"method":"thing.event.property.post"}`,
	`{"id":"1|exp-topic|/sys/a/b/thing/event/property/post_reply","version":"1.0","params":{"LightSwitch":0},"method":"thing.event.property.post"}`,
	`{"id":"1","version":"1.0","sys":{"ack":0},"params":{"a":{"value":1.5e3,"time":1700000000000}},"method":""}`,
	`{"code":200,"data":{"out":1},"id":"3"}`,
	`{"code":"200","message":"\ud83d\ude00\u00e9","data":null}`,
	`{"id":1,"params":{"step":"37","desc":""}}`,
	`{"\u0069d":-0.1E-7,"params":[true,false,null,[[]],{"":""}]}`,
	`{"id":"1","id":"2"}`, `{"sys":[]}`, `{"id":01}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{} {}`, ``, `[`, `{"a":{"b":[{"c":[[[[1]]]]}]}}`,
}

// reasonable reports whether a refusal of what encoding/json accepts is one of the rules that are ours.
func reasonable(payload []byte, err error) bool {
	m, ok := errors.AsType[*Malformed](err)
	if !ok {
		return false
	}
	object := bytes.HasPrefix(bytes.TrimLeft(payload, " \t\r\n"), []byte("{"))
	return !object || !utf8.Valid(payload) || strings.HasPrefix(m.Where, "/") || strings.HasSuffix(m.Rule, "levels of nesting")
}

// like returns what encoding/json says of a string's text or a number's digits.
func like(t *testing.T, raw json.RawMessage) string {
	var s string
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

func FuzzParseRequest(f *testing.F) {
	for _, s := range envelopeSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) { // law: what is accepted is what encoding/json reads, what is refused is no JSON or breaks a rule of ours
		r, err := ParseRequest(payload)
		var want map[string]json.RawMessage
		bad := json.Unmarshal(payload, &want)
		if err != nil {
			if bad == nil && want != nil && !reasonable(payload, err) {
				t.Errorf("%q is refused: %v", payload, err)
			}
			return
		}
		if bad != nil {
			t.Fatalf("%q is accepted, but %v", payload, bad)
		}
		for name, got := range map[string][]byte{"id": r.ID, "version": r.Version, "method": r.Method} {
			if Text(got) != like(t, want[name]) {
				t.Errorf("%q: %s is %q, want %q", payload, name, Text(got), like(t, want[name]))
			}
		}
		if string(r.Params) != string(want["params"]) {
			t.Errorf("%q: params is %q, want %q", payload, r.Params, want["params"])
		}
		var sys struct {
			Ack *int `json:"ack"`
		}
		if want["sys"] != nil && json.Unmarshal(want["sys"], &sys) == nil && sys.Ack != nil && !strings.Contains(strings.ToLower(string(want["sys"])), `"ack":1,"`) {
			if exact := map[string]json.RawMessage{}; json.Unmarshal(want["sys"], &exact) == nil && exact["ack"] != nil && r.Ack != (string(exact["ack"]) == "1") {
				t.Errorf("%q: ack is %v", payload, r.Ack)
			}
		}
	})
}

func FuzzParseReply(f *testing.F) {
	for _, s := range envelopeSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := ParseReply(payload)
		var want map[string]json.RawMessage
		bad := json.Unmarshal(payload, &want)
		if err != nil {
			if bad == nil && want != nil && !reasonable(payload, err) {
				t.Errorf("%q is refused: %v", payload, err)
			}
			return
		}
		if bad != nil {
			t.Fatalf("%q is accepted, but %v", payload, bad)
		}
		if Text(r.ID) != like(t, want["id"]) || string(r.Data) != string(want["data"]) {
			t.Errorf("%q: id %q, data %q", payload, r.ID, r.Data)
		}
		var n json.Number
		if json.Unmarshal(want["code"], &n) == nil {
			if c, err := n.Int64(); err != nil || c != int64(r.Code) {
				t.Errorf("%q: code is %d, want %s", payload, r.Code, n)
			}
		}
	})
}

func FuzzAppendReply(f *testing.F) {
	f.Add([]byte("1"), 200, "success", "thing.event.property.post")
	f.Add([]byte(`a\"b`), -1, "\x00\xff\u2028", "")
	f.Add([]byte(`\`), 460, `"`, "\n")
	f.Fuzz(func(t *testing.T, id []byte, code int, message, method string) { // law: a reply is JSON and reads back as what went in
		code %= 1e9
		got := AppendReply(nil, id, code, message, nil, method)
		if !json.Valid(got) || !utf8.Valid(got) {
			t.Fatalf("%q is not JSON", got)
		}
		if len(id) > MaxID/6 {
			return
		}
		r, err := ParseReply(got)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if r.Code != code || Text(r.Message) != repair(message) || string(r.Data) != "{}" {
			t.Errorf("%q reads back as %d, %q", got, r.Code, Text(r.Message))
		}
		if back := Text(r.ID); back != Text(id) && back != repair(string(id)) {
			t.Errorf("id %q reads back as %q", id, back)
		}
	})
}

// repair replaces every byte that is not UTF-8, as encoding/json does.
func repair(s string) string { return string([]rune(s)) }

func kilobyte() []byte {
	var params []string
	for i := range 24 {
		params = append(params, fmt.Sprintf(`"property%02d":{"value":%d,"time":17000000000%02d}`, i, i*4, i))
	}
	return []byte(`{"id":"123456","version":"1.0","params":{` + strings.Join(params, ",") + `},"method":"thing.event.property.post"}`)
}

func TestEnvelopesAllocateNothing(t *testing.T) {
	request, reply := kilobyte(), []byte(`{"id":"7","code":200,"data":{"out":1},"message":"success"}`)
	buf := make([]byte, 0, 2048)
	if n := testing.AllocsPerRun(100, func() {
		r, _ := ParseRequest(request)
		_, _ = ParseReply(reply)
		buf = AppendReply(buf[:0], r.ID, CodeOK, "success", nil, PropertyPost.Method(""))
		buf = AppendRequest(buf[:0], "7", PropertySet.Method(""), r.Params)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkParseRequest(b *testing.B) {
	for name, payload := range map[string][]byte{"100B": []byte(envelopeSeeds[0]), "1kB": kilobyte()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseRequest(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseReply(b *testing.B) {
	payload := []byte(`{"code":200,"data":{},"id":"123456","message":"success","method":"thing.service.property.set","version":"1.0"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseReply(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendReply(b *testing.B) {
	buf, id := make([]byte, 0, 256), []byte("123456")
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendReply(buf[:0], id, CodeOK, "success", nil, "thing.event.property.post")
	}
}
