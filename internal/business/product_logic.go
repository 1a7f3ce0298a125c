package business

import (
	"slices"

	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// productLogics keep templates and their variants one thing.
func productLogics() []record.Logic {
	return []record.Logic{
		{
			Model:    "product.category",
			Computes: []record.Compute{categoryName},
		},
		{
			Model:        "product.template",
			Defaults:     templateDefaults,
			Prepare:      prepareTemplate,
			AfterCreate:  templatesCreated,
			BeforeWrite:  beforeProductWrite,
			AfterWrite:   templatesWritten,
			BeforeUnlink: guardTemplateUnlink,
			BeforeCopy:   copiedProduct,
		},
		{
			Model:       "product.product",
			Prepare:     prepareVariant,
			AfterCreate: variantsCreated,
			BeforeWrite: beforeProductWrite,
			AfterWrite:  variantsWritten,
			AfterUnlink: unlinkEmptyTemplates,
			BeforeCopy:  copiedProduct,
			Checks: []record.Constraint{
				{Fields: []string{"barcode"}, Check: checkProductBarcode},
			},
		},
	}
}

// categoryName is the chain of names: "All / Saleable".
var categoryName = record.Compute{
	Fields:  []string{"complete_name"},
	Depends: []string{"name", "parent_id.complete_name"},
	Early:   true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		name := r.Text("name")
		if up := r.Ref("parent_id"); !up.IsZero() {
			name = up.Text("complete_name") + " / " + name
		}
		return record.Values{"complete_name": name}, nil
	},
}

var templateDefaults = map[string]func(e *record.Env) (any, error){
	"uom_id": func(e *record.Env) (any, error) {
		return e.Ref("uom.product_uom_unit").ID(), nil
	},
	"taxes_id":          func(e *record.Env) (any, error) { return companyTaxes(e, "account_sale_tax_id") },
	"supplier_taxes_id": func(e *record.Env) (any, error) { return companyTaxes(e, "account_purchase_tax_id") },
}

// companyTaxes are the default taxes of the caller's companies. Which of them
// counts is decided by the company of the document.
func companyTaxes(e *record.Env, field string) (any, error) {
	return defaultTaxes(e, field, func(company int64) bool { return slices.Contains(e.CompanyIDs(), company) })
}

// defaultTaxes are the default taxes of the companies that are wanted.
func defaultTaxes(e *record.Env, field string, wanted func(company int64) bool) ([]int64, error) {
	ids := []int64{}
	err := e.Tx().Query(e.Ctx(), "select id, "+field+" from res_company where active and "+field+" is not null order by id", nil,
		func(r sqldb.Row) error {
			if wanted(r.Int(0)) && !slices.Contains(ids, r.Int(1)) {
				ids = append(ids, r.Int(1))
			}
			return nil
		})
	return ids, err
}

// templatesCreated: a product of no company is sold by all of them, so it has
// the default taxes of those too that its maker does not know.
func templatesCreated(e *record.Env, templates []record.Rec) error {
	change := record.Values{}
	for field, of := range map[string]string{
		"taxes_id": "account_sale_tax_id", "supplier_taxes_id": "account_purchase_tax_id",
	} {
		taxes, err := defaultTaxes(e, of, func(company int64) bool { return !slices.Contains(e.CompanyIDs(), company) })
		if err != nil {
			return err
		}
		var links []record.Command
		for _, id := range taxes {
			links = append(links, record.Command{Kind: record.LinkLine, ID: id})
		}
		if links != nil {
			change[field] = links
		}
	}
	shared := slices.DeleteFunc(slices.Clone(templates), func(t record.Rec) bool { return !t.Ref("company_id").IsZero() })
	if len(change) == 0 || len(shared) == 0 {
		return nil
	}
	return e.Sudo().Write(shared, change)
}

// variantFields are kept by the variant and shown on the template: the first
// ones in a column of its own, the others through product_variant_id.
var (
	mirroredFields = []string{"default_code", "weight", "volume"}
	variantFields  = append(slices.Clone(mirroredFields), "barcode", "standard_price")
)

// prepareTemplate adds the variant to a template that is made without one.
func prepareTemplate(e *record.Env, values record.Values) error {
	tidyProduct(values)
	if given(values, "product_variant_ids") {
		return nil
	}
	variant := record.Values{}
	for _, f := range variantFields {
		if v, ok := values[f]; ok {
			variant[f] = v
		}
	}
	delete(values, "barcode")
	delete(values, "standard_price")
	if active, ok := values["active"]; ok {
		variant["active"] = active
	}
	values["product_variant_ids"] = []record.Command{{Kind: record.CreateLine, Values: variant}}
	return nil
}

// tidyProduct: nobody can stock a service.
func tidyProduct(values record.Values) {
	if kind, ok := values["type"]; ok && text(kind) != "consu" {
		values["is_storable"] = false
	}
}

func beforeProductWrite(e *record.Env, _ []record.Rec, values record.Values) error {
	tidyProduct(values)
	return nil
}

// templatesWritten passes on to the variants what they keep, archives them
// with their template, and brings them back with it.
func templatesWritten(e *record.Env, templates []record.Rec, values record.Values) error {
	for _, t := range templates {
		if err := mirrorToVariant(e, t, values); err != nil {
			return err
		}
		active, ok := values["active"].(bool)
		if !ok {
			continue
		}
		variants, err := allVariants(e, t)
		if err != nil {
			return err
		}
		if err := setActive(e, variants, active); err != nil {
			return err
		}
	}
	return nil
}

// mirrorToVariant writes on the variant what it does not have yet, so that the
// two following each other comes to an end.
func mirrorToVariant(e *record.Env, t record.Rec, values record.Values) error {
	variant := t.Ref("product_variant_id")
	if variant.IsZero() {
		return nil
	}
	change := differing(t, variant, values)
	if len(change) == 0 {
		return nil
	}
	return e.Sudo().Write([]record.Rec{variant}, change)
}

func allVariants(e *record.Env, template record.Rec) ([]record.Rec, error) {
	return e.Sudo().SearchNode("product.product", leaf("product_tmpl_id", "=", template.ID()),
		record.WithArchived(), record.WithOrder("id"))
}

// setActive writes only on those that differ.
func setActive(e *record.Env, recs []record.Rec, active bool) error {
	recs = slices.DeleteFunc(recs, func(r record.Rec) bool { return r.Bool("active") == active })
	if len(recs) == 0 {
		return nil
	}
	return e.Sudo().Write(recs, record.Values{"active": active})
}

// prepareVariant keeps the template that is made along with a variant from
// making one of its own.
func prepareVariant(e *record.Env, values record.Values) error {
	tidyProduct(values)
	if id, ok := values["product_tmpl_id"].(int64); !ok || id == 0 {
		values["product_variant_ids"] = []record.Command{}
	}
	return nil
}

// variantsCreated tells the template which variant it shows.
func variantsCreated(e *record.Env, variants []record.Rec) error {
	for _, v := range variants {
		t := v.Ref("product_tmpl_id")
		if !t.Ref("product_variant_id").IsZero() {
			continue
		}
		change := record.Values{"product_variant_id": v.ID()}
		for _, f := range mirroredFields {
			change[f] = mirrored(v, f)
		}
		if err := e.Sudo().Write([]record.Rec{t}, change); err != nil {
			return err
		}
	}
	return nil
}

func mirrored(r record.Rec, field string) any {
	if field == "default_code" {
		return orNil(r.Text(field))
	}
	return r.Float(field)
}

// differing are the mirrored fields among the written ones in which the other
// record is behind.
func differing(r, behind record.Rec, written record.Values) record.Values {
	change := record.Values{}
	for _, f := range mirroredFields {
		if _, ok := written[f]; ok && mirrored(r, f) != mirrored(behind, f) {
			change[f] = mirrored(r, f)
		}
	}
	return change
}

// variantsWritten shows on the template what its variant was given, and
// archives a template with its last variant.
func variantsWritten(e *record.Env, variants []record.Rec, values record.Values) error {
	for _, v := range variants {
		t := v.Ref("product_tmpl_id")
		change := record.Values{}
		if t.Int("product_variant_id") == v.ID() {
			change = differing(v, t, values)
		}
		if _, ok := values["active"]; ok {
			all, err := allVariants(e, t)
			if err != nil {
				return err
			}
			active := slices.ContainsFunc(all, func(r record.Rec) bool { return r.Bool("active") })
			if active != t.Bool("active") {
				change["active"] = active
			}
		}
		if len(change) > 0 {
			if err := e.Sudo().Write([]record.Rec{t}, change); err != nil {
				return err
			}
		}
	}
	return nil
}

// guardTemplateUnlink names what still uses a variant; the database deletes
// the variants along with their template.
func guardTemplateUnlink(e *record.Env, templates []record.Rec) error {
	for _, t := range templates {
		variants, err := allVariants(e, t)
		if err != nil {
			return err
		}
		for _, f := range e.Registry().Referers("product.product") {
			if f.Ondelete != schema.Restrict {
				continue
			}
			for _, v := range variants {
				used, err := e.Sudo().SearchNode(f.Model.Name, leaf(f.Name, "=", v.ID()), record.WithArchived(), record.WithLimit(1))
				if err != nil {
					return err
				}
				if len(used) > 0 {
					return refuse("The product cannot be deleted: %s (%s) still uses it in the field %s. Archive it instead",
						f.Model.Label, f.Model.Name, f.Label)
				}
			}
		}
	}
	return nil
}

// unlinkEmptyTemplates deletes the templates whose last variant went.
func unlinkEmptyTemplates(e *record.Env, _ []int64) error {
	empty, err := e.Sudo().Search("product.template", `[("product_variant_ids", "=", False)]`, record.WithArchived())
	if err != nil || len(empty) == 0 {
		return err
	}
	return e.Sudo().Unlink(empty)
}

func copiedProduct(e *record.Env, original record.Rec, values record.Values) error {
	markCopy(original, values, "name")
	return nil
}

// checkProductBarcode: a scanner must find one product.
func checkProductBarcode(e *record.Env, r record.Rec) error {
	code := r.Text("barcode")
	if code == "" {
		return nil
	}
	same, err := e.Sudo().SearchNode("product.product", leaf("barcode", "=", code), record.WithOrder("id"))
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID() != r.ID() {
			return refuse("Barcode(s) already assigned:\n\n- Barcode \"%s\" already assigned to product(s): %s and %s",
				code, other.Text("name"), r.Text("name"))
		}
	}
	return nil
}
