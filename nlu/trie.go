package nlu

import "slices"

// trie maps words to senses. It is built once and then only read; one hash table holds all edges, so that a walk costs
// one probe a rune and building costs no allocation a node.
type trie struct {
	slots []edgeSlot // open addressing, length a power of two
	used  int
	nodes []trieNode // nodes[0] is the root
	words [][]rune   // spellings, of a trie of sounds
	chain []entry    // senses of a node are a list through next; entry 0 is unused
}

type edgeSlot struct {
	key  uint64 // node<<32 | rune; 0 is free (no rune is 0)
	node uint32
}

type trieNode struct {
	mask classes // of all senses that end here
	head int32   // first of them in chain, 0 none
}

type entry struct {
	sense sense
	next  int32
	word  int32 // in words + 1; kept by tries of sounds only
}

func newTrie(edges int) *trie {
	size := 64
	for size < edges*2 {
		size *= 2
	}
	return &trie{slots: make([]edgeSlot, size), nodes: make([]trieNode, 1, edges+1), chain: make([]entry, 1, edges/2+1)}
}

func slotOf(key uint64, size int) int {
	return int((key * 0x9E3779B97F4A7C15) >> 20 & uint64(size-1))
}

// next follows one rune; 0 means there is no such word.
func (t *trie) next(node uint32, r rune) uint32 {
	key := uint64(node)<<32 | uint64(uint32(r))
	for i := slotOf(key, len(t.slots)); ; i = (i + 1) & (len(t.slots) - 1) {
		switch t.slots[i].key {
		case key:
			return t.slots[i].node
		case 0:
			return 0
		}
	}
}

func (t *trie) grow() { t.resize(2 * len(t.slots)) }

// fit gives back what a trie that is whole has too much.
func (t *trie) fit() {
	size := 64
	for size < 2*t.used {
		size *= 2
	}
	if size < len(t.slots) {
		t.resize(size)
	}
	t.nodes, t.chain, t.words = slices.Clone(t.nodes), slices.Clone(t.chain), slices.Clone(t.words)
}

func (t *trie) resize(size int) {
	old := t.slots
	t.slots = make([]edgeSlot, size)
	for _, s := range old {
		if s.key == 0 {
			continue
		}
		i := slotOf(s.key, len(t.slots))
		for t.slots[i].key != 0 {
			i = (i + 1) & (len(t.slots) - 1)
		}
		t.slots[i] = s
	}
}

func (t *trie) step(node uint32, r rune) uint32 {
	if n := t.next(node, r); n != 0 {
		return n
	}
	if 2*(t.used+1) > len(t.slots) {
		t.grow()
	}
	key := uint64(node)<<32 | uint64(uint32(r))
	i := slotOf(key, len(t.slots))
	for t.slots[i].key != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.nodes = append(t.nodes, trieNode{})
	n := uint32(len(t.nodes) - 1)
	t.slots[i] = edgeSlot{key, n}
	t.used++
	return n
}

// of lists the senses of a word.
func (t *trie) of(word []rune) (out []sense) {
	var n uint32
	for _, r := range word {
		if n = t.next(n, r); n == 0 {
			return nil
		}
	}
	for e := t.nodes[n].head; e != 0; e = t.chain[e].next {
		out = append(out, t.chain[e].sense)
	}
	return out
}

// add gives word one more sense; the same sense twice counts once.
func (t *trie) add(word []rune, s sense) {
	if len(word) == 0 {
		return
	}
	var n uint32
	for _, r := range word {
		n = t.step(n, r)
	}
	for e := t.nodes[n].head; e != 0; e = t.chain[e].next {
		if t.chain[e].sense == s {
			return
		}
	}
	t.chain = append(t.chain, entry{sense: s, next: t.nodes[n].head, word: int32(len(t.words))})
	t.nodes[n].head = int32(len(t.chain) - 1)
	t.nodes[n].mask |= s.class.bit()
}
