package dayfile

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"lampworks/internal/fleet/history"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// month gives files of some days, each with ten reports of the brightness and one of the colour.
func month(t testing.TB, days int) *Files {
	t.Helper()
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	pos := uplink.Position(0)
	for day := range days {
		var points []history.Point
		received := noon.AddDate(0, 0, day)
		for i := range 11 {
			pos++
			p := history.Point{Pos: pos, Device: "lamp", Property: "brightness", At: received.Add(time.Duration(i) * time.Second), Value: []byte("1")}
			if i == 10 {
				p.Property = "colour"
			}
			points = append(points, p)
		}
		if err := f.Write(t.Context(), pos, received, points); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func query(property string, limit int) history.Query {
	return history.Query{Device: "lamp", Property: property, From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0), Limit: limit}
}

// TestReadingBesideWriting reads many days while a write goes on, and leaves the writer its files.
func TestReadingBesideWriting(t *testing.T) {
	f := month(t, 30)
	writers := fmt.Sprint(f.open)
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	read := make(chan error, 1)
	go func() {
		points, err := f.Points(ctx, query("brightness", 1000))
		if len(points) != 300 {
			err = fmt.Errorf("%d points, want 300: %w", len(points), err)
		}
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("reading waits for the writer")
	}
	if got := fmt.Sprint(f.open); got != writers {
		t.Errorf("the writer has the files %s, and had %s", got, writers)
	}
}

// TestReadingIsBounded asks for pages that cost little and for one that costs too much.
func TestReadingIsBounded(t *testing.T) {
	f := month(t, 30)
	f.examine = 50
	all := 0
	for q := query("brightness", 15); ; {
		page, err := f.Points(t.Context(), q)
		if err != nil {
			t.Fatalf("after %d points: %v", all, err)
		}
		if all += len(page); len(page) < q.Limit {
			break
		}
		q.After = &page[len(page)-1]
	}
	if all != 300 {
		t.Errorf("pages of 15 have %d points, want 300", all)
	}
	page, err := f.Points(t.Context(), query("colour", 15)) // one in eleven
	if !fault.Is(err, fault.Malformed) || len(page) != 0 {
		t.Fatalf("%d points, %v; want it refused", len(page), err)
	}
	const fix = "ask for a range that ends at 2026-03-18T12:00:06.000Z or before, and for the rest after it"
	if got := fault.Of(err); got.Fix != fix || got.Where != "/to" {
		t.Errorf("got %+v, want the fix: %s", got, fix)
	}
	q := query("colour", 15)
	q.To = time.Date(2026, 3, 18, 12, 0, 6, 0, time.UTC)
	if page, err = f.Points(t.Context(), q); len(page) != 4 || err != nil {
		t.Errorf("the range it was told has %d points, %v; want 4", len(page), err)
	}
}

// TestDayDropped reads days of which one is not made yet and one is gone.
func TestDayDropped(t *testing.T) {
	f := month(t, 2)
	if err := os.WriteFile(f.path("2026-03-20"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if points, err := f.Points(t.Context(), query("brightness", 100)); len(points) != 20 || err != nil {
		t.Errorf("%d points, %v; want 20", len(points), err)
	}
	r := reading{q: query("brightness", 100), left: 10}
	if err := r.day(t.Context(), f.path("2026-03-01")); err != nil {
		t.Errorf("a day that is gone: %v", err)
	}
}

func BenchmarkPoints(b *testing.B) {
	f := month(b, 30)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Points(b.Context(), query("brightness", 100)); err != nil {
			b.Fatal(err)
		}
	}
}
