package gateway_test

import (
	"context"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// TestBlocksByHand: an administrator blocks, changes and ends blocks; what
// Gatehouse keeps about them is not his to write.
func TestBlocksByHand(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		create := func(v backend.Values) (int64, error) {
			created, err := eng.Create(ctx, admin, "gateway.block", []backend.Values{v})
			if err != nil {
				return 0, err
			}
			return created.IDs[0], nil
		}
		id, err := create(backend.Values{"address": "192.0.2.77/24", "note": "scanner"})
		if err != nil {
			t.Fatal(err)
		}
		page := &backend.Page{}
		read := func() {
			t.Helper()
			page = &backend.Page{}
			_, err := eng.Search(ctx, admin, &backend.Query{Model: "gateway.block", IDs: []int64{id}, Fields: []string{"address", "reason", "by", "active", "unblocked_by", "until"}}, page)
			if err != nil || len(page.Rows) != 1 {
				t.Fatalf("read: %v", err)
			}
		}
		read()
		if got := page.Get(0, "address").Text; got != "192.0.2.0/24" {
			t.Errorf("address %s", got)
		}
		if by := page.Get(0, "by").Text; by != "admin" {
			t.Errorf("blocked by %q", by)
		}
		_, err = create(backend.Values{"address": "192.0.2.0/24"})
		want(t, err, fault.Conflict, "blocked already")
		for _, bad := range []struct {
			values backend.Values
			part   string
		}{
			{backend.Values{"note": "x"}, "Missing required field: address"},
			{backend.Values{"address": "nonsense"}, "is not one IP address"},
			{backend.Values{"address": "0.0.0.0/0"}, "is everybody"},
			{backend.Values{"address": "198.51.100.1", "until": "2001-01-01 00:00:00"}, "in the past"},
			{backend.Values{"address": "198.51.100.1", "violations": int64(3)}, "itself keeps"},
			{backend.Values{"address": "198.51.100.1", "by": "somebody"}, "itself keeps"},
		} {
			_, err := create(bad.values)
			want(t, err, fault.BadRequest, bad.part)
		}
		want(t, eng.Write(ctx, admin, "gateway.block", []int64{id}, backend.Values{"address": "192.0.2.1"}), fault.BadRequest, "cannot be changed")
		want(t, eng.Write(ctx, admin, "gateway.block", []int64{id}, backend.Values{"active": false}), fault.BadRequest, "unblock")
		if err := eng.Write(ctx, admin, "gateway.block", []int64{id}, backend.Values{"until": "2999-01-01 00:00:00"}); err != nil {
			t.Error(err)
		}
		for range 2 { // the second time changes nothing
			if _, err := eng.Call(ctx, admin, "gateway.block", "unblock", []int64{id}, nil); err != nil {
				t.Fatal(err)
			}
		}
		read()
		if page.Get(0, "active").Int != 0 || page.Get(0, "unblocked_by").Text != "admin" {
			t.Errorf("after unblock: %+v", page.Rows[0])
		}
		want(t, eng.Write(ctx, admin, "gateway.block", []int64{id}, backend.Values{"until": "2999-01-02 00:00:00"}), fault.Unprocessable, "has ended")
		if _, err := create(backend.Values{"address": "192.0.2.0/24"}); err != nil {
			t.Errorf("an ended block does not stand in the way: %v", err)
		}
		_, err = eng.Create(ctx, &backend.Caller{UserID: admin.UserID}, "gateway.block", []backend.Values{{"address": "192.0.2.9"}})
		if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			t.Errorf("without the scope admin: %v", err)
		}
	})
}
