package nlu

import (
	"math"
	"testing"
)

// TestAdopt: what the home does not have, or the model does not allow, is not adopted, whoever asks for it.
func TestAdopt(t *testing.T) {
	x := oneBedroom(t)
	both := []string{"lr.light", "br.light"}
	for _, tt := range []struct {
		name string
		a    Action
		want Code
	}{
		{"two lamps", Action{Op: OpSet, Targets: both, Prop: "power", Value: true}, ""},
		{"brightness", Action{Op: OpSet, Targets: both, Prop: "brightness", Value: 30.0}, ""},
		{"brighter", Action{Op: OpAdjust, Targets: both, Prop: "brightness", Direction: "up"}, ""},
		{"how warm", Action{Op: OpQuery, Targets: []string{"lr.ac"}, Prop: "temperature"}, ""},
		{"no target", Action{Op: OpSet, Prop: "power", Value: true}, NoSuchDevice},
		{"made up", Action{Op: OpSet, Targets: []string{"lr.light", "attic.light"}, Prop: "power", Value: true}, NoSuchDevice},
		{"twice", Action{Op: OpSet, Targets: []string{"lr.light", "lr.light"}, Prop: "power", Value: true}, NoSuchDevice},
		{"no such property", Action{Op: OpSet, Targets: []string{"lr.light"}, Prop: "volume", Value: 3.0}, NoSuchProperty},
		{"one lacks it", Action{Op: OpSet, Targets: []string{"lr.light", "lr.tv"}, Prop: "brightness", Value: 3.0}, NoSuchProperty},
		{"too bright", Action{Op: OpSet, Targets: both, Prop: "brightness", Value: 101.0}, OutOfRange},
		{"no number", Action{Op: OpSet, Targets: both, Prop: "brightness", Value: math.NaN()}, NoSuchValue},
		{"endless", Action{Op: OpAdjust, Targets: both, Prop: "brightness", Direction: "up", Amount: math.Inf(1), HasAmount: true}, NoSuchDevice},
		{"sideways", Action{Op: OpAdjust, Targets: both, Prop: "brightness", Direction: "left"}, NoSuchProperty},
		{"another type", Action{Op: OpSet, Targets: both, Prop: "power", Value: "on"}, NoSuchValue},
		{"to be read only", Action{Op: OpSet, Targets: []string{"lr.ac"}, Prop: "temperature", Value: 20.0}, ReadOnly},
		{"no service", Action{Op: OpCall, Targets: []string{"lr.light"}, Service: "explode"}, NoSuchProperty},
		{"a scene", Action{Op: OpScene, Targets: []string{"lr.light"}, Scene: "s"}, NoSuchProperty},
		{"a timer", Action{Op: OpTimer, Targets: []string{"lr.light"}, Seconds: 5, Prop: "power"}, NoSuchProperty},
	} {
		out, dangerous, why := x.Adopt(tt.a)
		if why.Code != tt.want || dangerous {
			t.Errorf("%s: %q, dangerous: %t", tt.name, why.Code, dangerous)
		}
		if tt.want == "" && out.Meaning == "" {
			t.Errorf("%s means nothing", tt.name)
		}
	}
	if out, _, _ := x.Adopt(Action{Op: OpSet, Targets: both, Prop: "power", Value: true, At: "07:00", DelaySeconds: 9}); out.At != "" || out.DelaySeconds != 0 {
		t.Errorf("a time is adopted: %+v", out)
	}
}

// TestAdoptedIsDangerousAsARead: what a reading would ask about first is said to be dangerous.
func TestAdoptedIsDangerousAsARead(t *testing.T) {
	lock := model(t, property("lockState", boolType))
	x, err := Compile(Home{Devices: []Device{{ID: "lock", Category: "lock", Names: map[string][]string{English: {"Front Door"}}, Model: lock}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []bool{true, false} {
		_, dangerous, why := x.Adopt(Action{Op: OpSet, Targets: []string{"lock"}, Prop: "lockState", Value: value})
		want := x.DangerousSet("lock", "lockState", float64(b2i(value)))
		if why.Code != "" || dangerous != want {
			t.Errorf("%t: %q, dangerous %t, want %t", value, why.Code, dangerous, want)
		}
	}
	if !x.DangerousSet("lock", "lockState", 0) && !x.DangerousSet("lock", "lockState", 1) {
		t.Error("nothing about the lock is dangerous")
	}
}
