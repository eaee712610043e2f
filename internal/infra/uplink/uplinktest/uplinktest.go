// Package uplinktest holds the suite that every adapter of the Log has to pass.
//
// It owns nothing. It appends from many goroutines, kills a child process, fills the
// queue, trims, and reads beside all of it.
package uplinktest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/uplink"
)

// Options are what a test needs of a log. Zero: the adapter's own defaults.
type Options struct {
	QueueRecords int   // bound of the queue
	MaxBytes     int64 // retention: about so much is kept
	OnLost       func(consumer string, first, last uplink.Position)
}

// Open opens the log in dir; the same dir opened again is the same log. The suite closes it.
type Open func(t testing.TB, dir string, o Options) uplink.Log

// patience is how long the suite waits for what has to come.
const patience = 20 * time.Second

const childEnv = "LAMPWORKS_UPLINKTEST_DIR"

// Run holds an adapter to what package uplink promises. It runs the test binary
// again as a child, with only this test, to kill it.
func Run(t *testing.T, open Open) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"an empty log", empty},
		{"records come back as they were", roundTrip},
		{"done comes once, in order, with growing positions", doneInOrder},
		{"the caller may use its buffer again", buffers},
		{"records stay when it is opened again", reopened},
		{"a full queue blocks until ctx ends", fullQueue},
		{"a closed log answers everybody", closed},
		{"a record that is too large is refused", tooLarge},
		{"wait ends with ctx and with a record", waiting},
		{"no wake-up is lost", wakeUps},
		{"reading in pieces gives everything once", pieces},
		{"positions are never used twice, also when all is trimmed", trimmed},
		{"cursors are kept", cursors},
		{"a failing handler gets the same records again", failingHandler},
		{"a follower that was behind names the gap", gap},
		{"a follower of another log is refused", ahead},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open) })
	}
	t.Run("killed", func(t *testing.T) { killed(t, open) })
}

func record(i int) uplink.Record {
	return uplink.Record{
		At:      time.UnixMilli(1_700_000_000_000 + int64(i)).UTC(),
		Kind:    uplink.Kind(1 + i%3),
		Device:  fmt.Sprintf("device-%d", i%7),
		Subject: "property/post",
		Body:    fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("灯", i%40)),
	}
}

// put appends a record and waits for its answer.
func put(t testing.TB, l uplink.Log, r uplink.Record) uplink.Position {
	t.Helper()
	type answer struct {
		pos uplink.Position
		err error
	}
	answers := make(chan answer, 1)
	err := l.Append(t.Context(), r, func(p uplink.Position, err error) { answers <- answer{p, err} })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-answers:
		if a.err != nil {
			t.Fatal(a.err)
		}
		return a.pos
	case <-time.After(patience):
		t.Fatal("no answer")
	}
	return 0
}

// fill appends n records and waits for the last.
func fill(t testing.TB, l uplink.Log, n int) {
	t.Helper()
	for i := range n - 1 {
		if err := l.Append(t.Context(), record(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	put(t, l, record(n-1))
}

func closeLog(t testing.TB, l uplink.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Errorf("Close gives %v", err)
	}
}

func ends(t testing.TB, l uplink.Log, head, tail uplink.Position) {
	t.Helper()
	if l.Head() != head || l.Tail() != tail {
		t.Errorf("the log has %d to %d, want %d to %d", l.Head(), l.Tail(), head, tail)
	}
}

func same(a, b uplink.Record) bool {
	return a.At.Equal(b.At) && a.At.Location() == time.UTC && a.Kind == b.Kind && a.Device == b.Device &&
		a.Subject == b.Subject && string(a.Body) == string(b.Body)
}

func empty(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	ends(t, l, 1, 0)
	for _, after := range []uplink.Position{0, 5} {
		if got, err := l.Read(t.Context(), after, 10); len(got) != 0 || err != nil {
			t.Errorf("reading after %d gives %v, %v", after, got, err)
		}
	}
	if len(l.Cursors()) != 0 {
		t.Errorf("cursors are %v", l.Cursors())
	}
}

func roundTrip(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	var want []uplink.Record
	for i := range 50 {
		want = append(want, record(i))
	}
	want = append(want,
		uplink.Record{At: time.UnixMilli(0).UTC(), Kind: 255},
		uplink.Record{At: time.UnixMilli(-62_000_000_000).UTC(), Kind: 1, Body: make([]byte, 200_000)},
		uplink.Record{At: time.Date(2200, 1, 1, 8, 0, 0, 0, time.FixedZone("", 8*3600)), Kind: 2, Device: "\x00\xff"})
	for _, r := range want {
		put(t, l, r)
	}
	for range 2 {
		got, err := l.Read(t.Context(), 0, 1000)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d records, %v; want %d", len(got), err, len(want))
		}
		for i, r := range got {
			w := want[i]
			w.At = w.At.UTC()
			if r.Pos != uplink.Position(i+1) || !same(r, w) {
				t.Errorf("record %d is %+.200v, want %+.200v", i, r, w)
			}
		}
		closeLog(t, l)
		l = open(t, dir, Options{})
	}
	closeLog(t, l)
}

func doneInOrder(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	const appenders, each = 8, 200
	var mu sync.Mutex
	var got []uplink.Position
	perAppender := make([][]uplink.Position, appenders)
	all := make(chan struct{}, appenders*each)
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				err := l.Append(t.Context(), record(i), func(p uplink.Position, err error) {
					if err != nil {
						t.Errorf("done gets %v", err)
					}
					if l.Tail() < p {
						t.Errorf("done of %d comes while the tail is %d", p, l.Tail())
					}
					mu.Lock()
					got = append(got, p)
					perAppender[a] = append(perAppender[a], p)
					mu.Unlock()
					all <- struct{}{}
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range appenders * each {
		select {
		case <-all:
		case <-time.After(patience):
			t.Fatalf("%d of %d were answered", len(got), appenders*each)
		}
	}
	for i, p := range got {
		if p != uplink.Position(i+1) {
			t.Fatalf("answer %d is position %d", i+1, p)
		}
	}
	for a, ps := range perAppender {
		if len(ps) != each || !slices.IsSorted(ps) {
			t.Errorf("appender %d got %d answers, sorted %v", a, len(ps), slices.IsSorted(ps))
		}
	}
}

func buffers(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	body := []byte("before")
	for range 100 {
		copy(body, "before")
		if err := l.Append(t.Context(), uplink.Record{At: time.Now(), Kind: 1, Body: body}, nil); err != nil {
			t.Fatal(err)
		}
		copy(body, "AFTER!")
	}
	put(t, l, record(0))
	got, err := l.Read(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if string(r.Body) != "before" {
			t.Fatalf("record %d has %q", r.Pos, r.Body)
		}
	}
}

func reopened(t *testing.T, open Open) {
	dir := t.TempDir()
	total := 0
	for round := range 3 {
		l := open(t, dir, Options{})
		ends(t, l, 1, uplink.Position(total))
		fill(t, l, 10+round)
		total += 10 + round
		if err := l.Append(t.Context(), record(0), nil); err != nil { // Close writes it
			t.Fatal(err)
		}
		total++
		closeLog(t, l)
	}
	l := open(t, dir, Options{})
	defer closeLog(t, l)
	ends(t, l, 1, uplink.Position(total))
}

func fullQueue(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{QueueRecords: 16})
	stuck := make(chan struct{})
	var mu sync.Mutex
	answers := 0
	accepted := 0
	var err error
	for range 100_000 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err = l.Append(ctx, record(accepted), func(uplink.Position, error) {
			<-stuck
			mu.Lock()
			defer mu.Unlock()
			answers++
		})
		cancel()
		if err != nil {
			break
		}
		accepted++
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a queue of 16 took %d records, then %v", accepted, err)
	}
	close(stuck)
	if p := put(t, l, record(accepted)); p != uplink.Position(accepted+1) {
		t.Errorf("after %d accepted records the next is %d", accepted, p)
	}
	closeLog(t, l)
	if answers != accepted {
		t.Errorf("%d of %d accepted records were answered", answers, accepted)
	}
}

func closed(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	waits := make(chan error, 1)
	go func() { waits <- l.Wait(context.Background(), 1_000_000) }()
	var mu sync.Mutex
	answers, accepted := 0, 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				err := l.Append(context.Background(), record(1), func(_ uplink.Position, err error) {
					mu.Lock()
					defer mu.Unlock()
					answers++
					if err != nil {
						t.Errorf("done gets %v", err)
					}
				})
				if errors.Is(err, uplink.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				accepted++
				mu.Unlock()
			}
		})
	}
	if err := l.Wait(t.Context(), 20); err != nil {
		t.Error(err)
	}
	closeLog(t, l)
	wg.Wait()
	if answers != accepted {
		t.Errorf("%d of %d accepted records were answered", answers, accepted)
	}
	select {
	case err := <-waits:
		if !errors.Is(err, uplink.ErrClosed) {
			t.Errorf("Wait on a closed log gives %v", err)
		}
	case <-time.After(patience):
		t.Error("Wait on a closed log does not end")
	}
	if _, err := l.Read(t.Context(), 0, 1); !errors.Is(err, uplink.ErrClosed) {
		t.Errorf("Read on a closed log gives %v", err)
	}
	closeLog(t, l)
}

func tooLarge(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	r := uplink.Record{At: time.Now(), Kind: 1, Body: make([]byte, 64<<20)}
	if err := l.Append(t.Context(), r, nil); !errors.Is(err, uplink.ErrTooLarge) {
		t.Errorf("64 MiB in one record give %v", err)
	}
	put(t, l, record(1))
	ends(t, l, 1, 1)
}

func waiting(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := l.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait gives %v", err)
	}
	fill(t, l, 3)
	if err := l.Wait(t.Context(), 2); err != nil {
		t.Errorf("Wait for a record that is there gives %v", err)
	}
}

func wakeUps(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	const n, readers = 300, 4
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for pos := uplink.Position(0); pos < n; pos++ {
				if err := l.Wait(ctx, pos); err != nil {
					t.Errorf("waiting after %d: %v, the tail is %d", pos, err, l.Tail())
					return
				}
				if got, err := l.Read(ctx, pos, 1); len(got) != 1 || err != nil || got[0].Pos != pos+1 {
					t.Errorf("reading after %d gives %v, %v", pos, got, err)
					return
				}
			}
		})
	}
	for i := range n {
		put(t, l, record(i))
	}
	wg.Wait()
}

func pieces(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	const n = 3000
	fill(t, l, n)
	for _, fresh := range []bool{false, true} {
		if fresh {
			closeLog(t, l)
			l = open(t, dir, Options{})
		}
		for _, limit := range []int{1, 7, 1000, 5000} {
			pos := uplink.Position(0)
			for pos < n {
				if limit == 1 && pos == 50 {
					break
				}
				got, err := l.Read(t.Context(), pos, limit)
				if err != nil || len(got) == 0 || len(got) > limit {
					t.Fatalf("reading %d after %d gives %d, %v", limit, pos, len(got), err)
				}
				for _, r := range got {
					pos++
					if r.Pos != pos || !same(r, record(int(pos)-1)) {
						t.Fatalf("in place of %d comes %+v", pos, r)
					}
				}
			}
		}
	}
	if got, err := l.Read(t.Context(), 0, 0); len(got) != 0 || err != nil {
		t.Errorf("reading none gives %d, %v", len(got), err)
	}
	closeLog(t, l)
}

func trimmed(t *testing.T, open Open) {
	dir := t.TempDir()
	o := Options{MaxBytes: 1} // nothing may stay
	var tail uplink.Position
	for range 3 {
		l := open(t, dir, o)
		if l.Tail() != tail {
			t.Errorf("the tail is %d, want %d", l.Tail(), tail)
		}
		for i := range 300 {
			r := record(i)
			r.Body = make([]byte, 1000)
			tail = put(t, l, r)
		}
		until(t, "everything is trimmed", func() bool { return l.Head() == tail+1 })
		if got, err := l.Read(t.Context(), 0, 10); len(got) != 0 || err != nil {
			t.Errorf("of a trimmed log %d records are read, %v", len(got), err)
		}
		closeLog(t, l)
	}
	if tail != 900 {
		t.Errorf("after 900 records the tail is %d", tail)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func cursors(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	fill(t, l, 5)
	l.Note("shadow", 3)
	l.Note("history", 5)
	l.Note("shadow", 4)
	closeLog(t, l)
	l = open(t, dir, Options{})
	defer closeLog(t, l)
	if got := fmt.Sprint(l.Cursors()); got != "map[history:5 shadow:4]" {
		t.Errorf("the cursors are %s", got)
	}
}

func failingHandler(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	fill(t, l, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []uplink.Position
	tries := 0
	err := uplink.Follow(ctx, l, "test", 2, 3, func(_ context.Context, records []uplink.Record) error {
		tries++
		if len(records) > 3 {
			t.Errorf("%d records at once, want at most 3", len(records))
		}
		if tries%3 != 0 {
			return errors.New("not yet")
		}
		for _, r := range records {
			got = append(got, r.Pos)
		}
		if got[len(got)-1] == 10 {
			cancel()
		}
		return nil
	}, uplink.Logger(quiet()))
	if err != nil {
		t.Error(err)
	}
	if s := fmt.Sprint(got); s != "[3 4 5 6 7 8 9 10]" {
		t.Errorf("handled are %s", s)
	}
	if c := l.Cursors()["test"]; c < 8 {
		t.Errorf("the cursor is %d", c)
	}
}

func gap(t *testing.T, open Open) {
	var mu sync.Mutex
	var alarms []string
	dir := t.TempDir()
	l := open(t, dir, Options{MaxBytes: 1, OnLost: func(consumer string, first, last uplink.Position) {
		mu.Lock()
		defer mu.Unlock()
		alarms = append(alarms, fmt.Sprintf("%s %d-%d", consumer, first, last))
	}})
	defer closeLog(t, l)
	l.Note("late", 2)
	for i := range 50 {
		put(t, l, record(i))
	}
	until(t, "everything is trimmed", func() bool { return l.Head() == 51 })
	put(t, l, record(50))
	mu.Lock()
	got := fmt.Sprint(alarms)
	mu.Unlock()
	if !strings.Contains(got, "late 3-") {
		t.Errorf("the alarms are %s, want one that begins with the position 3", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var lost string
	var first uplink.Position
	err := uplink.Follow(ctx, l, "late", 2, 10, func(_ context.Context, records []uplink.Record) error {
		first = records[0].Pos
		cancel()
		return nil
	}, uplink.Logger(quiet()), uplink.Gap(func(first, last uplink.Position) { lost = fmt.Sprintf("%d-%d", first, last) }))
	if err != nil {
		t.Error(err)
	}
	if want := fmt.Sprintf("3-%d", first-1); lost != want || first < 4 {
		t.Errorf("the follower lost %q and goes on with %d, want %q", lost, first, want)
	}
}

func ahead(t *testing.T, open Open) {
	l := open(t, t.TempDir(), Options{})
	defer closeLog(t, l)
	fill(t, l, 3)
	err := uplink.Follow(t.Context(), l, "x", 4, 10, func(context.Context, []uplink.Record) error { return nil })
	if !errors.Is(err, uplink.ErrAhead) {
		t.Errorf("following from beyond the end gives %v", err)
	}
}

// killed kills a child that appends, five times, and looks for every record it has acknowledged.
func killed(t *testing.T, open Open) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(t, open, dir)
		return
	}
	dir := t.TempDir()
	acknowledged := map[uplink.Position]string{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v=false")
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			pos, body, ok := strings.Cut(lines.Text(), " ")
			p, err := strconv.ParseUint(pos, 10, 64)
			if !ok || err != nil {
				continue
			}
			if old, twice := acknowledged[uplink.Position(p)]; twice {
				t.Fatalf("position %d was given to %s and to %s", p, old, body)
			}
			acknowledged[uplink.Position(p)] = body
			if n++; n == 500+333*round {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	l := open(t, dir, Options{})
	defer closeLog(t, l)
	found := 0
	for pos := uplink.Position(0); ; {
		got, err := l.Read(t.Context(), pos, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		for _, r := range got {
			pos++
			if r.Pos != pos {
				t.Fatalf("in place of %d comes %d", pos, r.Pos)
			}
			if body, ok := acknowledged[pos]; ok && body == string(r.Body) {
				found++
			}
		}
	}
	if found != len(acknowledged) || found < 2500 {
		t.Errorf("%d of %d acknowledged records are there", found, len(acknowledged))
	}
}

// child appends until it is killed and prints every acknowledged position and body.
func child(t *testing.T, open Open, dir string) {
	l := open(t, dir, Options{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("%d.%d.%d", os.Getpid(), w, i)
				err := l.Append(context.Background(), uplink.Record{At: time.Now(), Kind: 1, Body: []byte(body)},
					func(p uplink.Position, err error) {
						if err == nil {
							fmt.Println(uint64(p), body)
						}
					})
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}
