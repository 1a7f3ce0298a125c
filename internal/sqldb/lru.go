package sqldb

// lru is a bounded map from text to V that forgets what was used least
// recently. Not safe for concurrent use.
type lru[V any] struct {
	max         int
	nodes       map[string]*lruNode[V]
	first, last *lruNode[V] // most and least recently used
}

type lruNode[V any] struct {
	key        string
	value      V
	prev, next *lruNode[V]
}

func newLRU[V any](limit int) *lru[V] {
	return &lru[V]{max: limit, nodes: make(map[string]*lruNode[V])}
}

func (l *lru[V]) get(key string) (value V, ok bool) {
	n := l.nodes[key]
	if n == nil {
		return value, false
	}
	if n != l.first {
		l.unlink(n)
		l.pushFirst(n)
	}
	return n.value, true
}

// put adds a key that is absent, and gives the value that had to leave for it.
func (l *lru[V]) put(key string, value V) (evicted V, full bool) {
	if len(l.nodes) >= l.max {
		n := l.last
		l.unlink(n)
		delete(l.nodes, n.key)
		evicted, full = n.value, true
	}
	n := &lruNode[V]{key: key, value: value}
	l.nodes[key] = n
	l.pushFirst(n)
	return evicted, full
}

func (l *lru[V]) unlink(n *lruNode[V]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	n.prev, n.next = nil, nil
}

func (l *lru[V]) pushFirst(n *lruNode[V]) {
	n.next = l.first
	if l.first != nil {
		l.first.prev = n
	}
	l.first = n
	if l.last == nil {
		l.last = n
	}
}
