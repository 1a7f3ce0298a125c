package identity

import "testing"

func TestLRU(t *testing.T) {
	c := newLRU[int, string](2)
	c.put(1, "one")
	c.put(2, "two")
	if v, ok := c.get(1); !ok || v != "one" {
		t.Error(v, ok)
	}
	c.put(3, "three") // 2 is the least recently used
	if _, ok := c.get(2); ok {
		t.Error("2 is still there")
	}
	c.put(1, "uno")
	if v, ok := c.get(1); !ok || v != "uno" {
		t.Error(v, ok)
	}
	c.remove(1)
	c.remove(1)
	if _, ok := c.get(1); ok || len(c.entries) != 1 {
		t.Error("1 is still there")
	}
	for i := range 100 {
		c.put(i, "")
	}
	n := 0
	for e := c.ring.next; e != &c.ring; e = e.next {
		n++
	}
	if n != 2 || len(c.entries) != 2 {
		t.Errorf("%d in the ring, %d in the map", n, len(c.entries))
	}
}
