package factory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	maker    = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: "lamps", Roles: []access.Role{access.Owner}}
	stranger = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: "others", Roles: []access.Role{access.Owner}}
)

// works is a maker with an order of ten triples.
type works struct {
	*Service
	product product.Product
	order   issuance.Order
	macs    []triple.MAC
}

func newWorks(t *testing.T) *works {
	t.Helper()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	s := storetest.Open(t)
	keys, err := keyring.Open(t.Context(), s, filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	w := &works{}
	jobs := job.New(s, log)
	products := product.New(s, keys, log)
	issued := func(_ context.Context, _ *store.Tx, _ issuance.Order, rows []issuance.Row) error {
		for _, r := range rows {
			w.macs = append(w.macs, r.MAC)
		}
		return nil
	}
	orders := issuance.New(issuance.Config{Store: s, Products: products, Keys: keys, Jobs: jobs, Issued: issued, Logger: log})
	w.Service = New(s, orders, products, jobs)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := jobs.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	if w.product, err = products.Create(t.Context(), maker, product.NewProduct{Category: "light", Names: product.Names{"en": "Lamp"}}); err != nil {
		t.Fatal(err)
	}
	w.order = w.issue(t, 10)
	return w
}

func (w *works) issue(t *testing.T, n int) issuance.Order {
	t.Helper()
	o, err := w.orders.Request(t.Context(), maker, issuance.NewOrder{Product: w.product.ID, Quantity: n, Purpose: issuance.Debug})
	if err != nil {
		t.Fatal(err)
	}
	if o, err = w.orders.Wait(t.Context(), maker, o.ID); err != nil || o.State != issuance.StateIssued {
		t.Fatal(o, err)
	}
	return o
}

// add adds a burn log of the order and waits until it is read.
func (w *works) add(t *testing.T, file string) Log {
	t.Helper()
	l, err := w.Add(t.Context(), maker, w.order.ID, "line 1", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.jobs.Wait(t.Context(), access.System("test", ""), l.Job); err != nil {
		t.Fatal(err)
	}
	if l, err = w.Load(t.Context(), maker, l.ID); err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *works) row(i int, result, time string) string {
	return fmt.Sprintf("%s,%s,%s,%s,st 1\n", w.product.ProductID, w.macs[i], result, time)
}

func (l *Log) summary() string {
	return fmt.Sprintf("%s: %d lines, %d burned, %d failed, %d repeated, %d double, %d foreign, %d wrong", l.State, l.Lines, l.Burned, l.Failed, l.Repeated, l.Doubled, l.Foreign, l.Wrong)
}

const day1, day2 = "2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z"

func TestLogsAddUp(t *testing.T) {
	w := newWorks(t)
	other := w.issue(t, 1)
	file := w.row(0, "pass", day1) + w.row(1, "FAIL", day1) + w.row(1, "ok", day2) + w.row(2, "fail", day1) + w.row(0, "pass", day2) +
		w.row(10, "pass", day1) + "1,ffffffffffff,pass," + day1 + ",x\n"
	for _, tt := range []struct{ name, file, want string }{
		{"the first", file, "done: 7 lines, 2 burned, 2 failed, 0 repeated, 1 double, 1 foreign, 1 wrong"},
		{"a second that says some again", w.row(0, "pass", day1) + w.row(3, "成功", "1767409445000") + w.row(2, "1", "2026-01-03 03:04:05"), "done: 3 lines, 2 burned, 0 failed, 1 repeated, 0 double, 0 foreign, 0 wrong"},
		{"with a heading", "time,result,station,mac,product_id\n" + day1 + ",ok,s," + w.macs[4].Upper() + "," + w.product.ProductID.String() + "\n", "done: 1 lines, 1 burned, 0 failed, 0 repeated, 0 double, 0 foreign, 0 wrong"},
		{"a heading alone", "product_id,mac,result,time,station\n", "done: 0 lines, 0 burned, 0 failed, 0 repeated, 0 double, 0 foreign, 0 wrong"},
	} {
		if l := w.add(t, tt.file); l.summary() != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.name, l.summary(), tt.want)
		}
	}
	first := w.add(t, file) // the same file: it is not read again
	page, err := w.List(t.Context(), maker, listing.Ask{Filters: map[string]string{"order": w.order.ID}})
	if err != nil || len(page.Items) != 4 || page.Items[3].ID != first.ID {
		t.Errorf("%d logs, %v", len(page.Items), err)
	}
	var got []string
	rows, err := w.Flaws(t.Context(), maker, first.ID, listing.Ask{})
	for _, f := range rows.Items {
		got = append(got, fmt.Sprintf("%d %s %s: %s", f.Line, f.Kind, f.Got, f.Rule))
	}
	want := []string{
		"5 double " + w.macs[0].String() + ": an address that is burned once; line 1 of log " + first.ID + ` burned it at ` + day1 + `, station "st 1"`,
		"6 foreign " + w.macs[10].String() + ": an address of this order; it is of order " + other.ID,
		"7 wrong 1: the product id " + w.product.ProductID.String() + " of the order",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || err != nil {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
	if st, err := w.Status(t.Context(), maker, w.order.ID); err != nil || st != (Status{Quantity: 10, Burned: 5, Failed: 0, Missing: 5}) {
		t.Errorf("%+v, %v", st, err)
	}
	if b, err := w.Burns(t.Context(), maker, w.order.ID, listing.Ask{Filters: map[string]string{"result": "burned"}}); err != nil || len(b.Items) != 5 || b.Items[1].MAC != w.macs[1] || b.Items[1].Station != "st 1" {
		t.Errorf("%+v, %v", b, err)
	}
	w.missing(t)
}

// missing walks through what nobody has said anything of.
func (w *works) missing(t *testing.T) {
	t.Helper()
	var all []triple.MAC
	for row := 0; ; {
		part, next, err := w.Missing(t.Context(), maker, w.order.ID, row, 2)
		if err != nil || len(part) > 2 {
			t.Fatal(part, err)
		}
		all = append(all, part...)
		if row = next; next == 0 {
			break
		}
	}
	if fmt.Sprint(all) != fmt.Sprint(w.macs[5:10]) {
		t.Errorf("missing are %v, want %v", all, w.macs[5:10])
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	w := newWorks(t)
	pid, mac := w.product.ProductID.String(), w.macs[0].String()
	for _, tt := range []struct{ row, want string }{
		{pid + ",x,pass," + day1, "x: a MAC of twelve hexadecimal digits"},
		{pid, "empty: a MAC of twelve hexadecimal digits"},
		{"7," + mac + ",pass," + day1, "7: the product id " + pid + " of the order"},
		{pid + "," + mac + ",maybe," + day1, "maybe: pass or fail"},
		{pid + "," + mac + ",pass,yesterday", "yesterday: a time that has come, as 2026-01-02T15:04:05Z"},
		{pid + "," + mac + ",pass,2999-01-01T00:00:00Z", "2999-01-01T00:00:00Z: a time that has come, as 2026-01-02T15:04:05Z"},
		{pid + "," + mac + ",pass," + day1 + "," + strings.Repeat("s", 101), strings.Repeat("s", 61) + "…: a station of at most 100 bytes"},
	} {
		l := w.add(t, tt.row+"\n")
		rows, err := w.Flaws(t.Context(), maker, l.ID, listing.Ask{})
		if err != nil || l.Wrong != 1 || len(rows.Items) != 1 {
			t.Errorf("%s: %s, %v", tt.row, l.summary(), err)
			continue
		}
		got := rows.Items[0].Got + ": " + rows.Items[0].Rule
		if rows.Items[0].Got == "" {
			got = "empty" + got
		}
		if got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.row, got, tt.want)
		}
	}
}

// What stations in the field write is taken, and a line that cannot be read is named without those beside it.
func TestLinesThatAreNoUTF8(t *testing.T) {
	w := newWorks(t)
	station := "\xb2\xfa\xcf\xdf1" // 产线1 in GBK
	good := func(i int) string { return strings.Replace(w.row(i, "pass", day1), "st 1", station, 1) }
	long := strings.Repeat("x", 70_000) + "\n"
	l := w.add(t, good(0)+"\xff\xfe\n"+good(1)+long+good(2)+strings.Replace(w.row(3, "pass", day1), "st 1", "\xff", 1)+strings.TrimSuffix(good(4), "\n"))
	if want := "done: 7 lines, 4 burned, 0 failed, 0 repeated, 0 double, 0 foreign, 3 wrong"; l.summary() != want {
		t.Errorf("\n got %s\nwant %s (%s)", l.summary(), want, l.Reason)
	}
	burns, err := w.Burns(t.Context(), maker, w.order.ID, listing.Ask{})
	if err != nil || len(burns.Items) != 4 || burns.Items[0].Station != "产线1" {
		t.Errorf("%+v, %v", burns.Items, err)
	}
	rows, err := w.Flaws(t.Context(), maker, l.ID, listing.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range rows.Items {
		got = append(got, fmt.Sprintf("%d %s: %s", f.Line, f.Got, f.Rule))
	}
	want := []string{
		"2 \ufffd\ufffd: a MAC of twelve hexadecimal digits",
		"4 " + strings.Repeat("x", 32) + "… (a line above 64 KiB): a MAC of twelve hexadecimal digits",
		"6 \ufffd: a station in UTF-8 or GB18030",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// What was read before a log fails is taken.
func TestRowsBeforeAnEndAreTaken(t *testing.T) {
	w := newWorks(t)
	w.maxRows = 2
	l := w.add(t, w.row(0, "pass", day1)+w.row(1, "pass", day1)+w.row(2, "pass", day1))
	if l.State != Failed || l.Burned != 2 {
		t.Errorf("%s: %s", l.summary(), l.Reason)
	}
}

// A job that begins again counts every row once.
func TestReadAgain(t *testing.T) {
	w := newWorks(t)
	l := w.add(t, w.row(0, "fail", day1)+w.row(0, "pass", day2)+w.row(1, "pass", day1)+w.row(1, "pass", day2))
	want := l.summary()
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE factory_log SET state = 'checking'"); err != nil {
			return err
		}
		file := w.row(0, "fail", day1) + w.row(0, "pass", day2) + w.row(1, "pass", day1) + w.row(1, "pass", day2)
		if _, err := tx.Exec(t.Context(), "INSERT INTO factory_upload (log, seq, bytes) VALUES (?, 0, ?)", l.ID, []byte(file)); err != nil {
			return err
		}
		j, err := w.jobs.Submit(t.Context(), tx, access.System("factory", "lamps"), job.Spec{Kind: jobKind, Object: l.ID})
		l.Job = j.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.jobs.Wait(t.Context(), access.System("test", ""), l.Job); err != nil {
		t.Fatal(err)
	}
	if l, err = w.Load(t.Context(), maker, l.ID); err != nil || l.summary() != want {
		t.Errorf("%v\n got %s\nwant %s", err, l.summary(), want)
	}
}

func TestWhoMay(t *testing.T) {
	w := newWorks(t)
	l := w.add(t, w.row(0, "pass", day1))
	ctx := t.Context()
	query := maker
	query.Roles = []access.Role{access.Query}
	second := func(_ any, err error) error { return err }
	for name, tt := range map[string]struct {
		err  error
		want fault.Code
	}{
		"a stranger loads":        {second(w.Load(ctx, stranger, l.ID)), fault.Missing},
		"a stranger adds":         {second(w.Add(ctx, stranger, w.order.ID, "", strings.NewReader(""))), fault.Missing},
		"a stranger reads flaws":  {second(w.Flaws(ctx, stranger, l.ID, listing.Ask{})), fault.Missing},
		"a stranger reads burns":  {second(w.Burns(ctx, stranger, w.order.ID, listing.Ask{})), fault.Missing},
		"a stranger reads status": {second(w.Status(ctx, stranger, w.order.ID)), fault.Missing},
		"query adds":              {second(w.Add(ctx, query, w.order.ID, "", strings.NewReader(""))), fault.NotAllowed},
		"query loads":             {second(w.Load(ctx, query, l.ID)), fault.NotAllowed},
		"a bad name":              {second(w.Add(ctx, maker, w.order.ID, "a\x00", strings.NewReader(""))), fault.Malformed},
	} {
		if !fault.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %s", name, tt.err, tt.want)
		}
	}
	listingtest.Prove(t, w.store, &logs)
	listingtest.Prove(t, w.store, &burns)
	listingtest.Prove(t, w.store, &flaws)
}

func TestErase(t *testing.T) {
	w := newWorks(t)
	w.add(t, w.row(0, "pass", day1)+w.row(1, "pass", day1)+w.row(2, "pass", day1)+"bad\n")
	w.add(t, w.row(3, "pass", day1))
	calls := 0
	for more := true; more; calls++ {
		err := w.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = w.Erase(t.Context(), tx, "batch", w.order.ID, 2)
			return err
		})
		if err != nil || calls > 20 {
			t.Fatal(calls, err)
		}
	}
	err := w.store.Read(t.Context(), func(v *store.View) error {
		for _, table := range []string{"factory_log", "factory_burn", "factory_flaw", "factory_upload"} {
			var n int
			if err := v.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		n, err := w.Holds(t.Context(), v, "batch", w.order.ID)
		if n != 0 {
			t.Errorf("it holds %d", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Burn logs count, and their files as stored ones until they are read.
func TestLogsAreLimited(t *testing.T) {
	w := newWorks(t)
	used := func() string {
		var logs, bytes int64
		err := w.store.Read(t.Context(), func(v *store.View) error {
			return v.QueryRow(t.Context(), `SELECT COALESCE(SUM(CASE WHEN name = 'burn_logs' THEN used ELSE 0 END), 0),
				COALESCE(SUM(CASE WHEN name = 'storage_bytes' THEN used ELSE 0 END), 0) FROM quota_used WHERE subject = 'lamps'`).Scan(&logs, &bytes)
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(logs, bytes)
	}
	file := w.row(0, "pass", day1)
	w.add(t, file)
	w.add(t, file) // known: it takes nothing
	if got := used(); got != "1 0" {
		t.Errorf("%s are taken", got)
	}
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		for i := range maxOpen {
			l := Log{ID: fmt.Sprint(i), Order: w.order.ID, Product: w.product.ID, Organisation: "lamps", State: Uploading, CreatedAt: w.now()}
			if err := insertLog(t.Context(), tx, &l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add(t.Context(), maker, w.order.ID, "one more", strings.NewReader(file)); !fault.Is(err, fault.OverLimit) {
		t.Errorf("one more: %v", err)
	}
}

// A file that cannot be a burn log is refused before anything of it is kept.
func TestFilesThatAreNoLogs(t *testing.T) {
	w := newWorks(t)
	for file, want := range map[string]string{
		"":                              "file is empty, want CSV with one row for each triple that was burned",
		"\ufeff \r\n\n":                 "file is empty, want CSV with one row for each triple that was burned",
		"\x89PNG\r\n\x1a\n\x00\x00\x00": "file is no text, want CSV with one row for each triple that was burned",
		"%PDF-1.7\nx":                   "file is no text, want CSV with one row for each triple that was burned",
		"a\x00b\x00":                    "file is no text, want CSV with one row for each triple that was burned",
	} {
		if _, err := w.Add(t.Context(), maker, w.order.ID, "log", strings.NewReader(file)); err == nil || fault.Of(err).Sentence() != want {
			t.Errorf("%q: got %v, want %s", file, err, want)
		}
	}
	if page, err := w.List(t.Context(), maker, listing.Ask{}); err != nil || len(page.Items) != 0 {
		t.Errorf("kept are %+v, %v", page.Items, err)
	}
}
