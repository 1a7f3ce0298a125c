package gateway_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/gateway"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/throttle"
)

// onBothStores runs a test on both stores with the blocks of another node: it
// learns of changes from the database.
func onBothStores(t *testing.T, fn func(t *testing.T, eng *record.Engine, blocks *throttle.Blocks, admin *backend.Caller)) {
	t.Helper()
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		ctx := context.Background()
		eng, err := record.Open(ctx, db, record.Options{
			Models: slices.Concat(business.Models(), throttle.Models(), audit.Models()),
			Logics: append(business.Logics(business.Options{}), gateway.Logics(&gateway.Keys{})...),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eng.Close)
		if err := eng.Sudo(ctx, business.Seed); err != nil {
			t.Fatal(err)
		}
		blocks, err := throttle.OpenBlocks(ctx, second, throttle.BlockOptions{Rule: func() throttle.BlockRule {
			return throttle.BlockRule{Violations: 3, Window: time.Minute, Duration: time.Hour}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = blocks.Close(ctx) })
		fn(t, eng, blocks, &backend.Caller{UserID: 2, Admin: true})
	})
}

func blocked(b *throttle.Blocks, ip string) bool {
	_, is := b.Blocked(netip.MustParseAddr(ip), time.Now())
	return is
}

func violate(b *throttle.Blocks, ip string, times int) {
	for range times {
		b.Violation(netip.MustParseAddr(ip), time.Now())
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
