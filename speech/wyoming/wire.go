package wyoming

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of an event, in bytes.
const (
	MaxHeader = 64 << 10 // of the line, its end included; the reference reads no longer ones either
	MaxData   = 1 << 20
	MaxFields = 256 // of one object

	MaxServerPayload = 1 << 20
	MaxClientPayload = 16 << 20
)

// ErrWire is an event that cannot be read: the connection is over.
var ErrWire = errors.New("not an event of Wyoming")

// A Reader reads events from a stream. It reads no further than the event it returns, but for its buffer.
type Reader struct {
	r       *bufio.Reader
	payload int
}

// NewReader reads events with a payload of at most that many bytes.
func NewReader(r io.Reader, payload int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 4<<10), payload: payload}
}

// Read returns the next event. At the end of the stream between two events it is [io.EOF]; what cannot be read is [ErrWire],
// after which nothing more can be.
func (r *Reader) Read() (Event, error) {
	line, err := r.line()
	if err != nil {
		return Event{}, err
	}
	h, err := header(line)
	if err != nil {
		return Event{}, err
	}
	switch {
	case h.data > MaxData:
		return Event{}, fmt.Errorf("%w: %d bytes of data announced, at most %d are read", ErrWire, h.data, MaxData)
	case h.payload > int64(r.payload):
		return Event{}, fmt.Errorf("%w: %d bytes of payload announced, at most %d are read", ErrWire, h.payload, r.payload)
	}
	if err := r.data(&h); err != nil {
		return Event{}, err
	}
	if h.event.Payload, err = r.bytes(h.payload); err != nil {
		return Event{}, err
	}
	return h.event, nil
}

// line is the next header, without its end.
func (r *Reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if len(line)+len(part) > MaxHeader {
			return nil, fmt.Errorf("%w: a header of more than %d bytes", ErrWire, MaxHeader)
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, cut("header")
		case err != nil:
			return nil, err
		}
		return line[:len(line)-1], nil
	}
}

// data reads the block of data and lays it over what stood in the header.
func (r *Reader) data(h *head) error {
	block, err := r.bytes(h.data)
	if err != nil || len(block) == 0 {
		return err
	}
	over, err := object(block)
	if err != nil {
		return err
	}
	if h.event.Data == nil {
		h.event.Data = over
		return nil
	}
	for name, v := range over {
		h.event.Data[name] = v
	}
	return nil
}

// bytes reads n bytes; the buffer grows as they come.
func (r *Reader) bytes(n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r.r, n); err != nil {
		if errors.Is(err, io.EOF) {
			err = cut("data or payload")
		}
		return nil, err
	}
	return b.Bytes(), nil
}

func cut(where string) error {
	return fmt.Errorf("%w: the stream ended within a %s (%w)", ErrWire, where, io.ErrUnexpectedEOF)
}

// head is a header, and the event as far as it is in there.
type head struct {
	event         Event
	data, payload int64
}

func header(line []byte) (head, error) {
	fields, err := object(line)
	if err != nil {
		return head{}, err
	}
	var h head
	if h.event.Type, err = fields.text("type"); err != nil || h.event.Type == "" {
		return head{}, fmt.Errorf("%w: a header without a type", ErrWire)
	}
	if h.event.Data, err = fields.object("data"); err != nil {
		return head{}, fmt.Errorf("%w: data that are no object", ErrWire)
	}
	for name, into := range map[string]*int64{"data_length": &h.data, "payload_length": &h.payload} {
		if *into, err = length(fields[name]); err != nil {
			return head{}, fmt.Errorf("%w: %s is no length", ErrWire, name)
		}
	}
	return h, nil
}

// length reads digits only: no sign, no fraction, no exponent, no quotes.
func length(v json.RawMessage) (int64, error) {
	if absent(v) {
		return 0, nil
	}
	if len(v) > 12 || strings.Trim(string(v), "0123456789") != "" {
		return 0, ErrWire
	}
	var n int64
	err := json.Unmarshal(v, &n)
	return n, err
}

// object reads one JSON object and nothing behind it. Of a name that is given twice the last counts.
func object(b []byte) (Data, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrWire)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: not a JSON object", ErrWire)
	}
	fields := Data{}
	for d.More() {
		if len(fields) == MaxFields {
			return nil, fmt.Errorf("%w: an object of more than %d fields", ErrWire, MaxFields)
		}
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: broken JSON", ErrWire)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("%w: broken JSON", ErrWire)
		}
		fields[name.(string)] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%w: broken JSON", ErrWire)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something behind the JSON object", ErrWire)
	}
	return fields, nil
}

// Append adds an event to b as the reference library writes it: data in a block of their own, lengths only where there is
// something. data is a struct or map that makes a JSON object; nil, or an object without fields, is left out.
func Append(b []byte, kind string, data any, payload []byte) ([]byte, error) {
	var block []byte
	if data != nil {
		var err error
		if block, err = encode(data); err != nil {
			return b, fmt.Errorf("encoding the data of %s: %w", kind, err)
		}
		if s := string(block); s == "{}" || s == "null" {
			block = nil
		}
	}
	line, err := encode(struct {
		Type    string `json:"type"`
		Version string `json:"version"`
		Data    int    `json:"data_length,omitempty"`
		Payload int    `json:"payload_length,omitempty"`
	}{kind, Version, len(block), len(payload)})
	if err != nil {
		return b, fmt.Errorf("encoding the header of %s: %w", kind, err)
	}
	b = append(append(b, line...), '\n')
	return append(append(b, block...), payload...), nil
}

// encode writes JSON without escaping what only HTML needs escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
