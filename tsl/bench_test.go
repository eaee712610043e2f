package tsl

import (
	"fmt"
	"strings"
	"testing"
)

// wideModel is a model of 48 properties of the types that devices post most, and a post of all of them, 1 kB long.
func wideModel(tb testing.TB) (*Model, []byte) {
	tb.Helper()
	types := []struct{ dataType, value string }{
		{`{"type":"bool","specs":{"0":"关","1":"开"}}`, `1`},
		{`{"type":"int","specs":{"min":"0","max":"100","step":"1","unit":"%"}}`, `%d`},
		{`{"type":"float","specs":{"min":"-40","max":"80","step":"0.1"}}`, `%d.5`},
		{`{"type":"enum","specs":{"0":"自动","1":"制冷","2":"制热"}}`, `2`},
		{`{"type":"text","specs":{"length":"64"}}`, `"room %d"`},
		{`{"type":"int","specs":{"min":"2700","max":"6500","step":"100"}}`, `4500`},
	}
	names := []string{"powerstate", "brightness", "temperature", "workMode", "label", "colorTemperature"}
	var defs, post []string
	for i := range 48 {
		t, name := types[i%len(types)], fmt.Sprintf("%s%d", names[i%len(names)], i)
		defs = append(defs, fmt.Sprintf(`{"identifier":%q,"name":"p","accessMode":"rw","dataType":%s}`, name, t.dataType))
		value := t.value
		if strings.Contains(value, "%d") {
			value = fmt.Sprintf(value, i)
		}
		post = append(post, fmt.Sprintf("%q:%s", name, value))
	}
	return compile(tb, []byte(`{"properties":[`+strings.Join(defs, ",")+`]}`)), []byte(`{` + strings.Join(post, ",") + `}`)
}

// stampedPost is the post of the wide model with a time beside each value, cut to 1 kB.
func stampedPost(tb testing.TB, m *Model, post []byte) []byte {
	tb.Helper()
	b := []byte{'{'}
	if v := m.CheckPost(post, func(p *Property, value []byte, _ int64) {
		if len(b) < 1000 {
			b = fmt.Appendf(b, `%q:{"value":%s,"time":1700000000000},`, p.Identifier, value)
		}
	}); v != nil {
		tb.Fatal(v)
	}
	b[len(b)-1] = '}'
	return b
}

func BenchmarkCheckPost(b *testing.B) {
	m, post := wideModel(b)
	run := func(name string, in []byte) {
		b.Run(fmt.Sprintf("%s/%dB", name, len(in)), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if v := m.CheckPost(in, nil); v != nil {
					b.Fatal(v)
				}
			}
		})
	}
	run("inOrder", post)
	run("stamped", stampedPost(b, m, post))
	members := strings.Split(strings.Trim(string(post), "{}"), ",")
	for i := range len(members) / 2 {
		j := len(members) - 1 - i
		members[i], members[j] = members[j], members[i]
	}
	run("backwards", []byte(`{`+strings.Join(members, ",")+`}`))
	run("lamp", []byte(`{"powerstate0":1,"brightness1":50,"colorTemperature5":4500}`))
}

func BenchmarkParseCompile(b *testing.B) {
	m, _ := wideModel(b)
	doc, err := m.Document().MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		d, err := Parse(doc)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Compile(d); err != nil {
			b.Fatal(err)
		}
	}
}

// A good message costs no allocation, whatever types it holds.
func TestCheckAllocatesNothing(t *testing.T) {
	m, post := wideModel(t)
	all := everything(t)
	count := 0
	each := func(*Property, []byte, int64) { count++ }
	event := func(in []byte) *Violation { return all.CheckEvent("fault", in) }
	input := func(in []byte) *Violation { return all.CheckInput("blink", in) }
	output := func(in []byte) *Violation { return all.CheckOutput("blink", in) }
	for _, tt := range []struct {
		name  string
		in    []byte
		check func([]byte) *Violation
	}{
		{"wide post", post, func(in []byte) *Violation { return m.CheckPost(in, each) }},
		{"stamped post", []byte(`{"brightness":{"value":50,"time":1700000000000},"place":{"value":{"x":-1.25e1,"y":2},"time":1}}`), func(in []byte) *Violation { return all.CheckPost(in, each) }},
		{"every type", []byte(`{"label":"\u4e2d\ud83d\ude00","installed":"1700000000000","scale":[1,2,3],"timers":[{"cron":"* *","on":1}],"mode":200,"energy":1e-300,"bright\u006eess":5}`), func(in []byte) *Violation { return all.CheckPost(in, each) }},
		{"set", []byte(`{"powerstate":1}`), func(in []byte) *Violation { return all.CheckSet(in, each) }},
		{"event", []byte(`{"value":{"code":1},"time":5}`), event},
		{"input", []byte(`{"times":3}`), input},
		{"output", nil, output},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if v := tt.check(tt.in); v != nil {
				t.Fatal(v)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}
