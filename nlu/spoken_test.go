package nlu

import (
	"strings"
	"testing"
)

// TestSpokenWays: ways to say things that people use at home and written sentences seldom have.
func TestSpokenWays(t *testing.T) {
	x := testIndex(t)
	const fan, purifier = `"targets":["mb.fan"]`, `"targets":["lr.purifier"]`
	for _, tt := range []struct{ room, said, want string }{
		// a reason beside a command is none
		{"", "我要做饭了，打开油烟机", `act {"op":"set","targets":["kt.hood"],"prop":"power","value":true}`},
		{"", "打开油烟机，我要做饭了", `act {"op":"set","targets":["kt.hood"],"prop":"power","value":true}`},
		{"", "打开油烟机，开最大档我要做饭了", `clarify unclear_words`},
		{"", "我要做饭了", "chat not_understood"},
		{"", "书房的灯怎么还开着，关掉", `act {"op":"set","targets":["st.light","st.lamp"],"prop":"power","value":false}`},
		{"", "书房的灯怎么还开着", "chat not_understood"},
		{"", "把主卧空调打开，太冷了", `act {"op":"set","targets":["mb.ac"],"prop":"power","value":true}`},
		// exceptions said as what not to do
		{"", "把所有空调打开，次卧的不要", `act {"op":"set","targets":["lr.ac","mb.ac","kid.ac"],"prop":"power","value":true}`},
		{"", "主卧的灯都关了，右床头灯别关", `act {"op":"set","targets":["mb.light","mb.bed1"],"prop":"power","value":false}`},
		{"", "书房的灯全关，台灯留着", `act {"op":"set","targets":["st.light"],"prop":"power","value":false}`},
		{"", "打开空调，别开灯", "clarify ambiguous_device lr.ac,mb.ac,sb.ac,kid.ac"},
		// what is forbidden in a clause of its own forbids no other
		{"", "先别关空调，把书房的灯关了", `act {"op":"set","targets":["st.light","st.lamp"],"prop":"power","value":false}`},
		{"", "别开灯，太亮了", "chat negated"},
		{"", "别关灯，等我回来再关", "reject conditional"},
		{"", "不用开灯", "chat negated"},
		// a task says which machine
		{"", "烧壶水", `act {"op":"set","targets":["kt.kettle"],"prop":"power","value":true}`},
		{"", "洗衣服", `act {"op":"set","targets":["bc.washer"],"prop":"state","value":"start"}`},
		{"", "把衣服收起来", "clarify missing_device"},
		{"", "boil some water", `act {"op":"set","targets":["kt.kettle"],"prop":"power","value":true}`},
		// amounts and shares
		{"", "主卧窗帘再拉开百分之三十", `act {"op":"adjust","targets":["mb.curtain"],"prop":"position","direction":"up","amount":30}`},
		{"", "主卧窗帘拉开百分之三十", `act {"op":"set","targets":["mb.curtain"],"prop":"position","value":30}`},
		{"", "台灯六成亮", `act {"op":"set","targets":["st.lamp"],"prop":"brightness","value":60}`},
		{"", "台灯六成暗", "clarify missing_value"},
		{"", "台灯亮百分之二十", `act {"op":"adjust","targets":["st.lamp"],"prop":"brightness","direction":"up","amount":20}`},
		// for a time
		{"", "风扇开半小时", `act {"op":"set",` + fan + `,"prop":"power","value":true} {"op":"set",` + fan + `,"prop":"power","value":false,"delay_seconds":1800}`},
		{"", "turn on the fan for half an hour", `act {"op":"set",` + fan + `,"prop":"power","value":true} {"op":"set",` + fan + `,"prop":"power","value":false,"delay_seconds":1800}`},
		{"", "净化器先开，过一刻钟再关", `act {"op":"set",` + purifier + `,"prop":"power","value":true} {"op":"set",` + purifier + `,"prop":"power","value":false,"delay_seconds":900}`},
		{"", "turn off the fan in half an hour", `act {"op":"set",` + fan + `,"prop":"power","value":false,"delay_seconds":1800}`},
		{"", "turn off the fan in a half hour", `act {"op":"set",` + fan + `,"prop":"power","value":false,"delay_seconds":1800}`},
		// what a room is like
		{"wc", "好闷啊", `act {"op":"set","targets":["wc.fan"],"prop":"power","value":true}`},
		{"kt", "好闷啊", "clarify missing_device"},
		{"", "好闷啊", "clarify missing_device"},
		{"wc", "好热啊", "clarify missing_device"}, // the water heater does not cool the room
		{"", "主卧太干了", `act {"op":"adjust","targets":["mb.humid"],"prop":"target_humidity","direction":"up"}`},
		{"", "the pendant light is too bright", `act {"op":"adjust","targets":["dr.light"],"prop":"brightness","direction":"down"}`},
		{"", "is the pendant light bright", `act {"op":"query","targets":["dr.light"],"prop":"brightness"}`},
		// one thing after another
		{"", "书房开灯厨房关灯", `act {"op":"set","targets":["st.light","st.lamp"],"prop":"power","value":true} {"op":"set","targets":["kt.light"],"prop":"power","value":false}`},
		{"", "打开厨房的灯和餐厅的", `act {"op":"set","targets":["kt.light","dr.light"],"prop":"power","value":true}`},
		{"", "turn on the lights in the kitchen and the dining room", `act {"op":"set","targets":["kt.light","dr.light"],"prop":"power","value":true}`},
		{"", "打开主卧左床头灯，亮度调到三十", `act {"op":"set","targets":["mb.bed1"],"prop":"power","value":true} {"op":"set","targets":["mb.bed1"],"prop":"brightness","value":30}`},
		{"", "打开书房台灯然后把它调到百分之三十", `act {"op":"set","targets":["st.lamp"],"prop":"power","value":true} {"op":"set","targets":["st.lamp"],"prop":"brightness","value":30}`},
		{"", "turn on the night light and set it to 30 percent", `act {"op":"set","targets":["kid.night"],"prop":"power","value":true} {"op":"set","targets":["kid.night"],"prop":"brightness","value":30}`},
		// stutter, and floors that there are not
		{"", "打打打开书房的灯", `act {"op":"set","targets":["st.light","st.lamp"],"prop":"power","value":true}`},
		{"", "打开二楼的灯", "reject no_such_device"},
		{"", "楼上的灯关了", "reject no_such_device"},
		// timers and reminders
		{"", "取消刚才的定时", `act {"op":"timer_cancel"}`},
		{"", "remind me to take the laundry out in 20 minutes", `act {"op":"timer","seconds":1200,"label":"take the laundry out"}`},
		{"", "wake me up at seven tomorrow", `act {"op":"timer","at":"07:00","day":"tomorrow"}`},
		{"", "小白别扫了", `act {"op":"set","targets":["lr.vacuum"],"prop":"state","value":"pause"}`},
		{"", "现在外面多少度", "chat not_understood"},
		// a kind of lamp is no other lamp
		{"", "打开书房的落地灯", "reject no_such_device"},
		{"", "打开壁灯", "reject no_such_device"},
		{"", "turn on the wall lamp", "reject no_such_device"},
		// the clause of another value begins with its property
		{"", "灯带变成黄色，亮度调到两成", `act {"op":"set","targets":["lr.strip"],"prop":"color","value":"yellow"} {"op":"set","targets":["lr.strip"],"prop":"brightness","value":20}`},
		{"", "打开电视，音量调到十五", `act {"op":"set","targets":["lr.tv"],"prop":"power","value":true} {"op":"set","targets":["lr.tv"],"prop":"volume","value":15}`},
		{"", "turn on the desk lamp and set it to 30 percent", `act {"op":"set","targets":["st.lamp"],"prop":"power","value":true} {"op":"set","targets":["st.lamp"],"prop":"brightness","value":30}`},
		{"", "turn the humidifier to 60 percent", `act {"op":"set","targets":["mb.humid"],"prop":"target_humidity","value":60}`},
		// timers of devices
		{"", "定时半小时关电热毯", `act {"op":"set","targets":["mb.blanket"],"prop":"power","value":false,"delay_seconds":1800}`},
		{"", "wake me up at six thirty", `act {"op":"timer","at":"06:30"}`},
		{"", "等我睡着了，把书房灯关掉", "reject conditional"},
		// what has happened is no command, nor a reason to ask
		{"", "客人来了，打开餐厅灯", `act {"op":"set","targets":["dr.light"],"prop":"power","value":true}`},
		{"lr", "我没关灯", "chat narrative"},
		{"lr", "妈妈说要关灯", "chat narrative"},
		{"", "我想睡觉了", "chat not_understood"},
		{"", "I want to sleep", "clarify missing_device"},
		{"", "I'm home", `act {"op":"scene","scene":"home"}`},
		// every "not" holds
		{"lr", "所有的灯都不要开", "chat negated"},
		{"lr", "灯不关", "chat negated"},
		{"lr", "不热", "chat negated"},
		{"lr", "禁止打开空调", "chat negated"},
		{"lr", "没必要开灯", "chat negated"},
		{"", "算了不用了", "chat negated"},
		{"", "小白别扫了", `act {"op":"set","targets":["lr.vacuum"],"prop":"state","value":"pause"}`},
		{"", "落地灯别这么亮", `act {"op":"adjust","targets":["lr.lamp"],"prop":"brightness","direction":"down"}`},
		{"", "厨房灯关没关", `act {"op":"query","targets":["kt.light"],"prop":"power"}`},
		// rooms in a row, and where one is kept out
		{"", "turn on the lights in the study and the kitchen", `act {"op":"set","targets":["st.light","st.lamp","kt.light"],"prop":"power","value":true}`},
		{"", "can the vacuum mop", `act {"op":"query","targets":["lr.vacuum"],"prop":"state"}`},
		{"", "go back to your dock", `act {"op":"set","targets":["lr.vacuum"],"prop":"state","value":"dock"}`},
		{"", "remind me in 20 minutes to check the oven", `act {"op":"timer","seconds":1200,"label":"check the oven"}`},
		{"", "stop the music", `act {"op":"set","targets":["lr.speaker"],"prop":"playback","value":"stop"}`},
		{"", "打开厨房的灯 > 不对，是餐厅", `act {"op":"set","targets":["dr.light"],"prop":"power","value":true}`},
		{"", "不对，是餐厅", "clarify missing_value"},
		{"", "把书房的台灯亮度从百分之五十调到百分之八十", `act {"op":"set","targets":["st.lamp"],"prop":"brightness","value":80}`},
		{"", "change the brightness of the desk lamp from 50 to 80 percent", `act {"op":"set","targets":["st.lamp"],"prop":"brightness","value":80}`},
		// water is not the room's air, and a word of its own no misspelled one
		{"", "水温调到50度", `act {"op":"set","targets":["wc.wh"],"prop":"target_temperature","value":50}`},
		{"mb", "水温调到28度", "clarify missing_device"},
		{"mb", "i can cook", "chat not_understood"},
		{"lr", "cook rice", "chat not_understood"},
		// more reasons and complaints
		{"", "没人了，把餐厅灯关了", `act {"op":"set","targets":["dr.light"],"prop":"power","value":false}`},
		{"", "主卧空调太吵了，风速调低", `act {"op":"adjust","targets":["mb.ac"],"prop":"fan_speed","direction":"down"}`},
		{"", "宝宝睡着了，把儿童房的小夜灯关了", `act {"op":"set","targets":["kid.night"],"prop":"power","value":false}`},
		{"", "等宝宝睡着了，把儿童房的小夜灯关了", "reject conditional"},
		// scenes by other words
		{"", "睡觉模式", `act {"op":"scene","scene":"sleep"}`},
		{"", "我要出门了", `act {"op":"scene","scene":"away"}`},
		{"", "我要回来了", "chat not_understood"},
		{"", "风扇开到三档并且摇头", `act {"op":"set",` + fan + `,"prop":"level","value":3} {"op":"set",` + fan + `,"prop":"swing","value":true}`},
	} {
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

// TestSpokenAfter: what is said after something else.
func TestSpokenAfter(t *testing.T) {
	x := testIndex(t)
	for _, tt := range []struct{ before, said, want string }{
		{"把书房的灯打开", "不对，是厨房的", `act {"op":"set","targets":["kt.light"],"prop":"power","value":true}`},
		{"定时十分钟", "取消", `act {"op":"timer_cancel"}`},
		{"十分钟后关掉书房的灯", "取消吧", `act {"op":"timer_cancel"}`},
		{"把电视打开", "换个台", `act {"op":"adjust","targets":["lr.tv"],"prop":"channel","direction":"up"}`},
		{"打开书房台灯", "取消", "clarify missing_device"},
	} {
		before := x.Read(nil, tt.before)
		r := x.Read(&Context{Previous: before.Memory}, tt.said)
		if got := said(&r); got != tt.want {
			t.Errorf("%s | %s\n got %s\nwant %s", tt.before, tt.said, got, tt.want)
		}
	}
}
