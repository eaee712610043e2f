package gateway_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// BenchmarkConnect is a device that comes, subscribes and goes, with 32 others at once, over a socket and to a real database: the
// processor time of both ends. Profile it to see where a connect's goes:
//
//	go test -run '^$' -bench BenchmarkConnect -cpuprofile cpu.out ./internal/edge/gateway
func BenchmarkConnect(b *testing.B) {
	const others = 32
	h := newHouse(b, others, nil, gateway.Limits{Takeovers: 1 << 30})
	devicetest.Run(b, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	logins, topics := make([]mqtt.ClientConfig, others), make([]string, others)
	for i, d := range h.Lights {
		logins[i], topics[i] = h.credentials(b, d), h.topic(d, "thing/service/#")
	}
	b.ReportAllocs()
	b.ResetTimer()
	began := processor(b)
	var wg sync.WaitGroup
	for i := range others {
		wg.Go(func() {
			for range b.N/others + 1 {
				c, err := mqtt.Dial(b.Context(), h.addr, logins[i])
				if err == nil {
					_, err = c.Subscribe(b.Context(), topics[i])
				}
				if err != nil {
					b.Error(err)
					return
				}
				c.Kill()
				<-c.Done()
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(processor(b)-began)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
}

// processor is the time of the processor that the process has taken.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
