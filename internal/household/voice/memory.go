package voice

import (
	"container/list"
	"sync"
	"time"

	"lampworks/nlu"
)

const (
	conversationLife = 120 * time.Second // how long "it" and an open question are remembered
	maxConversations = 10_000
)

// A conversation is whose sentences follow on each other.
type conversation struct {
	home, speaker string
	own           bool // speaker is an actor; keeps it apart from a speaker of the same name
}

// conversations remembers what was last spoken of, each for a while. When it is
// full the one that was silent longest is forgotten.
type conversations struct {
	max  int
	life time.Duration

	mu     sync.Mutex // guards the rest
	byKey  map[conversation]*list.Element
	recent *list.List // of *remembered, most recent first
}

type remembered struct {
	key    conversation
	memory *nlu.Memory
	index  *nlu.Index // it speaks of; another index makes it void
	at     time.Time
}

func (c *conversations) recall(key conversation, index *nlu.Index, now time.Time) *nlu.Memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil
	}
	r := e.Value.(*remembered)
	if r.index != index || now.Sub(r.at) > c.life {
		c.recent.Remove(e)
		delete(c.byKey, key)
		return nil
	}
	return r.memory
}

func (c *conversations) remember(key conversation, index *nlu.Index, memory *nlu.Memory, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey, c.recent = make(map[conversation]*list.Element), list.New()
	}
	if e, ok := c.byKey[key]; ok {
		*e.Value.(*remembered) = remembered{key, memory, index, now}
		c.recent.MoveToFront(e)
		return
	}
	c.byKey[key] = c.recent.PushFront(&remembered{key, memory, index, now})
	for last := c.recent.Back(); last != nil; last = c.recent.Back() {
		r := last.Value.(*remembered)
		if c.recent.Len() <= c.max && now.Sub(r.at) <= c.life {
			break
		}
		c.recent.Remove(last)
		delete(c.byKey, r.key)
	}
}
