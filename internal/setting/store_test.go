package setting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func open(t *testing.T, db sqldb.DB) *Store {
	t.Helper()
	s, err := Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestStore(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		ctx := t.Context()
		s, other := open(t, db), open(t, second)
		if got := s.Current().DefaultGetLimit; got != 80 {
			t.Fatalf("default %d", got)
		}
		before := s.Current()
		if err := s.Set(ctx, map[string]any{"default_get_limit": 20, "cors_origins": "https://a.example,https://b.example"}); err != nil {
			t.Fatal(err)
		}
		if got := s.Current(); got.DefaultGetLimit != 20 || len(got.CORSOrigins) != 2 {
			t.Errorf("not in effect at once: %+v", got)
		}
		if before.DefaultGetLimit != 80 {
			t.Error("a snapshot changed")
		}
		eventually(t, "the other node", func() bool { return other.Current().DefaultGetLimit == 20 })
		if got := open(t, db).Current(); got.DefaultGetLimit != 20 || len(got.CORSOrigins) != 2 {
			t.Errorf("not stored: %+v", got)
		}
		if err := s.Set(ctx, map[string]any{"default_get_limit": nil}); err != nil || s.Current().DefaultGetLimit != 80 {
			t.Errorf("not back to the default: %v, %+v", err, s.Current())
		}
		if err := s.Set(ctx, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestSetRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		s := open(t, db)
		err := s.Set(t.Context(), map[string]any{"default_get_limt": 3, "max_get_limit": 10})
		if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, "Unknown setting: default_get_limt; did you mean default_get_limit?") {
			t.Error(err)
		}
		err = s.Set(t.Context(), map[string]any{"something else": 3})
		if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, "known are default_get_limit, ") {
			t.Error(err)
		}
		err = s.Set(t.Context(), map[string]any{revision: "x"})
		if !fault.Is(err, fault.BadRequest) {
			t.Error(err)
		}
		err = s.Set(t.Context(), map[string]any{"log_level": "loud", "docs_public": "maybe", "max_get_limit": 500})
		if !fault.Is(err, fault.BadRequest) {
			t.Fatal(err)
		}
		details, _ := fault.From(err).Details.(fault.FieldErrors)
		if len(details) != 2 || details["log_level"] == "" || details["docs_public"] == "" {
			t.Errorf("details %v", details)
		}
		if got := s.Current().MaxGetLimit; got != 1000 {
			t.Errorf("a part of it was taken: %d", got)
		}
		// A pair that is right only together, and one that is wrong only together.
		if err := s.Set(t.Context(), map[string]any{"default_get_limit": 2000, "max_get_limit": 3000}); err != nil {
			t.Error(err)
		}
		if err := s.Set(t.Context(), map[string]any{"max_get_limit": nil}); !fault.Is(err, fault.BadRequest) {
			t.Errorf("the default is more than the most: %v", err)
		}
	})
}

// Two nodes that change what belongs together at once must not both win.
func TestSetIsSerial(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		a, b := open(t, db), open(t, second)
		for i := range 20 {
			if err := a.Set(t.Context(), map[string]any{"default_get_limit": 80, "max_get_limit": 1000}); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			both.Go(func() { report(t, a.Set(context.Background(), map[string]any{"default_get_limit": 500})) })
			both.Go(func() { report(t, b.Set(context.Background(), map[string]any{"max_get_limit": 100})) })
			both.Wait()
			s := open(t, db).Current()
			if s.DefaultGetLimit > s.MaxGetLimit {
				t.Fatalf("round %d: default %d, most %d", i, s.DefaultGetLimit, s.MaxGetLimit)
			}
		}
	})
}

// report lets only refusals pass.
func report(t *testing.T, err error) {
	if err != nil && !fault.Is(err, fault.BadRequest) {
		t.Error(err)
	}
}

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClose(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		s, err := Open(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if s.Current().MaxGetLimit != 1000 {
			t.Error("unreadable after Close")
		}
	})
}

func TestOpenFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, db); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("%s: not within two seconds", what)
}

func BenchmarkCurrent(b *testing.B) {
	s := &Store{}
	s.current.Store(defaults())
	b.ReportAllocs()
	for b.Loop() {
		if s.Current().MaxGetLimit != 1000 {
			b.Fatal(fmt.Sprint(s.Current()))
		}
	}
}
