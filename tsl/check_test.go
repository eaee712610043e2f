package tsl

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func everything(t testing.TB) *Model {
	t.Helper()
	b, err := os.ReadFile("testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, b)
}

func compile(t testing.TB, doc []byte) *Model {
	t.Helper()
	d, err := Parse(doc)
	if err != nil {
		t.Fatalf("Parse:\n%v", err)
	}
	m, err := Compile(d)
	if err != nil {
		t.Fatalf("Compile:\n%v", err)
	}
	return m
}

func text(v *Violation) string {
	if v == nil {
		return ""
	}
	return v.Help()
}

func TestCheckPost(t *testing.T) {
	m := everything(t)
	for _, tt := range []struct{ in, want string }{
		{`{}`, ``},
		{` { } `, ``},
		{`{"brightness":1}`, ``},
		{`{"brightness":100,"powerstate":0}`, ``},
		{`{"brightness":0}`, `/params/brightness is 0, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":101}`, `/params/brightness is 101, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":-1}`, `/params/brightness is -1, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":50.0}`, `/params/brightness is 50.0, want an integer from 1 to 100 %; send it without fraction and exponent`},
		{`{"brightness":1e1}`, `/params/brightness is 1e1, want an integer from 1 to 100 %; send it without fraction and exponent`},
		{`{"brightness":"50"}`, `/params/brightness is "50", want an integer from 1 to 100 %; send the number without quotes`},
		{`{"brightness":null}`, `/params/brightness is null, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":[1]}`, `/params/brightness is a list, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":99999999999999999999999}`, `/params/brightness is 99999999999999999999999, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":1,"brightness":2}`, `/params/brightness is given twice; send it once`},
		{`{"brightness":1,"bright\u006eess":2}`, `/params/brightness is given twice; send it once`},
		{`{"Brightness":1}`, `/params/Brightness is not in the thing model; send brightness, the nearest name there is`},
		{`{"color_temperature":2700}`, `/params/color_temperature is not in the thing model; send colorTemperature, the nearest name there is`},
		{`{"a/b~c":2700}`, `/params/a~1b~0c is not in the thing model; leave it out, or publish a model version that has it`},
		{`{"亮度":1}`, `/params/亮度 is not in the thing model; leave it out, or publish a model version that has it`},

		{`{"colorTemperature":2700}`, ``},
		{`{"colorTemperature":2750}`, `/params/colorTemperature is 2750, want an integer from 2700 to 6500 K in steps of 100; send 2800, the nearest step`},
		{`{"secretMode":6}`, ``},
		{`{"secretMode":7}`, `/params/secretMode is 7, want an integer from 0 to 9 in steps of 3; send 6, the nearest step`},
		{`{"counter":-2147483648}`, ``},
		{`{"counter":2147483648}`, `/params/counter is 2147483648, want an integer of 32 bits`},

		{`{"powerstate":true}`, `/params/powerstate is true, want either 0 (关) or 1 (开); send 1`},
		{`{"powerstate":false}`, `/params/powerstate is false, want either 0 (关) or 1 (开); send 0`},
		{`{"powerstate":2}`, `/params/powerstate is 2, want either 0 (关) or 1 (开); send 0 or 1`},
		{`{"powerstate":"1"}`, `/params/powerstate is "1", want either 0 (关) or 1 (开); send the number without quotes`},
		{`{"powerstate":"开"}`, `/params/powerstate is "开", want either 0 (关) or 1 (开); send 1`},
		{`{"powerstate":"OFF"}`, `/params/powerstate is "OFF", want either 0 (关) or 1 (开); send 0`},

		{`{"mode":-1}`, ``},
		{`{"mode":200}`, ``},
		{`{"mode":2}`, `/params/mode is 2, want one of -1 (关机), 0 (自动), 1 (制冷), 200 (测试); send one of these, or publish a model version with more values`},
		{`{"mode":"制冷"}`, `/params/mode is "制冷", want one of -1 (关机), 0 (自动), 1 (制冷), 200 (测试); send 1`},

		{`{"temperature":25}`, ``},
		{`{"temperature":25.6}`, ``},
		{`{"temperature":25.6000004}`, ``},
		{`{"temperature":-0.3}`, ``},
		{`{"temperature":2.5e1}`, ``},
		{`{"temperature":80.5}`, ``},
		{`{"temperature":80.6}`, `/params/temperature is 80.6, want a number from -40 to 80.5 °C in steps of 0.1; send -40..80.5, or publish a model version with a wider range`},
		{`{"temperature":25.64}`, `/params/temperature is 25.64, want a number from -40 to 80.5 °C in steps of 0.1; send 25.6, the nearest step`},
		{`{"temperature":25.}`, `/params/temperature is 25., want a number from -40 to 80.5 °C in steps of 0.1; send 25, the nearest step`},
		{`{"temperature":025}`, `/params/temperature is 025, want a number from -40 to 80.5 °C in steps of 0.1; send 25, the nearest step`},
		{`{"temperature":NaN}`, `/params/temperature is NaN, want a number from -40 to 80.5 °C in steps of 0.1; send -40..80.5, or publish a model version with a wider range`},
		{`{"ratio":0.100000001}`, ``},
		{`{"ratio":0.1001}`, `/params/ratio is 0.1001, want a number from 0 to 0.1; send 0..0.1, or publish a model version with a wider range`},
		{`{"energy":1e300}`, ``},
		{`{"energy":1e400}`, `/params/energy is 1e400, want a number`},
		{`{"energy":123456789012345678901234567890.5}`, ``},

		{`{"label":"12345678"}`, ``},
		{`{"label":"\u4e2d\n\"56"}`, ``},
		{`{"label":"\ud83d\ude00\u00e9"}`, ``},
		{`{"label":"123456789"}`, `/params/label is 9 bytes long, want a text of at most 8 bytes; send at most 8 bytes, or publish a model version with a larger length`},
		{`{"label":"客厅的"}`, `/params/label is 9 bytes long, want a text of at most 8 bytes; send at most 8 bytes, or publish a model version with a larger length`},
		{`{"label":5}`, `/params/label is 5, want a text of at most 8 bytes; send it in quotes`},
		{`{"label":"\ud83d"}`, `/params/label is not JSON at byte 10, "\\", want a whole escape, as \n or \u4e2d (both halves of a pair); send well-formed JSON`},
		{`{"label":"\x"}`, `/params/label is not JSON at byte 10, "\\", want a whole escape, as \n or \u4e2d (both halves of a pair); send well-formed JSON`},
		{"{\"label\":\"\xff\"}", `/params/label is not JSON at byte 10, "\xff", want UTF-8; send well-formed JSON`},
		{"{\"label\":\"\n\"}", `/params/label is not JSON at byte 10, "\n", want control characters escaped; send well-formed JSON`},

		{`{"installed":"1700000000000"}`, ``},
		{`{"installed":1700000000000}`, `/params/installed is 1700000000000, want milliseconds since 1970 UTC in quotes, as "1700000000000"; send it in quotes`},
		{`{"installed":"2023-11-14"}`, `/params/installed is "2023-11-14", want milliseconds since 1970 UTC in quotes, as "1700000000000"`},
		{`{"installed":"999999999999999"}`, `/params/installed is "999999999999999", want milliseconds since 1970 UTC in quotes, as "1700000000000"`},
		{`{"installed":""}`, `/params/installed is "", want milliseconds since 1970 UTC in quotes, as "1700000000000"`},

		{`{"scale":[]}`, ``},
		{`{"scale":[1,2,3]}`, ``},
		{`{"scale":[1,2,3,4]}`, `/params/scale is longer, want a list of at most 3 items; send fewer items, or publish a model version with a larger size`},
		{`{"scale":[1,"2"]}`, `/params/scale/1 is "2", want an integer of 32 bits; send the number without quotes`},
		{`{"scale":1}`, `/params/scale is 1, want a list of at most 3 items`},

		{`{"place":{"x":1.5,"y":2}}`, ``},
		{`{"place":{"y":2,"time":"5"}}`, ``},
		{`{"place":{"x":1.5}}`, `/params/place/y is missing, want an integer from 0 to 9; send it: the thing model marks it as required`},
		{`{"place":{}}`, `/params/place/y is missing, want an integer from 0 to 9; send it: the thing model marks it as required`},
		{`{"place":{"y":10}}`, `/params/place/y is 10, want an integer from 0 to 9; send 0..9, or publish a model version with a wider range`},
		{`{"place":{"y":1,"z":1}}`, `/params/place/z is not a field of the struct in the thing model; leave it out, or publish a model version that has it`},
		{`{"place":5}`, `/params/place is 5, want an object`},
		{`{"timers":[{"cron":"* * *","on":1},{}]}`, ``},
		{`{"timers":[{"on":1},{"on":5}]}`, `/params/timers/1/on is 5, want either 0 (否) or 1 (是); send 0 or 1`},

		{`{"brightness":{"value":50}}`, ``},
		{`{"brightness":{"value":50,"time":1700000000000},"powerstate":1}`, ``},
		{`{"brightness":{"time":1700000000000,"value":50}}`, ``},
		{`{"brightness":{"value":0}}`, `/params/brightness/value is 0, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":{"time":1}}`, `/params/brightness/value is missing, want an integer from 1 to 100 %; send {"value":…,"time":ms} or the bare value`},
		{`{"brightness":{}}`, `/params/brightness is an object, want an integer from 1 to 100 %; send {"value":…,"time":ms} or the bare value`},
		{`{"brightness":{"value":5,"time":-1}}`, `/params/brightness/time is -1, want milliseconds since 1970 UTC, a whole number up to the year 9999; leave the time out if the device has no clock`},
		{`{"brightness":{"value":5,"time":"5"}}`, `/params/brightness/time is "5", want milliseconds since 1970 UTC, a whole number up to the year 9999; leave the time out if the device has no clock`},
		{`{"brightness":{"value":5,"value":5}}`, `/params/brightness/value is given twice; send it once`},
		{`{"brightness":{"time":5,"time":5}}`, `/params/brightness/time is given twice; send it once`},
		{`{"brightness":{"value":5,"quality":5}}`, `/params/brightness/quality is unknown, want value and time only; send the bare value or {"value":…,"time":ms}`},
		{`{"place":{"value":{"y":5},"time":1}}`, ``},
		{`{"place":{"value":{"y":50},"time":1}}`, `/params/place/value/y is 50, want an integer from 0 to 9; send 0..9, or publish a model version with a wider range`},
		{`{"pair":{"value":5,"b":1}}`, ``},
		{`{"pair":{"value":{"b":1}}}`, `/params/pair/value is an object, want an integer of 32 bits`},
		{`{"scale":{"value":[1,2],"time":1}}`, ``},

		{``, `/params is missing, want an object; send {"name":value,…}`},
		{`[]`, `/params is a list, want an object; send {"name":value,…}`},
		{`null`, `/params is null, want an object; send {"name":value,…}`},
		{`{`, `/params is cut off at byte 1, want a name in quotes; send well-formed JSON`},
		{`{"brightness"`, `/params is cut off at byte 13, want a colon; send well-formed JSON`},
		{`{"brightness":`, `/params/brightness is missing, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"brightness":5`, `/params is cut off at byte 15, want a comma or a closing brace; send well-formed JSON`},
		{`{"brightness":5x}`, `/params is not JSON at byte 15, "x", want a comma or a closing brace; send well-formed JSON`},
		{`{"brightness":5,}`, `/params is not JSON at byte 16, "}", want a name in quotes; send well-formed JSON`},
		{`{"brightness":5}}`, `/params is not JSON at byte 16, "}", want nothing after the closing brace; send well-formed JSON`},
		{"{}\x00", `/params is not JSON at byte 2, "\x00", want nothing after the closing brace; send well-formed JSON`},
		{`{"label":"abc`, `/params/label is cut off inside a text; send the whole message`},
	} {
		if got := text(m.CheckPost([]byte(tt.in), nil)); got != tt.want {
			t.Errorf("CheckPost(%s)\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestCheckSet(t *testing.T) {
	m := everything(t)
	for _, tt := range []struct{ in, want string }{
		{`{"brightness":50,"secretMode":3}`, ``},
		{`{}`, `/params is empty, want at least one property to set; send one of powerstate, brightness, colorTemperature, mode, label, installed, scale, place, timers, pair, secretMode`},
		{`{"temperature":20}`, `/params/temperature is read-only; leave it out: the device reports it and nobody sets it`},
		{`{"brightness":{"value":50}}`, `/params/brightness is an object, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`},
		{`{"temperatur":20}`, `/params/temperatur is not in the thing model; leave it out, or publish a model version that has it`},
		{`{"brightnes":20}`, `/params/brightnes is not in the thing model; send brightness, the nearest name there is`},
	} {
		if got := text(m.CheckSet([]byte(tt.in), nil)); got != tt.want {
			t.Errorf("CheckSet(%s)\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestCheckEventAndService(t *testing.T) {
	m := everything(t)
	for _, tt := range []struct{ what, in, want string }{
		{"event fault", `{"code":1,"detail":"hot"}`, ``},
		{"event fault", `{"value":{"code":2},"time":1700000000000}`, ``},
		{"event fault", `{"time":1700000000000,"value":{"code":2}}`, ``},
		{"event fault", ``, `/params/code is missing, want either 1 (过热) or 2 (短路); send it: the thing model marks it as required`},
		{"event fault", `{"code":3}`, `/params/code is 3, want either 1 (过热) or 2 (短路); send one of these, or publish a model version with more values`},
		{"event fault", `{"value":{"code":3}}`, `/params/value/code is 3, want either 1 (过热) or 2 (短路); send one of these, or publish a model version with more values`},
		{"event fault", `{"value":{"detail":"x"}}`, `/params/value/code is missing, want either 1 (过热) or 2 (短路); send it: the thing model marks it as required`},
		{"event fault", `{"code":1,"volt":3}`, `/params/volt is not a parameter in the thing model; leave it out, or publish a model version that has it`},
		{"event fault", `[]`, `/params is a list, want an object`},
		{"event falt", `{}`, `event falt is not in the thing model; send fault, the nearest name there is`},
		{"event post", `{}`, `event post is not in the thing model; leave it out, or publish a model version that has it`},
		{"input blink", `{"times":10}`, ``},
		{"input blink", `{"times":11}`, `/params/times is 11, want an integer from 1 to 10; send 1..10, or publish a model version with a wider range`},
		{"input blink", ``, `/params/times is missing, want an integer from 1 to 10; send it: the thing model marks it as required`},
		{"input flash", `{}`, `service flash is not in the thing model; leave it out, or publish a model version that has it`},
		{"input set", `{}`, `service set is not in the thing model; leave it out, or publish a model version that has it`},
		{"output blink", ``, ``},
		{"output blink", `{"done":1}`, ``},
		{"output blink", `{"done":7}`, `/data/done is 7, want either 0 (否) or 1 (是); send 0 or 1`},
		{"output flash", `{}`, `service flash is not in the thing model; leave it out, or publish a model version that has it`},
	} {
		side, name, _ := strings.Cut(tt.what, " ")
		check := map[string]func(string, []byte) *Violation{"event": m.CheckEvent, "input": m.CheckInput, "output": m.CheckOutput}[side]
		if got := text(check(name, []byte(tt.in))); got != tt.want {
			t.Errorf("%s %s\n got %s\nwant %s", tt.what, tt.in, got, tt.want)
		}
	}
}

// What each gets is the raw value without white space around it, and the time.
func TestCheckPostCallsEach(t *testing.T) {
	m := everything(t)
	in := ` { "powerstate" : 1 , "place":{ "value" : {"y": 3} , "time":42 }, "label":"a b" } `
	var got []string
	if v := m.CheckPost([]byte(in), func(p *Property, value []byte, at int64) {
		got = append(got, fmt.Sprintf("%s=%s@%d", p.Identifier, value, at))
	}); v != nil {
		t.Fatal(v)
	}
	if got, want := strings.Join(got, " "), `powerstate=1@0 place={"y": 3}@42 label="a b"@0`; got != want {
		t.Errorf("each got %s, want %s", got, want)
	}
}

// An error never repeats more than 64 bytes of what came, and keeps to one line of valid UTF-8.
func TestViolationIsCut(t *testing.T) {
	m := everything(t)
	for _, tt := range []struct{ in, want string }{
		{`{"brightness":"` + strings.Repeat("长", 100) + `"}`, `/params/brightness is "` + strings.Repeat("长", 21) + `…, want an integer from 1 to 100 %`},
		{"{\"brightness\":\"a\x00\n\xff b\"}", `/params/brightness is "a  � b", want an integer from 1 to 100 %`},
		{`{"` + strings.Repeat("x", 5000) + `":1}`, `/params/` + strings.Repeat("x", 64) + `… is not in the thing model`},
		{`{"` + strings.Repeat("é", 5000) + `":1}`, `/params/` + strings.Repeat("é", 32) + ` is not in the thing model`},
	} {
		v := m.CheckPost([]byte(tt.in), nil)
		if v == nil || v.Error() != tt.want {
			t.Errorf("CheckPost(%.40s…)\n got %v\nwant %s", tt.in, v, tt.want)
		}
	}
}

func TestModel(t *testing.T) {
	m := everything(t)
	p, ok := m.Property("powerstate")
	if !ok || p.Names["zh-CN"] != "开关" || p.Names["en"] != "power" || p.Enum[1].Names["en"] != "on" || p.Enum[1].Name != "开" || !p.Writable || !p.Readable || p.Aliases["zh-CN"][0] != "电源" {
		t.Errorf("powerstate is %+v", p)
	}
	if p, _ := m.Property("mode"); p.Enum[0].Value != -1 || p.Enum[3].Value != 200 {
		t.Errorf("mode's values are not in order: %v", p.Enum)
	}
	if p, _ := m.Property("brightness"); !p.HasRange || p.Min != 1 || p.Max != 100 || p.Step != 1 || p.Unit != "%" {
		t.Errorf("brightness is %+v", p)
	}
	if p, _ := m.Property("energy"); p.HasRange {
		t.Error("energy has a range")
	}
	if p, _ := m.Property("secretMode"); p.Readable || !p.Writable {
		t.Error("secretMode is to be write-only")
	}
	if _, ok := m.Property("nothing"); ok {
		t.Error("nothing was found")
	}
	if len(m.Properties()) != 15 || m.Properties()[1].Identifier != "brightness" {
		t.Error("the properties are not in the order of the document")
	}
	if len(m.Events()) != 1 || m.Events()[0].Identifier != "fault" {
		t.Error("the default event post is to be left out")
	}
	if s, ok := m.Service("blink"); !ok || len(m.Services()) != 1 || !s.Idempotent || s.Async || s.Input[0].Identifier != "times" {
		t.Errorf("services are %+v", m.Services())
	}
}

// A model of 300 properties whose names agree at both ends still finds each of them.
func TestTableFindsAll(t *testing.T) {
	var props []*Property
	for i := range 300 {
		props = append(props, &Property{Identifier: fmt.Sprintf("channelAA%03dBBchannel", i)})
	}
	table := newTable(props)
	for i, p := range props {
		if at := table.find([]byte(p.Identifier)); at != i {
			t.Fatalf("find(%s) = %d", p.Identifier, at)
		}
	}
	if at := table.find([]byte("channelAA300BBchannel")); at != -1 {
		t.Errorf("a foreign name was found at %d", at)
	}
	if at := newTable(nil).find([]byte("x")); at != -1 {
		t.Errorf("an empty table found x at %d", at)
	}
}
