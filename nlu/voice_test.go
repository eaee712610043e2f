package nlu_test

import (
	"fmt"
	"testing"

	"lampworks/nlu"
	"lampworks/tsl"
)

// litterBox is a model whose words nobody would guess.
const litterBox = `{"properties":[
	{"identifier":"zx_mode","name":"ZX1","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"M0","1":"M1","2":"M2"}}},
	{"identifier":"scent_lv","name":"ZX2","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"10","step":"1"}}},
	{"identifier":"uv","name":"ZX3","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"a","1":"b"}}},
	{"identifier":"weight","name":"ZX4","accessMode":"r","dataType":{"type":"int","specs":{"min":"0","max":"20","step":"1"}}}],
	"services":[{"identifier":"rake","name":"ZX5","callType":"async","inputData":[],"outputData":[]},
	{"identifier":"dump","name":"ZX6","callType":"async","inputData":[],"outputData":[]}]}`

func litterVoice() *nlu.Voice {
	both := func(zh, en string) map[string][]string {
		return map[string][]string{nlu.Chinese: {zh}, nlu.English: {en}}
	}
	return &nlu.Voice{
		Names: map[string][]string{nlu.Chinese: {"猫砂盆", "猫厕所"}, nlu.English: {"litter box"}},
		Properties: map[string]nlu.VoiceProperty{
			"zx_mode":  {Names: both("铲砂方式", "scoop style"), Values: map[int64]map[string][]string{0: both("随铲", "lazy scoop"), 1: both("勤铲", "eager scoop"), 2: both("勿扰铲", "hush scoop")}},
			"scent_lv": {Names: both("香薰浓度", "scent strength"), Raise: both("加香", "more scent"), Lower: both("减香", "less scent")},
			"uv":       {Names: both("紫外灭菌", "uv rays"), Confirm: true},
			"weight":   {Names: both("猫砂余量", "litter stock")},
		},
		Services: map[string]nlu.VoiceService{"rake": {Phrases: both("铲屎", "scoop the poop")}, "dump": {Phrases: both("倒空集便仓", "dump the drawer"), Confirm: true}},
	}
}

func litterHome(t testing.TB, voice *nlu.Voice) *nlu.Index {
	t.Helper()
	model := compiled(t, litterBox)
	x, err := nlu.Compile(nlu.Home{
		Rooms: []nlu.Room{{ID: "living", Names: map[string][]string{"zh-CN": {"客厅"}, "en": {"living room"}}}, {ID: "balcony", Names: map[string][]string{"zh-CN": {"阳台"}, "en": {"balcony"}}}},
		Devices: []nlu.Device{
			{ID: "l1", Room: "living", Names: map[string][]string{"zh-CN": {"一号"}, "en": {"number one"}}, Category: "pet_feeder", Model: model, Voice: voice},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestConfiguredWords(t *testing.T) {
	x := litterHome(t, litterVoice())
	for _, tt := range []struct{ say, want string }{
		{"把猫砂盆的铲砂方式调到勤铲", "set l1 zx_mode M1"},
		{"猫砂盆用勿扰铲", "set l1 zx_mode M2"},
		{"set the scoop style of the litter box to hush scoop", "set l1 zx_mode M2"},
		{"香薰浓度调到五", "set l1 scent_lv 5"},
		{"set the scent strength of the litter box to 5", "set l1 scent_lv 5"},
		{"猫砂盆加香", "adjust l1 scent_lv up"},
		{"客厅的猫厕所减香", "adjust l1 scent_lv down"},
		{"more scent for the litter box", "adjust l1 scent_lv up"},
		{"less scent in the living room", "adjust l1 scent_lv down"},
		{"猫砂余量还有多少", "query l1 weight <nil>"},
		{"what is the litter stock of the litter box", "query l1 weight <nil>"},
		{"铲屎", "call l1 rake"},
		{"让猫砂盆铲屎", "call l1 rake"},
		{"scoop the poop", "call l1 rake"},
		{"打开紫外灭菌", "clarify confirm uv"},
		{"turn on the uv rays of the litter box", "clarify confirm uv"},
		{"倒空集便仓", "clarify confirm dump"},
	} {
		if got := heard(x.Read(&nlu.Context{Careful: true}, tt.say)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.say, got, tt.want)
		}
	}
	plain := litterHome(t, nil)
	if got := heard(plain.Read(nil, "猫砂盆加香")); got != "reject no_such_device " {
		t.Errorf("without configuration: %s", got)
	}
}

// Words that a family gave mean what they did; a maker's never take them.
func TestNamesOfTheHomeWin(t *testing.T) {
	voice := &nlu.Voice{
		Names:    map[string][]string{nlu.Chinese: {"阳台", "一号", "晚安"}},
		Services: map[string]nlu.VoiceService{"rake": {Phrases: map[string][]string{nlu.Chinese: {"阳台", "一号", "晚安", "清扫"}}}},
	}
	model := compiled(t, litterBox)
	x, err := nlu.Compile(nlu.Home{
		Rooms:   []nlu.Room{{ID: "balcony", Names: map[string][]string{"zh-CN": {"阳台"}}}},
		Devices: []nlu.Device{{ID: "l1", Room: "balcony", Names: map[string][]string{"zh-CN": {"一号"}}, Model: model, Voice: voice}},
		Scenes:  []nlu.Scene{{ID: "night", Names: map[string][]string{"zh-CN": {"晚安"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for say, want := range map[string]string{"晚安": "scene night", "打开阳台": "clarify missing_device ", "一号": "clarify missing_value ", "清扫": "call l1 rake"} {
		if got := heard(x.Read(nil, say)); got != want {
			t.Errorf("%s: got %s, want %s", say, got, want)
		}
	}
}

// What two makers call the same is asked back, or is that of the speaker's room, or of the device that is named; never silently one of
// them.
func TestWordsOfTwoMakers(t *testing.T) {
	zh := func(words ...string) map[string][]string { return map[string][]string{nlu.Chinese: words} }
	one := compiled(t, `{"properties":[{"identifier":"q","name":"Q","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"auto","1":"B"}}},
		{"identifier":"lv1","name":"L1","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"9"}}}],
		"services":[{"identifier":"go1","name":"G","callType":"async","inputData":[],"outputData":[]}]}`)
	other := compiled(t, `{"properties":[{"identifier":"r","name":"R","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"X","1":"Y"}}},
		{"identifier":"lv2","name":"L2","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"9"}}}],
		"services":[{"identifier":"go2","name":"G","callType":"async","inputData":[],"outputData":[]}]}`)
	x, err := nlu.Compile(nlu.Home{
		Rooms: []nlu.Room{{ID: "a", Names: zh("客厅")}, {ID: "b", Names: zh("主卧")}},
		Devices: []nlu.Device{
			{ID: "d1", Room: "a", Names: zh("甲号"), Model: one, Voice: &nlu.Voice{
				Names: zh("雪球"), Services: map[string]nlu.VoiceService{"go1": {Phrases: zh("铲屎")}},
				Properties: map[string]nlu.VoiceProperty{"q": {Names: zh("档势"), Values: map[int64]map[string][]string{0: zh("睡眠"), 1: zh("狠狠铲")}}, "lv1": {Names: zh("香浓度")}},
			}},
			{ID: "d2", Room: "b", Names: zh("乙号"), Model: other, Voice: &nlu.Voice{
				Names: zh("铁蛋"), Services: map[string]nlu.VoiceService{"go2": {Phrases: zh("铲屎")}},
				Properties: map[string]nlu.VoiceProperty{"r": {Names: zh("档势"), Values: map[int64]map[string][]string{1: zh("狠狠铲")}}, "lv2": {Names: zh("香浓度")}},
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ room, say, want string }{
		{"", "铲屎", "clarify ambiguous_device "},
		{"a", "铲屎", "call d1 go1"},
		{"b", "铲屎", "call d2 go2"},
		{"", "雪球铲屎", "call d1 go1"},
		{"", "铁蛋铲屎", "call d2 go2"},
		{"", "香浓度调到五", "clarify ambiguous_device "},
		{"", "雪球的香浓度调到五", "set d1 lv1 5"},
		{"", "铁蛋的香浓度调到五", "set d2 lv2 5"},
		{"", "雪球的档势调到狠狠铲", "set d1 q B"},
		{"", "铁蛋的档势调到狠狠铲", "set d2 r Y"},
		{"", "雪球的档势调到睡眠", "set d1 q auto"},
	} {
		if got := heard(x.Read(&nlu.Context{Room: tt.room}, tt.say)); got != tt.want {
			t.Errorf("%s in %q: got %s, want %s", tt.say, tt.room, got, tt.want)
		}
	}
}

// A maker can have its acts confirmed, and cannot have a dangerous one not confirmed, whatever it calls it.
func TestConfigurationNeverHidesDanger(t *testing.T) {
	model := compiled(t, `{"properties":[{"identifier":"q","name":"Q","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"A","1":"B"}}},
		{"identifier":"powerstate","name":"P","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"A","1":"B"}}}],
		"services":[{"identifier":"go","name":"G","callType":"async","inputData":[],"outputData":[]}]}`)
	voice := &nlu.Voice{
		Properties: map[string]nlu.VoiceProperty{"powerstate": {Values: map[int64]map[string][]string{1: {"zh-CN": {"关闭", "停止"}}}}},
		Services:   map[string]nlu.VoiceService{"go": {Phrases: map[string][]string{"zh-CN": {"停止", "暂停"}}}},
	}
	for _, category := range []string{"door_lock", "oven"} {
		x, err := nlu.Compile(nlu.Home{Devices: []nlu.Device{{ID: "d", Category: category, Names: map[string][]string{"zh-CN": {"那个"}}, Model: model, Voice: voice}}})
		if err != nil {
			t.Fatal(err)
		}
		if !x.DangerousCall("d", "go") {
			t.Errorf("%s: a service that is only called 停止 by its maker is done unasked", category)
		}
	}
	x, err := nlu.Compile(nlu.Home{Devices: []nlu.Device{{ID: "d", Category: "oven", Names: map[string][]string{"zh-CN": {"那个"}}, Model: model, Voice: voice}}})
	if err != nil {
		t.Fatal(err)
	}
	if !x.DangerousSet("d", "powerstate", 1) {
		t.Error("a value that is only called 关闭 by its maker is set unasked")
	}
	light, err := nlu.Compile(nlu.Home{Devices: []nlu.Device{{
		ID: "d", Category: "light", Names: map[string][]string{"zh-CN": {"那个"}}, Model: model,
		Voice: &nlu.Voice{Services: map[string]nlu.VoiceService{"go": {Confirm: true}}, Properties: map[string]nlu.VoiceProperty{"q": {Confirm: true}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if !light.DangerousCall("d", "go") || !light.DangerousSet("d", "q", 1) || light.DangerousSet("d", "powerstate", 1) {
		t.Error("confirm does not ask for what it stands at, and only that")
	}
}

func compiled(t testing.TB, document string) *tsl.Model {
	t.Helper()
	d, err := tsl.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	model, err := tsl.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func heard(r nlu.Reading) string {
	if r.Outcome != nlu.Act {
		return fmt.Sprintf("%s %s %s", r.Outcome, r.Reason.Code, r.Reason.Prop+r.Reason.Service)
	}
	a := r.Actions[0]
	switch a.Op {
	case nlu.OpScene:
		return "scene " + a.Scene
	case nlu.OpCall:
		return fmt.Sprintf("call %s %s", a.Targets[0], a.Service)
	case nlu.OpAdjust:
		return fmt.Sprintf("adjust %s %s %s", a.Targets[0], a.Prop, a.Direction)
	}
	return fmt.Sprintf("%s %s %s %v", a.Op, a.Targets[0], a.Prop, a.Value)
}
