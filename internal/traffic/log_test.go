package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// stored reads columns of the log as texts, in the order in which it was written.
func stored(t testing.TB, db sqldb.DB, columns ...string) (rows [][]string) {
	t.Helper()
	err := db.Read(context.Background(), func(q sqldb.Querier) error {
		return q.Query(context.Background(), "select "+strings.Join(columns, ", ")+" from gateway_log order by id", nil, func(r sqldb.Row) error {
			row := make([]string, len(columns))
			for i := range row {
				row[i] = r.Text(i)
			}
			rows = append(rows, row)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestLevels(t *testing.T) {
	for _, test := range []struct {
		global setting.LogLevel
		own    string
		status int
		want   string // "" is not kept
	}{
		{setting.LogErrors, "", 200, ""},
		{setting.LogErrors, "", 404, "errors"},
		{setting.LogErrors, "", 399, ""},
		{setting.LogMetadata, "", 200, "metadata"},
		{setting.LogFull, "", 200, "full"},
		{setting.LogErrors, "full", 200, "full"},
		{setting.LogFull, "errors", 200, ""},
		{setting.LogFull, "metadata", 500, "metadata"},
		{setting.LogErrors, "nonsense", 200, ""},
	} {
		level, kept := levelOf(&Event{LogLevel: test.own, Status: test.status}, test.global)
		if got := map[bool]string{true: string(level)}[kept]; got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
	columns := logColumns()
	for _, f := range logModel().Fields {
		if !slices.Contains(columns, f.Name) {
			t.Errorf("the field %s is not written", f.Name)
		}
	}
}

func TestLogRecord(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		r := node(t, db, setting.LogFull)
		long := strings.Repeat("ä", maxBody)
		e := &Event{
			Time: testNow, RequestID: "abc", Method: "POST", Path: "/api/v1/x\x00\xff", Route: "/api/v1/{model}", Model: "res.partner",
			Query: "limit=1&token=hidden", Status: 500, Latency: 12345 * time.Microsecond, Steps: []time.Duration{0, time.Millisecond},
			StepNames: []string{"receive", "identify"}, BytesIn: 10, BytesOut: 1 << 40, UserAgent: "test", UserID: 7, Login: "u",
			Credential: "api_key", CredentialID: 3, ErrorType: "internal_error", ErrorMessage: "Internal server error", Cause: errors.New("password=hidden"),
			Stack: "goroutine 1", Header: http.Header{"Authorization": {"Bearer hidden"}, "Content-Type": {"application/json"}},
			RequestBody: []byte(`{"password":"hidden","name":"x"}`), ResponseBody: []byte(long),
		}
		r.Observe(e)
		copy(e.RequestBody, "overwritten") // as the pipeline does
		r.Observe(&Event{Time: testNow, Status: 200, RequestBody: []byte{0xff, 0xfe}, ResponseBody: []byte("{}")})
		r.Observe(&Event{Time: testNow, Status: 200, LogLevel: "metadata", RequestBody: []byte("{}"), ResponseBody: []byte("{}")})
		flush(t, r)
		rows := stored(t, db, logColumns()...)
		if len(rows) != 3 {
			t.Fatalf("%d rows", len(rows))
		}
		got := map[string]string{}
		for i, name := range logColumns() {
			got[name] = rows[0][i]
		}
		for name, want := range map[string]string{
			"create_date": "2026-03-15 14:30:00", "request_id": "abc", "method": "POST", "path": "/api/v1/x\uFFFD", "route": "/api/v1/{model}",
			"query": "limit=1&token=**********", "status": "500", "latency_ms": "12.345", "steps": `{"identify":1}`, "bytes_in": "10",
			"bytes_out": "2147483647", "user_id": "7", "caller": "key:3", "credential": "api_key", "error_message": "Internal server error: password=**********",
			"request_body": `{"password":"**********","name":"x"}`, "level": "full",
		} {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
		var headers map[string]string
		if err := json.Unmarshal([]byte(got["request_headers"]), &headers); err != nil || headers["Authorization"] != "Bearer **********" {
			t.Errorf("%v %s", err, got["request_headers"])
		}
		if n := len(got["response_body"]); n < maxBody-10 || n > maxBody+20 {
			t.Errorf("%d bytes of the answer were kept", n)
		}
		body := slices.Index(logColumns(), "request_body")
		if rows[1][body] != "" || rows[1][body+1] != "{}" || rows[2][body] != "" || rows[2][body+1] != "" {
			t.Errorf("bodies: %q %q", rows[1], rows[2])
		}
	})
}

// TestLogAgreesWithRollups: at level metadata each total of a report is the
// number of the log's rows.
func TestLogAgreesWithRollups(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		r := node(t, db, setting.LogMetadata)
		r.Start(context.Background())
		random := rand.New(rand.NewPCG(1, 2))
		for range 3000 {
			r.Observe(invented(random))
		}
		if err := r.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		again := node(t, db, setting.LogMetadata)
		for range 500 {
			again.Observe(invented(random))
		}
		flush(t, again)
		report := ask(t, again, Question{Range: "1y"})
		counts, micros := map[string]int64{}, 0.0
		for _, row := range stored(t, db, "status", "cast(round(latency_ms * 1000) as bigint)") {
			var status, us int
			if err := errors.Join(json.Unmarshal([]byte(row[0]), &status), json.Unmarshal([]byte(row[1]), &us)); err != nil {
				t.Fatal(err)
			}
			counts[classNames[classOf(status)]]++
			micros += float64(us)
		}
		for name, n := range report.StatusClasses {
			if counts[name] != n {
				t.Errorf("%s: %d in the rollups, %d in the log", name, n, counts[name])
			}
		}
		if report.KPIs.TotalRequests != 3500 || *report.KPIs.MeanMS != round(micros/3500/1000, 3) {
			t.Errorf("%+v, mean %v", report.KPIs, micros/3500/1000)
		}
		if r.queue.dropped.Load() != 0 || r.queue.written.Load() != 3000 || r.queue.bytes.Load() != 0 {
			t.Errorf("dropped %d, written %d", r.queue.dropped.Load(), r.queue.written.Load())
		}
	})
}

// away is a store that cannot be reached for a while.
type away struct {
	sqldb.DB
	away bool
}

func (a *away) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	if a.away {
		return sqldb.ErrUnavailable
	}
	return a.DB.Write(ctx, fn)
}

// TestStoreAway: nobody waits for a store that is away; what has no room is
// counted as dropped, the rest is written later, and no request is lost to the
// rollups.
func TestStoreAway(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		r := node(t, db, setting.LogMetadata)
		store := &away{db, true}
		r.db = store
		const more = 100
		for i := range maxQueued + logBatch + more {
			r.Observe(&Event{Time: testNow, Status: 200, Method: "GET", Route: "/x"})
			if i == maxQueued-1 {
				if err := r.Flush(context.Background()); !errors.Is(err, sqldb.ErrUnavailable) {
					t.Fatal(err)
				}
			}
		}
		if got := r.queue.dropped.Load(); got != more {
			t.Errorf("%d dropped, want %d", got, more)
		}
		store.away = false
		flush(t, r)
		if got := ask(t, r, Question{}).KPIs.TotalRequests; got != maxQueued+logBatch+more {
			t.Errorf("%d requests in the rollups", got)
		}
		if got := len(stored(t, db, "id")); got != maxQueued+logBatch {
			t.Errorf("%d rows in the log", got)
		}
	})
}

func TestLogIsWrittenOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		r := node(t, db, setting.LogMetadata)
		r.db = &lostAnswer{db, 1}
		r.Observe(&Event{Time: testNow, Status: 200})
		if err := r.writeLog(context.Background()); err == nil {
			t.Fatal("the commit's answer was not lost")
		}
		r.Observe(&Event{Time: testNow, Status: 201})
		flush(t, r)
		if got := stored(t, db, "status"); len(got) != 2 {
			t.Errorf("%v", got)
		}
	})
}

func TestVacuum(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		r := node(t, db, setting.LogMetadata)
		for _, days := range []int{0, 1, 29, 30, 31, 32, 400} {
			for range 3 {
				r.Observe(&Event{Time: testNow.AddDate(0, 0, -days), Status: 200, Method: "GET", Route: "/x"})
			}
		}
		flush(t, r)
		if _, err := LogVacuum(ctx, db, 30, testNow); err != nil {
			t.Fatal(err)
		}
		if got := len(stored(t, db, "id")); got != 12 {
			t.Errorf("%d rows are left, want those of 4 days", got)
		}
		r.Observe(&Event{Time: testNow.AddDate(0, 0, -31), Status: 200}) // its partition is gone
		flush(t, r)
		if got := len(stored(t, db, "id")); got != 13 {
			t.Errorf("%d rows", got)
		}
		before := ask(t, r, Question{Range: "1y"}).KPIs.TotalRequests
		if _, err := RollupVacuum(ctx, db, testNow); err != nil {
			t.Fatal(err)
		}
		if after := ask(t, r, Question{Range: "1y"}).KPIs.TotalRequests; after != before || after != 19 {
			t.Errorf("%d requests, before %d", after, before)
		}
		for l, want := range map[level]int64{minutes: 4, hours: 12, days: 16} { // rows of everybody and of anonymous
			var n int64
			err := db.Read(ctx, func(q sqldb.Querier) error {
				return q.Query(ctx, `select count(*) from gateway_traffic where level = $1`, []any{int64(l)}, func(r sqldb.Row) error { n = r.Int(0); return nil })
			})
			if err != nil || n > want || n == 0 {
				t.Errorf("level %d: %d rows (%v)", l, n, err)
			}
		}
	})
}

// TestObserveAllocates: what is not logged costs no memory.
func TestObserveAllocates(t *testing.T) {
	r := node(t, sqltest.Open(t, "sqlite"), setting.LogErrors)
	e := invented(rand.New(rand.NewPCG(1, 2)))
	e.Status = 200
	for range 1000 {
		r.Observe(e)
	}
	if n := testing.AllocsPerRun(1000, func() { r.Observe(e) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
