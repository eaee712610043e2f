package product

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"lampworks/tsl"
)

// skillNames are the properties of the smart-home skill protocol that have a fixed meaning, with their type and unit;
// a category that has one of them has it so.
var skillNames = map[string]struct {
	types []tsl.Type
	unit  string
}{
	"powerstate":        {[]tsl.Type{tsl.Bool}, ""},
	"brightness":        {[]tsl.Type{tsl.Int}, "%"},
	"colorTemperature":  {[]tsl.Type{tsl.Int}, "K"},
	"color":             {[]tsl.Type{tsl.Int}, ""},
	"mode":              {[]tsl.Type{tsl.Enum}, ""},
	"targetTemperature": {[]tsl.Type{tsl.Int}, "°C"},
	"temperature":       {[]tsl.Type{tsl.Int, tsl.Float}, "°C"},
	"humidity":          {[]tsl.Type{tsl.Float}, "%"},
	"windspeed":         {[]tsl.Type{tsl.Int, tsl.Enum}, ""},
	"position":          {[]tsl.Type{tsl.Int}, "%"},
	"swing":             {[]tsl.Type{tsl.Bool}, ""},
	"targetHumidity":    {[]tsl.Type{tsl.Int}, "%"},
	"fog":               {[]tsl.Type{tsl.Int}, ""},
	"volume":            {[]tsl.Type{tsl.Int}, ""},
	"mute":              {[]tsl.Type{tsl.Bool}, ""},
	"channel":           {[]tsl.Type{tsl.Int}, ""},
	"playback":          {[]tsl.Type{tsl.Enum}, ""},
	"motorControl":      {[]tsl.Type{tsl.Enum}, ""},
	"angle":             {[]tsl.Type{tsl.Int}, "°"},
	"anion":             {[]tsl.Type{tsl.Bool}, ""},
	"pm25":              {[]tsl.Type{tsl.Int}, "μg/m³"},
	"locked":            {[]tsl.Type{tsl.Bool}, ""},
	"state":             {[]tsl.Type{tsl.Enum}, ""},
	"leftTime":          {[]tsl.Type{tsl.Int}, "min"},
}

// plain are identifiers of ours beside those.
var plain = []string{"childLock", "activePower", "energy", "keepWarm", "battery", "level", "filterLife", "co2", "foodLeft", "freezerTemperature", "pumpLevel", "sterilise"}

func TestCategories(t *testing.T) {
	all, err := Categories()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
		t.Run(c.Name, func(t *testing.T) { lint(t, c) })
	}
	want := []string{
		"air_conditioner", "air_purifier", "aquarium", "bath_heater", "blind", "clothes_rack", "colour_light", "curtain", "dehumidifier", "door_lock",
		"electric_blanket", "fan", "fresh_air", "fridge", "heater", "humidifier", "kettle", "light", "outlet", "oven", "pet_feeder", "range_hood",
		"rice_cooker", "robot_vacuum", "sensor", "speaker", "switch", "television", "washing_machine", "water_heater",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the categories are %v, want %v", names, want)
	}
}

func lint(t *testing.T, c Category) {
	if c.Icon != strings.ReplaceAll(c.Name, "_", "-") {
		t.Errorf("the icon %q is not called as the category", c.Icon)
	}
	if _, err := categoryFiles.ReadFile(path.Join("categories", c.Name+".json")); err != nil {
		t.Errorf("the file is not named after its category: %v", err)
	}
	if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(c.Icon) || c.SkillType == "" {
		t.Errorf("icon %q, skill type %q", c.Icon, c.SkillType)
	}
	bilingual(t, "the category", c.Names)
	for _, lang := range []string{"zh-CN", "en"} {
		words := c.Aliases[lang]
		if len(words) < 3 {
			t.Errorf("only %d words in %s", len(words), lang)
		}
		for i, w := range words {
			if w != strings.TrimSpace(w) || slices.Contains(words[:i], w) || (lang == "zh-CN") != strings.ContainsFunc(w, isHan) {
				t.Errorf("the word %q in %s is blank, double or of another language", w, lang)
			}
		}
	}
	for _, p := range c.Model.Properties() {
		property(t, p)
	}
	for _, e := range c.Model.Events() {
		bilingual(t, "event "+e.Identifier, e.Names)
		for _, p := range e.Output {
			named(t, e.Identifier+"."+p.Identifier, p)
		}
	}
	if _, ok := c.Model.Event("fault"); !ok {
		t.Error("there is no event fault")
	}
	for _, s := range c.Model.Services() {
		bilingual(t, "service "+s.Identifier, s.Names)
		for _, p := range slices.Concat(s.Input, s.Output) {
			named(t, s.Identifier+"."+p.Identifier, p)
		}
	}
}

// property holds a property of a category to the names of the skill protocol.
func property(t *testing.T, p *tsl.Property) {
	named(t, p.Identifier, p)
	want, known := skillNames[p.Identifier]
	if !known && !slices.Contains(plain, p.Identifier) {
		t.Errorf("%s is neither a name of the skill protocol nor listed beside them", p.Identifier)
	}
	if known && (!slices.Contains(want.types, p.Type) || want.unit != "" && p.Unit != want.unit) {
		t.Errorf("%s is %s in %q, want %v in %q", p.Identifier, p.Type, p.Unit, want.types, want.unit)
	}
	switch p.Identifier {
	case "brightness":
		if p.Min != 1 || p.Max != 100 {
			t.Errorf("brightness is %v..%v", p.Min, p.Max)
		}
	case "position":
		if p.Min != 0 || p.Max != 100 {
			t.Errorf("position is %v..%v", p.Min, p.Max)
		}
	case "color":
		if p.Min != 0 || p.Max != 0xFFFFFF {
			t.Errorf("color is %v..%v", p.Min, p.Max)
		}
	}
}

// named holds a property or parameter to names in both languages, a range, and names for each value.
func named(t *testing.T, where string, p *tsl.Property) {
	bilingual(t, where, p.Names)
	if p.Type.Numeric() && !p.HasRange {
		t.Errorf("%s has no range", where)
	}
	for _, e := range p.Enum {
		bilingual(t, where+" "+e.Name, e.Names)
	}
	for lang, words := range p.Aliases {
		for _, w := range words {
			if w == p.Names[lang] {
				t.Errorf("%s has its name %q among its aliases", where, w)
			}
		}
	}
}

func bilingual(t *testing.T, what string, names map[string]string) {
	t.Helper()
	if !strings.ContainsFunc(names["zh-CN"], isHan) || names["en"] == "" || strings.ContainsFunc(names["en"], isHan) {
		t.Errorf("%s is called %v, want a name in zh-CN and in en", what, names)
	}
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// What may be sent twice is said so by name: heating water again is not the same as once.
func TestIdempotentServices(t *testing.T) {
	for _, tt := range []struct {
		category, service string
		want              bool
	}{
		{"curtain", "stop", true},
		{"light", "identify", true},
		{"colour_light", "identify", true},
		{"kettle", "boil", false},
		{"outlet", "clearEnergy", false},
		{"blind", "stop", true},
		{"robot_vacuum", "locate", true},
		{"aquarium", "feed", false},
		{"pet_feeder", "feed", false},
	} {
		m, err := CategoryModel(tt.category)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := m.Service(tt.service); !ok || s.Idempotent != tt.want {
			t.Errorf("%s.%s: %t %+v", tt.category, tt.service, ok, s)
		}
	}
}

// The demo's first states are good posts of the categories, whatever else changes.
func TestCategoriesTakeStates(t *testing.T) {
	for category, state := range map[string]string{
		"colour_light":    `{"powerstate":0,"brightness":80,"colorTemperature":3000,"color":16711680,"mode":2}`,
		"curtain":         `{"position":0}`,
		"air_conditioner": `{"powerstate":0,"targetTemperature":26,"mode":1,"windspeed":0,"swing":1,"temperature":27.4}`,
		"light":           `{"powerstate":0,"brightness":60}`,
		"kettle":          `{"powerstate":0,"temperature":23,"keepWarm":1}`,
		"fan":             `{"powerstate":1,"windspeed":3,"mode":1}`,
		"outlet":          `{"powerstate":1,"activePower":12.3,"energy":0.42,"childLock":0}`,
		"sensor":          `{"temperature":21.5,"humidity":48.2,"battery":90}`,

		"air_purifier":     `{"powerstate":1,"mode":0,"windspeed":2,"pm25":35,"anion":0,"childLock":0,"filterLife":80}`,
		"aquarium":         `{"powerstate":1,"targetTemperature":26,"temperature":25.4,"pumpLevel":2}`,
		"bath_heater":      `{"powerstate":0,"mode":2,"level":1}`,
		"blind":            `{"position":100,"angle":90}`,
		"clothes_rack":     `{"motorControl":1,"sterilise":0}`,
		"dehumidifier":     `{"powerstate":1,"targetHumidity":50,"humidity":63.5,"windspeed":0,"mode":1}`,
		"door_lock":        `{"locked":1,"battery":70}`,
		"electric_blanket": `{"powerstate":1,"level":2}`,
		"fresh_air":        `{"powerstate":1,"windspeed":1,"mode":0,"pm25":20,"co2":800,"filterLife":55}`,
		"fridge":           `{"targetTemperature":4,"freezerTemperature":-18,"mode":0}`,
		"heater":           `{"powerstate":1,"targetTemperature":22,"temperature":18.5,"level":2,"swing":1,"childLock":1}`,
		"humidifier":       `{"powerstate":1,"targetHumidity":55,"humidity":40,"fog":2,"mode":1}`,
		"oven":             `{"powerstate":1,"targetTemperature":180,"temperature":120,"mode":0,"leftTime":25,"childLock":0}`,
		"pet_feeder":       `{"childLock":1,"foodLeft":60,"battery":100}`,
		"range_hood":       `{"powerstate":1,"windspeed":3}`,
		"rice_cooker":      `{"state":1,"mode":0,"keepWarm":1,"leftTime":30}`,
		"robot_vacuum":     `{"state":2,"level":1,"battery":88}`,
		"speaker":          `{"volume":30,"mute":0,"playback":0}`,
		"switch":           `{"powerstate":1,"childLock":0}`,
		"television":       `{"powerstate":1,"volume":20,"mute":0,"channel":5}`,
		"washing_machine":  `{"state":1,"mode":1,"leftTime":45,"childLock":0}`,
		"water_heater":     `{"powerstate":1,"targetTemperature":50,"temperature":48.5,"mode":0}`,
	} {
		m, err := CategoryModel(category)
		if err != nil {
			t.Fatal(err)
		}
		if v := m.CheckPost([]byte(state), nil); v != nil {
			t.Errorf("%s: %s", category, v.Help())
		}
	}
}

func TestReadCategoryRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{"category":"x","model":{},"colour":1}`: `json: unknown field "colour"`,
		`{"category":"x","model":{"properties":[{"identifier":"a","name":"a","accessMode":"r","dataType":{"type":"long"}}]}}`: `/properties/0/dataType/type is "long", want one of int, float, double, bool, enum, text, date, array, struct`,
	} {
		if _, err := readCategory(json.RawMessage(in)); err == nil || err.Error() != want {
			t.Errorf("readCategory(%s)\n got %v\nwant %s", in, err, want)
		}
	}
}
