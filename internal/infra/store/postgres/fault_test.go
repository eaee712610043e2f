package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t testing.TB, address string, o Options) *store.Store {
	t.Helper()
	o.Logger = quiet()
	s, err := Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func exec1(query string, args ...any) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	}
}

func write(t testing.TB, s *store.Store, query string, args ...any) {
	t.Helper()
	if err := s.Write(t.Context(), exec1(query, args...)); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func number(t testing.TB, s *store.Store, query string, args ...any) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error { return v.QueryRow(t.Context(), query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A tally is what one writer was told of its writes.
type tally struct {
	mu   sync.Mutex
	told map[int]string // acknowledged, refused, unsure
}

func (y *tally) note(id int, err error) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case err == nil:
		y.told[id] = "acknowledged"
	case fault.Is(err, fault.Down):
		y.told[id] = "refused"
	case fault.Is(err, fault.Unsure):
		y.told[id] = "unsure"
	default:
		return err
	}
	return nil
}

func (y *tally) count(what string) (n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, told := range y.told {
		if told == what {
			n++
		}
	}
	return n
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestServerThatStopsAndComesBack(t *testing.T) {
	server := pgtest.Start(t)
	t.Run("in the middle of writes", func(t *testing.T) { stopsInWrites(t, server) })
	t.Run("while connections rest", func(t *testing.T) { stopsAtRest(t, server) })
}

// What was acknowledged is there, what was refused is not, nothing is there half, and all goes on by itself.
func stopsInWrites(t *testing.T, server *pgtest.Server) {
	s := open(t, server.Address("postgres"), Options{Doubt: 200 * time.Millisecond})
	write(t, s, `CREATE TABLE x (id BIGINT PRIMARY KEY, a BIGINT NOT NULL, b BIGINT NOT NULL)`)
	y := &tally{told: map[int]string{}}
	var next atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				id := int(next.Add(1))
				err := s.Write(context.Background(), func(tx *store.Tx) error {
					if err := exec1(`INSERT INTO x (id, a, b) VALUES (?, ?, 0)`, id, id)(tx); err != nil {
						return err
					}
					return exec1(`UPDATE x SET b = a + 1 WHERE id = ?`, id)(tx)
				})
				if err := y.note(id, err); err != nil {
					t.Errorf("write %d gives %v", id, err)
				}
				if err != nil {
					_ = pause(context.Background(), time.Millisecond) // leaves the server some of the machine
				}
			}
		})
	}
	for i, with := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		acknowledged := y.count("acknowledged")
		await(t, "writes", func() bool { return y.count("acknowledged") > acknowledged+100 })
		server.Stop(t, with)
		refused := y.count("refused")
		await(t, "refusals", func() bool { return y.count("refused") > refused+20 })
		server.Again(t)
		acknowledged = y.count("acknowledged")
		await(t, fmt.Sprintf("writes after stop %d", i), func() bool { return y.count("acknowledged") > acknowledged+100 })
	}
	close(stop)
	wg.Wait()
	stored := map[int]bool{}
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), `SELECT id, b = a + 1 FROM x`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int
			var whole bool
			if err := rows.Scan(&id, &whole); err != nil {
				return err
			}
			stored[id] = true
			if !whole {
				t.Errorf("write %d is there half", id)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for id, told := range y.told {
		if told == "acknowledged" && !stored[id] || told == "refused" && stored[id] {
			t.Errorf("write %d was %s, stored is %t", id, told, stored[id])
		}
	}
	t.Logf("%d acknowledged, %d refused, %d unsure", y.count("acknowledged"), y.count("refused"), y.count("unsure"))
}

// Connections that were lost while they rested are replaced before anybody notices.
func stopsAtRest(t *testing.T, server *pgtest.Server) {
	s := open(t, server.Address("postgres"), Options{})
	write(t, s, `CREATE TABLE IF NOT EXISTS x (id BIGINT PRIMARY KEY, a BIGINT NOT NULL, b BIGINT NOT NULL)`)
	for range 3 {
		server.Stop(t, syscall.SIGINT)
		server.Again(t)
		if err := s.Look(t.Context(), `SELECT COUNT(*) FROM x`, nil, new(int)); err != nil {
			t.Errorf("a look gives %v", err)
		}
		number(t, s, `SELECT COUNT(*) FROM x`)
		write(t, s, `DELETE FROM x`)
	}
}

func TestOneWriterOverAllPrograms(t *testing.T) {
	address := pgtest.Empty(t)
	a := open(t, address, Options{Shared: true})
	b := open(t, address, Options{Shared: true})
	write(t, a, `CREATE TABLE x (n BIGINT NOT NULL)`)
	write(t, a, `INSERT INTO x (n) VALUES (0)`)
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for i := range writers {
		s := []*store.Store{a, b}[i%2]
		wg.Go(func() {
			for range each {
				err := s.Write(t.Context(), func(tx *store.Tx) error { // read, then write what follows from it
					var n int
					if err := tx.QueryRow(t.Context(), `SELECT n FROM x`).Scan(&n); err != nil {
						return err
					}
					return exec1(`UPDATE x SET n = ?`, n+1)(tx)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := number(t, a, `SELECT n FROM x`); n != writers*each {
		t.Errorf("the count is %d, want %d", n, writers*each)
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	address := pgtest.Empty(t)
	used := open(t, address, Options{})
	odd := pgtest.Made(t, "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	old := pgtest.Empty(t)
	newer := open(t, old, Options{})
	write(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)`)
	if err := newer.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ address, want string }{
		{address, "another program uses the database"},
		{strings.Replace(address, "/test_", "/none_", 1), "there is no such database"},
		{odd, "its encoding is LATIN1 and its order C, want UTF8 and C"},
		{old, "the data were written by a newer program"},
		{"postgres://lampworks@127.0.0.1:1/x", "opening the database postgres://lampworks@127.0.0.1:1/x: the database cannot be reached"},
		{"postgres://lampworks@127.0.0.1:port/x", "the address is none that PostgreSQL knows"},
	} {
		secret := strings.Replace(tt.address, "lampworks@", "lampworks:hunter2@", 1)
		_, err := Open(t.Context(), secret, Options{Busy: 50 * time.Millisecond, Logger: quiet()})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s\n got %v\nwant %s", tt.address, err, tt.want)
		}
	}
	write(t, used, `CREATE TABLE x (n BIGINT)`) // the refusals did it no harm
}

func TestWhatFailsInAWriteIsUndoneAlone(t *testing.T) {
	address := pgtest.Empty(t)
	s := open(t, address, Options{})
	write(t, s, `CREATE TABLE x (id BIGINT PRIMARY KEY)`)
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := range 3 {
			if err := exec1(`INSERT INTO x (id) VALUES (?)`, i)(tx); err != nil {
				return err
			}
			if err := exec1(`INSERT INTO x (id) VALUES (?)`, i)(tx); !errors.Is(err, store.ErrDuplicate) {
				t.Errorf("the row %d twice gives %v", i, err)
			}
		}
		return exec1(`INSERT INTO x (id) VALUES (?)`, 3)(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, s, `SELECT COUNT(*) FROM x`); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		_ = exec1(`INSERT INTO x (id) VALUES (7)`)(tx)
		var n int
		_ = tx.QueryRow(t.Context(), `SELECT 1 / (id - id) FROM x`).Scan(&n) // goes on after a look that failed
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("the write gives %v", err)
	}
	if n := number(t, s, `SELECT COUNT(*) FROM x`); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}

// A cutter stands between a store and its server, and cuts the connection at a COMMIT: before it reaches the server, or
// when its answer comes.
type cutter struct {
	armed atomic.Value // "", before, after
	wg    sync.WaitGroup
}

func (c *cutter) listen(t *testing.T, server string) (address string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	c.armed.Store("")
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	behind := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	c.wg.Go(func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("unix", behind)
			if err != nil {
				_ = front.Close()
				continue
			}
			c.wg.Go(func() { c.join(front, back) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); c.wg.Wait(); _ = os.RemoveAll(dir) })
	u.RawQuery = url.Values{"host": {dir}}.Encode()
	return u.String()
}

func (c *cutter) join(front, back net.Conn) {
	defer front.Close()
	defer back.Close()
	var deaf atomic.Bool
	c.wg.Go(func() {
		defer front.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := back.Read(b)
			if err != nil || deaf.Load() {
				return
			}
			if _, err := front.Write(b[:n]); err != nil {
				return
			}
		}
	})
	b := make([]byte, 1<<16)
	for {
		n, err := front.Read(b)
		if err != nil {
			return
		}
		if strings.Contains(string(b[:n]), "COMMIT\x00") {
			switch c.armed.Swap("") {
			case "before":
				return
			case "after":
				deaf.Store(true)
				_, _ = back.Write(b[:n])
				_, _ = io.Copy(io.Discard, front) // until the other side has read the answer and hung up
				return
			}
		}
		if _, err := back.Write(b[:n]); err != nil {
			return
		}
	}
}

func TestCommitWhoseAnswerWasLost(t *testing.T) {
	address := pgtest.Empty(t)
	var c cutter
	s := open(t, c.listen(t, address), Options{})
	t.Cleanup(func() { _ = s.Close() })
	write(t, s, `CREATE TABLE x (id BIGINT PRIMARY KEY)`)
	for i, tt := range []struct {
		cut  string
		want string
	}{
		{"after", ""},
		{"before", "committing: the connection to the database was lost"},
		{"", ""},
	} {
		c.armed.Store(tt.cut)
		got := ""
		if err := s.Write(t.Context(), exec1(`INSERT INTO x (id) VALUES (?)`, i)); err != nil {
			got = err.Error()
			if f := fault.Of(err); f == nil || f.Code != fault.Down || !strings.HasPrefix("committing: "+f.Sentence(), tt.want) {
				t.Errorf("cut %s gives %v", tt.cut, err)
			}
		}
		if (got == "") != (tt.want == "") {
			t.Errorf("cut %s gives %q, want %q", tt.cut, got, tt.want)
		}
		if n := number(t, s, `SELECT COUNT(*) FROM x WHERE id = ?`, i); (n == 1) != (tt.want == "") {
			t.Errorf("cut %s: %d rows", tt.cut, n)
		}
	}
}
