package sqldb

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestPlainAtHome(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for _, test := range []struct {
		url          string
		plain, again bool // the first attempt is without TLS; there is a second one
	}{
		{"postgres://u@127.0.0.1/db", true, true},
		{"postgres://u@localhost/db", true, true},
		{"host=::1 user=u", true, true},
		{"postgres://u@127.0.0.1/db?sslmode=require", false, false},
		{"postgres://u@127.0.0.1/db?sslmode=prefer", false, true},
		{"postgres://u@127.0.0.1/db?sslmode=disable", true, false},
		{"postgres://u@db.example/db", false, true},
		{"postgres://u@127.0.0.1,db.example/db", false, true},
	} {
		config, err := pgconn.ParseConfig(test.url)
		if err != nil {
			t.Fatal(err)
		}
		plainAtHome(config, test.url)
		if got := config.TLSConfig == nil; got != test.plain {
			t.Errorf("%s: without TLS is %v, want %v", test.url, got, test.plain)
		}
		if got := len(config.Fallbacks) > 0; got != test.again {
			t.Errorf("%s: a second attempt is %v, want %v", test.url, got, test.again)
		}
		if test.plain && test.again && config.Fallbacks[0].TLSConfig == nil {
			t.Errorf("%s: the second attempt is not by TLS", test.url)
		}
	}
}
