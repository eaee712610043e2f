package tsl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// y2k is the span that the platform takes past values in, at the end of 2026.
var y2k = &Span{From: 946684800000, To: 1798761600000, Rule: "a time from 2000 on"}

func TestCheckBatch(t *testing.T) {
	m := everything(t)
	many := `{"brightness":[` + strings.TrimSuffix(strings.Repeat("1,", MaxBatch+1), ",") + `]}`
	for _, tt := range []struct {
		properties, events string
		span               *Span
		want, values       string
	}{
		{``, ``, nil, ``, ``},
		{`{}`, `{}`, y2k, ``, ``},
		{`[]`, `[]`, y2k, ``, ``},
		{`{"brightness":5,"powerstate":[1,{"value":0,"time":7}]}`, `{"fault":{"code":1}}`, nil, ``, `brightness=5@0 powerstate=1@0 powerstate=0@7`},
		{`[{"brightness":{"value":5,"time":946684800000}},{"brightness":{"time":1798761600000,"value":6}}]`, `[{"fault":{"value":{"code":1},"time":946684800000}}]`, y2k, ``, `brightness=5@946684800000 brightness=6@1798761600000`},
		{`{"brightness":5}`, ``, y2k, `/properties/brightness/time is missing, want a time from 2000 on; send {"value":…,"time":ms}`, ``},
		{`[{"brightness":[{"value":5,"time":946684800000},{"value":5,"time":946684799999}]}]`, ``, y2k, `/properties/0/brightness/1/time is 946684799999, want a time from 2000 on; set the device's clock before it takes times`, ``},
		{`{"brightness":[{"value":5,"time":1798761600001}]}`, ``, y2k, `/properties/brightness/0/time is 1798761600001, want a time from 2000 on; set the device's clock before it takes times`, ``},
		{``, `[{"fault":{"value":{"code":1},"time":1}}]`, y2k, `/events/0/fault/time is 1, want a time from 2000 on; set the device's clock before it takes times`, ``},
		{`{"brightness":[50,101]}`, ``, nil, `/properties/brightness/1 is 101, want an integer from 1 to 100 %; send 1..100, or publish a model version with a wider range`, ``},
		{`{"Brightness":1}`, ``, nil, `/properties/Brightness is not in the thing model; send brightness, the nearest name there is`, ``},
		{`[{"brightness":1},7]`, ``, nil, `/properties/1 is 7, want an object; send {"name":value,…}`, ``},
		{`"x"`, ``, nil, `/properties is "x", want an object; send {"name":value,…}`, ``},
		{``, `{"falt":{"code":1}}`, nil, `/events/falt is not in the thing model; send fault, the nearest name there is`, ``},
		{``, `{"fault":[{"code":1},{"code":9}]}`, nil, `/events/fault/1/code is 9, want either 1 (过热) or 2 (短路); send one of these, or publish a model version with more values`, ``},
		{`{"scale":[1,2,3]}`, ``, nil, ``, `scale=[1,2,3]@0`},
		{`{"scale":[{"value":[1,2],"time":5},{"value":[],"time":6}]}`, ``, nil, ``, `scale=[1,2]@5 scale=[]@6`},
		{`{"timers":[{"cron":"* *","on":1}]}`, ``, nil, ``, `timers=[{"cron":"* *","on":1}]@0`},
		{many, ``, nil, `/properties/brightness/1000 is one value too many, want at most 1000 values at once; send them in several messages`, ``},
		{`{"brightness":1`, ``, nil, `/properties is cut off at byte 15, want a comma or a closing brace; send well-formed JSON`, ``},
		{`{"brightness":[1`, ``, nil, `/properties/brightness is cut off at byte 16, want a comma or a closing bracket; send well-formed JSON`, ``},
		{`{"brightness":1}x`, ``, nil, `/properties is not JSON at byte 16, "x", want nothing after the closing brace; send well-formed JSON`, ``},
	} {
		var values []string
		v := m.CheckBatch([]byte(tt.properties), []byte(tt.events), tt.span, func(p *Property, value []byte, at int64) {
			values = append(values, fmt.Sprintf("%s=%s@%d", p.Identifier, value, at))
		})
		if got := text(v); got != tt.want {
			t.Errorf("%.80s %s\n got %s\nwant %s", tt.properties, tt.events, got, tt.want)
		}
		if got := strings.Join(values, " "); v == nil && got != tt.values {
			t.Errorf("%s\n got %s\nwant %s", tt.properties, got, tt.values)
		}
	}
}

// FuzzCheckBatch: what a post may say a batch may say too, with the same values; and whatever comes, nothing panics and the
// violation is a sentence.
func FuzzCheckBatch(f *testing.F) {
	m := everything(f)
	for _, seed := range []string{
		`{}`, `{"powerstate":1,"brightness":50}`, `{"brightness":[1,{"value":50,"time":1700000000000}]}`,
		`[{"brightness":{"value":50,"time":1700000000000}},{"timers":[{"value":[],"time":1}]}]`,
		`{"timers":[{"cron":"* *","on":1}],"scale":[[1]]}`, `{"bright\u006eess":[[[1]]]}`, `[[`, `{"fault":{"value":{"code":1},"time":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, span := range []*Span{nil, y2k} {
			for _, v := range []*Violation{m.CheckBatch(in, nil, span, nil), m.CheckBatch(nil, in, span, nil)} {
				if v != nil && (!json.Valid([]byte(quote(v.Error()))) || strings.ContainsAny(v.Error(), "\n\x00")) {
					t.Errorf("CheckBatch(%q): %q", in, v.Error())
				}
			}
		}
		var posted, batched []string
		note := func(to *[]string) Each {
			return func(p *Property, value []byte, at int64) {
				*to = append(*to, fmt.Sprintf("%s %s %d", p.Identifier, value, at))
			}
		}
		if m.CheckPost(in, note(&posted)) != nil || len(posted) > MaxBatch {
			return
		}
		v := m.CheckBatch(in, nil, nil, note(&batched))
		if v == nil && strings.Join(posted, "\n") != strings.Join(batched, "\n") {
			t.Errorf("%q\npost  %q\nbatch %q", in, posted, batched)
		}
		if v != nil && !strings.Contains(string(in), "[") {
			t.Errorf("CheckBatch(%q) = %v, and CheckPost takes it", in, v)
		}
	})
}
