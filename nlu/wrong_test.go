package nlu

import (
	"strings"
	"testing"
)

// oneBedroom is a small home, as a newcomer has it.
func oneBedroom(t testing.TB) *Index {
	t.Helper()
	light := model(t, property("power", boolType)+","+property("brightness", percentType))
	ac := model(t, property("power", boolType)+","+property("targetTemperature", `{"type":"double","specs":{"min":"16","max":"30","unit":"°C","step":"0.5"}}`)+
		`,{"identifier":"temperature","name":"t","accessMode":"r","required":false,"dataType":{"type":"double","specs":{"min":"-20","max":"120","unit":"°C","step":"0.1"}}}`)
	names := func(zh, en string) map[string][]string { return map[string][]string{Chinese: {zh}, English: {en}} }
	x, err := Compile(Home{
		Rooms: []Room{{ID: "lr", Names: names("客厅", "Living Room")}, {ID: "br", Names: names("卧室", "Bedroom")}, {ID: "kt", Names: names("厨房", "Kitchen")}},
		Devices: []Device{
			{ID: "lr.light", Room: "lr", Category: "light", Names: names("灯", "Lamp"), Model: light},
			{ID: "br.light", Room: "br", Category: "light", Names: names("灯", "Lamp"), Model: light},
			{ID: "kt.light", Room: "kt", Category: "light", Names: names("灯", "Lamp"), Model: light},
			{ID: "lr.ac", Room: "lr", Category: "air_conditioner", Names: names("空调", "Air Conditioner"), Model: ac},
			{ID: "br.ac", Room: "br", Category: "air_conditioner", Names: names("空调", "Air Conditioner"), Model: ac},
			{ID: "kt.kettle", Room: "kt", Category: "kettle", Names: names("水壶", "Kettle"), Model: ac},
			{ID: "lr.tv", Room: "lr", Category: "tv", Names: names("电视", "Television"), Model: model(t, property("power", boolType))},
			{ID: "kt.fan", Room: "kt", Category: "fan", Names: names("风扇", "Fan"), Model: model(t, property("power", boolType))},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// wrong checks rows of a room and a conversation, of which the last reading is looked at.
type wrong struct{ room, said, want string }

func checkWrong(t *testing.T, rows []wrong) {
	t.Helper()
	x := oneBedroom(t)
	for _, tt := range rows {
		c := &Context{Room: tt.room}
		var r Reading
		for u := range strings.SplitSeq(tt.said, " > ") {
			r = x.Read(c, u)
			c.Previous = r.Memory
		}
		if got := said(&r); got != tt.want {
			t.Errorf("%s (in %q)\n got %s\nwant %s", tt.said, tt.room, got, tt.want)
		}
	}
}

// TestNoSignIsSwallowed: a minus is part of the number, and a span of numbers is not one.
func TestNoSignIsSwallowed(t *testing.T) {
	checkWrong(t, []wrong{
		{"", "把客厅的灯调到-10%", "reject out_of_range"},
		{"", "把客厅的灯调到－30%", "reject out_of_range"},
		{"", "把客厅的灯调到−30%", "reject out_of_range"},
		{"", "把客厅的灯调到 - 30%", "reject out_of_range"},
		{"", "把客厅的灯调到负百分之三十", "clarify unclear_words"},
		{"", "把客厅的灯调到百分之-30", "reject out_of_range"},
		{"", "set the living room light to -10%", "reject out_of_range"},
		{"", "set the living room light to minus ten percent", "clarify unclear_words"},
		{"", "increase the living room lamp by -10%", "reject out_of_range"},
		{"", "set the livving room light to -10%", "reject no_such_device"},
		{"", "verYwher00", "clarify missing_device"},
		{"lr", "turn the lamp down to -5", "reject out_of_range"},
		{"", "客厅空调调到-20度", "reject out_of_range"},
		{"", "把客厅的灯调到10-20%", "clarify missing_value"},
		{"", "把客厅的灯调到10%-20%", "clarify missing_value"},
		{"", "把客厅的灯调到10～20%", "clarify missing_value"},
		{"", "set the living room light to 10-20%", "clarify missing_value"},
		{"", "把客厅的灯调到50%到60%", "clarify missing_value"},
		{"", "set the living room light to 50% to 60%", "clarify missing_value"},
		{"", "把客厅的灯调到10-20% > 15%", `act {"op":"set","targets":["lr.light"],"prop":"brightness","value":15}`},
		{"", "set the living room light to twenty-five percent", `act {"op":"set","targets":["lr.light"],"prop":"brightness","value":25}`},
		{"", "把客厅的灯调到50%，卧室的60%", `act {"op":"set","targets":["lr.light"],"prop":"brightness","value":50} {"op":"set","targets":["br.light"],"prop":"brightness","value":60}`},
	})
}

// TestNoEndsTheQuestion: who declines is not asked any more, and a later word is no answer.
func TestNoEndsTheQuestion(t *testing.T) {
	for _, no := range []string{"不要", "算了", "取消", "不用了", "不用", "不要了", "都不要", "不", "停"} {
		checkWrong(t, []wrong{
			{"", "打开灯 > " + no, "chat negated"},
			{"", "打开灯 > " + no + " > 厨房", "clarify missing_value"},
			{"", "打开厨房的灯 > 打开空调 > " + no + " > 客厅", "clarify missing_value"},
		})
	}
	for _, no := range []string{"never mind", "no", "neither", "cancel", "forget it", "no thanks", "none of them", "nope", "stop", "cancel that", "neither of them"} {
		checkWrong(t, []wrong{
			{"", "turn on the lamp > " + no, "chat negated"},
			{"", "turn on the lamp > " + no + " > kitchen", "clarify missing_value"},
		})
	}
	checkWrong(t, []wrong{
		{"", "打开灯 > 都不开", "chat negated"},
		{"", "打开灯 > 不要开灯", "chat negated"},
		{"", "打开灯 > 不要开灯 > 厨房", "clarify missing_value"},
		{"", "打开灯 > 厨房", `act {"op":"set","targets":["kt.light"],"prop":"power","value":true}`},
		{"", "turn on the lamp > no, the kitchen", `act {"op":"set","targets":["kt.light"],"prop":"power","value":true}`},
	})
}

// TestBothMeansTheCandidates: who answers "both" means what was asked about.
func TestBothMeansTheCandidates(t *testing.T) {
	const on = `act {"op":"set","targets":["lr.ac","br.ac"],"prop":"power","value":true}`
	for _, all := range []string{"两个都开", "都打开", "都", "两个", "全部", "全部打开", "两台都开", "两个都要"} {
		checkWrong(t, []wrong{{"", "打开空调 > " + all, on}})
	}
	for _, all := range []string{"both", "both of them", "all of them", "all", "turn both on", "turn on both"} {
		checkWrong(t, []wrong{{"", "turn on the air conditioner > " + all, on}})
	}
	checkWrong(t, []wrong{
		{"kt", "打开空调 > 都打开", on},
		{"lr", "turn on the air conditioner", `act {"op":"set","targets":["lr.ac"],"prop":"power","value":true}`},
		{"", "打开灯 > 三个都开", `act {"op":"set","targets":["lr.light","br.light","kt.light"],"prop":"power","value":true}`},
		{"", "打开空调 > 都关了", `act {"op":"set","targets":["lr.ac","br.ac"],"prop":"power","value":false}`},
		{"", "打开厨房的灯 > 打开空调 > 两个都开", on},
	})
}

// TestOnlyWhatMovesStops: "stop" is no "off".
func TestOnlyWhatMovesStops(t *testing.T) {
	checkWrong(t, []wrong{
		{"", "打开客厅的灯 > 停", "clarify missing_device"},
		{"", "打开客厅的灯 > 停下", "clarify missing_device"},
		{"", "turn on the kitchen lamp > stop", "clarify missing_device"},
		{"lr", "turn on the lamp > stop", "clarify missing_device"},
		{"", "打开风扇 > 停", `act {"op":"set","targets":["kt.fan"],"prop":"power","value":false}`},
	})
}

// TestRoomsThatAreNot: a room that the home does not have is no other room.
func TestRoomsThatAreNot(t *testing.T) {
	checkWrong(t, []wrong{
		{"", "打开客房的灯", "reject no_such_device"},
		{"br", "打开客房的灯", "reject no_such_device"},
		{"", "打开主卧的灯", "reject no_such_device"},
		{"", "打开主卧室的灯", "reject no_such_device"},
		{"", "打开次卧的灯", "reject no_such_device"},
		{"", "打开客厅的灯 > 客房呢", "reject no_such_device"},
		{"", "turn on the guest room light", "reject no_such_device"},
		{"br", "turn on the guest room light", "reject no_such_device"},
		{"", "turn on the second bedroom light", "reject no_such_device"},
		{"", "turn on the master bedroom lamp", "reject no_such_device"},
		{"", "turn on the light in the guest room", "reject no_such_device"},
		{"", "turn on the third bedroom light", "clarify unclear_words"},
		{"", "打开小卧室的灯", "clarify unclear_words"},
		{"", "打开卧室的灯", `act {"op":"set","targets":["br.light"],"prop":"power","value":true}`},
		{"", "打开睡房的灯", `act {"op":"set","targets":["br.light"],"prop":"power","value":true}`},
		{"", "turn on the bedroom light", `act {"op":"set","targets":["br.light"],"prop":"power","value":true}`},
	})
	x := testIndex(t)
	for _, tt := range []struct{ in, want string }{
		{"打开主人房的空调", `act {"op":"set","targets":["mb.ac"],"prop":"power","value":true}`},
		{"打开客房的空调", `act {"op":"set","targets":["sb.ac"],"prop":"power","value":true}`},
		{"打开卧室的空调", "clarify ambiguous_device mb.ac,sb.ac"},
	} {
		if r := x.Read(nil, tt.in); said(&r) != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, said(&r), tt.want)
		}
	}
}

// TestWhatIsMeasured: a question for the temperature is answered with what is measured, where there is such.
func TestWhatIsMeasured(t *testing.T) {
	checkWrong(t, []wrong{
		{"", "客厅空调现在多少度", `act {"op":"query","targets":["lr.ac"],"prop":"temperature"}`},
		{"lr", "空调现在多少度", `act {"op":"query","targets":["lr.ac"],"prop":"temperature"}`},
		{"", "how hot is the kettle", `act {"op":"query","targets":["kt.kettle"],"prop":"temperature"}`},
		{"", "what is the temperature of the kettle", `act {"op":"query","targets":["kt.kettle"],"prop":"temperature"}`},
		{"", "客厅空调的温度是多少", `act {"op":"query","targets":["lr.ac"],"prop":"temperature"}`},
		{"", "水壶多热", `act {"op":"query","targets":["kt.kettle"],"prop":"temperature"}`},
		{"", "客厅空调设的几度", `act {"op":"query","targets":["lr.ac"],"prop":"targetTemperature"}`},
		{"", "客厅空调设定温度是多少", `act {"op":"query","targets":["lr.ac"],"prop":"targetTemperature"}`},
		{"", "what is the living room air conditioner set to", `act {"op":"query","targets":["lr.ac"],"prop":"targetTemperature"}`},
	})
}

// TestUnknownBeforeAType: what stands before a device's type and names nothing here is asked about.
func TestUnknownBeforeAType(t *testing.T) {
	for _, room := range []string{"", "kt"} {
		checkWrong(t, []wrong{
			{room, "turn on the garage lamp", "reject no_such_device"},
			{room, "turn on the television lamp", "reject no_such_device"},
			{room, "turn on the kitchen television lamp", "reject no_such_device"},
			{room, "turn on the zen lamp", "clarify unclear_words"},
			{room, "turn on the fancy lamp", "clarify unclear_words"},
			{room, "turn on the kitchen lamp > turn off the garage lamp", "reject no_such_device"},
			{room, "turn on the kitchen lamp", `act {"op":"set","targets":["kt.light"],"prop":"power","value":true}`},
			{room, "turn on the kitchen lamp > turn off the lamp", `act {"op":"set","targets":["kt.light"],"prop":"power","value":false}`},
		})
	}
}
