package business

import (
	"math"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// baseLogics are those of the small base models.
func baseLogics() []record.Logic {
	return []record.Logic{
		{Model: "res.currency.rate", Defaults: rateDefaults},
		{Model: "uom.uom", Prepare: prepareUnit, Computes: []record.Compute{unitFactor}},
		{Model: "res.lang", Prepare: prepareLang, BeforeWrite: guardLang, BeforeUnlink: guardLangUnlink},
		{Model: "ir.rule", Computes: []record.Compute{ruleGlobal}, Checks: []record.Constraint{{
			Fields: []string{"domain_force", "model_id", "active"}, Check: checkRuleDomain,
		}}},
		defaultLogic, parameterLogic,
		{Model: "res.groups", AfterCreate: groupsMade, AfterWrite: groupsChanged, BeforeUnlink: groupsGone},
		companyLogic,
	}
}

// checkRuleDomain refuses rules that nobody could be held to.
func checkRuleDomain(e *record.Env, r record.Rec) error {
	if !r.Bool("active") {
		return nil
	}
	return e.CheckRule(r.Ref("model_id").Text("model"), r.Text("domain_force"))
}

var rateDefaults = map[string]func(e *record.Env) (any, error){
	"name":       func(e *record.Env) (any, error) { return e.Now().Format(schema.DateLayout), nil },
	"company_id": currentCompany,
}

// currentCompany is the default of company_id fields.
func currentCompany(e *record.Env) (any, error) {
	if id := e.CompanyID(); id != 0 {
		return id, nil
	}
	return nil, nil
}

// prepareUnit gives a unit a place among the others: small ones first.
func prepareUnit(e *record.Env, values record.Values) error {
	if n, ok := values["sequence"].(int64); ok && n != 0 {
		return nil
	}
	factor, _ := values["relative_factor"].(float64)
	values["sequence"] = int64(math.Min(math.Trunc(factor*100), 1000))
	return nil
}

// unitFactor is how many of the smallest related unit a unit holds.
var unitFactor = record.Compute{
	Fields:  []string{"factor"},
	Depends: []string{"relative_factor", "relative_uom_id.factor"},
	Early:   true,
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		factor := r.Float("relative_factor")
		if up := r.Ref("relative_uom_id"); !up.IsZero() {
			factor *= up.Float("factor")
		}
		return record.Values{"factor": factor}, nil
	},
}

var ruleGlobal = record.Compute{
	Fields:  []string{"global"},
	Depends: []string{"groups"},
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		return record.Values{"global": len(r.Refs("groups")) == 0}, nil
	},
}

// prepareLang lets a language go by its code in addresses.
func prepareLang(e *record.Env, values record.Values) error {
	if text(values["url_code"]) == "" {
		values["url_code"] = values["code"]
	}
	return nil
}

// guardLang keeps the languages that are in use, and English, on which all
// translations fall back.
func guardLang(e *record.Env, recs []record.Rec, values record.Values) error {
	if active, given := values["active"].(bool); given && !active {
		return langsUnused(e, recs, "deactivate")
	}
	return nil
}

func guardLangUnlink(e *record.Env, recs []record.Rec) error {
	return langsUnused(e, recs, "delete")
}

func langsUnused(e *record.Env, recs []record.Rec, verb string) error {
	for _, r := range recs {
		code := r.Text("code")
		if code == "en_US" {
			return fault.Newf(fault.Unprocessable, "You cannot %s the base language en_US", verb)
		}
		users, err := e.Sudo().SearchNode("res.users", leaf("lang", "=", code), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return fault.Newf(fault.Unprocessable, "Cannot %s a language that is currently used by users.", verb)
		}
	}
	return nil
}

// Who is in which group decides what users may do, and whether they count as
// internal users.
func groupsMade(e *record.Env, recs []record.Rec) error {
	return usersMoved(e)
}

func groupsChanged(e *record.Env, recs []record.Rec, values record.Values) error {
	_, members := values["user_ids"]
	_, implied := values["implied_ids"]
	_, implying := values["implied_by_ids"]
	if members || implied || implying {
		return usersMoved(e)
	}
	return nil
}

func groupsGone(e *record.Env, recs []record.Rec) error {
	for _, r := range recs {
		for _, xmlid := range []string{groupUser, groupPortal, groupPublic, groupSystem} {
			if e.Ref(xmlid).ID() == r.ID() {
				return fault.Newf(fault.Unprocessable, "The group %s cannot be deleted: every database needs it", xmlid)
			}
		}
	}
	return signalUsers(e)
}
