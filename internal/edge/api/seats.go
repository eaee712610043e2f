package api

import "sync"

// seats are places that none may take all of: of live views, and of recordings that are heard.
type seats struct {
	each, all int                  // how many who has one key may hold at a time, and everybody together
	full      func(held int) error // why there is no seat, for who holds so many

	mu    sync.Mutex // guards the fields below
	taken map[string]int
	sum   int
}

// take gives a seat to key, until leave is called.
func (s *seats) take(key string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[key] >= s.each || s.sum >= s.all {
		return nil, s.full(s.taken[key])
	}
	if s.taken == nil {
		s.taken = make(map[string]int)
	}
	s.taken[key]++
	s.sum++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sum--
		if s.taken[key]--; s.taken[key] == 0 {
			delete(s.taken, key)
		}
	}, nil
}
