package nlu

import (
	"encoding/json"
	"strings"
	"testing"

	"lampworks/tsl"
)

// model compiles the properties of a thing model given as JSON.
func model(t testing.TB, properties string) *tsl.Model {
	t.Helper()
	doc, err := tsl.Parse([]byte(`{"schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"a1Lampworks"},"properties":[` + properties + `],"events":[],"services":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := tsl.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func property(id, dataType string) string {
	return `{"identifier":"` + id + `","name":"` + id + `","accessMode":"rw","required":false,"dataType":` + dataType + `}`
}

const (
	boolType    = `{"type":"bool","specs":{"0":"off","1":"on"}}`
	percentType = `{"type":"int","specs":{"min":"1","max":"100","unit":"%","step":"1"}}`
)

// said is a reading in one line.
func said(r *Reading) string {
	out := []string{string(r.Outcome)}
	if r.Reason.Code != "" {
		out = append(out, string(r.Reason.Code))
	}
	for _, a := range lineOf("", *r, 0).Actions {
		b, err := json.Marshal(a)
		if err != nil {
			return err.Error()
		}
		out = append(out, string(b))
	}
	if len(r.Candidates) > 0 {
		out = append(out, strings.Join(r.Candidates, ","))
	}
	return strings.Join(out, " ")
}

// TestTwoHomesNameThingsDifferently: one sentence, two makers; each reading speaks as the model it was given does.
func TestTwoHomesNameThingsDifferently(t *testing.T) {
	ours := Home{
		Rooms: []Room{{ID: "r", Names: map[string][]string{Chinese: {"客厅"}, English: {"living room"}}}},
		Devices: []Device{
			{ID: "lamp", Room: "r", Category: "light", Names: map[string][]string{Chinese: {"灯"}, English: {"lamp"}}, Model: model(t,
				property("powerstate", boolType)+","+property("brightness", percentType)+","+property("colorTemperature", `{"type":"int","specs":{"min":"2700","max":"6500","unit":"K","step":"1"}}`))},
			{ID: "ac", Room: "r", Category: "air_conditioner", Names: map[string][]string{Chinese: {"空调"}, English: {"air conditioner"}}, Model: model(t,
				property("powerstate", boolType)+","+property("targetTemperature", `{"type":"double","specs":{"min":"16","max":"30","unit":"°C","step":"0.5"}}`)+","+
					property("mode", `{"type":"enum","specs":{"0":"auto","1":"cool","2":"heat"}}`)+","+property("windspeed", `{"type":"enum","specs":{"1":"low","2":"medium","3":"high"}}`))},
		},
	}
	theirs := Home{
		Rooms: []Room{{ID: "k1", Names: map[string][]string{Chinese: {"客厅"}, English: {"living room"}}}},
		Devices: []Device{
			{ID: "d7", Room: "k1", Category: "Lamp", Names: map[string][]string{Chinese: {"灯"}, English: {"lamp"}}, Model: model(t,
				property("PowerSwitch", `{"type":"enum","specs":{"0":"关闭","1":"开启"}}`)+","+property("Lightness", `{"type":"int","specs":{"min":"0","max":"255","step":"1"}}`)+","+property("ColorTemp", `{"type":"int","specs":{"min":"2000","max":"5000","unit":"K","step":"1"}}`))},
			{ID: "d8", Room: "k1", Category: "AirConditioner", Names: map[string][]string{Chinese: {"空调"}, English: {"air conditioner"}}, Model: model(t,
				property("power", boolType)+","+property("SetTemp", `{"type":"int","specs":{"min":"18","max":"32","unit":"°C","step":"1"}}`)+","+
					property("WorkMode", `{"type":"enum","specs":{"0":"智能模式","3":"制冷","4":"hot"}}`)+","+property("WindSpeed", `{"type":"enum","specs":{"0":"低档","1":"中档","2":"高档"}}`))},
		},
	}
	for _, tt := range []struct{ in, ours, theirs, wireOurs, wireTheirs string }{
		{"打开客厅的灯", `act {"op":"set","targets":["lamp"],"prop":"powerstate","value":true}`, `act {"op":"set","targets":["d7"],"prop":"PowerSwitch","value":"开启"}`, `{"powerstate":1}`, `{"PowerSwitch":1}`},
		{"turn off the lamp", `act {"op":"set","targets":["lamp"],"prop":"powerstate","value":false}`, `act {"op":"set","targets":["d7"],"prop":"PowerSwitch","value":"关闭"}`, `{"powerstate":0}`, `{"PowerSwitch":0}`},
		{"把灯调到百分之五十", `act {"op":"set","targets":["lamp"],"prop":"brightness","value":50}`, `act {"op":"set","targets":["d7"],"prop":"Lightness","value":128}`, `{"brightness":50}`, `{"Lightness":128}`},
		{"空调制冷", `act {"op":"set","targets":["ac"],"prop":"mode","value":"cool"}`, `act {"op":"set","targets":["d8"],"prop":"WorkMode","value":"制冷"}`, `{"mode":1}`, `{"WorkMode":3}`},
		{"set the air conditioner to heat", `act {"op":"set","targets":["ac"],"prop":"mode","value":"heat"}`, `act {"op":"set","targets":["d8"],"prop":"WorkMode","value":"hot"}`, `{"mode":2}`, `{"WorkMode":4}`},
		{"空调调到二十六度", `act {"op":"set","targets":["ac"],"prop":"targetTemperature","value":26}`, `act {"op":"set","targets":["d8"],"prop":"SetTemp","value":26}`, `{"targetTemperature":26}`, `{"SetTemp":26}`},
		{"空调高风", `act {"op":"set","targets":["ac"],"prop":"windspeed","value":"high"}`, `act {"op":"set","targets":["d8"],"prop":"WindSpeed","value":"高档"}`, `{"windspeed":3}`, `{"WindSpeed":2}`},
		{"空调调到十七度", `act {"op":"set","targets":["ac"],"prop":"targetTemperature","value":17}`, `reject out_of_range`, `{"targetTemperature":17}`, ``},
		{"空调调到二十六点五度", `act {"op":"set","targets":["ac"],"prop":"targetTemperature","value":26.5}`, `reject out_of_range`, `{"targetTemperature":26.5}`, ``},
		{"灯暖一点", `act {"op":"adjust","targets":["lamp"],"prop":"colorTemperature","direction":"down"}`, `act {"op":"adjust","targets":["d7"],"prop":"ColorTemp","direction":"down"}`, ``, ``},
	} {
		for _, side := range []struct {
			home       Home
			want, wire string
		}{{ours, tt.ours, tt.wireOurs}, {theirs, tt.theirs, tt.wireTheirs}} {
			x, err := Compile(side.home)
			if err != nil {
				t.Fatal(err)
			}
			r := x.Read(nil, tt.in)
			if got := said(&r); got != side.want {
				t.Errorf("Read(%s)\n got %s\nwant %s", tt.in, got, side.want)
				continue
			}
			if side.wire == "" {
				continue
			}
			if got, reason := x.Params(r.Actions[0], r.Actions[0].Targets[0], nil); string(got) != side.wire {
				t.Errorf("Params of %s\n got %s %v\nwant %s", tt.in, got, reason, side.wire)
			}
		}
	}
}

// TestNothingIsSwitched: what is asked back, refused or not meant as a command has no actions, and says why.
func TestNothingIsSwitched(t *testing.T) {
	x := testIndex(t)
	for _, tt := range []struct{ room, in, want string }{
		{"", "打开空调", "clarify ambiguous_device lr.ac,mb.ac,sb.ac,kid.ac"},
		{"", "打开卧室的空调", "clarify ambiguous_device mb.ac,sb.ac"},
		{"", "把它关了", "clarify missing_device"},
		{"", "客厅调到百分之五十", "clarify missing_device"},
		{"", "太暗了", "clarify missing_device"},
		{"", "把客厅空调温度", "act"},
		{"", "设置客厅空调", "clarify missing_value"},
		{"", "打开厨房的空调", "reject no_such_device"},
		{"", "打开车库的灯", "reject no_such_device"},
		{"", "打开游泳池", "reject no_such_device"},
		{"", "热水器调到八十度", "reject out_of_range"},
		{"", "set the fridge to 20 degrees", "reject out_of_range"},
		{"", "把冰箱调成红色", "reject no_such_property"},
		{"", "净化器调到制冷模式", "reject no_such_value"},
		{"", "如果下雨就关窗帘", "reject conditional"},
		{"lr", "不要开灯", "chat negated"},
		{"lr", "先别关空调", "chat negated"},
		{"", "我昨天关了风扇", "chat narrative"},
		{"", "I turned off the fan yesterday", "chat narrative"},
		{"", "空调为什么叫空调", "chat not_understood"},
		{"", "tell me a joke", "chat not_understood"},
		{"", "", "chat not_understood"},
		{"", "吃葡萄不吐葡萄皮", "chat not_understood"},
		{"", "打开飞天遁地台灯", "clarify unclear_words"},
		{"", strings.Repeat("开灯", 300), "reject too_long"},
	} {
		r := x.Read(&Context{Room: tt.room}, tt.in)
		if got := said(&r); got != tt.want && !(tt.want == "act" && r.Outcome == Act && r.Actions[0].Op == OpQuery) {
			t.Errorf("Read(%s)\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

// TestLimitIsNamed: a value out of range is refused with the range.
func TestLimitIsNamed(t *testing.T) {
	r := testIndex(t).Read(nil, "客厅空调调到六十度")
	if got := r.Reason; got.Code != OutOfRange || got.Min != 16 || got.Max != 30 || got.Unit != "°C" || got.Device != "lr.ac" || got.Prop != "target_temperature" || got.Value != 60.0 {
		t.Errorf("reason is %+v, want out_of_range 16..30 °C of lr.ac", got)
	}
}

// TestConversation: each row is one conversation, the last reading is looked at.
func TestConversation(t *testing.T) {
	x := testIndex(t)
	for _, tt := range []struct {
		said []string
		want string
	}{
		{[]string{"打开书房台灯", "再亮一点"}, `act {"op":"adjust","targets":["st.lamp"],"prop":"brightness","direction":"up"}`},
		{[]string{"打开主卧的空调", "次卧呢"}, `act {"op":"set","targets":["sb.ac"],"prop":"power","value":true}`},
		{[]string{"打开主卧的灯", "空调也打开"}, `act {"op":"set","targets":["mb.ac"],"prop":"power","value":true}`},
		{[]string{"打开空调", "客厅的"}, `act {"op":"set","targets":["lr.ac"],"prop":"power","value":true}`},
		{[]string{"关闭空调", "都关了"}, `act {"op":"set","targets":["lr.ac","mb.ac","sb.ac","kid.ac"],"prop":"power","value":false}`},
		{[]string{"打开电视", "把它关了"}, `act {"op":"set","targets":["lr.tv"],"prop":"power","value":false}`},
		{[]string{"turn on the desk lamp", "dim it"}, `act {"op":"adjust","targets":["st.lamp"],"prop":"brightness","direction":"down"}`},
		{[]string{"打开电视", "二十六度"}, "clarify ambiguous_device lr.ac,mb.ac,sb.ac,kid.ac"},
	} {
		c := &Context{}
		var r Reading
		for _, u := range tt.said {
			r = x.Read(c, u)
			c.Previous = r.Memory
		}
		if got := said(&r); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", strings.Join(tt.said, " > "), got, tt.want)
		}
	}
}

func TestParamsAdjust(t *testing.T) {
	x := testIndex(t)
	state := func(v any) func(string, string) (any, bool) {
		return func(string, string) (any, bool) { return v, v != nil }
	}
	for _, tt := range []struct {
		in   string
		from any
		want string
	}{
		{"客厅落地灯亮一点", 40, `{"brightness":60}`},
		{"客厅落地灯亮一点", 95, `{"brightness":100}`},
		{"客厅落地灯亮一点", 100, "out_of_range"},
		{"客厅落地灯亮一点", nil, "unknown_state"},
		{"客厅落地灯亮度增加百分之二十", 50.0, `{"brightness":70}`},
		{"客厅空调调高两度", 24.5, `{"target_temperature":26.5}`},
		{"客厅空调温度低一点", 24, `{"target_temperature":23}`},
		{"客厅空调风速调高一点", 1, `{"fan_speed":2}`},
		{"客厅空调风速调高一点", 0, `{"fan_speed":3}`},
		{"客厅空调风速调高一点", 3, "out_of_range"},
		{"风扇开大一点", 2, `{"level":3}`},
	} {
		r := x.Read(nil, tt.in)
		if r.Outcome != Act {
			t.Errorf("Read(%s): %s", tt.in, said(&r))
			continue
		}
		params, reason := x.Params(r.Actions[0], r.Actions[0].Targets[0], state(tt.from))
		got := string(params)
		if params == nil {
			got = string(reason.Code)
		}
		if got != tt.want {
			t.Errorf("%s from %v\n got %s\nwant %s", tt.in, tt.from, got, tt.want)
		}
	}
}

func TestColourOnTheWire(t *testing.T) {
	for _, tt := range []struct{ dataType, want string }{
		{`{"type":"text","specs":{"length":"16"}}`, `{"color":"red"}`},
		{`{"type":"int","specs":{"min":"0","max":"16777215","step":"1"}}`, `{"color":16711680}`},
		{
			`{"type":"struct","specs":[{"identifier":"hue","name":"h","dataType":{"type":"int","specs":{"min":"0","max":"360","step":"1"}}},{"identifier":"saturation","name":"s","dataType":{"type":"int","specs":{"min":"0","max":"100","step":"1"}}},{"identifier":"value","name":"v","dataType":{"type":"int","specs":{"min":"0","max":"100","step":"1"}}}]}`,
			`{"color":{"hue":0,"saturation":100,"value":100}}`,
		},
	} {
		x, err := Compile(Home{Devices: []Device{{ID: "d", Category: "light", Names: map[string][]string{Chinese: {"彩灯"}}, Model: model(t, property("color", tt.dataType))}}})
		if err != nil {
			t.Fatal(err)
		}
		r := x.Read(nil, "把彩灯调成红色")
		if r.Outcome != Act {
			t.Errorf("%s: %s", tt.dataType, said(&r))
			continue
		}
		if got, reason := x.Params(r.Actions[0], "d", nil); string(got) != tt.want {
			t.Errorf("%s\n got %s %v\nwant %s", tt.dataType, got, reason, tt.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	names := map[string][]string{Chinese: {"灯"}}
	for _, tt := range []struct {
		home Home
		want string
	}{
		{Home{Rooms: []Room{{ID: "a"}, {ID: "a"}}}, `room "a" is given twice or has no id`},
		{Home{Devices: []Device{{ID: "a", Room: "x", Names: names}}}, `device a is in room "x", which the home does not have`},
		{Home{Devices: []Device{{ID: "a"}, {ID: "a"}}}, `device "a" is given twice or has no id`},
		{Home{Devices: []Device{{ID: "a", Names: map[string][]string{Chinese: {strings.Repeat("灯", 65)}}}}}, "device a has a name of 65 characters, want at most 64"},
		{Home{Devices: make([]Device, MaxDevices+1)}, "the home has 2001 devices, want at most 2000"},
	} {
		if _, err := Compile(tt.home); err == nil || err.Error() != tt.want {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
}
