package tsl

// Names is a name by language: {"zh-CN": "亮度", "en": "brightness"}.
type Names map[string]string

// Document is a thing model as makers write and exchange it: the TSL JSON that Alibaba Cloud exports, and our optional
// members under "lampworks", which other readers pass over.
//
// The default event post and the default services set and get, which an export repeats from the properties, are kept
// in the document and left out of the [Model].
type Document struct {
	Schema            string        `json:"schema,omitempty"`
	Link              string        `json:"link,omitempty"`
	Profile           *Profile      `json:"profile,omitempty"`
	FunctionBlockID   string        `json:"functionBlockId,omitempty"`
	FunctionBlockName string        `json:"functionBlockName,omitempty"`
	Properties        []PropertyDef `json:"properties"`
	Events            []EventDef    `json:"events"`
	Services          []ServiceDef  `json:"services"`
}

// Profile says whose model it is.
type Profile struct {
	ProductKey string `json:"productKey,omitempty"`
	DeviceName string `json:"deviceName,omitempty"`
	Version    string `json:"version,omitempty"`
}

// PropertyDef is a property (属性) as the document writes it.
type PropertyDef struct {
	Identifier string   `json:"identifier"`
	Name       string   `json:"name"`
	AccessMode string   `json:"accessMode"` // "r", "rw", or the older "w"
	Required   bool     `json:"required"`
	Desc       string   `json:"desc,omitempty"`
	DataType   DataType `json:"dataType"`
	Lampworks  *Hints   `json:"lampworks,omitempty"`
}

// EventDef is an event (事件).
type EventDef struct {
	Identifier string         `json:"identifier"`
	Name       string         `json:"name"`
	Type       string         `json:"type"` // "info", "alert" or "error"
	Required   bool           `json:"required"`
	Desc       string         `json:"desc,omitempty"`
	Method     string         `json:"method,omitempty"`
	OutputData []ParameterDef `json:"outputData"`
	Lampworks  *Hints         `json:"lampworks,omitempty"`
}

// ServiceDef is a service (服务): an act of the device with input and output.
type ServiceDef struct {
	Identifier string         `json:"identifier"`
	Name       string         `json:"name"`
	CallType   string         `json:"callType"` // "sync" or "async"
	Required   bool           `json:"required"`
	Desc       string         `json:"desc,omitempty"`
	Method     string         `json:"method,omitempty"`
	InputData  []ParameterDef `json:"inputData"`
	OutputData []ParameterDef `json:"outputData"`
	Lampworks  *Hints         `json:"lampworks,omitempty"`
}

// ParameterDef is a parameter of an event or service, or a field of a struct. The default service get lists bare
// identifiers as its input; such an entry has an identifier and nothing else.
type ParameterDef struct {
	Identifier string   `json:"identifier"`
	Name       string   `json:"name,omitempty"`
	Required   bool     `json:"required,omitempty"` // ours: a message without it is refused
	Desc       string   `json:"desc,omitempty"`
	DataType   DataType `json:"dataType"`
	Lampworks  *Hints   `json:"lampworks,omitempty"`
}

// DataType is a type and its specs.
type DataType struct {
	Type  string // "int" … "struct"
	Specs Specs
}

// Specs is everything the specs of the nine types can hold; numbers are text, as exports write them. What does not
// belong to the type is left empty.
type Specs struct {
	Min, Max, Step string         // int, float, double
	Unit, UnitName string         // int, float, double: "%", "百分比"
	Length         string         // text: longest, bytes of UTF-8
	Size           string         // array: most elements
	Item           *DataType      // array
	Values         []ValueDef     // bool (0 and 1), enum
	Fields         []ParameterDef // struct
}

// ValueDef is one value of a bool or enum with its name.
type ValueDef struct {
	Value int64
	Name  string
}

// Hints is what Lampworks adds under "lampworks": names in further languages, other words people say, and whether a
// service may be sent twice.
type Hints struct {
	Names      Names               `json:"names,omitempty"`      // of the member itself, by language
	Aliases    map[string][]string `json:"aliases,omitempty"`    // other names people say, by language
	Values     map[string]Names    `json:"values,omitempty"`     // names of bool and enum values, by value
	Idempotent bool                `json:"idempotent,omitempty"` // services: carried out twice is the same as once
}
