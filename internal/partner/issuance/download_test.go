package issuance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// A weak writer breaks off after some bytes.
type weak struct{ left int }

var errWeak = errors.New("the line broke")

func (w *weak) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errWeak
	}
	return len(b), nil
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

func TestDownload(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde4800000") // so that the order has two ranges
	w.pool(t, "acde49")
	w.run(t)
	o := w.wait(t, w.request(t, 5000))
	var b bytes.Buffer
	factory := maker
	factory.Roles = []access.Role{access.Factory}
	entries := w.count(t, "audit_entry")
	rows, err := w.Download(t.Context(), factory, o.ID, &b)
	if err != nil || rows != 5000 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.download'"); n != 1 || w.count(t, "audit_entry") != entries+1 {
		t.Errorf("%d entries of the download", n)
	}
	cover, all := w.read(t, b.Bytes())
	if cover.ProductName != "灯" || cover.ProductKey != w.product.ProductKey || cover.Order != o.ID || cover.Generation != 1 || cover.Quantity != 5000 || cover.Issued.Unix() != o.EndedAt.Unix() {
		t.Errorf("the cover says %+v", cover)
	}
	var key [32]byte
	err = w.store.Read(t.Context(), func(v *store.View) error {
		k, err := w.keys.ProductKey(t.Context(), v, w.product.ID)
		key = k.Reveal()
		return err
	})
	if err != nil || len(all) != 5000 {
		t.Fatalf("%d triples, %v", len(all), err)
	}
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
	b.Reset()
	_, err = w.Download(t.Context(), maker, o.ID, &b)
	want := "the workbook of this order was downloaded at " + o.DownloadedAt.Format("2006-01-02T15:04:05Z07:00") + ", and its secrets are not handed out twice"
	if text(err) != want || !fault.Is(err, fault.Clash) || b.Len() != 0 || w.count(t, "audit_entry") != entries+1 {
		t.Errorf("a second time: %d bytes\n got %q\nwant %q", b.Len(), text(err), want)
	}
}

func TestDownloadIsRefusedBeforeTheFirstByte(t *testing.T) {
	w := newWorks(t)
	waiting := w.request(t, 1)
	cancelled := w.request(t, 1)
	if _, err := w.Cancel(t.Context(), maker, cancelled.ID, ""); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		order, want string
		open        []string
	}{
		{waiting.ID, "download is not open in state issuing", []string{"cancel"}},
		{cancelled.ID, "download is not open in state cancelled", nil},
		{"none", `there is no order "none"`, nil},
	} {
		var b bytes.Buffer
		_, err := w.Download(t.Context(), maker, tt.order, &b)
		if f := fault.Of(err); text(err) != tt.want || fmt.Sprint(f.Open) != fmt.Sprint(tt.open) || b.Len() != 0 {
			t.Errorf("%d bytes, open %v\n got %q\nwant %q", b.Len(), f.Open, text(err), tt.want)
		}
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.download'"); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// A download that broke off can be repeated, and each is on record.
func TestBrokenDownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 5000))
	for i, left := range []int{0, 10_000, 200_000} {
		_, err := w.Download(t.Context(), maker, o.ID, &weak{left})
		if !errors.Is(err, errWeak) {
			t.Errorf("after %d bytes: %v", left, err)
		}
		if n := w.count(t, "audit_entry WHERE act = 'order.download'"); n != i+1 {
			t.Errorf("%d entries after %d downloads", n, i+1)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	gone := writer(func(b []byte) (int, error) {
		stop()
		return len(b), nil
	})
	if _, err := w.Download(ctx, maker, o.ID, gone); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller has gone: %v", err)
	}
	var b bytes.Buffer
	if _, err := w.Download(t.Context(), maker, o.ID, &b); err != nil {
		t.Fatal(err)
	}
	if _, all := w.read(t, b.Bytes()); len(all) != 5000 {
		t.Errorf("%d triples", len(all))
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// Once all bytes have left, that is noted even if the caller goes at that moment.
func TestDownloadIsNotedWhenTheCallerGoes(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	ctx, stop := context.WithCancel(t.Context())
	bytes := 0
	gone := writer(func(b []byte) (int, error) {
		if bytes += len(b); bytes > 100 {
			stop()
		}
		return len(b), nil
	})
	if _, err := w.Download(ctx, maker, o.ID, gone); err != nil {
		t.Fatal(err)
	}
	if o, err := w.Load(t.Context(), maker, o.ID); err != nil || o.DownloadedAt.IsZero() || ctx.Err() == nil {
		t.Errorf("after it: %+v, %v", o, err)
	}
}

func TestOneDownloadAtATime(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	var inner error
	first := true
	nested := writer(func(b []byte) (int, error) {
		if first {
			first = false
			_, inner = w.Download(t.Context(), maker, o.ID, io.Discard)
		}
		return len(b), nil
	})
	if _, err := w.Download(t.Context(), maker, o.ID, nested); err != nil {
		t.Fatal(err)
	}
	if want := "the workbook of this order is being downloaded at this moment"; text(inner) != want {
		t.Errorf("\n got %q\nwant %q", text(inner), want)
	}
}
