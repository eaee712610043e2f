package nlu

import (
	"strings"
	"testing"

	"lampworks/tsl"
)

// machine compiles properties and services of a thing model given as JSON.
func machine(t testing.TB, properties, services string) *tsl.Model {
	t.Helper()
	doc, err := tsl.Parse([]byte(`{"schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"a1Lampworks"},"properties":[` +
		properties + `],"events":[],"services":[` + services + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := tsl.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func serviceOf(id, zh, en, input string) string {
	return `{"identifier":"` + id + `","name":"` + zh + `","callType":"async","required":false,"inputData":[` + input + `],"outputData":[],"lampworks":{"names":{"en":"` + en + `"}}}`
}

// equipped is a home of machines that do more than have properties.
func equipped(t testing.TB) *Index {
	t.Helper()
	zh := func(zh, en string) map[string][]string { return map[string][]string{Chinese: {zh}, English: {en}} }
	degrees := `{"identifier":"temperature","name":"目标温度","required":false,"dataType":{"type":"int","specs":{"min":"40","max":"100","step":"1","unit":"°C"}}}`
	locked := `{"identifier":"locked","name":"上锁","accessMode":"rw","required":false,"dataType":{"type":"bool","specs":{"0":"未上锁","1":"已上锁"}}}`
	position := `{"identifier":"position","name":"位置","accessMode":"rw","required":false,"dataType":{"type":"int","specs":{"min":"0","max":"100","step":"1","unit":"%"}}}`
	x, err := Compile(Home{
		Rooms: []Room{{ID: "k", Names: zh("厨房", "kitchen")}, {ID: "l", Names: zh("客厅", "living room")}},
		Devices: []Device{
			{ID: "kettle", Room: "k", Category: "kettle", Names: zh("水壶", "kettle"), Model: machine(t, property("powerstate", boolType), serviceOf("boil", "烧水", "boil water", degrees))},
			{ID: "oven", Room: "k", Category: "oven", Names: zh("烤箱", "oven"), Model: machine(t, property("powerstate", boolType), "")},
			{ID: "gas", Room: "k", Category: "valve", Names: zh("燃气阀", "gas valve"), Model: machine(t, property("powerstate", boolType), "")},
			{ID: "curtain", Room: "l", Category: "curtain", Names: zh("窗帘", "curtain"), Model: machine(t, position, serviceOf("stop", "停止", "stop", ""))},
			{ID: "lamp", Room: "l", Category: "light", Names: zh("灯", "lamp"), Model: machine(t, property("powerstate", boolType), serviceOf("identify", "闪烁提示", "blink", ""))},
			{ID: "lock", Category: "lock", Names: zh("门锁", "door lock"), Model: machine(t, locked, serviceOf("openDoor", "远程开门", "open remotely", ""))},
			{ID: "garage", Category: "garage", Names: zh("车库门", "garage door"), Model: machine(t, position, "")},
			{ID: "robot", Room: "l", Category: "vacuum", Names: zh("扫地机", "vacuum"), Model: machine(t, property("powerstate", boolType),
				serviceOf("cleanArea", "划区清扫", "clean an area", `{"identifier":"area","name":"区域","required":true,"dataType":{"type":"text","specs":{"length":"64"}}}`))},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestServices: what a model calls its services is what people say; input that cannot be said is not made up.
func TestServices(t *testing.T) {
	x := equipped(t)
	for _, tt := range []struct{ in, want, wire string }{
		{"烧水", `act {"op":"call","targets":["kettle"],"service":"boil"}`, `{}`},
		{"帮我用水壶烧水", `act {"op":"call","targets":["kettle"],"service":"boil"}`, `{}`},
		{"烧水到80度", `act {"op":"call","targets":["kettle"],"prop":"temperature","service":"boil","value":80}`, `{"temperature":80}`},
		{"烧水到120度", "reject out_of_range", ""},
		{"打开客厅的灯然后烧水", `act {"op":"set","targets":["lamp"],"prop":"powerstate","value":true} {"op":"call","targets":["kettle"],"service":"boil"}`, ""},
		{"烧水，打开客厅的灯", `act {"op":"call","targets":["kettle"],"service":"boil"} {"op":"set","targets":["lamp"],"prop":"powerstate","value":true}`, ""},
		{"十分钟后烧水", `act {"op":"call","targets":["kettle"],"service":"boil","delay_seconds":600}`, ""},
		{"别烧水", "chat negated", ""},
		{"我昨天烧水了", "chat narrative", ""},
		{"停止烧水", `act {"op":"set","targets":["kettle"],"prop":"powerstate","value":false}`, ""},
		{"boil water", `act {"op":"call","targets":["kettle"],"service":"boil"}`, `{}`},
		{"can you boil water please", `act {"op":"call","targets":["kettle"],"service":"boil"}`, `{}`},
		{"窗帘停", `act {"op":"call","targets":["curtain"],"service":"stop"}`, `{}`},
		{"stop the curtain", `act {"op":"call","targets":["curtain"],"service":"stop"}`, `{}`},
		{"让客厅的灯闪烁提示", `act {"op":"call","targets":["lamp"],"service":"identify"}`, `{}`},
		{"让窗帘烧水", "reject no_such_property", ""},
		{"扫地机划区清扫", "", ""},
	} {
		r := x.Read(&Context{}, tt.in)
		got := said(&r)
		if tt.want == "" {
			if r.Outcome == Act && r.Actions[0].Op == OpCall {
				t.Errorf("%s: %s, without what the service needs", tt.in, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
			continue
		}
		if tt.wire != "" {
			wire, why := x.Params(r.Actions[0], r.Actions[0].Targets[0], nil)
			if string(wire) != tt.wire || why.Code != "" {
				t.Errorf("%s: sent is %s %v, want %s", tt.in, wire, why, tt.wire)
			}
		}
	}
}

// TestDangerousIsConfirmed: what opens or heats is asked back where care is wanted, and done after a yes alone.
func TestDangerousIsConfirmed(t *testing.T) {
	x := equipped(t)
	for _, tt := range []struct {
		in       string
		question bool
	}{
		{"打开门锁", true},
		{"开锁", true},
		{"unlock the door lock", true},
		{"锁门", false},
		{"把门锁锁上", false},
		{"打开车库门", true},
		{"车库门开到百分之三十", true},
		{"关上车库门", false},
		{"车库门开到百分之零", false},
		{"open the garage door", true},
		{"打开燃气阀", true},
		{"关闭燃气阀", false},
		{"打开烤箱", true},
		{"关掉烤箱", false},
		{"turn on the oven", true},
		{"打开客厅的灯", false},
		{"打开窗帘", false},
		{"烧水", false},
		{"远程开门", true},
		{"打开客厅的灯并且开锁", true},
		{"门锁锁了吗", false},
		{"十分钟后打开烤箱", true},
	} {
		r := x.Read(&Context{Careful: true}, tt.in)
		if asked := r.Outcome == Clarify && r.Reason.Code == Confirm; asked != tt.question || !asked && r.Outcome != Act {
			t.Errorf("%s: %s, want a question: %v", tt.in, said(&r), tt.question)
		}
		if len(r.Actions) > 0 && tt.question {
			t.Errorf("%s: a question carries actions", tt.in)
		}
		if r := x.Read(&Context{}, tt.in); r.Outcome != Act {
			t.Errorf("%s without care: %s", tt.in, said(&r))
		}
	}
}

// TestConsent: a yes is a yes and nothing else, and only to what was asked.
func TestConsent(t *testing.T) {
	x := equipped(t)
	const opened = `act {"op":"set","targets":["lock"],"prop":"locked","value":false}`
	for _, tt := range []struct{ first, answer, want string }{
		{"开锁", "确认", opened},
		{"开锁", "是的。", opened},
		{"开锁", "好的，开锁吧", opened},
		{"开锁", "嗯嗯", opened},
		{"unlock the door lock", "yes", opened},
		{"unlock the door lock", "Yes, go ahead please.", opened},
		{"unlock the door lock", "ok unlock it", opened},
		{"开锁", "不", "chat negated"},
		{"开锁", "算了", "chat negated"},
		{"开锁", "不要", "chat negated"},
		{"unlock the door lock", "no", "chat negated"},
		{"开锁", "不是的", "chat negated"},
		{"开锁", "开锁", "clarify confirm"},
		{"开锁", "吧", "chat not_understood"},
		{"开锁", "好的，打开客厅的灯", `act {"op":"set","targets":["lamp"],"prop":"powerstate","value":true}`},
		{"开锁", "行了", ""},
		{"开锁", "好了", ""},
		{"开锁", "可以了", ""},
		{"开锁", "是我", ""},
		{"开锁", "好的，我去了", ""},
		{"开锁", "对方已确认收货", ""},
		{"开锁", "是不是", ""},
		{"开锁", "好像不对", ""},
		{"打开客厅的灯", "是的", ""},
	} {
		first := x.Read(&Context{Careful: true}, tt.first)
		r := x.Read(&Context{Careful: true, Previous: first.Memory}, tt.answer)
		got := said(&r)
		if tt.want == "" && r.Outcome == Act || tt.want != "" && got != tt.want {
			t.Errorf("%s | %s\n got %s\nwant %s", tt.first, tt.answer, got, tt.want)
		}
	}
	two := x.Read(&Context{Careful: true}, "打开烤箱并且开锁")
	second := x.Read(&Context{Careful: true, Previous: two.Memory}, "是的")
	if two.Reason.Device != "oven" || second.Outcome != Clarify || second.Reason.Device != "lock" {
		t.Errorf("two dangers: %s, and after a yes %s", said(&two), said(&second))
	}
	if both := x.Read(&Context{Careful: true, Previous: second.Memory}, "是的"); len(both.Actions) != 2 {
		t.Errorf("two dangers after two yeses: %s", said(&both))
	}
	for _, between := range []string{"讲个笑话", "打开客厅的浴缸", strings.Repeat("灯", MaxRunes+1)} {
		asked := x.Read(&Context{Careful: true}, "开锁")
		then := x.Read(&Context{Careful: true, Previous: asked.Memory}, between)
		if r := x.Read(&Context{Careful: true, Previous: then.Memory}, "好的"); r.Outcome == Act {
			t.Errorf("a yes after %.12s: %s", between, said(&r))
		}
	}
	first := x.Read(&Context{Careful: true}, "开锁")
	other := x.Read(&Context{Careful: true, Previous: first.Memory}, "打开客厅的灯")
	if r := x.Read(&Context{Careful: true, Previous: other.Memory}, "是的"); r.Outcome == Act {
		t.Errorf("a yes after something else: %s", said(&r))
	}
}

// TestDangerByNameAndValue: a switch that is called what it opens is as dangerous as that, and so is a value that nobody knows.
func TestDangerByNameAndValue(t *testing.T) {
	zh := func(name string) map[string][]string { return map[string][]string{Chinese: {name}} }
	motor := property("state", `{"type":"enum","specs":{"0":"待机","1":"煮饭","2":"停止"}}`)
	position := `{"identifier":"position","name":"位置","accessMode":"rw","required":false,"dataType":{"type":"int","specs":{"min":"0","max":"100","step":"1","unit":"%"}}}`
	x, err := Compile(Home{Devices: []Device{
		{ID: "gas", Category: "switch", Names: zh("燃气阀"), Model: machine(t, property("powerstate", boolType), "")},
		{ID: "lamp", Category: "switch", Names: zh("走廊灯"), Model: machine(t, property("powerstate", boolType), "")},
		{ID: "garage", Category: "curtain", Names: zh("车库门"), Model: machine(t, position, "")},
		{ID: "rice", Category: "cooker", Names: zh("电饭煲"), Model: machine(t, motor, "")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in  string
		ask bool
	}{{"打开燃气阀", true}, {"关闭燃气阀", false}, {"打开走廊灯", false}, {"打开车库门", true}, {"关上车库门", false}, {"电饭煲煮饭", true}, {"电饭煲停止", false}} {
		if r := x.Read(&Context{Careful: true}, tt.in); (r.Reason.Code == Confirm) != tt.ask {
			t.Errorf("%s: %s, want a question: %v", tt.in, said(&r), tt.ask)
		}
	}
	for _, tt := range []struct {
		what string
		is   bool
		want bool
	}{
		{"opening the gas by a scene", x.DangerousSet("gas", "powerstate", 1), true},
		{"closing it", x.DangerousSet("gas", "powerstate", 0), false},
		{"raising the door by a scene", x.DangerousAdjust("garage", "position", 100), true},
		{"lowering it", x.DangerousAdjust("garage", "position", -100), false},
		{"cooking by a scene", x.DangerousSet("rice", "state", 1), true},
		{"stopping it", x.DangerousSet("rice", "state", 2), false},
		{"a value it has not", x.DangerousSet("rice", "state", 9), true},
	} {
		if tt.is != tt.want {
			t.Errorf("%s: %v", tt.what, tt.is)
		}
	}
}
