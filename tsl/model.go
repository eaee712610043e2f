package tsl

// Model is a document made ready to check messages. It never changes and is safe for any number of goroutines.
type Model struct {
	document *Document
}

// Property is a property of the model, a parameter of an event or service, a field of a struct, or the item of an
// array (which has no identifier). It belongs to its Model and must not be changed.
type Property struct {
	Identifier string
	Name       string              // as the document gives it
	Names      Names               // by language, "zh-CN" and "en" where known
	Aliases    map[string][]string // other words for it, by language; may be nil
	Type       Type
	Readable   bool // the device posts it (accessMode r or rw)
	Writable   bool // it can be set (accessMode rw or w)
	Required   bool // parameters and fields: a message without it is refused

	Unit     string  // "%", "K"; numeric types, may be empty
	Min, Max float64 // numeric types with HasRange
	Step     float64 // 0: none; counted from Min, or from 0 without a range
	HasRange bool

	Enum   []EnumValue // bool and enum, ascending
	Length int         // text: longest, bytes of UTF-8
	Size   int         // array: most elements
	Item   *Property   // array
	Fields []*Property // struct, in the order of the document
}

// EnumValue is one value of a bool or enum.
type EnumValue struct {
	Value int64
	Name  string // as the document gives it
	Names Names  // by language, "zh-CN" and "en" where known
}

// Event is an event a device may post.
type Event struct {
	Identifier, Name string
	Names            Names
	Aliases          map[string][]string
	Type             string // "info", "alert" or "error"
	Output           []*Property
}

// Service is an act that can be asked of a device.
type Service struct {
	Identifier, Name string
	Names            Names
	Aliases          map[string][]string
	Async            bool
	Idempotent       bool // may be sent twice: carried out twice is the same as once
	Input, Output    []*Property
}

// Each is called for every property of a message as it is scanned, with the raw JSON of its value (aliasing the
// message) and its time in milliseconds since 1970 UTC, 0 when none was given. It is called before the rest of the
// message was seen: when the check then returns a Violation, what was collected is to be thrown away.
type Each = func(p *Property, value []byte, timeMS int64)

// Document is what the model was compiled from; it must not be changed.
func (m *Model) Document() *Document { return m.document }
