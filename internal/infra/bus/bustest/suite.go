package bustest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/bus"
)

// patience is how long the suite waits for what has to come.
const patience = 10 * time.Second

// Run holds a bus to what package bus promises. open gives an empty bus and closes it with the test.
func Run(t *testing.T, open func(t *testing.T) bus.Bus) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, bus.Bus)
	}{
		{"delivers to exact and prefix subscribers", exactAndPrefix},
		{"keeps the order of one publisher", order},
		{"delivers nothing after cancel", cancelled},
		{"never blocks a publisher and drops the oldest", slow},
		{"lets a handler publish, subscribe and cancel", reentrant},
		{"survives publishers and subscribers at once", concurrent},
		{"refuses bad subjects", badSubjects},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// box collects events.
type box struct {
	mu   sync.Mutex
	got  []string
	come chan struct{}
}

func newBox() *box { return &box{come: make(chan struct{}, 1)} }

func (b *box) put(subject string, payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, subject+"="+string(payload))
	select {
	case b.come <- struct{}{}:
	default:
	}
}

// wait gives what came once ok says it is enough.
func (b *box) wait(t *testing.T, ok func([]string) bool) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		got := append([]string(nil), b.got...)
		b.mu.Unlock()
		if ok(got) {
			return got
		}
		select {
		case <-b.come:
		case <-deadline:
			t.Fatalf("waited in vain, got %d events: %.200q", len(got), got)
		}
	}
}

func count(n int) func([]string) bool { return func(got []string) bool { return len(got) >= n } }

func exactAndPrefix(t *testing.T, b bus.Bus) {
	exact, prefix, other := newBox(), newBox(), newBox()
	defer b.Subscribe("command.due.d1", exact.put)()
	defer b.Subscribe("command.>", prefix.put)()
	defer b.Subscribe("commander.>", other.put)()
	for _, s := range []string{"command.due.d1", "command", "command.due.d2", "commander.x", "comman.d", "command.due.d1.more"} {
		b.Publish(s, []byte("p"))
	}
	b.Publish("command.due.d1", []byte("end"))
	last := func(want string) func([]string) bool {
		return func(got []string) bool { return len(got) > 0 && got[len(got)-1] == want }
	}
	if got := fmt.Sprint(exact.wait(t, last("command.due.d1=end"))); got != "[command.due.d1=p command.due.d1=end]" {
		t.Errorf("the exact subscriber got %s", got)
	}
	want := "[command.due.d1=p command.due.d2=p command.due.d1.more=p command.due.d1=end]"
	if got := fmt.Sprint(prefix.wait(t, last("command.due.d1=end"))); got != want {
		t.Errorf("the prefix subscriber got %s, want %s", got, want)
	}
	if got := fmt.Sprint(other.wait(t, count(1))); got != "[commander.x=p]" {
		t.Errorf("the other subscriber got %s", got)
	}
}

func order(t *testing.T, b bus.Bus) {
	got := newBox()
	defer b.Subscribe("n", got.put)()
	for i := range 500 {
		b.Publish("n", fmt.Appendf(nil, "%d", i))
	}
	for i, e := range got.wait(t, count(500)) {
		if e != fmt.Sprintf("n=%d", i) {
			t.Fatalf("event %d is %s", i, e)
		}
	}
}

func cancelled(t *testing.T, b bus.Bus) {
	gone, stays := newBox(), newBox()
	cancel := b.Subscribe("s", gone.put)
	defer b.Subscribe("s", stays.put)()
	cancel()
	cancel() // does no harm
	b.Publish("s", []byte("1"))
	stays.wait(t, count(1))
	if len(gone.got) != 0 {
		t.Errorf("after cancel came %q", gone.got)
	}
}

func slow(t *testing.T, b bus.Bus) {
	block, got := make(chan struct{}), newBox()
	defer b.Subscribe("s", func(subject string, payload []byte) {
		<-block
		got.put(subject, payload)
	})()
	fast := newBox()
	defer b.Subscribe("s", fast.put)()
	const n = 100_000
	began := time.Now()
	for i := range n {
		b.Publish("s", fmt.Appendf(nil, "%d", i))
	}
	if took := time.Since(began); took > patience {
		t.Errorf("publishing took %v", took)
	}
	fast.wait(t, count(1)) // the slow one does not hold it up
	close(block)
	last := fmt.Sprintf("s=%d", n-1)
	events := got.wait(t, func(got []string) bool { return len(got) > 0 && got[len(got)-1] == last })
	if len(events) == n {
		t.Errorf("all %d events waited: the queue has no bound", n)
	}
}

func reentrant(t *testing.T, b bus.Bus) {
	got := newBox()
	var cancel func()
	var mu sync.Mutex
	mu.Lock()
	cancel = b.Subscribe("a", func(string, []byte) {
		mu.Lock()
		defer mu.Unlock()
		cancel()
		defer b.Subscribe("c", func(string, []byte) {})()
		b.Publish("b", []byte("from a"))
	})
	mu.Unlock()
	defer b.Subscribe("b", got.put)()
	b.Publish("a", nil)
	b.Publish("a", nil)
	if e := got.wait(t, count(1)); e[0] != "b=from a" {
		t.Errorf("got %q", e)
	}
}

func concurrent(t *testing.T, b bus.Bus) {
	got := newBox()
	defer b.Subscribe("end", got.put)()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				cancel := b.Subscribe(fmt.Sprintf("x.%d.>", i), func(string, []byte) {})
				b.Publish(fmt.Sprintf("x.%d.y", j%8), []byte("p"))
				cancel()
			}
		})
	}
	wg.Wait()
	b.Publish("end", nil)
	got.wait(t, count(1))
}

func badSubjects(t *testing.T, b bus.Bus) {
	for _, s := range []string{"", ".", "a..b", "a.", ">", "a.>.b", "a b", "a.*", "a>"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Subscribe(%q) is accepted", s)
				}
			}()
			b.Subscribe(s, func(string, []byte) {})
		}()
	}
}
