package mqtt

import "testing"

var benchPayload = []byte(`{"id":"1","version":"1.0","params":{"powerstate":1,"brightness":50},"method":"thing.event.property.post"}`)

const benchTopic = "/sys/a1Q2w3E4r5T/0123456789ab/thing/event/property/post"

func BenchmarkDecodePublish(b *testing.B) {
	d := Decoder{Limit: 1 << 10, Version: V311}
	raw := AppendPublish(nil, V311, benchTopic, benchPayload, 1, 7, false, false)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Push(raw, func(*Packet) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodePublishCut is the same in two pieces: a pooled buffer comes and goes.
func BenchmarkDecodePublishCut(b *testing.B) {
	d := Decoder{Limit: 1 << 10, Version: V311}
	raw := AppendPublish(nil, V311, benchTopic, benchPayload, 1, 7, false, false)
	do := func(*Packet) error { return nil }
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if d.Push(raw[:40], do) != nil || d.Push(raw[40:], do) != nil {
			b.Fatal(d.err)
		}
	}
}

func BenchmarkEncodePublish(b *testing.B) {
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendPublish(buf[:0], V311, benchTopic, benchPayload, 1, 7, false, false)
	}
	b.SetBytes(int64(len(buf)))
}

// nobody accepts everything and does nothing.
type nobody struct{}

func (nobody) Connect(*Packet) Welcome     { return Welcome{} }
func (nobody) Publish(*Packet) error       { return nil }
func (nobody) Release(uint16)              {}
func (nobody) Subscribe(*Packet, []byte)   {}
func (nobody) Unsubscribe(*Packet, []byte) {}
func (nobody) Puback(uint16, Reason)       {}
func (nobody) Disconnect(*Packet)          {}

func connectedSession(tb testing.TB, c *Config, h Handler) *Session {
	tb.Helper()
	s := NewSession(c, h)
	if err := s.Receive(wire("10 0e 0004'MQTT'04 02 003c 0002'id'")); err != nil {
		tb.Fatal(err)
	}
	if got := s.Take(nil); string(got) != "\x20\x02\x00\x00" {
		tb.Fatalf("CONNACK is %x", got)
	}
	return s
}

// BenchmarkSessionPublish is the up road: a PUBLISH of QoS 1 comes, is acknowledged, its PUBACK is taken.
func BenchmarkSessionPublish(b *testing.B) {
	wakes := 0
	s := connectedSession(b, &Config{Wake: func() { wakes++ }}, nobody{})
	raw := AppendPublish(nil, V311, benchTopic, benchPayload, 1, 7, false, false)
	buf := make([]byte, 0, 512)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Receive(raw); err != nil {
			b.Fatal(err)
		}
		s.Ack(7)
		if buf = s.Take(buf[:0]); len(buf) != 4 {
			b.Fatalf("%x", buf)
		}
	}
}

// BenchmarkSessionDeliver is the down road: a message of QoS 1 is queued, taken and acknowledged by the client.
func BenchmarkSessionDeliver(b *testing.B) {
	s := connectedSession(b, &Config{}, nobody{})
	buf := make([]byte, 0, 512)
	var ack [4]byte
	b.ReportAllocs()
	for b.Loop() {
		id, err := s.Publish(benchTopic, benchPayload, 1)
		if err != nil {
			b.Fatal(err)
		}
		buf = s.Take(buf[:0])
		if err := s.Receive(AppendPuback(ack[:0], id)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSessionBurst is a client that sends 32 messages at once, acknowledged in the reverse order.
func BenchmarkSessionBurst(b *testing.B) {
	s := connectedSession(b, &Config{}, nobody{})
	var raw []byte
	for id := range uint16(32) {
		raw = AppendPublish(raw, V311, benchTopic, benchPayload, 1, id+1, false, false)
	}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Receive(raw); err != nil {
			b.Fatal(err)
		}
		for id := uint16(32); id > 0; id-- {
			s.Ack(id)
		}
		buf = s.Take(buf[:0])
	}
}
