package tsl

import (
	"slices"
	"strconv"
	"strings"
)

// Parse reads a document and checks it whole. Its error is [Problems]: every problem there is, by path.
//
// Members it does not know are passed over, since exports of other versions and platforms carry some; inside specs and
// under "lampworks", where a slip of the pen would change the meaning, they are refused.
func Parse(doc []byte) (*Document, error) {
	n, broken := read(doc)
	if broken != nil {
		return nil, Problems{*broken}
	}
	p := &parser{}
	d := p.document(n)
	if problems := merge(p.problems, d.rules()); len(problems) > 0 {
		return nil, problems
	}
	return d, nil
}

// UnmarshalJSON is [Parse].
func (d *Document) UnmarshalJSON(b []byte) error {
	read, err := Parse(b)
	if err != nil {
		return err
	}
	*d = *read
	return nil
}

// merge keeps the first problem of each path and sorts by path.
func merge(first, second Problems) Problems {
	broken, seen := map[string]bool{}, map[string]bool{}
	for _, p := range first {
		broken[p.Path] = true
	}
	var all Problems
	for _, p := range append(first, second...) {
		if !seen[p.Path] && !under(broken, p.Path) {
			seen[p.Path] = true
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return comparePaths(a.Path, b.Path) })
	return all
}

// under reports whether a value that could not be read stands above path: what follows from that is no news.
func under(broken map[string]bool, path string) bool {
	for at := strings.LastIndexByte(path, '/'); at >= 0; at = strings.LastIndexByte(path[:at], '/') {
		if broken[path[:at]] {
			return true
		}
	}
	return false
}

func comparePaths(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	return slices.CompareFunc(x, y, func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return i - j
		}
		return strings.Compare(rank(x), rank(y))
	})
}

// rank puts the three lists of a document in their order, and an identifier before what hangs on it.
func rank(s string) string {
	if at := slices.Index([]string{"identifier", "name", "accessMode", "properties", "events", "services"}, s); at >= 0 {
		return string(rune('0' + at))
	}
	return s
}

// A parser turns nodes into a Document and notes what is not of the wanted kind.
type parser struct{ problems Problems }

// An object is one object of the document and its path.
type object struct {
	*parser
	node *node
	path string
}

func (p *parser) wants(path string, n *node, rule string) {
	p.problems = append(p.problems, Problem{Path: path, Got: n.got(), Rule: rule})
}

// object is n as an object; of something else it is an empty one, and a problem.
func (p *parser) object(n *node, path string) object {
	if n.kind != '{' {
		p.wants(path, n, "an object")
		return object{p, &node{kind: '{'}, path}
	}
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		if seen[m.name] {
			p.problems = append(p.problems, Problem{Path: path + "/" + escapePointer(m.name), Got: "given twice", Fix: "keep one of them"})
		}
		seen[m.name] = true
	}
	return object{p, n, path}
}

func (o object) at(name string) string { return o.path + "/" + escapePointer(name) }

func (o object) find(name string) *node {
	for _, m := range o.node.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (o object) text(name string) string {
	n := o.find(name)
	if n == nil {
		return ""
	}
	if n.kind != 's' {
		o.wants(o.at(name), n, "a text")
		return ""
	}
	return n.text
}

// number is a number as text, which exports write in quotes and people without.
func (o object) number(name string) string {
	n := o.find(name)
	if n == nil {
		return ""
	}
	if n.kind != 's' && n.kind != 'n' {
		o.wants(o.at(name), n, "a number, in quotes or without")
		return ""
	}
	return n.text
}

func (o object) bool(name string) bool {
	n := o.find(name)
	if n == nil {
		return false
	}
	if n.kind != 'b' {
		o.wants(o.at(name), n, "true or false")
	}
	return n.text == "true"
}

// list calls each for the items of a list, which may be absent.
func (o object) list(name string, each func(n *node, path string)) {
	n := o.find(name)
	if n == nil {
		return
	}
	if n.kind != '[' {
		o.wants(o.at(name), n, "a list")
		return
	}
	for i, item := range n.items[:min(len(n.items), maxList+1)] { // one too many is enough for the rules to see
		each(item, o.at(name)+"/"+strconv.Itoa(i))
	}
}

// only notes members beyond the allowed ones.
func (o object) only(allowed ...string) {
	for _, m := range o.node.members {
		if !slices.Contains(allowed, m.name) {
			o.problems = append(o.problems, Problem{
				Path: o.at(m.name), Got: "unknown", Rule: "one of " + strings.Join(allowed, ", "), Fix: "take it out, or correct its name",
			})
		}
	}
}

func (p *parser) document(n *node) *Document {
	o := p.object(n, "")
	d := &Document{
		Schema: o.text("schema"), Link: o.text("link"),
		FunctionBlockID: o.text("functionBlockId"), FunctionBlockName: o.text("functionBlockName"),
	}
	if n := o.find("profile"); n != nil {
		profile := p.object(n, "/profile")
		d.Profile = &Profile{ProductKey: profile.text("productKey"), DeviceName: profile.text("deviceName"), Version: profile.text("version")}
	}
	o.list("properties", func(n *node, path string) { d.Properties = append(d.Properties, p.property(n, path)) })
	o.list("events", func(n *node, path string) { d.Events = append(d.Events, p.event(n, path)) })
	o.list("services", func(n *node, path string) { d.Services = append(d.Services, p.service(n, path)) })
	return d
}

func (p *parser) property(n *node, path string) PropertyDef {
	o := p.object(n, path)
	return PropertyDef{
		Identifier: o.text("identifier"), Name: o.text("name"), AccessMode: o.text("accessMode"),
		Required: o.bool("required"), Desc: o.text("desc"),
		DataType: o.dataType("dataType"), Lampworks: o.hints("names", "aliases", "values"),
	}
}

func (p *parser) event(n *node, path string) EventDef {
	o := p.object(n, path)
	return EventDef{
		Identifier: o.text("identifier"), Name: o.text("name"), Type: o.text("type"),
		Required: o.bool("required"), Desc: o.text("desc"), Method: o.text("method"),
		OutputData: o.parameters("outputData", false), Lampworks: o.hints("names", "aliases"),
	}
}

func (p *parser) service(n *node, path string) ServiceDef {
	o := p.object(n, path)
	s := ServiceDef{
		Identifier: o.text("identifier"), Name: o.text("name"), CallType: o.text("callType"),
		Required: o.bool("required"), Desc: o.text("desc"), Method: o.text("method"),
		OutputData: o.parameters("outputData", false), Lampworks: o.hints("names", "aliases", "idempotent"),
	}
	s.InputData = o.parameters("inputData", s.Identifier == "get")
	return s
}

// parameters reads a list of parameters; bare ones are identifiers alone, as the default service get lists them.
func (o object) parameters(name string, bare bool) []ParameterDef {
	var defs []ParameterDef
	o.list(name, func(n *node, path string) {
		if bare && n.kind == 's' {
			defs = append(defs, ParameterDef{Identifier: n.text})
			return
		}
		defs = append(defs, o.parameter(n, path))
	})
	return defs
}

func (p *parser) parameter(n *node, path string) ParameterDef {
	o := p.object(n, path)
	return ParameterDef{
		Identifier: o.text("identifier"), Name: o.text("name"), Required: o.bool("required"), Desc: o.text("desc"),
		DataType: o.dataType("dataType"), Lampworks: o.hints("names", "aliases", "values"),
	}
}

func (o object) dataType(name string) DataType {
	n := o.find(name)
	if n == nil {
		return DataType{}
	}
	t := o.object(n, o.at(name))
	d := DataType{Type: t.text("type")}
	specs := t.find("specs")
	kind, known := ParseType(d.Type)
	if specs == nil || !known {
		return d
	}
	if kind == Struct {
		t.list("specs", func(n *node, path string) { d.Specs.Fields = append(d.Specs.Fields, o.parameter(n, path)) })
		return d
	}
	t.object(specs, t.at("specs")).specs(kind, &d.Specs)
	return d
}

func (o object) specs(kind Type, s *Specs) {
	switch kind {
	case Bool, Enum:
		o.values(s)
		return
	case Int, Float, Double:
		o.only("min", "max", "step", "unit", "unitName")
		s.Min, s.Max, s.Step = o.number("min"), o.number("max"), o.number("step")
	case Text:
		o.only("length", "unit", "unitName")
		s.Length = o.number("length")
	case Array:
		o.only("size", "item", "unit", "unitName")
		s.Size = o.number("size")
		if o.find("item") != nil {
			item := o.dataType("item")
			s.Item = &item
		}
	default:
		o.only("unit", "unitName")
	}
	s.Unit, s.UnitName = o.text("unit"), o.text("unitName")
}

func (o object) values(s *Specs) {
	for _, m := range o.node.members {
		v, err := strconv.ParseInt(m.name, 10, 32)
		if err != nil || strconv.FormatInt(v, 10) != m.name {
			o.problems = append(o.problems, Problem{Path: o.at(m.name), Got: "no value", Rule: "an integer of 32 bits as the name of the member", Fix: `write "0":"` + cut([]byte(m.name)) + `"`})
			continue
		}
		s.Values = append(s.Values, ValueDef{Value: v, Name: o.text(m.name)})
	}
}

func (o object) hints(allowed ...string) *Hints {
	n := o.find("lampworks")
	if n == nil {
		return nil
	}
	h := o.object(n, o.at("lampworks"))
	h.only(allowed...)
	return &Hints{Names: h.names("names"), Aliases: h.aliases(), Values: h.valueNames(), Idempotent: h.bool("idempotent")}
}

func (o object) names(name string) Names {
	n := o.find(name)
	if n == nil {
		return nil
	}
	t := o.object(n, o.at(name))
	names := Names{}
	for _, m := range t.node.members {
		names[m.name] = t.text(m.name)
	}
	return names
}

func (o object) aliases() map[string][]string {
	n := o.find("aliases")
	if n == nil {
		return nil
	}
	t := o.object(n, o.at("aliases"))
	aliases := map[string][]string{}
	for _, m := range t.node.members {
		aliases[m.name] = []string{}
		t.list(m.name, func(n *node, path string) {
			if n.kind != 's' {
				o.wants(path, n, "a text")
			}
			aliases[m.name] = append(aliases[m.name], n.text)
		})
	}
	return aliases
}

func (o object) valueNames() map[string]Names {
	n := o.find("values")
	if n == nil {
		return nil
	}
	t := o.object(n, o.at("values"))
	values := map[string]Names{}
	for _, m := range t.node.members {
		values[m.name] = t.names(m.name)
	}
	return values
}
