package business

import (
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// checkCompany refuses a record whose links lead into another company. What
// belongs to no company, or to one above the record's own, may be used.
func checkCompany(e *record.Env, r record.Rec, links ...string) error {
	company := r.Ref("company_id")
	if company.IsZero() {
		return nil
	}
	var wrong []string
	errs := fault.FieldErrors{}
	for _, field := range links {
		for _, target := range linked(r, field) {
			if belongs(target.Ref("company_id"), company) {
				continue
			}
			wrong = append(wrong, "- “"+r.Text("display_name")+"” belongs to company “"+company.Text("name")+
				"” while “"+e.Registry().Model(r.Model()).Field(field).Label+"” ("+field+": '"+target.Text("display_name")+"') belongs to another company.")
			errs[field] = "belongs to another company"
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Unprocessable, "Uh-oh! You’ve got some company inconsistencies here:\n"+
		strings.Join(wrong, "\n")+"\nTo avoid a mess, no company crossover is allowed!").With(errs)
}

// linked are the targets of a many2one or x2many.
func linked(r record.Rec, field string) []record.Rec {
	if target := r.Ref(field); !target.IsZero() {
		return []record.Rec{target}
	}
	return r.Refs(field)
}

// belongs says whether company is owner or one of its branches; everybody
// belongs to no owner.
func belongs(owner, company record.Rec) bool {
	if owner.IsZero() {
		return true
	}
	for c := company; !c.IsZero(); c = c.Ref("parent_id") {
		if c.ID() == owner.ID() {
			return true
		}
	}
	return false
}

// addressFor finds where a contact wants post of a kind: its own address of
// that kind or one of its contacts', else that of the company it belongs to,
// else the contact itself.
func addressFor(partner record.Rec, kind string) record.Rec {
	seen := map[int64]bool{}
	var contact record.Rec
	for level := partner; !level.IsZero(); level = level.Ref("parent_id") {
		found, first := searchAddress(level, kind, seen)
		if !found.IsZero() {
			return found
		}
		if contact.IsZero() {
			contact = first
		}
		if level.Bool("is_company") {
			break
		}
	}
	if contact.IsZero() {
		return partner
	}
	return contact
}

// searchAddress looks for an address of a kind at a contact and all below it
// that are not companies themselves. It also gives the first plain contact.
func searchAddress(from record.Rec, kind string, seen map[int64]bool) (found, contact record.Rec) {
	todo := []record.Rec{from}
	for len(todo) > 0 {
		r := todo[0]
		todo = todo[1:]
		seen[r.ID()] = true
		switch r.Text("type") {
		case kind:
			return r, contact
		case "contact":
			if contact.IsZero() {
				contact = r
			}
		}
		var below []record.Rec
		for _, child := range r.Refs("child_ids") {
			if !seen[child.ID()] && !child.Bool("is_company") {
				below = append(below, child)
			}
		}
		todo = append(below, todo...)
	}
	return record.Rec{}, contact
}
