//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// The default is 60 requests a minute, on both stores; a key has its own.
func TestRateLimits(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store, "GATEHOUSE_ADMIN_PASSWORD=admin").serve(t)
			admin := s.as(t, "admin")
			untilWindow(t, admin)
			admin.get("ping").ok(200).has("RateLimit-Limit", "60")
			drain(t, admin, 60, "Rate limit exceeded. Max 60 requests per minute")

			key := s.cli(t, "key", "create", "--user", "admin", "--name", "slow", "--scopes", "read", "--per-minute", "5")
			slow := s.withKey(t, key)
			slow.get("ping").ok(200).has("RateLimit-Limit", "5").has("RateLimit-Remaining", "4")
			drain(t, slow, 5, "Rate limit exceeded. Max 5 requests per minute")

			s.cli(t, "setting", "set", "global_rate_limit", "0")
			within(t, notice, "a setting is noticed", func() bool { return admin.get("ping").status == 200 })
		})
	}
}

// untilWindow waits for a new minute if the current one is nearly over, so
// that it does not end within the test. It gives how many requests of the
// window it has spent to find out.
func untilWindow(t *testing.T, c *client) (spent int) {
	t.Helper()
	left := c.get("ping").seconds("RateLimit-Reset")
	if left >= 5 {
		return 1
	}
	time.Sleep(time.Duration(left+1) * time.Second)
	return 0
}

// drain sends requests until one is refused: exactly limit pass in a window,
// of which some are gone already.
func drain(t *testing.T, c *client, limit int, message string) {
	t.Helper()
	for range limit {
		a := c.get("ping")
		if a.status == 200 {
			continue
		}
		a.fails(429, "rate_limit_exceeded", "").is("error.message", message).has("RateLimit-Remaining", "0")
		if a.seconds("Retry-After") < 1 || a.seconds("Retry-After") > 60 {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		return
	}
	t.Fatalf("more than %d requests passed", limit)
}

// Nodes share their limits: of 8 requests a minute 8 pass, wherever they
// arrive.
func TestLimitsOfNodes(t *testing.T) {
	site := newSiteFor(t, "postgres")
	s, other := site.serve(t), site.serve(t)
	key := s.cli(t, "key", "create", "--user", "admin", "--name", "nodes", "--scopes", "read", "--per-minute", "8")
	nodes := []*client{s.withKey(t, key), other.withKey(t, key)}
	passed := untilWindow(t, nodes[0])
	for i := range 20 {
		if nodes[i%2].get("ping").status == 200 {
			passed++
		}
	}
	if passed != 8 {
		t.Errorf("%d requests passed", passed)
	}
}
