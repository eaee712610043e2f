package inproc

import (
	"testing"
	"unsafe"

	"go.uber.org/goleak"

	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/bus/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bus.Bus {
		b := New()
		t.Cleanup(func() { _ = b.Close() })
		return b
	})
}

func TestBytesAreBounded(t *testing.T) {
	b := New()
	block := make(chan struct{})
	b.Subscribe("s", func(string, []byte) { <-block })
	big := make([]byte, 1<<20)
	for range 50 {
		b.Publish("s", big)
	}
	s := b.exact["s"][0]
	s.mu.Lock()
	bytes := s.bytes
	s.mu.Unlock()
	if bytes > maxBytes || b.Dropped() < 40 {
		t.Errorf("%d bytes wait, %d events were dropped", bytes, b.Dropped())
	}
	close(block)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestIdleSubscriberIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(subscriber{}); size > 96 {
		t.Errorf("a subscriber has %d bytes, want at most 96", size)
	}
}

func TestClosedBusIsSilent(t *testing.T) {
	b := New()
	b.Subscribe("s", func(string, []byte) { t.Error("an event after Close") })
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	b.Publish("s", nil)
	_ = b.Close()
}

func BenchmarkPublish(b *testing.B) {
	for _, name := range []string{"nobody", "exact", "prefix"} {
		b.Run(name, func(b *testing.B) {
			s := New()
			defer s.Close()
			switch name {
			case "exact":
				s.Subscribe("command.due.d1", func(string, []byte) {})
			case "prefix":
				s.Subscribe("command.>", func(string, []byte) {})
			}
			payload := []byte("x")
			b.ReportAllocs()
			for b.Loop() {
				s.Publish("command.due.d1", payload)
			}
		})
	}
}
