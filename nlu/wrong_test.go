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
