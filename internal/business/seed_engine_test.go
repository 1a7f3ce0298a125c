package business

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// TestSeedStories tells what a new database holds; the first story needs it untouched.
func TestSeedStories(t *testing.T) {
	tellOnBoth(t,
		story{"seed", seedStory},
		story{"seed again", seedAgainStory},
		story{"set password", setPasswordStory},
		story{"demo never mixes", demoNeverMixesStory},
	)
}

func seedStory(f *fixture) {
	admin := f.as("admin")
	admin.sees("My Company | USD | 1", "res.company", 1, "name", "currency_id", "id")
	admin.sees("admin | Administrator | true | My Company | false | admin@example.com",
		"res.users", 2, "login", "name", "active", "company_id", "share", "email")
	admin.sees("Administrator | false | My Company", "res.partner", 3, "complete_name", "partner_share", "company_id")
	admin.sees("All / Saleable", "product.category", 2, "complete_name")
	admin.sees("Belgium | EUR | 32", "res.country", f.ref("base.be"), "name", "currency_id", "phone_code")
	admin.sees("California (US)", "res.country.state", f.ref("base.state_us_5"), "display_name")
	admin.sees("Dozens | 12 | Units", "uom.uom", f.ref("uom.product_uom_dozen"), "name", "factor", "relative_uom_id")
	admin.sees("Sales / Administrator", "res.groups", f.ref("sales_team.group_sale_manager"), "display_name")
	for model, want := range map[string]int{
		"res.country": 251, "res.country.state": 1977, "res.currency": 2, "res.lang": 1, "res.users": 1,
	} {
		if got := admin.count(model, "[]"); got != want {
			f.Errorf("%d records of %s, want %d", got, model, want)
		}
	}
	// Ids go on after ours.
	if id := admin.create("res.partner", record.Values{"name": "Sixth"}); id != 6 {
		f.Errorf("the next contact is %d, want 6", id)
	}
}

// A second start changes nothing, but brings back a right that is missing.
func seedAgainStory(f *fixture) {
	admin := f.as("admin")
	before := fmt.Sprint(admin.count("ir.model.access", "[]"), admin.count("ir.rule", "[]"), admin.count("res.groups", "[]"))
	f.sudo(Seed)
	if after := fmt.Sprint(admin.count("ir.model.access", "[]"), admin.count("ir.rule", "[]"), admin.count("res.groups", "[]")); after != before {
		f.Errorf("a second start made %s of %s", after, before)
	}
	admin.unlink("ir.model.access", f.ref("base.access_res_country_employee"))
	f.sudo(Seed)
	f.ref("base.access_res_country_employee")
}

func setPasswordStory(f *fixture) {
	f.sudo(func(e *record.Env) error { return SetPassword(e, "admin", "secret") })
	stored := ""
	err := f.engine.DB().Read(f.Context(), func(q sqldb.Querier) error {
		return q.Query(f.Context(), "select password from res_users where login = 'admin'", nil, func(r sqldb.Row) error {
			stored = r.Text(0)
			return nil
		})
	})
	if err != nil || stored != "hash of 6" {
		f.Errorf("stored password %q, %v", stored, err)
	}
	err = f.engine.Sudo(f.Context(), func(e *record.Env) error { return SetPassword(e, "nobody", "secret") })
	if !fault.Is(err, fault.NotFound) {
		f.Errorf("a password for nobody: %v", err)
	}
}

// A first start must not keep anybody waiting.
func TestFirstStartIsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	db := sqltest.Open(t, "sqlite")
	start := time.Now()
	open(t, db)
	t.Logf("tables and seed: %v", time.Since(start).Round(time.Millisecond))
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the first start took %v", d)
	}
}

// Nodes that start at the same moment seed once.
func TestSeedRace(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		opts := record.Options{Models: Models(), Logics: Logics(Options{HashPassword: cheapHash})}
		var engines []*record.Engine
		for _, db := range []sqldb.DB{a, b} {
			e, err := record.Open(t.Context(), db, opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			engines = append(engines, e)
		}
		errs := make(chan error)
		for _, e := range engines {
			go func() { errs <- e.Sudo(t.Context(), Seed) }()
		}
		for range engines {
			if err := <-errs; err != nil {
				t.Error(explain(err))
			}
		}
		f := &fixture{t, engines[0]}
		f.sudo(func(e *record.Env) error {
			countries, err := e.Search("res.country", "[]")
			if len(countries) != 251 {
				t.Errorf("%d countries", len(countries))
			}
			return err
		})
	})
}
