package voice

import (
	"encoding/json"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/nlu"
	"lampworks/tsl"
)

func model(t testing.TB, doc string) *tsl.Model {
	t.Helper()
	d, err := tsl.Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	m, err := tsl.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const lampModel = `{"properties":[
	{"identifier":"powerstate","name":"开关","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"关","1":"开"}}},
	{"identifier":"brightness","name":"亮度","accessMode":"rw","dataType":{"type":"int","specs":{"min":"1","max":"100","step":"1","unit":"%"}}},
	{"identifier":"colorTemperature","name":"色温","accessMode":"rw","dataType":{"type":"int","specs":{"min":"2700","max":"6500","unit":"K"}}},
	{"identifier":"color","name":"颜色","accessMode":"rw","dataType":{"type":"text","specs":{"length":"32"}}}
],"events":[],"services":[]}`

const airModel = `{"properties":[
	{"identifier":"powerstate","name":"开关","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"关","1":"开"}}},
	{"identifier":"targetTemperature","name":"目标温度","accessMode":"rw","dataType":{"type":"float","specs":{"min":"16","max":"30","step":"0.5","unit":"°C"}}},
	{"identifier":"temperature","name":"室温","accessMode":"r","dataType":{"type":"float","specs":{"min":"-40","max":"100","step":"0.1","unit":"℃"}}},
	{"identifier":"mode","name":"模式","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"auto","1":"cool","2":"heat"}},
	 "lampworks":{"values":{"0":{"zh-CN":"自动模式","en":"automatic"},"1":{"zh-CN":"制冷","en":"cooling"},"2":{"zh-CN":"制热模式","en":"heating"}}}},
	{"identifier":"windspeed","name":"风速","accessMode":"rw","dataType":{"type":"int","specs":{"min":"1","max":"5"}}},
	{"identifier":"oddity","name":"怪值","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"9"}}}
],"events":[],"services":[]}`

const curtainModel = `{"properties":[
	{"identifier":"position","name":"开合度","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"100","unit":"%"}}}
],"events":[],"services":[]}`

// bedroomAndLivingRoom is a home made ready by hand, for replies.
func bedroomAndLivingRoom(t testing.TB) *spoken {
	t.Helper()
	label := func(zh, en string) home.Label { return home.Label{Names: home.Names{"zh-CN": zh, "en": en}} }
	h := &spoken{
		home:    home.Home{ID: "h"},
		devices: make(map[string]*home.Device), rooms: make(map[string]*home.Room),
		said: map[string]scene.Spoken{"lamp": {Model: model(t, lampModel)}, "air": {Model: model(t, airModel)}, "curtain": {Model: model(t, curtainModel)}},
	}
	for _, r := range []home.Room{{ID: "lr", Label: label("客厅", "living room")}, {ID: "br", Label: label("主卧", "bedroom")}, {ID: "sb", Label: label("次卧", "guest room")}} {
		h.rooms[r.ID] = &r
	}
	for _, d := range []home.Device{
		{ID: "lr.lamp", Room: "lr", Product: "lamp", Label: label("灯", "lamp")},
		{ID: "lr.strip", Room: "lr", Product: "lamp", Label: label("灯带", "strip")},
		{ID: "lr.air", Room: "lr", Product: "air", Label: label("空调", "air conditioner")},
		{ID: "lr.curtain", Room: "lr", Product: "curtain", Label: label("客厅窗帘", "living room curtain")},
		{ID: "br.lamp", Room: "br", Product: "lamp", Label: label("灯", "lamp")},
		{ID: "sb.lamp", Room: "sb", Product: "lamp", Label: label("灯", "lamp")},
		{ID: "odd", Product: "lamp", Label: label("{what}\u202e<b>", "{what}\u202e<b>")},
	} {
		h.devices[d.ID] = &d
	}
	return h
}

func act(prop string, m nlu.Meaning, value any, targets ...string) nlu.Action {
	return nlu.Action{Op: nlu.OpSet, Prop: prop, Meaning: m, Value: value, Targets: targets}
}

// on is what came of the next action on one device.
func on(device, params, outcome, reason string) step {
	st := step{device: device, outcome: outcome, reason: reason}
	if params != "" {
		st.params = json.RawMessage(params)
		if err := json.Unmarshal(st.params, &st.sets); err != nil {
			panic(err)
		}
	}
	return st
}

func with(st step, change func(*step)) step {
	change(&st)
	return st
}

func does(actions []nlu.Action, steps ...step) *turn {
	t := &turn{reading: nlu.Reading{Outcome: nlu.Act, Actions: actions}, steps: steps}
	at := 0
	for i := range t.steps { // steps stand in the order of actions and targets
		for n := 0; ; n++ {
			before := 0
			for j := range i {
				if t.steps[j].act == at {
					before++
				}
			}
			if before < len(actions[at].Targets) {
				break
			}
			at++
		}
		t.steps[i].act = at
	}
	return t
}

func asks(outcome nlu.Outcome, r nlu.Reason, candidates ...string) *turn {
	return &turn{reading: nlu.Reading{Outcome: outcome, Reason: r, Candidates: candidates}}
}

func TestReplies(t *testing.T) {
	h := bedroomAndLivingRoom(t)
	power := func(v bool, ids ...string) []nlu.Action { return []nlu.Action{act("powerstate", nlu.Power, v, ids...)} }
	bright := func(v int, ids ...string) []nlu.Action {
		return []nlu.Action{act("brightness", nlu.Brightness, int64(v), ids...)}
	}
	adjust := func(dir string, ids ...string) []nlu.Action {
		return []nlu.Action{{Op: nlu.OpAdjust, Prop: "brightness", Meaning: nlu.Brightness, Direction: dir, Targets: ids}}
	}
	query := func(prop string, m nlu.Meaning, ids ...string) []nlu.Action {
		return []nlu.Action{{Op: nlu.OpQuery, Prop: prop, Meaning: m, Targets: ids}}
	}
	answered := func(device, value string) step {
		return step{device: device, outcome: Answered, value: json.RawMessage(value)}
	}
	for _, tt := range []struct {
		name   string
		turn   *turn
		zh, en string
	}{
		{"on", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Done, "")), "好的，客厅的灯开了。", "The living room lamp is on."},
		{"off", does(power(false, "lr.curtain"), on("lr.curtain", `{"powerstate":0}`, Done, "")), "好的，客厅窗帘关了。", "The living room curtain is off."},
		{
			"two", does(power(true, "lr.lamp", "br.lamp"), on("lr.lamp", `{"powerstate":1}`, Done, ""), on("br.lamp", `{"powerstate":1}`, Already, "")),
			"好的，客厅的灯和主卧的灯开了。", "The living room lamp and the bedroom lamp are on.",
		},
		{
			"many", does(power(false, "lr.lamp", "br.lamp", "sb.lamp", "lr.strip"),
				on("lr.lamp", `{"powerstate":0}`, Done, ""), on("br.lamp", `{"powerstate":0}`, Done, ""), on("sb.lamp", `{"powerstate":0}`, Done, ""), on("lr.strip", `{"powerstate":0}`, Done, "")),
			"好的，客厅的灯等 4 个设备关了。", "The living room lamp and 3 more are off.",
		},
		{"already", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Already, "")), "好的，客厅的灯本来就开着。", "The living room lamp was on already."},
		{"already bright", does(bright(50, "lr.lamp"), on("lr.lamp", `{"brightness":50}`, Already, "")), "好的，客厅的灯亮度本来就是50%。", "Brightness of the living room lamp was 50 % already."},
		{"brightness", does(bright(50, "lr.lamp"), on("lr.lamp", `{"brightness":50}`, Done, "")), "好的，客厅的灯亮度调到50%。", "The living room lamp is set to 50 %."},
		{"adjusted", does(adjust("up", "lr.lamp"), on("lr.lamp", `{"brightness":60}`, Done, "")), "好的，客厅的灯亮度调到60%。", "The living room lamp is set to 60 %."},
		{
			"adjusted apart", does(adjust("down", "lr.lamp", "br.lamp"), on("lr.lamp", `{"brightness":60}`, Done, ""), on("br.lamp", `{"brightness":20}`, Done, "")),
			"好的，客厅的灯和主卧的灯亮度调低了。", "Brightness of the living room lamp and the bedroom lamp went down.",
		},
		{
			"colour and brightness", does(append([]nlu.Action{act("color", nlu.Colour, "green", "lr.strip")}, bright(40, "lr.strip")...),
				on("lr.strip", `{"color":"green"}`, Done, ""), on("lr.strip", `{"brightness":40}`, Done, "")),
			"好的，客厅的灯带调成绿色了，亮度调到40%。", "The living room strip is green, it is set to 40 %.",
		},
		{
			"temperature", does([]nlu.Action{act("targetTemperature", nlu.TargetTemperature, 26.5, "lr.air")}, on("lr.air", `{"targetTemperature":26.5}`, Done, "")),
			"好的，客厅的空调温度调到26.5℃。", "The living room air conditioner is set to 26.5 °C.",
		},
		{
			"mode", does([]nlu.Action{act("mode", nlu.Mode, "cool", "lr.air")}, on("lr.air", `{"mode":1}`, Done, "")),
			"好的，客厅的空调换到制冷模式了。", "The living room air conditioner is in cooling mode.",
		},
		{
			"no unit", does([]nlu.Action{act("windspeed", nlu.FanSpeed, int64(3), "lr.air")}, on("lr.air", `{"windspeed":3}`, Done, "")),
			"好的，客厅的空调风速设为3。", "Fan speed of the living room air conditioner is set to 3.",
		},
		{
			"no meaning", does([]nlu.Action{act("oddity", "", int64(3), "lr.air")}, on("lr.air", `{"oddity":3}`, Done, "")),
			"好的，客厅的空调怪值设为3。", "怪值 of the living room air conditioner is set to 3.",
		},
		{"open", does([]nlu.Action{act("position", nlu.Position, int64(100), "lr.curtain")}, on("lr.curtain", `{"position":100}`, Done, "")), "好的，客厅窗帘打开了。", "The living room curtain is open."},
		{"close", does([]nlu.Action{act("position", nlu.Position, int64(0), "lr.curtain")}, on("lr.curtain", `{"position":0}`, Done, "")), "好的，客厅窗帘关上了。", "The living room curtain is closed."},
		{"half", does([]nlu.Action{act("position", nlu.Position, int64(50), "lr.curtain")}, on("lr.curtain", `{"position":50}`, Done, "")), "好的，客厅窗帘开到50%。", "The living room curtain is at 50 %."},

		{"offline", does(power(true, "lr.lamp"), on("lr.lamp", "", Undone, Offline)), "客厅的灯不在线，没有执行。", "The living room lamp is offline, nothing was done there."},
		{"silent", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Silent)), "客厅的灯没有回应，不确定执行了没有。", "The living room lamp did not answer, it is not certain that it was done."},
		{"unconfirmed", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Unconfirmed)), "客厅的灯没有回应，不确定执行了没有。", "The living room lamp did not answer, it is not certain that it was done."},
		{"waiting", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Waiting)), "客厅的灯还没有收到指令，晚些再看看。", "The living room lamp did not get the command yet, please look again later."},
		{
			"wrong", does(bright(50, "lr.lamp"), with(on("lr.lamp", `{"brightness":50}`, Undone, Wrong), func(st *step) { st.value = json.RawMessage("30") })),
			"客厅的灯回报的亮度是30%，和要求的不一样。", "The living room lamp reported brightness 30 %, which is not what was asked.",
		},
		{"wrong, value unknown", does(bright(50, "lr.lamp"), on("lr.lamp", `{"brightness":50}`, Undone, Wrong)), "客厅的灯回报的结果和要求的不一样。", "The living room lamp reported something else than was asked."},
		{"refused", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Refused)), "客厅的灯拒绝执行。", "The living room lamp refused."},
		{
			"refused with a note", does(power(true, "lr.lamp"), with(on("lr.lamp", `{"powerstate":1}`, Undone, Refused), func(st *step) { st.note = "too hot\x00 {names}\u202e" })),
			"客厅的灯拒绝执行，说“too hot {names}”。", "The living room lamp refused and said “too hot {names}”.",
		},
		{"replaced", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Replaced)), "客厅的灯又收到了新的指令，这一次没有执行。", "The living room lamp got a newer command, this one was not carried out."},
		{"busy", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Busy)), "客厅的灯还有太多指令在排队，没有执行。", "The living room lamp has too many commands waiting, nothing was done there."},
		{"invalid", does(power(true, "lr.lamp"), on("lr.lamp", `{"powerstate":1}`, Undone, Invalid)), "客厅的灯不接受这个值，没有执行。", "The living room lamp does not take that value, nothing was done there."},
		{
			"out of range", does(adjust("up", "lr.lamp"), with(on("lr.lamp", "", Undone, OutOfRange), func(st *step) { st.why = nlu.Reason{Code: nlu.OutOfRange, Min: 1, Max: 100, Unit: "%"} })),
			"客厅的灯亮度只能从1%到100%。", "Brightness of the living room lamp goes from 1 % to 100 %.",
		},
		{"unknown state", does(adjust("up", "lr.lamp"), on("lr.lamp", "", Undone, UnknownState)), "还不知道客厅的灯亮度现在是多少，请直接说要调到多少。", "Brightness of the living room lamp is not known yet, please say the value you want."},
		{"unsupported", does(adjust("up", "lr.curtain"), on("lr.curtain", "", Undone, Unsupported)), "客厅窗帘不支持亮度。", "The living room curtain cannot do brightness."},
		{
			"partly", does(power(true, "lr.lamp", "br.lamp", "sb.lamp"), on("lr.lamp", `{"powerstate":1}`, Done, ""), on("br.lamp", "", Undone, Offline), on("sb.lamp", "", Undone, Offline)),
			"客厅的灯开了；主卧的灯和次卧的灯不在线，没有执行。", "The living room lamp is on; the bedroom lamp and the guest room lamp are offline, nothing was done there.",
		},
		{
			"one fate of two acts", does(append(power(true, "lr.lamp"), bright(50, "lr.lamp")...), on("lr.lamp", "", Undone, Offline), on("lr.lamp", "", Undone, Offline)),
			"客厅的灯不在线，没有执行。", "The living room lamp is offline, nothing was done there.",
		},
		{
			"hostile name", does(power(true, "odd"), on("odd", `{"powerstate":1}`, Done, "")),
			"好的，{what}\u202e<b>开了。", "The {what}\u202e<b> is on.", // home refuses such names; here they stay what they are
		},

		{"query on", does(query("powerstate", nlu.Power, "lr.lamp"), answered("lr.lamp", "1")), "客厅的灯开着。", "The living room lamp is on."},
		{"query temperature", does(query("temperature", nlu.Temperature, "lr.air"), answered("lr.air", "25.5")), "客厅的空调温度是25.5℃。", "Temperature of the living room air conditioner is 25.5 °C."},
		{"query mode", does(query("mode", nlu.Mode, "lr.air"), answered("lr.air", "2")), "客厅的空调模式是制热模式。", "Mode of the living room air conditioner is heating."},
		{"query curtain", does(query("position", nlu.Position, "lr.curtain"), answered("lr.curtain", "0")), "客厅窗帘关着。", "The living room curtain is closed."},
		{"query unknown", does(query("brightness", nlu.Brightness, "lr.lamp"), step{device: "lr.lamp", outcome: Undone, reason: UnknownState}), "还不知道客厅的灯亮度。", "Brightness of the living room lamp is not known yet."},
		{
			"query offline", does(query("brightness", nlu.Brightness, "lr.lamp"), with(answered("lr.lamp", "20"), func(st *step) { st.reason = Offline })),
			"客厅的灯不在线，上次亮度是20%。", "The living room lamp is offline, brightness was last 20 %.",
		},
		{"query some", does(query("powerstate", nlu.Power, "lr.lamp", "br.lamp"), answered("lr.lamp", "1"), answered("br.lamp", "0")), "开着的有客厅的灯。", "The living room lamp is on."},
		{"query none", does(query("powerstate", nlu.Power, "lr.lamp", "br.lamp"), answered("lr.lamp", "0"), answered("br.lamp", "0")), "客厅的灯和主卧的灯都关着。", "The living room lamp and the bedroom lamp are all off."},
		{
			"query two", does(query("brightness", nlu.Brightness, "lr.lamp", "br.lamp"), answered("lr.lamp", "10"), answered("br.lamp", "20")),
			"客厅的灯亮度是10%，主卧的灯亮度是20%。", "Brightness of the living room lamp is 10 %, brightness of the bedroom lamp is 20 %.",
		},

		{"which room", asks(nlu.Clarify, nlu.Reason{Code: nlu.AmbiguousDevice}, "br.lamp", "sb.lamp"), "主卧还是次卧的灯？", "The lamp in the bedroom or the guest room?"},
		{"which of three", asks(nlu.Clarify, nlu.Reason{Code: nlu.AmbiguousDevice}, "lr.lamp", "br.lamp", "sb.lamp"), "客厅、主卧还是次卧的灯？", "The lamp in the living room, the bedroom or the guest room?"},
		{"which in a room", asks(nlu.Clarify, nlu.Reason{Code: nlu.AmbiguousDevice}, "lr.lamp", "lr.strip"), "灯还是灯带，您要哪一个？", "Which one, the lamp or the strip?"},
		{"which at all", asks(nlu.Clarify, nlu.Reason{Code: nlu.AmbiguousDevice}, "br.lamp", "lr.strip"), "主卧的灯还是客厅的灯带，您要哪一个？", "Which one, the bedroom lamp or the living room strip?"},
		{"nobody", asks(nlu.Clarify, nlu.Reason{Code: nlu.MissingDevice}), "您要控制哪个设备？", "Which device do you mean?"},
		{"no value", asks(nlu.Clarify, nlu.Reason{Code: nlu.MissingValue}), "您要调到多少？", "To what value?"},
		{"no property", asks(nlu.Clarify, nlu.Reason{Code: nlu.AmbiguousMeaning}), "您要调的是什么，亮度、色温还是温度？", "What would you like to change, brightness, colour temperature, or temperature?"},
		{"unclear", asks(nlu.Clarify, nlu.Reason{Code: nlu.UnclearWords, Word: "叽里\x1b[31m"}), "“叽里[31m”没有听懂，请您换个说法。", "“叽里[31m” was not clear, please say it another way."},

		{"no device in room", asks(nlu.Reject, nlu.Reason{Code: nlu.NoSuchDevice, Room: "br"}), "主卧没有这样的设备。", "There is no such device in the bedroom."},
		{"no device of that name", asks(nlu.Reject, nlu.Reason{Code: nlu.NoSuchDevice, Word: "电视"}), "没有找到“电视”。", "Nothing called “电视” was found."},
		{"no property of it", asks(nlu.Reject, nlu.Reason{Code: nlu.NoSuchProperty, Device: "lr.curtain", Meaning: nlu.Colour}), "客厅窗帘不支持颜色。", "The living room curtain cannot do colour."},
		{
			"no such mode", asks(nlu.Reject, nlu.Reason{Code: nlu.NoSuchValue, Device: "lr.air", Prop: "mode", Meaning: nlu.Mode, Allowed: []string{"auto", "cool", "heat"}}),
			"客厅的空调没有这一项，可以选自动模式、制冷或制热模式。", "The living room air conditioner does not have that, the choices are automatic, cooling or heating.",
		},
		{
			"too hot", asks(nlu.Reject, nlu.Reason{Code: nlu.OutOfRange, Device: "lr.air", Prop: "targetTemperature", Meaning: nlu.TargetTemperature, Min: 16, Max: 30}),
			"客厅的空调温度只能从16℃到30℃。", "Set temperature of the living room air conditioner goes from 16 °C to 30 °C.",
		},
		{"read only", asks(nlu.Reject, nlu.Reason{Code: nlu.ReadOnly, Device: "lr.air", Prop: "temperature", Meaning: nlu.Temperature}), "客厅的空调温度只能看，不能调。", "Temperature of the living room air conditioner can be read, not set."},
		{"too long", asks(nlu.Reject, nlu.Reason{Code: nlu.TooLong}), "这句话太长了，请您分成几句说。", "That sentence is too long, please say it in parts."},
		{"conditional", asks(nlu.Reject, nlu.Reason{Code: nlu.Conditional}), "按条件自动执行还做不到，所以什么都没有动。", "Acting on conditions is not there yet, so nothing was changed."},
		{"negated", asks(nlu.Chat, nlu.Reason{Code: nlu.Negated}), "好的，什么都没有动。", "Very well, nothing was changed."},
		{"narrative", asks(nlu.Chat, nlu.Reason{Code: nlu.Narrative}), "好的，知道了，什么都没有动。", "Noted, nothing was changed."},
		{"nothing", asks(nlu.Chat, nlu.Reason{Code: nlu.NotUnderstood}), "没有听懂。您可以说“打开客厅的灯”。", "That was not understood. You can say “turn on the living room lamp”."},
		{"timer", does([]nlu.Action{{Op: nlu.OpTimer, Seconds: 60}}), "定时和延时还做不到，所以什么都没有动。", "Timers and delays are not there yet, so nothing was changed."},
		{"delay", does([]nlu.Action{{Op: nlu.OpSet, Prop: "powerstate", Value: true, DelaySeconds: 60, Targets: []string{"lr.lamp"}}}), "定时和延时还做不到，所以什么都没有动。", "Timers and delays are not there yet, so nothing was changed."},
		{"scene", does([]nlu.Action{{Op: nlu.OpScene, Scene: "movie"}}), "场景还不能执行，所以什么都没有动。", "Scenes are not there yet, so nothing was changed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for lang, want := range map[string]string{nlu.Chinese: tt.zh, nlu.English: tt.en} {
				w := teller{catalogue: catalogues()[lang], lang: lang, home: h, candidates: tt.turn.reading.Candidates}
				tt.turn.home, tt.turn.s = h, &Service{}
				if got := w.reply(tt.turn); got != want {
					t.Errorf("%s\n got %s\nwant %s", lang, got, want)
				}
			}
		})
	}
}
