package nlu

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"lampworks/tsl"
)

// FuzzRead holds the laws of a reading: no panic, no action unless the outcome is act, every value one that the model
// of its target allows, every id one of the home.
func FuzzRead(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, "", "lr")
	}
	f.Add("打开\xff灯\x00把", "转圈", "nowhere")
	f.Add("零零零零零零点点百分之百分之一一一一万万万亿", "除了除了以外", "")
	f.Add("turn turn on on off the the half past a hundred and", "and and", "mb")
	home := testHome(f)
	x, err := Compile(*home)
	if err != nil {
		f.Fatal(err)
	}
	models := map[string]*tsl.Model{}
	for _, d := range home.Devices {
		models[d.ID] = d.Model
	}
	f.Fuzz(func(t *testing.T, first, second, room string) {
		c := &Context{Room: room}
		for _, u := range []string{first, second, first} {
			r := x.Read(c, u)
			check(t, x, models, u, &r)
			c.Previous = r.Memory
		}
		x.readHAIntent("", first)
	})
}

func check(t *testing.T, x *Index, models map[string]*tsl.Model, u string, r *Reading) {
	t.Helper()
	switch r.Outcome {
	case Act:
		if len(r.Actions) == 0 || r.Reason.Code != "" {
			t.Fatalf("Read(%q) acts with %d actions and reason %q", u, len(r.Actions), r.Reason.Code)
		}
	case Clarify, Reject, Chat:
		if len(r.Actions) != 0 || r.Reason.Code == "" {
			t.Fatalf("Read(%q) is %s with %d actions and reason %q", u, r.Outcome, len(r.Actions), r.Reason.Code)
		}
	default:
		t.Fatalf("Read(%q) has outcome %q", u, r.Outcome)
	}
	for _, d := range r.Candidates {
		if models[d] == nil {
			t.Fatalf("Read(%q) names candidate %q, which the home does not have", u, d)
		}
	}
	for i := range r.Actions {
		checkAction(t, x, models, u, &r.Actions[i])
	}
}

func checkAction(t *testing.T, x *Index, models map[string]*tsl.Model, u string, a *Action) {
	t.Helper()
	for _, d := range a.Targets {
		m := models[d]
		if m == nil {
			t.Fatalf("Read(%q) names target %q, which the home does not have", u, d)
		}
		p, ok := m.Property(a.Prop)
		if !ok {
			t.Fatalf("Read(%q) names property %q, which %s does not have", u, a.Prop, d)
		}
		if a.Op == OpQuery {
			continue
		}
		state := func(string, string) (any, bool) { return (p.Min + p.Max) / 2, true }
		params, reason := x.Params(*a, d, state)
		if a.Op == OpSet && params == nil {
			t.Fatalf("Read(%q) sets %s of %s to %v, which has no params: %s", u, a.Prop, d, a.Value, reason.Code)
		}
		if params == nil {
			continue
		}
		if v := m.CheckSet(params, nil); v != nil {
			t.Fatalf("Read(%q): params %s for %s: %v", u, params, d, v)
		}
	}
}

// seeds are the utterances of the evaluation sets.
func seeds(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, set := range []string{"genie-zh-CN", "genie-en", "genie-noise-zh-CN"} {
		f, err := os.Open("testdata/" + set + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			var l line
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			out = append(out, l.Utterance)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
