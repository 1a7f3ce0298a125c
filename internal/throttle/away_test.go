package throttle

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// away checks that 64 callers who come while the store does not answer are all
// told so before long, that the next one does not wait at all, and that who is
// over his limit is still refused as such.
func away(t *testing.T, l *Limiter) {
	t.Helper()
	var all sync.WaitGroup
	began := time.Now()
	for i := range 64 {
		all.Go(func() {
			subject := "key:" + string(rune('a'+i%8))
			d, err := l.Take(context.Background(), subject, []Window{long(5)})
			if f := fault.From(err); err == nil || d.Allowed || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > l.timeout+3*time.Second {
		t.Errorf("64 callers waited %v", took)
	}
	began = time.Now()
	if _, err := l.Take(context.Background(), "key:late", []Window{long(5)}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if took := time.Since(began); took >= l.timeout {
		t.Errorf("the next one waited %v", took)
	}
	if d := take(t, l, "key:full", long(1)); d.Allowed || d.Limit != 1 {
		t.Errorf("over the limit: %+v", d)
	}
}

func awayLimiter(t *testing.T, db sqldb.DB) (*Limiter, *clock.Moving, *strings.Builder) {
	t.Helper()
	if err := schema.Sync(t.Context(), db, Models()); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	clock := clock.NewMoving(time.Now())
	l := New(db, Options{Timeout: 300 * time.Millisecond, Clock: clock, Log: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(l.Close)
	take(t, l, "key:full", long(1))
	return l, clock, &log
}

// A PostgreSQL that hangs, comes back, and then refuses connections.
func TestPostgresAway(t *testing.T) {
	_, where := sqltest.Postgres(t)
	u, err := url.Parse(where)
	if err != nil || u.Port() == "" {
		t.Skip("the test database is not named by a URL")
	}
	p := sqltest.StartProxy(t, u.Host)
	u.Host = p.Addr()
	db, err := sqldb.OpenPostgres(t.Context(), u.String(), sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, clock, log := awayLimiter(t, db)
	p.Hold(true)
	away(t, l)
	p.Hold(false)
	clock.Pass(2 * retryAfter)
	if d := take(t, l, "key:a", long(5)); !d.Allowed {
		t.Errorf("when it is back: %+v", d)
	}
	if got := log.String(); strings.Count(got, "does not count") != 1 || strings.Count(got, "counts requests again") != 1 {
		t.Errorf("log: %s", got)
	}
	p.Refuse()
	away(t, l)
	l.Close()
	_ = db.Close()
}

// A SQLite file that another process holds, and then a closed one.
func TestSQLiteAway(t *testing.T) {
	db, other := sqltest.Pair(t, "sqlite")
	l, clock, _ := awayLimiter(t, db)
	locked, release := make(chan bool), make(chan bool)
	var holder sync.WaitGroup
	holder.Go(func() {
		err := other.Write(context.Background(), func(sqldb.Tx) error {
			locked <- true
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-locked
	away(t, l)
	close(release)
	holder.Wait()
	clock.Pass(2 * retryAfter)
	if d := take(t, l, "key:a", long(5)); !d.Allowed {
		t.Errorf("when it is back: %+v", d)
	}
	l.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	away(t, l)
}
