package nlu

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxExpect is the longest expectation that is read, bytes.
const MaxExpect = 16 << 10

// An Expectation is what a sentence is to be read as, in the form of the evaluation sets:
// {"outcome":"act","actions":[{"op":"set","targets":["d1"],"prop":"powerstate","value":true}]}.
type Expectation struct {
	outcome Outcome
	targets []string
	parts   []string
}

// ReadExpectation reads an expectation; an error says what it lacks.
func ReadExpectation(b []byte) (*Expectation, error) {
	if len(b) > MaxExpect {
		return nil, fmt.Errorf("it is longer than %d bytes", MaxExpect)
	}
	var in struct {
		Outcome Outcome      `json:"outcome"`
		Actions []lineAction `json:"actions"`
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return nil, fmt.Errorf("it is no JSON object of outcome and actions")
	}
	switch {
	case !slices.Contains([]Outcome{Act, Clarify, Reject, Chat}, in.Outcome):
		return nil, fmt.Errorf("its outcome is not act, clarify, reject or chat")
	case (in.Outcome == Act) != (len(in.Actions) > 0):
		return nil, fmt.Errorf("actions belong to the outcome act, and to no other")
	}
	e := &Expectation{outcome: in.Outcome}
	for i := range in.Actions {
		a := &in.Actions[i]
		if !slices.Contains([]Op{OpSet, OpAdjust, OpQuery, OpScene, OpTimer, OpTimerCancel, OpTimerQuery, OpCall}, a.Op) {
			return nil, fmt.Errorf("it has an op that there is none of")
		}
		e.targets = append(e.targets, a.Targets...)
		e.parts = append(e.parts, partsOf(a)...)
	}
	slices.Sort(e.parts)
	return e, nil
}

// Targets are the devices that the expectation names.
func (e *Expectation) Targets() []string { return e.targets }

// Met says whether a reading is what was expected. Grouping and order do not matter, and where nothing is to be done or asked,
// neither does why.
func (e *Expectation) Met(r *Reading) bool {
	if e.outcome == Reject || e.outcome == Chat {
		return r.Outcome == Reject || r.Outcome == Chat
	}
	if r.Outcome != e.outcome {
		return false
	}
	line := lineOf("", *r, 0)
	var got []string
	for i := range line.Actions {
		got = append(got, partsOf(&line.Actions[i])...)
	}
	slices.Sort(got)
	return slices.Equal(got, e.parts)
}

// partsOf is a text for each target of an action and all else of it.
func partsOf(a *lineAction) []string {
	rest := *a
	rest.Targets = nil
	if v, is := toFloat(rest.Value); is {
		rest.Value = strconv.FormatFloat(v, 'g', -1, 64)
	}
	b, err := json.Marshal(rest)
	if err != nil { // a value that is no JSON equals nothing
		b = []byte(err.Error())
	}
	if len(a.Targets) == 0 {
		return []string{string(b)}
	}
	parts := make([]string, len(a.Targets))
	for i, target := range a.Targets {
		parts[i] = target + " " + string(b)
	}
	return parts
}

// Result writes a reading as [Lines] does.
func Result(r *Reading) json.RawMessage {
	b, err := json.Marshal(lineOf("", *r, 0))
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
