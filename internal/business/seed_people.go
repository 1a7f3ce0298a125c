package business

// firstPerson is a contact, and mostly a user, that exists from the start.
type firstPerson struct {
	id            int64 // of the contact
	name, xmlid   string
	email, login  string
	user          int64
	userXMLID     string
	archived      bool // of the contact
	userArchived  bool
	share         bool
	isCompany     bool
	groups        []string
	noCompanyLink bool
}

// The first contacts and users, with Odoo's ids and external ids.
var firstPeople = []firstPerson{
	{id: 1, name: "My Company", xmlid: "base.main_partner", isCompany: true, share: true, noCompanyLink: true},
	{
		id: 2, name: "OdooBot", xmlid: "base.partner_root", email: "odoobot@example.com", archived: true,
		login: "__system__", user: 1, userXMLID: "base.user_root", userArchived: true, groups: adminGroups,
	},
	{
		id: 3, name: "Administrator", xmlid: "base.partner_admin", email: "admin@example.com",
		login: "admin", user: 2, userXMLID: "base.user_admin", groups: adminGroups,
	},
	{
		id: 4, name: "Public user", xmlid: "base.public_partner", archived: true, noCompanyLink: true,
		login: "public", user: 3, userXMLID: "base.public_user", userArchived: true, share: true,
		groups: []string{groupPublic},
	},
	{
		id: 5, name: "Portal User Template", xmlid: "base.template_portal_user_id_res_partner", archived: true, noCompanyLink: true,
		login: "portaltemplate", user: 4, userXMLID: "base.template_portal_user_id", userArchived: true, share: true,
		groups: []string{groupPortal},
	},
}

// adminGroups are what the administrator is given: the settings and the
// highest group of every application.
var adminGroups = []string{
	groupSystem, "base.group_multi_company", "base.group_allow_export", "base.group_partner_manager",
	"product.group_product_manager", "sales_team.group_sale_manager",
	"account.group_account_manager", "stock.group_stock_manager",
}

const mainCompany = int64(1)

// seedPeople makes the main company, its contact and the first users.
func (s *seeder) seedPeople() error {
	var partners, users, companies, groups [][]any
	for _, p := range firstPeople {
		s.name(p.xmlid, "res.partner", p.id)
		partners = append(partners, []any{
			p.id, p.name, p.name, !p.archived, p.isCompany, "contact", p.id,
			commercialName(p), kindOf(p), "en_US", emailOf(p), emailOf(p), p.share, 0, 0, 0,
		})
		if p.user == 0 {
			continue
		}
		s.name(p.userXMLID, "res.users", p.user)
		users = append(users, []any{p.user, p.id, p.login, !p.userArchived, p.share, mainCompany, "email"})
		companies = append(companies, []any{p.user, mainCompany})
		for _, g := range p.groups {
			groups = append(groups, []any{p.user, s.id(g)})
		}
	}
	if err := s.insert("res_partner", []string{
		"name", "complete_name", "active", "is_company", "type",
		"commercial_partner_id", "commercial_company_name", "company_type", "lang", "email", "email_normalized", "partner_share",
		"color", "customer_rank", "supplier_rank",
	}, partners); err != nil {
		return err
	}
	if err := s.seedCompany(); err != nil {
		return err
	}
	if err := s.insert("res_users", []string{
		"partner_id", "login", "active", "share", "company_id",
		"notification_type",
	}, users); err != nil {
		return err
	}
	if _, err := s.e.Tx().Copy(s.e.Ctx(), "res_company_users_rel", []string{"user_id", "cid"}, companies); err != nil {
		return err
	}
	_, err := s.e.Tx().Copy(s.e.Ctx(), "res_groups_users_rel", []string{"uid", "gid"}, groups)
	return err
}

func (s *seeder) seedCompany() error {
	s.name("base.main_company", "res.company", mainCompany)
	return s.insert("res_company",
		[]string{
			"name", "active", "sequence", "parent_path", "partner_id", "currency_id",
			"quotation_validity_days", "account_price_include", "tax_calculation_rounding_method",
		},
		[][]any{{
			mainCompany, firstPeople[0].name, true, 0, "1/", firstPeople[0].id, s.id("base.USD"),
			30, "tax_excluded", "round_globally",
		}})
}

func commercialName(p firstPerson) any {
	if p.isCompany {
		return p.name
	}
	return nil
}

func kindOf(p firstPerson) string {
	if p.isCompany {
		return "company"
	}
	return "person"
}

func emailOf(p firstPerson) any {
	if p.email == "" {
		return nil
	}
	return p.email
}
