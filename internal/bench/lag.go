package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// trend is how the lag of the slowest consumer went over the last two thirds of a run.
type trend struct {
	early, late float64 // records, at the beginning and at the end
	slope       float64 // records a second; positive: it grows
	enough      bool    // there were samples enough to tell
}

// trendOf fits a line through samples that were taken a second apart. The first third is left out, as there caches fill
// and batches find their size.
func trendOf(lags []float64) trend {
	lags = lags[len(lags)/3:]
	if len(lags) < 10 {
		return trend{}
	}
	return trend{early: lags[0], late: lags[len(lags)-1], slope: slope(lags), enough: true}
}

// sustained tells whether the consumers keep up with rate records a second: the lag grows by no more than a hundredth of
// the rate, and ends no higher than it was, or than one second's records.
func (t trend) sustained(rate float64) bool {
	return t.enough && t.slope <= rate/100 && t.late <= max(t.early, rate)
}

// slope is that of the line of least squares through ys, which stand one apart. Fewer than two have none.
func slope(ys []float64) float64 {
	n := float64(len(ys))
	if n < 2 {
		return 0
	}
	var sum float64
	for _, y := range ys {
		sum += y
	}
	var up, down float64
	for i, y := range ys {
		x := float64(i) - (n-1)/2
		up += x * (y - sum/n)
		down += x * x
	}
	return up / down
}

// watchLag samples the lag every second until ctx ends.
func (s *server) watchLag(ctx context.Context) ([]float64, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var lags []float64
	for {
		select {
		case <-ctx.Done():
			return lags, nil
		case <-tick.C:
		}
		lag, err := s.lag(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		if err == nil {
			lags = append(lags, lag)
		}
	}
}

// lag is how many records the slowest consumer is behind.
func (s *server) lag(ctx context.Context) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http+"/metrics", nil)
	if err != nil {
		return 0, fmt.Errorf("making a request: %w", err)
	}
	res, err := s.web.Do(req)
	if err != nil {
		return 0, fmt.Errorf("reading /metrics: %w", err)
	}
	defer res.Body.Close()
	most, told := 0.0, false
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "lampworks_uplink_lag{"); ok {
			v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
			if err != nil {
				return 0, fmt.Errorf("reading /metrics: %w", err)
			}
			most, told = max(most, v), true
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("reading /metrics: %w", err)
	}
	if !told {
		return 0, errors.New("/metrics tells no lag of any consumer")
	}
	return most, nil
}

// caughtUp waits until no consumer is behind.
func (s *server) caughtUp(ctx context.Context, within time.Duration) error {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		lag, err := s.lag(ctx)
		if err != nil {
			return err
		}
		if lag < 100 {
			return nil
		}
	}
	return fmt.Errorf("the consumers are still behind after %s", within)
}
