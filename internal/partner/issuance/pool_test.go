package issuance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/triple"
)

func (w *works) pool(t testing.TB, prefix string) Pool {
	t.Helper()
	p, err := w.AddPool(t.Context(), operator, NewPool{Name: "pool " + prefix, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *works) pools(t testing.TB) (text []string) {
	t.Helper()
	all, err := w.Pools(t.Context(), operator)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		text = append(text, fmt.Sprintf("%s %s-%s %d", p.Name, p.First, p.Last, p.Left))
	}
	return text
}

func TestPoolRules(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde48")
	const digits = ", want 6 to 11 hexadecimal digits"
	for _, tt := range []struct{ name, prefix, want string }{
		{"a", "AC-DE-49", ""},
		{"a", "ac:de:4a:0", ""},
		{"a", "acde4a00001", `the prefix overlaps the pool "a", acde4a000000 to acde4a0fffff`},
		{"a", "acde4a10000", ""},
		{"a", "acde48", `the prefix overlaps the pool "pool acde48", acde48000000 to acde48ffffff`},
		{"a", "acde4", "/prefix is acde4" + digits},
		{"a", "acde4b000001", "/prefix is acde4b000001" + digits},
		{"a", "", "/prefix is empty" + digits},
		{"a", "acde4g", "/prefix is acde4g" + digits},
		{"a", "+acde4b", "/prefix is +acde4b" + digits},
		{"a", "0xacde4b", "/prefix is 0xacde4b" + digits},
		{"a", "ac_de_4b", "/prefix is ac_de_4b" + digits},
		{"a", "adde48", "/prefix is adde48, want the prefix of addresses for one device each"},
		{"", "acde4b", "/name is empty, want 1 to 100 characters, no control characters"},
		{"a\nb", "acde4b", "/name is a\uFFFDb, want 1 to 100 characters, no control characters"},
		{strings.Repeat("x", 101), "acde4b", "/name is " + strings.Repeat("x", 61) + "…, want 1 to 100 characters, no control characters"},
		{strings.Repeat("灯", 100), "acde4b", ""},
	} {
		before := w.count(t, "mac_pool") + w.count(t, "audit_entry")
		_, err := w.AddPool(t.Context(), operator, NewPool{Name: tt.name, Prefix: tt.prefix})
		if got := text(err); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.prefix, got, tt.want)
		}
		if after := w.count(t, "mac_pool") + w.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%q: %d rows before, %d after", tt.prefix, before, after)
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"acde48", "AC:DE:48:0", "ac-de-48-00-01", "ffffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, prefix string) {
		first, last, err := parsePrefix(prefix)
		if err != nil {
			return
		}
		a, b := triple.MACOf(first).String(), triple.MACOf(last).String()
		n := 0
		for n < len(a) && a[n] == b[n] {
			n++
		}
		if f2, l2, err := parsePrefix(a[:n]); err != nil || f2 != first || l2 != last || last-first+1 != 1<<(4*(12-n)) {
			t.Errorf("%q is %s to %s, and %q again %x to %x, %v", prefix, a, b, a[:n], f2, l2, err)
		}
	})
}

// Without a pool of the operator's the program makes one, of addresses that anybody may use locally.
func TestDefaultPool(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	if got := w.pools(t); got != nil {
		t.Errorf("before the first order: %v", got)
	}
	o := w.wait(t, w.request(t, 3))
	all, err := w.Pools(t.Context(), operator)
	if err != nil || len(all) != 1 || !all[0].Default || all[0].Left != 1<<24-3 {
		t.Fatalf("after it: %+v, %v", all, err)
	}
	if octet := all[0].First[0]; octet&0x0f != 2 {
		t.Errorf("the first octet is %02x, want a locally administered one of the administrator's quadrant", octet)
	}
	if first, _, _ := w.macs(t, o); first != all[0].First.Uint64() {
		t.Errorf("the first order begins at %x, the pool at %s", first, all[0].First)
	}
	// From then on only the operator's own is used, also when it is used up.
	w.pool(t, "acde4800000")
	if first, _, _ := w.macs(t, w.wait(t, w.request(t, 16))); first != 0xacde48000000 {
		t.Errorf("with a pool of the operator's an order begins at %x", first)
	}
	_, err = w.order(t, 1)
	if got, want := text(err), "/quantity is 1, the limit is the 0 addresses that the platform has left"; got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// Two platforms hardly ever draw the same prefix.
func TestDefaultPoolsDiffer(t *testing.T) {
	seen := make(map[uint64]bool)
	for range 100 {
		p := defaultPool(time.Now())
		seen[p.first] = true
		if p.last-p.first != 1<<24-1 || p.first>>40&0x0f != 2 || p.last >= 1<<48 {
			t.Fatalf("%x to %x", p.first, p.last)
		}
	}
	if len(seen) < 95 {
		t.Errorf("100 draws gave %d prefixes", len(seen))
	}
}

// Orders that meet at the last addresses of a pool share none, and the one that comes too late is told what is left.
func TestRaceForTheLastAddresses(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde4800000") // 16 addresses
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []Order
	var refused []string
	const at = 8 // once
	for range at {
		wg.Go(func() {
			o, err := w.order(t, 5)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused = append(refused, err.Error())
				return
			}
			got = append(got, o)
		})
	}
	wg.Wait()
	const want = "/quantity is 5, the limit is the 1 addresses that the platform has left"
	if len(got) != 3 || len(refused) != at-3 {
		t.Fatalf("%d orders of 5 got 16 addresses, %d were refused", len(got), len(refused))
	}
	for _, r := range refused {
		if r != want {
			t.Errorf("\n got %q\nwant %q", r, want)
		}
	}
	w.run(t)
	for _, o := range got {
		if o = w.wait(t, o); o.State != StateIssued {
			t.Errorf("order %+v, its job says %s", o, w.text(t, "SELECT state || ' ' || attempts || ' ' || error FROM job WHERE id = ?", o.Job))
		}
	}
	if n := w.count(t, "row"); n != 15 { // the table refuses an address given twice
		t.Errorf("%d rows, want 15", n)
	}
	if diff := cmp.Diff(w.pools(t), []string{"pool acde4800000 acde48000000-acde4800000f 1"}); diff != "" {
		t.Error(diff)
	}
}

// An order takes what it needs from as many pools as it needs, and gives back to each.
func TestOrderOverPools(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde4800000")
	w.pool(t, "acde4900000")
	w.pool(t, "acde4a00000")
	o := w.request(t, 40)
	left := func() string {
		var n []string
		for _, p := range w.pools(t) {
			n = append(n, p[strings.LastIndex(p, " ")+1:])
		}
		return strings.Join(n, " ")
	}
	if got := left(); got != "0 0 8" {
		t.Errorf("left: %s", got)
	}
	// As if 20 had been handed on when it is cancelled: those stay away, the rest comes back.
	w.exec(t, "UPDATE issuance_order SET done = 20")
	if _, err := w.Cancel(t.Context(), maker, o.ID, ""); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "0 12 16" {
		t.Errorf("left after cancelling: %s", got)
	}
	w.run(t)
	o = w.wait(t, w.request(t, 28))
	first, last, n := w.macs(t, o)
	if first != 0xacde49000004 || last != 0xacde4a00000f || n != 28 {
		t.Errorf("the next order has %d from %x to %x", n, first, last)
	}
}

// snapshot closes the works and copies the database, not the key and the marks beside it.
func (w *works) snapshot(t testing.TB, stop func()) (restore func() *works) {
	t.Helper()
	storetest.SQLiteOnly(t, "it reads or copies the file of the database")
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	kept := t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(filepath.Join(w.dir, "data"))); err != nil {
		t.Fatal(err)
	}
	return func() *works {
		data := filepath.Join(w.dir, "data")
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(data, os.DirFS(kept)); err != nil {
			t.Fatal(err)
		}
		return worksAt(t, w.dir)
	}
}

// After a restore of older data nothing is issued that the lost data had issued.
func TestRestoreIssuesNothingTwice(t *testing.T) {
	w := newWorks(t)
	stop := w.run(t)
	w.wait(t, w.request(t, 10))
	restore := w.snapshot(t, stop)

	w = worksAt(t, w.dir)
	stop = w.run(t)
	_, lost, _ := w.macs(t, w.wait(t, w.request(t, 100)))
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}

	w = restore()
	w.run(t)
	if n := w.count(t, "issuance_order"); n != 1 {
		t.Fatalf("%d orders in the restored data", n)
	}
	if first, _, _ := w.macs(t, w.wait(t, w.request(t, 1))); first != lost+1 {
		t.Errorf("after a restore an order begins at %x, want %x", first, lost+1)
	}
	// Also what comes back does not go below.
	o := w.request(t, 10)
	if _, err := w.Cancel(t.Context(), maker, o.ID, ""); err != nil {
		t.Fatal(err)
	}
	if first, _, _ := w.macs(t, w.wait(t, w.request(t, 1))); first != lost+2 {
		t.Errorf("the next one begins at %x, want %x", first, lost+2)
	}
}

// An order that was open when the data were copied, and whose addresses others were issued since, is not issued after a restore.
func TestRestoredOrderIsNotIssuedTwice(t *testing.T) {
	w := newWorks(t)
	open := w.request(t, 10)
	restore := w.snapshot(t, func() {})

	w = worksAt(t, w.dir)
	if _, err := w.Cancel(t.Context(), maker, open.ID, ""); err != nil {
		t.Fatal(err)
	}
	stop := w.run(t)
	_, lost, _ := w.macs(t, w.wait(t, w.request(t, 10)))
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}

	w = restore()
	w.run(t)
	o := w.wait(t, open)
	if o.State != StateFailed || o.Reason != "the data were restored from an older state, in which this order was open: order again" || w.count(t, "row") != 0 {
		t.Errorf("%+v", o)
	}
	if first, _, _ := w.macs(t, w.wait(t, w.request(t, 1))); first != lost+1 {
		t.Errorf("the next one begins at %x, want %x", first, lost+1)
	}
}

// An order may be issued after one that lies above it: its mark is not mistaken for that of lost data.
func TestOrdersEndInAnyOrder(t *testing.T) {
	storetest.SQLiteOnly(t, "a bubble of time holds no sockets")
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		below, above := w.request(t, 10), w.request(t, 10)
		tries := 0
		w.setHook(func(_ context.Context, _ *store.Tx, o Order, _ []Row) error {
			if o.ID != below.ID {
				return nil
			}
			if tries++; tries == 1 {
				return fault.Unavailable("not now", nil)
			}
			return nil
		})
		w.run(t)
		above = w.wait(t, above)
		if o, err := w.Load(t.Context(), maker, below.ID); err != nil || o.State != StateIssuing || above.State != StateIssued {
			t.Errorf("above is %s, below %+v, %v", above.State, o, err)
		}
		if below = w.wait(t, below); below.State != StateIssued {
			t.Errorf("below is %+v", below)
		}
	})
}

// A pool that the restored data do not know, made anew with a wider prefix, begins above what was issued from the old one.
func TestPoolMadeAnewAfterARestore(t *testing.T) {
	w := newWorks(t)
	restore := w.snapshot(t, func() {})
	w = worksAt(t, w.dir)
	w.pool(t, "acde48a")
	stop := w.run(t)
	_, lost, _ := w.macs(t, w.wait(t, w.request(t, 7)))
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w = restore()
	p := w.pool(t, "acde48")
	if want := int(p.Last.Uint64() - lost); p.Left != want {
		t.Errorf("%d left, want %d", p.Left, want)
	}
	w.run(t)
	if first, _, _ := w.macs(t, w.wait(t, w.request(t, 1))); first != lost+1 {
		t.Errorf("it begins at %x, want %x", first, lost+1)
	}
}

// What the marks take from a pool is not promised to an order.
func TestRestoredPoolKnowsWhatIsLeft(t *testing.T) {
	w := newWorks(t)
	w.pool(t, "acde4800000")
	restore := w.snapshot(t, func() {})
	w = worksAt(t, w.dir)
	stop := w.run(t)
	w.wait(t, w.request(t, 10))
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w = restore()
	_, err := w.order(t, 7)
	if got, want := text(err), "/quantity is 7, the limit is the 6 addresses that the platform has left"; got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	w.request(t, 6)
}

// The mark beside the root key is on disk before an order is issued; without it there is no issue.
func TestNoMarkNoIssue(t *testing.T) {
	w := newWorks(t)
	obstacle := filepath.Join(w.dir, "root.key.marks.new", "x")
	if err := os.MkdirAll(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	o := w.wait(t, w.request(t, 3))
	if o.State != StateFailed || !strings.HasPrefix(o.Reason, "its triples could not be registered") {
		t.Errorf("%+v", o)
	}
	if err := os.RemoveAll(filepath.Dir(obstacle)); err != nil {
		t.Fatal(err)
	}
	o = w.wait(t, w.request(t, 3))
	_, last, _ := w.macs(t, o)
	marks, err := os.ReadFile(filepath.Join(w.dir, "root.key.marks"))
	if err != nil || !strings.Contains(string(marks), fmt.Sprintf(" %d\n", last)) {
		t.Errorf("the marks are %q, %v; want %d among them", marks, err, last)
	}
}

func TestPoolsAreLimited(t *testing.T) {
	w := newWorks(t)
	w.exec(t, `INSERT INTO mac_pool (id, name, origin, first, last, next, created_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, i, 'operator', i, i, i, 0 FROM n`)
	_, err := w.AddPool(t.Context(), operator, NewPool{Name: "a", Prefix: "acde48"})
	if !fault.Is(err, fault.OverLimit) || text(err) != "number of pools is 1000, the limit is 1000" {
		t.Errorf("one more: %v", err)
	}
}
