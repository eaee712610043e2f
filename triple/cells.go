package triple

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// maxLine is the longest line of a text, bytes.
const maxLine = 64 << 10

// unzipPrivate is how many bytes a workbook may have unpacked that is read in memory only.
const unzipPrivate = 128 << 20

// ReadCells reads a file of rows as makers have them: a workbook (.xlsx), or text with one row a line, parted by commas,
// semicolons, tabs, or not at all. It calls row with the number of the line and its cells; the rows of a workbook's sheets are
// numbered on. An error of row ends it. Sheets above 8 MB are unpacked into temporary files, unless private is set: then
// nothing is written anywhere, and a workbook may have 128 MB unpacked.
func ReadCells(r io.ReaderAt, size int64, private bool, row func(line int, cells []string) error) error {
	var head [4]byte
	if n, _ := r.ReadAt(head[:], 0); n == len(head) && string(head[:]) == "PK\x03\x04" {
		o := excelize.Options{UnzipSizeLimit: unzipFloor + unzipFactor*size, UnzipXMLSizeLimit: unzipMemory, RawCellValue: true}
		if private {
			o.UnzipSizeLimit, o.UnzipXMLSizeLimit = unzipPrivate, unzipPrivate
		}
		return readSheets(io.NewSectionReader(r, 0, size), o, row)
	}
	return ReadLines(io.NewSectionReader(r, 0, size), row)
}

func readSheets(r io.Reader, o excelize.Options, row func(int, []string) error) (err error) {
	f, err := excelize.OpenReader(r, o)
	if err != nil {
		return fmt.Errorf("opening workbook: %w", err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing workbook: %w", e)
		}
	}()
	line := 0
	for _, name := range f.GetSheetList() {
		rows, err := f.Rows(name)
		if err != nil {
			return fmt.Errorf("opening sheet %q: %w", name, err)
		}
		for rows.Next() {
			line++
			cells, err := rows.Columns()
			if err == nil {
				err = row(line, cells)
			}
			if err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		if err := errors.Join(rows.Error(), rows.Close()); err != nil {
			return fmt.Errorf("reading sheet %q: %w", name, err)
		}
	}
	return nil
}

// ReadLines reads text with one row a line, as [ReadCells] does, from a stream.
func ReadLines(r io.Reader, row func(int, []string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	n := 0
	for ; lines.Scan(); n++ {
		text := lines.Bytes()
		if n == 0 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if !utf8.Valid(text) {
			return fmt.Errorf("line %d is not UTF-8 text", n+1)
		}
		if err := row(n+1, cellsOf(text)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// cellsOf parts a line at whatever it has of commas, semicolons and tabs; quoted cells keep theirs.
func cellsOf(line []byte) []string {
	comma := rune(0)
	for _, c := range []byte{',', ';', '\t'} {
		if bytes.IndexByte(line, c) >= 0 {
			comma = rune(c)
			break
		}
	}
	if comma == 0 && bytes.IndexByte(line, '"') < 0 {
		return []string{string(line)}
	}
	if comma == 0 {
		comma = ','
	}
	if bytes.IndexByte(line, '"') < 0 {
		var cells []string
		for c := range bytes.SplitSeq(line, []byte(string(comma))) {
			cells = append(cells, string(c))
		}
		return cells
	}
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	cells, err := r.Read()
	if err != nil {
		return []string{string(line)}
	}
	return cells
}
