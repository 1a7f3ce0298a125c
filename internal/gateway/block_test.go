package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
)

// block makes a block and fails the test if that is refused.
func block(t *testing.T, eng *record.Engine, who *backend.Caller, values backend.Values) int64 {
	t.Helper()
	created, err := eng.Create(context.Background(), who, "gateway.block", []backend.Values{values})
	if err != nil {
		t.Fatal(err)
	}
	return created.IDs[0]
}

// field reads a field of a block, ended or not.
func field(t *testing.T, eng *record.Engine, id int64, name string) string {
	t.Helper()
	page := &backend.Page{}
	who := &backend.Caller{UserID: 2, Admin: true, Context: backend.Context{KeepArchived: true}}
	_, err := eng.Search(context.Background(), who, &backend.Query{Model: "gateway.block", IDs: []int64{id}, Fields: []string{name}}, page)
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("block %d: %d rows, %v", id, len(page.Rows), err)
	}
	return text(page.Get(0, name))
}

func text(v backend.Value) string {
	switch v.Kind {
	case backend.Bool:
		return map[int64]string{0: "no", 1: "yes"}[v.Int]
	case backend.Datetime:
		return v.Time().Format(time.DateTime)
	}
	return v.Text
}

// TestBlockByHand: an administrator blocks, changes, ends and finds again.
func TestBlockByHand(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		id := block(t, eng, admin, backend.Values{
			"address": " 192.0.2.7/24\n", "reason": "scraper", "violations": int64(99), "by": "somebody", "active": false, "unblocked_by": "x",
		})
		for name, want := range map[string]string{
			"address": "192.0.2.0/24", "reason": "scraper", "by": "admin", "active": "yes", "unblocked_by": "", "until": "",
		} {
			if got := field(t, eng, id, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if at, err := time.Parse(time.DateTime, field(t, eng, id, "blocked_at")); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("blocked at %v (%v)", at, err)
		}
		_, err := eng.Create(ctx, admin, "gateway.block", []backend.Values{{"address": "192.0.2.99/24"}})
		want(t, err, fault.Unprocessable, "192.0.2.0/24 is blocked already, by block")

		write := func(values backend.Values) error {
			return eng.Write(ctx, admin, "gateway.block", []int64{id}, values)
		}
		if err := write(backend.Values{"note": "asked them", "until": "2999-01-01 00:00:00"}); err != nil {
			t.Fatal(err)
		}
		want(t, write(backend.Values{"active": false}), fault.Forbidden, "not active; the method unblock ends it")
		want(t, write(backend.Values{"address": "192.0.2.8"}), fault.Forbidden, "not address")
		want(t, write(backend.Values{"by": "x"}), fault.Forbidden, "not by")
		want(t, write(backend.Values{"until": "2001-01-01 00:00:00"}), fault.BadRequest, "in the past")
		want(t, eng.Unlink(ctx, admin, "gateway.block", []int64{id}), fault.Unprocessable, "unblock it first")

		unblock := func(args backend.Values) error {
			_, err := eng.Call(ctx, admin, "gateway.block", "unblock", []int64{id}, args)
			return err
		}
		want(t, unblock(backend.Values{"note": int64(7)}), fault.BadRequest, "The note must be")
		want(t, unblock(backend.Values{"note": strings.Repeat("x", 2001)}), fault.BadRequest, "The note must be")
		if err := unblock(backend.Values{"note": "they stopped"}); err != nil {
			t.Fatal(err)
		}
		at := field(t, eng, id, "unblocked_at")
		if field(t, eng, id, "active") != "no" || field(t, eng, id, "unblocked_by") != "admin" || field(t, eng, id, "note") != "they stopped" || at == "" {
			t.Error("the end of the block is not written down")
		}
		if err := unblock(nil); err != nil || field(t, eng, id, "note") != "they stopped" {
			t.Errorf("to unblock again: %v", err)
		}
		want(t, write(backend.Values{"until": "2999-01-02 00:00:00"}), fault.Unprocessable, "stays so")
		block(t, eng, admin, backend.Values{"address": "192.0.2.0/24"}) // and may be blocked anew
		if err := eng.Unlink(ctx, admin, "gateway.block", []int64{id}); err != nil {
			t.Errorf("delete an ended block: %v", err)
		}
	})
}

func TestWhatCannotBeBlocked(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		for address, why := range map[string]string{
			"": "Missing required field: address", "example.com": `"example.com" is not one IP address`,
			"10.0.0.1,10.0.0.2": "is not one IP address", "0.0.0.0/0": "is everybody", "::/0": "is everybody",
			"127.0.0.1": "127.0.0.1 is never blocked", "127.1.0.0/16": "never blocked", "::ffff:127.0.0.1": "never blocked",
		} {
			_, err := eng.Create(context.Background(), admin, "gateway.block", []backend.Values{{"address": address}})
			want(t, err, fault.BadRequest, why)
		}
		_, err := eng.Create(context.Background(), admin, "gateway.block", []backend.Values{{"address": "192.0.2.1", "until": "2001-01-01 00:00:00"}})
		want(t, err, fault.BadRequest, "in the past")
		_, err = eng.Create(context.Background(), &backend.Caller{UserID: 2}, "gateway.block", []backend.Values{{"address": "192.0.2.1"}})
		want(t, err, fault.NotFound, "gateway.block")
	})
}

// TestBlocksTakeEffect: what the records say, requests feel, and who is
// unblocked begins anew.
func TestBlocksTakeEffect(t *testing.T) {
	onBothStores(t, func(t *testing.T, eng *record.Engine, blocks *throttle.Blocks, admin *backend.Caller) {
		ctx := context.Background()
		id := block(t, eng, admin, backend.Values{"address": "2001:db8::/48"})
		eventually(t, "the network is blocked", func() bool { return blocked(blocks, "2001:db8::7") })
		if _, err := eng.Call(ctx, admin, "gateway.block", "unblock", []int64{id}, nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the network is free", func() bool { return !blocked(blocks, "2001:db8::7") })

		violate(blocks, "192.0.2.7", 3)
		eventually(t, "violations block", func() bool { return blocked(blocks, "192.0.2.7") })
		page := &backend.Page{}
		eventually(t, "the block is listed", func() bool {
			page = &backend.Page{}
			_, err := eng.Search(ctx, admin, &backend.Query{Model: "gateway.block", Fields: []string{"id", "by"}}, page)
			return err == nil && len(page.Rows) == 1 && text(page.Get(0, "by")) == "automatic"
		})
		if _, err := eng.Call(ctx, admin, "gateway.block", "unblock", []int64{page.Get(0, "id").Int}, nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the address is free", func() bool { return !blocked(blocks, "192.0.2.7") })
		violate(blocks, "192.0.2.7", 2)
		if err := blocks.Close(ctx); err != nil { // writes what was counted
			t.Fatal(err)
		}
		if blocked(blocks, "192.0.2.7") {
			t.Error("old violations count again")
		}
	})
}
