package traffic

import (
	"context"
	"errors"
	"testing"
	"time"

	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestDemo(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		r := node(t, db, setting.LogErrors)
		began := time.Now()
		if err := Demo(ctx, db, testNow, []int64{2, 7}, nil, []int64{3}); err != nil {
			t.Fatal(err)
		}
		t.Logf("written in %s", time.Since(began))
		if err := Demo(ctx, db, testNow, nil, nil, nil); !errors.Is(err, ErrHasTraffic) {
			t.Errorf("over traffic that is there: %v", err)
		}
		for _, span := range []string{"24h", "30d", "1y"} {
			got := ask(t, r, Question{Range: span})
			empty, sum := 0, int64(0)
			for _, p := range got.Traffic {
				sum += p.Total
				if p.Total == 0 {
					empty++
				}
			}
			if sum != got.KPIs.TotalRequests || sum < 5000 || empty > 10 {
				t.Errorf("%s: %d requests, %d in the series, %d empty points", span, got.KPIs.TotalRequests, sum, empty)
			}
			if len(got.TopEndpoints) != 5 || len(got.SlowestEndpoints) != 10 || len(got.TopIPs) != 10 || len(got.Methods) != 5 || len(got.Callers) < 10 ||
				got.Health.Level != "good" || *got.KPIs.ErrorRate < 1 || *got.KPIs.P99MS < *got.KPIs.P50MS {
				t.Errorf("%s: %+v", span, got)
			}
		}
		if got := len(stored(t, db, "id")); got != demoLog {
			t.Errorf("%d entries in the log", got)
		}
		// Real traffic goes on from there.
		before := ask(t, r, Question{}).KPIs.TotalRequests
		r.Observe(&Event{Time: testNow, Status: 404, Method: "GET", Route: "/x"})
		flush(t, r)
		if after := ask(t, r, Question{}).KPIs.TotalRequests; after != before+1 {
			t.Errorf("%d requests after one more, %d before", after, before)
		}
	})
}
