package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"lampworks/internal/infra/store"
)

// Run holds an adapter to what package store promises. open opens the store at
// path and does not close it; the same path opened again has the same data.
func Run(t *testing.T, open func(t testing.TB, path string) *store.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *store.Store)
	}{
		{"a write is seen by the next read", seen},
		{"an error rolls back alone", failsAlone},
		{"a panic rolls back alone and reaches the caller", panics},
		{"an exit of the goroutine rolls back alone", exits},
		{"hooks run once after their commit", hooks},
		{"alongside runs in the first write", alongside},
		{"a write whose context ended does not run", cancelledBefore},
		{"a write that began is not stopped", cancelledWithin},
		{"a read cannot write", readOnly},
		{"a read sees one moment", snapshot},
		{"a look gives one row and cannot write", looks},
		{"a statement may run inside its own rows", nested},
		{"rows left open do no harm", leftOpen},
		{"many rows go in at once", inserts},
		{"an insert that failed undoes its transaction alone", insertFails},
		{"violated keys have names", keys},
		{"the transaction ends with its function", ended},
		{"many writers lose nothing", manyWriters},
		{"writers and a map agree", model},
		{"close lets writers finish and refuses later ones", closes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, t.TempDir()+"/db")
			defer s.Close()
			write(t, s, `CREATE TABLE thing (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`)
			tt.test(t, s)
		})
	}
	t.Run("data stay", func(t *testing.T) { stays(t, open) })
}

var errRefused = errors.New("refused")

func write(t testing.TB, s *store.Store, query string, args ...any) {
	t.Helper()
	if err := s.Write(t.Context(), exec(t.Context(), query, args...)); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func exec(ctx context.Context, query string, args ...any) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}
}

func add(ctx context.Context, id int) func(*store.Tx) error {
	return exec(ctx, `INSERT INTO thing (id, n) VALUES (?, ?)`, id, id)
}

func ids(t testing.TB, q store.Querier) map[int]bool {
	t.Helper()
	rows, err := q.Query(t.Context(), `SELECT id FROM thing`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[int]bool{}
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		all[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func stored(t testing.TB, s *store.Store) (all map[int]bool) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		all = ids(t, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func want(t *testing.T, s *store.Store, want ...int) {
	t.Helper()
	got := stored(t, s)
	for _, id := range want {
		if !got[id] {
			t.Errorf("%d is missing in %v", id, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("stored is %v, want %v", got, want)
	}
}

func seen(t *testing.T, s *store.Store) {
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		if err := add(t.Context(), 1)(tx); err != nil {
			return err
		}
		if !ids(t, tx)[1] {
			t.Error("a transaction does not see its own write")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, 1)
}

// together runs functions so that they wait for each other's commit, and gives their errors.
func together(s *store.Store, fns ...func(*store.Tx) error) []error {
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	inside, queued := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		_ = s.Write(context.Background(), func(*store.Tx) error {
			close(inside)
			<-queued
			return nil
		})
	})
	<-inside
	var started atomic.Int32
	for i, fn := range fns {
		wg.Go(func() {
			started.Add(1)
			errs[i] = s.Write(context.Background(), fn)
		})
	}
	for started.Load() < int32(len(fns)) {
		runtime.Gosched()
	}
	for range 100 { // let them reach the queue; if one does not, the test proves less but does not fail
		runtime.Gosched()
	}
	close(queued)
	wg.Wait()
	return errs
}

func failsAlone(t *testing.T, s *store.Store) {
	ctx := t.Context()
	errs := together(s, add(ctx, 1), func(tx *store.Tx) error {
		return errors.Join(add(ctx, 2)(tx), errRefused)
	}, add(ctx, 3), add(ctx, 3))
	refused := 0
	for i, err := range errs {
		switch {
		case i == 0 && err != nil:
			t.Errorf("the first gives %v", err)
		case i == 1 && !errors.Is(err, errRefused):
			t.Errorf("the second gives %v", err)
		case i > 1 && err != nil:
			refused++
			if !errors.Is(err, store.ErrDuplicate) {
				t.Errorf("the same row twice gives %v", err)
			}
		}
	}
	if refused != 1 {
		t.Errorf("%d of two equal rows were refused", refused)
	}
	want(t, s, 1, 3)
}

func panics(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var got any
	errs := together(s, add(ctx, 1), func(tx *store.Tx) error {
		return add(ctx, 2)(tx)
	})
	func() {
		defer func() { got = recover() }()
		_ = s.Write(ctx, func(tx *store.Tx) error {
			_ = add(ctx, 3)(tx)
			panic("boom")
		})
	}()
	if got != "boom" {
		t.Errorf("the caller recovers %v", got)
	}
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	write(t, s, `INSERT INTO thing (id, n) VALUES (4, 4)`)
	want(t, s, 1, 2, 4)
}

func exits(t *testing.T, s *store.Store) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Write(t.Context(), func(tx *store.Tx) error {
			_ = add(t.Context(), 1)(tx)
			runtime.Goexit()
			return nil
		})
	})
	wg.Wait()
	write(t, s, `INSERT INTO thing (id, n) VALUES (2, 2)`)
	want(t, s, 2)
}

func hooks(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var order []string
	err := s.Write(ctx, func(tx *store.Tx) error {
		tx.AfterCommit(func() {
			order = append(order, fmt.Sprint("first ", len(stored(t, s))))
		})
		tx.AfterCommit(func() { order = append(order, "second") })
		return add(ctx, 1)(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Write(ctx, func(tx *store.Tx) error {
		tx.AfterCommit(func() { order = append(order, "never") })
		return errRefused
	})
	if got := fmt.Sprint(order); got != "[first 1 second]" {
		t.Errorf("hooks ran as %s", got)
	}
}

func alongside(t *testing.T, s *store.Store) {
	calls := 0
	ctx := store.Alongside(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		calls++
		return add(ctx, 100+calls)(tx)
	})
	_ = s.Write(ctx, func(*store.Tx) error { return errRefused })
	for i := range 3 {
		if err := s.Write(ctx, add(ctx, i)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s, 0, 1, 2, 101)
	refusing := store.Alongside(t.Context(), func(context.Context, *store.Tx) error { return errRefused })
	if err := s.Write(refusing, add(t.Context(), 9)); !errors.Is(err, errRefused) {
		t.Errorf("a refusal alongside gives %v", err)
	}
	want(t, s, 0, 1, 2, 101)
}

func cancelledBefore(t *testing.T, s *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	err := s.Write(t.Context(), func(*store.Tx) error {
		var started atomic.Int32
		for i := range 4 {
			wg.Go(func() {
				started.Add(1)
				if err := s.Write(ctx, add(context.Background(), i)); !errors.Is(err, context.Canceled) {
					t.Errorf("a cancelled write gives %v", err)
				}
			})
		}
		for started.Load() < 4 {
			runtime.Gosched()
		}
		cancel()
		return nil
	})
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	want(t, s)
}

func cancelledWithin(t *testing.T, s *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Write(ctx, func(tx *store.Tx) error {
		cancel()
		return add(ctx, 1)(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, 1)
}

func readOnly(t *testing.T, s *store.Store) {
	err := s.Read(t.Context(), func(v *store.View) error {
		var id int
		return v.QueryRow(t.Context(), `INSERT INTO thing (id, n) VALUES (1, 1) RETURNING id`).Scan(&id)
	})
	if err == nil {
		t.Error("a read has written")
	}
	want(t, s)
}

func snapshot(t *testing.T, s *store.Store) {
	write(t, s, `INSERT INTO thing (id, n) VALUES (1, 1)`)
	err := s.Read(t.Context(), func(v *store.View) error {
		before := len(ids(t, v))
		write(t, s, `INSERT INTO thing (id, n) VALUES (2, 2)`)
		if after := len(ids(t, v)); before != 1 || after != 1 {
			t.Errorf("the view has %d things, then %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, 1, 2)
}

func looks(t *testing.T, s *store.Store) {
	write(t, s, `INSERT INTO thing (id, n) VALUES (1, 10), (2, 20)`)
	const n = "SELECT n FROM thing WHERE id >= ? ORDER BY id"
	var got int
	if err := s.Look(t.Context(), n, []any{2}, &got); err != nil || got != 20 {
		t.Errorf("a look gives %d, %v", got, err)
	}
	if err := s.Look(t.Context(), n, []any{1}, &got); err != nil || got != 10 {
		t.Errorf("a look that finds two rows gives %d, %v, want the first", got, err)
	}
	if err := s.Look(t.Context(), n, []any{3}, &got); !errors.Is(err, store.ErrNoRows) {
		t.Errorf("a look that finds nothing gives %v", err)
	}
	for _, writes := range []string{"INSERT INTO thing (id, n) VALUES (3, 3) RETURNING id", "WITH x AS (SELECT 1) INSERT INTO thing (id, n) VALUES (3, 3) RETURNING id", "DELETE FROM thing RETURNING id"} {
		if err := s.Look(t.Context(), writes, nil, &got); err == nil {
			t.Errorf("%s by a look has no error", writes)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Look(ended, n, []any{1}, &got); !errors.Is(err, context.Canceled) {
		t.Errorf("a look whose context has ended gives %v", err)
	}
	want(t, s, 1, 2)
}

func nested(t *testing.T, s *store.Store) {
	for i := range 5 {
		write(t, s, `INSERT INTO thing (id, n) VALUES (?, ?)`, i, i)
	}
	walk := func(q store.Querier) error {
		var deep func(level int) int
		deep = func(level int) int {
			rows, err := q.Query(t.Context(), `SELECT id FROM thing ORDER BY id`)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				n++
				if level > 0 {
					n += deep(level - 1)
				}
			}
			return n
		}
		if n := deep(2); n != 5+25+125 {
			t.Errorf("three nested loops over five rows make %d steps, want 155", n)
		}
		return nil
	}
	if err := s.Read(t.Context(), func(v *store.View) error { return walk(v) }); err != nil {
		t.Error(err)
	}
	if err := s.Write(t.Context(), func(tx *store.Tx) error { return walk(tx) }); err != nil {
		t.Error(err)
	}
}

func leftOpen(t *testing.T, s *store.Store) {
	write(t, s, `INSERT INTO thing (id, n) VALUES (1, 1), (2, 2)`)
	careless := func(q store.Querier) error {
		rows, err := q.Query(t.Context(), `SELECT id FROM thing`)
		if err == nil {
			rows.Next()
		}
		return err // the point of this test
	}
	for range 20 {
		if err := s.Read(t.Context(), func(v *store.View) error { return careless(v) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), func(tx *store.Tx) error { return careless(tx) }); err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, `DELETE FROM thing`)
	want(t, s)
}

func keys(t *testing.T, s *store.Store) {
	write(t, s, `CREATE TABLE part (name TEXT NOT NULL UNIQUE, thing INTEGER NOT NULL REFERENCES thing (id))`)
	write(t, s, `INSERT INTO thing (id, n) VALUES (1, 1)`)
	write(t, s, `INSERT INTO part (name, thing) VALUES ('a', 1)`)
	for _, tt := range []struct {
		query string
		want  error
	}{
		{`INSERT INTO thing (id, n) VALUES (1, 1)`, store.ErrDuplicate},
		{`INSERT INTO part (name, thing) VALUES ('a', 1)`, store.ErrDuplicate},
		{`INSERT INTO part (name, thing) VALUES ('b', 7)`, store.ErrReference},
	} {
		if err := s.Write(t.Context(), exec(t.Context(), tt.query)); !errors.Is(err, tt.want) {
			t.Errorf("%s gives %v, want %v", tt.query, err, tt.want)
		}
	}
}

func ended(t *testing.T, s *store.Store) {
	var kept *store.Tx
	if err := s.Write(t.Context(), func(tx *store.Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Exec(t.Context(), `DELETE FROM thing`); !errors.Is(err, store.ErrEnded) {
		t.Errorf("a transaction that has ended gives %v", err)
	}
}

func manyWriters(t *testing.T, s *store.Store) {
	const writers, each = 16, 40
	var wg sync.WaitGroup
	var kept [writers][]int
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := w*each + i
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					if err := add(t.Context(), id)(tx); err != nil {
						return err
					}
					if id%7 == 3 {
						return errRefused
					}
					tx.AfterCommit(func() { kept[w] = append(kept[w], id) })
					return nil
				})
				if id%7 == 3 != errors.Is(err, errRefused) {
					t.Errorf("write %d gives %v", id, err)
				}
			}
		})
	}
	wg.Wait()
	var all []int
	for _, k := range kept {
		all = append(all, k...)
	}
	want(t, s, all...)
}

// model lets writers add, change and remove things at once; each has its own ids, and a map of them.
func model(t *testing.T, s *store.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		const writers = 4
		seed := rapid.Uint64().Draw(rt, "seed")
		steps := rapid.IntRange(1, 15).Draw(rt, "steps")
		write(t, s, `DELETE FROM thing`)
		maps := make([]map[int]int, writers)
		var wg sync.WaitGroup
		for w := range writers {
			maps[w] = map[int]int{}
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, uint64(w)))
				for range steps {
					act(t.Context(), s, rnd, w, maps[w])
				}
			})
		}
		wg.Wait()
		got := map[int]int{}
		err := s.Read(t.Context(), func(v *store.View) error {
			rows, err := v.Query(t.Context(), `SELECT id, n FROM thing`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, n int
				if err := rows.Scan(&id, &n); err != nil {
					return err
				}
				got[id] = n
			}
			return rows.Err()
		})
		if err != nil {
			rt.Fatal(err)
		}
		total := 0
		for _, m := range maps {
			total += len(m)
			for id, n := range m {
				if got[id] != n {
					rt.Fatalf("thing %d is %d, want %d", id, got[id], n)
				}
			}
		}
		if len(got) != total {
			rt.Fatalf("there are %d things, want %d", len(got), total)
		}
	})
}

// act makes one random transaction, which may fail half-way or panic, and repeats it on the map if it was kept.
func act(ctx context.Context, s *store.Store, rnd *rand.Rand, w int, m map[int]int) {
	id, n, fate := w*100+rnd.IntN(4), rnd.IntN(1000), rnd.IntN(8)
	next := map[int]int{}
	for k, v := range m {
		next[k] = v
	}
	defer func() { _ = recover() }()
	err := s.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO thing (id, n) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET n = excluded.n`, id, n); err != nil {
			return err
		}
		next[id] = n
		if fate == 0 {
			return errRefused
		}
		if fate == 1 {
			panic("fate")
		}
		if fate == 2 {
			if _, err := tx.Exec(ctx, `INSERT INTO thing (id, n) VALUES (?, 0)`, id); !errors.Is(err, store.ErrDuplicate) {
				return fmt.Errorf("a second row %d: %w", id, err)
			}
		}
		if fate == 3 {
			delete(next, id)
			_, err := tx.Exec(ctx, `DELETE FROM thing WHERE id = ?`, id)
			return err
		}
		return nil
	})
	if err == nil {
		clear(m)
		for k, v := range next {
			m[k] = v
		}
	}
}

func closes(t *testing.T, s *store.Store) {
	var wg sync.WaitGroup
	var kept atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			switch err := s.Write(context.Background(), add(context.Background(), i)); {
			case err == nil:
				kept.Add(1)
			case !errors.Is(err, store.ErrClosed):
				t.Errorf("a write during Close gives %v", err)
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := s.Write(context.Background(), add(context.Background(), 99)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after Close gives %v", err)
	}
	if err := s.Read(context.Background(), func(*store.View) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a read after Close gives %v", err)
	}
	if err := s.Look(context.Background(), "SELECT 1", nil, new(int)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a look after Close gives %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close gives %v", err)
	}
}

func stays(t *testing.T, open func(t testing.TB, path string) *store.Store) {
	path := t.TempDir() + "/db"
	s := open(t, path)
	write(t, s, `CREATE TABLE thing (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`)
	write(t, s, `INSERT INTO thing (id, n) VALUES (1, 1)`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close()
	want(t, s, 1)
}
