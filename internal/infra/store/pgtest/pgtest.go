// Package pgtest gives tests a PostgreSQL server.
//
// It owns the servers it starts, each in a directory of its own, reached by a Unix socket only, and promises that none
// outlives the process that started it, however that ends. Where there is no PostgreSQL the test is skipped and says why.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the address of a server that is there already and that tests may share.
const Variable = "LAMPWORKS_TEST_POSTGRES"

// Shared gives the address of a server for all tests of this process: the one that [Variable] names, else one that is
// started now and ends with the process.
func Shared(t testing.TB) string {
	t.Helper()
	if address := os.Getenv(Variable); address != "" {
		return address
	}
	s, err := shared()
	if err != nil {
		unavailable(t, err)
	}
	return s.Address("postgres")
}

// shared is the server of the process.
var shared = sync.OnceValues(New)

// New starts a server for many tests. Nobody pulls its plug, so it does not wait for its disk, and has its files in memory where there
// is room: a database is made of a thousand of them. It ends with the process, or by Close before.
func New() (*Server, error) { return start("-c fsync=off -c full_page_writes=off", memory()) }

// memory is a folder whose files are in memory, empty if there is none with room.
func memory() string {
	const (
		dir  = "/dev/shm"
		room = 4 << 30 // bytes
	)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room { //nolint:gosec // a size
		return ""
	}
	return dir
}

// Close ends the server and removes it.
func (s *Server) Close() {
	_ = s.life.Close()
	_ = s.watch.Wait()
	for range 200 { // the last of it goes on its own
		if _, err := os.Stat(s.dir); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Empty gives the address of a new database of the shared server, dropped with the test.
func Empty(t testing.TB) string {
	t.Helper()
	return Made(t, "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
}

// Made is Empty with more words of CREATE DATABASE.
func Made(t testing.TB, as string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	return Named(t, name, as)
}

// Named gives the address of the database name of the shared server. If there is none it is made, and dropped with the test.
func Named(t testing.TB, name, as string) string {
	t.Helper()
	server := Shared(t)
	c := connect(t, server)
	defer c.Close(context.Background())
	var there bool
	if err := c.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if !there {
		if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name+" "+as); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			c := connect(t, server)
			defer c.Close(context.Background())
			if _, err := c.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
				t.Error(err)
			}
		})
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Start gives the test a server of its own, to stop and to kill.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := start("", "")
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() { s.end(t) })
	return s
}

func unavailable(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNone) {
		t.Skipf("PostgreSQL is not to be had: %v", err)
	}
	t.Fatal(err)
}

// errNone says that PostgreSQL is not installed.
var errNone = errors.New("no PostgreSQL server (initdb, postgres) is installed")

// A Server is one cluster of databases.
type Server struct {
	dir     string
	options string // more of the server's
	bin     string
	as      *syscall.Credential // who runs it; nil: this user
	watch   *exec.Cmd
	life    *os.File // as long as it is open the server runs
}

// start makes a cluster in a folder of its own below dir, or where temporary files go, and starts it.
func start(options, dir string) (*Server, error) {
	s := &Server{options: options}
	var err error
	if s.bin, err = programs(); err != nil {
		return nil, err
	}
	if s.as, err = servant(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(dir, "lampworks-pg-"); err != nil {
		return nil, err
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--auth", "trust", "--username", "lampworks",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	initdb.Dir = s.dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("making a cluster: %w: %s", err, out), os.RemoveAll(s.dir))
	}
	if err := s.run(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// programs finds the folder of initdb and postgres.
func programs() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNone
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// servant is who runs the server: PostgreSQL refuses to run as root.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("looking for somebody to run PostgreSQL as: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Address names a database of the server.
func (s *Server) Address(database string) string {
	q := url.Values{"host": {s.dir}}
	return (&url.URL{Scheme: "postgres", User: url.User("lampworks"), Path: "/" + database, RawQuery: q.Encode()}).String()
}

// watching runs the server and ends it, with its directory, when nobody holds the other end of its file 3 any more. A
// server that ends otherwise ends it too.
const watching = `
"$1"/postgres -D "$2"/data -k "$2" -c listen_addresses= $3 -c max_connections=300 -c shared_buffers=64MB >>"$2"/log 2>&1 3<&- &
server=$!
( read -r _ <&3; touch "$2"/over; kill -INT $server ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $server
if [ -e "$2"/over ]; then rm -rf "$2"; else kill $watcher 2>/dev/null; fi
`

// run starts the server and waits until it answers.
func (s *Server) run() error {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	ours, theirs = theirs, ours // the server reads, this process never writes
	defer theirs.Close()
	s.life = ours
	s.watch = exec.Command("/bin/sh", "-c", watching, "sh", s.bin, s.dir, s.options)
	s.watch.Dir = s.dir
	s.watch.ExtraFiles = []*os.File{theirs}
	s.watch.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true} // an interrupt at the keyboard is not for it
	if err := s.watch.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	for deadline := time.Now().Add(30 * time.Second); !s.answers(); {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %s", log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// answers says whether the server takes connections: the last line of its lock file tells.
func (s *Server) answers() bool {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	return err == nil && strings.Contains(string(text), "\nready")
}

// Stop ends the server and waits for it: SIGINT ends sessions at once, SIGQUIT and SIGKILL leave it to the next start to repair.
func (s *Server) Stop(t testing.TB, with syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, with); err != nil {
		t.Fatal(err)
	}
	_ = s.watch.Wait() // it exits as the server does
	_ = s.life.Close()
	s.watch = nil
	if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// Again starts a stopped server.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// end stops the server, if it runs, and removes it.
func (s *Server) end(t testing.TB) {
	if s.watch != nil {
		s.Stop(t, syscall.SIGINT)
	}
	if err := os.RemoveAll(s.dir); err != nil {
		t.Error(err)
	}
}
