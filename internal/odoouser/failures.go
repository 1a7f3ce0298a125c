package odoouser

import (
	"net/netip"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// An Odoo that has seen ten failures refuses all logins of an address for a
// minute after each further one. All of Gatehouse is one address to it, so that
// who guesses here would shut everybody out. So fewer failures are passed on: of
// an address, and of all together. Up to three more may be under way.
const (
	failureWindow   = time.Minute
	addressFailures = 4
	allFailures     = 6
)

// failures counts what the Odoo has refused within the window, in memory. A
// success ends the count, as it does in the Odoo.
type failures struct {
	forwarded bool // the Odoo tells addresses apart itself

	mu        sync.Mutex
	all       []time.Time
	addresses map[netip.Prefix][]time.Time
}

func newFailures(forwarded bool) *failures {
	return &failures{forwarded: forwarded, addresses: map[netip.Prefix][]time.Time{}}
}

// network is what an address is counted under: itself, of IPv6 its /64.
func network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the zero Prefix for no address
	return p
}

// check refuses to ask where too much has failed: RateLimited.
func (f *failures) check(from netip.Addr, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait := until(f.addresses[network(from)], addressFailures, now)
	if !f.forwarded {
		wait = max(wait, until(f.all, allFailures, now))
	}
	if wait <= 0 {
		return nil
	}
	return &fault.Error{Kind: fault.RateLimited, Message: "Too many failed logins. Try again later", RetryAfter: wait}
}

// until is how long it takes until fewer than most are within the window.
func until(times []time.Time, most int, now time.Time) time.Duration {
	if len(times) < most {
		return 0
	}
	return times[len(times)-most].Add(failureWindow).Sub(now)
}

func (f *failures) failed(from netip.Addr, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = noted(f.all, allFailures, now)
	if len(f.addresses) >= maxKept {
		for other, times := range f.addresses {
			if times[len(times)-1].Add(failureWindow).Before(now) || len(f.addresses) >= 2*maxKept {
				delete(f.addresses, other)
			}
		}
	}
	f.addresses[network(from)] = noted(f.addresses[network(from)], addressFailures, now)
}

// noted keeps the last so many times.
func noted(times []time.Time, most int, now time.Time) []time.Time {
	return append(times[max(0, len(times)-most+1):], now)
}

// succeeded forgets the failures of all, not those of the address: else who
// has an account of his own could guess at others for ever.
func (f *failures) succeeded(netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
}
