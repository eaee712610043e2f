package tsl

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func goodDocuments(t testing.TB) map[string][]byte {
	t.Helper()
	docs := map[string][]byte{}
	for _, name := range []string{"testdata/everything.json", "testdata/export.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		docs[name] = b
	}
	docs["empty"] = []byte(`{}`)
	docs["numbers without quotes"] = []byte(`{"properties":[{"identifier":"a","name":"a","accessMode":"r","dataType":{"type":"int","specs":{"min":-5,"max":1e3,"step":1}}}]}`)
	docs["unit alone"] = []byte(`{"properties":[{"identifier":"a","name":"a","accessMode":"r","dataType":{"type":"float","specs":{"min":"","max":"","step":"0","unit":"","unitName":"无"}}}]}`)
	docs["members of others"] = []byte(`{"_ppk":{"version":"1"},"properties":[{"identifier":"a","name":"a","accessMode":"r","custom":true,"dataType":{"type":"bool"}}],"extendedProperties":[]}`)
	return docs
}

func TestParseGood(t *testing.T) {
	for name, b := range goodDocuments(t) {
		d, err := Parse(b)
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if _, err := Compile(d); err != nil {
			t.Errorf("%s: Compile:\n%v", name, err)
		}
	}
}

// one is a document with one property of the given data type.
func one(dataType string) string {
	return `{"properties":[{"identifier":"p","name":"p","accessMode":"rw","dataType":` + dataType + `}]}`
}

var badDocuments = []struct{ in, want string }{
	{``, `the document is not JSON near byte 0 (EOF), want one JSON object; send well-formed JSON`},
	{`{"a":1`, `the document is not JSON near byte 6 (EOF), want one JSON object; send well-formed JSON`},
	{`{} {}`, `the document is not JSON near byte 4 (something follows the closing brace), want one JSON object; send well-formed JSON`},
	{strings.Repeat(`[`, 100), `the document is not JSON near byte 25 (deeper than 24 levels), want one JSON object; send well-formed JSON`},
	{"{\"a\":\"\xff\"}", `the document is not UTF-8, want JSON in UTF-8; save the file as UTF-8`},
	{`[]`, `the document is a list, want an object`},
	{`{"properties":{}}`, `/properties is an object, want a list`},
	{`{"profile":5,"schema":1}`, "/profile is 5, want an object\n/schema is 1, want a text"},
	{`{"properties":[5]}`, `/properties/0 is 5, want an object`},
	{`{"properties":[{}]}`, `/properties/0/identifier is missing or empty, want 1 to 50 letters, digits and underscores
/properties/0/name is missing or empty, want 1 to 128 letters; people and the voice know it by this name
/properties/0/accessMode is missing or empty, want one of r, rw, w
/properties/0/dataType/type is missing or empty, want one of int, float, double, bool, enum, text, date, array, struct`},
	{`{"properties":[{"identifier":"a b","name":1,"accessMode":"ro","required":"no","dataType":{"type":"long"}}]}`, `/properties/0/identifier is "a b", want 1 to 50 letters, digits and underscores
/properties/0/name is 1, want a text
/properties/0/accessMode is "ro", want one of r, rw, w
/properties/0/dataType/type is "long", want one of int, float, double, bool, enum, text, date, array, struct
/properties/0/required is "no", want true or false`},
	{`{"properties":[{"identifier":"time","name":"a","accessMode":"r","dataType":{"type":"int"}},{"identifier":"a","name":"a","accessMode":"r","dataType":{"type":"int"}},{"identifier":"a","name":"a","accessMode":"r","dataType":{"type":"int"}}]}`, `/properties/0/identifier is "time", a word of the protocol, want another identifier; the words are set, get, post, property, event, time, value
/properties/2/identifier is "a", given twice, want an identifier of its own`},
	{`{"properties":[{"identifier":"a","identifier":"b","name":"a","accessMode":"r","dataType":{"type":"int"}}]}`, `/properties/0/identifier is given twice; keep one of them`},
	{one(`5`), `/properties/0/dataType is 5, want an object`},
	{one(`{"type":"int","specs":[]}`), `/properties/0/dataType/specs is a list, want an object`},
	{one(`{"type":"int","specs":{"mn":"1"}}`), `/properties/0/dataType/specs/mn is unknown, want one of min, max, step, unit, unitName; take it out, or correct its name`},
	{one(`{"type":"int","specs":{"min":"5","max":"1","step":"-1"}}`), "/properties/0/dataType/specs/max is 1, want at least min, which is 5\n/properties/0/dataType/specs/step is -1, want a positive integer"},
	{one(`{"type":"int","specs":{"min":"a","max":"1.5"}}`), "/properties/0/dataType/specs/max is 1.5, want an integer up to 2^53\n/properties/0/dataType/specs/min is a, want an integer up to 2^53"},
	{one(`{"type":"int","specs":{"min":true}}`), `/properties/0/dataType/specs/min is true, want a number, in quotes or without`},
	{one(`{"type":"int","specs":{"max":"0x10"}}`), `/properties/0/dataType/specs/max is 0x10, want an integer up to 2^53`},
	{one(`{"type":"int","specs":{"max":"99999999999999999999"}}`), `/properties/0/dataType/specs/max is 99999999999999999999, want an integer up to 2^53`},
	{one(`{"type":"float","specs":{"min":"5.5","max":"1e99"}}`), `/properties/0/dataType/specs/max is 1e99, want a number that a float holds`},
	{one(`{"type":"double","specs":{"min":"5.5","max":"1e999","step":"-0.5"}}`), "/properties/0/dataType/specs/max is 1e999, want a number that a double holds\n/properties/0/dataType/specs/step is -0.5, want a positive number"},
	{one(`{"type":"bool","specs":{"0":"关"}}`), `/properties/0/dataType/specs is half, want names for both 0 and 1`},
	{one(`{"type":"bool","specs":{"0":"关","1":"开","2":"半"}}`), `/properties/0/dataType/specs/2 is no value of a bool, want 0 and 1 only; make it an enum`},
	{one(`{"type":"enum"}`), `/properties/0/dataType/specs is missing or empty, want at least one value; write "specs":{"0":"…","1":"…"}`},
	{one(`{"type":"enum","specs":{"cool":"制冷","1":5,"02":"二"}}`), `/properties/0/dataType/specs/1 is 5, want a text
/properties/0/dataType/specs/02 is no value, want an integer of 32 bits as the name of the member; write "0":"02"
/properties/0/dataType/specs/cool is no value, want an integer of 32 bits as the name of the member; write "0":"cool"`},
	{one(`{"type":"text","specs":{"length":"0"}}`), `/properties/0/dataType/specs/length is 0, want an integer from 1 to 10240`},
	{one(`{"type":"date","specs":{"format":"ms"}}`), `/properties/0/dataType/specs/format is unknown, want one of unit, unitName; take it out, or correct its name`},
	{one(`{"type":"array","specs":{"size":"513"}}`), "/properties/0/dataType/specs/item is missing, want the type of the items, as {\"type\":\"int\"}\n/properties/0/dataType/specs/size is 513, want an integer from 1 to 512"},
	{one(`{"type":"array","specs":{"size":"5","item":{"type":"bool"}}}`), `/properties/0/dataType/specs/item/type is "bool", want one of int, float, double, text, struct`},
	{one(`{"type":"struct"}`), `/properties/0/dataType/specs is missing or empty, want a list of fields; write "specs":[{"identifier":…,"dataType":…}]`},
	{one(`{"type":"struct","specs":[{"identifier":"a","dataType":{"type":"array"}},{"identifier":"a","dataType":{"type":"int"}}]}`), `/properties/0/dataType/specs/0/dataType/type is "array", want one of int, float, double, bool, enum, text, date
/properties/0/dataType/specs/1/identifier is "a", given twice, want an identifier of its own`},
	{`{"events":[{"identifier":"e","name":"e","type":"warn","outputData":[{"identifier":"a"}]}]}`, `/events/0/outputData/0/dataType/type is missing or empty, want one of int, float, double, bool, enum, text, date, array, struct
/events/0/type is "warn", want one of info, alert, error`},
	{`{"services":[{"identifier":"s","name":"s","callType":"later","inputData":["a"]}]}`, "/services/0/callType is \"later\", want one of sync, async\n/services/0/inputData/0 is \"a\", want an object"},
	{`{"services":[{"identifier":"post","name":"s","callType":"sync"}]}`, `/services/0/identifier is "post", a word of the protocol, want another identifier; the words are post, property, event, time, value`},
	{`{"properties":[{"identifier":"p","name":"p","accessMode":"r","dataType":{"type":"bool"},"lampworks":{"idempotent":true,"names":{"EN":"x"},"aliases":{"en":["", 5]},"values":{"7":{"en":"x"}}}}]}`, `/properties/0/lampworks/aliases/en/0 is "", want 1 to 128 letters
/properties/0/lampworks/aliases/en/1 is 5, want a text
/properties/0/lampworks/idempotent is unknown, want one of names, aliases, values; take it out, or correct its name
/properties/0/lampworks/names/EN is no language, want a language tag as "zh-CN" or "en"
/properties/0/lampworks/values/7 is not a value of the type, want one of the values in specs`},
}

func TestParseBad(t *testing.T) {
	for _, tt := range badDocuments {
		_, err := Parse([]byte(tt.in))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Parse(%.200s)\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

// Compile holds a document made in Go to the same rules.
func TestCompileBad(t *testing.T) {
	_, err := Compile(&Document{
		Properties: []PropertyDef{{Identifier: "p", Name: "p", AccessMode: "r", DataType: DataType{Type: "array"}}},
		Events:     []EventDef{{Identifier: "e", Name: "e", Type: "info", Lampworks: &Hints{Idempotent: true}}},
	})
	want := `/properties/0/dataType/specs/item is missing, want the type of the items, as {"type":"int"}
/events/0/lampworks/idempotent is true, want false: it is a mark of services; take it out`
	if err == nil || err.Error() != want {
		t.Errorf("Compile\n got %v\nwant %s", err, want)
	}
}

// A document is written as exports are: read and written, an export keeps every member that has a meaning.
func TestDocumentRoundTrip(t *testing.T) {
	for name, b := range goodDocuments(t) {
		d, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		once, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again Document
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		twice, _ := json.Marshal(&again)
		if string(once) != string(twice) {
			t.Errorf("%s changes when written again:\n%s\n%s", name, once, twice)
		}
	}
}
