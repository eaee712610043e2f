package issuance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

// A Part is what of a file is about to be written.
type Part struct {
	Name string // of the file
	Type string // media type
	Tag  string // the same for the same bytes; empty: the file is given as a whole only
	From int64  // first byte
	End  int64  // behind the last; -1: the whole file, whose size is not known yet
	Size int64  // of the whole file; -1: not known yet
}

// An Asked is the part of a file that somebody wants. The zero value is the whole.
type Asked struct {
	From int64
	End  int64  // behind the last byte; 0: to the end
	Tag  string // of the bytes that came before; another than the file's gives the whole. Empty: not said
}

// Fetch writes a download, or a part of it, to what begin returns, in constant memory. What refuses it does so before begin is
// called.
//
// A grant covers one whole file. No part of it is given, and one that is being given breaks off, once its taker may not
// download any more, or a measure refuses it. Parts may be asked for in any order and again, by the session or token that made it, one at a
// time, until the last byte of the file was written without an error or 30 minutes are over; all of it is one download. From
// then on no byte is given: who lost the end in that moment makes another download, which hands out the next generation.
//
// A part costs what the whole file does: the bytes before it are made again and dropped (1,000,000 triples: some 3 s of one
// processor), and once more to learn the size if nobody has taken the file to its end. An encrypted file differs each time it
// is written: it is given as a whole only, and may be begun again.
func (s *Service) Fetch(ctx context.Context, who access.Actor, id string, ask Asked, begin func(Part) (io.Writer, error)) error {
	if !s.begin(id) {
		return fault.Conflict("download", "this download is being taken at this moment")
	}
	defer s.finished(id)
	b, err := s.open(ctx, who, id)
	if err != nil {
		return err
	}
	ctx, stop := context.WithDeadline(ctx, b.download.EndsAt)
	defer stop()
	part, err := s.part(ctx, b, ask)
	if err != nil {
		return err
	}
	w, err := begin(part)
	if err != nil {
		return err
	}
	out := &window{w: w, from: part.From, end: part.End}
	err = s.write(ctx, b, out)
	switch {
	case errors.Is(err, errEnough):
		return nil
	case err != nil:
		return fmt.Errorf("writing download %s: %w", id, err)
	}
	return s.taken(context.WithoutCancel(ctx), &b.download, out.at)
}

// begin keeps a second reader of a download out while one is being served.
func (s *Service) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[id] {
		return false
	}
	s.writing[id] = true
	return true
}

func (s *Service) finished(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, id)
}

// A book is what a file is written from.
type book struct {
	who      access.Actor // who takes it
	download Download
	order    Order
	product  product.Product
	from     source
	key      keyring.Key32
}

// open gathers what a file is written from, if who may take it now.
func (s *Service) open(ctx context.Context, who access.Actor, id string) (*book, error) {
	b := &book{who: who}
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		if b.download, err = loadDownload(ctx, v, who, id); err != nil {
			return err
		}
		if b.order, err = load(ctx, v, who, b.download.Order); err != nil {
			return err
		}
		if err := s.mayTake(ctx, v, who, &b.order); err != nil {
			return err
		}
		if b.from, err = sourceOf(ctx, v, &b.order); err != nil {
			return err
		}
		if b.key, err = s.keys.ProductKey(ctx, v, b.order.Product); err != nil {
			return fmt.Errorf("opening the key of product %s: %w", b.order.Product, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := &b.download
	switch {
	case d.holder != holder(who):
		return nil, fault.Forbidden("taking download "+id, "the session or token that made it")
	case !d.TakenAt.IsZero():
		return nil, fault.Conflict("download", "this download was taken to its last byte at "+fault.Stamp(d.TakenAt)+"; make another, which has other secrets")
	case !d.VoidedAt.IsZero():
		return nil, fault.Conflict("download", "triples of this order were revoked at "+fault.Stamp(d.VoidedAt)+"; make another download")
	case !d.Open(s.now()):
		return nil, fault.Expired("download", id)
	}
	if b.product, err = s.products.Load(ctx, access.System("issuance", b.order.Organisation), b.order.Product); err != nil {
		return nil, fmt.Errorf("loading product %s: %w", b.order.Product, err)
	}
	if d.Quantity < 0 { // the program ended before they were counted
		err = s.count(ctx, d)
	}
	return b, err
}

// mayTake refuses who may not download any more, and what a measure refuses. The factor was shown when the grant was made: it
// need not be fresh.
func (s *Service) mayTake(ctx context.Context, q store.Querier, who access.Actor, o *Order) error {
	if s.c.Role != nil && who.User != "" {
		role, err := s.c.Role(ctx, q, o.Organisation, who.User)
		if err != nil {
			return err
		}
		who.Roles = []access.Role{role}
	}
	if !who.May(access.DownloadTriples) {
		return who.Check(access.DownloadTriples)
	}
	return o.stands(ctx, q)
}

// part decides what is written, and learns the size of the file if that needs it.
func (s *Service) part(ctx context.Context, b *book, ask Asked) (Part, error) {
	d := &b.download
	p := Part{Name: "lampworks-" + d.Order + ".xlsx", Type: workbookType, End: -1, Size: -1}
	if d.Format == Age {
		p.Name, p.Type = p.Name+".age", "application/octet-stream"
		return p, nil
	}
	if d.form == form() {
		p.Tag = `"` + d.ID + `"`
	}
	if d.size > 0 {
		p.End, p.Size = d.size, d.size
	}
	if ask.From == 0 && ask.End == 0 || p.Tag == "" || ask.Tag != "" && ask.Tag != p.Tag {
		return p, nil
	}
	if d.size == 0 {
		all := &window{w: io.Discard, end: -1}
		if err := s.write(ctx, b, all); err != nil {
			return p, fmt.Errorf("counting the bytes of download %s: %w", d.ID, err)
		}
		if err := s.noteSize(ctx, d, all.at); err != nil {
			return p, err
		}
	}
	p.Size, p.From, p.End = d.size, ask.From, d.size
	if ask.End > 0 {
		p.End = min(ask.End, d.size)
	}
	if p.From >= p.End {
		return p, fault.Invalid("Range", fmt.Sprintf("from byte %d", ask.From), fmt.Sprintf("a part of %d bytes", d.size), "ask for bytes that the file has")
	}
	return p, nil
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func (s *Service) noteSize(ctx context.Context, d *Download, size int64) error {
	d.size = size
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE issuance_download SET size = ? WHERE id = ?", size, d.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting the size of download %s: %w", d.ID, err)
	}
	return nil
}

// taken notes that the last byte has left, even if the caller has gone meanwhile.
func (s *Service) taken(ctx context.Context, d *Download, size int64) error {
	now := s.now().UnixMilli()
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE issuance_download SET taken_at = ?, size = ? WHERE id = ? AND taken_at IS NULL", now, size, d.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, downloadedSQL, now, d.Order)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that download %s was taken: %w", d.ID, err)
	}
	return nil
}

// write writes the whole file to w, encrypted if it has to be.
func (s *Service) write(ctx context.Context, b *book, w io.Writer) error {
	if b.download.Format != Age {
		return s.workbook(ctx, b, w)
	}
	to, err := age.ParseX25519Recipient(b.download.Recipient)
	if err != nil {
		return fmt.Errorf("reading the recipient: %w", err)
	}
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	if err := s.workbook(ctx, b, sealed); err != nil {
		return err
	}
	return sealed.Close()
}

// workbook writes the triples in the order of their addresses. The same book gives the same bytes, whenever it is written.
func (s *Service) workbook(ctx context.Context, b *book, w io.Writer) error {
	d := &b.download
	out, err := triple.NewWorkbook(w, triple.Cover{
		ProductName: b.name(), ProductKey: b.product.ProductKey, Product: b.order.Product, Order: b.order.ID, Download: d.ID,
		Generation: d.Generation, Quantity: d.Quantity, LeftOut: d.Total - d.Quantity, Issued: b.order.EndedAt,
	})
	if err != nil {
		return err
	}
	secrets := triple.NewDeriver(b.key.Reveal(), b.order.Product)
	for row := 0; row < b.order.Quantity; row += chunk {
		runs, skip, err := s.leaf(ctx, b, row)
		if err != nil {
			return err
		}
		for _, r := range runs {
			for n := r.first; n <= r.last; n++ {
				if skip[n] {
					continue
				}
				mac := triple.MACOf(n)
				if err := out.Row(triple.Triple{ProductID: b.product.ProductID, MAC: mac, Secret: secrets.Secret(mac, d.Generation)}); err != nil {
					return err
				}
			}
		}
	}
	return out.Close()
}

// leaf reads which addresses the rows of an order from row on have, and which of them are left out; and whether the download
// is in force still, and who takes it may go on.
func (s *Service) leaf(ctx context.Context, b *book, row int) (runs []run, skip map[uint64]bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	d := &b.download
	err = s.store.Read(ctx, func(v *store.View) error {
		now, err := loadDownload(ctx, v, access.System("issuance", ""), d.ID)
		if err != nil {
			return err
		}
		if !now.VoidedAt.IsZero() {
			return fault.Conflict("download", "triples of this order were revoked meanwhile")
		}
		if err := s.mayTake(ctx, v, b.who, &b.order); err != nil {
			return err
		}
		if runs, err = b.from.runs(ctx, v, row, min(chunk, b.order.Quantity-row)); err != nil || d.Quantity == d.Total {
			return err
		}
		skip = make(map[uint64]bool)
		for _, r := range runs {
			left, err := leftOut(ctx, v, d.Order, d.Generation, r.first, r.last)
			if err != nil {
				return err
			}
			for mac := range left {
				skip[mac] = true
			}
		}
		return nil
	})
	return runs, skip, err
}

// name is the product's in Chinese, the language of most factories, or else in English.
func (b *book) name() string {
	if name := b.product.Names["zh-CN"]; name != "" {
		return name
	}
	return b.product.Names["en"]
}

// errEnough ends the writing of a part that is not the last.
var errEnough = errors.New("the part was written")

// A window lets the bytes of a file through that lie between from and end.
type window struct {
	w         io.Writer
	at        int64 // bytes that came
	from, end int64 // end -1: all
}

// Write implements io.Writer.
func (w *window) Write(p []byte) (int, error) {
	start := w.at
	w.at += int64(len(p))
	if w.at <= w.from {
		return len(p), nil
	}
	out := p[max(0, w.from-start):]
	last := w.end >= 0 && w.at > w.end
	if last {
		out = p[max(0, w.from-start):max(0, w.end-start)]
	}
	if len(out) > 0 {
		if n, err := w.w.Write(out); err != nil {
			return n, err
		}
	}
	if last {
		return len(p), errEnough
	}
	return len(p), nil
}
