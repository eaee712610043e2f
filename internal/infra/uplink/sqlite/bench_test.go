package sqlite

import (
	"fmt"
	"os"
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

// BenchmarkRetention appends while everything beyond 64 MiB is trimmed.
func BenchmarkRetention(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	l, err := Open(b.Context(), path, Options{MaxBytes: 64 << 20, TrimEvery: 100 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	r := uplink.Record{At: time.Now(), Kind: uplink.Message, Device: "0198f3c2-0000-7000-8000-000000000001", Subject: "property/post", Body: make([]byte, 1000)}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := l.Append(b.Context(), r, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Wait(b.Context(), uplink.Position(b.N-1)); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			size += info.Size()
		}
	}
	b.ReportMetric(float64(size)/(1<<20), "MiB-file")
}

// BenchmarkRead reads batches of 1,000 records of 1 kB, the newest from memory and all from the file.
func BenchmarkRead(b *testing.B) {
	for _, from := range []string{"memory", "file"} {
		b.Run(from, func(b *testing.B) {
			o := Options{RecentBytes: 64 << 20}
			if from == "file" {
				o.RecentBytes = 1
			}
			l, err := Open(b.Context(), filepath.Join(b.TempDir(), "log"), o)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			const n = 20_000
			for range n {
				if err := l.Append(b.Context(), uplink.Record{At: time.Now(), Kind: 1, Device: "d", Subject: "s", Body: make([]byte, 1000)}, nil); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Wait(b.Context(), n-1); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			pos, read := uplink.Position(0), 0
			for b.Loop() {
				got, err := l.Read(b.Context(), pos, 1000)
				if err != nil {
					b.Fatal(err)
				}
				read += len(got)
				if pos += uplink.Position(len(got)); pos >= n {
					pos = 0
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
