package business

import (
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// Seed writes what every database starts with. On a database that has users it
// only adds rights, and the first records of models, that came with a new version. It needs the tables of Models
// and their descriptions in ir_model.
func Seed(e *record.Env) error {
	if err := oneNode(e); err != nil {
		return err
	}
	s, err := newSeeder(e)
	if err != nil {
		return err
	}
	empty, err := isEmpty(e)
	if err != nil {
		return err
	}
	if !empty {
		return s.upgrade()
	}
	for _, step := range []func() error{
		s.seedCurrencies, s.seedGroups, s.seedPeople, s.adopt,
		s.seedRights, s.seedGeography, s.seedLanguages, s.seedUnits, s.saveNames,
		s.seedCategories, s.saveNames, s.seedBusiness,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	// Raw inserts tell nobody that rights and languages are there now.
	return e.Tx().Signal(e.Ctx(), "registry")
}

// oneNode makes other nodes that start at the same moment wait, by holding a
// row that every database has from the beginning.
func oneNode(e *record.Env) error {
	return e.Tx().Query(e.Ctx(), "select id from ir_model where model = 'res.users'"+e.Tx().Dialect().ForUpdate(), nil,
		func(sqldb.Row) error { return nil })
}

// upgrade adds the rights that a new version brings, and what sales need.
func (s *seeder) upgrade() error {
	s.creator = rootUser
	for _, step := range []func() error{s.seedGroups, s.seedRights} {
		if err := step(); err != nil {
			return err
		}
	}
	if len(s.data) > 0 {
		if err := s.saveNames(); err != nil {
			return err
		}
		if err := s.e.Tx().Signal(s.e.Ctx(), "registry"); err != nil {
			return err
		}
	}
	return seedSales(s.e)
}

func isEmpty(e *record.Env) (bool, error) {
	empty := true
	err := e.Tx().Query(e.Ctx(), "select id from res_users limit 1", nil, func(sqldb.Row) error {
		empty = false
		return nil
	})
	return empty, err
}

// SetPassword gives a user a new password; the app does so on first start.
func SetPassword(e *record.Env, login, password string) error {
	users, err := e.Sudo().SearchNode("res.users", leaf("login", "=", login), record.WithArchived())
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return noSuchUser(login)
	}
	return e.Sudo().Write(users, record.Values{"password": password})
}

// seedCategories makes the product categories of Odoo. Their first names are
// those of the versions up to 18, where every category hangs below All; the
// external ids of both old and new versions find them.
func (s *seeder) seedCategories() error {
	for _, c := range []struct {
		name, parent string
		xmlids       []string
	}{
		{"All", "", []string{"product.product_category_all"}},
		{"Saleable", "product.product_category_all", []string{"product.product_category_1", "product.product_category_goods"}},
		{"Expenses", "product.product_category_all", []string{"product.cat_expense", "product.product_category_expenses"}},
		{"Services", "product.product_category_all", []string{"product.product_category_services"}},
	} {
		recs, err := s.e.Create("product.category", record.Values{"name": c.name, "parent_id": s.id(c.parent)})
		if err != nil {
			return err
		}
		for _, xmlid := range c.xmlids {
			s.name(xmlid, "product.category", recs[0].ID())
		}
	}
	return nil
}

// seedBusiness makes what the documents need: number sequences, taxes,
// warehouses and their locations, the stages of a pipeline.
func (s *seeder) seedBusiness() error {
	for _, step := range []func(*record.Env) error{seedSequences, seedTaxes, seedSales, seedStock, seedCRM} {
		if err := step(s.e); err != nil {
			return err
		}
	}
	return nil
}
