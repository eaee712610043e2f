package tsl

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ before, after, want string }{
		{one(`{"type":"int"}`), one(`{"type":"int"}`), ``},
		{one(`{"type":"int"}`), `{}`, `/properties/p removed breaking: p is gone`},
		{`{}`, one(`{"type":"int"}`), `/properties/p added: p is new`},
		{one(`{"type":"int"}`), one(`{"type":"float"}`), `/properties/p/type changed breaking: type was int, is float`},
		{one(`{"type":"int","specs":{"min":"1","max":"100"}}`), one(`{"type":"int","specs":{"min":"0","max":"99"}}`), `/properties/p/min widened: min was 1, is 0
/properties/p/max narrowed breaking: max was 100, is 99`},
		{one(`{"type":"float","specs":{"step":"0.5","unit":"°C"}}`), one(`{"type":"float","specs":{"step":"0.1","unit":"K"}}`), `/properties/p/step widened: step was 0.5, is 0.1
/properties/p/unit changed breaking: unit was "°C", is "K"`},
		{one(`{"type":"float","specs":{"step":"0.5"}}`), one(`{"type":"float","specs":{"step":"0.3"}}`), `/properties/p/step narrowed breaking: step was 0.5, is 0.3`},
		{one(`{"type":"int","specs":{"min":"0","max":"9"}}`), one(`{"type":"int"}`), `/properties/p/min widened: min was 0, is -2147483648
/properties/p/max widened: max was 9, is 2147483647`},
		{one(`{"type":"text"}`), one(`{"type":"text","specs":{"length":"5"}}`), `/properties/p/length narrowed breaking: length was 10240, is 5`},
		{one(`{"type":"enum","specs":{"0":"自动","1":"制冷"}}`), one(`{"type":"enum","specs":{"0":"智能","2":"制热"}}`), `/properties/p/values/0/name changed: name was "自动", is "智能"
/properties/p/values/2 added: 2 is new
/properties/p/values/1 removed breaking: 1 is gone`},
		{one(`{"type":"array","specs":{"size":"3","item":{"type":"int"}}}`), one(`{"type":"array","specs":{"size":"4","item":{"type":"text"}}}`), `/properties/p/size widened: size was 3, is 4
/properties/p/item/type changed breaking: type was int, is text`},
		{one(`{"type":"struct","specs":[{"identifier":"a","dataType":{"type":"int"}}]}`), one(`{"type":"struct","specs":[{"identifier":"a","required":true,"dataType":{"type":"bool"}},{"identifier":"b","required":true,"dataType":{"type":"int"}}]}`), `/properties/p/fields/a/type changed breaking: type was int, is bool
/properties/p/fields/b added: b is new
/properties/p/fields/a/required narrowed breaking: required was false, is true
/properties/p/fields/b/required narrowed breaking: required was false, is true`},
		{strings.Replace(one(`{"type":"int"}`), `"rw"`, `"r"`, 1), one(`{"type":"int"}`), `/properties/p/accessMode widened: accessMode was r, is rw`},
		{one(`{"type":"int"}`), strings.Replace(one(`{"type":"int"}`), `"rw"`, `"r"`, 1), `/properties/p/accessMode narrowed breaking: accessMode was rw, is r`},
		{one(`{"type":"int"}`), strings.Replace(one(`{"type":"int"}`), `"name":"p"`, `"name":"功率"`, 1), `/properties/p/name changed: name was "p", is "功率"`},
		{`{"events":[{"identifier":"post","name":"post","type":"info"},{"identifier":"e","name":"e","type":"info"}]}`, `{"events":[{"identifier":"e","name":"e","type":"error","outputData":[{"identifier":"a","dataType":{"type":"int"}}]}]}`, `/events/e/type changed breaking: type was info, is error
/events/e/outputData/a added: a is new`},
		{
			`{"services":[{"identifier":"s","name":"s","callType":"sync","inputData":[{"identifier":"a","required":true,"dataType":{"type":"int"}}],"lampworks":{"idempotent":true}}]}`,
			`{"services":[{"identifier":"s","name":"s","callType":"async","inputData":[{"identifier":"a","dataType":{"type":"int"}},{"identifier":"b","required":true,"dataType":{"type":"int"}}]}]}`,
			`/services/s/callType changed breaking: callType was sync, is async
/services/s/idempotent changed: idempotent was true, is false
/services/s/inputData/a/required widened: required was true, is false
/services/s/inputData/b added: b is new
/services/s/inputData/b/required narrowed breaking: required was false, is true`,
		},
	} {
		before, err := Parse([]byte(tt.before))
		if err != nil {
			t.Fatal(err)
		}
		after, err := Parse([]byte(tt.after))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range Diff(before, after) {
			line := c.Path + " " + string(c.Kind)
			if c.Breaking {
				line += " breaking"
			}
			lines = append(lines, line+": "+c.Text)
		}
		if got := strings.Join(lines, "\n"); got != tt.want {
			t.Errorf("Diff(%s, %s)\n got %s\nwant %s", tt.before, tt.after, got, tt.want)
		}
	}
}
