package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/mqtt"
)

// enforce brings n devices of one product online, suspends the product, and measures until each session is closed.
func (b *bench) enforce(ctx context.Context) error {
	s, m, err := b.crowd(ctx, b.n(10_000))
	if err != nil {
		return err
	}
	clients, _, err := s.connect(ctx, m, m.triples, nil)
	if err == nil {
		err = b.suspend(ctx, s, m, clients)
	}
	drop(clients)
	return errors.Join(err, s.stop())
}

func (b *bench) suspend(ctx context.Context, s *server, m *maker, clients []*mqtt.Client) error {
	ends := make([]time.Duration, len(clients))
	began := time.Now()
	err := s.as(s.operator).call(ctx, "POST", "/api/v1/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "product", "id": m.ID}, "kind": "suspend", "cause": "unsafe_product", "reason": "a measurement",
	}, nil)
	if err != nil {
		return err
	}
	answered := time.Since(began)
	deadline := time.After(time.Minute)
	for i, c := range clients { // in order: a session that ended earlier is seen at once, the last one on time
		select {
		case <-c.Done():
			ends[i] = time.Since(began)
		case <-deadline:
			return fmt.Errorf("a minute after the measure %d sessions are still open", len(clients)-i)
		}
	}
	last := time.Since(began)
	p50, p99 := spread(ends)
	return b.print(Figure{
		Name: "enforce.last_session", Value: float64(last.Microseconds()) / 1000, Unit: "ms", P50: p50, P99: p99, N: len(clients),
		Note: fmt.Sprintf("from the call, which was answered after %d ms, to the last socket closed", answered.Milliseconds()),
	})
}

// unlimited lifts the limits that a measurement would meet, for an organisation.
func (s *server) unlimited(ctx context.Context, organisation string) error {
	for limit, value := range map[string]int64{
		"messages_per_second": 10_000_000, "connects_per_second": 1_000_000, "device_message_bytes_per_day": 1 << 50, "device_messages_per_second": 1_000_000, "device_messages_per_day": 1 << 40, "requests_per_second": 1_000_000,
		"requests_per_day": 1 << 40, "token_requests_per_second": 1_000_000, "device_requests_per_second": 100_000, "device_requests_per_day": 1 << 40,
		"triples": 1 << 40, "debug_triples": 10_000_000,
	} {
		err := s.call(ctx, "POST", "/api/v1/limits/overrides", map[string]any{
			"subject": map[string]string{"kind": "organisation", "id": organisation}, "limit": limit, "purpose": "set", "value": value, "reason": "a measurement",
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
