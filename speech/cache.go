package speech

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/sync/singleflight"
)

// DefaultCacheBytes is room for about six minutes of eSpeak's sound.
const DefaultCacheBytes = 16 << 20

// Cache is a [Synthesizer] that keeps what another one said, because most
// replies of a home are the same few sentences. It holds the most recently
// used sounds up to a number of bytes, and never errors. Callers that ask for
// the same text at the same time share one synthesis; texts are the same that
// are said the same ([Aloud]).
type Cache struct {
	next Synthesizer
	max  int
	once singleflight.Group

	mu     sync.Mutex // guards the rest
	size   int
	sounds map[phrase]*list.Element // of *sound
	recent *list.List               // most recently used first
}

type phrase struct{ lang, text string }

type sound struct {
	phrase phrase
	wav    []byte
}

// NewCache puts a cache of at most maxBytes in front of next; 0 means
// [DefaultCacheBytes].
func NewCache(next Synthesizer, maxBytes int) *Cache {
	if maxBytes <= 0 {
		maxBytes = DefaultCacheBytes
	}
	return &Cache{next: next, max: maxBytes, sounds: make(map[phrase]*list.Element), recent: list.New()}
}

// Speak implements [Synthesizer].
func (c *Cache) Speak(ctx context.Context, text, lang string) ([]byte, error) {
	if err := CheckText(text, lang); err != nil {
		return nil, err
	}
	said := Aloud(text, lang)
	p := phrase{lang, said}
	if wav, ok := c.take(p); ok {
		return wav, nil
	}
	// The shared synthesis must outlive the caller that happened to come
	// first; the engine below has a deadline of its own.
	done := c.once.DoChan(lang+"\x00"+said, func() (any, error) {
		wav, err := c.next.Speak(context.WithoutCancel(ctx), text, lang)
		if err == nil {
			c.put(p, wav)
		}
		return wav, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		wav, _ := r.Val.([]byte)
		return wav, nil
	}
}

// Size is what the cache holds now, in bytes of sound.
func (c *Cache) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

func (c *Cache) take(p phrase) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.sounds[p]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*sound).wav, true
}

func (c *Cache) put(p phrase, wav []byte) {
	if len(wav) > c.max/4 { // one long text must not empty the cache
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.sounds[p]; ok {
		return
	}
	c.sounds[p] = c.recent.PushFront(&sound{p, wav})
	c.size += len(wav)
	for c.size > c.max {
		last := c.recent.Back()
		s := c.recent.Remove(last).(*sound)
		delete(c.sounds, s.phrase)
		c.size -= len(s.wav)
	}
}
