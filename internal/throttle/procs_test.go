package throttle

import (
	"os"
	"testing"
	"time"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// eachStore gives a fresh store with the tables, and nodes on it.
func eachStore(t *testing.T, fn func(t *testing.T, db sqldb.DB, nodes []*node)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db, where := sqltest.Fresh(t, dialect)
			if err := schema.Sync(t.Context(), db, Models()); err != nil {
				t.Fatal(err)
			}
			nodes := make([]*node, nodeCount)
			for i := range nodes {
				nodes[i] = startNode(t, dialect, where)
			}
			fn(t, db, nodes)
		})
	}
}

// pushTime is how long nodes push in the tests of windows that pass. A longer
// time sees more windows.
func pushTime(t *testing.T) time.Duration {
	text := os.Getenv("GATEHOUSE_TEST_THROTTLE_TIME")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pushed are the targets of those tests: one window each.
func pushed() []target {
	return []target{
		{"of:10", []Window{{"second", 1, 10}}},
		{"of:100", []Window{{"second", 1, 100}}},
		{"of:1000", []Window{{"second", 1, 1000}}},
		{"of:10000", []Window{{"five seconds", 5, 10_000}}},
	}
}

// windowCounts gives what the store has counted for targets of one window.
func windowCounts(t *testing.T, db sqldb.DB, targets []target) map[window]int64 {
	t.Helper()
	counts := map[window]int64{}
	for i, to := range targets {
		err := db.Read(t.Context(), func(q sqldb.Querier) error {
			return q.Query(t.Context(), `select window_start, count from gateway_throttle where subject = $1`, []any{to.Subject}, func(r sqldb.Row) error {
				counts[window{i, r.Time(0).Unix()}] = r.Int(1)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return counts
}

// Four processes with 16 callers each push four limits through several
// windows. In every window exactly min(sent, limit) get through, and the store
// has counted exactly those.
func TestProcesses(t *testing.T) {
	eachStore(t, func(t *testing.T, db sqldb.DB, nodes []*node) {
		targets, both := pushed(), target{"of:both", []Window{{"second", 1, 40}, {"three", 3, 70}}}
		for _, n := range nodes {
			if err := n.orders.Encode(order{Targets: append(targets, both), For: pushTime(t)}); err != nil {
				t.Fatal(err)
			}
		}
		admitted, sent, together := map[window]int64{}, map[window]int64{}, int64(0)
		for _, n := range nodes {
			<-n.done
			n.end(t)
			for w, count := range n.admitted {
				if w.Target == len(targets) {
					together += count
					continue
				}
				admitted[w] += count
				sent[w] += count
			}
			for w, count := range n.refused {
				sent[w] += count
			}
		}
		counts := windowCounts(t, db, targets)
		full := map[int]int{}
		for w, count := range counts {
			limit := targets[w.Target].Windows[0].Limit
			if got := admitted[w]; got != min(sent[w], limit) || got != count {
				t.Errorf("limit %d, window %d: %d admitted of %d sent, %d counted", limit, w.Start, got, sent[w], count)
			}
			if count == limit {
				full[w.Target]++
			}
		}
		if len(admitted) > len(counts) || full[0] < 2 || full[1] < 1 || full[2] < 1 {
			t.Errorf("full windows by target: %v; %d windows answered, %d counted", full, len(admitted), len(counts))
		}
		t.Logf("full windows by target: %v of %d", full, len(counts))
		checkBoth(t, db, both, together)
	})
}

// checkBoth looks at a target of two windows: each has counted those who came
// through both, and no more than its limit.
func checkBoth(t *testing.T, db sqldb.DB, both target, admitted int64) {
	t.Helper()
	for _, w := range both.Windows {
		total := int64(0)
		err := db.Read(t.Context(), func(q sqldb.Querier) error {
			return q.Query(t.Context(), `select count from gateway_throttle where subject = $1 and window_seconds = $2`,
				[]any{both.Subject, w.Seconds}, func(r sqldb.Row) error {
					if total += r.Int(0); r.Int(0) > w.Limit {
						t.Errorf("%d in a window of %d", r.Int(0), w.Limit)
					}
					return nil
				})
		})
		if err != nil || total != admitted || admitted == 0 {
			t.Errorf("%s: %d counted, %d admitted (%v)", w.Name, total, admitted, err)
		}
	}
}

// One of the nodes is killed in the middle. What it had counted and could not
// answer any more stays counted: at most one request per caller. Nobody gets
// more than the limit for it, and the others go on.
func TestProcessKilled(t *testing.T) {
	eachStore(t, func(t *testing.T, db sqldb.DB, nodes []*node) {
		targets := pushed()
		for _, n := range nodes {
			if err := n.orders.Encode(order{Targets: targets, For: pushTime(t)}); err != nil {
				t.Fatal(err)
			}
		}
		killed := nodes[nodeCount-1]
		<-killed.some
		killed.Kill(t)
		at := time.Now().Unix()
		admitted := map[window]int64{}
		for _, n := range nodes {
			if _, alive := <-n.done; alive {
				n.end(t)
			} else if n != killed {
				n.Wait(t)
				t.Error("a node ended by itself")
			}
			for w, count := range n.admitted {
				admitted[w] += count
			}
		}
		var lost, later int64
		for w, count := range windowCounts(t, db, targets) {
			if limit := targets[w.Target].Windows[0].Limit; count > limit || admitted[w] > count {
				t.Errorf("limit %d, window %d: %d admitted, %d counted", limit, w.Start, admitted[w], count)
			}
			if lost += count - admitted[w]; w.Start > at {
				later += admitted[w]
			}
		}
		if lost > nodeCallers || later == 0 {
			t.Errorf("%d counted without an answer; %d admitted in the windows after the kill", lost, later)
		}
		t.Logf("%d counted without an answer", lost)
	})
}

// pushEach has every node send so many requests, each by the limit that it
// knows, and gives the number that gets through.
func pushEach(t *testing.T, nodes []*node, subject string, requests int64, limits ...int64) (admitted int64) {
	t.Helper()
	for i, n := range nodes {
		admitted -= n.answers.Load()
		o := order{Targets: []target{{subject, []Window{long(limits[i])}}}, Requests: requests}
		if err := n.orders.Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		if _, alive := <-n.done; !alive {
			n.Wait(t)
			t.Fatal("a node ended by itself")
		}
		admitted += n.answers.Load()
	}
	return admitted
}

// Of 12,000 requests that four processes send as fast as they can, exactly
// 10,000 get through, and all of 9,000 do.
func TestProcessesTenThousand(t *testing.T) {
	eachStore(t, func(t *testing.T, db sqldb.DB, nodes []*node) {
		const limit = 10_000
		for subject, requests := range map[string]int64{"of:more": 3000, "of:less": 2250} {
			got := pushEach(t, nodes, subject, requests, limit, limit, limit, limit)
			count, _ := stored(t, db, subject, "decade")
			if want := min(nodeCount*requests, limit); got != want || count != want {
				t.Errorf("%d admitted, %d counted, want %d", got, count, want)
			}
		}
		for _, n := range nodes {
			n.end(t)
		}
	})
}

// The limit changes midway. Never more than the larger gets through; when all
// nodes know it, exactly the new one.
func TestProcessesLimitChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, db sqldb.DB, nodes []*node) {
		admitted := int64(0)
		for _, step := range []struct {
			limits      []int64
			least, most int64 // admitted since the beginning
		}{
			{[]int64{250, 250, 250, 250}, 250, 250},
			{[]int64{250, 400, 400, 250}, 400, 400}, // two know it: each sends 300, of which 150 have room
			{[]int64{900, 600, 600, 600}, 600, 900},
			{[]int64{900, 900, 900, 900}, 900, 900},
			{[]int64{100, 100, 100, 100}, 900, 900},
		} {
			admitted += pushEach(t, nodes, "of:changing", 300, step.limits...)
			count, _ := stored(t, db, "of:changing", "decade")
			if admitted < step.least || admitted > step.most || admitted != count {
				t.Errorf("with limits of %v: %d admitted, %d counted", step.limits, admitted, count)
			}
		}
		for _, n := range nodes {
			n.end(t)
		}
	})
}
