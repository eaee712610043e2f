package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
	"go.uber.org/goleak"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/migrations"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("LAMPWORKS_TEST_WRITER"); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string, o Options) *store.Store {
	t.Helper()
	s, _ := open2(t, path, o)
	return s
}

func open2(t testing.TB, path string, o Options) (*store.Store, *engine) {
	t.Helper()
	e, err := openEngine(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return store.New(e), e
}

func exec1(query string, args ...any) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	}
}

func count(t testing.TB, s *store.Store, table string) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWaitingWritersShareACommit(t *testing.T) {
	path := t.TempDir() + "/db"
	s, e := open2(t, path, Options{MaxHold: time.Minute})
	defer s.Close()
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (n INTEGER)`)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	const n = 50
	inside := make(chan struct{})
	go0 := make(chan struct{})
	wg.Go(func() {
		_ = s.Write(t.Context(), func(*store.Tx) error { close(inside); <-go0; return nil })
	})
	<-inside
	for i := range n {
		wg.Go(func() {
			if err := s.Write(t.Context(), exec1(`INSERT INTO x (n) VALUES (?)`, i)); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return e.turns.Waiting() == n })
	before := frames(t, path)
	close(go0)
	wg.Wait()
	if added := frames(t, path) - before; added > 10 {
		t.Errorf("%d writes of one page made %d frames in the write-ahead log: they did not share a commit", n, added)
	}
	if got := count(t, s, "x"); got != n {
		t.Errorf("%d rows, want %d", got, n)
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
		time.Sleep(time.Millisecond)
	}
}

// frames is how many pages the write-ahead log has.
func frames(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return (info.Size() - 32) / (4096 + 24)
}

func TestFailedCommitFailsItsWholeGroup(t *testing.T) {
	s, e := open2(t, t.TempDir()+"/db", Options{MaxHold: time.Minute})
	defer s.Close()
	for _, q := range []string{
		`CREATE TABLE a (id INTEGER PRIMARY KEY)`,
		`CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)`,
	} {
		if err := s.Write(t.Context(), exec1(q)); err != nil {
			t.Fatal(err)
		}
	}
	inside, goOn := make(chan struct{}), make(chan struct{})
	errs := make([]error, 3)
	var wg sync.WaitGroup
	wg.Go(func() {
		errs[0] = s.Write(t.Context(), func(tx *store.Tx) error {
			close(inside)
			<-goOn
			return exec1(`INSERT INTO a (id) VALUES (1)`)(tx)
		})
	})
	<-inside
	wg.Go(func() { errs[1] = s.Write(t.Context(), exec1(`INSERT INTO b (a) VALUES (7)`)) })
	wg.Go(func() { errs[2] = s.Write(t.Context(), exec1(`INSERT INTO a (id) VALUES (2)`)) })
	waitFor(t, func() bool { return e.turns.Waiting() == 2 })
	close(goOn)
	wg.Wait()
	for i, err := range errs {
		if err == nil || !strings.HasPrefix(err.Error(), "committing: ") {
			t.Errorf("write %d of the failed group gives %v", i, err)
		}
	}
	if n := count(t, s, "a"); n != 0 {
		t.Errorf("%d rows of a failed commit are there", n)
	}
	if err := s.Write(t.Context(), exec1(`INSERT INTO a (id) VALUES (3)`)); err != nil {
		t.Errorf("the next write gives %v", err)
	}
}

func TestFullDiskIsUnavailableAndHeals(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	s := open(t, filepath.Join(dir, "db"), Options{})
	defer s.Close()
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (b BLOB)`)); err != nil {
		t.Fatal(err)
	}
	var kept int
	var err error
	for kept = 0; kept < 1000; kept++ {
		if err = s.Write(t.Context(), exec1(`INSERT INTO x (b) VALUES (zeroblob(20000))`)); err != nil {
			break
		}
	}
	f := fault.Of(err)
	if f == nil || f.Code != fault.Down || f.Sentence() != "the disk of the database is full" {
		t.Fatalf("a full disk gives %v", err)
	}
	if n := count(t, s, "x"); n != kept {
		t.Errorf("%d rows, %d were acknowledged", n, kept)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), exec1(`INSERT INTO x (b) VALUES (zeroblob(20000))`)); err != nil {
		t.Errorf("with room again a write gives %v", err)
	}
	if n := count(t, s, "x"); n != kept+1 {
		t.Errorf("%d rows, want %d", n, kept+1)
	}
}

func TestAnotherProcessWithTheLockIsUnavailable(t *testing.T) {
	path := t.TempDir() + "/db"
	s := open(t, path, Options{Busy: 20 * time.Millisecond})
	defer s.Close()
	other, err := pool(path, Options{}.withDefaults(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), exec1(`CREATE TABLE x (n INTEGER)`))
	if f := fault.Of(err); f == nil || f.Sentence() != "another process holds the database" {
		t.Errorf("a locked file gives %v", err)
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (n INTEGER)`)); err != nil {
		t.Errorf("once it is free a write gives %v", err)
	}
}

func TestSwallowedErrorOfTheDiskKeepsNothing(t *testing.T) {
	s, e := open2(t, t.TempDir()+"/db", Options{})
	defer s.Close()
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (n INTEGER)`)); err != nil {
		t.Fatal(err)
	}
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		e.raw.broken = errors.New("the disk gave an error")
		_ = exec1(`INSERT INTO x (n) VALUES (1)`)(tx) // ignores it
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the disk gave an error") {
		t.Errorf("the write gives %v", err)
	}
	if n := count(t, s, "x"); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
	if err := s.Write(t.Context(), exec1(`INSERT INTO x (n) VALUES (1)`)); err != nil {
		t.Errorf("the next write gives %v", err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir()+"/db", Options{Readers: 1})
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := s.Read(ctx, func(v *store.View) error {
		var n int
		return v.QueryRow(ctx, `WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`).Scan(&n)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless query gives %v", err)
	}
	if n := count(t, s, "audit_entry"); n != 0 { // the connection is usable, or was replaced
		t.Errorf("%d rows", n)
	}
}

func TestStatementsAreKeptWithinTheirBound(t *testing.T) {
	s, e := open2(t, t.TempDir()+"/db", Options{})
	defer s.Close()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := range maxStatements + 100 {
			var n int
			if err := tx.QueryRow(t.Context(), `SELECT `+strconv.Itoa(i)).Scan(&n); err != nil || n != i {
				return fmt.Errorf("%d gives %d: %w", i, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.raw.statements); n != maxStatements {
		t.Errorf("%d statements are kept, want %d", n, maxStatements)
	}
}

func TestMigrations(t *testing.T) {
	one := fstest.MapFS{"0001_x_one.sql": {Data: []byte("-- +goose Up\nCREATE TABLE one (n INTEGER);\n")}}
	two := fstest.MapFS{
		"0001_x_one.sql": one["0001_x_one.sql"],
		"0002_x_two.sql": {Data: []byte("-- +goose Up\nCREATE TABLE two (n INTEGER);\n")},
	}
	bad := fstest.MapFS{"0003_x_bad.sql": {Data: []byte("-- +goose Up\nCREATE TABLE bad (n INTEGER);\nCREATE TABLE bad (n INTEGER);\n")}}
	db, err := pool(t.TempDir()+"/db", Options{}.withDefaults(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, tt := range []struct {
		name string
		fs   fstest.MapFS
		want string
	}{
		{"new", one, ""},
		{"again", one, ""},
		{"one more", two, ""},
		{"older program", one, "migration 2 is not known here: the data were written by a newer program; start that one, or restore a backup made before"},
		{"no number", fstest.MapFS{"x.sql": {}}, "migration x.sql does not begin with a number"},
		{"number twice", fstest.MapFS{"01_a.sql": {}, "1_b.sql": {}}, "two migrations have the number 1"},
	} {
		got := ""
		if err := migrations.Run(t.Context(), db, goose.DialectSQLite3, tt.fs); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	three := fstest.MapFS{"0001_x_one.sql": two["0001_x_one.sql"], "0002_x_two.sql": two["0002_x_two.sql"], "0003_x_bad.sql": bad["0003_x_bad.sql"]}
	if err := migrations.Run(t.Context(), db, goose.DialectSQLite3, three); err == nil {
		t.Error("a bad migration is accepted")
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name = 'bad'`).Scan(&n); err != nil || n != 0 {
		t.Errorf("half of a bad migration stays: %d, %v", n, err)
	}
}

func TestCommitsWaitForTheDiskAndFilesArePrivate(t *testing.T) {
	path := t.TempDir() + "/db"
	s, e := open2(t, path, Options{})
	defer s.Close()
	var level int
	if err := e.conn.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level); err != nil || level != 2 {
		t.Errorf("synchronous is %d, want 2 (FULL); %v", level, err)
	}
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (n INTEGER)`)); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + suffix); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", "db"+suffix, info.Mode(), err)
		}
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	path := t.TempDir() + "/db"
	if err := os.WriteFile(path, []byte(strings.Repeat("this is not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{})
	if f := fault.Of(err); f == nil || f.Sentence() != "the database file is damaged" {
		t.Errorf("a damaged file gives %v", err)
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"plain.db", "with space & 100%?.db", dir + "/数据#1.db"} {
		s := open(t, path, Options{})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("opening %q made another file: %v", path, err)
		}
	}
}

// writeUntilKilled is the child of the test below: it counts on from where the
// file stands and prints each number after its write has returned.
func writeUntilKilled(path string) {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	_ = s.Write(ctx, exec1(`CREATE TABLE IF NOT EXISTS x (id INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER, b INTEGER)`))
	var mu sync.Mutex
	for w := range 8 {
		go func() {
			for {
				var id int64
				err := s.Write(ctx, func(tx *store.Tx) error {
					r, err := tx.Exec(ctx, `INSERT INTO x (a, b) VALUES (?, 0)`, w)
					if err != nil {
						return err
					}
					if id, err = r.LastInsertId(); err != nil {
						return err
					}
					_, err = tx.Exec(ctx, `UPDATE x SET b = a + 1 WHERE id = ?`, id)
					return err
				})
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
				} else {
					fmt.Println(id)
				}
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestKilledProcessLosesNoAcknowledgedWrite(t *testing.T) {
	path := t.TempDir() + "/db"
	acknowledged := map[string]bool{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LAMPWORKS_TEST_WRITER="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Error(lines.Text())
			}
			acknowledged[lines.Text()] = true
			if n == 100+round*37 {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	s := open(t, path, Options{})
	defer s.Close()
	found, half := 0, 0
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), `SELECT id, b = a + 1 FROM x`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var whole bool
			if err := rows.Scan(&id, &whole); err != nil {
				return err
			}
			if acknowledged[id] {
				found++
			}
			if !whole {
				half++
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if found != len(acknowledged) || half != 0 || found < 500 {
		t.Errorf("%d of %d acknowledged writes are there, %d half", found, len(acknowledged), half)
	}
}
