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
