package business

import (
	"errors"
	"math/rand/v2"
	"time"

	"gatehouse/internal/record"
)

// demoParameter remembers that the demo data was loaded.
const demoParameter = "gatehouse.demo"

// ErrHasData says that demo data was asked for on a database with data of its
// own, which is never mixed with inventions.
var ErrHasData = errors.New("the database has data already: demo data is only loaded into a new one")

// Demo loads invented companies, customers, products, users and a year of
// orders. Once loaded it does nothing any more; on a database with other data
// it is ErrHasData.
func Demo(e *record.Env) error {
	if err := oneNode(e); err != nil {
		return err
	}
	loaded, err := DemoLoaded(e)
	if err != nil || loaded {
		return err
	}
	used, err := hasBusinessData(e)
	if err != nil {
		return err
	}
	if used {
		return ErrHasData
	}
	source := rand.New(rand.NewPCG(19, 2026)) //nolint:gosec // always the same on purpose: these are inventions, no secrets
	d := &demo{e: e, rand: source, now: e.Now(), names: map[string]int64{}}
	for _, step := range []func() error{
		d.places, d.companies, d.users, d.partners, d.products, d.stock, d.orders, d.leads, d.portalUser, d.remember,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// DemoLoaded says whether the demo data was loaded into this database.
func DemoLoaded(e *record.Env) (bool, error) {
	found, err := e.Sudo().SearchNode("ir.config_parameter", leaf("key", "=", demoParameter), record.WithLimit(1))
	return len(found) > 0, err
}

// DemoUsers gives the logins of active demo users, whose password is their
// login: while there are any, the server is open to everybody.
func DemoUsers(e *record.Env) ([]string, error) {
	users, err := e.Sudo().Search("res.users", `[("login", "=like", "demo-%")]`)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, u := range demoUsers {
		known[u.login] = true
	}
	var logins []string
	for _, u := range users {
		if login := u.Text("login"); known[login] {
			logins = append(logins, login)
		}
	}
	return logins, nil
}

// hasBusinessData says whether somebody has worked with the database.
func hasBusinessData(e *record.Env) (bool, error) {
	for _, model := range []string{"sale.order", "product.template", "crm.lead"} {
		found, err := e.Sudo().Search(model, "[]", record.WithArchived(), record.WithLimit(1))
		if err != nil || len(found) > 0 {
			return len(found) > 0, err
		}
	}
	partners, err := e.Sudo().Search("res.partner", "[]", record.WithArchived(), record.WithLimit(len(firstPeople)+1))
	return len(partners) > len(firstPeople), err
}

// demo builds the data. Its random source always gives the same, so that two
// demo databases differ in dates only.
type demo struct {
	e    *record.Env
	rand *rand.Rand
	now  time.Time
	// names finds records made on the way: "user/demo-sales", "partner/Acme" …
	names     map[string]int64
	company2  int64
	customers []int64 // who orders
	goods     []int64 // variants
}

// pick chooses one.
func pick[T any](d *demo, from []T) T { return from[d.rand.IntN(len(from))] }

// create makes one record.
func (d *demo) create(model string, values record.Values) (record.Rec, error) {
	recs, err := d.e.Create(model, values)
	if err != nil {
		return record.Rec{}, err
	}
	return recs[0], nil
}

func (d *demo) remember() error {
	_, err := d.create("ir.config_parameter", record.Values{"key": demoParameter, "value": "loaded"})
	return err
}

// call runs a business method as the API would.
func (d *demo) call(e *record.Env, recs []record.Rec, name string) error {
	for _, l := range saleLogics() {
		if m, ok := l.Methods[name]; ok && l.Model == recs[0].Model() {
			_, err := m.Do(e, recs, record.Values{})
			return err
		}
	}
	for _, l := range stockLogics() {
		if m, ok := l.Methods[name]; ok && l.Model == recs[0].Model() {
			_, err := m.Do(e, recs, record.Values{})
			return err
		}
	}
	return errors.New("there is no method " + name)
}
