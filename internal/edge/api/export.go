package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	csvType   = "text/csv"
	linesType = "application/x-ndjson"

	exportPage = 200       // rows read at once
	exportRows = 2_000_000 // the most rows of one file
)

// export writes a whole list, page by page, in bounded memory. What breaks it off breaks the connection, so that half a
// list never looks whole.
func export[V any](a *API, hc huma.Context, format, name string, first page[V], next func(context.Context, string) (page[V], error)) {
	_, w := humago.Unwrap(hc)
	h := w.Header()
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, name, format))
	var rows rowWriter = newLines(w)
	h.Set("Content-Type", linesType)
	if format == "csv" {
		h.Set("Content-Type", csvType+"; charset=utf-8; header=present")
		rows = newCSV(w, reflect.TypeFor[V]())
	}
	err := copyList(hc.Context(), http.NewResponseController(w), rows, first, next)
	if err != nil {
		a.Logger.LogAttrs(hc.Context(), slog.LevelWarn, "export broke off", slog.String("request", callOf(hc.Context()).id), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
}

// rechecked gives the pages of next while whoever asked for them may: every 2 s that is asked again.
func rechecked[V any](still func(context.Context) error, next func(context.Context, string) (page[V], error)) func(context.Context, string) (page[V], error) {
	checked := time.Now()
	return func(ctx context.Context, cursor string) (page[V], error) {
		if time.Since(checked) >= liveCheck {
			if err := still(ctx); err != nil {
				return page[V]{}, err
			}
			checked = time.Now()
		}
		return next(ctx, cursor)
	}
}

// copyList writes first and all pages behind it.
func copyList[V any](ctx context.Context, control *http.ResponseController, rows rowWriter, p page[V], next func(context.Context, string) (page[V], error)) error {
	for n := 0; ; {
		if err := control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		for i := range p.Items {
			if err := rows.Write(p.Items[i]); err != nil {
				return err
			}
		}
		if err := rows.Flush(); err != nil {
			return err
		}
		if n += len(p.Items); n > exportRows {
			return fmt.Errorf("the list has more than %d rows", exportRows)
		}
		if p.NextCursor == "" {
			err := control.SetWriteDeadline(time.Time{}) // the connection serves on
			if errors.Is(err, http.ErrNotSupported) {
				return nil
			}
			return err
		}
		var err error
		if p, err = next(ctx, p.NextCursor); err != nil {
			return err
		}
	}
}

type rowWriter interface {
	Write(item any) error
	Flush() error
}

type lineWriter struct{ *json.Encoder }

func newLines(w io.Writer) *lineWriter { return &lineWriter{json.NewEncoder(w)} }

func (l *lineWriter) Write(item any) error { return l.Encode(item) }
func (l *lineWriter) Flush() error         { return nil }

// csvWriter writes items as rows: one column a field, those of a nested object as "outer.inner".
type csvWriter struct {
	out     *csv.Writer
	columns []string
	begun   bool
	row     []string
}

func newCSV(w io.Writer, item reflect.Type) *csvWriter {
	c := &csvWriter{out: csv.NewWriter(w), columns: columnsOf(item, "")}
	c.row = make([]string, len(c.columns))
	return c
}

// columnsOf lists the columns of a type in the order of its fields.
func columnsOf(t reflect.Type, prefix string) (out []string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "":
			out = append(out, columnsOf(f.Type, prefix)...)
		case nested(f.Type):
			out = append(out, columnsOf(f.Type, prefix+name+".")...)
		default:
			out = append(out, prefix+name)
		}
	}
	return out
}

var marshaler = reflect.TypeFor[json.Marshaler]()

func nested(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !t.Implements(marshaler) && !reflect.PointerTo(t).Implements(marshaler)
}

// Write implements rowWriter.
func (c *csvWriter) Write(item any) error {
	b, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return c.WriteJSON(b)
}

// WriteJSON writes an item that is JSON already.
func (c *csvWriter) WriteJSON(b []byte) (err error) {
	if !c.begun {
		c.begun = true
		if err := c.out.Write(c.columns); err != nil {
			return err
		}
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil {
		return err
	}
	for i, column := range c.columns {
		if c.row[i], err = cell(object, column); err != nil {
			return err
		}
	}
	return c.out.Write(c.row)
}

// Flush implements rowWriter. A list without items is its head.
func (c *csvWriter) Flush() error {
	if !c.begun {
		c.begun = true
		if err := c.out.Write(c.columns); err != nil {
			return err
		}
	}
	c.out.Flush()
	return c.out.Error()
}

// cell is the value at a column's path: a text as it is, everything else as JSON.
func cell(object map[string]json.RawMessage, column string) (string, error) {
	outer, inner, deeper := strings.Cut(column, ".")
	raw, ok := object[outer]
	switch {
	case !ok || bytes.Equal(raw, []byte("null")):
		return "", nil
	case deeper:
		var sub map[string]json.RawMessage
		if err := json.Unmarshal(raw, &sub); err != nil {
			return "", err
		}
		return cell(sub, inner)
	case raw[0] != '"':
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	return asText(text), nil
}

// asText keeps a spreadsheet from reading a text as a formula: what begins like one is quoted by an apostrophe
// (OWASP, CSV Injection).
func asText(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
