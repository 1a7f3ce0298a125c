package throttle

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// watch is a clock that a test moves.
type watch struct{ now atomic.Int64 }

func newWatch() *watch {
	w := &watch{}
	w.now.Store(time.Date(2026, 1, 31, 10, 30, 0, 0, time.UTC).UnixNano())
	return w
}

func (w *watch) Now() time.Time       { return time.Unix(0, w.now.Load()).UTC() }
func (w *watch) pass(d time.Duration) { w.now.Add(int64(d)) }

// fence is Blocks under test, with its clock and rule in reach.
type fence struct {
	*Blocks
	t     testing.TB
	db    sqldb.DB
	clock *watch
}

// fences opens Blocks on each database, which share a clock and a rule.
func fences(t testing.TB, rule *BlockRule, dbs ...sqldb.DB) []*fence {
	t.Helper()
	users := []*schema.Model{{ // whom the audit trail refers to
		Name: "res.users", Label: "User", Table: "res_users", Fields: []*schema.Field{schema.NewChar("login", "Login")},
	}}
	if err := schema.Sync(t.Context(), dbs[0], slices.Concat(users, Models(), audit.Models())); err != nil {
		t.Fatal(err)
	}
	w := newWatch()
	all := make([]*fence, len(dbs))
	for i, db := range dbs {
		b, err := OpenBlocks(t.Context(), db, BlockOptions{
			Rule: func() BlockRule { return *rule }, Clock: w,
			Never: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		all[i] = &fence{b, t, db, w}
	}
	return all
}

func (f *fence) violate(ip string, times int) {
	for range times {
		f.Violation(netip.MustParseAddr(ip), f.clock.Now())
	}
}

func (f *fence) blocked(ip string) bool {
	_, ok := f.Blocked(netip.MustParseAddr(ip), f.clock.Now())
	return ok
}

// wantBlocked waits until an address is blocked by a block of the store.
func (f *fence) wantBlocked(ip string) {
	f.t.Helper()
	waitUntil(f.t, ip+" is blocked", func() bool {
		b, _ := f.Blocked(netip.MustParseAddr(ip), f.clock.Now())
		return b.ID != 0
	})
}

// settled writes what is counted and says whether an address is then blocked.
func (f *fence) settled(ip string) bool {
	f.t.Helper()
	if err := f.share(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return f.blocked(ip)
}

func (f *fence) exec(sql string, args ...any) {
	f.t.Helper()
	err := f.db.Write(f.t.Context(), func(tx sqldb.Tx) error {
		if _, err := tx.Exec(f.t.Context(), sql, args...); err != nil {
			return err
		}
		return tx.Signal(f.t.Context(), BlocksChannel)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fence) number(sql string) (n int64) {
	f.t.Helper()
	err := f.db.Read(f.t.Context(), func(q sqldb.Querier) error {
		return q.Query(f.t.Context(), sql, nil, func(r sqldb.Row) error { n = r.Int(0); return nil })
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func waitUntil(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func strict() *BlockRule {
	return &BlockRule{Violations: 5, Window: 10 * time.Minute, Duration: time.Hour}
}

func TestViolationsBlock(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		f := fences(t, strict(), db)[0]
		f.violate("192.0.2.7", 4)
		if f.settled("192.0.2.7") {
			t.Fatal("blocked too early")
		}
		f.violate("192.0.2.8", 4)
		f.violate("::ffff:192.0.2.7", 1) // the same address
		if !f.blocked("192.0.2.7") {
			t.Error("not blocked at once")
		}
		f.wantBlocked("192.0.2.7")
		if f.blocked("192.0.2.8") || f.blocked("192.0.2.6") {
			t.Error("another address is blocked")
		}
		b, _ := f.Blocked(netip.MustParseAddr("192.0.2.7"), f.clock.Now())
		if want := f.clock.Now().Add(time.Hour); !b.Until.Equal(want) || b.ID == 0 {
			t.Errorf("%+v, want until %v", b, want)
		}
		e := b.Fault(netip.MustParseAddr("192.0.2.7"), f.clock.Now())
		if e.Kind != fault.Blocked || e.RetryAfter != time.Hour || e.Message != "The address 192.0.2.7 is blocked until 2026-01-31T11:30:00Z" {
			t.Errorf("%+v", e)
		}
		n := f.number(`select count(*) from gateway_block where address = '192.0.2.7' and active and violations = 5 and "by" = 'automatic'`)
		if n != 1 {
			t.Errorf("%d rows of the block", n)
		}
		f.clock.pass(time.Hour - time.Second)
		if !f.blocked("192.0.2.7") {
			t.Error("the block ends too early")
		}
		f.clock.pass(time.Second)
		if f.blocked("192.0.2.7") {
			t.Error("the block does not end")
		}
		if f.violate("192.0.2.7", 4); f.settled("192.0.2.7") {
			t.Error("what led to the block counts again after it")
		}
		if f.violate("192.0.2.7", 1); !f.settled("192.0.2.7") {
			t.Error("an address is blocked only once in its life")
		}
	})
}

// The violations of an IPv6 subscriber are those of his /64, which is blocked.
func TestNetworksOfIPv6(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		f := fences(t, strict(), db)[0]
		for i := range 5 {
			f.violate(fmt.Sprintf("2001:db8:1:2:%x::1", i+1), 1)
		}
		f.wantBlocked("2001:db8:1:2:ffff::9")
		if f.blocked("2001:db8:1:3::1") {
			t.Error("the neighbour is blocked")
		}
		if n := f.number(`select count(*) from gateway_block where address = '2001:db8:1:2::/64'`); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestWindowSlides(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		f := fences(t, strict(), db)[0]
		// Never five within ten minutes.
		for i := range 20 {
			if f.violate("192.0.2.7", 1); f.settled("192.0.2.7") {
				t.Fatalf("blocked after %d, three minutes apart", i+1)
			}
			f.clock.pass(3 * time.Minute)
		}
		f.clock.pass(time.Hour)
		// Five within ten minutes, over any boundary.
		for i := range 5 {
			f.clock.pass(2*time.Minute + 29*time.Second)
			if f.violate("192.0.2.8", 1); f.settled("192.0.2.8") != (i == 4) {
				t.Fatalf("after %d: blocked %v", i+1, f.blocked("192.0.2.8"))
			}
		}
	})
}

func TestNeverBlocked(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		rule := strict()
		f := fences(t, rule, db)[0]
		for _, ip := range []string{"10.1.2.3", "::ffff:10.1.2.3", "::1"} {
			if f.violate(ip, 50); f.settled(ip) {
				t.Errorf("%s is blocked", ip)
			}
		}
		f.exec(`insert into gateway_block (address, active) values ('10.0.0.0/7', true), ('::/8', true)`)
		f.wantBlocked("11.1.2.3")
		for _, ip := range []string{"10.1.2.3", "::ffff:10.1.2.3", "::1", "::1%eth0"} {
			if f.blocked(ip) {
				t.Errorf("%s is blocked by a network around it", ip)
			}
		}
		if f.Violation(netip.Addr{}, f.clock.Now()); f.blocked("0.0.0.0") {
			t.Error("no address is blocked")
		}
		if _, ok := f.Blocked(netip.Addr{}, f.clock.Now()); ok {
			t.Error("no address is blocked")
		}
		rule.Violations = 0
		if f.violate("192.0.2.7", 50); f.settled("192.0.2.7") || f.number(`select count(*) from gateway_violation`) != 1 {
			t.Error("counted although nobody is to be blocked")
		}
	})
}

// Nodes see a part each; together it is enough. All learn of it, and it is one
// block however many write at once.
func TestViolationsOnManyNodes(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		rule := &BlockRule{Violations: 40, Window: time.Hour, Duration: time.Hour}
		nodes := fences(t, rule, db, second, db)
		for _, n := range nodes {
			n.violate("192.0.2.7", 13)
		}
		for _, n := range nodes {
			if n.settled("192.0.2.7") {
				t.Fatal("39 of 40 block")
			}
		}
		nodes[1].violate("192.0.2.7", 1)
		for _, n := range nodes {
			n.wantBlocked("192.0.2.7")
		}
		var all sync.WaitGroup
		for i := range 20 {
			for _, n := range nodes {
				all.Go(func() { n.violate(fmt.Sprintf("198.51.100.%d", i), 30) })
			}
		}
		all.Wait()
		for i := range 20 {
			for _, n := range nodes {
				n.wantBlocked(fmt.Sprintf("198.51.100.%d", i))
			}
		}
		if n := nodes[0].number(`select count(*) from gateway_block`); n != 21 {
			t.Errorf("%d blocks of 21 addresses", n)
		}
	})
}

// Blocks by hand, of networks and without an end, and the end of blocks, are
// known to every node.
func TestBlocksOfOthers(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		nodes := fences(t, strict(), db, second)
		f, other := nodes[0], nodes[1]
		f.exec(`insert into gateway_block (address, active, until) values
			('192.0.2.0/24', true, null), ('192.0.2.7', true, '2026-01-31 10:40:00'), ('2001:db8::/32', true, null), ('nonsense', true, null)`)
		for _, n := range nodes {
			n.wantBlocked("2001:db8:9::1")
			if b, ok := n.Blocked(netip.MustParseAddr("192.0.2.7"), n.clock.Now()); !ok || !b.Until.IsZero() {
				t.Errorf("%+v: the block that lasts longest counts", b)
			}
			if n.blocked("192.0.3.1") || n.blocked("2001:db9::1") {
				t.Error("a neighbour is blocked")
			}
		}
		f.exec(`update gateway_block set active = false where address = '192.0.2.0/24'`)
		waitUntil(t, "the other node forgets the network", func() bool { return !other.blocked("192.0.2.8") })
		if !other.blocked("192.0.2.7") {
			t.Error("the address itself is still blocked")
		}
		f.clock.pass(11 * time.Minute)
		if other.blocked("192.0.2.7") {
			t.Error("the block does not end")
		}
		if err := other.sweepIfDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := f.number(`select count(*) from gateway_block where active and until is not null`); n != 0 {
			t.Errorf("%d ended blocks are active", n)
		}
	})
}

// A violation costs no write of its own, and none at all while it may be one
// of a few.
func TestViolationsAreWrittenTogether(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		c := &counting{DB: db}
		rule := &BlockRule{Violations: 1000, Window: time.Hour, Duration: time.Hour}
		f := fences(t, rule, c)[0]
		before := c.writes.Load()
		for i := range 5000 {
			f.violate(fmt.Sprintf("198.%d.%d.1", i/250, i%250), 3)
		}
		f.violate("192.0.2.7", 900)
		f.settled("192.0.2.7")
		if n := c.writes.Load() - before; n < 1 || n > 20 {
			t.Errorf("%d writes for 15,900 violations", n)
		}
		if n := f.number(`select count(*) from gateway_violation`); n != 2 {
			t.Errorf("%d rows for one address that is worth it", n)
		}
		if n := f.number(`select sum(count) from gateway_violation`); n != 900 {
			t.Errorf("%d counted", n)
		}
	})
}

// A flood of addresses neither fills the memory nor hides who keeps coming.
func TestFloodOfAddresses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		rule := &BlockRule{Violations: 200, Window: time.Hour, Duration: time.Hour}
		f := fences(t, rule, db)[0]
		for i := range 3 * maxTallies {
			f.Violation(netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)}), f.clock.Now())
			if i%300 == 0 {
				f.violate("192.0.2.7", 1)
			}
		}
		f.tallies.mu.Lock()
		n, order := len(f.tallies.byNet), f.tallies.order.Len()
		f.tallies.mu.Unlock()
		if n > maxTallies || n != order {
			t.Errorf("%d addresses in memory, %d in order", n, order)
		}
		f.wantBlocked("192.0.2.7")
	})
}

// While the store is away nothing is lost, and nothing waits.
func TestStoreIsAway(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		c := &switched{DB: db}
		f := fences(t, strict(), c)[0]
		c.away.Store(true)
		f.violate("192.0.2.7", 5)
		if err := f.share(t.Context()); !f.blocked("192.0.2.7") {
			t.Fatalf("not blocked while the store is away (%v)", err)
		}
		c.away.Store(false)
		waitUntil(t, "the violations are written", func() bool {
			return f.number(`select coalesce(max(violations), 0) from gateway_block`) == 5
		})
	})
}

// switched is a database that can be away.
type switched struct {
	sqldb.DB
	away atomic.Bool
}

func (s *switched) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	if s.away.Load() {
		return errors.New("away")
	}
	return s.DB.Write(ctx, fn)
}

func TestSweepAndVacuum(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		f := fences(t, strict(), db)[0]
		f.violate("192.0.2.7", 5)
		f.wantBlocked("192.0.2.7")
		f.violate("192.0.2.8", 3)
		f.settled("192.0.2.8")
		f.exec(`insert into gateway_block (address, active, unblocked_at) values ('192.0.2.9', true, null), ('192.0.2.10', false, '2026-01-31 10:30:00')`)
		f.clock.pass(2 * time.Hour)
		if err := f.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if active, rows := f.number(`select count(*) from gateway_block where active`), f.number(`select count(*) from gateway_violation`); active != 1 || rows != 1 {
			t.Errorf("%d active, %d counts", active, rows)
		}
		if n, err := f.Vacuum(t.Context()); n != 0 || err != nil {
			t.Errorf("%d of the history deleted (%v)", n, err)
		}
		f.clock.pass(keepBlocks)
		if n, err := f.Vacuum(t.Context()); n != 2 || err != nil {
			t.Errorf("%d deleted (%v), want 2", n, err)
		}
		if n := f.number(`select count(*) from gateway_block`); n != 1 || !f.blocked("192.0.2.9") {
			t.Errorf("%d left: the one without an end must stay", n)
		}
	})
}
