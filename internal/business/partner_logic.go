package business

import (
	"maps"
	"strings"

	"gatehouse/internal/record"
)

// partnerLogics keep contacts and their companies together.
func partnerLogics() []record.Logic {
	return []record.Logic{{
		Model:        "res.partner",
		Prepare:      preparePartner,
		AfterCreate:  partnersCreated,
		BeforeWrite:  guardPartners,
		AfterWrite:   partnersWritten,
		BeforeUnlink: guardPartnerUnlink,
		BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
			markCopy(original, values, "name")
			return nil
		},
		Computes: []record.Compute{partnerNames, partnerKind, partnerEmail, partnerLang},
		Checks: []record.Constraint{
			{Fields: []string{"barcode"}, Check: checkPartnerBarcode},
		},
		Methods: map[string]record.Method{"name_create": {
			OnModel: true, ReadOnly: true, Do: partnerNameCreate,
			Doc: "Makes a contact of a text such as Ann <ann@example.com>.",
		}},
	}}
}

// partnerNames are the contact's place in its company and the name that lists
// show: "Company, Name". An address without a name is called by its type.
var partnerNames = record.Compute{
	Fields: []string{"commercial_partner_id", "commercial_company_name", "complete_name"},
	Depends: []string{
		"name", "company_name", "is_company", "type", "parent_id.name",
		"parent_id.commercial_partner_id", "parent_id.commercial_company_name",
	},
	Early: true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		parent := r.Ref("parent_id")
		if r.Bool("is_company") || parent.IsZero() {
			return ownEntity(r, parent), nil
		}
		entity := parent.Ref("commercial_partner_id")
		if entity.IsZero() {
			entity = parent
		}
		company := r.Text("company_name")
		if entity.Bool("is_company") {
			company = entity.Text("name")
		}
		return record.Values{
			"commercial_partner_id":   entity.ID(),
			"commercial_company_name": orNil(company),
			"complete_name":           orNil(contactName(r, orText(company, parent.Text("name")))),
		}, nil
	},
}

// ownEntity are the names of a contact that stands for itself.
func ownEntity(r, parent record.Rec) record.Values {
	company := r.Text("company_name")
	if r.Bool("is_company") {
		company = r.Text("name")
	}
	name := strings.TrimSpace(r.Text("name"))
	if !r.Bool("is_company") && r.Text("company_name") != "" {
		name = contactName(r, company)
	} else if name == "" && !parent.IsZero() {
		name = addressLabel(r.Text("type"))
	}
	return record.Values{
		"commercial_partner_id":   record.SelfID,
		"commercial_company_name": orNil(company),
		"complete_name":           orNil(name),
	}
}

func contactName(r record.Rec, company string) string {
	name := r.Text("name")
	if name == "" {
		name = addressLabel(r.Text("type"))
	}
	return strings.TrimSpace(company + ", " + name)
}

// addressLabel is the name of an address that has none; contacts have one.
func addressLabel(kind string) string {
	for i := 2; i < len(addressTypes); i += 2 {
		if addressTypes[i] == kind {
			return addressTypes[i+1]
		}
	}
	return ""
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var partnerKind = record.Compute{
	Fields:  []string{"company_type"},
	Depends: []string{"is_company"},
	Early:   true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		if r.Bool("is_company") {
			return record.Values{"company_type": "company"}, nil
		}
		return record.Values{"company_type": "person"}, nil
	},
}

var partnerEmail = record.Compute{
	Fields:  []string{"email_normalized"},
	Depends: []string{"email"},
	Early:   true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		return record.Values{"email_normalized": orNil(normalEmail(r.Text("email")))}, nil
	},
}

// partnerLang: a contact speaks the language of its company, whatever the
// default is for others.
var partnerLang = record.Compute{
	Fields:   []string{"lang"},
	Depends:  []string{"parent_id"},
	Early:    true,
	Editable: true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		if parent := r.Ref("parent_id"); parent.Has("lang") {
			return record.Values{"lang": parent.Text("lang")}, nil
		}
		return nil, nil
	},
}

// partnerNameCreate takes name and address apart.
func partnerNameCreate(e *record.Env, _ []record.Rec, args record.Values) (any, error) {
	given := strings.TrimSpace(text(args["name"]))
	email := normalEmail(given)
	if email == "" {
		return e.NameCreate("res.partner", record.Values{"name": orNil(given)})
	}
	name, _, _ := strings.Cut(given, "<")
	name = strings.Trim(strings.TrimSpace(name), `"`)
	if !strings.Contains(given, "<") {
		name = given
	}
	return e.NameCreate("res.partner", record.Values{"name": orText(name, email), "email": email})
}

// normalEmail takes the bare address out of a text such as
// "Ann <Ann@Example.com>", in small letters; "" when there is no address.
func normalEmail(s string) string {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	s = strings.ToLower(strings.TrimSpace(s))
	local, host, ok := strings.Cut(s, "@")
	if !ok || local == "" || !strings.Contains(strings.Trim(host, "."), ".") || strings.ContainsAny(s, " \t,;") ||
		strings.Contains(host, "@") {
		return ""
	}
	return s
}

// preparePartner fills what follows from the other values of a new contact.
func preparePartner(e *record.Env, values record.Values) error {
	tidyPartner(values)
	if !isSuperuser(e) { // who is internal follows from the users alone
		values["partner_share"] = true
	}
	if err := checkTimezone(values); err != nil {
		return err
	}
	parentID, _ := values["parent_id"].(int64)
	if parentID == 0 {
		if lang := e.Caller().Context.Lang; lang != "" && !given(values, "lang") {
			values["lang"] = lang
		}
		return nil
	}
	parent := e.One("res.partner", parentID)
	isCompany, _ := values["is_company"].(bool)
	if !isCompany && !given(values, "user_id") && parent.Has("user_id") && contactType(values) {
		values["user_id"] = parent.Ref("user_id").ID()
	}
	if entity := parent.Ref("commercial_partner_id"); !isCompany && anySet(entity, commercialFields) {
		maps.Copy(values, commercialValues(entity))
	}
	if contactType(values) && anySet(parent, addressFields) {
		maps.Copy(values, fieldValues(parent, addressFields))
	}
	return nil
}

func contactType(values record.Values) bool {
	kind, ok := values["type"]
	return !ok || text(kind) == "contact"
}

// tidyPartner brings values into the form in which they are stored.
func tidyPartner(values record.Values) {
	if kind, ok := values["company_type"]; ok {
		values["is_company"] = text(kind) == "company"
		delete(values, "company_type")
	}
	if site := text(values["website"]); site != "" && !strings.Contains(site, "://") {
		values["website"] = "http://" + site
	}
}

func checkTimezone(values record.Values) error {
	if tz := text(values["tz"]); tz != "" && !timezones()[tz] {
		return refuse("Wrong value for res.partner.tz: '%s'", tz)
	}
	return nil
}

func checkPartnerBarcode(e *record.Env, r record.Rec) error {
	code := r.Text("barcode")
	if code == "" {
		return nil
	}
	same, err := e.Sudo().SearchNode("res.partner", leaf("barcode", "=", code), record.WithLimit(2), record.WithArchived())
	if err != nil {
		return err
	}
	if len(same) > 1 {
		return refuse("Another partner already has this barcode")
	}
	return nil
}
