package tsl

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// MarshalJSON writes the document as exports are written: the three lists are there even when they are empty.
func (d *Document) MarshalJSON() ([]byte, error) {
	type plain Document
	whole := plain(*d)
	whole.Properties = full(whole.Properties)
	whole.Events = full(whole.Events)
	whole.Services = full(whole.Services)
	return encode(&whole)
}

// MarshalJSON writes outputData even when it is empty.
func (e EventDef) MarshalJSON() ([]byte, error) {
	type plain EventDef
	e.OutputData = full(e.OutputData)
	return encode(plain(e))
}

// MarshalJSON writes inputData and outputData even when they are empty.
func (s ServiceDef) MarshalJSON() ([]byte, error) {
	type plain ServiceDef
	s.InputData, s.OutputData = full(s.InputData), full(s.OutputData)
	return encode(plain(s))
}

// MarshalJSON writes a bare entry of the default service get as its identifier.
func (p ParameterDef) MarshalJSON() ([]byte, error) {
	type plain ParameterDef
	if p.bare() {
		return encode(p.Identifier)
	}
	return encode(plain(p))
}

// MarshalJSON writes the type and the specs that belong to it, values in their order and numbers in quotes.
func (d DataType) MarshalJSON() ([]byte, error) {
	specs, err := d.specs()
	if err != nil {
		return nil, err
	}
	name, err := encode(d.Type)
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"type":`), name...)
	b = append(b, `,"specs":`...)
	b = append(b, specs...)
	return append(b, '}'), nil
}

func (d *DataType) specs() ([]byte, error) {
	s := &d.Specs
	switch t, _ := ParseType(d.Type); t {
	case Struct:
		return encode(full(s.Fields))
	case Array:
		return encode(&struct {
			Size string    `json:"size,omitempty"`
			Item *DataType `json:"item"`
		}{s.Size, s.Item})
	case Bool, Enum:
		return s.encodeValues()
	default:
		return encode(&struct {
			Min      string `json:"min,omitempty"`
			Max      string `json:"max,omitempty"`
			Step     string `json:"step,omitempty"`
			Length   string `json:"length,omitempty"`
			Unit     string `json:"unit,omitempty"`
			UnitName string `json:"unitName,omitempty"`
		}{s.Min, s.Max, s.Step, s.Length, s.Unit, s.UnitName})
	}
}

func (s *Specs) encodeValues() ([]byte, error) {
	b := []byte{'{'}
	for i, v := range s.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = strconv.AppendInt(b, v.Value, 10)
		b = append(b, `":`...)
		name, err := encode(v.Name)
		if err != nil {
			return nil, err
		}
		b = append(b, name...)
	}
	return append(b, '}'), nil
}

// encode is json.Marshal without the escapes for HTML: "<" in a name stays readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
