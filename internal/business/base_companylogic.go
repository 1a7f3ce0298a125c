package business

import (
	"gatehouse/internal/record"
)

// companyLogic: a company has a contact that carries its name and address, and
// whoever makes it may use it.
var companyLogic = record.Logic{
	Model:        "res.company",
	Defaults:     map[string]func(e *record.Env) (any, error){"currency_id": companyCurrency},
	Prepare:      prepareCompany,
	AfterCreate:  companiesCreated,
	BeforeWrite:  guardCompanies,
	AfterWrite:   companiesWritten,
	BeforeUnlink: guardCompanyUnlink,
	AfterUnlink:  func(e *record.Env, _ []int64) error { return signalUsers(e) },
}

// companyCurrency is that of the current company.
func companyCurrency(e *record.Env) (any, error) {
	if id := e.CompanyID(); id != 0 {
		return e.One("res.company", id).Ref("currency_id").ID(), nil
	}
	return nil, nil
}

// companyAddress are the fields that a company has through its contact.
var companyAddress = []string{
	"name", "email", "phone", "website", "vat", "company_registry",
	"street", "street2", "zip", "city", "state_id", "country_id",
}

func prepareCompany(e *record.Env, values record.Values) error {
	if parent, ok := values["parent_id"].(int64); ok {
		// a branch keeps its books in the currency of its root
		values["currency_id"] = e.One("res.company", parent).Ref("currency_id").ID()
	}
	contact := record.Values{"is_company": true}
	for _, f := range companyAddress {
		if v, ok := values[f]; ok {
			contact[f] = v
		}
	}
	if id, ok := values["partner_id"].(int64); ok && id != 0 {
		return e.Sudo().Write([]record.Rec{e.One("res.partner", id)}, contact)
	}
	if text(values["name"]) == "" {
		return nil // the required name is refused by the engine
	}
	recs, err := e.Sudo().Create("res.partner", contact)
	if err != nil {
		return err
	}
	values["partner_id"] = recs[0].ID()
	return nil
}

func companiesCreated(e *record.Env, companies []record.Rec) error {
	var links []record.Command
	for _, c := range companies {
		links = append(links, record.Command{Kind: record.LinkLine, ID: c.ID()})
	}
	users := []record.Rec{e.One("res.users", rootUser)}
	if e.UserID() != rootUser {
		users = append(users, e.One("res.users", e.UserID()))
	}
	if err := e.Sudo().Write(users, record.Values{"company_ids": links}); err != nil {
		return err
	}
	for _, c := range companies {
		if err := equipCompany(e.Sudo(), c.ID()); err != nil {
			return err
		}
		if err := companyPricelist(e.Sudo(), c); err != nil {
			return err
		}
		if !c.Ref("parent_id").IsZero() {
			continue // a branch uses the taxes of its root
		}
		if err := seedCompanyTaxes(e.Sudo(), c); err != nil {
			return err
		}
	}
	return signalUsers(e)
}

// companiesWritten renames the contact too: those fields of a company that have
// a column of their own only follow it.
func companiesWritten(e *record.Env, companies []record.Rec, values record.Values) error {
	change := record.Values{}
	for _, f := range []string{"name", "email", "phone"} {
		if v, ok := values[f]; ok {
			change[f] = v
		}
	}
	for _, c := range companies {
		if err := writeDiffering(e, c.Ref("partner_id"), change); err != nil {
			return err
		}
		if given(values, "currency_id") {
			if err := newCurrency(e.Sudo(), c); err != nil {
				return err
			}
		}
	}
	return signalUsers(e)
}

func guardCompanies(e *record.Env, companies []record.Rec, values record.Values) error {
	if parent, ok := values["parent_id"]; ok {
		id, _ := parent.(int64)
		for _, c := range companies {
			if c.Ref("parent_id").ID() != id {
				return refuse("The company hierarchy cannot be changed.")
			}
		}
	}
	if active, ok := values["active"].(bool); ok && !active {
		for _, c := range companies {
			users, err := e.Sudo().SearchNode("res.users", leaf("company_id", "=", c.ID()))
			if err != nil {
				return err
			}
			if len(users) > 0 {
				return refuse("The company %s cannot be archived because it is still used as the default company of %d users.",
					c.Text("name"), len(users))
			}
		}
	}
	return nil
}

func guardCompanyUnlink(e *record.Env, companies []record.Rec) error {
	for _, c := range companies {
		if len(c.Refs("child_ids")) > 0 {
			return refuse("Companies that have associated branches cannot be deleted. Consider archiving them instead.")
		}
		if c.ID() == mainCompany {
			return refuse("The main company cannot be deleted.")
		}
	}
	return nil
}
