// Package businesstest gives tests databases of the built-in models.
package businesstest

import (
	"context"

	"gatehouse/internal/business"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// Seeded is a database with the tables of the built-in models, and of others,
// and the first records. An engine that is opened on a copy, and seeded, finds
// nothing left to do, unless it has models of its own.
func Seeded(others ...*schema.Model) *sqltest.Filled {
	return &sqltest.Filled{Fill: func(ctx context.Context, db sqldb.DB, _ string) error {
		eng, err := record.Open(ctx, db, record.Options{
			Models: append(business.Models(), others...), Logics: business.Logics(business.Options{HashPassword: plainHash}),
		})
		if err != nil {
			return err
		}
		defer eng.Close()
		return eng.Sudo(ctx, business.Seed)
	}}
}

// plainHash stands in for the real one, which takes its time on purpose.
func plainHash(plain string) (string, error) { return "test$" + plain, nil }
