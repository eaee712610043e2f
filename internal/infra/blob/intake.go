package blob

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/fault"
)

// Limits of files that a room takes in at once.
const (
	MaxAtOnce     = 32 // of all; none holds more than a piece in memory
	MaxAtOnceEach = 2  // of one who gives them
)

// The least that must come: after the grace, so many bytes a second on the whole. 20 MiB take about five minutes so.
const (
	intakeGrace = 10 * time.Second
	intakeRate  = 64 << 10
)

// An Intake bounds the files that a room takes in: how many come at once, and how slowly. It is safe for concurrent use.
type Intake struct {
	what, of string
	now      func() time.Time

	mu  sync.Mutex // guards the fields below
	by  map[string]int
	all int
}

// NewIntake is for files that are called so ("papers"), of givers that are called so ("an organisation").
func NewIntake(what, of string, now func() time.Time) *Intake {
	return &Intake{what: what, of: of, now: now, by: make(map[string]int)}
}

// Take counts one more of a giver, until leave is called.
func (i *Intake) Take(giver string) (leave func(), err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.by[giver] >= MaxAtOnceEach:
		return nil, fault.Limit(i.what+" taken in at once", fmt.Sprint(i.by[giver]+1), fmt.Sprintf("%d of %s", MaxAtOnceEach, i.of), time.Second)
	case i.all >= MaxAtOnce:
		f := fault.Unavailable(fmt.Sprintf("%d %s are being taken in already", MaxAtOnce, i.what), nil)
		f.RetryAfter = time.Second
		return nil, f
	}
	i.by[giver]++
	i.all++
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.all--
		if i.by[giver]--; i.by[giver] == 0 {
			delete(i.by, giver)
		}
	}, nil
}

// Steady is r, given up on if it comes slower than the least rate.
func (i *Intake) Steady(r io.Reader) io.Reader {
	return &steady{r: r, what: strings.TrimSuffix(i.what, "s"), now: i.now, began: i.now()}
}

type steady struct {
	r     io.Reader
	what  string
	now   func() time.Time
	began time.Time
	n     int64
}

// Read implements io.Reader.
func (s *steady) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if took := s.now().Sub(s.began) - intakeGrace; err == nil && took > 0 && s.n < int64(took.Seconds()*intakeRate) {
		return n, fault.Unavailable(fmt.Sprintf("the %s comes too slowly: less than %d KiB a second", s.what, intakeRate>>10), nil)
	}
	return n, err
}

// Declared refuses bytes that are something else than they were said to be in a Content-Type.
func (t Type) Declared(said string) error {
	said, _, _ = strings.Cut(said, ";")
	said = strings.TrimSpace(said)
	if said == "" || said == "application/octet-stream" || strings.EqualFold(said, string(t)) {
		return nil
	}
	return fault.Unsupported("Content-Type", said, string(t)+", which is what the bytes are")
}
