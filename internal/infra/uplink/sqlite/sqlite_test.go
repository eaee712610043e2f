package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/infra/uplink/uplinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	l, err := Open(context.Background(), filepath.Join(dir, "log.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestContract(t *testing.T) {
	uplinktest.Run(t, func(t testing.TB, dir string, o uplinktest.Options) uplink.Log {
		return open(t, dir, Options{
			QueueRecords: o.QueueRecords, MaxBytes: o.MaxBytes, OnLost: o.OnLost, TrimEvery: 20 * time.Millisecond,
		})
	})
}

// TestContractWithoutMemory reads everything from the file.
func TestContractWithoutMemory(t *testing.T) {
	uplinktest.Run(t, func(t testing.TB, dir string, o uplinktest.Options) uplink.Log {
		return open(t, dir, Options{
			QueueRecords: o.QueueRecords, MaxBytes: o.MaxBytes, OnLost: o.OnLost, TrimEvery: 20 * time.Millisecond,
			RecentBytes: 1,
		})
	})
}

func put(t testing.TB, l *Log, body []byte) (uplink.Position, error) {
	t.Helper()
	type answer struct {
		pos uplink.Position
		err error
	}
	answers := make(chan answer, 1)
	err := l.Append(t.Context(), uplink.Record{At: time.Now(), Kind: 1, Body: body},
		func(p uplink.Position, err error) { answers <- answer{p, err} })
	if err != nil {
		return 0, err
	}
	a := <-answers
	return a.pos, a.err
}

func mustPut(t testing.TB, l *Log, body []byte) uplink.Position {
	t.Helper()
	p, err := put(t, l, body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAgeTrimsWhatIsOlder(t *testing.T) {
	dir := t.TempDir()
	now := time.UnixMilli(1_700_000_000_000)
	clock := func() time.Time { return now }
	l := open(t, dir, Options{Now: clock})
	for range 5 {
		mustPut(t, l, []byte("old"))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(6 * 24 * time.Hour)
	l = open(t, dir, Options{Now: clock})
	mustPut(t, l, []byte("young"))
	if l.Head() != 1 {
		t.Errorf("after six days the head is %d", l.Head())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(25 * time.Hour)
	l = open(t, dir, Options{Now: clock}) // looks at once
	defer l.Close()
	for deadline := time.Now().Add(10 * time.Second); l.Head() != 6 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	got, err := l.Read(t.Context(), 0, 10)
	if err != nil || len(got) != 1 || got[0].Pos != 6 || string(got[0].Body) != "young" {
		t.Errorf("after seven days are left %+v, %v", got, err)
	}
}

func TestRecordsWaitForTheDiskAlsoAfterCursors(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	for i := range 3 {
		mustPut(t, l, []byte("x"))
		l.Note("c", uplink.Position(i))
	}
	if err := l.Close(); err != nil { // nobody else uses the connection now
		t.Fatal(err)
	}
	f, err := openFile(t.Context(), filepath.Join(dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for round := range 3 {
		if err := f.note(t.Context(), map[string]uplink.Position{"c": 9}, 1); err != nil {
			t.Fatal(err)
		}
		b := &block{}
		b.add(uplink.Record{At: time.Now()}, nil)
		b.seal(uplink.Position(4 + round))
		if err := f.commit(t.Context(), []*block{b}); err != nil {
			t.Fatal(err)
		}
		var level int
		if err := f.conn.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level); err != nil || level != 2 {
			t.Errorf("at a commit synchronous is %d, want 2 (FULL); %v", level, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "log.db")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
}

func TestEpochBelongsToTheFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	epoch := l.Epoch()
	_ = l.Close()
	l = open(t, dir, Options{})
	if l.Epoch() != epoch || epoch == "" {
		t.Errorf("the epoch was %q and is %q", epoch, l.Epoch())
	}
	_ = l.Close()
	l = open(t, t.TempDir(), Options{})
	if l.Epoch() == epoch {
		t.Error("another log has the same epoch")
	}
	_ = l.Close()
}

func TestFullDiskIsAnErrorThenHeals(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	l := open(t, dir, Options{RecentBytes: 1})
	defer l.Close()
	var last uplink.Position
	var err error
	body := make([]byte, 20_000)
	for range 1000 {
		var p uplink.Position
		if p, err = put(t, l, body); err != nil {
			break
		}
		last = p
	}
	if f := fault.Of(err); f == nil || f.Code != fault.Down || f.Sentence() != "the disk of the log is full" {
		t.Fatalf("a full disk gives %v", err)
	}
	if l.Tail() != last {
		t.Errorf("the tail is %d, acknowledged is %d", l.Tail(), last)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	if p := mustPut(t, l, body); p != last+1 {
		t.Errorf("with room again the next position is %d, want %d", p, last+1)
	}
	for pos := uplink.Position(0); pos < last+1; pos++ {
		if got, err := l.Read(t.Context(), pos, 1); err != nil || len(got) != 1 || got[0].Pos != pos+1 {
			t.Fatalf("after %d comes %d records, %v", pos, len(got), err)
		}
	}
}

func TestDamagedRowIsNamed(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{RecentBytes: 1})
	defer l.Close()
	for range 3 {
		mustPut(t, l, []byte("body"))
	}
	if _, err := l.file.conn.ExecContext(t.Context(), `UPDATE block SET data = zeroblob(30) WHERE first = 2`); err != nil {
		t.Fatal(err)
	}
	got, err := l.Read(t.Context(), 0, 1)
	if err != nil || len(got) != 1 {
		t.Errorf("the record before it gives %d, %v", len(got), err)
	}
	_, err = l.Read(t.Context(), 1, 1)
	if want := "records 2 to 2 of the log are damaged: the sum of its bytes is wrong"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	if _, err := l.file.conn.ExecContext(t.Context(), `PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	path := filepath.Join(dir, "log.db")
	_, err := Open(t.Context(), path, Options{})
	want := "opening the log " + path + ": it has format 2, this program knows 1: start the newer program"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !fault.Is(err, fault.Down) {
		t.Errorf("a file that is no database gives %v", err)
	}
}

func TestLostIsNamedOnceAndWithoutOverlap(t *testing.T) {
	var got []string
	l := &Log{cursors: map[string]uplink.Position{"slow": 3, "fast": 40, "new": 0}, o: Options{
		Logger: slog.New(slog.DiscardHandler),
		OnLost: func(c string, first, last uplink.Position) {
			if c != "new" {
				got = append(got, fmt.Sprintf("%s %d-%d", c, first, last))
			}
		},
	}}
	for _, last := range []uplink.Position{2, 10, 20} {
		l.trimmedTo(t.Context(), last)
	}
	if s := fmt.Sprint(got); s != "[slow 4-10 slow 11-20]" {
		t.Errorf("the alarms are %s", s)
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	l := open(t, t.TempDir(), Options{QueueBytes: 100_000})
	stuck := make(chan struct{})
	accepted := 0
	for range 1000 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := l.Append(ctx, uplink.Record{At: time.Now(), Body: make([]byte, 10_000)}, func(uplink.Position, error) { <-stuck })
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		accepted++
	}
	records, bytes := l.Queued()
	if bytes > 100_000 || records == 0 || accepted > 100 {
		t.Errorf("%d records, %d bytes wait, %d were accepted", records, bytes, accepted)
	}
	close(stuck)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestClockThatJumpedTrimsNothing lets every record be too old by a clock that was set, and by one that was not. What is
// beyond the size goes all the same.
func TestClockThatJumpedTrimsNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		jumped bool
		most   int64
		want   bool
	}{{"time passed", false, 1 << 30, true}, {"the clock was set", true, 1 << 30, false}, {"the clock was set, and there is too much", true, 1, true}} {
		t.Run(tt.name, func(t *testing.T) {
			var ahead, asked atomic.Int64 // trims ask for the time
			l := open(t, t.TempDir(), Options{Keep: time.Hour, MaxBytes: tt.most, TrimEvery: time.Millisecond, Now: func() time.Time {
				asked.Add(1)
				return time.Now().Add(time.Duration(ahead.Load()))
			}})
			defer l.Close()
			if _, err := put(t, l, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if tt.jumped {
				l.clock.Read(time.Now().AddDate(1, 0, 0), 0)
			}
			ahead.Store(int64(2 * time.Hour))
			for seen := asked.Load(); asked.Load() < seen+3; { // one may be under way, the next one is all later
				time.Sleep(time.Millisecond)
			}
			if got := l.Head() > 1; got != tt.want {
				t.Errorf("it was trimmed: %v, want %v", got, tt.want)
			}
		})
	}
}
