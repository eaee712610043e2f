package quota_test

import (
	"testing"
	"time"

	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/quota"
)

func tick(t *testing.T, qs ...*quota.Service) {
	t.Helper()
	for _, q := range qs {
		if err := q.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAllow(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	q := newService(s, c, nil)
	of := quota.Organisation("o")
	set(t, q, quota.NewOverride{Subject: of, Limit: quota.RequestRate, Value: 3})
	for i, want := range []quota.Decision{
		{OK: true, Limit: 3, Remaining: 2, Reset: time.Second},
		{OK: true, Limit: 3, Remaining: 1, Reset: time.Second},
		{OK: true, Limit: 3, Remaining: 0, Reset: time.Second},
		{OK: false, Limit: 3, Remaining: 0, Reset: time.Second, Wait: time.Second},
	} {
		if got := q.Allow(of, quota.RequestRate, 1); got != want {
			t.Errorf("request %d: %+v, want %+v", i+1, got, want)
		}
	}
	if !q.Allow(quota.Organisation("another"), quota.RequestRate, 1).OK {
		t.Error("another organisation is refused")
	}
	c.forward(999 * time.Millisecond)
	if d := q.Allow(of, quota.RequestRate, 1); d.OK || d.Wait != time.Millisecond {
		t.Errorf("at the end of the second: %+v", d)
	}
	c.forward(time.Millisecond)
	if d := q.Allow(of, quota.RequestRate, 4); d.OK || d.Remaining != 3 {
		t.Errorf("more than a second has: %+v", d)
	}
	if d := q.Allow(of, quota.RequestRate, 3); !d.OK {
		t.Errorf("in the next second: %+v", d)
	}
}

// TestCharge lets a device send what cannot be refused any more: it is delayed until its rate is held, and refused when it
// is ten seconds ahead.
func TestCharge(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	q := newService(s, c, nil)
	of := quota.Device("d", "p", "o")
	set(t, q, quota.NewOverride{Subject: of, Limit: quota.DeviceMessageRate, Value: 10})
	for _, tt := range []struct {
		pass time.Duration
		n    int64
		ok   bool
		wait time.Duration
	}{
		{0, 9, true, 0},
		{0, 1, true, time.Second},
		{0, 15, true, 2 * time.Second},
		{2 * time.Second, 4, true, 0},
		{0, 91, true, 10 * time.Second},
		{0, 30, true, 13 * time.Second},
		{0, 1, false, 13 * time.Second},
		{13 * time.Second, 1, true, 0},
	} {
		c.forward(tt.pass)
		d := q.Charge(of, quota.DeviceMessageRate, tt.n)
		if d.OK != tt.ok || d.Wait != tt.wait {
			t.Errorf("charging %d after %v: %+v, want %v, wait %v", tt.n, tt.pass, d, tt.ok, tt.wait)
		}
	}
	set(t, q, quota.NewOverride{Subject: of, Limit: quota.DeviceMessageRate, Purpose: quota.CutOff})
	if d := q.Charge(of, quota.DeviceMessageRate, 1); d.OK {
		t.Errorf("a device that is cut off may send: %+v", d)
	}
}

// TestDaySurvivesTheEnd uses a part of a day's limit, ends without a word, and goes on.
func TestDaySurvivesTheEnd(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	first := newService(s, c, nil)
	of := quota.Organisation("o")
	set(t, first, quota.NewOverride{Subject: of, Limit: quota.Requests, Value: 1000})
	for range 6 {
		for range 100 {
			if !first.Allow(of, quota.Requests, 1).OK {
				t.Fatal("refused below the limit")
			}
		}
		tick(t, first)
		c.forward(time.Second)
	}
	for range 20 { // within the second before it was killed
		first.Allow(of, quota.Requests, 1)
	}
	second := newService(s, c, nil)
	tick(t, second)
	second.Allow(of, quota.Requests, 1)
	tick(t, second) // knows what the first used
	n := int64(1)
	for second.Allow(of, quota.Requests, 1).OK {
		n++
	}
	if all := 600 + 20 + n; all < 1000 || all > 1050 {
		t.Errorf("%d requests of a day passed, want 1000, or up to 5 %% more", all)
	}
	tick(t, second)
	if u := used(t, second, of, quota.Requests); u.Used != 1000 || u.Percent() != 100 {
		t.Errorf("the use is %+v", u)
	}
	c.forward(24 * time.Hour)
	if d := second.Allow(of, quota.Requests, 1); !d.OK || d.Remaining != 999 {
		t.Errorf("on the next day: %+v", d)
	}
}

// TestNodesTogether lets three nodes be asked for more than a rate has, unevenly: what they let pass together is exact to
// 5 %, of a second and of a day.
func TestNodesTogether(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	shared := func(c *quota.Config) { c.Shared = true }
	nodes := []*quota.Service{newService(s, c, shared), newService(s, c, shared), newService(s, c, shared)}
	of := quota.Organisation("o")
	set(t, nodes[0], quota.NewOverride{Subject: of, Limit: quota.RequestRate, Value: 1000})
	set(t, nodes[0], quota.NewOverride{Subject: of, Limit: quota.Requests, Value: 20_000})
	tick(t, nodes...)
	demand := []int{3000, 1000, 100}
	second := func(l quota.Limit) (passed int) {
		for i, q := range nodes {
			for range demand[i] {
				if q.Allow(of, l, 1).OK {
					passed++
				}
			}
		}
		c.forward(time.Second)
		tick(t, nodes...)
		return passed
	}
	second(quota.RequestRate) // the shares are found
	second(quota.RequestRate)
	for i := range 5 {
		if got := second(quota.RequestRate); got < 950 || got > 1050 {
			t.Errorf("second %d: %d passed, want 1000 ± 5 %%", i, got)
		}
	}
	day := 0
	for range 30 {
		day += second(quota.Requests)
	}
	if day < 19_000 || day > 21_000 {
		t.Errorf("%d passed in a day, want 20,000 ± 5 %%", day)
	}
}

// TestRatesAreTold wants one notice for a rate of seconds that is used up all the time, and the shares of a day once.
func TestRatesAreTold(t *testing.T) {
	s := storetest.Open(t)
	c := newClock()
	q := newService(s, c, nil)
	of := quota.Organisation("o")
	set(t, q, quota.NewOverride{Subject: of, Limit: quota.RequestRate, Value: 10})
	set(t, q, quota.NewOverride{Subject: of, Limit: quota.Requests, Value: 100})
	for range 10 {
		for range 11 {
			if q.Allow(of, quota.RequestRate, 1).OK {
				q.Allow(of, quota.Requests, 1)
			}
		}
		tick(t, q)
		c.forward(time.Second)
	}
	page, err := q.Notices(t.Context(), owner("o"), ask())
	got := map[string]int{}
	for _, n := range page.Items {
		got[n.Limit.String()+" "+n.Kind]++
	}
	if err != nil || got["requests_per_second reached"] != 1 || got["requests_per_day near"] != 1 || got["requests_per_day reached"] != 1 {
		t.Errorf("told of %v, %v", got, err)
	}
}

func TestAskingAllocatesNothing(t *testing.T) {
	s := storetest.Open(t)
	q := newService(s, nil, nil)
	of := quota.Device("0198f3c2-0000-7000-8000-000000000001", "p", "o")
	if n := testing.AllocsPerRun(1000, func() { q.Allow(of, quota.DeviceMessageRate, 1); q.Charge(of, quota.DeviceMessages, 1) }); n != 0 {
		t.Errorf("asking allocates %v times", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	q := newService(storetest.Open(b), nil, nil)
	of := quota.Device("0198f3c2-0000-7000-8000-000000000001", "p", "o")
	b.ReportAllocs()
	for b.Loop() {
		q.Allow(of, quota.DeviceMessageRate, 1)
	}
}
