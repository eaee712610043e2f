package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a log of n records whose reads give errs first.
type scripted struct {
	Log
	n    Position
	errs []error
	note Position
}

func (s *scripted) Tail() Position { return s.n }

func (s *scripted) Note(_ string, p Position) { s.note = p }

func (s *scripted) Wait(ctx context.Context, after Position) error {
	if after < s.n {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *scripted) Read(_ context.Context, after Position, limit int) (out []Record, err error) {
	if len(s.errs) > 0 {
		err, s.errs = s.errs[0], s.errs[1:]
		return nil, err
	}
	for p := after + 1; p <= s.n && len(out) < limit; p++ {
		out = append(out, Record{Pos: p})
	}
	return out, nil
}

func TestFollowWaitsLongerEachTimeAHandlerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var tries []time.Duration
		var report strings.Builder
		l := &scripted{n: 1}
		err := Follow(ctx, l, "x", 0, 10, func(context.Context, []Record) error {
			tries = append(tries, time.Since(began))
			if len(tries) == 12 {
				return nil
			}
			if len(tries) > 12 {
				t.Error("handled twice")
			}
			return errors.New("not yet")
		}, Logger(slog.New(slog.NewTextHandler(&report, nil))), func(*follower) {
			go func() { time.Sleep(time.Minute); cancel() }()
		})
		if err != nil {
			t.Error(err)
		}
		want := "[0s 10ms 30ms 70ms 150ms 310ms 630ms 1.27s 2.55s 5.11s 10.11s 15.11s]"
		if got := fmt.Sprint(tries); got != want {
			t.Errorf("tries at\n%s, want\n%s", got, want)
		}
		if n := strings.Count(report.String(), "uplink consumer failed, trying again"); n != 11 {
			t.Errorf("%d reports, want 11", n)
		}
		if l.note != 1 {
			t.Errorf("noted is %d", l.note)
		}
	})
}

func TestFollowReadsAgainAfterAnErrorAndEndsWhenTheLogIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := &scripted{n: 1, errs: []error{errors.New("the disk gives errors"), ErrClosed}}
		err := Follow(t.Context(), l, "x", 0, 10, func(context.Context, []Record) error { return nil },
			Logger(slog.New(slog.DiscardHandler)))
		if !errors.Is(err, ErrClosed) || err.Error() != "reading after 0 as x: the log is closed" {
			t.Errorf("Follow gives %v", err)
		}
		if took := time.Since(began); took != longWait {
			t.Errorf("it read again after %v", took)
		}
	})
}

// growing is a log that has one record more every 10 ms, from its first on.
type growing struct {
	scripted
	began time.Time
}

func (g *growing) Tail() Position { return 1 + Position(time.Since(g.began)/(10*time.Millisecond)) }

func (g *growing) Wait(ctx context.Context, after Position) error {
	for g.Tail() <= after {
		if !pause(ctx, time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

func (g *growing) Read(ctx context.Context, after Position, limit int) ([]Record, error) {
	g.n = g.Tail()
	return g.scripted.Read(ctx, after, limit)
}

// TestGather: the first record does not wait; those after it come together, and a whole batch waits for none.
func TestGather(t *testing.T) {
	for _, tt := range []struct {
		batch int
		want  string
	}{{1000, "[1 10 10 10]"}, {4, "[1 4 4 2]"}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l := &growing{began: time.Now()}
			var sizes []int
			err := Follow(ctx, l, "x", 0, tt.batch, func(_ context.Context, records []Record) error {
				if sizes = append(sizes, len(records)); len(sizes) == 1 && time.Since(l.began) > 0 {
					t.Errorf("the first waited %s", time.Since(l.began))
				}
				if len(sizes) == 4 {
					cancel()
				}
				return nil
			}, Gather(100*time.Millisecond))
			if got := fmt.Sprint(sizes); err != nil || got != tt.want {
				t.Errorf("batches of %d come as %s, %v, want %s", tt.batch, got, err, tt.want)
			}
		})
	}
}
