package business

import (
	"strings"

	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// demoUser is a user whose password is the login.
type demoUser struct {
	login, name, job string
	groups           []string
	secondCompany    bool // works for the second company only
}

var demoUsers = []demoUser{
	{login: "demo-manager", name: "Mara Lindqvist", job: "Sales Manager", groups: []string{"sales_team.group_sale_manager"}},
	{login: "demo-sales", name: "Joel Brandt", job: "Account Manager", groups: []string{"sales_team.group_sale_salesman"}},
	{login: "demo-user", name: "Nina Petrov", job: "Designer", groups: []string{groupUser}},
	{
		login: "demo-company2", name: "Carla Mendes", job: "Account Manager", secondCompany: true,
		groups: []string{"sales_team.group_sale_salesman_all_leads"},
	},
	{login: "demo-portal", groups: []string{groupPortal}}, // made of a customer's contact
}

// demoPortalContact is the customer's contact who may look at the portal.
const demoPortalContact = "Jonas Albrecht"

// companies makes the main company ours and adds a second one.
func (d *demo) companies() error {
	main := d.e.One("res.company", mainCompany)
	err := d.e.Write([]record.Rec{main.Ref("partner_id")}, record.Values{
		"name": "YourCompany", "street": "120 Harbor Street", "city": "Portland", "zip": "97201",
		"state_id": d.state("US", "OR"), "country_id": d.country("US"),
		"email": "info@yourcompany.example", "phone": "+1 555 010 0001", "website": "https://www.yourcompany.example",
	})
	if err != nil {
		return err
	}
	second, err := d.create("res.company", record.Values{
		"name": "Lakeside Interiors", "currency_id": d.e.Ref("base.USD").ID(),
		"street": "41 Lakeside Parkway", "city": "Milwaukee", "zip": "53202",
		"state_id": d.state("US", "WI"), "country_id": d.country("US"),
		"email": "info@lakeside-interiors.example", "phone": "+1 555 010 0002",
	})
	if err != nil {
		return err
	}
	d.company2 = second.ID()
	admin := d.e.Ref("base.user_admin")
	return d.e.Write([]record.Rec{admin}, record.Values{
		"company_ids": []record.Command{{Kind: record.LinkLine, ID: d.company2}},
	})
}

// places notes the ids of countries ("US") and states ("US/OR") by code.
func (d *demo) places() error {
	for _, sql := range []string{
		"select code, id from res_country",
		"select c.code || '/' || s.code, s.id from res_country_state s join res_country c on c.id = s.country_id",
	} {
		err := d.e.Tx().Query(d.e.Ctx(), sql, nil, func(r sqldb.Row) error {
			d.names["place/"+r.Text(0)] = r.Int(1)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// country and state are ids; nil where there is none.
func (d *demo) country(code string) any { return d.place(code) }

func (d *demo) state(country, code string) any { return d.place(country + "/" + code) }

func (d *demo) place(code string) any {
	if id := d.names["place/"+code]; id != 0 {
		return id
	}
	return nil
}

func (d *demo) users() error {
	d.names["user/admin"] = d.e.Ref("base.user_admin").ID()
	for _, u := range demoUsers {
		if u.name == "" {
			continue
		}
		company := mainCompany
		if u.secondCompany {
			company = d.company2
		}
		user, err := d.create("res.users", record.Values{
			"name": u.name, "login": u.login, "password": u.login, "function": u.job,
			"email": u.login + "@yourcompany.example", "tz": "America/Los_Angeles",
			"company_id": company, "company_ids": []int64{company}, "group_ids": d.groups(u.groups),
		})
		if err != nil {
			return err
		}
		d.names["user/"+u.login] = user.ID()
	}
	return nil
}

func (d *demo) groups(xmlids []string) []int64 {
	var ids []int64
	for _, x := range xmlids {
		ids = append(ids, d.e.Ref(x).ID())
	}
	return ids
}

// portalUser lets a customer's contact in, after the orders, some of which
// are his.
func (d *demo) portalUser() error {
	for _, u := range demoUsers {
		if u.name != "" {
			continue
		}
		_, err := d.create("res.users", record.Values{
			"partner_id": d.names["partner/"+demoPortalContact], "login": u.login, "password": u.login,
			"company_id": mainCompany, "company_ids": []int64{mainCompany}, "group_ids": d.groups(u.groups),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partners makes the customers: companies with their contacts and addresses,
// and a few private ones.
func (d *demo) partners() error {
	for _, r := range facts("demo_partners.csv") {
		values := record.Values{
			"type": r.text("type"), "is_company": r.bool("is_company"),
			"country_id": d.country(r.text("country")), "state_id": d.state(r.text("country"), r.text("state")),
		}
		for _, f := range []string{"name", "street", "zip", "city", "function", "email", "phone", "website", "vat", "ref"} {
			if v := r.optional(f); v != nil {
				values[f] = v
			}
		}
		if r.text("parent") != "" {
			values["parent_id"] = d.names["partner/"+r.text("parent")]
			if r.text("street") == "" { // it is the company's
				delete(values, "country_id")
				delete(values, "state_id")
			}
		}
		if s := r.text("salesperson"); s != "" {
			values["user_id"] = d.names["user/"+s]
			values["customer_rank"] = int64(1)
		}
		tags, err := d.tags(r.text("tags"))
		if err != nil {
			return err
		}
		values["category_id"] = tags
		partner, err := d.create("res.partner", values)
		if err != nil {
			return err
		}
		d.names["partner/"+r.text("name")] = partner.ID()
		if r.text("salesperson") != "" {
			d.customers = append(d.customers, partner.ID())
		}
	}
	return nil
}

// tags finds or makes the tags of a comma-separated list.
func (d *demo) tags(list string) ([]int64, error) {
	ids := []int64{}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			continue
		}
		if d.names["tag/"+name] == 0 {
			tag, err := d.create("res.partner.category", record.Values{"name": name, "color": int64(d.rand.IntN(11) + 1)})
			if err != nil {
				return nil, err
			}
			d.names["tag/"+name] = tag.ID()
		}
		ids = append(ids, d.names["tag/"+name])
	}
	return ids, nil
}
