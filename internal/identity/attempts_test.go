package identity

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func TestAttempts(t *testing.T) {
	a := newAttempts()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ip := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	for i := range accountAttempts {
		if err := a.check("Marc", ip(i), now); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		a.fail("marc", ip(i), now.Add(time.Duration(i)*time.Second))
	}
	err := a.check("MARC", ip(99), now.Add(time.Minute))
	if !fault.Is(err, fault.RateLimited) || fault.From(err).RetryAfter != attemptWindow-time.Minute {
		t.Errorf("%v", err)
	}
	if err := a.check("joel", ip(1), now); err != nil {
		t.Errorf("another account: %v", err)
	}
	if err := a.check("marc", ip(1), now.Add(attemptWindow)); err != nil {
		t.Errorf("after the window: %v", err)
	}
	a.succeed("marc")
	if err := a.check("marc", ip(1), now); err != nil {
		t.Errorf("after a success: %v", err)
	}
}

func TestAttemptsOfAnAddress(t *testing.T) {
	a := newAttempts()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range addressAttempts { // one subscriber of IPv6 has a /64
		a.fail(fmt.Sprint("user", i), netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)), now)
		a.succeed("marc") // his own account does not help him
	}
	if err := a.check("marc", netip.MustParseAddr("2001:db8::ffff"), now); !fault.Is(err, fault.RateLimited) {
		t.Errorf("%v", err)
	}
	if err := a.check("marc", netip.MustParseAddr("2001:db8:0:1::1"), now); err != nil {
		t.Errorf("another network: %v", err)
	}
	for range 100 {
		a.fail("x", netip.Addr{}, now)
	}
	if err := a.check("marc", netip.Addr{}, now); err != nil {
		t.Errorf("no address: %v", err)
	}
}
