package quota_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/quota"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var admin = access.Actor{Kind: access.KindUser, ID: "admin", User: "admin", Roles: []access.Role{access.Admin}, Strong: true}

func owner(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u-" + organisation, User: "u-" + organisation, Organisation: organisation, Roles: []access.Role{access.Owner}}
}

// clock is set by tests. It begins at a full day, so that windows do.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) forward(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func newService(s *store.Store, c *clock, change func(*quota.Config)) *quota.Service {
	config := quota.Config{Store: s, Logger: slog.New(slog.DiscardHandler)}
	if c != nil {
		config.Now = c.now
	}
	if change != nil {
		change(&config)
	}
	return quota.New(config)
}

func take(t *testing.T, s *store.Store, of quota.Subject, l quota.Limit, n int64) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error { return quota.Take(t.Context(), tx, of, l, n) })
}

func set(t *testing.T, q *quota.Service, n quota.NewOverride) quota.Override {
	t.Helper()
	if n.Reason == "" {
		n.Reason = "for the test"
	}
	if n.Purpose == "" {
		n.Purpose = quota.Set
	}
	o, err := q.Override(t.Context(), admin, n)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func used(t *testing.T, q *quota.Service, of quota.Subject, l quota.Limit) quota.Use {
	t.Helper()
	uses, err := q.Usage(t.Context(), admin, of)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uses {
		if u.Limit == l {
			return u
		}
	}
	t.Fatalf("no use of %s", l)
	return quota.Use{}
}

// TestLastUnitIsGivenOnce lets many take the last unit of a stock at once, a thousand times.
func TestLastUnitIsGivenOnce(t *testing.T) {
	s := storetest.Open(t)
	q := newService(s, nil, nil)
	races := 1000
	if testing.Short() {
		races = 50
	}
	for race := range races {
		of := quota.Organisation(fmt.Sprintf("o%d", race))
		var got atomic.Int64
		var wg sync.WaitGroup
		if err := take(t, s, of, quota.Products, quota.Products.Spec().Default-1); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			wg.Go(func() {
				err := take(t, s, of, quota.Products, 1)
				if err == nil {
					got.Add(1)
				} else if !fault.Is(err, fault.OverLimit) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got.Load() != 1 {
			t.Fatalf("race %d gave the last product %d times", race, got.Load())
		}
	}
	if u := used(t, q, quota.Organisation("o0"), quota.Products); u.Used != u.Value || u.Percent() != 100 {
		t.Errorf("the use is %+v", u)
	}
}

func TestTakeAndGive(t *testing.T) {
	s := storetest.Open(t)
	q := newService(s, nil, nil)
	of := quota.Product("p", "o")
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context, tx *store.Tx) error
		want string
		used int64
	}{
		{"the first", func(ctx context.Context, tx *store.Tx) error { return quota.Take(ctx, tx, of, quota.DebugTriples, 60) }, "", 60},
		{
			"beyond", func(ctx context.Context, tx *store.Tx) error { return quota.Take(ctx, tx, of, quota.DebugTriples, 41) },
			"debug_triples is 101, the limit is 100 triples for each product", 60,
		},
		{"beyond, and the caller does not care", func(ctx context.Context, tx *store.Tx) error {
			_ = quota.Take(ctx, tx, of, quota.DebugTriples, 41)
			return nil
		}, "", 60},
		{
			"far beyond", func(ctx context.Context, tx *store.Tx) error {
				return quota.Take(ctx, tx, of, quota.DebugTriples, 1<<62)
			},
			"debug_triples is 4611686018427387964, the limit is 100 triples for each product", 60,
		},
		{"an act that fails", func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(quota.Take(ctx, tx, of, quota.DebugTriples, 1), errors.New("something else"))
		}, "something else", 60},
		{"all", func(ctx context.Context, tx *store.Tx) error { return quota.Take(ctx, tx, of, quota.DebugTriples, 40) }, "", 100},
		{"some back", func(ctx context.Context, tx *store.Tx) error { return quota.Give(ctx, tx, of, quota.DebugTriples, 30) }, "", 70},
		{"more back than was taken", func(ctx context.Context, tx *store.Tx) error { return quota.Give(ctx, tx, of, quota.DebugTriples, 300) }, "", 0},
		{
			"fewer than none", func(ctx context.Context, tx *store.Tx) error { return quota.Take(ctx, tx, of, quota.DebugTriples, -1) },
			"taking -1 of debug_triples: fewer than none", 0,
		},
	} {
		err := s.Write(t.Context(), func(tx *store.Tx) error { return tt.do(t.Context(), tx) })
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if u := used(t, q, of, quota.DebugTriples); u.Used != tt.used {
			t.Errorf("%s: %d are used, want %d", tt.name, u.Used, tt.used)
		}
	}
}

// TestNearestOverrideCounts walks through the levels, and through time.
func TestNearestOverrideCounts(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	q := newService(s, c, nil)
	device := quota.Device("d", "p", "o")
	l := quota.DeviceMessageRate
	check := func(want int64) {
		t.Helper()
		if err := q.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := q.Value(device, l); got != want {
			t.Errorf("the rate is %d, want %d", got, want)
		}
		if u := used(t, q, device, l); u.Value != want {
			t.Errorf("usage says %d, want %d", u.Value, want)
		}
	}
	check(l.Spec().Default)
	set(t, q, quota.NewOverride{Subject: quota.Subject{Kind: quota.KindPlatform}, Limit: l, Value: 11})
	check(11)
	set(t, q, quota.NewOverride{Subject: quota.Organisation("o"), Limit: l, Value: 12})
	check(12)
	set(t, q, quota.NewOverride{Subject: quota.Organisation("another"), Limit: l, Value: 99})
	check(12)
	set(t, q, quota.NewOverride{Subject: quota.Product("p", "o"), Limit: l, Value: 13, Until: c.now().Add(time.Hour)})
	check(13)
	own := set(t, q, quota.NewOverride{Subject: device, Limit: l, Value: 14})
	check(14)
	cut := set(t, q, quota.NewOverride{Subject: device, Limit: l, Purpose: quota.CutOff})
	check(0)
	for _, o := range []quota.Override{cut, own} {
		if _, err := q.Lift(t.Context(), admin, o.ID, "mended"); err != nil {
			t.Fatal(err)
		}
	}
	check(13)
	c.forward(time.Hour)
	check(12)
	asked := set(t, q, quota.NewOverride{Subject: quota.Organisation("o"), Limit: l, Purpose: quota.AskLess, Value: 5, From: c.now().Add(48 * time.Hour)})
	check(12)
	if _, err := q.Answer(t.Context(), owner("o"), asked.ID, "the new firmware sends less"); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Answer(t.Context(), owner("another"), asked.ID, "mine"); !fault.Is(err, fault.Missing) {
		t.Errorf("another organisation answers: %v", err)
	}
	c.forward(48*time.Hour - time.Millisecond)
	check(12)
	c.forward(time.Millisecond)
	check(5)
}

func TestOverrideRefusals(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	q := newService(s, c, nil)
	of := quota.Organisation("o")
	for _, tt := range []struct {
		name string
		who  access.Actor
		n    quota.NewOverride
		want string
	}{
		{"an owner", owner("o"), quota.NewOverride{Subject: of, Purpose: quota.Set, Value: 1, Reason: "r"}, "quota.manage is not allowed: it needs role admin"},
		{"nobody", admin, quota.NewOverride{Purpose: quota.Set, Value: 1, Reason: "r"}, "/subject is  , want the kind and id of whom it is for"},
		{"too much", admin, quota.NewOverride{Subject: of, Purpose: quota.Set, Value: 100_001, Reason: "r"}, "/value is 100001, want 0 to 100000 products"},
		{"no reason", admin, quota.NewOverride{Subject: of, Purpose: quota.Set, Value: 1}, "/reason is empty, want a reason that the organisation will read"},
		{"a cut off that leaves some", admin, quota.NewOverride{Subject: of, Purpose: quota.CutOff, Value: 1, Reason: "r"}, "/value is 1, want 0, because it cuts off"},
		{"a purpose of its own", admin, quota.NewOverride{Subject: of, Purpose: "gift", Reason: "r"}, `/purpose is gift, want "set", "throttle", "cut_off" or "adjust"`},
		{"asked by yesterday", admin, quota.NewOverride{Subject: of, Purpose: quota.AskLess, Reason: "r"}, "/from is 2026-03-01T00:00:00Z, want a time to come by which less is to be used"},
		{"over before it begins", admin, quota.NewOverride{Subject: of, Purpose: quota.Set, Reason: "r", Until: c.now()}, "/until is 2026-03-01T00:00:00Z, want a time later than now and than from"},
	} {
		_, err := q.Override(t.Context(), tt.who, tt.n)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	page, err := q.Overrides(t.Context(), admin, quota.Ask{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("a refused override is kept: %+v, %v", page.Items, err)
	}
}

// TestNotices uses a stock up and wants to be told at 80 %, at 95 % and at the end, once each, also when telling fails at first.
func TestNotices(t *testing.T) {
	s := storetest.Open(t)
	var told []quota.Notice
	fail := true
	q := newService(s, nil, func(c *quota.Config) {
		c.Tell = func(_ context.Context, n quota.Notice) error {
			if fail {
				return errors.New("the mail server is down")
			}
			told = append(told, n)
			return nil
		}
	})
	of := quota.Product("p", "o")
	for range 100 {
		if err := take(t, s, of, quota.DebugTriples, 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := q.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		fail = false
	}
	got := ""
	for _, n := range told {
		got += fmt.Sprintf("%s %s %s %d%% %d/%d; ", n.Organisation, n.Limit, n.Kind, n.Percent, n.Used, n.Value)
	}
	want := "o debug_triples near 80% 80/100; o debug_triples near 95% 95/100; o debug_triples reached 100% 100/100; "
	if got != want {
		t.Errorf("told\n got %s\nwant %s", got, want)
	}
	page, err := q.Notices(t.Context(), owner("o"), listing.Ask{})
	if err != nil || len(page.Items) != 3 || page.Items[0].Told.IsZero() {
		t.Errorf("the organisation reads %+v, %v", page.Items, err)
	}
	if page, err = q.Notices(t.Context(), owner("another"), listing.Ask{}); err != nil || len(page.Items) != 0 {
		t.Errorf("another organisation reads %+v, %v", page.Items, err)
	}
}

func TestRecount(t *testing.T) {
	s := storetest.Open(t)
	q := newService(s, nil, func(c *quota.Config) {
		c.Counts = map[quota.Limit]quota.Count{quota.Products: func(context.Context, store.Querier, string) (int64, error) { return 7, nil }}
	})
	of := quota.Organisation("o")
	if err := take(t, s, of, quota.Products, 3); err != nil {
		t.Fatal(err)
	}
	for _, want := range []quota.Recounted{{quota.Products, "o", 3, 7, true}, {quota.Products, "o", 7, 7, false}} {
		got, err := q.Recount(t.Context(), admin, of)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("recounted %+v, %v; want %+v", got, err, want)
		}
	}
}

func ask() listing.Ask { return listing.Ask{} }

// TestClockJumps lets the clock run ahead and puts it right: an override that had ended meanwhile is in force again, a
// window that was used up ahead refuses nothing now, and one of the right time is as it was.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	c := newClock()
	s := storetest.Open(t)
	q := newService(s, c, nil)
	of, l := quota.Device("d", "p", "o"), quota.DeviceRequestRate
	tick := func() {
		t.Helper()
		if err := q.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	set(t, q, quota.NewOverride{Subject: of, Limit: l, Value: 3, Until: c.now().Add(time.Hour)})
	tick()
	for _, tt := range []struct {
		jump    time.Duration
		changes bool // another limit is changed then, so that all are read again
		want    int64
	}{
		{0, false, 3},
		{year, true, l.Spec().Default},
		{-year, false, 3},
		{-24 * time.Hour, false, l.Spec().Default}, // before it begins
		{24 * time.Hour, true, 3},
	} {
		c.forward(tt.jump)
		if tt.changes {
			set(t, q, quota.NewOverride{Subject: quota.Organisation("another"), Limit: l, Value: 1})
		}
		tick()
		if got := q.Value(of, l); got != tt.want {
			t.Errorf("after %s the limit is %d, want %d", tt.jump, got, tt.want)
		}
		for n := tt.want; n > 0; n-- {
			if d := q.Allow(of, l, 1); !d.OK || d.Wait < 0 || d.Reset < 0 || d.Reset > l.Spec().Window {
				t.Fatalf("after %s the limit of %d refuses with %d left: %+v", tt.jump, tt.want, n, d)
			}
		}
		if d := q.Allow(of, l, 1); d.OK || d.Wait <= 0 || d.Wait > l.Spec().Window {
			t.Errorf("after %s one beyond the limit is answered %+v", tt.jump, d)
		}
		c.forward(l.Spec().Window) // the next row begins a window of its own
	}
}
