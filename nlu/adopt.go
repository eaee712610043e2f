package nlu

import (
	"math"
	"slices"
)

// Adopt holds an action that was not read here against the home and its models, and completes it as a reading would have it.
// Of a set, a query, an adjust or a call that is to be done now every target must be there and able to, with the value; anything
// else comes back as a Reason with a Code. dangerous says that a reading would ask first.
func (x *Index) Adopt(a Action) (out Action, dangerous bool, why Reason) {
	out = Action{Op: a.Op, Targets: slices.Clone(a.Targets), Prop: a.Prop, Service: a.Service, Value: a.Value, Direction: a.Direction, Amount: a.Amount, HasAmount: a.HasAmount}
	if len(a.Targets) == 0 || !finite(a.Amount) || a.Amount < 0 {
		return out, false, Reason{Code: NoSuchDevice}
	}
	if v, is := toFloat(a.Value); is && !finite(v) {
		return out, false, Reason{Code: NoSuchValue, Value: a.Value}
	}
	for i, id := range a.Targets {
		n, known := x.byID[id]
		if !known || slices.Contains(a.Targets[:i], id) {
			return out, false, Reason{Code: NoSuchDevice, Device: id}
		}
		if why := x.adopt(&out, &x.devices[n], i == 0); why.Code != "" {
			why.Device = id
			return out, false, why
		}
	}
	for _, id := range a.Targets { // with what the action means, which is known only now
		dangerous = dangerous || x.devices[x.byID[id]].dangerous(x, &out)
	}
	return out, dangerous, Reason{}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// adopt holds an action against one of its targets; what it means, the first one says.
func (x *Index) adopt(a *Action, d *deviceEntry, first bool) Reason {
	if a.Op == OpCall {
		_, why := x.inputOf(*a, x.byID[d.id])
		return why
	}
	p := d.property(a.Prop)
	if p == nil || a.Service != "" {
		return Reason{Code: NoSuchProperty, Prop: a.Prop}
	}
	meaning := x.meaning(p.meaning)
	if first {
		a.Meaning = meaning
	}
	switch {
	case meaning != a.Meaning:
		return Reason{Code: NoSuchProperty, Prop: a.Prop, Meaning: a.Meaning}
	case a.Op == OpQuery && p.readable:
		return Reason{}
	case a.Op == OpAdjust && (a.Direction == "up" || a.Direction == "down") && p.writable && (p.kind == kindInt || p.kind == kindFloat || p.kind == kindEnum):
		a.Unit = p.unit
		return Reason{}
	case a.Op == OpSet:
		_, why := x.Params(*a, d.id, nil)
		a.Unit = p.unit
		return why
	}
	return Reason{Code: NoSuchProperty, Prop: a.Prop}
}
