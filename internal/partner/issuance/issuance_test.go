package issuance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	maker     = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: "lamps", Roles: []access.Role{access.Owner}, Session: "s", Proved: time.Now()}
	stranger  = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: "others", Roles: []access.Role{access.Owner}, Session: "t", Proved: time.Now()}
	operator  = access.Actor{Kind: access.KindUser, ID: "op", User: "op", Roles: []access.Role{access.Admin}, Strong: true}
	reviewer2 = access.Actor{Kind: access.KindUser, ID: "roy", User: "roy", Roles: []access.Role{access.Reviewer}, Strong: true}
	reviewer1 = access.Actor{Kind: access.KindUser, ID: "rex", User: "rex", Roles: []access.Role{access.Reviewer}, Strong: true}
)

// A works is a service whose hook writes rows into a table of the test.
type works struct {
	*Service
	dir     string
	product product.Product

	mu   sync.Mutex
	hook Issued   // in place of the one that writes, if set
	told []string // kind, order and reason, in order
}

func newWorks(t testing.TB) *works { return worksAt(t, t.TempDir()) }

// worksAt opens the data in dir, as a start of the program does.
func worksAt(t testing.TB, dir string) *works {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := storetest.OpenAt(t, filepath.Join(dir, "data", "lampworks.db"))
	keys, err := keyring.Open(t.Context(), s, filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	w := &works{dir: dir}
	w.Service = New(Config{Store: s, Products: product.New(s, keys, log), Keys: keys, Jobs: job.New(s, log), Issued: w.register, Logger: log, Tell: func(_ context.Context, _ *store.Tx, _, kind string, data map[string]string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, kind+" "+data["order"]+" "+data["reason"])
		return nil
	}})
	w.exec(t, "CREATE TABLE IF NOT EXISTS row (mac TEXT NOT NULL PRIMARY KEY, batch TEXT NOT NULL, generation INTEGER NOT NULL)")
	w.product, err = w.products.Create(t.Context(), maker, product.NewProduct{Category: "light", Names: product.Names{"zh-CN": "灯", "en": "Lamp"}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// register is the hook.
func (w *works) register(ctx context.Context, tx *store.Tx, o Order, rows []Row) error {
	w.mu.Lock()
	hook := w.hook
	w.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, tx, o, rows); err != nil {
			return err
		}
	}
	const at = 100
	args := make([]any, 0, 3*at)
	for len(rows) > 0 {
		n := min(len(rows), at)
		args = args[:0]
		for _, r := range rows[:n] {
			args = append(args, r.MAC.String(), o.ID, r.Generation)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO row (mac, batch, generation) VALUES (?, ?, ?)"+strings.Repeat(", (?, ?, ?)", n-1), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (w *works) setHook(h Issued) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = h
}

// run does jobs until the test ends or stop is called.
func (w *works) run(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.jobs.Run(ctx); err != nil && ctx.Err() == nil { // it may be stopped before it began
			t.Errorf("running jobs: %v", err)
		}
	})
	stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(stop)
	return stop
}

func (w *works) exec(t testing.TB, statement string) {
	t.Helper()
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *works) text(t testing.TB, query string, args ...any) (text string) {
	t.Helper()
	err := w.store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), query, args...).Scan(&text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *works) count(t testing.TB, what string) int {
	t.Helper()
	var n int
	_, err := fmt.Sscan(w.text(t, "SELECT COUNT(*) FROM "+what), &n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// request applies for triples for mass production and has them approved.
func (w *works) request(t testing.TB, quantity int) Order {
	t.Helper()
	o, err := w.order(t, quantity)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (w *works) order(t testing.TB, quantity int) (Order, error) {
	t.Helper()
	o, err := w.Request(t.Context(), maker, w.mass(quantity))
	if err != nil {
		return o, err
	}
	return w.Decide(t.Context(), reviewer1, o.ID, Approve, "")
}

func (w *works) mass(quantity int) NewOrder {
	return NewOrder{Product: w.product.ID, Quantity: quantity, Purpose: Mass, Factory: Factory{Name: "Lamp Works One"}}
}

func (w *works) wait(t testing.TB, o Order) Order {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	o, err := w.Wait(ctx, maker, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// macs are the first and last address registered for an order, and how many there are.
func (w *works) macs(t testing.TB, o Order) (first, last uint64, n int) {
	t.Helper()
	var a, b string
	err := w.store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COALESCE(MIN(mac), ''), COALESCE(MAX(mac), ''), COUNT(*) FROM row WHERE batch = ?", o.ID).Scan(&a, &b, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		return 0, 0, 0
	}
	return parse(t, a), parse(t, b), n
}

func parse(t testing.TB, mac string) uint64 {
	t.Helper()
	m, err := triple.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	return m.Uint64()
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMoves(t *testing.T) {
	if err := moves.Check(StateRequested); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(moves.Ends(), []State{StateRejected, StateWithdrawn, StateCancelled, StateIssued, StateFailed}); diff != "" {
		t.Errorf("ends: %s", diff)
	}
	for _, s := range moves.States() {
		if s.Ended() != (len(moves.Open(s, access.System("test", ""))) == 0) {
			t.Errorf("%s ends: %v", s, s.Ended())
		}
	}
}

func TestOrderIsIssued(t *testing.T) {
	w := newWorks(t)
	var chunks, atMost int
	w.setHook(func(ctx context.Context, tx *store.Tx, o Order, rows []Row) error {
		chunks, atMost = chunks+1, max(atMost, len(rows))
		now, err := load(ctx, tx, maker, o.ID)
		if err != nil || now.State != StateIssuing || !now.EndedAt.IsZero() || o.Organisation != "lamps" || o.Product != w.product.ID {
			t.Errorf("the hook sees %+v, %v", now, err)
		}
		return nil
	})
	o := w.request(t, 2*chunk+3)
	if o.State != StateIssuing || o.Done != 0 || o.Job == "" || o.RequestedBy != "ann" {
		t.Errorf("after Request: %+v", o)
	}
	w.run(t)
	o = w.wait(t, o)
	if o.State != StateIssued || o.Done != o.Quantity || o.EndedAt.IsZero() || o.Reason != "" || len(o.Open(maker)) != 0 {
		t.Errorf("after Wait: %+v", o)
	}
	first, last, n := w.macs(t, o)
	if n != o.Quantity || last-first+1 != uint64(n) || chunks != 3 || atMost > 5000 {
		t.Errorf("%d rows from %x to %x in %d chunks of at most %d, want %d without a gap", n, first, last, chunks, atMost, o.Quantity)
	}
	if got := w.count(t, "row WHERE generation <> 1"); got != 0 {
		t.Errorf("%d rows are of another generation", got)
	}
	if got := w.text(t, `SELECT STRING_AGG(e.act || ' by ' || COALESCE(p.person, e.actor), ', ' ORDER BY e.seq) FROM audit_entry e LEFT JOIN audit_person p ON p.reference = e.actor
		WHERE e.object = ?`, o.ID); got != "order.request by ann, order.approve by rex, order.issue by issuance" {
		t.Errorf("audit: %s", got)
	}
	if j, err := w.jobs.Wait(t.Context(), maker, o.Job); err != nil || j.State != job.Done || j.Done != int64(o.Quantity) || j.Total != int64(o.Quantity) {
		t.Errorf("the job is %+v, %v", j, err)
	}
}

func TestRequestRules(t *testing.T) {
	w := newWorks(t)
	foreign, err := w.products.Create(t.Context(), stranger, product.NewProduct{Category: "light", Names: product.Names{"en": "Other"}})
	if err != nil {
		t.Fatal(err)
	}
	const quantity = ", want an integer from 1 to 1000000"
	good := NewOrder{Product: w.product.ID, Quantity: 1, Purpose: Debug}
	with := func(change func(*NewOrder)) NewOrder {
		n := good
		change(&n)
		return n
	}
	for _, tt := range []struct {
		n    NewOrder
		want string
	}{
		{good, ""},
		{with(func(n *NewOrder) { n.Quantity = 99 }), ""},
		{with(func(n *NewOrder) { n.Quantity = 1 }), "debug_triples is 101, the limit is 100 triples for each product"},
		{with(func(n *NewOrder) { n.Quantity, n.Purpose, n.Factory.Name = 1_000_000, Mass, "Works" }), ""},
		{with(func(n *NewOrder) { n.Purpose = Mass }), "/factory/name is empty, want the name of the factory that burns the triples"},
		{with(func(n *NewOrder) { n.Factory.Address = strings.Repeat("x", 201) }), "/factory/address is " + strings.Repeat("x", 61) + "…, want at most 200 characters, no control characters"},
		{with(func(n *NewOrder) { n.Note, n.Purpose, n.Factory.Name = strings.Repeat("灯", 499)+"\n", Mass, "Works" }), ""},
		{with(func(n *NewOrder) { n.Quantity = 0 }), "/quantity is 0" + quantity},
		{with(func(n *NewOrder) { n.PlannedAt, n.Purpose, n.Factory.Name = w.now().Add(time.Hour), Mass, "Works" }), ""},
		{with(func(n *NewOrder) { n.PlannedAt = time.UnixMilli(0) }), "/planned_at is 1970-01-01T00:00:00Z, want a time that is still to come"},
		{with(func(n *NewOrder) { n.Quantity = -1 }), "/quantity is -1" + quantity},
		{with(func(n *NewOrder) { n.Quantity = 1_000_001 }), "/quantity is 1000001" + quantity},
		{with(func(n *NewOrder) { n.Purpose = "" }), `/purpose is empty, want "debug" or "mass"`},
		{with(func(n *NewOrder) { n.Note = strings.Repeat("x", 501) }), "/note is " + strings.Repeat("x", 61) + "…, want at most 500 characters, no control characters"},
		{with(func(n *NewOrder) { n.Note = "a\x00" }), "/note is a\uFFFD, want at most 500 characters, no control characters"},
		{with(func(n *NewOrder) { n.Product = foreign.ID }), fmt.Sprintf(`loading product %s: there is no product %q`, foreign.ID, foreign.ID)},
		{with(func(n *NewOrder) { n.Product = "none" }), `loading product none: there is no product "none"`},
	} {
		before := w.count(t, "issuance_order")
		_, err := w.Request(t.Context(), maker, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := w.count(t, "issuance_order"); (after != before) != (tt.want == "") {
			t.Errorf("%+v: %d orders before, %d after", tt.n, before, after)
		}
	}
}

func TestOpenOrdersAreLimited(t *testing.T) {
	w := newWorks(t)
	var first Order
	for range 100 {
		first = w.request(t, 1)
	}
	if _, err := w.Request(t.Context(), maker, w.mass(1)); text(err) != "open_orders is 101, the limit is 100 orders for each organisation" {
		t.Errorf("one more: %v", err)
	}
	if _, err := w.Cancel(t.Context(), maker, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Request(t.Context(), maker, w.mass(1)); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}

func TestWhoMay(t *testing.T) {
	w := newWorks(t)
	ctx := t.Context()
	o := w.request(t, 1)
	as := func(r access.Role) access.Actor {
		a := maker
		a.Roles = []access.Role{r}
		return a
	}
	for _, tt := range []struct {
		name string
		err  error
		want fault.Code
	}{
		{"market requests", second(w.Request(ctx, as(access.Market), NewOrder{Product: w.product.ID, Quantity: 1, Purpose: Debug})), fault.NotAllowed},
		{"query cancels", second(w.Cancel(ctx, as(access.Query), o.ID, "")), fault.NotAllowed},
		{"market reads", second(w.Load(ctx, as(access.Market), o.ID)), fault.NotAllowed},
		{"engineer downloads", second(w.Grant(ctx, as(access.Engineer), o.ID, why)), fault.NotAllowed},
		{"nobody reads", second(w.Load(ctx, access.Actor{}, o.ID)), fault.NoActor},
		{"maker adds a pool", second(w.AddPool(ctx, maker, NewPool{})), fault.NotAllowed},
		{"maker lists pools", second(w.Pools(ctx, maker)), fault.NotAllowed},
		{"stranger reads", second(w.Load(ctx, stranger, o.ID)), fault.Missing},
		{"stranger waits", second(w.Wait(ctx, stranger, o.ID)), fault.Missing},
		{"stranger cancels", second(w.Cancel(ctx, stranger, o.ID, "")), fault.Missing},
		{"stranger downloads", second(w.Grant(ctx, stranger, o.ID, why)), fault.Missing},
		{"query reads", second(w.Load(ctx, as(access.Query), o.ID)), ""},
	} {
		if f := fault.Of(tt.err); tt.want == "" && tt.err != nil || tt.want != "" && (f == nil || f.Code != tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, tt.err, tt.want)
		}
	}
	if got, err := w.Load(ctx, maker, o.ID); err != nil || got != o {
		t.Errorf("the order became %+v, %v", got, err)
	}
	if page, err := w.List(ctx, stranger, listing.Ask{}); len(page.Items) != 0 || page.Next != "" || err != nil {
		t.Errorf("a stranger lists %v, %v, %v", len(page.Items), page.Next, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestList(t *testing.T) {
	w := newWorks(t)
	var ids []string
	for range 5 {
		ids = append([]string{w.request(t, 1).ID}, ids...)
	}
	if _, err := w.Cancel(t.Context(), maker, ids[1], "not wanted"); err != nil {
		t.Fatal(err)
	}
	by := func(pairs ...string) listing.Ask {
		ask := listing.Ask{Filters: map[string]string{}, Limit: 3}
		for i := 0; i < len(pairs); i += 2 {
			ask.Filters[pairs[i]] = pairs[i+1]
		}
		return ask
	}
	for _, tt := range []struct {
		who  access.Actor
		ask  listing.Ask
		want []string
		more bool
	}{
		{maker, listing.Ask{}, ids, false},
		{maker, by(), ids[:3], true},
		{maker, by("state", "cancelled"), ids[1:2], false},
		{maker, by("product", w.product.ID, "state", "issuing"), []string{ids[0], ids[2], ids[3]}, true},
		{maker, by("product", "none"), nil, false},
		{stranger, by("organisation", "lamps"), nil, false},
		{reviewer1, by("organisation", "lamps", "state", "cancelled"), ids[1:2], false},
		{reviewer1, by("state", "cancelled"), ids[1:2], false},
		{reviewer1, by(), ids[:3], true},
	} {
		page, err := w.List(t.Context(), tt.who, tt.ask)
		var got []string
		for _, o := range page.Items {
			got = append(got, o.ID)
		}
		if diff := cmp.Diff(got, tt.want); diff != "" || (page.Next != "") != tt.more || err != nil {
			t.Errorf("%s %+v: more %v, %v\n%s", tt.who.ID, tt.ask, page.Next != "", err, diff)
		}
	}
	listingtest.Prove(t, w.store, &orders)
	listingtest.Prove(t, w.store, &downloads)
	listingtest.Prove(t, w.store, &macLists)
}

// A program that stops between any two transactions goes on at its next start, without a gap or a triple twice.
func TestStopBetweenChunks(t *testing.T) {
	const chunks = 4
	for stopAt := range chunks + 1 {
		t.Run(fmt.Sprint(stopAt), func(t *testing.T) {
			dir := t.TempDir()
			w := worksAt(t, dir)
			o := w.request(t, chunks*chunk-7)
			reached := make(chan struct{})
			calls := 0
			w.setHook(func(ctx context.Context, _ *store.Tx, _ Order, _ []Row) error {
				if calls++; calls <= stopAt {
					return nil
				}
				close(reached)
				<-ctx.Done() // the program stops here, in the middle of a transaction
				return ctx.Err()
			})
			stop := w.run(t)
			if stopAt < chunks {
				<-reached
			} else {
				w.wait(t, o)
			}
			stop()
			if err := w.store.Close(); err != nil {
				t.Fatal(err)
			}
			again := worksAt(t, dir)
			if got, err := again.Load(t.Context(), maker, o.ID); err != nil || got.Done != min(stopAt*chunk, o.Quantity) || (got.State == StateIssued) != (stopAt == chunks) {
				t.Errorf("after the stop: %+v, %v", got, err)
			}
			again.run(t)
			o = again.wait(t, o)
			first, last, n := again.macs(t, o)
			if o.State != StateIssued || n != o.Quantity || last-first+1 != uint64(n) {
				t.Errorf("%s with %d rows from %x to %x", o.State, n, first, last)
			}
		})
	}
}

// Two workers on one order, as when a lease is lost, do not register a row twice: what one counted the other cannot.
func TestTwoWorkersOnOneOrder(t *testing.T) {
	w := newWorks(t)
	o := w.request(t, 10)
	w.exec(t, "UPDATE job SET state = 'running'")
	task := &job.Task{Job: job.Job{ID: o.Job, Organisation: o.Organisation, Object: o.ID}}
	behind := o
	for _, tt := range []struct {
		o    *Order
		want error
	}{{&o, nil}, {&behind, job.ErrCancelled}} {
		rows := []Row{{MAC: triple.MACOf(uint64(w.count(t, "row"))), Generation: 1}}
		if err := w.registerRows(t.Context(), task, tt.o, rows); !errors.Is(err, tt.want) {
			t.Errorf("registerRows: %v, want %v", err, tt.want)
		}
	}
	if n := w.count(t, "row"); n != 1 || o.Done != 1 || behind.Done != 0 {
		t.Errorf("%d rows; %d and %d done", n, o.Done, behind.Done)
	}
}

// What a kill in the middle of a transaction leaves on the disk is enough to go on.
func TestKill(t *testing.T) {
	storetest.SQLiteOnly(t, "it reads or copies the file of the database")
	dir, left := t.TempDir(), t.TempDir()
	w := worksAt(t, dir)
	o := w.request(t, 3*chunk)
	killed := make(chan struct{})
	calls := 0
	w.setHook(func(ctx context.Context, _ *store.Tx, _ Order, _ []Row) error {
		if calls++; calls < 3 {
			return nil
		}
		if err := errors.Join(os.CopyFS(left, os.DirFS(dir)), os.Chmod(filepath.Join(left, "root.key"), 0o600)); err != nil {
			t.Error(err)
		}
		close(killed)
		<-ctx.Done()
		return ctx.Err()
	})
	stop := w.run(t)
	<-killed
	stop()
	again := worksAt(t, left)
	if got := again.text(t, "SELECT state FROM job"); got != "running" {
		t.Errorf("the kill left the job %s", got)
	}
	again.run(t)
	o = again.wait(t, o)
	if first, last, n := again.macs(t, o); o.State != StateIssued || n != o.Quantity || last-first+1 != uint64(n) {
		t.Errorf("%s with %d rows from %x to %x", o.State, n, first, last)
	}
}

func TestHookFails(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	calls := 0
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("table device is full of secrets"), "its triples could not be registered; the log of the program says more"},
		{fault.Conflict("product", "the product is being retired"), "the product is being retired"},
	} {
		calls = 0
		w.setHook(func(context.Context, *store.Tx, Order, []Row) error {
			if calls++; calls > 1 {
				return tt.err
			}
			return nil
		})
		o := w.wait(t, w.request(t, 3*chunk))
		if o.State != StateFailed || o.Reason != tt.want || o.Done != chunk || o.EndedAt.IsZero() {
			t.Errorf("%v: %+v", tt.err, o)
		}
		if got := w.text(t, "SELECT state FROM job WHERE id = ?", o.Job); got != "failed" {
			t.Errorf("%v: the job is %s", tt.err, got)
		}
		w.setHook(nil)
		_, last, n := w.macs(t, o)
		next := w.wait(t, w.request(t, 5))
		if first, _, _ := w.macs(t, next); n != chunk || first != last+1 || next.State != StateIssued {
			t.Errorf("%v: %d rows up to %x were handed on, the next order begins at %x", tt.err, n, last, first)
		}
	}
}

func TestUnavailableHookIsTriedAgain(t *testing.T) {
	storetest.SQLiteOnly(t, "a bubble of time holds no sockets")
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		calls := 0
		w.setHook(func(context.Context, *store.Tx, Order, []Row) error {
			if calls++; calls == 2 || calls == 3 {
				return fault.Unavailable("the disk is full", nil)
			}
			return nil
		})
		o := w.request(t, 3*chunk)
		w.run(t)
		o = w.wait(t, o)
		if first, last, n := w.macs(t, o); o.State != StateIssued || n != o.Quantity || last-first+1 != uint64(n) || calls != 5 {
			t.Errorf("%s with %d rows from %x to %x after %d calls", o.State, n, first, last, calls)
		}
	})
}

// What stays unavailable ends the order before the job gives up.
func TestUnavailableForGoodFails(t *testing.T) {
	storetest.SQLiteOnly(t, "a bubble of time holds no sockets")
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.setHook(func(context.Context, *store.Tx, Order, []Row) error {
			return fault.Unavailable("the disk is full", nil)
		})
		o := w.request(t, 1)
		w.run(t)
		time.Sleep(2 * time.Hour)
		if o = w.wait(t, o); o.State != StateFailed || o.Reason != "the disk is full" {
			t.Errorf("after two hours: %+v", o)
		}
	})
}

func TestCancelWhileIssuing(t *testing.T) {
	w := newWorks(t)
	o := w.request(t, 40*chunk)
	var wg sync.WaitGroup
	calls := 0
	w.setHook(func(context.Context, *store.Tx, Order, []Row) error {
		if calls++; calls == 3 { // the writer is taken: the act waits until this chunk is committed
			wg.Go(func() {
				if got, err := w.Cancel(t.Context(), maker, o.ID, "wrong product"); err != nil || got.State != StateCancelled {
					t.Errorf("Cancel: %+v, %v", got, err)
				}
			})
		}
		return nil
	})
	w.run(t)
	o = w.wait(t, o)
	wg.Wait()
	o = w.wait(t, o)
	first, last, n := w.macs(t, o)
	if o.State != StateCancelled || o.Reason != "wrong product" || n != o.Done || n >= o.Quantity || last-first+1 != uint64(n) {
		t.Errorf("%+v with %d rows", o, n)
	}
	if got := w.text(t, "SELECT state FROM job WHERE id = ?", o.Job); got != "cancelled" {
		t.Errorf("the job is %s", got)
	}
	w.setHook(nil)
	next := w.wait(t, w.request(t, 5))
	if begins, _, _ := w.macs(t, next); begins != last+1 {
		t.Errorf("the next order begins at %x, want %x: behind what was handed on", begins, last+1)
	}
	// An order that has ended stays as it is.
	for _, ended := range []Order{o, next} {
		before := w.count(t, "audit_entry")
		_, err := w.Cancel(t.Context(), maker, ended.ID, "")
		if got, want := text(err), "cancel is not open in state "+string(ended.State); got != want {
			t.Errorf("Cancel: got %q, want %q", got, want)
		}
		if got, err := w.Load(t.Context(), maker, ended.ID); err != nil || got != ended || w.count(t, "audit_entry") != before {
			t.Errorf("a refused cancel made it %+v, %v", got, err)
		}
	}
}

func TestCancelBeforeItBegan(t *testing.T) {
	w := newWorks(t)
	a, b, c := w.request(t, 10), w.request(t, 20), w.request(t, 30)
	for _, o := range []Order{b, c} { // b lies below c: both come back only when c does
		if _, err := w.Cancel(t.Context(), maker, o.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	d := w.request(t, 5)
	w.run(t)
	if a = w.wait(t, a); a.State != StateIssued {
		t.Fatalf("the first order is %+v", a)
	}
	_, last, _ := w.macs(t, a)
	if first, _, n := w.macs(t, w.wait(t, d)); first != last+1 || n != 5 {
		t.Errorf("the next order begins at %x, want %x", first, last+1)
	}
	if n := w.count(t, "issuance_range"); n != 2 {
		t.Errorf("%d ranges are kept, want 2", n)
	}
}

// Whoever cancels the job instead of the order ends the order too.
func TestCancelOfTheJob(t *testing.T) {
	w := newWorks(t)
	o := w.request(t, 40*chunk)
	var wg sync.WaitGroup
	calls := 0
	w.setHook(func(context.Context, *store.Tx, Order, []Row) error {
		if calls++; calls == 3 {
			wg.Go(func() {
				if _, err := w.jobs.Cancel(t.Context(), maker, o.Job); err != nil {
					t.Errorf("cancelling the job: %v", err)
				}
			})
		}
		return nil
	})
	w.run(t)
	o = w.wait(t, o)
	wg.Wait()
	if o = w.wait(t, o); o.State != StateCancelled || o.Reason != "its job was cancelled" {
		t.Errorf("the order is %+v", o)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	w := newWorks(t)
	o := w.request(t, 1)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := w.Wait(ctx, maker, o.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
}
