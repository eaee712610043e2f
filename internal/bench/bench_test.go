package bench

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSpread(t *testing.T) {
	hundred := make([]time.Duration, 100) // 100 µs … 1 µs
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * time.Microsecond
	}
	for _, tt := range []struct {
		name     string
		in       []time.Duration
		p50, p99 float64
	}{
		{"nothing", nil, 0, 0},
		{"one", []time.Duration{1500 * time.Nanosecond}, 1.5, 1.5},
		{"two", []time.Duration{2 * time.Microsecond, time.Microsecond}, 2, 2},
		{"hundred, not in order", hundred, 51, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p50, p99 := spread(tt.in); p50 != tt.p50 || p99 != tt.p99 {
				t.Errorf("spread = %v, %v, want %v, %v", p50, p99, tt.p50, tt.p99)
			}
		})
	}
}

func TestSlope(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"nothing", nil, 0},
		{"one", []float64{5}, 0},
		{"level", []float64{7, 7, 7, 7}, 0},
		{"up", []float64{1, 3, 5, 7}, 2},
		{"down", []float64{9, 6, 3, 0}, -3},
		{"a saw that stays", []float64{0, 8, 8, 0}, 0},
		{"a line with noise", []float64{0, 2, 1, 3}, 0.8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := slope(tt.in); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("slope = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSustained(t *testing.T) {
	const rate = 10_000
	minute := func(at func(second float64) float64) []float64 {
		var out []float64
		for i := range 60 {
			out = append(out, at(float64(i)))
		}
		return out
	}
	for _, tt := range []struct {
		name string
		lags []float64
		want bool
	}{
		{"no samples", nil, false},
		{"too few samples", []float64{0, 0, 0}, false},
		{"none", minute(func(float64) float64 { return 0 }), true},
		{"a level hill", minute(func(float64) float64 { return 3 * rate }), true},
		{"a start that settles", minute(func(s float64) float64 { return max(0, 50_000-s*5000) }), true},
		{"a saw below a second's records", minute(func(s float64) float64 { return math.Mod(s, 5) * 1500 }), true},
		{"growing slowly, still below a second's records", minute(func(s float64) float64 { return s * 160 }), false},
		{"growing by less than a hundredth", minute(func(s float64) float64 { return s * 90 }), true},
		{"growing by less than a hundredth, from far behind", minute(func(s float64) float64 { return 20_000 + s*90 }), false},
		{"falling, and a jump at the end", append(minute(func(s float64) float64 { return 20_000 - s*300 })[:59], 40_000), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := trendOf(tt.lags)
			if got.sustained(rate) != tt.want {
				t.Errorf("%+v is sustained: %v, want %v", got, !tt.want, tt.want)
			}
		})
	}
}

func TestRoomNamesAreToldApart(t *testing.T) {
	names := roomNames()
	if len(names) != 64 {
		t.Errorf("%d names, want 64", len(names))
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != 64 {
		t.Errorf("%d different names, want 64", n)
	}
}

// TestNothingIsLeftBehind starts programs that are no server, and looks for directories they leave.
func TestNothingIsLeftBehind(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"ends at once", "exit 1", "the server ended before it was ready"},
		{"serves nobody", `while [ "$1" != --ready-file ]; do shift; done
echo '{"http":"http://127.0.0.1:1","mqtt":"127.0.0.1:1"}' >"$2.part" && mv "$2.part" "$2"
trap 'exit 0' TERM
while :; do sleep 0.01; done`, "signing in: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "server")
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil { // it is run
				t.Fatal(err)
			}
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			b := &bench{Options: Options{Program: program, Stdout: io.Discard, Stderr: io.Discard}}
			for name, run := range map[string]func(context.Context) error{
				"crowd":  func(ctx context.Context) error { _, _, err := b.crowd(ctx, 1); return err },
				"people": b.sentences, "start": b.start, "restart": b.restart, "triples": b.triples,
			} {
				if tt.name != "ends at once" && name == "start" {
					continue // it asks nothing of the server
				}
				err := run(t.Context())
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
				}
			}
			left, err := os.ReadDir(tmp)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func TestTable(t *testing.T) {
	var tab table
	for _, f := range []struct {
		peer  string
		name  string
		value float64
	}{{"ours", "rate", 20_345.6}, {"ours", "rate", 19_999.4}, {"theirs", "rate", 1234}, {"ours", "memory", 9.876}, {"ours", "memory", 9.876}} {
		tab.add(f.peer, Figure{Name: f.name, Value: f.value, Unit: "B"})
	}
	got := tab.markdown([]peer{{name: "ours", note: "as it is"}, {name: "theirs"}})
	want := `
| figure | ours | theirs |
|---|---|---|
| rate, B | 19999–20346 | 1234 |
| memory, B | 9.88 | – |

- ours: as it is
- theirs: 
`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestPosts holds what is posted to the size that the figures name.
func TestPosts(t *testing.T) {
	for turn := range 200 {
		if n := len(thickly(turn)); n < 1000 || n > 1100 {
			t.Fatalf("post %d has %d bytes, want some 1 kB: %s", turn, n, thickly(turn))
		}
		if n := len(thinly(turn)); n > 120 {
			t.Fatalf("the small post %d has %d bytes", turn, n)
		}
	}
}
