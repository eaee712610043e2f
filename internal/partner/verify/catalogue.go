package verify

import (
	"bytes"
	_ "embed" // the catalogue and its schema
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lampworks/internal/infra/blob"
	"lampworks/internal/partner/account"
)

// A Form is who applies: an organisation, or a person on their own.
type Form string

// The forms of an applicant.
const (
	FormOrganisation Form = "organisation" // 企业或其他组织
	FormPerson       Form = "person"       // 个人
)

// A Title is what something is called, by language.
type Title map[string]string

// A FormSpec is a form with its title.
type FormSpec struct {
	Form  Form  `json:"form"`
	Title Title `json:"title"`
}

// A Field is one line of a form. Without forms or kinds it is for all.
type Field struct {
	Name     string         `json:"name"`
	Title    Title          `json:"title"`
	Rule     string         `json:"rule"` // text, unified_code, resident_id, phone, email, date, choice, pattern
	Required bool           `json:"required,omitempty"`
	Personal bool           `json:"personal,omitempty"` // shown masked
	Forms    []Form         `json:"forms,omitempty"`
	Kinds    []account.Kind `json:"kinds,omitempty"`
	Min      int            `json:"min,omitempty"` // characters
	Max      int            `json:"max,omitempty"` // characters
	Pattern  string         `json:"pattern,omitempty"`
	Choices  []Choice       `json:"choices,omitempty"`

	pattern *regexp.Regexp
}

// A Choice is one value of a field that has few.
type Choice struct {
	Value string `json:"value"`
	Title Title  `json:"title"`
}

// A Slot is where a paper of one sort goes. Without forms or kinds it is for all.
type Slot struct {
	Slot     string         `json:"slot"`
	Title    Title          `json:"title"`
	Required bool           `json:"required,omitempty"`
	Forms    []Form         `json:"forms,omitempty"`
	Kinds    []account.Kind `json:"kinds,omitempty"`
	Most     int            `json:"most"`      // papers
	MaxBytes int64          `json:"max_bytes"` // of one paper
	Types    []blob.Type    `json:"types"`
	Number   Wish           `json:"number"`
	Issuer   Wish           `json:"issuer"`
	From     Wish           `json:"valid_from"`
	Until    Wish           `json:"valid_until"`
}

// A Wish says whether something is to be given.
type Wish string

// The wishes.
const (
	None     Wish = "none"
	Optional Wish = "optional"
	Required Wish = "required"
)

// A Qualification is what some functions ask for beyond the verification itself (资质).
type Qualification struct {
	Name   string   `json:"name"`
	Title  Title    `json:"title"`
	Papers []string `json:"papers"` // slots; one paper in each
}

// A LevelSpec says who is of a level: verified in one of the forms, with all the qualifications.
type LevelSpec struct {
	Level          int      `json:"level"`
	Title          Title    `json:"title"`
	Forms          []Form   `json:"forms,omitempty"`
	Qualifications []string `json:"qualifications,omitempty"`
}

// A ReasonSpec is a reason that a reviewer may give.
type ReasonSpec struct {
	Code  string   `json:"code"`
	Title Title    `json:"title"`
	Of    []string `json:"of"` // field, paper, whole
}

// A Catalogue says what is asked of whom. It is data: catalogue.json.
type Catalogue struct {
	Version        string          `json:"version"`
	Forms          []FormSpec      `json:"forms"`
	Fields         []Field         `json:"fields"`
	Papers         []Slot          `json:"papers"`
	Qualifications []Qualification `json:"qualifications"`
	Levels         []LevelSpec     `json:"levels"`
	Reasons        []ReasonSpec    `json:"reasons"`
}

//go:embed catalogue.json
var catalogueJSON []byte

//go:embed catalogue.schema.json
var schemaJSON []byte

// maxPaper is how large a paper may be unless its slot says otherwise, bytes.
const maxPaper = 10 << 20

// LargestPaper is the most any slot may allow, bytes; an edge bounds uploads by it.
const LargestPaper = 20 << 20

// mediaTypes are what a paper may be unless its slot says otherwise. SVG is a program, not a picture.
func mediaTypes() []blob.Type { return []blob.Type{blob.PDF, blob.PNG, blob.JPEG, blob.WebP} }

// ReadCatalogue reads a catalogue and refuses one that its schema, or its own sense, refuses.
func ReadCatalogue(text []byte) (*Catalogue, error) {
	if err := agrees(text); err != nil {
		return nil, fmt.Errorf("the catalogue of verification: %w", err)
	}
	c := new(Catalogue)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("the catalogue of verification: %w", err)
	}
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("the catalogue of verification: %w", err)
	}
	return c, nil
}

// agrees holds a text to the schema.
func agrees(text []byte) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("catalogue.schema.json", schema); err != nil {
		return err
	}
	compiled, err := c.Compile("catalogue.schema.json")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

// complete fills in what is left out, and finds what no schema can.
func (c *Catalogue) complete() error {
	seen := make(map[string]bool)
	once := func(kind, name string) error {
		if seen[kind+name] {
			return fmt.Errorf("the %s %s is given twice", kind, name)
		}
		seen[kind+name] = true
		return nil
	}
	for i := range c.Fields {
		f := &c.Fields[i]
		if err := once("field", f.Name); err != nil {
			return err
		}
		if f.Pattern != "" {
			re, err := regexp.Compile(f.Pattern)
			if err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
			f.pattern = re
		}
	}
	for i := range c.Papers {
		if err := once("paper", c.Papers[i].Slot); err != nil {
			return err
		}
		c.Papers[i].complete()
	}
	return c.completeNames(once)
}

func (p *Slot) complete() {
	p.Most = max(p.Most, 1)
	if p.MaxBytes == 0 {
		p.MaxBytes = maxPaper
	}
	if len(p.Types) == 0 {
		p.Types = mediaTypes()
	}
	for _, w := range []*Wish{&p.Number, &p.Issuer, &p.From, &p.Until} {
		if *w == "" {
			*w = None
		}
	}
}

func (c *Catalogue) completeNames(once func(kind, name string) error) error {
	for _, q := range c.Qualifications {
		if err := once("qualification", q.Name); err != nil {
			return err
		}
		for _, slot := range q.Papers {
			if c.Slot(slot) == nil {
				return fmt.Errorf("the qualification %s rests on the paper %s, which there is not", q.Name, slot)
			}
		}
	}
	for i, l := range c.Levels {
		if l.Level != i {
			return fmt.Errorf("level %d stands at place %d", l.Level, i)
		}
		for _, q := range l.Qualifications {
			if c.Qualification(q) == nil {
				return fmt.Errorf("level %d asks for the qualification %s, which there is not", l.Level, q)
			}
		}
	}
	for _, r := range c.Reasons {
		if err := once("reason", r.Code); err != nil {
			return err
		}
	}
	return nil
}

// FieldsOf lists the fields that a form asks of the kinds.
func (c *Catalogue) FieldsOf(form Form, kinds []account.Kind) []Field {
	return slices.DeleteFunc(slices.Clone(c.Fields), func(f Field) bool { return !meant(form, kinds, f.Forms, f.Kinds) })
}

// SlotsOf lists the papers that a form asks of the kinds, or takes from them.
func (c *Catalogue) SlotsOf(form Form, kinds []account.Kind) []Slot {
	return slices.DeleteFunc(slices.Clone(c.Papers), func(p Slot) bool { return !meant(form, kinds, p.Forms, p.Kinds) })
}

func meant(form Form, kinds []account.Kind, forms []Form, of []account.Kind) bool {
	return (len(forms) == 0 || slices.Contains(forms, form)) &&
		(len(of) == 0 || slices.ContainsFunc(of, func(k account.Kind) bool { return slices.Contains(kinds, k) }))
}

// Slot finds a slot, nil if there is none.
func (c *Catalogue) Slot(name string) *Slot {
	return find(c.Papers, func(p *Slot) bool { return p.Slot == name })
}

// Field finds a field, nil if there is none.
func (c *Catalogue) Field(name string) *Field {
	return find(c.Fields, func(f *Field) bool { return f.Name == name })
}

// Qualification finds a qualification, nil if there is none.
func (c *Catalogue) Qualification(name string) *Qualification {
	return find(c.Qualifications, func(q *Qualification) bool { return q.Name == name })
}

// reason finds a reason, nil if there is none.
func (c *Catalogue) reason(code string) *ReasonSpec {
	return find(c.Reasons, func(r *ReasonSpec) bool { return r.Code == code })
}

// catalogueRoute is where it is read.
const catalogueRoute = "GET /api/v1/verification/catalogue"

// names is what each of a list is called, behind a prefix.
func names[T any](prefix string, list []T, of func(*T) string) (all []string) {
	for i := range list {
		all = append(all, prefix+of(&list[i]))
	}
	return all
}

func fieldName(f *Field) string                 { return f.Name }
func slotName(p *Slot) string                   { return p.Slot }
func qualificationName(q *Qualification) string { return q.Name }
func reasonCode(r *ReasonSpec) string           { return r.Code }

// QualificationNames lists what every qualification is called.
func (c *Catalogue) QualificationNames() []string {
	return names("", c.Qualifications, qualificationName)
}

// conditions lists what may be waived.
func (c *Catalogue) conditions() []string {
	return slices.Concat(names("field.", c.Fields, fieldName), names("paper.", c.Papers, slotName), names("qualification.", c.Qualifications, qualificationName))
}

// carries says whether a paper of the slot is one that some qualification rests on: that it expires ends the
// qualification, not the verification.
func (c *Catalogue) carries(slot string) bool {
	return slices.ContainsFunc(c.Qualifications, func(q Qualification) bool { return slices.Contains(q.Papers, slot) })
}

func find[T any](list []T, is func(*T) bool) *T {
	for i := range list {
		if is(&list[i]) {
			return &list[i]
		}
	}
	return nil
}
