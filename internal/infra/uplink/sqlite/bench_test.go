package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/uplink"
)

// BenchmarkAppend appends records of 1 kB by n callers that each wait for their answer.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 8, 64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			l, err := Open(b.Context(), filepath.Join(b.TempDir(), "log"), Options{MaxBytes: 1 << 40})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			body := make([]byte, 1000)
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range n {
				wg.Go(func() {
					answer := make(chan error, 1)
					done := func(_ uplink.Position, err error) { answer <- err }
					r := uplink.Record{At: time.Now(), Kind: uplink.Message, Device: "0198f3c2-0000-7000-8000-000000000001", Subject: "property/post", Body: body}
					for i := c; i < b.N; i += n {
						if err := l.Append(b.Context(), r, done); err != nil {
							b.Error(err)
							return
						}
						if err := <-answer; err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
