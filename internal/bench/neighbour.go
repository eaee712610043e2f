package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// neighbour is another organisation of the same server, which writes while something large goes on.
type neighbour struct {
	s       *server
	product string
}

// neighbour makes the other organisation and its product.
func (s *server) neighbour(ctx context.Context) (*neighbour, error) {
	token, err := s.organisation(ctx, "neighbour")
	if err != nil {
		return nil, err
	}
	n := &neighbour{s: s.as(token)}
	var p struct{ ID string }
	if err := n.s.call(ctx, "POST", "/api/v1/products", map[string]any{"category": "light", "names": map[string]string{"en": "next door"}}, &p); err != nil {
		return nil, err
	}
	n.product = p.ID
	return n, nil
}

// writes is what a neighbour measures until it is stopped.
type writes struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	took   []time.Duration
	err    error
}

// start writes 50 times a second at most, one write after the other.
func (n *neighbour) start(ctx context.Context) *writes {
	w := new(writes)
	ctx, w.cancel = context.WithCancel(ctx)
	w.wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			began := time.Now()
			name := map[string]any{"names": map[string]string{"en": fmt.Sprintf("next door %d", i)}}
			if err := n.s.call(context.WithoutCancel(ctx), "PATCH", "/api/v1/products/"+n.product, name, nil); err != nil {
				w.err = err
				return
			}
			w.took = append(w.took, time.Since(began))
		}
	})
	return w
}

// stop ends the writing.
func (w *writes) stop() error {
	w.cancel()
	w.wg.Wait()
	return w.err
}
