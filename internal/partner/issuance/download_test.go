package issuance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// why is a download like any other.
var why = NewDownload{Reason: "the line starts on Monday"}

// A weak writer breaks off after some bytes.
type weak struct{ left int }

var errWeak = errors.New("the line broke")

func (w *weak) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errWeak
	}
	return len(b), nil
}

func to(w io.Writer) func(Part) (io.Writer, error) {
	return func(Part) (io.Writer, error) { return w, nil }
}

func (w *works) grant1(t testing.TB, order string) Download {
	t.Helper()
	d, err := w.Grant(t.Context(), maker, order, why)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// file takes a whole download.
func (w *works) file(t testing.TB, d Download) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := w.Fetch(t.Context(), maker, d.ID, Asked{}, to(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *works) read(t testing.TB, b []byte) (cover triple.Cover, all []triple.Triple) {
	t.Helper()
	cover, err := triple.ReadWorkbook(bytes.NewReader(b), int64(len(b)), func(r triple.Triple) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cover, all
}

func (w *works) key(t testing.TB) (key [32]byte) {
	t.Helper()
	err := w.store.Read(t.Context(), func(v *store.View) error {
		k, err := w.keys.ProductKey(t.Context(), v, w.product.ID)
		key = k.Reveal()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// login is the first login of a device with a generation.
func (w *works) login(t testing.TB, o Order, mac triple.MAC, generation uint32) error {
	t.Helper()
	return w.store.Write(t.Context(), func(tx *store.Tx) error {
		return Fix(t.Context(), tx, o.ID, mac, generation, w.now())
	})
}

func (w *works) standing(t testing.TB, o Order, mac triple.MAC) string {
	t.Helper()
	var s Standing
	err := w.store.Read(t.Context(), func(v *store.View) (err error) {
		s, err = InForce(t.Context(), v, o.ID, mac, w.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(s.Generations, s.Fixed)
}

func TestDownload(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde4800000") // so that the order has two ranges
	w.pool(t, "acde49")
	w.run(t)
	o := w.wait(t, w.request(t, 5000))
	factory := maker
	factory.Roles = []access.Role{access.Factory}
	entries := w.count(t, "audit_entry")
	d, err := w.Grant(t.Context(), factory, o.ID, why)
	if err != nil || d.Quantity != 5000 || d.Generation != 1 || !d.Open(w.now()) {
		t.Fatalf("%+v, %v", d, err)
	}
	var part Part
	var b bytes.Buffer
	err = w.Fetch(t.Context(), factory, d.ID, Asked{}, func(p Part) (io.Writer, error) { part = p; return &b, nil })
	if err != nil || part.Name != "lampworks-"+o.ID+".xlsx" || part.Tag == "" || part.From != 0 || part.End != -1 {
		t.Fatalf("%+v, %v", part, err)
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.download'"); n != 1 || w.count(t, "audit_entry") != entries+1 {
		t.Errorf("%d entries of the download", n)
	}
	cover, all := w.read(t, b.Bytes())
	if cover.ProductName != "灯" || cover.ProductKey != w.product.ProductKey || cover.Order != o.ID || cover.Download != d.ID || cover.Generation != 1 ||
		cover.Quantity != 5000 || cover.LeftOut != 0 || cover.Issued.Unix() != o.EndedAt.Unix() || len(all) != 5000 {
		t.Errorf("the cover says %+v, and there are %d", cover, len(all))
	}
	key := w.key(t)
	for i, r := range all {
		mac := triple.MACOf(0xacde48000000 + uint64(i))
		if i >= 16 {
			mac = triple.MACOf(0xacde49000000 + uint64(i-16))
		}
		if r.ProductID != w.product.ProductID || r.MAC != mac || !r.Secret.Equal(triple.Derive(key, w.product.ID, mac, 1)) {
			t.Fatalf("row %d is %v, want %s", i, r, mac)
		}
	}
	o, err = w.Load(t.Context(), maker, o.ID)
	if err != nil || o.DownloadedAt.IsZero() {
		t.Errorf("after it: %+v, %v", o, err)
	}
	// Not twice.
	d, err = w.LoadDownload(t.Context(), maker, d.ID)
	if err != nil || d.TakenAt.IsZero() || d.size != int64(b.Len()) {
		t.Errorf("after it: %+v, %v", d, err)
	}
	for _, ask := range []Asked{{}, {From: 100}} {
		err = w.Fetch(t.Context(), factory, d.ID, ask, to(io.Discard))
		if want := "this download was taken to its last byte at " + d.TakenAt.Format(time.RFC3339) + "; make another, which has other secrets"; text(err) != want {
			t.Errorf("a second time\n got %q\nwant %q", text(err), want)
		}
	}
	page, err := w.Downloads(t.Context(), maker, listing.Ask{Filters: map[string]string{"order": o.ID}})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != d.ID || page.Items[0].Reason != why.Reason || page.Items[0].MadeBy != "ann" {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestGrantRules(t *testing.T) {
	w := newWorks(t)
	waiting := w.request(t, 1)
	cancelled := w.request(t, 1)
	if _, err := w.Cancel(t.Context(), maker, cancelled.ID, ""); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		order string
		n     NewDownload
		want  string
	}{
		{waiting.ID, why, "download is not open in state issuing"},
		{cancelled.ID, why, "download is not open in state cancelled"},
		{"none", why, `there is no order "none"`},
		{waiting.ID, NewDownload{}, "/reason is empty, want 1 to 500 characters"},
		{waiting.ID, NewDownload{Reason: "x", Format: "pdf"}, `/format is pdf, want "xlsx" or "age"`},
		{waiting.ID, NewDownload{Reason: "x", Format: Age, Recipient: "age1x"}, "/recipient is age1x, want the public key of an age identity, age1…"},
		{waiting.ID, NewDownload{Reason: "x", Recipient: "age1x"}, `/recipient is age1x, want nothing, unless the format is "age"`},
	} {
		if _, err := w.Grant(t.Context(), maker, tt.order, tt.n); text(err) != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, text(err), tt.want)
		}
	}
	for what, err := range map[string]error{"taking": func() error { _, err := w.Grant(t.Context(), maker, waiting.ID, why); return err }(), "revoking": w.RevokeOrder(t.Context(), maker, waiting.ID, "r")} {
		if f := fault.Of(err); f == nil || fmt.Sprint(f.Open) != "[cancel]" {
			t.Errorf("%s what is not issued: %+v, want cancel to be open", what, f)
		}
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.download'") + w.count(t, "issuance_download"); n != 0 {
		t.Errorf("%d rows of refused downloads", n)
	}
}

// A download that broke off is gone on with at any byte, and is one download with one entry. The parts are the file.
func TestBrokenDownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 5000))
	d := w.grant1(t, o.ID)
	for _, left := range []int{0, 10_000, 200_000} {
		if err := w.Fetch(t.Context(), maker, d.ID, Asked{}, to(&weak{left})); !errors.Is(err, errWeak) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	gone := writer(func(b []byte) (int, error) {
		stop()
		return len(b), nil
	})
	if err := w.Fetch(ctx, maker, d.ID, Asked{}, to(gone)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller has gone: %v", err)
	}
	var b bytes.Buffer
	var tag string
	for _, end := range []int64{1, 100, 70_000, 70_001, 0} {
		part := func(p Part) (io.Writer, error) {
			tag = p.Tag
			if p.From != int64(b.Len()) || p.Size <= 70_001 || p.Size != p.End && p.End != end {
				t.Errorf("%+v", p)
			}
			return &b, nil
		}
		if b.Len() == 0 {
			part = func(p Part) (io.Writer, error) { return &b, nil }
		}
		if err := w.Fetch(t.Context(), maker, d.ID, Asked{From: int64(b.Len()), End: end, Tag: tag}, part); err != nil {
			t.Fatal(err)
		}
	}
	if _, all := w.read(t, b.Bytes()); len(all) != 5000 {
		t.Errorf("%d triples", len(all))
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.download'"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// What a part cannot be gone on with is given as a whole.
func TestRangeOfAnotherFile(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 10))
	d := w.grant1(t, o.ID)
	_, _, again := Part{}, 0, func(ask Asked) (p Part) {
		err := w.Fetch(t.Context(), maker, d.ID, ask, func(got Part) (io.Writer, error) { p = got; return nil, errWeak })
		if !errors.Is(err, errWeak) {
			t.Errorf("%+v: %v", ask, err)
		}
		return p
	}
	if p := again(Asked{From: 10, Tag: `"another"`}); p.From != 0 {
		t.Errorf("with the tag of another file: %+v", p)
	}
	if p := again(Asked{From: 10}); p.From != 10 {
		t.Errorf("without a tag: %+v", p)
	}
	w.exec(t, "UPDATE issuance_download SET form = 'another program'")
	if p := again(Asked{From: 10}); p.From != 0 || p.Tag != "" {
		t.Errorf("of another program: %+v", p)
	}
	w.exec(t, "UPDATE issuance_download SET form = '"+form()+"'")
	err := w.Fetch(t.Context(), maker, d.ID, Asked{From: 1 << 30}, to(io.Discard))
	if !strings.HasPrefix(text(err), "Range is from byte 1073741824, want a part of ") {
		t.Errorf("beyond the end: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestWhoMayTakeADownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	d := w.grant1(t, o.ID)
	other := maker
	other.Session = "another"
	token := maker
	token.Kind, token.ID, token.Session = access.KindToken, "t1", ""
	for _, who := range []access.Actor{other, token} {
		err := w.Fetch(t.Context(), who, d.ID, Asked{}, to(io.Discard))
		if want := "taking download " + d.ID + " is not allowed: it needs the session or token that made it"; text(err) != want {
			t.Errorf("\n got %q\nwant %q", text(err), want)
		}
	}
	if err := w.Fetch(t.Context(), stranger, d.ID, Asked{}, to(io.Discard)); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger: %v", err)
	}
	for _, jump := range []time.Duration{grantTime, 365 * 24 * time.Hour, -365 * 24 * time.Hour} { // the last: it was made by a clock that ran ahead
		w.now = func() time.Time { return time.Now().Add(jump) }
		if err := w.Fetch(t.Context(), maker, d.ID, Asked{}, to(io.Discard)); !fault.Is(err, fault.Lapsed) {
			t.Errorf("%s after its making: %v", jump, err)
		}
	}
}

// Once all bytes have left, that is noted even if the caller goes at that moment.
func TestDownloadIsNotedWhenTheCallerGoes(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	d := w.grant1(t, o.ID)
	ctx, stop := context.WithCancel(t.Context())
	bytes := 0
	gone := writer(func(b []byte) (int, error) {
		if bytes += len(b); bytes > 100 {
			stop()
		}
		return len(b), nil
	})
	if err := w.Fetch(ctx, maker, d.ID, Asked{}, to(gone)); err != nil {
		t.Fatal(err)
	}
	if o, err := w.Load(t.Context(), maker, o.ID); err != nil || o.DownloadedAt.IsZero() || ctx.Err() == nil {
		t.Errorf("after it: %+v, %v", o, err)
	}
}

func TestOneReaderAtATime(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	d := w.grant1(t, o.ID)
	var inner error
	first := true
	nested := writer(func(b []byte) (int, error) {
		if first {
			first = false
			inner = w.Fetch(t.Context(), maker, d.ID, Asked{}, to(io.Discard))
		}
		return len(b), nil
	})
	if err := w.Fetch(t.Context(), maker, d.ID, Asked{}, to(nested)); err != nil {
		t.Fatal(err)
	}
	if want := "this download is being taken at this moment"; text(inner) != want {
		t.Errorf("\n got %q\nwant %q", text(inner), want)
	}
}

func TestEncryptedDownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 3000))
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Grant(t.Context(), maker, o.ID, NewDownload{Reason: "x", Format: Age, Recipient: id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	var part Part
	var b bytes.Buffer
	// It is not gone on with: whoever asks for a part gets the whole.
	err = w.Fetch(t.Context(), maker, d.ID, Asked{From: 100}, func(p Part) (io.Writer, error) { part = p; return &b, nil })
	if err != nil || part.Tag != "" || part.From != 0 || part.Name != "lampworks-"+o.ID+".xlsx.age" {
		t.Fatalf("%+v, %v", part, err)
	}
	plain, err := age.Decrypt(&b, id)
	if err != nil {
		t.Fatal(err)
	}
	book, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, all := w.read(t, book); len(all) != 3000 || !all[7].Secret.Equal(triple.Derive(w.key(t), w.product.ID, all[7].MAC, 1)) {
		t.Errorf("%d triples", len(all))
	}
}
