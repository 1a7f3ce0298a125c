package business

import (
	"errors"
	"testing"
	"time"

	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// The demo is loaded once, quickly, and never into a database in use.
func TestDemoLoads(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		f := open(t, db)
		start := time.Now()
		f.sudo(Demo)
		t.Logf("demo: %v", time.Since(start).Round(time.Millisecond))

		admin := f.as("admin").in(1, 2)
		for _, c := range []struct {
			model, domain string
			min, max      int
		}{
			{"res.company", "[]", 2, 2},
			{"res.partner", "[]", 100, 130},
			{"product.template", "[]", 60, 60},
			{"product.template", "[('qty_available', '>', 0)]", 40, 60},
			{"product.template", "[('qty_available', '<', 0)]", 0, 0},
			{"sale.order", "[]", 200, 200},
			{"sale.order", "[('company_id', '=', 2)]", 20, 60},
			{"sale.order", "[('state', '=', 'draft')]", 3, 60},
			{"sale.order", "[('state', '=', 'sent')]", 3, 60},
			{"sale.order", "[('state', '=', 'cancel')]", 3, 60},
			{"sale.order", "[('state', '=', 'sale')]", 80, 180},
			{"sale.order", "[('amount_total', '<=', 0)]", 0, 0},
			{"sale.order", "[('amount_tax', '<=', 0)]", 0, 0},
			{"stock.picking", "[('state', '=', 'done')]", 50, 200},
			{"stock.picking", "[('state', 'not in', ['done', 'cancel'])]", 3, 100},
			{"crm.lead", "[]", 30, 40},
		} {
			if n := admin.count(c.model, c.domain); n < c.min || n > c.max {
				t.Errorf("%d of %s %s, want %d to %d", n, c.model, c.domain, c.min, c.max)
			}
		}
		old := admin.count("sale.order", "[('date_order', '<', '"+time.Now().AddDate(0, -6, 0).Format("2006-01-02")+"')]")
		if old < 20 {
			t.Errorf("only %d orders are older than half a year", old)
		}

		f.sudo(Demo) // once is enough
		if n := admin.count("sale.order", "[]"); n != 200 {
			t.Errorf("%d orders after a second load", n)
		}
		f.sudo(func(e *record.Env) error {
			users, err := DemoUsers(e)
			if len(users) != len(demoUsers) {
				t.Errorf("demo users: %v", users)
			}
			return err
		})
		tell(t, f, demoStories()...) // loading it is what takes time
	})
}

func demoNeverMixesStory(f *fixture) {
	f.as("admin").create("res.partner", vals{"name": "Mine"})
	err := f.engine.Sudo(f.Context(), Demo)
	if !errors.Is(err, ErrHasData) {
		f.Errorf("got %v", err)
	}
}
