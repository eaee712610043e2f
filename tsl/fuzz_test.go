package tsl

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzCheckPost holds the checker to the reference: they agree on whether a post is good, and the place the checker
// names is one that the reference finds wrong too.
func FuzzCheckPost(f *testing.F) {
	m := everything(f)
	for _, seed := range []string{
		`{}`,
		`{"powerstate":1,"brightness":50,"colorTemperature":2700,"mode":-1,"temperature":25.6}`,
		`{"brightness":{"value":50,"time":1700000000000},"place":{"value":{"x":1.5,"y":2}}}`,
		`{"label":"\u4e2d\ud83d\ude00","installed":"1700000000000","scale":[1,2,3],"timers":[{"cron":"* *","on":1}]}`,
		`{"pair":{"value":5,"b":1},"place":{"time":"5","y":1},"ratio":0.100000001,"energy":-1.5e-300}`,
		`{"bright\u006eess":1,"brightness":2}`,
		`{"secretMode":7,"counter":2147483648,"nothing":[{"a":[1,2,{}]}]}`,
		`{"label":"\ud83d"}`,
		`{"brightness":1e1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v := m.CheckPost(in, func(p *Property, value []byte, at int64) {
			if at < 0 || at > maxTime {
				t.Errorf("%q: time %d", in, at)
			}
		})
		want := referencePost(m, in)
		if (v == nil) != (len(want) == 0) {
			t.Fatalf("CheckPost(%q) = %v, reference %v", in, v, want)
		}
		if v == nil {
			return
		}
		if len(v.Got) > maxGot+40 || !json.Valid([]byte(quote(v.Error()))) || strings.ContainsAny(v.Error(), "\n\x00") {
			t.Errorf("CheckPost(%q): %q", in, v.Error())
		}
		if !want["syntax"] && !want[v.Where] && !want[v.Where[:strings.LastIndexByte(v.Where, '/')+1]+"?"] {
			t.Errorf("CheckPost(%q) names %s, reference %v", in, v.Where, want)
		}
	})
}

// FuzzParse: what was accepted can be compiled, and written and read again it is the same document.
func FuzzParse(f *testing.F) {
	for _, seed := range goodDocuments(f) {
		if len(seed) < 1000 { // a large seed slows every mutation of it down
			f.Add(seed)
		}
	}
	f.Add([]byte(`{"properties":[{"identifier":"a","name":"名","accessMode":"rw","dataType":{"type":"struct","specs":[{"identifier":"b","dataType":{"type":"enum","specs":{"0":"x","-3":"y"}}}]},"lampworks":{"names":{"en":"n"}}}]}`))
	f.Add([]byte(`{"services":[{"identifier":"get","name":"get","callType":"async","inputData":["a"]},{"identifier":"s","name":"s","callType":"sync","outputData":[{"identifier":"b","dataType":{"type":"array","specs":{"size":"2","item":{"type":"text","specs":{"length":"5"}}}}}],"lampworks":{"idempotent":true}}]}`))
	for _, tt := range badDocuments {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := Parse(in)
		if err != nil {
			if _, ok := err.(Problems); !ok || d != nil {
				t.Fatalf("Parse gave %T and %v", err, d)
			}
			return
		}
		if _, err := Compile(d); err != nil {
			t.Fatalf("Parse took what Compile refuses: %v", err)
		}
		once, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("%s\nread again: %v", once, err)
		}
		twice, err := json.Marshal(again)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("written twice (%v)\n%s\n%s", err, once, twice)
		}
		if changes := Diff(d, again); len(changes) > 0 {
			t.Fatalf("read again it differs: %v", changes)
		}
	})
}
