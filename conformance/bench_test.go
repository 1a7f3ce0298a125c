package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb/sqltest"
)

// corpusFolder is where tests find the recordings; they are skipped without.
func corpusFolder(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("GATEHOUSE_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "odoo19")
	}
	if _, err := os.Stat(filepath.Join(dir, "database.sql.gz")); err != nil {
		tb.Skipf("no recordings of a real Odoo in %s; GATEHOUSE_CORPUS names their folder", dir)
	}
	return dir
}

// testServer is the PostgreSQL server of the tests.
func testServer(tb testing.TB) string {
	tb.Helper()
	_, where := sqltest.Postgres(tb)
	u, err := url.Parse(where)
	if err != nil {
		tb.Fatal(err)
	}
	u.RawQuery = ""
	return u.String()
}

// loadedCorpus opens the recordings and loads their database.
func loadedCorpus(tb testing.TB) *corpus {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs on a whole recorded database")
	}
	c, err := openCorpus(context.Background(), corpusFolder(tb), testServer(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// BenchmarkRegistry reads the registry of the recorded database: 428 models
// with 8,087 fields. It is to take under 300 ms.
func BenchmarkRegistry(b *testing.B) {
	c := loadedCorpus(b)
	for b.Loop() {
		engine, err := openGenuine(context.Background(), c.db)
		if err != nil {
			b.Fatal(err)
		}
		engine.Close()
	}
}

// BenchmarkSearchRead reads 80 partners with ten fields as a salesman whom
// record rules bind, from a plan that is there already.
func BenchmarkSearchRead(b *testing.B) {
	c := loadedCorpus(b)
	ctx := context.Background()
	engine, err := openGenuine(ctx, c.db)
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	q := &backend.Query{
		Model: "res.partner", DomainText: `[("active", "=", true)]`, Limit: 80,
		Fields: []string{"name", "email", "phone", "street", "city", "zip", "country_id", "parent_id", "is_company", "create_date"},
	}
	ask := func() {
		var rows counter
		if _, err := engine.Search(ctx, &backend.Caller{UserID: c.users["c_own"]}, q, &rows); err != nil || rows != 80 {
			b.Errorf("%d rows, %v", rows, err)
		}
	}
	ask() // compiles
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ask()
		}
	})
}

// counter is a sink that only counts.
type counter int

func (*counter) Columns([]backend.Column) error { return nil }
func (n *counter) Row([]backend.Value) error    { *n++; return nil }
