package triple

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// Limits of a workbook that is read. One of ours with 1,000,000 triples has 80 MB and five times as much unpacked.
const (
	MaxWorkbookSize = 256 << 20 // bytes of the file
	unzipFloor      = 64 << 20  // bytes unpacked that any workbook may have
	unzipFactor     = 20        // and this many times its size
	unzipMemory     = 8 << 20   // bytes of one part; a larger one is unpacked into a temporary file
)

// ReadWorkbook reads a workbook of at most [MaxWorkbookSize] bytes and calls row for each triple, in order. A workbook from elsewhere needs no cover sheet; its cover is zero then.
// Every row is checked: that the MAC columns agree and that Md5 is the secret's. The first error ends it and names sheet and row, never the
// secret; rows before it were handed on, so the caller keeps them in a transaction. The file is held in memory, its sheets in temporary files.
func ReadWorkbook(r io.ReaderAt, size int64, row func(Triple) error) (cover Cover, err error) {
	if size > MaxWorkbookSize {
		return Cover{}, fmt.Errorf("workbook has %d bytes, want at most %d", size, MaxWorkbookSize)
	}
	f, err := excelize.OpenReader(io.NewSectionReader(r, 0, size), excelize.Options{
		UnzipSizeLimit:    unzipFloor + unzipFactor*size,
		UnzipXMLSizeLimit: unzipMemory,
		RawCellValue:      true,
	})
	if err != nil {
		return Cover{}, fmt.Errorf("opening workbook: %w", err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing workbook: %w", e)
		}
	}()
	triples, sheets, covered := 0, 0, false
	for _, name := range f.GetSheetList() {
		if name == coverSheet {
			if cover, err = readCover(f); err != nil {
				return Cover{}, err
			}
			covered = true
			continue
		}
		n, err := readSheet(f, name, row)
		if err != nil {
			return Cover{}, err
		}
		triples += n
		sheets++
	}
	if sheets == 0 {
		return Cover{}, errors.New("workbook has no sheet of triples")
	}
	if covered && triples != cover.Quantity {
		return Cover{}, fmt.Errorf("workbook has %d triples, its cover says %d", triples, cover.Quantity)
	}
	return cover, nil
}

func readSheet(f *excelize.File, name string, row func(Triple) error) (n int, err error) {
	rows, err := f.Rows(name)
	if err != nil {
		return 0, fmt.Errorf("opening sheet %q: %w", name, err)
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing sheet %q: %w", name, e)
		}
	}()
	at := 0
	for rows.Next() {
		at++
		cells, err := rows.Columns()
		if err != nil {
			return n, fmt.Errorf("sheet %q, row %d: %w", name, at, err)
		}
		if at == 1 {
			if err := checkHeading(cells); err != nil {
				return n, fmt.Errorf("sheet %q: %w", name, err)
			}
			continue
		}
		if len(cells) == 0 { // a program may leave empty rows at the end
			continue
		}
		t, err := fromCells(cells)
		if err != nil {
			return n, fmt.Errorf("sheet %q, row %d: %w", name, at, err)
		}
		if err := row(t); err != nil {
			return n, err
		}
		n++
	}
	if err := rows.Error(); err != nil {
		return n, fmt.Errorf("reading sheet %q: %w", name, err)
	}
	if at == 0 {
		return n, fmt.Errorf("sheet %q is empty, want the columns %q", name, columns)
	}
	return n, nil
}

func checkHeading(cells []string) error {
	for i, want := range columns {
		got := ""
		if i < len(cells) {
			got = cells[i]
		}
		if got != want {
			return fmt.Errorf("column %c is %q, want %q", 'A'+i, cut(got), want)
		}
	}
	return nil
}

func fromCells(cells []string) (Triple, error) {
	var c [len(columns)]string
	copy(c[:], cells)
	pid, err := ParseProductID(c[0])
	if err != nil {
		return Triple{}, err
	}
	secret, err := ParseSecret(c[1])
	if err != nil {
		return Triple{}, err
	}
	if len(c[2]) == secretLength {
		return Triple{}, fmt.Errorf("column C has %d characters, want a MAC", len(c[2]))
	}
	mac, err := ParseMAC(c[2])
	if err != nil {
		return Triple{}, err
	}
	if sum := md5.Sum([]byte(c[1])); c[3] != hex.EncodeToString(sum[:]) {
		return Triple{}, errors.New("column D is not the MD5 of the device secret")
	}
	for i, want := range map[int]string{2: mac.String(), 4: mac.Upper(), 5: mac.String()} {
		if c[i] != want {
			return Triple{}, fmt.Errorf("column %c does not agree with the MAC, want %q", 'A'+i, want)
		}
	}
	return Triple{pid, mac, secret}, nil
}

func readCover(f *excelize.File) (c Cover, err error) {
	rows, err := f.GetRows(coverSheet)
	if err != nil {
		return Cover{}, fmt.Errorf("reading the cover: %w", err)
	}
	for _, cells := range rows {
		if len(cells) < 3 {
			continue
		}
		value := cells[2]
		switch cells[0] {
		case "Product name":
			c.ProductName = value
		case "ProductKey":
			c.ProductKey = value
		case "Product":
			c.Product = value
		case "Order":
			c.Order = value
		case "Download":
			c.Download = value
		case "Left out, activated":
			c.LeftOut, err = strconv.Atoi(value)
		case "Generation":
			var n uint64
			n, err = strconv.ParseUint(value, 10, 32)
			c.Generation = uint32(n)
		case "Quantity":
			c.Quantity, err = strconv.Atoi(value)
		case "Issued":
			c.Issued, err = time.Parse(time.RFC3339, value)
		}
		if err != nil {
			return Cover{}, fmt.Errorf("cover: %s is %q: %w", cells[0], cut(value), err)
		}
	}
	return c, nil
}
