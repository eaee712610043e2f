package nlu

import (
	"bytes"
	"strings"
	"testing"

	"lampworks/tsl"
)

// TestPropertyTexts: each text becomes the property of a compiled thing model.
func TestPropertyTexts(t *testing.T) {
	const in = `{"rooms":[],"devices":[{"id":"d","type":"light","name":"灯","properties":{"a":"1..100 %","b":"2700..6500 K","c":"cool|heat|auto","d":"ro °C","e":"bool","f":"name","g":"0..100 % (100=open)","h":"ro","i":"16..30 °C","j":"int"}}],"scenes":[]}`
	h, err := ReadHome(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id       string
		typ      tsl.Type
		writable bool
		min, max float64
		unit     string
	}{
		{"a", tsl.Int, true, 1, 100, "%"},
		{"b", tsl.Int, true, 2700, 6500, "K"},
		{"c", tsl.Enum, true, 0, 0, ""},
		{"d", tsl.Double, false, -1000000, 1000000, "°C"},
		{"e", tsl.Bool, true, 0, 0, ""},
		{"f", tsl.Text, true, 0, 0, ""},
		{"g", tsl.Int, true, 0, 100, "%"},
		{"h", tsl.Double, false, -1000000, 1000000, ""},
		{"i", tsl.Double, true, 16, 30, "°C"},
		{"j", tsl.Int, true, 0, 2147483647, ""},
	} {
		p, ok := h.Devices[0].Model.Property(tt.id)
		if !ok {
			t.Errorf("property %s is missing", tt.id)
			continue
		}
		if p.Type != tt.typ || p.Writable != tt.writable || p.HasRange && (p.Min != tt.min || p.Max != tt.max) || p.Unit != tt.unit {
			t.Errorf("property %s is %s %v %v..%v %q, want %s %v %v..%v %q", tt.id, p.Type, p.Writable, p.Min, p.Max, p.Unit, tt.typ, tt.writable, tt.min, tt.max, tt.unit)
		}
	}
}

func TestReadHomeErrors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{`, "reading the home: unexpected end of JSON input"},
		{`{"devices":[{"id":"d","properties":{"a":"whatever else"}}]}`, `device d: property a is "whatever else": want bool, int, name, 1..100 unit, a|b|c, or ro unit`},
		{`{"devices":[{"id":"d","properties":{"a":"1.2.3..4"}}]}`, `device d: property a is "1.2.3..4": "1.2.3" is no number`},
	} {
		if _, err := ReadHome(strings.NewReader(tt.in)); err == nil || err.Error() != tt.want {
			t.Errorf("ReadHome(%s)\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

// TestLines: a line in, a line out, with the conversation before it; bare lines need no context.
func TestLines(t *testing.T) {
	in := `{"id":"1","utterance":"再亮一点","context":{"previous_utterances":["打开书房台灯"]}}

{"id":"2","utterance":"打开空调"}
`
	var out bytes.Buffer
	if err := Lines(t.Context(), testHome(t), "genie", Chinese, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		`{"id":"1","lang":"zh-CN","outcome":"act","actions":[{"op":"adjust","targets":["st.lamp"],"prop":"brightness","direction":"up"}],"latency_us":`,
		`{"id":"2","lang":"zh-CN","outcome":"clarify","actions":[],"candidates":["lr.ac","mb.ac","sb.ac","kid.ac"],"reason":"ambiguous_device","latency_us":`,
	} {
		if len(lines) != 2 || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of %d\n got %s\nwant %s…", i+1, len(lines), lines[i], want)
		}
	}
	for _, tt := range []struct{ format, in, want string }{
		{"xml", "", `format "xml", want genie or ha`},
		{"genie", "{", "line 1: unexpected end of JSON input"},
	} {
		if err := Lines(t.Context(), testHome(t), tt.format, "", strings.NewReader(tt.in), &out); err == nil || err.Error() != tt.want {
			t.Errorf("Lines(%s)\n got %v\nwant %s", tt.format, err, tt.want)
		}
	}
}

// FuzzReadHome: no home file makes reading or compiling it panic.
func FuzzReadHome(f *testing.F) {
	f.Add([]byte(`{"rooms":[{"id":"r","name":{"zh":"客厅"}}],"devices":[{"id":"d","room":"r","type":"light","name":"灯","properties":{"power":"bool"}}]}`))
	f.Add([]byte(`{"areas":[{"name":"Kitchen","floor":"First Floor"}],"entities":[{"name":"Lamp","domain":"light","area":"Kitchen"}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		h, err := ReadHome(bytes.NewReader(b))
		if err != nil {
			return
		}
		if x, err := Compile(*h); err == nil {
			x.Read(nil, "打开客厅的灯")
		}
	})
}
