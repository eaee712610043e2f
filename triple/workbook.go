package triple

import (
	"archive/zip"
	"compress/flate"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// columns are the six of the download that makers know from the Tmall Genie platform, and what their burning tools look for. Md5 is that of the secret's
// 32 characters, a check for the burning line; the Bluetooth MAC is the MAC.
var columns = [6]string{"Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower"}

const (
	sheetRows  = 1<<20 - 1 // triples on one sheet; with the heading all rows a sheet may have
	sheetName  = "Triples"
	coverSheet = "Cover"
	coverNote  = "Whoever has these secrets can act as the devices. 持有本表者可冒充设备，请妥善保管。"
)

// MaxQuantity is how many triples a workbook takes: sixteen sheets full.
const MaxQuantity = 16 * sheetRows

// A Cover is the sheet that says what the triples of a workbook are. Only Quantity must be set. The sheet stands behind the triples, because burning
// tools read the first one.
type Cover struct {
	ProductName string
	ProductKey  string // which Wi-Fi devices sign with; for a product made here it follows from the ProductID
	Product     string // UUID
	Order       string // UUID of the order they were issued under
	Download    string // UUID of the download that this file is
	Generation  uint32 // of every secret in the workbook
	Quantity    int    // triples
	LeftOut     int    // triples of the order that are not in here, because a device has logged in with them
	Issued      time.Time
}

// line is one row of the cover sheet.
type line struct{ english, chinese, value string }

// lines returns the rows of the cover sheet; what is not set is left out.
func (c *Cover) lines() (all []line) {
	issued := ""
	if !c.Issued.IsZero() {
		issued = c.Issued.UTC().Format(time.RFC3339)
	}
	generation := ""
	if c.Generation != 0 {
		generation = strconv.FormatUint(uint64(c.Generation), 10)
	}
	leftOut := ""
	if c.LeftOut != 0 {
		leftOut = strconv.Itoa(c.LeftOut)
	}
	for _, l := range []line{
		{"Product name", "产品名称", c.ProductName},
		{"ProductKey", "产品标识", c.ProductKey},
		{"Product", "产品", c.Product},
		{"Order", "订单", c.Order},
		{"Download", "下载", c.Download},
		{"Generation", "密钥代次", generation},
		{"Quantity", "数量", strconv.Itoa(c.Quantity)},
		{"Left out, activated", "未列入（已激活）", leftOut},
		{"Issued", "签发时间", issued},
		{"Note", "注意", coverNote},
	} {
		if l.value != "" {
			all = append(all, l)
		}
	}
	return all
}

// A Workbook writes triples as an Office Open XML workbook (.xlsx) in about 2 MB of memory, however many there are. The same cover and triples give the
// same bytes. It is not safe for concurrent use.
type Workbook struct {
	zip     *zip.Writer
	sheet   io.Writer // the open sheet, nil between two
	cover   Cover
	written int
	deflate *flate.Writer
	buf     []byte // rows not handed on yet
	err     error  // the first one; everything after it returns it
}

// flushAt is how many bytes of rows are handed to the compressor at once.
const flushAt = 64 << 10

// NewWorkbook begins a workbook of exactly cover.Quantity triples on w. A quantity beyond one sheet is continued on "Triples 2" and so on.
func NewWorkbook(w io.Writer, cover Cover) (*Workbook, error) {
	if cover.Quantity < 0 || cover.Quantity > MaxQuantity {
		return nil, fmt.Errorf("workbook of %d triples, want 0 to %d", cover.Quantity, MaxQuantity)
	}
	b := &Workbook{zip: zip.NewWriter(w), cover: cover, buf: make([]byte, 0, flushAt+1<<10)}
	b.zip.RegisterCompressor(zip.Deflate, b.compressor)
	b.frame()
	if cover.Quantity == 0 {
		b.openSheet()
	}
	return b, b.err
}

// Row writes the next triple. It fails when there are more than the cover says.
func (b *Workbook) Row(t Triple) error {
	switch {
	case b.err != nil:
		return b.err
	case b.written == b.cover.Quantity:
		b.err = fmt.Errorf("workbook of %d triples got one more: %s", b.cover.Quantity, t)
		return b.err
	case t.Secret.IsZero():
		b.err = fmt.Errorf("triple %s has no secret", t)
		return b.err
	}
	if b.written%sheetRows == 0 {
		b.openSheet()
	}
	b.appendRow(t, b.written%sheetRows+2)
	if b.written++; b.written%sheetRows == 0 || len(b.buf) >= flushAt {
		b.flush()
	}
	return b.err
}

// Close completes the workbook. If triples are missing it returns an error and leaves a file that no program opens. It does not close the writer below.
func (b *Workbook) Close() error {
	if b.err == nil && b.written != b.cover.Quantity {
		b.err = fmt.Errorf("workbook of %d triples got only %d", b.cover.Quantity, b.written)
	}
	b.closeSheet()
	if b.err != nil {
		return b.err
	}
	if b.err = b.zip.Close(); b.err != nil {
		return fmt.Errorf("writing workbook: %w", b.err)
	}
	b.err = errors.New("workbook is closed")
	return nil
}

func (b *Workbook) sheets() int { return max(1, (b.cover.Quantity+sheetRows-1)/sheetRows) }

func nameOfSheet(n int) string {
	if n == 1 {
		return sheetName
	}
	return sheetName + " " + strconv.Itoa(n)
}

func (b *Workbook) openSheet() {
	b.closeSheet()
	n := b.written/sheetRows + 1
	b.create("xl/worksheets/sheet" + strconv.Itoa(n) + ".xml")
	b.buf = append(b.buf, sheetHead...)
	for i, name := range columns {
		b.buf = appendText(b.buf, 'A'+byte(i), 1, ` s="1"`)
		b.buf = append(append(b.buf, name...), cellEnd...)
	}
	b.buf = append(b.buf, "</row>"...)
}

func (b *Workbook) closeSheet() {
	if b.sheet == nil {
		return
	}
	b.buf = append(b.buf, "</sheetData></worksheet>"...)
	b.flush()
	b.sheet = nil
}

func (b *Workbook) create(name string) {
	if b.err != nil {
		return
	}
	if b.sheet, b.err = b.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate}); b.err != nil {
		b.err = fmt.Errorf("writing workbook: %w", b.err)
	}
}

// compressor lends the one compressor, of about 1 MB, to one part after another.
func (b *Workbook) compressor(w io.Writer) (c io.WriteCloser, err error) {
	if b.deflate == nil {
		b.deflate, err = flate.NewWriter(w, flate.BestSpeed)
	}
	b.deflate.Reset(w)
	return b.deflate, err
}

func (b *Workbook) flush() {
	if b.err == nil {
		if _, err := b.sheet.Write(b.buf); err != nil {
			b.err = fmt.Errorf("writing workbook: %w", err)
		}
	}
	b.buf = b.buf[:0]
}

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace = `http://schemas.openxmlformats.org/spreadsheetml/2006/main`
	sheetHead = xmlHead + `<worksheet xmlns="` + mainSpace + `"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
		`<cols><col min="1" max="1" width="12" customWidth="1"/><col min="2" max="2" width="36" customWidth="1"/><col min="3" max="3" width="15" customWidth="1"/>` +
		`<col min="4" max="4" width="36" customWidth="1"/><col min="5" max="6" width="20" customWidth="1"/></cols><sheetData><row r="1">`
	cellEnd = "</t></is></c>"
)

// appendRow appends the six cells. Hexadecimal goes in as text, or a program would take 15e4… for a number.
func (b *Workbook) appendRow(t Triple, n int) {
	secret := t.Secret.Reveal()
	sum := md5.Sum([]byte(secret))
	lower := hex.AppendEncode(make([]byte, 0, 2*len(t.MAC)), t.MAC[:])
	dst := append(b.buf, `<row r="`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `"><c r="A`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `"><v>`...)
	dst = strconv.AppendUint(dst, uint64(t.ProductID), 10)
	dst = append(dst, "</v></c>"...)
	dst = append(append(appendText(dst, 'B', n, ""), secret...), cellEnd...)
	dst = append(append(appendText(dst, 'C', n, ""), lower...), cellEnd...)
	dst = append(hex.AppendEncode(appendText(dst, 'D', n, ""), sum[:]), cellEnd...)
	dst = append(appendUpper(appendText(dst, 'E', n, ""), lower), cellEnd...)
	dst = append(append(appendText(dst, 'F', n, ""), lower...), cellEnd...)
	b.buf = append(dst, "</row>"...)
}

func appendText(dst []byte, column byte, n int, style string) []byte {
	dst = append(dst, `<c r="`...)
	dst = strconv.AppendInt(append(dst, column), int64(n), 10)
	dst = append(dst, '"')
	dst = append(dst, style...)
	return append(dst, ` t="inlineStr"><is><t>`...)
}

func appendUpper(dst, lower []byte) []byte {
	for _, c := range lower {
		if c >= 'a' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// frame writes the parts around the sheets, and the cover sheet, which is the last of them.
func (b *Workbook) frame() {
	var types, sheets, rels strings.Builder
	for n := 1; n <= b.sheets()+1; n++ {
		name := nameOfSheet(n)
		if n == b.sheets()+1 {
			name = coverSheet
		}
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, name, n, n)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, relSpace, n)
	}
	fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/>`, b.sheets()+2, relSpace)
	b.part("[Content_Types].xml", xmlHead+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`+
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`+
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>`+
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>`+types.String()+`</Types>`)
	b.part("_rels/.rels", xmlHead+`<Relationships xmlns="`+packageSpace+`"><Relationship Id="rId1" Type="`+relSpace+`/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	b.part("xl/workbook.xml", xmlHead+`<workbook xmlns="`+mainSpace+`" xmlns:r="`+relSpace+`"><sheets>`+sheets.String()+`</sheets></workbook>`)
	b.part("xl/_rels/workbook.xml.rels", xmlHead+`<Relationships xmlns="`+packageSpace+`">`+rels.String()+`</Relationships>`)
	b.part("xl/styles.xml", styles)
	b.part("xl/worksheets/sheet"+strconv.Itoa(b.sheets()+1)+".xml", b.coverXML())
}

const (
	relSpace     = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageSpace = "http://schemas.openxmlformats.org/package/2006/relationships"
	styles       = xmlHead + `<styleSheet xmlns="` + mainSpace + `"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`
)

func (b *Workbook) coverXML() string {
	var s strings.Builder
	s.WriteString(xmlHead + `<worksheet xmlns="` + mainSpace + `"><cols><col min="1" max="2" width="16" customWidth="1"/><col min="3" max="3" width="60" customWidth="1"/></cols><sheetData>`)
	for i, l := range b.cover.lines() {
		fmt.Fprintf(&s, `<row r="%d">`, i+1)
		for j, text := range []string{l.english, l.chinese, l.value} {
			fmt.Fprintf(&s, `<c r="%c%d" t="inlineStr"><is><t xml:space="preserve">`, 'A'+j, i+1)
			_ = xml.EscapeText(&s, []byte(text)) // a strings.Builder does not fail; what XML cannot carry becomes U+FFFD
			s.WriteString(cellEnd)
		}
		s.WriteString("</row>")
	}
	s.WriteString("</sheetData></worksheet>")
	return s.String()
}

func (b *Workbook) part(name, text string) {
	b.create(name)
	b.buf = append(b.buf, text...)
	b.flush()
	b.sheet = nil
}
