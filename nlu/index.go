package nlu

// Index is a compiled home. It is immutable.
type Index struct{}

// Memory is what a conversation knows. It is immutable and opaque.
type Memory struct{}

// Compile builds the index of a home, in milliseconds. An error names what is wrong with the home.
func Compile(h Home) (*Index, error) { return &Index{}, nil }

// Read understands one utterance. c may be nil.
func (x *Index) Read(c *Context, utterance string) Reading { return Reading{} }

type frame struct{}
