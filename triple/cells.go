package triple

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// maxLine is the longest line of a text, bytes, with its end.
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

// ReadLines reads text with one row a line, as [ReadCells] does, from a stream. A line that is not UTF-8 is read as GB18030, as
// stations in the field write it; what is neither has U+FFFD where it cannot be read. Of a line above 64 KiB row gets the
// beginning, as one cell that says so. Both are for row to refuse: the lines behind them are read.
func ReadLines(r io.Reader, row func(int, []string) error) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		var cells []string
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			cells = []string{decoded(text[:longHead]) + "… (a line above 64 KiB)"}
			err = skipLine(lines)
		case errors.Is(err, io.EOF) && len(text) == 0:
			return nil
		default:
			text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
			if n == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			cells = cellsOf([]byte(decoded(text)))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if e := row(n, cells); e != nil || err != nil {
			return e
		}
	}
}

// longHead is how much is shown of a line that is too long.
const longHead = 32

// skipLine reads on to the end of a line.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// decoded is a line as UTF-8.
func decoded(line []byte) string {
	if utf8.Valid(line) {
		return string(line)
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(line)
	if err != nil {
		return strings.ToValidUTF8(string(line), string(utf8.RuneError))
	}
	return string(text)
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
