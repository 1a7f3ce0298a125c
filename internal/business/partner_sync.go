package business

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/record"
)

// The fields in which a contact follows its company, and the company follows
// its contacts: the address of those of type contact, and what belongs to the
// commercial entity as a whole.
var (
	addressFields = []string{"street", "street2", "zip", "city", "state_id", "country_id"}
	addressLinks  = []string{"state_id", "country_id"}
	// commercialFields go down from the entity to its contacts; of those,
	// syncedFields come up from them too.
	commercialFields = append([]string{"vat", "company_registry", "industry_id"}, propertyFields...)
	syncedFields     = []string{"vat"}
	propertyFields   = []string{
		"property_account_position_id", "property_payment_term_id", "property_supplier_payment_term_id",
		"specific_property_product_pricelist",
	}
)

// fieldValue is a field as it is written: nil, text or id.
func fieldValue(r record.Rec, field string) any {
	if !r.Has(field) {
		return nil
	}
	if field == "industry_id" || slices.Contains(addressLinks, field) || slices.Contains(propertyFields, field) {
		return r.Ref(field).ID()
	}
	return r.Text(field)
}

func fieldValues(r record.Rec, fields []string) record.Values {
	values := record.Values{}
	for _, f := range fields {
		values[f] = fieldValue(r, f)
	}
	return values
}

// commercialValues are what a new contact takes over from its entity. What
// the entity has not set for the company is left to the fall-back.
func commercialValues(entity record.Rec) record.Values {
	values := fieldValues(entity, commercialFields)
	for _, f := range propertyFields {
		if values[f] == nil {
			delete(values, f)
		}
	}
	return values
}

// anySet says whether a record has a value in any of the fields.
func anySet(r record.Rec, fields []string) bool {
	return slices.ContainsFunc(fields, r.Has)
}

// writeDiffering writes only what is different, so that following each other
// comes to an end.
func writeDiffering(e *record.Env, r record.Rec, values record.Values) error {
	change := record.Values{}
	for field, v := range values {
		if fieldValue(r, field) != v {
			change[field] = v
		}
	}
	if len(change) == 0 {
		return nil
	}
	return e.Sudo().Write([]record.Rec{r}, change)
}

// partnersCreated carries a first address up to a company that has none; the
// other direction is done before the contact is stored.
func partnersCreated(e *record.Env, partners []record.Rec) error {
	for _, p := range partners {
		parent := p.Ref("parent_id")
		if parent.IsZero() {
			continue
		}
		if p.Text("type") == "contact" && anySet(p, addressFields) {
			if err := writeDiffering(e, parent, fieldValues(p, addressFields)); err != nil {
				return err
			}
		}
		if err := commercialUp(e, p); err != nil {
			return err
		}
	}
	return nil
}

func partnersWritten(e *record.Env, partners []record.Rec, values record.Values) error {
	if !given(values, "parent_id", "type", "is_company") &&
		!given(values, addressFields...) && !given(values, commercialFields...) && !given(values, "company_id") {
		return nil
	}
	for _, p := range partners {
		for _, step := range []func(*record.Env, record.Rec, record.Values) error{pullFromParent, pushToParent, pushToChildren} {
			if err := step(e, p, values); err != nil {
				return err
			}
		}
	}
	return nil
}

// pullFromParent: a contact that joins a company takes over its address and
// what belongs to the commercial entity.
func pullFromParent(e *record.Env, p record.Rec, values record.Values) error {
	parent := p.Ref("parent_id")
	if parent.IsZero() || !given(values, "parent_id", "type") {
		return nil
	}
	pulled := record.Values{}
	entity := p.Ref("commercial_partner_id")
	if given(values, "parent_id") && entity.ID() != p.ID() && anySet(entity, commercialFields) {
		pulled = fieldValues(entity, commercialFields)
	}
	if p.Text("type") == "contact" && anySet(parent, addressFields) {
		maps.Copy(pulled, fieldValues(parent, addressFields))
	}
	return writeDiffering(e, p, pulled)
}

// pushToParent: editing the address or the tax number of a contact edits that
// of the company, since they are the same.
func pushToParent(e *record.Env, p record.Rec, values record.Values) error {
	parent := p.Ref("parent_id")
	if parent.IsZero() {
		return nil
	}
	if p.Text("type") == "contact" && given(values, append([]string{"parent_id"}, addressFields...)...) {
		if err := writeDiffering(e, parent, fieldValues(p, addressFields)); err != nil {
			return err
		}
	}
	if given(values, syncedFields...) {
		return commercialUp(e, p)
	}
	return nil
}

// commercialUp writes what belongs to the commercial entity there.
func commercialUp(e *record.Env, p record.Rec) error {
	entity := p.Ref("commercial_partner_id")
	if entity.IsZero() || entity.ID() == p.ID() {
		return nil
	}
	return writeDiffering(e, entity, fieldValues(p, syncedFields))
}

// pushToChildren: the contacts of a company follow it.
func pushToChildren(e *record.Env, p record.Rec, values record.Values) error {
	address := given(values, addressFields...)
	commercial := given(values, commercialFields...)
	_, company := values["company_id"]
	if !address && !commercial && !company {
		return nil
	}
	for _, child := range p.Refs("child_ids") {
		change := record.Values{}
		if commercial && child.Ref("commercial_partner_id").ID() == p.Ref("commercial_partner_id").ID() {
			change = fieldValues(p, commercialFields)
		}
		if address && child.Text("type") == "contact" {
			maps.Copy(change, fieldValues(p, addressFields))
		}
		if err := writeDiffering(e, child, change); err != nil {
			return err
		}
		if company && child.Ref("company_id").ID() != p.Ref("company_id").ID() {
			if err := e.Sudo().Write([]record.Rec{child}, record.Values{"company_id": values["company_id"]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// guardPartners refuses what would leave a user without his contact.
func guardPartners(e *record.Env, partners []record.Rec, values record.Values) error {
	tidyPartner(values)
	if !isSuperuser(e) {
		delete(values, "partner_share")
	}
	if err := checkTimezone(values); err != nil {
		return err
	}
	if active, ok := values["active"].(bool); ok && !active {
		if names := linkedUsers(partners); names != "" {
			return refuse("You cannot archive contacts linked to an active user.\n"+
				"You first need to archive their associated user.\n\nLinked active users : %s", names)
		}
	}
	company, ok := values["company_id"].(int64)
	if !ok || company == 0 {
		return nil
	}
	for _, p := range partners {
		for _, u := range p.Refs("user_ids") {
			allowed := slices.ContainsFunc(u.Refs("company_ids"), func(c record.Rec) bool { return c.ID() == company })
			if !allowed {
				return refuse("The selected company is not compatible with the companies of the related user(s)")
			}
		}
	}
	return nil
}

func guardPartnerUnlink(e *record.Env, partners []record.Rec) error {
	if names := linkedUsers(partners); names != "" {
		return refuse("You cannot delete contacts linked to an active user.\n"+
			"You should rather archive them after archiving their associated user.\n\nLinked active users : %s", names)
	}
	return nil
}

func linkedUsers(partners []record.Rec) string {
	var names []string
	for _, p := range partners {
		for _, u := range p.Refs("user_ids") {
			if u.Bool("active") {
				names = append(names, u.Text("name"))
			}
		}
	}
	return strings.Join(names, ", ")
}
