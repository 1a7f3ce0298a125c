package identity

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// How many logins may fail within the window, for one account and from one
// address (which may be that of a whole office).
const (
	attemptWindow   = 5 * time.Minute
	accountAttempts = 10
	addressAttempts = 20
	maxTracked      = 20_000 // accounts, and as many addresses
)

// attempts counts failed logins in memory, on this node.
type attempts struct {
	mu        sync.Mutex
	accounts  *lru[string, *tally]
	addresses *lru[netip.Prefix, *tally]
}

// tally is the failures since the first one of a window.
type tally struct {
	failed int
	ends   time.Time
}

func newAttempts() *attempts {
	return &attempts{accounts: newLRU[string, *tally](maxTracked), addresses: newLRU[netip.Prefix, *tally](maxTracked)}
}

// check refuses a login of an account or from an address that had too many
// failures, until the end of their window.
func (a *attempts) check(login string, ip netip.Addr, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var wait time.Duration
	if t, ok := a.accounts.get(accountKey(login)); ok && t.failed >= accountAttempts {
		wait = t.ends.Sub(now)
	}
	if t, ok := a.addresses.get(network(ip)); ok && t.failed >= addressAttempts {
		wait = max(wait, t.ends.Sub(now))
	}
	if wait <= 0 {
		return nil
	}
	return tooManyLogins(wait)
}

// fail counts a failed login.
func (a *attempts) fail(login string, ip netip.Addr, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	count(a.accounts, accountKey(login), now)
	if ip.IsValid() {
		count(a.addresses, network(ip), now)
	}
}

// succeed forgets the failures of an account, not those of the address: else
// whoever has an account of his own could guess at others for ever.
func (a *attempts) succeed(login string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts.remove(accountKey(login))
}

// checkAddress is check for the address alone.
func (a *attempts) checkAddress(ip netip.Addr, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.addresses.get(network(ip)); ok && t.failed >= addressAttempts && now.Before(t.ends) {
		return tooManyLogins(t.ends.Sub(now))
	}
	return nil
}

// failAddress counts a failure against the address alone.
func (a *attempts) failAddress(ip netip.Addr, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ip.IsValid() {
		count(a.addresses, network(ip), now)
	}
}

func tooManyLogins(wait time.Duration) error {
	return &fault.Error{Kind: fault.RateLimited, Message: "Too many failed logins. Try again later", RetryAfter: wait}
}

func count[K comparable](all *lru[K, *tally], key K, now time.Time) {
	t, ok := all.get(key)
	if !ok || !now.Before(t.ends) {
		t = &tally{ends: now.Add(attemptWindow)}
		all.put(key, t)
	}
	t.failed++
}

// accountKey is what a login is counted under: its spellings are one account,
// and it is bounded.
func accountKey(login string) string {
	if len(login) > maxLogin {
		login = login[:maxLogin]
	}
	return strings.ToLower(login)
}

// network is what an address is counted under: itself, or of IPv6 the /64 that
// one subscriber has.
func network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the zero Prefix for no address
	return p
}
