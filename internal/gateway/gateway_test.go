package gateway_test

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/business/businesstest"
	"gatehouse/internal/fault"
	"gatehouse/internal/gateway"
	"gatehouse/internal/identity"
	"gatehouse/internal/job"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/throttle"
)

// seeded is what most tests start from.
var seeded = businesstest.Seeded(slices.Concat(identity.Models(), throttle.Models(), audit.Models(), job.Models())...)

func TestMain(m *testing.M) { os.Exit(sqltest.With(m, seeded).Run()) }

// onBoth runs a test on both stores with an administrator as caller.
func onBoth(t *testing.T, fn func(t *testing.T, eng *record.Engine, admin *backend.Caller)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		keys := &gateway.Keys{NeverBlock: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		eng, err := record.Open(ctx, db, record.Options{
			Models: slices.Concat(business.Models(), identity.Models(), throttle.Models(), audit.Models(), job.Models()),
			Logics: append(business.Logics(business.Options{}), gateway.Logics(keys)...),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eng.Close)
		if err := eng.Sudo(ctx, business.Seed); err != nil {
			t.Fatal(err)
		}
		if keys.Service, err = identity.New(ctx, db, identity.NewUsers(db), identity.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = keys.Service.Close(ctx) })
		blocks, err := throttle.OpenBlocks(ctx, db, throttle.BlockOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = blocks.Close(ctx) })
		fn(t, eng, &backend.Caller{UserID: 2, Admin: true})
	})
}

func want(t *testing.T, err error, kind fault.Kind, part string) {
	t.Helper()
	if f := fault.From(err); err == nil || f.Kind != kind || !strings.Contains(f.Message, part) {
		t.Errorf("error %v, want %s with %q", err, kind, part)
	}
}

// TestKeysAreDrawnHere: nobody chooses the hash of a key, at no time.
func TestKeysAreDrawnHere(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		values := backend.Values{"name": "ci", "user_id": int64(2), "scopes": "read"}
		created, err := eng.Create(ctx, admin, "gateway.key", []backend.Values{values})
		if err != nil || len(created.Once[0]["key"]) != 64 {
			t.Fatalf("create: %+v, %v", created, err)
		}
		chosen := strings.Repeat("a", 64)
		want(t, eng.Write(ctx, admin, "gateway.key", created.IDs, backend.Values{"key_hash": chosen}), fault.BadRequest, "made by Gatehouse")
		values["key_hash"] = chosen
		_, err = eng.Create(ctx, admin, "gateway.key", []backend.Values{values})
		want(t, err, fault.BadRequest, "made by Gatehouse")
		if err := eng.Write(ctx, admin, "gateway.key", created.IDs, backend.Values{"name": "renamed"}); err != nil {
			t.Error(err)
		}
	})
}

// TestNobodyLinksGatewayModels: fields made at run time do not lead into
// Gatehouse's own models.
func TestNobodyLinksGatewayModels(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		_, err := eng.Create(context.Background(), admin, "ir.model.fields", []backend.Values{{
			"model": "res.partner", "name": "x_key_id", "ttype": "many2one", "relation": "gateway.key",
		}})
		want(t, err, fault.Unprocessable, "not open to custom fields")
	})
}
