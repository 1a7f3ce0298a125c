package traffic

import (
	"context"
	"testing"

	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb/sqltest"
)

// TestNodesTellEachOther: a tick has what all nodes of a PostgreSQL did.
func TestNodesTellEachOther(t *testing.T) {
	a, b := sqltest.Pair(t, "postgres")
	ctx := context.Background()
	here, there := node(t, a, setting.LogErrors), node(t, b, setting.LogErrors)
	here.live.asked.Store(testNow.Unix())
	send := func(r *Recorder, n int) {
		for range n {
			r.Observe(&Event{Time: testNow, Status: 500, Method: "GET", Route: "/x"})
		}
		r.collect()
		r.tick(ctx)
	}
	send(there, 5)
	send(here, 1) // hears of the other for the first time: what it did before is no news
	send(there, 3)
	send(there, 4) // two seconds of it between two of ours
	send(here, 2)
	if got := here.live.last(1); got.requests != 9 || got.serverErrors != 9 {
		t.Errorf("the tick has %+v, want 9 requests", got)
	}
	send(here, 0)
	if got := here.live.last(1); got.requests != 0 {
		t.Errorf("a quiet second has %+v", got)
	}
	if got := there.live.last(1); got.requests != 4 {
		t.Errorf("who is asked nothing fetches nothing: %+v", got)
	}
}
