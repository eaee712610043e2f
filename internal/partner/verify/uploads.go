package verify

import (
	"fmt"
	"io"
	"sync"
	"time"

	"lampworks/internal/infra/fault"
)

// Limits of papers that are taken in at once.
const (
	maxUploads     = 32 // of all; none holds more than a piece in memory
	maxUploadsEach = 2  // of one organisation
)

// The least that must come: after the grace, so many bytes a second on the whole. The largest paper takes about five minutes so.
const (
	uploadGrace = 10 * time.Second
	uploadRate  = 64 << 10
)

// uploads counts papers that are under way.
type uploads struct {
	mu  sync.Mutex // guards the fields below
	of  map[string]int
	all int
}

// take counts one more of an organisation, until leave is called.
func (u *uploads) take(organisation string) (leave func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.of[organisation] >= maxUploadsEach:
		return nil, fault.Limit("papers taken in at once", fmt.Sprint(u.of[organisation]+1), fmt.Sprintf("%d of an organisation", maxUploadsEach), time.Second)
	case u.all >= maxUploads:
		f := fault.Unavailable(fmt.Sprintf("%d papers are being taken in already", maxUploads), nil)
		f.RetryAfter = time.Second
		return nil, f
	}
	if u.of == nil {
		u.of = make(map[string]int)
	}
	u.of[organisation]++
	u.all++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.all--
		if u.of[organisation]--; u.of[organisation] == 0 {
			delete(u.of, organisation)
		}
	}, nil
}

// steady gives up on a paper that comes slower than the least rate.
type steady struct {
	r     io.Reader
	now   func() time.Time
	began time.Time
	n     int64
}

// Read implements io.Reader.
func (s *steady) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if took := s.now().Sub(s.began) - uploadGrace; err == nil && took > 0 && s.n < int64(took.Seconds()*uploadRate) {
		return n, fault.Unavailable(fmt.Sprintf("the paper comes too slowly: less than %d KiB a second", uploadRate>>10), nil)
	}
	return n, err
}
