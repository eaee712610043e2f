package triple

import (
	"errors"
	"io"
	"time"
)

// A Cover is the sheet that says what the triples of a workbook are. Only Quantity must be set.
type Cover struct {
	ProductName string
	ProductKey  string // which Wi-Fi devices sign with; for a product made here it follows from the ProductID
	Product     string // UUID
	Order       string // UUID of the order they were issued under
	Generation  uint32 // of every secret in the workbook
	Quantity    int    // triples
	Issued      time.Time
}

// A Workbook writes triples as an Office Open XML workbook (.xlsx) in constant memory. It is not safe for concurrent use.
type Workbook struct{ w io.Writer }

// NewWorkbook begins a workbook of exactly cover.Quantity triples on w.
func NewWorkbook(w io.Writer, cover Cover) (*Workbook, error) { return &Workbook{w}, nil }

// Row writes the next triple.
func (b *Workbook) Row(t Triple) error { return errors.New("not built yet") }

// Close completes the workbook. It does not close the writer below.
func (b *Workbook) Close() error { return errors.New("not built yet") }

// ReadWorkbook reads a workbook and calls row for each triple, in order.
func ReadWorkbook(r io.ReaderAt, size int64, row func(Triple) error) (Cover, error) {
	return Cover{}, errors.New("not built yet")
}
