package scene

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// maxCost bounds what a condition may do. There are no loops in it, so that none comes near.
const maxCost = 10_000

// aliases are what a condition may call a device.
var aliases = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// taken are words that mean something else in a condition.
var taken = []string{"now", "value", "event", "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while", "int", "uint", "double", "bool", "string", "bytes", "list", "map", "type", "size", "has"}

// member is a name and what is looked at of it.
var member = regexp.MustCompile(`^(\w+)\.(\w+)`)

// A condition is a compiled one, with what it looks at. The zero condition always holds.
type condition struct {
	program cel.Program
	of      models
	version int64
}

// compile reads the condition of an automation with the models of its devices.
func compile(a *Automation, of models) (*condition, error) {
	c := &condition{of: of, version: a.Version}
	if len(a.Devices) > MaxVariables {
		return nil, fault.Limit("/devices", strconv.Itoa(len(a.Devices)), fmt.Sprintf("%d devices in a condition", MaxVariables), 0)
	}
	names := make(map[string]*cel.Type)
	for _, alias := range slices.Sorted(maps.Keys(a.Devices)) {
		if !aliases.MatchString(alias) || slices.Contains(taken, alias) {
			return nil, fault.Invalid("/devices", alias, "names of small letters, digits and _, which mean nothing else", "choose another, such as lamp")
		}
		model, here := of[a.Devices[alias]]
		if !here || model == nil {
			return nil, fault.Invalid("/devices/"+alias, a.Devices[alias], "a device of the home", "bind it first, or leave it out")
		}
		names[alias+".online"] = cel.BoolType
		for _, p := range model.Properties() {
			if t := typeOf(p); t != nil && p.Readable {
				names[alias+"."+p.Identifier] = t
			}
		}
	}
	a.Trigger.declare(of, names)
	for _, n := range []string{"now.hour", "now.minute", "now.weekday"} {
		names[n] = cel.IntType
	}
	if a.Condition == "" {
		return c, nil
	}
	if len(a.Condition) > MaxCondition {
		return nil, fault.TooLarge("/condition", int64(len(a.Condition)), MaxCondition)
	}
	var err error
	c.program, err = program(a.Condition, names)
	return c, err
}

// declare adds what a trigger brings: the value that was reported, or the output of an event.
func (t *Trigger) declare(of models, names map[string]*cel.Type) {
	model := of[t.Device]
	switch {
	case model == nil:
	case t.Kind == OnProperty:
		if p, ok := model.Property(t.Property); ok && typeOf(p) != nil {
			names["value"] = typeOf(p)
		}
	case t.Kind == OnEvent:
		if e, ok := model.Event(t.Event); ok {
			for _, p := range e.Output {
				if typeOf(p) != nil {
					names["event."+p.Identifier] = typeOf(p)
				}
			}
		}
	}
}

// typeOf is the type of a property in a condition, nil for those that a condition cannot look at.
func typeOf(p *tsl.Property) *cel.Type {
	switch p.Type {
	case tsl.Bool:
		return cel.BoolType
	case tsl.Int, tsl.Enum:
		return cel.IntType
	case tsl.Float, tsl.Double:
		return cel.DoubleType
	case tsl.Text:
		return cel.StringType
	}
	return nil
}

func program(text string, names map[string]*cel.Type) (cel.Program, error) {
	options := []cel.EnvOption{cel.ClearMacros(), cel.CrossTypeNumericComparisons(true)}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		options = append(options, cel.Variable(name, names[name]))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("preparing to read a condition: %w", err)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		message, _, _ := strings.Cut(first.Message, " (in container")
		if m := member.FindStringSubmatch(text[min(first.Location.Column(), len(text)):]); m != nil && strings.HasPrefix(message, "undeclared") && slices.ContainsFunc(slices.Collect(maps.Keys(names)), func(n string) bool { return strings.HasPrefix(n, m[1]+".") }) {
			message = fmt.Sprintf("%s has no %q", m[1], m[2])
		}
		f := fault.Invalid("/condition", text, "a condition that can be read", "there are "+strings.Join(slices.Sorted(maps.Keys(names)), ", "))
		f.What = fmt.Sprintf("the condition is wrong at character %d: %s", first.Location.Column()+1, message)
		return nil, f
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fault.Invalid("/condition", text, "a condition that is true or false", "compare what it gives with something")
	}
	p, err := env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		f := fault.Invalid("/condition", text, "a condition that can be reckoned", "mend the constant that it names")
		f.What = "the condition is wrong: " + err.Error()
		return nil, f
	}
	return p, nil
}

// A moment of a home, as a condition sees it.
type circumstances struct {
	states map[string]shadow.State
	online map[string]bool
	local  time.Time
	value  json.RawMessage            // of a property that was reported
	output map[string]json.RawMessage // of an event
}

// holds says whether a condition holds; why is what cannot be told.
func (c *condition) holds(a *Automation, in *circumstances) (is bool, why string) {
	if c.program == nil {
		return true, ""
	}
	vars := map[string]any{"now.hour": in.local.Hour(), "now.minute": in.local.Minute(), "now.weekday": weekday(in.local) + 1}
	put := func(name string, p *tsl.Property, raw json.RawMessage) {
		if v, ok := native(p, raw); ok {
			vars[name] = v
		}
	}
	for alias, d := range a.Devices {
		vars[alias+".online"] = in.online[d]
		if model := c.of[d]; model != nil {
			for _, p := range model.Properties() {
				put(alias+"."+p.Identifier, p, in.states[d].Reported[p.Identifier].Value)
			}
		}
	}
	if model := c.of[a.Trigger.Device]; model != nil {
		if p, ok := model.Property(a.Trigger.Property); ok {
			put("value", p, in.value)
		}
		if e, ok := model.Event(a.Trigger.Event); ok {
			for _, p := range e.Output {
				put("event."+p.Identifier, p, in.output[p.Identifier])
			}
		}
	}
	out, _, err := c.program.Eval(vars)
	if err != nil {
		return false, strings.TrimPrefix(err.Error(), "no such attribute(s): ")
	}
	is, _ = out.Value().(bool)
	return is, ""
}

// native is a value of the wire as a condition has it.
func native(p *tsl.Property, raw json.RawMessage) (any, bool) {
	if len(raw) == 0 {
		return nil, false
	}
	if p.Type == tsl.Text {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	}
	var n float64
	if json.Unmarshal(raw, &n) != nil {
		return nil, false
	}
	switch p.Type {
	case tsl.Bool:
		return n != 0, true
	case tsl.Int, tsl.Enum:
		return int64(n), true
	case tsl.Float, tsl.Double:
		return n, true
	}
	return nil, false
}
