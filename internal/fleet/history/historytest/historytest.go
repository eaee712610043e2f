// Package historytest holds an adapter of history to what package history promises of a Series.
//
// It owns nothing and promises to leave every directory it was given to the test.
package historytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/fleet/history"
	"lampworks/internal/infra/uplink"
)

// Run holds an adapter to its promises. open opens the series at a path and does not close it; the same path opened again
// has the same points.
func Run(t *testing.T, open func(t testing.TB, path string) history.Series) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"points are found by the device's time", found},
		{"a page goes on where the last ended", pages},
		{"the same record twice is one", twice},
		{"the cursor is that of the points", cursor},
		{"a late report stands where it happened", late},
		{"a past value is one, whenever it comes again", past},
		{"what is old is dropped by the day of receipt", dropped},
		{"devices and properties are apart", apart},
		{"many days", days},
		{"a device is erased from every day", erased},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{open: open, path: t.TempDir()}
			s.reopen(t)
			tt.test(t, s)
			s.close(t)
		})
	}
}

type suite struct {
	history.Series
	open func(testing.TB, string) history.Series
	path string
}

func (s *suite) close(t *testing.T) {
	t.Helper()
	if err := s.Series.Close(); err != nil {
		t.Error(err)
	}
}

func (s *suite) reopen(t *testing.T) {
	t.Helper()
	if s.Series != nil {
		s.close(t)
	}
	s.Series = s.open(t, s.path)
}

// noon is a moment far from midnight.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func (s *suite) write(t *testing.T, pos uplink.Position, received time.Time, points ...history.Point) {
	t.Helper()
	for i := range points {
		points[i].Pos, points[i].N, points[i].Received = pos, i, received
	}
	if err := s.Write(t.Context(), pos, received, points); err != nil {
		t.Fatal(err)
	}
}

func point(at time.Time, value string) history.Point {
	return history.Point{Device: "lamp", Property: "brightness", At: at, Value: []byte(value)}
}

func lamp(limit int) history.Query {
	return history.Query{Device: "lamp", Property: "brightness", From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0), Limit: limit}
}

// values are the values of the points that q finds.
func (s *suite) values(t *testing.T, q history.Query) []string {
	t.Helper()
	points, err := s.Points(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range points {
		out = append(out, string(p.Value))
	}
	return out
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}

func found(t *testing.T, s *suite) {
	s.write(t, 1, noon, point(noon.Add(-time.Second), "1"), point(noon, "2"))
	s.write(t, 2, noon.Add(time.Minute), point(noon.Add(time.Millisecond), `"three"`))
	for range 2 {
		points, err := s.Points(t.Context(), lamp(10))
		if err != nil || len(points) != 3 {
			t.Fatalf("%d points, %v; want 3", len(points), err)
		}
		got := points[2]
		got.Received = time.Time{} // may be known or not
		want(t, "the last point", got, history.Point{Pos: 2, Device: "lamp", Property: "brightness", At: noon.Add(time.Millisecond), Value: []byte(`"three"`)})
		q := lamp(10)
		q.From, q.To = noon, noon.Add(time.Millisecond)
		want(t, "from noon until a millisecond later", s.values(t, q), []string{"2"})
		s.reopen(t)
	}
}

func pages(t *testing.T, s *suite) {
	var all []history.Point
	for i := range 10 {
		all = append(all, point(noon.Add(time.Duration(i/3)*time.Second), fmt.Sprint(i))) // three of each time
	}
	s.write(t, 7, noon, all...)
	var got []string
	q := lamp(4)
	for {
		page, err := s.Points(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			got = append(got, string(p.Value))
		}
		if len(page) < 4 {
			break
		}
		q.After = &page[len(page)-1]
	}
	want(t, "pages of four", got, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
}

func twice(t *testing.T, s *suite) {
	for range 2 {
		s.write(t, 1, noon, point(noon, "1"))
		s.write(t, 2, noon, point(noon, "2"))
		s.reopen(t)
	}
	want(t, "points", s.values(t, lamp(10)), []string{"1", "2"})
}

func cursor(t *testing.T, s *suite) {
	at := func(what string, pos uplink.Position) {
		t.Helper()
		got, err := s.Cursor(t.Context())
		if err != nil || got != pos {
			t.Errorf("%s the cursor is %d, %v; want %d", what, got, err, pos)
		}
	}
	at("at first", 0)
	s.write(t, 5, noon, point(noon, "1"))
	at("after a write", 5)
	s.write(t, 9, noon) // records without points
	s.reopen(t)
	at("after a write without points", 9)
	s.write(t, 12, noon.AddDate(0, 0, 1), point(noon.AddDate(0, 0, 1), "2"))
	at("the next day", 12)
	s.write(t, 13, noon, point(noon, "3")) // the clock went back
	s.reopen(t)
	at("when the clock went back", 13)
}

func late(t *testing.T, s *suite) {
	s.write(t, 1, noon, point(noon, "2"))
	s.write(t, 2, noon.AddDate(0, 0, 5), point(noon.Add(-time.Hour), "1"), point(noon.Add(time.Hour), "3"))
	q := lamp(10)
	q.From, q.To = noon.Add(-2*time.Hour), noon.Add(2*time.Hour)
	want(t, "points of that day", s.values(t, q), []string{"1", "2", "3"})
	q.Limit = 2
	want(t, "the first two", s.values(t, q), []string{"1", "2"})
}

func past(t *testing.T, s *suite) {
	value := func(at time.Time, n int, value string) history.Point {
		p := point(at, value)
		p.N = n
		return p
	}
	before := noon.AddDate(0, -2, 0)
	for i, received := range []time.Time{noon, noon.Add(time.Minute), noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 4)} {
		points := []history.Point{value(before.Add(time.Second), 1<<30, "2"), value(before, 7, "1"), value(before, 1<<31-1, "0")} // in no order
		for j := range points {
			points[j].Received = received
		}
		if err := s.Write(t.Context(), uplink.Position(i+1), received, points); err != nil {
			t.Fatal(err)
		}
	}
	s.write(t, 9, noon.AddDate(0, 0, 4), point(before, "3"))
	want(t, "past values that came four times", s.values(t, lamp(10)), []string{"1", "0", "3", "2"})
	q := lamp(1)
	var got []string
	for {
		page, err := s.Points(t.Context(), q)
		if err != nil || len(page) == 0 {
			want(t, "pages of one", got, []string{"1", "0", "3", "2"})
			return
		}
		got, q.After = append(got, string(page[0].Value)), &page[0]
	}
}

func dropped(t *testing.T, s *suite) {
	for i := range 4 {
		at := noon.AddDate(0, 0, i)
		s.write(t, uplink.Position(i+1), at, point(at, fmt.Sprint(i)))
	}
	s.write(t, 5, noon.AddDate(0, 0, 3), point(noon.AddDate(0, 0, -1), "late"))
	if err := s.Drop(t.Context(), noon.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	want(t, "what is left", s.values(t, lamp(10)), []string{"late", "2", "3"})
	s.reopen(t)
	want(t, "what is left, later", s.values(t, lamp(10)), []string{"late", "2", "3"})
	if got, err := s.Cursor(t.Context()); err != nil || got != 5 {
		t.Errorf("the cursor is %d, %v; want 5", got, err)
	}
}

func erased(t *testing.T, s *suite) {
	for i := range 3 {
		at := noon.AddDate(0, 0, i)
		other := point(at, "kept")
		other.Device = "other"
		s.write(t, uplink.Position(i+1), at, point(at, fmt.Sprint(i)), other)
	}
	held := func(device string) int64 {
		t.Helper()
		n, err := s.Holds(t.Context(), []string{device, "nobody"})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if held(lamp(1).Device) == 0 {
		t.Error("nothing is held before")
	}
	for range 2 { // twice is once
		if err := s.Erase(t.Context(), []string{lamp(1).Device, "nobody"}); err != nil {
			t.Fatal(err)
		}
	}
	s.reopen(t)
	if n := held(lamp(1).Device); n != 0 {
		t.Errorf("%d are held after", n)
	}
	want(t, "what is left", s.values(t, lamp(10)), []string(nil))
	other := lamp(10)
	other.Device = "other"
	want(t, "of the other", s.values(t, other), []string{"kept", "kept", "kept"})
	s.write(t, 9, noon, point(noon, "new"))
	want(t, "afterwards", s.values(t, lamp(10)), []string{"new"})
}

func apart(t *testing.T, s *suite) {
	other, power := point(noon, "2"), point(noon, "3")
	other.Device, power.Property = "kettle", "powerstate"
	s.write(t, 1, noon, point(noon, "1"), other, power)
	want(t, "the lamp's brightness", s.values(t, lamp(10)), []string{"1"})
	q := lamp(10)
	q.Device = "nobody"
	if got := s.values(t, q); got != nil {
		t.Errorf("nobody has %v", got)
	}
}

func days(t *testing.T, s *suite) {
	const n = 40
	var all []string
	for i := range n {
		at := noon.AddDate(0, 0, i)
		s.write(t, uplink.Position(i+1), at, point(at, fmt.Sprint(i)))
		all = append(all, fmt.Sprint(i))
	}
	want(t, "points of forty days", s.values(t, lamp(100)), all)
}
