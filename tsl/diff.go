package tsl

import (
	"slices"
	"strconv"
)

// Kind is what happened to one part of a document.
type Kind string

// The kinds of change.
const (
	Added    Kind = "added"
	Removed  Kind = "removed"
	Widened  Kind = "widened"  // more is allowed than before
	Narrowed Kind = "narrowed" // less is allowed than before
	Changed  Kind = "changed"
)

// A Change is one difference between two documents, as it matters to devices and programs that were made for the old
// one. Breaking means that one of them may now be refused or misunderstood.
type Change struct {
	Path     string `json:"path"` // by identifiers: "/properties/brightness/max"
	Kind     Kind   `json:"kind"`
	Breaking bool   `json:"breaking"`
	Text     string `json:"text"` // "max was 100, is 255"
}

// Diff lists the changes from before to after, in the order of after, what was removed at the end of its list. The
// default event post and services set and get follow from the properties and are left out.
func Diff(before, after *Document) []Change {
	d := &differ{}
	pair(d, "/properties", before.Properties, after.Properties, func(p *PropertyDef) string { return p.Identifier }, d.property)
	pair(d, "/events", events(before), events(after), func(e *EventDef) string { return e.Identifier }, d.event)
	pair(d, "/services", services(before), services(after), func(s *ServiceDef) string { return s.Identifier }, d.service)
	return d.changes
}

func events(d *Document) []EventDef {
	return slices.DeleteFunc(slices.Clone(d.Events), func(e EventDef) bool { return e.isDefault() })
}

func services(d *Document) []ServiceDef {
	return slices.DeleteFunc(slices.Clone(d.Services), func(s ServiceDef) bool { return s.isDefault() })
}

type differ struct{ changes []Change }

func (d *differ) add(path string, kind Kind, breaking bool, text string) {
	d.changes = append(d.changes, Change{path, kind, breaking, text})
}

// pair matches two lists by identifier. Something new breaks nobody, something gone does.
func pair[T any](d *differ, path string, before, after []T, id func(*T) string, compare func(path string, before, after *T)) {
	find := func(list []T, name string) *T {
		if i := slices.IndexFunc(list, func(t T) bool { return id(&t) == name }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	for i := range after {
		name := id(&after[i])
		if old := find(before, name); old != nil {
			compare(path+"/"+name, old, &after[i])
		} else {
			d.add(path+"/"+name, Added, false, name+" is new")
		}
	}
	for i := range before {
		if name := id(&before[i]); find(after, name) == nil {
			d.add(path+"/"+name, Removed, true, name+" is gone")
		}
	}
}

// name notes a text that means nothing to programs.
func (d *differ) name(path, before, after string) {
	if before != after {
		d.add(path+"/name", Changed, false, was("name", quote(before), quote(after)))
	}
}

func (d *differ) property(path string, before, after *PropertyDef) {
	d.name(path, before.Name, after.Name)
	if before.AccessMode != after.AccessMode {
		kind := Narrowed
		if after.AccessMode == "rw" {
			kind = Widened
		}
		d.add(path+"/accessMode", kind, kind == Narrowed, was("accessMode", before.AccessMode, after.AccessMode))
	}
	d.dataType(path, &before.DataType, &after.DataType)
}

func (d *differ) event(path string, before, after *EventDef) {
	d.name(path, before.Name, after.Name)
	if before.Type != after.Type {
		d.add(path+"/type", Changed, true, was("type", before.Type, after.Type))
	}
	pair(d, path+"/outputData", before.OutputData, after.OutputData, parameterID, d.parameter)
	d.demands(path+"/outputData", before.OutputData, after.OutputData)
}

func (d *differ) service(path string, before, after *ServiceDef) {
	d.name(path, before.Name, after.Name)
	if before.CallType != after.CallType {
		d.add(path+"/callType", Changed, true, was("callType", before.CallType, after.CallType))
	}
	had, has := before.Lampworks != nil && before.Lampworks.Idempotent, after.Lampworks != nil && after.Lampworks.Idempotent
	if had != has {
		d.add(path+"/idempotent", Changed, has, was("idempotent", strconv.FormatBool(had), strconv.FormatBool(has)))
	}
	pair(d, path+"/inputData", before.InputData, after.InputData, parameterID, d.parameter)
	d.demands(path+"/inputData", before.InputData, after.InputData)
	pair(d, path+"/outputData", before.OutputData, after.OutputData, parameterID, d.parameter)
	d.demands(path+"/outputData", before.OutputData, after.OutputData)
}

func parameterID(p *ParameterDef) string { return p.Identifier }

func (d *differ) parameter(path string, before, after *ParameterDef) {
	d.name(path, before.Name, after.Name)
	if before.Required && !after.Required {
		d.add(path+"/required", Widened, false, was("required", "true", "false"))
	}
	d.dataType(path, &before.DataType, &after.DataType)
}

// demands notes parameters that were not asked for before and now are.
func (d *differ) demands(path string, before, after []ParameterDef) {
	for _, p := range after {
		asked := slices.ContainsFunc(before, func(b ParameterDef) bool { return b.Identifier == p.Identifier && b.Required })
		if p.Required && !asked {
			d.add(path+"/"+p.Identifier+"/required", Narrowed, true, was("required", "false", "true"))
		}
	}
}

func (d *differ) dataType(path string, before, after *DataType) {
	if before.Type != after.Type {
		d.add(path+"/type", Changed, true, was("type", before.Type, after.Type))
		return
	}
	b, a := compileType(*before, nil), compileType(*after, nil)
	switch b.Type {
	case Int, Float, Double:
		d.limit(path, "min", b.Min, a.Min, a.Min < b.Min)
		d.limit(path, "max", b.Max, a.Max, a.Max > b.Max)
		d.limit(path, "step", b.Step, a.Step, a.Step == 0 || b.Step != 0 && onGrid(b.Step, 0, a.Step, false))
		if b.Unit != a.Unit {
			d.add(path+"/unit", Changed, true, was("unit", quote(b.Unit), quote(a.Unit)))
		}
	case Bool, Enum:
		pair(d, path+"/values", before.Specs.Values, after.Specs.Values, func(v *ValueDef) string { return strconv.FormatInt(v.Value, 10) },
			func(path string, b, a *ValueDef) { d.name(path, b.Name, a.Name) })
	case Text:
		d.limit(path, "length", float64(b.Length), float64(a.Length), a.Length > b.Length)
	case Array:
		d.limit(path, "size", float64(b.Size), float64(a.Size), a.Size > b.Size)
		d.dataType(path+"/item", before.Specs.Item, after.Specs.Item)
	case Struct:
		pair(d, path+"/fields", before.Specs.Fields, after.Specs.Fields, parameterID, d.parameter)
		d.demands(path+"/fields", before.Specs.Fields, after.Specs.Fields)
	case Date:
	}
}

func (d *differ) limit(path, what string, before, after float64, wider bool) {
	if before == after {
		return
	}
	kind := Narrowed
	if wider {
		kind = Widened
	}
	d.add(path+"/"+what, kind, kind == Narrowed, was(what, decimal(before), decimal(after)))
}

// was says a change in words.
func was(what, before, after string) string { return what + " was " + before + ", is " + after }
