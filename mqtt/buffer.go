package mqtt

import "sync"

// chunkSizes are the capacities that are pooled. Each is four times the one before, so that a buffer grown by need is
// at most four times as large as what it holds (512 bytes at least); above the last they double and are not pooled.
var chunkSizes = [...]int{512, 2048, 8192, 32768}

// chunks keeps buffers that nobody holds; the garbage collector may empty it at any time.
var chunks [len(chunkSizes)]sync.Pool

// A chunk is a buffer that exists only while it holds something.
type chunk struct{ b []byte }

// appended returns c with b behind what it held; nil is an empty chunk. c itself must not be used again.
func (c *chunk) appended(b []byte) *chunk {
	c = c.room(len(b))
	c.b = append(c.b, b...)
	return c
}

// room returns c with space for n bytes more. c itself must not be used again.
func (c *chunk) room(n int) *chunk {
	if c == nil {
		return newChunk(n)
	}
	if len(c.b)+n <= cap(c.b) {
		return c
	}
	larger := newChunk(max(len(c.b)+n, 2*cap(c.b)))
	larger.b = append(larger.b, c.b...)
	c.release()
	return larger
}

// release gives c back. Neither c nor a slice of it may be used afterwards.
func (c *chunk) release() {
	if c == nil {
		return
	}
	for i, size := range chunkSizes {
		if cap(c.b) == size {
			c.b = c.b[:0]
			chunks[i].Put(c)
			return
		}
	}
}

// bytes is what c holds; nil holds nothing.
func (c *chunk) bytes() []byte {
	if c == nil {
		return nil
	}
	return c.b
}

func newChunk(n int) *chunk {
	for i, size := range chunkSizes {
		if n > size {
			continue
		}
		if c, ok := chunks[i].Get().(*chunk); ok {
			return c
		}
		return &chunk{b: make([]byte, 0, size)}
	}
	return &chunk{b: make([]byte, 0, n)}
}
