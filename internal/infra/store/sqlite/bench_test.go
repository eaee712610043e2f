package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/store"
)

func openBench(b *testing.B) *store.Store {
	b.Helper()
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	err = s.Write(b.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(b.Context(), `CREATE TABLE bench (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, state TEXT NOT NULL)`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkWrite makes three statements a write, by callers that each wait for the commit.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			s := openBench(b)
			took := make([][]time.Duration, n)
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range n {
				wg.Go(func() {
					for i := c; i < b.N; i += n {
						began := time.Now()
						if err := s.Write(b.Context(), threeStatements(b.Context(), i)); err != nil {
							b.Error(err)
							return
						}
						took[c] = append(took[c], time.Since(began))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Concat(took...)
			slices.Sort(all)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func threeStatements(ctx context.Context, i int) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO bench (n, state) VALUES (?, ?)`, i, "the state of something, eighty bytes of it or so, as they stand in a row of ours")
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT n FROM bench WHERE id = ?`, i%1000+1).Scan(&n); err != nil && i > 1000 {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE bench SET n = n + 1 WHERE id = ?`, i%1000+1)
		return err
	}
}

func BenchmarkRead(b *testing.B) {
	s := openBench(b)
	for i := range 1000 {
		if err := s.Write(b.Context(), threeStatements(b.Context(), i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 1; pb.Next(); i = i%1000 + 1 {
			err := s.Read(b.Context(), func(v *store.View) error {
				var n int
				return v.QueryRow(b.Context(), `SELECT n FROM bench WHERE id = ?`, i).Scan(&n)
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(b.Context(), filepath.Join(b.TempDir(), "db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		}
	})
	b.Run("migrated", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "db")
		for b.Loop() {
			s, err := Open(b.Context(), path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		}
	})
}
