package nlu

import "testing"

// TestExpectations: a reading meets what says the same, in any grouping, and nothing else.
func TestExpectations(t *testing.T) {
	x := oneBedroom(t)
	for _, tt := range []struct {
		said, expect string
		want         bool
	}{
		{"打开客厅和卧室的灯", `{"outcome":"act","actions":[{"op":"set","targets":["lr.light","br.light"],"prop":"power","value":true}]}`, true},
		{"打开客厅和卧室的灯", `{"outcome":"act","actions":[{"op":"set","targets":["br.light"],"prop":"power","value":true},{"op":"set","targets":["lr.light"],"prop":"power","value":true}]}`, true},
		{"打开客厅和卧室的灯", `{"outcome":"act","actions":[{"op":"set","targets":["lr.light"],"prop":"power","value":true}]}`, false},
		{"打开客厅的灯", `{"outcome":"act","actions":[{"op":"set","targets":["lr.light"],"prop":"power","value":false}]}`, false},
		{"打开客厅的灯", `{"outcome":"chat"}`, false},
		{"把客厅的灯调到百分之三十", `{"outcome":"act","actions":[{"op":"set","targets":["lr.light"],"prop":"brightness","value":30}]}`, true},
		{"打开灯", `{"outcome":"clarify"}`, true},
		{"今天天气怎么样", `{"outcome":"reject"}`, true},
		{"今天天气怎么样", `{"outcome":"clarify"}`, false},
	} {
		e, err := ReadExpectation([]byte(tt.expect))
		if err != nil {
			t.Fatal(err)
		}
		r := x.Read(&Context{}, tt.said)
		if e.Met(&r) != tt.want {
			t.Errorf("%s is %s, and %s is met: %t", tt.said, Result(&r), tt.expect, !tt.want)
		}
	}
	for _, bad := range []string{
		``, `{}`, `[]`, `{"outcome":"do"}`, `{"outcome":"act"}`, `{"outcome":"act","actions":[]}`, `{"outcome":"chat","actions":[{"op":"set"}]}`,
		`{"outcome":"act","actions":[{"op":"explode"}]}`, `{"outcome":"chat"} {}`, `{"outcome":"chat","else":1}`,
	} {
		if _, err := ReadExpectation([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
