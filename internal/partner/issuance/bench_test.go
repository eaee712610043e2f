package issuance

import (
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkMillion orders, issues and downloads 1,000,000 triples, with a hook that writes a small row for each. Run it with
// -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		w := newWorks(b)
		stop := w.run(b)
		var peak atomic.Uint64
		done := make(chan struct{})
		go func() {
			defer close(done)
			var m runtime.MemStats
			for peak.Load() != ^uint64(0) {
				runtime.ReadMemStats(&m)
				if used := m.Sys - m.HeapReleased; used > peak.Load() && peak.Load() != ^uint64(0) {
					b.ReportMetric(float64(used)/1e6, "peak-MB")
					peak.Store(used)
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		begin := time.Now()
		o := w.wait(b, w.request(b, MaxQuantity))
		issued := time.Now()
		d := w.grant1(b, o.ID)
		if err := w.Fetch(b.Context(), maker, d.ID, Asked{}, to(io.Discard)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(issued.Sub(begin).Seconds(), "issue-s")
		b.ReportMetric(time.Since(issued).Seconds(), "download-s")
		peak.Store(^uint64(0))
		<-done
		stop()
	}
}
