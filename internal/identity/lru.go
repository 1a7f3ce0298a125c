package identity

import "sync"

// lru is a map that keeps the most recently used entries, up to a bound. Safe
// for concurrent use.
type lru[K comparable, V any] struct {
	mu      sync.Mutex
	bound   int
	entries map[K]*lruEntry[K, V]
	ring    lruEntry[K, V] // its next is the most recently used, its prev the least
}

type lruEntry[K comparable, V any] struct {
	key        K
	value      V
	prev, next *lruEntry[K, V]
}

func newLRU[K comparable, V any](bound int) *lru[K, V] {
	c := &lru[K, V]{bound: bound, entries: make(map[K]*lruEntry[K, V])}
	c.ring.prev, c.ring.next = &c.ring, &c.ring
	return c
}

// get finds an entry and makes it the most recently used.
func (c *lru[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return value, false
	}
	if c.ring.next != e {
		c.unlink(e)
		c.link(e)
	}
	return e.value, true
}

// put sets an entry and drops the least recently used one when there are too many.
func (c *lru[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e != nil {
		c.unlink(e)
	} else {
		if len(c.entries) >= c.bound {
			last := c.ring.prev
			c.unlink(last)
			delete(c.entries, last.key)
		}
		e = &lruEntry[K, V]{key: key}
		c.entries[key] = e
	}
	e.value = value
	c.link(e)
}

// remove drops an entry.
func (c *lru[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.unlink(e)
		delete(c.entries, key)
	}
}

func (c *lru[K, V]) unlink(e *lruEntry[K, V]) { e.prev.next, e.next.prev = e.next, e.prev }

func (c *lru[K, V]) link(e *lruEntry[K, V]) {
	e.prev, e.next = &c.ring, c.ring.next
	e.prev.next, e.next.prev = e, e
}
