package triple

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var someCover = Cover{
	ProductName: `客厅灯 <"Lamp" & Co> =1+1`,
	ProductKey:  "lw9qtmw8mx6",
	Product:     "0190b5a0-7b0a-7000-8000-000000000001",
	Order:       "01939f2e-5c11-7abc-9def-0123456789ab",
	Generation:  3,
	Issued:      time.Date(2026, 11, 24, 3, 4, 5, 0, time.UTC),
}

// writeBook writes n triples and returns them with the workbook.
func writeBook(t testing.TB, cover Cover, n int) ([]byte, []Triple) {
	t.Helper()
	var out bytes.Buffer
	cover.Quantity = n
	b, err := NewWorkbook(&out, cover)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDeriver([32]byte{1}, cover.Product)
	var all []Triple
	for i := range n {
		mac := MACOf(0x78da07000000 + uint64(i))
		all = append(all, Triple{602, mac, d.Secret(mac, 1)})
		if err := b.Row(all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), all
}

func readBook(book []byte) (Cover, []Triple, error) {
	var all []Triple
	cover, err := ReadWorkbook(bytes.NewReader(book), int64(len(book)), func(t Triple) error {
		all = append(all, t)
		return nil
	})
	return cover, all, err
}

func TestWorkbookReadsBack(t *testing.T) {
	for _, n := range []int{0, 1, 5000} {
		book, want := writeBook(t, someCover, n)
		cover, got, err := readBook(book)
		if err != nil {
			t.Fatalf("%d triples: %v", n, err)
		}
		wantCover := someCover
		wantCover.Quantity = n
		if d := cmp.Diff(wantCover, cover); d != "" {
			t.Errorf("%d triples: cover (-want +got)\n%s", n, d)
		}
		if len(got) != len(want) {
			t.Fatalf("%d triples: read %d", n, len(got))
		}
		for i := range want {
			if !got[i].Equal(want[i]) {
				t.Fatalf("triple %d is %v, want %v", i, got[i], want[i])
			}
		}
	}
}

// What a maker's program sees, read by excelize alone.
func TestWorkbookLooksAsMakersExpect(t *testing.T) {
	mac := mustMAC(t, "78da07c11ca8")
	var out bytes.Buffer
	b, err := NewWorkbook(&out, Cover{Quantity: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Row(Triple{602, mac, mustSecret(t, someSecret)}), b.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := cmp.Diff([]string{"Triples", "Cover"}, f.GetSheetList()); d != "" {
		t.Errorf("sheets (-want +got)\n%s", d)
	}
	rows, err := f.GetRows("Triples")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{
		{"Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower"},
		{"602", someSecret, "78da07c11ca8", "f7379b6e72f8aae880081bfd9faf99dd", "78DA07C11CA8", "78da07c11ca8"},
	}, rows); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
	for cell, want := range map[string]excelize.CellType{"A2": excelize.CellTypeUnset, "B2": excelize.CellTypeInlineString, "C2": excelize.CellTypeInlineString} {
		if got, err := f.GetCellType("Triples", cell); got != want || err != nil {
			t.Errorf("cell %s has type %v, %v, want %v", cell, got, err, want)
		}
	}
}

func TestWorkbookIsTheSameTwice(t *testing.T) {
	one, _ := writeBook(t, someCover, 100)
	two, _ := writeBook(t, someCover, 100)
	if !bytes.Equal(one, two) {
		t.Error("the same triples gave other bytes")
	}
}

// A quantity beyond one sheet goes on, on the next one. Only the shape is looked at, for excelize takes a while to read a million rows.
func TestWorkbookContinuesOnAnotherSheet(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a million rows")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "triples.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := NewWorkbook(f, Cover{Quantity: sheetRows + 2})
	if err != nil {
		t.Fatal(err)
	}
	secret, peak, base := mustSecret(t, someSecret), uint64(0), heap()
	for i := range sheetRows + 2 {
		if err := b.Row(Triple{602, MACOf(uint64(i)), secret}); err != nil {
			t.Fatal(err)
		}
		if i%50000 == 0 {
			peak = max(peak, heap())
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak) - int64(base); grown > 16<<20 {
		t.Errorf("memory grew by %d bytes, want at most 16 MiB", grown)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	parts := parts(t, f, info.Size())
	for name, want := range map[string][]string{
		"xl/worksheets/sheet1.xml": {`<row r="1048576">`, "00000ffffe"},
		"xl/worksheets/sheet2.xml": {"Product ID", `<row r="3"><c r="A3"><v>602</v>`, "000000100000"},
		"xl/worksheets/sheet3.xml": {"Quantity", "1048577"},
		"xl/workbook.xml":          {`<sheet name="Triples" sheetId="1" r:id="rId1"/><sheet name="Triples 2" sheetId="2" r:id="rId2"/><sheet name="Cover" sheetId="3" r:id="rId3"/>`},
	} {
		for _, w := range want {
			if !bytes.Contains(parts[name], []byte(w)) {
				t.Errorf("%s does not contain %q", name, w)
			}
		}
	}
	if bytes.Contains(parts["xl/worksheets/sheet1.xml"], []byte(`<row r="1048577">`)) {
		t.Error("the first sheet has more rows than a sheet may have")
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func parts(t *testing.T, r io.ReaderAt, size int64) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(r, size)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(part); err != nil {
			t.Fatal(err)
		}
		part.Close()
	}
	return all
}

// failing takes n bytes and then no more.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestWorkbookIsCompleteOrUnreadable(t *testing.T) {
	one := Triple{602, mustMAC(t, "78da07c11ca8"), mustSecret(t, someSecret)}
	for _, tt := range []struct {
		name string
		do   func(w io.Writer) error
		want string
	}{
		{"one too few", func(w io.Writer) error {
			b, err := NewWorkbook(w, Cover{Quantity: 2})
			return errors.Join(err, b.Row(one), b.Close())
		}, "workbook of 2 triples got only 1"},
		{"none", func(w io.Writer) error {
			b, err := NewWorkbook(w, Cover{Quantity: 2})
			return errors.Join(err, b.Close())
		}, "workbook of 2 triples got only 0"},
		{"one too many", func(w io.Writer) error {
			b, err := NewWorkbook(w, Cover{Quantity: 1})
			return errors.Join(err, b.Row(one), b.Row(one), b.Close())
		}, "workbook of 1 triples got one more: 602,78da07c11ca8,[secret]\nworkbook of 1 triples got one more: 602,78da07c11ca8,[secret]"},
		{"no secret", func(w io.Writer) error {
			b, err := NewWorkbook(w, Cover{Quantity: 1})
			return errors.Join(err, b.Row(Triple{602, one.MAC, Secret{}}))
		}, "triple 602,78da07c11ca8,[secret] has no secret"},
		{"negative", func(w io.Writer) error {
			_, err := NewWorkbook(w, Cover{Quantity: -1})
			return err
		}, "workbook of -1 triples, want 0 to 16777200"},
		{"beyond all sheets", func(w io.Writer) error {
			_, err := NewWorkbook(w, Cover{Quantity: MaxQuantity + 1})
			return err
		}, "workbook of 16777201 triples, want 0 to 16777200"},
	} {
		var out bytes.Buffer
		if got := text(tt.do(&out)); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if _, _, err := readBook(out.Bytes()); err == nil {
			t.Errorf("%s: the file can be read", tt.name)
		}
	}
	b, err := NewWorkbook(&failing{2000}, Cover{Quantity: 1 << 20})
	for i := 0; err == nil && i < 1<<20; i++ {
		err = b.Row(one)
	}
	if got := text(err); got != "writing workbook: no space left" {
		t.Errorf("a full disk: %q", got)
	}
	if got := text(b.Close()); got != "writing workbook: no space left" {
		t.Errorf("closing on a full disk: %q", got)
	}
}

func TestClosedWorkbookTakesNothing(t *testing.T) {
	b, err := NewWorkbook(io.Discard, Cover{})
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	if got := text(b.Row(Triple{})); got != "workbook is closed" {
		t.Errorf("Row: %q", got)
	}
	if got := text(b.Close()); got != "workbook is closed" {
		t.Errorf("Close: %q", got)
	}
}

// foreign makes a workbook with excelize, as another program would save one, and lets change spoil it.
func foreign(t *testing.T, change func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{
		{"Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower"},
		{602, someSecret, "78da07c11ca8", "f7379b6e72f8aae880081bfd9faf99dd", "78DA07C11CA8", "78da07c11ca8"},
		{"602", someSecret, "78da07c11ca9", "f7379b6e72f8aae880081bfd9faf99dd", "78DA07C11CA9", "78da07c11ca9"},
	} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	change(f)
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadWorkbook(t *testing.T) {
	set := func(cell string, value any) func(*excelize.File) {
		return func(f *excelize.File) { _ = f.SetCellValue("Sheet1", cell, value) }
	}
	for _, tt := range []struct {
		name   string
		change func(*excelize.File)
		want   string
	}{
		{"of another program", func(*excelize.File) {}, ""},
		{"empty row", set("B9", nil), ""},
		{"other heading", set("C1", "MAC"), `sheet "Sheet1": column C is "MAC", want "Mac Lower"`},
		{"no heading", func(f *excelize.File) { _ = f.RemoveRow("Sheet1", 1) }, `sheet "Sheet1": column A is "602", want "Product ID"`},
		{"product id", set("A3", "six"), `sheet "Sheet1", row 3: product id "six", want a decimal number up to 4294967295 without leading zeros`},
		{"secret", set("B2", someSecret[1:]), `sheet "Sheet1", row 2: device secret has 31 characters, want 32 lower-case hexadecimal digits`},
		{"secret at the MAC's place", set("C2", someSecret), `sheet "Sheet1", row 2: column C has 32 characters, want a MAC`},
		{"MAC", set("C2", "78da07c11c"), `sheet "Sheet1", row 2: MAC "78da07c11c", want twelve hexadecimal digits such as 78da07c11ca8 or 78:DA:07:C1:1C:A8`},
		{"check sum", set("D3", "f7379b6e72f8aae880081bfd9faf99de"), `sheet "Sheet1", row 3: column D is not the MD5 of the device secret`},
		{"upper MAC", set("E3", "78DA07C11CA8"), `sheet "Sheet1", row 3: column E does not agree with the MAC, want "78DA07C11CA9"`},
		{"Bluetooth MAC", set("F3", ""), `sheet "Sheet1", row 3: column F does not agree with the MAC, want "78da07c11ca9"`},
		{"second sheet", func(f *excelize.File) { _, _ = f.NewSheet("Notes") }, `sheet "Notes" is empty, want the columns ["Product ID" "Device Secret" "Mac Lower" "Md5" "Mac Upper" "Bluetooth Mac Lower"]`},
		{"cover that lies", func(f *excelize.File) {
			_, _ = f.NewSheet("Cover")
			_ = f.SetSheetRow("Cover", "A1", &[]any{"Quantity", "数量", 3})
		}, "workbook has 2 triples, its cover says 3"},
		{"cover with a word for a number", func(f *excelize.File) {
			_, _ = f.NewSheet("Cover")
			_ = f.SetSheetRow("Cover", "A1", &[]any{"Generation", "密钥代次", "x"})
		}, `cover: Generation is "x": strconv.ParseUint: parsing "x": invalid syntax`},
		{"only a cover", func(f *excelize.File) { _ = f.SetSheetName("Sheet1", "Cover") }, "workbook has no sheet of triples"},
	} {
		_, all, err := readBook(foreign(t, tt.change))
		if got := text(err); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if err == nil && len(all) != 2 {
			t.Errorf("%s: %d triples, want 2", tt.name, len(all))
		}
		if strings.Contains(text(err), someSecret) {
			t.Errorf("%s: the error shows the secret", tt.name)
		}
	}
}

func TestReadWorkbookEndsWithTheCaller(t *testing.T) {
	book, _ := writeBook(t, someCover, 10)
	n, stop := 0, errors.New("enough")
	_, err := ReadWorkbook(bytes.NewReader(book), int64(len(book)), func(Triple) error {
		if n++; n == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 3 {
		t.Errorf("ended after %d with %v", n, err)
	}
}

func TestReadWorkbookLimits(t *testing.T) {
	_, err := ReadWorkbook(strings.NewReader(""), MaxWorkbookSize+1, nil)
	if got := text(err); got != "workbook has 268435457 bytes, want at most 268435456" {
		t.Errorf("too large: %q", got)
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for range 80 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readBook(bomb.Bytes()); err == nil || !strings.Contains(err.Error(), "unzip size exceeds") {
		t.Errorf("a bomb of 80 MiB in %d bytes: %v", bomb.Len(), err)
	}
}

// Whatever is cut off or turned over, reading ends with an error or with triples that were checked.
func TestReadWorkbookOfDamagedFiles(t *testing.T) {
	book, want := writeBook(t, someCover, 20)
	step := max(1, len(book)/150)
	for n := 0; n < len(book); n += step {
		if _, _, err := readBook(book[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were read as a workbook", n, len(book))
		}
		bad := bytes.Clone(book)
		bad[n] ^= 0x20
		if _, all, err := readBook(bad); err == nil && len(all) != len(want) {
			t.Errorf("with byte %d changed, %d of %d triples were read without an error", n, len(all), len(want))
		}
	}
}

func TestWorkbookOpensInLibreOffice(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("LibreOffice is not installed")
	}
	dir := t.TempDir()
	book, want := writeBook(t, someCover, 3)
	if err := os.WriteFile(filepath.Join(dir, "triples.xlsx"), book, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(office, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to", "csv", "--outdir", dir, filepath.Join(dir, "triples.xlsx"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	csv, err := os.ReadFile(filepath.Join(dir, "triples.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(csv), "\n"); !strings.HasPrefix(lines[2], "602,"+want[1].Secret.Reveal()+","+want[1].MAC.String()) {
		t.Errorf("second triple is shown as %q", lines[2])
	}
}

// BenchmarkWorkbook writes 1,000,000 derived triples, the figure of a large order.
func BenchmarkWorkbook(b *testing.B) {
	const n = 1_000_000
	d := NewDeriver([32]byte{}, someCover.Product)
	all := make([]Secret, n)
	for i := range all {
		all[i] = d.Secret(MACOf(uint64(i)), 1)
	}
	b.ReportAllocs()
	var size counter
	for b.Loop() {
		size = 0
		w, err := NewWorkbook(&size, Cover{Quantity: n})
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			if err := w.Row(Triple{602, MACOf(uint64(i)), all[i]}); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size), "file-bytes")
}

func BenchmarkReadWorkbook(b *testing.B) {
	const n = 100_000
	book, _ := writeBook(b, someCover, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadWorkbook(bytes.NewReader(book), int64(len(book)), func(Triple) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
