package wording_test

import (
	"strings"
	"testing"

	"lampworks/internal/partner/product/wording"
	"lampworks/nlu"
	"lampworks/tsl"
)

const litterBox = `{"properties":[
	{"identifier":"mode","name":"模式","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"A","1":"B"}}},
	{"identifier":"scent","name":"S","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"10"}}},
	{"identifier":"weight","name":"W","accessMode":"r","dataType":{"type":"int","specs":{"min":"0","max":"20"}}}],
	"services":[{"identifier":"rake","name":"R","callType":"async","inputData":[],"outputData":[]}]}`

func model(t testing.TB, document string) *tsl.Model {
	t.Helper()
	d, err := tsl.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	m, err := tsl.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// everyday is a home with a lamp and a vacuum.
func everyday(t testing.TB) *nlu.Index {
	t.Helper()
	lamp := model(t, `{"properties":[{"identifier":"powerstate","name":"开关","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"关","1":"开"}}}]}`)
	vacuum := model(t, `{"properties":[{"identifier":"powerstate","name":"开关","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"关","1":"开"}}}],
		"services":[{"identifier":"sweep","name":"扫地","callType":"async","inputData":[],"outputData":[]}]}`)
	x, err := nlu.Compile(nlu.Home{Devices: []nlu.Device{{ID: "light", Category: "light", Model: lamp}, {ID: "robot_vacuum", Category: "robot_vacuum", Model: vacuum}}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestBadDocuments(t *testing.T) {
	long, many := strings.Repeat("长", 33), `"aa"`+strings.Repeat(`,"aa"`, 16)
	for _, tt := range []struct{ in, want string }{
		{``, `the document is not JSON, want a JSON object; send well-formed JSON`},
		{`{"names":`, `the document is not JSON, want a JSON object; send well-formed JSON`},
		{`{} {}`, `the document is not JSON, want a JSON object; send well-formed JSON`},
		{`[]`, `the document is a list, want an object`},
		{"{\"names\":\"\xff\"}", `the document is not UTF-8, want a JSON object in UTF-8; save the file as UTF-8`},
		{strings.Repeat(" ", wording.MaxBytes) + `{}`, `the document is 65538 bytes, want at most 65536 bytes`},
		{`{"names":[[[[[[[[[1]]]]]]]]]}`, `the document is nested more than 8 deep, want a JSON object as the page on voice configuration shows it`},
		{`{"nmaes":{}}`, `/nmaes is not a member of a voice configuration; leave it out`},
		{`{"names":{},"names":{}}`, `/names is given twice; keep one of them`},
		{`{"names":{"fr":["x"]}}`, `/names/fr is fr, want the language "zh-CN" or "en"; use one of the two`},
		{`{"names":{"en":"x"}}`, `/names/en is "x", want a list of at most 16 words`},
		{`{"names":{"en":[` + many + `]}}`, `/names/en is a list, want a list of at most 16 words`},
		{`{"names":{"zh-CN":["` + long + `"]}}`, `/names/zh-CN/0 is "` + long[:60] + `…", want 1 to 32 characters with a letter or digit, and no control characters; choose another word`},
		{`{"names":{"zh-CN":["猫"]}}`, `/names/zh-CN/0 is "猫", want a word of at least two characters; choose a longer word: one character is in too many others`},
		{`{"names":{"zh-CN":["12"]}}`, `/names/zh-CN/0 is "12", want a word, not a number; choose another word`},
		{`{"names":{"en":["猫砂盆"]}}`, `/names/en/0 is "猫砂盆", want an English word without Chinese characters; put it under zh-CN`},
		{`{"names":{"en":["a\u0000b"]}}`, `/names/en/0 is "a�b", want 1 to 32 characters with a letter or digit, and no control characters; choose another word`},
		{`{"services":{"rake":{"confirm":false}}}`, `/services/rake/confirm is false, want true; leave it out: what is dangerous is confirmed in any case`},
		{`{"properties":{"a/b":{"confirm":"no"}}}`, `/properties/a~1b/confirm is "no", want true; leave it out: what is dangerous is confirmed in any case`},
		{`{"replies":{"rake":{"done":{"en":"done {who}"}}}}`, `/replies/rake/done/en is "done {who}", want no braces but those of {device} and {value}; leave the others out`},
		{`{"replies":{"rake":{"done":{"en":" "}}}}`, `/replies/rake/done/en is " ", want a sentence of 1 to 120 characters on one line`},
		{`{"replies":{"rake":{"failed":{}}}}`, `/replies/rake/failed is not a member of a voice configuration; leave it out`},
		{`{"names":{"zh-CN":["猫砂盆"]}}`, ``},
	} {
		_, problems := wording.Parse([]byte(tt.in))
		if got := first(problems); got != tt.want {
			t.Errorf("%.80s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func first(problems tsl.Problems) string {
	if len(problems) == 0 {
		return ""
	}
	return problems[0].String()
}

func TestWordsThatMeanSomethingElse(t *testing.T) {
	m, home := model(t, litterBox), everyday(t)
	for _, tt := range []struct{ in, want string }{
		{`{"properties":{"modes":{}}}`, `/properties/modes is not a property of the thing model, want one of mode, scent, weight; leave it out, or publish a version of the thing model that has it`},
		{`{"services":{"dig":{}}}`, `/services/dig is not a service of the thing model, want one of rake; leave it out, or publish a version of the thing model that has it`},
		{`{"properties":{"mode":{"values":{"2":{"en":["eager"]}}}}}`, `/properties/mode/values/2 is not a value of the thing model, want one of 0, 1; name values by the number that the thing model gives them`},
		{`{"properties":{"scent":{"values":{"2":{"en":["eager"]}}}}}`, `/properties/scent/values is not an enum, want an enum in the thing model; leave it out`},
		{`{"properties":{"weight":{"verbs":{"raise":{"en":["heavier"]}}}}}`, `/properties/weight/verbs is not a number that can be set, want a number that can be set in the thing model; leave it out`},
		{`{"names":{"zh-CN":["打开"]}}`, `/names/zh-CN/0 is "打开", want a word that the vocabulary does not have as verb on; choose another word: this one would no longer mean what everybody means by it`},
		{`{"names":{"zh-CN":["空调"]}}`, `/names/zh-CN/0 is "空调", want a word that the vocabulary does not have as type air_conditioner; choose another word: this one would no longer mean what everybody means by it`},
		{`{"properties":{"scent":{"names":{"zh-CN":["开锁"]}}}}`, `/properties/scent/names/zh-CN/0 is "开锁", want a word that the vocabulary does not have as verb unlock; choose another word: this one would no longer mean what everybody means by it`},
		{`{"properties":{"mode":{"names":{"zh-CN":["亮度"]}}}}`, `/properties/mode/names/zh-CN/0 is "亮度", want a word that the vocabulary does not have as property brightness; choose another word: this one would no longer mean what everybody means by it`},
		{`{"services":{"rake":{"phrases":{"zh-CN":["打开灯"]}}}}`, `/services/rake/phrases/zh-CN/0 is "打开灯", want a word that is no command to other devices; choose another word: this one speaks to a device of the kind light`},
		{`{"names":{"zh-CN":["客厅的灯"]}}`, `/names/zh-CN/0 is "客厅的灯", want a word that is no command to other devices; choose another word: this one speaks to a device of the kind light`},
		{`{"services":{"rake":{"phrases":{"zh-CN":["打开客厅的灯"]}}}}`, `/services/rake/phrases/zh-CN/0 is "打开客厅的灯", want a word that is no command to other devices; choose another word: this one speaks to a device of the kind light`},
		{`{"services":{"rake":{"phrases":{"zh-CN":["全部关掉"]}}}}`, `/services/rake/phrases/zh-CN/0 is "全部关掉", want a word that people do not say to everything; choose another word: the vocabulary has all of this one, as word all`},
		{`{"services":{"rake":{"phrases":{"zh-CN":["打扫客厅"]}}}}`, `/services/rake/phrases/zh-CN/0 is "打扫客厅", want a word that people do not say to everything; choose another word: the vocabulary has all of this one, as room living_room`},
		{`{"services":{"rake":{"phrases":{"en":["turn off everything"]}}}}`, `/services/rake/phrases/en/0 is "turn off everything", want a word that people do not say to everything; choose another word: the vocabulary has all of this one, as verb off`},
		{`{"properties":{"scent":{"names":{"zh-CN":["再亮一点"]}}}}`, `/properties/scent/names/zh-CN/0 is "再亮一点", want a word that people do not say to everything; choose another word: the vocabulary has all of this one, as direction more`},
		{`{"services":{"rake":{"phrases":{"zh-CN":["打开盖子"],"en":["open the lid"]}}},"properties":{"mode":{"names":{"zh-CN":["铲砂方式"]},"values":{"0":{"zh-CN":["强力模式"]}}}}}`, ``},
		{`{"services":{"rake":{"phrases":{"zh-CN":["开锁"]}}}}`, `/services/rake/phrases/zh-CN/0 is "开锁", want a word that the vocabulary does not have as verb unlock; choose another word: this one would no longer mean what everybody means by it`},
		{`{"names":{"zh-CN":["猫厕所"]},"services":{"rake":{"phrases":{"zh-CN":["貓廁所"]}}}}`, `/services/rake/phrases/zh-CN/0 is "貓廁所", want a word that means one thing of the product; it stands at /names/zh-CN/0 already: choose another word`},
		{`{"replies":{"weight":{"done":{"en":"x"}}}}`, `/replies/weight is a property that is only read, want a property that can be set, or a service; leave it out`},
		{`{"replies":{"rake":{"done":{"en":"raked {value}"}}}}`, `/replies/rake/done/en is "raked {value}", want no {value}: the service takes none; leave {value} out`},
		{`{"names":{"zh-CN":["猫砂盆"]},"services":{"rake":{"phrases":{"zh-CN":["铲屎","开始清扫"],"en":["scoop"]}}},"properties":{"scent":{"verbs":{"raise":{"zh-CN":["加香"]}}}}}`, ``},
	} {
		d, problems := wording.Parse([]byte(tt.in))
		if len(problems) > 0 {
			t.Fatalf("%s does not parse: %v", tt.in, problems)
		}
		problems, _ = wording.Check(&d, m, "pet_feeder", home)
		if got := first(problems); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

// What is a sentence to another device can be a word of the product, and its maker is told.
func TestWarnings(t *testing.T) {
	d, _ := wording.Parse([]byte(`{"services":{"rake":{"phrases":{"zh-CN":["扫地"]}}}}`))
	problems, warnings := wording.Check(&d, model(t, litterBox), "pet_feeder", everyday(t))
	if len(problems) != 0 || len(warnings) != 1 || warnings[0].Path != "/services/rake/phrases/zh-CN/0" || !strings.Contains(warnings[0].Fix, "robot_vacuum") {
		t.Errorf("problems %v, warnings %v", problems, warnings)
	}
}

func TestDiff(t *testing.T) {
	was, _ := wording.Parse([]byte(`{"names":{"en":["litter box"]},"services":{"rake":{"confirm":true}}}`))
	is, _ := wording.Parse([]byte(`{"names":{"en":["litter box","cat toilet"]},"replies":{"rake":{"done":{"en":"Clean."}}}}`))
	var got []string
	for _, c := range wording.Diff(&was, &is) {
		got = append(got, c.Kind+" "+c.Path+" "+c.Text)
	}
	want := `changed /names/en was "litter box", is "litter box", "cat toilet"|added /replies/rake/done/en "Clean."|removed /services/rake/confirm was true`
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

// Whatever is read is read again as the same, and has nothing that could not be said.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"names":{"zh-CN":["猫砂盆"],"en":["litter box"]}}`, `{"properties":{"mode":{"names":{},"values":{"0":{"en":["eager"]}},"verbs":{"raise":{},"lower":{}},"confirm":true}}}`,
		`{"services":{"rake":{"phrases":{"en":["scoop"]},"confirm":true}},"replies":{"rake":{"done":{"en":"{device} is clean"}}}}`, `{"names":[[[[]]]]}`, `{"a":{"a":null}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		d, problems := wording.Parse(document)
		if len(problems) > 0 {
			return
		}
		again, problems := wording.Parse(d.Bytes())
		if len(problems) > 0 || len(wording.Diff(&d, &again)) > 0 {
			t.Fatalf("%s is read as %s, and that with %v", document, d.Bytes(), problems)
		}
		d.Every(func(where, _, word string) {
			if kept, ok := nlu.Sayable(word); !ok || kept != word {
				t.Errorf("%s is %q", where, word)
			}
		})
		d.Ready(1)
	})
}
