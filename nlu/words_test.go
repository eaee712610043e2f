package nlu

import (
	"strings"
	"testing"
)

// TestVocabulary reads the files with all their rules: the program itself would fall back to an empty vocabulary.
func TestVocabulary(t *testing.T) {
	if _, err := loadVocabulary(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Meaning{Power, Brightness, Colour, ColourTemperature, Position, Temperature, TargetTemperature, Humidity, TargetHumidity, Mode, FanSpeed, Level, Swing, Volume, Mute, Channel, Playback, Work, Locked, Battery, PM25, Remaining, ChildLock, Presence, Contact, Illuminance, Energy} {
		if _, ok := vocab().meanings.index[string(m)]; !ok {
			t.Errorf("meaning %q is not in identifiers.json", m)
		}
	}
	for m, list := range preferred {
		for _, c := range list {
			if _, ok := vocab().categories.index[c]; !ok {
				t.Errorf("category %q, preferred for %s, is not in identifiers.json", c, m)
			}
		}
	}
}

func TestSoundCodesDiffer(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"zhī", "zī", true},
		{"chuāng", "cuan", true},
		{"shēng", "sēn", true},
		{"nán", "lán", true},
		{"dēng", "dèng", true},
		{"zhōng", "zōng", true},
		{"tái", "dài", false},
		{"guān", "kuān", false},
		{"hóng", "hóu", false},
		{"lǜ", "lù", false},
	} {
		if got := soundCode(tt.a) == soundCode(tt.b); got != tt.same {
			t.Errorf("%s and %s sound alike: %v, want %v", tt.a, tt.b, got, tt.same)
		}
	}
}

func TestNormalise(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"打開　客廳的燈！", "打开客厅的灯!"},
		{"ＴＶ 音量 ５０％", "tv音量50%"},
		{"  Turn   ON\tthe light-strip ", "turn on the light strip"},
		{"26℃", "26度"},
		{"don’t", "don't"},
	} {
		if got := string(fold(tt.in)); got != tt.want {
			t.Errorf("fold(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
		rest string
	}{
		{"26.5", 26.5, ""},
		{"二十六", 26, ""},
		{"两百零五", 205, ""},
		{"一百二", 120, ""},
		{"一百二十", 120, ""},
		{"十", 10, ""},
		{"十二", 12, ""},
		{"二六", 26, ""},
		{"二七零零", 2700, ""},
		{"四千", 4000, ""},
		{"4千", 4000, ""},
		{"三千五", 3500, ""},
		{"三千零五", 3005, ""},
		{"二十六点五", 26.5, ""},
		{"零点五", 0.5, ""},
		{"零下五", -5, ""},
		{"二是六", 26, ""},
		{"一万二", 12000, ""},
		{"二十六度", 26, "度"},
		{"十点半", 10, "点半"},
		{"2700k", 2700, "k"},
	} {
		text := []rune(tt.in)
		q, end := numberAt(text, 0, Chinese)
		if q.value != tt.want || string(text[end:]) != tt.rest {
			t.Errorf("%s is %v and %q, want %v and %q", tt.in, q.value, string(text[end:]), tt.want, tt.rest)
		}
	}
	for _, tt := range []struct {
		in   string
		want float64
		rest string
	}{
		{"twenty six", 26, ""},
		{"a hundred and five", 105, ""},
		{"one hundred", 100, ""},
		{"twenty point five degrees", 20.5, " degrees"},
		{"fifty percent", 50, " percent"},
		{"two thousand seven hundred", 2700, ""},
		{"ten thirty", 10, " thirty"},
		{"seventeen", 17, ""},
	} {
		text := []rune(tt.in)
		q, end := numberAt(text, 0, English)
		if q.value != tt.want || string(text[end:]) != tt.rest {
			t.Errorf("%s is %v and %q, want %v and %q", tt.in, q.value, string(text[end:]), tt.want, tt.rest)
		}
	}
}

// TestQuantities: percentages, durations and times, by what the whole text is read as.
func TestQuantities(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want quantity
	}{
		{"百分之五十", quantity{value: 50, unit: uPercent}},
		{"50%", quantity{value: 50, unit: uPercent}},
		{"三成", quantity{value: 30, unit: uPercent}},
		{"一半", quantity{value: 50, unit: uPercent}},
		{"三分之一", quantity{value: 33, unit: uPercent}},
		{"第十二台", quantity{value: 12, unit: uChannel}},
		{"四千k", quantity{value: 4000, unit: uKelvin}},
		{"半小时", quantity{kind: qDuration, mins: 30}},
		{"一个半小时", quantity{kind: qDuration, hours: 1, mins: 30}},
		{"一刻钟", quantity{kind: qDuration, mins: 15}},
		{"1小时10分钟30秒", quantity{kind: qDuration, hours: 1, mins: 10, secs: 30}},
		{"两个小时", quantity{kind: qDuration, hours: 2}},
		{"晚上十点半", quantity{kind: qClock, clock: 22*60 + 30}},
		{"下午三点", quantity{kind: qClock, clock: 15 * 60}},
		{"早上7:30", quantity{kind: qClock, clock: 7*60 + 30}},
		{"half an hour", quantity{kind: qDuration, mins: 30}},
		{"5 and a half minutes", quantity{kind: qDuration, mins: 5, secs: 30}},
		{"1 hour 5 minutes", quantity{kind: qDuration, hours: 1, mins: 5}},
		{"ten pm", quantity{kind: qClock, clock: 22 * 60}},
		{"at 7:30 am", quantity{kind: qClock, clock: 7*60 + 30}},
		{"half past seven", quantity{kind: qClock, clock: 7*60 + 30}},
		{"fifty percent", quantity{value: 50, unit: uPercent}},
	} {
		x := testIndex(t)
		s := &scan{}
		s.load(x, "", tt.in)
		s.lattice()
		var got quantity
		longest := int32(-1)
		for _, e := range s.edges {
			if e.number > 0 && e.start == 0 && e.end > longest {
				longest, got = e.end, s.numbers[e.number-1]
			}
		}
		got.spoken, got.half = false, false
		if got != tt.want || int(longest) != len(s.text) {
			t.Errorf("%s is %+v up to %d, want %+v", tt.in, got, longest, tt.want)
		}
	}
}

// FuzzNormalise: the offsets of the text lie in the utterance and never fall back.
func FuzzNormalise(f *testing.F) {
	f.Add("打開　客廳的燈！ Turn  ON")
	f.Fuzz(func(t *testing.T, u string) {
		text, origin := normalise(u, nil, nil)
		if len(text) != len(origin) {
			t.Fatalf("%d runes, %d offsets", len(text), len(origin))
		}
		last := -1
		for _, o := range origin {
			if o <= last || o >= len(u) {
				t.Fatalf("offset %d after %d in %d bytes", o, last, len(u))
			}
			last = o
		}
		if again, _ := normalise(string(text), nil, nil); strings.ContainsRune(string(text), '\t') || len(again) > len(text) {
			t.Fatalf("%q becomes %q", string(text), string(again))
		}
	})
}
