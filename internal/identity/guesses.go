package identity

import (
	"net/netip"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// How many different wrong keys of users may come from one address within the
// window of the attempts, and how fast it may go on after that.
const (
	freeGuesses = 20
	guessPace   = time.Second
)

// guesses counts wrong keys of users in memory, on this node. An address that
// tries many is slowed down, not shut out: it may be that of a whole office.
// Keys that are known here are answered without asking, and so is a wrong key
// that comes again; so neither good clients nor one with an old key feel it.
type guesses struct {
	mu        sync.Mutex
	addresses *lru[netip.Prefix, *guessTally]
}

// guessTally is the wrong keys since the first one of a window.
type guessTally struct {
	tally
	next time.Time // when a slowed address may try again
}

func newGuesses() *guesses {
	return &guesses{addresses: newLRU[netip.Prefix, *guessTally](maxTracked)}
}

// check refuses an address that is to wait.
func (g *guesses) check(ip netip.Addr, now time.Time) error { return g.ask(ip, now, false) }

// take is check, and uses up the turn of a slowed address.
func (g *guesses) take(ip netip.Addr, now time.Time) error { return g.ask(ip, now, true) }

func (g *guesses) ask(ip netip.Addr, now time.Time, take bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.addresses.get(network(ip))
	if !ok || t.failed < freeGuesses || !now.Before(t.ends) {
		return nil
	}
	if wait := t.next.Sub(now); wait > 0 {
		return &fault.Error{Kind: fault.RateLimited, Message: "Too many wrong API keys. Try again later", RetryAfter: wait}
	}
	if take {
		t.next = now.Add(guessPace)
	}
	return nil
}

// fail counts a wrong key.
func (g *guesses) fail(ip netip.Addr, now time.Time) {
	if !ip.IsValid() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.addresses.get(network(ip))
	if !ok || !now.Before(t.ends) {
		t = &guessTally{tally: tally{ends: now.Add(attemptWindow)}}
		g.addresses.put(network(ip), t)
	}
	t.failed++
}
