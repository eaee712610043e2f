package voice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/partner/product"
	"lampworks/nlu"
	"lampworks/tsl"
)

// A saying is a sentence to a device of a category, and what it must come to.
type saying struct {
	text string
	want nlu.Action // Op, Prop, Service and Value

	device string // where it is not the one spoken to
}

// tongue is how sentences to any device are made in a language; %[1]s is the device, %[2]s the property.
type tongue struct {
	power [3]string // on, off, asked
	sets  string    // and %[3]s the value
	does  string    // %[1]s, %[2]s the value: of what a machine does
	flags [3]string // a function on, off, asked
	asks  string
	calls string               // %[1]s, %[2]s the service
	other map[string][3]string // of properties that are not spoken of by their name: on, off, asked
	units map[string]string
}

var tongues = map[string]tongue{
	nlu.Chinese: {
		power: [3]string{"打开%[1]s", "把%[1]s关了", "%[1]s开着吗"},
		sets:  "%[1]s的%[2]s调到%[3]s", does: "%[1]s%[2]s",
		flags: [3]string{"打开%[1]s的%[2]s", "关闭%[1]s的%[2]s", "%[1]s的%[2]s开着吗"}, asks: "%[1]s的%[2]s是多少", calls: "%[1]s%[2]s",
		other: map[string][3]string{"mute": {"%[1]s静音", "%[1]s取消静音", "%[1]s静音了吗"}, "locked": {"把%[1]s锁上", "", "%[1]s锁好了吗"}},
		units: map[string]string{"%": "百分之%d", "°C": "%d度", "档": "%d档"},
	},
	nlu.English: {
		power: [3]string{"turn on the %[1]s", "switch the %[1]s off", "is the %[1]s on"},
		sets:  "set the %[2]s of the %[1]s to %[3]s", does: "set the state of the %[1]s to %[2]s",
		flags: [3]string{"turn on the %[2]s of the %[1]s", "turn off the %[2]s of the %[1]s", "is the %[2]s of the %[1]s on"},
		asks:  "what is the %[2]s of the %[1]s", calls: "%[2]s the %[1]s",
		other: map[string][3]string{"mute": {"mute the %[1]s", "unmute the %[1]s", "is the %[1]s muted"}, "locked": {"lock the %[1]s", "", "is the %[1]s locked"}},
		units: map[string]string{"%": "%d percent", "°C": "%d degrees"},
	},
}

// acts are properties whose values are said as what the machine does: 扫地机器人回充.
var acts = []string{"state", "playback", "motorControl"}

// sayings are the sentences that each property of a category must answer to, said to a device that is called so.
func sayings(c *product.Category, lang, device string) []saying {
	var all []saying
	for _, p := range c.Model.Properties() {
		for _, name := range append([]string{p.Names[lang]}, p.Aliases[lang]...) {
			all = append(all, propertySayings(p, lang, device, name)...)
		}
	}
	for _, s := range c.Model.Services() {
		all = append(all, saying{fmt.Sprintf(tongues[lang].calls, device, s.Names[lang]), nlu.Action{Op: nlu.OpCall, Service: s.Identifier}, ""})
	}
	return all
}

// propertySayings are those of one property, by one of its names.
func propertySayings(p *tsl.Property, lang, device, name string) []saying {
	var all []saying
	say := tongues[lang]
	add := func(form string, op nlu.Op, value any, args ...any) {
		if form != "" {
			all = append(all, saying{fmt.Sprintf(form, append([]any{device}, args...)...), nlu.Action{Op: op, Prop: p.Identifier, Value: value}, ""})
		}
	}
	forms, special := say.other[p.Identifier]
	if p.Identifier == "powerstate" {
		forms, special = say.power, true
	}
	switch {
	case special: // the name of the property is not said
		add(forms[0]+"%.0[2]s", nlu.OpSet, true, name)
		if forms[1] != "" {
			add(forms[1]+"%.0[2]s", nlu.OpSet, false, name)
		}
		add(forms[2]+"%.0[2]s", nlu.OpQuery, nil, name)
		return all
	case p.Type == tsl.Bool:
		if p.Writable {
			add(say.flags[0], nlu.OpSet, true, name)
			add(say.flags[1], nlu.OpSet, false, name)
		}
		add(say.flags[2], nlu.OpQuery, nil, name)
		return all
	case p.Writable && p.Type == tsl.Enum:
		for _, e := range p.Enum {
			if slices.Contains(acts, p.Identifier) {
				if lang == nlu.Chinese || p.Identifier == "state" {
					add(say.does, nlu.OpSet, e.Name, e.Names[lang])
				}
			} else {
				add(say.sets, nlu.OpSet, e.Name, name, e.Names[lang])
			}
		}
	case p.Writable && p.Identifier == "color":
		add(say.sets, nlu.OpSet, "red", name, map[string]string{nlu.Chinese: "红色", nlu.English: "red"}[lang])
	case p.Writable:
		middle := int64(p.Min+p.Max) / 2
		unit := say.units[p.Unit]
		if unit == "" {
			unit = "%d"
		}
		add(say.sets, nlu.OpSet, middle, name, fmt.Sprintf(unit, middle))
	}
	add(say.asks, nlu.OpQuery, nil, name)
	return all
}

// What a category declares can be said: switched, set and asked, in both languages, in a home that has one of each.
func TestTemplatesAreSpokenTo(t *testing.T) {
	x := oneOfEach(t)
	all, err := product.Categories()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		for lang := range tongues {
			t.Run(all[i].Name+" "+lang, func(t *testing.T) {
				list := sayings(&all[i], lang, all[i].Names[lang])
				if len(list) == 0 {
					t.Error("nothing can be said to it")
				}
				for _, s := range list {
					reach(t, x, lang, s, all[i].Name)
				}
			})
		}
	}
}

// oneOfEach is a home with a device of each category.
func oneOfEach(t *testing.T) *nlu.Index {
	t.Helper()
	all, err := product.Categories()
	if err != nil {
		t.Fatal(err)
	}
	home := nlu.Home{Rooms: []nlu.Room{{ID: "room", Names: map[string][]string{nlu.Chinese: {"客厅"}, nlu.English: {"living room"}}}}}
	for _, c := range all {
		home.Devices = append(home.Devices, nlu.Device{ID: c.Name, Room: "room", Category: c.Name, Model: c.Model, Names: map[string][]string{
			nlu.Chinese: {c.Names[nlu.Chinese]}, nlu.English: {c.Names[nlu.English]},
		}})
	}
	x, err := nlu.Compile(home)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A word that only one model has for a property means its device, though others have the like.
func TestTemplateOwnWords(t *testing.T) {
	x := oneOfEach(t)
	for said, want := range map[string]saying{
		"吸力调到强力":            {want: nlu.Action{Op: nlu.OpSet, Prop: "level", Value: "强力"}, device: "robot_vacuum"},
		"suction to strong": {want: nlu.Action{Op: nlu.OpSet, Prop: "level", Value: "强力"}, device: "robot_vacuum"},
		"雾量调到二档":            {want: nlu.Action{Op: nlu.OpSet, Prop: "fog", Value: int64(2)}, device: "humidifier"},
		"扫地机安静模式":           {want: nlu.Action{Op: nlu.OpSet, Prop: "level", Value: "安静"}, device: "robot_vacuum"},
		"浴霸换气":              {want: nlu.Action{Op: nlu.OpSet, Prop: "mode", Value: "换气"}, device: "bath_heater"},
	} {
		want.text = said
		reach(t, x, "", want, want.device)
	}
}

func reach(t *testing.T, x *nlu.Index, lang string, s saying, device string) {
	t.Helper()
	got := x.Read(&nlu.Context{Lang: lang}, s.text)
	if len(got.Actions) != 1 {
		t.Errorf("%s\n is %s %+v %+v", s.text, got.Outcome, got.Reason, got.Actions)
		return
	}
	a := got.Actions[0]
	if d := cmp.Diff(append([]any{device}, s.want.Op, s.want.Prop, s.want.Service, s.want.Value), append([]any{strings.Join(a.Targets, " ")}, a.Op, a.Prop, a.Service, a.Value)); d != "" {
		t.Errorf("%s (-want +got)\n%s", s.text, d)
	}
}

// narrow are words for a kind of device within a category: they mean a device of that name and no other of the category,
// for "the floor lamp" where there is none must not switch the ceiling light.
var narrow = map[string][]string{
	"light":        {"房灯", "吸顶灯", "床头灯", "吊灯", "台灯", "落地灯", "壁灯", "射灯", "筒灯", "阅读灯", "ceiling light", "bedside lamp", "desk lamp", "floor lamp", "wall lamp", "spotlight"},
	"colour_light": {"房灯", "吸顶灯", "床头灯", "吊灯", "台灯", "落地灯", "壁灯", "射灯", "筒灯", "阅读灯", "彩灯", "灯带", "灯条", "氛围灯", "ceiling light", "bedside lamp", "desk lamp", "floor lamp", "wall lamp", "spotlight", "colour light", "color light", "light strip", "mood light"},
	"curtain":      {"布帘", "纱帘", "窗纱", "sheer"},
	"fan":          {"落地扇", "台扇", "壁扇", "吊扇", "塔扇", "ceiling fan", "tower fan"},
}

// The words of a category mean its devices, whatever these are called; a narrow one means none but one that is called so.
func TestTemplateAliases(t *testing.T) {
	all, err := product.Categories()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		x, err := nlu.Compile(nlu.Home{Devices: []nlu.Device{{ID: c.Name, Category: c.Name, Model: c.Model, Names: map[string][]string{nlu.Chinese: {"阿福"}, nlu.English: {"Marvin"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		for lang, words := range c.Aliases {
			for _, w := range words {
				s := sayings(&c, lang, w)[0]
				if !slices.Contains(narrow[c.Name], w) {
					reach(t, x, lang, s, c.Name)
				} else if got := x.Read(&nlu.Context{Lang: lang}, s.text); got.Outcome == nlu.Act {
					t.Errorf("%s reaches a device that is not called so: %+v", s.text, got.Actions)
				}
			}
		}
	}
}
