package business

import (
	"gatehouse/internal/record"
)

// crmLogics move leads through their stages.
func crmLogics() []record.Logic {
	return []record.Logic{{
		Model: "crm.lead",
		Defaults: map[string]func(e *record.Env) (any, error){
			"company_id": currentCompany,
			"user_id": func(e *record.Env) (any, error) {
				if e.UserID() == rootUser {
					return nil, nil
				}
				return e.UserID(), nil
			},
			"stage_id": func(e *record.Env) (any, error) { return stageID(e, "[]") },
		},
		Prepare:     prepareLead,
		BeforeWrite: beforeLeadWrite,
		Computes:    []record.Compute{leadOutcome},
		Checks: []record.Constraint{{
			Fields: []string{"company_id", "partner_id", "team_id"},
			Check: func(e *record.Env, l record.Rec) error {
				return checkCompany(e, l, "partner_id", "team_id")
			},
		}},
		BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
			values["name"] = original.Text("name") + " (copy)"
			return nil
		},
		Methods: map[string]record.Method{
			"action_set_won":      {Do: setWon, Doc: "Moves leads to the won stage."},
			"action_set_lost":     {Do: setLost, Doc: "Archives leads as lost."},
			"convert_opportunity": {Do: convertLeads, Doc: "Makes leads opportunities; partner_id, user_id and team_id may be given."},
		},
	}}
}

// stageID is the first stage that a domain finds; nil when there is none.
func stageID(e *record.Env, domainText string) (any, error) {
	stages, err := e.Sudo().Search("crm.stage", domainText, record.WithLimit(1))
	if err != nil || len(stages) == 0 {
		return nil, err
	}
	return stages[0].ID(), nil
}

// leadFromPartner are the fields that a lead takes over from its customer
// where it has none of its own.
var leadFromPartner = map[string]string{
	"email_from": "email", "phone": "phone", "function": "function", "website": "website",
	"street": "street", "street2": "street2", "zip": "zip", "city": "city",
}

// prepareLead fills a lead from its customer and notes when it was assigned.
func prepareLead(e *record.Env, values record.Values) error {
	if user, _ := values["user_id"].(int64); user != 0 && !given(values, "date_open") {
		values["date_open"] = moment(e.Now())
	}
	values["date_last_stage_update"] = moment(e.Now())
	if err := closeAtWon(e, values); err != nil {
		return err
	}
	id, _ := values["partner_id"].(int64)
	if id == 0 {
		return nil
	}
	partner := e.One("res.partner", id)
	for field, from := range leadFromPartner {
		if text(values[field]) == "" {
			values[field] = orNil(partner.Text(from))
		}
	}
	for _, field := range addressLinks {
		if link, _ := values[field].(int64); link == 0 {
			values[field] = idOrNil(partner.Int(field))
		}
	}
	company, contact := partner.Text("commercial_company_name"), ""
	if !partner.Bool("is_company") {
		contact = partner.Text("name")
	}
	for field, v := range map[string]string{"partner_name": company, "contact_name": contact} {
		if text(values[field]) == "" {
			values[field] = orNil(v)
		}
	}
	if text(values["name"]) == "" {
		values["name"] = partner.Text("name") + "'s opportunity"
	}
	return nil
}

func beforeLeadWrite(e *record.Env, leads []record.Rec, values record.Values) error {
	if given(values, "stage_id") {
		values["date_last_stage_update"] = moment(e.Now())
	}
	if given(values, "user_id") {
		user, _ := values["user_id"].(int64)
		values["date_open"] = nil
		if user != 0 {
			values["date_open"] = moment(e.Now())
		}
	}
	return closeAtWon(e, values)
}

// closeAtWon: what comes to a won stage is certain, and closed.
func closeAtWon(e *record.Env, values record.Values) error {
	id, _ := values["stage_id"].(int64)
	if id == 0 || !e.One("crm.stage", id).Bool("is_won") {
		return nil
	}
	values["probability"] = 100.0
	values["date_closed"] = moment(e.Now())
	return nil
}

// leadOutcome is how a lead ended, and what may be expected of it.
var leadOutcome = record.Compute{
	Fields:  []string{"won_status", "prorated_revenue"},
	Depends: []string{"probability", "active", "stage_id.is_won", "expected_revenue"}, Early: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		probability, status := l.Float("probability"), "pending"
		switch {
		case probability == 100 && l.Ref("stage_id").Bool("is_won"):
			status = "won"
		case probability == 0 && !l.Bool("active"):
			status = "lost"
		}
		step := roundingOf(l.Ref("company_id").Ref("currency_id"))
		return record.Values{
			"won_status": status, "prorated_revenue": roundTo(l.Float("expected_revenue")*probability/100, step),
		}, nil
	},
}

func setWon(e *record.Env, leads []record.Rec, _ record.Values) (any, error) {
	stage, err := stageID(e, "[('is_won', '=', True)]")
	if err != nil {
		return nil, err
	}
	values := record.Values{"active": true, "probability": 100.0, "date_closed": moment(e.Now())}
	if stage != nil {
		values["stage_id"] = stage
	}
	return true, e.Write(leads, values)
}

func setLost(e *record.Env, leads []record.Rec, _ record.Values) (any, error) {
	return true, e.Write(leads, record.Values{"active": false, "probability": 0.0, "date_closed": moment(e.Now())})
}

func convertLeads(e *record.Env, leads []record.Rec, args record.Values) (any, error) {
	for _, l := range leads {
		values := record.Values{"type": "opportunity", "date_conversion": moment(e.Now())}
		for _, field := range []string{"partner_id", "user_id", "team_id"} {
			if v, ok := args[field]; ok {
				values[field] = v
			}
		}
		if l.Text("type") == "opportunity" {
			delete(values, "date_conversion")
		}
		if err := e.Write([]record.Rec{l}, values); err != nil {
			return nil, err
		}
	}
	return true, nil
}

// seedCRM makes the stages of a pipeline and the first team.
func seedCRM(e *record.Env) error {
	for i, stage := range []struct {
		name, xmlid string
		won         bool
	}{
		{"New", "crm.stage_lead1", false},
		{"Qualified", "crm.stage_lead2", false},
		{"Proposition", "crm.stage_lead3", false},
		{"Won", "crm.stage_lead4", true},
	} {
		recs, err := e.Create("crm.stage", record.Values{
			"name": stage.name, "sequence": int64(i + 1), "is_won": stage.won,
		})
		if err != nil {
			return err
		}
		if err := nameRecord(e, stage.xmlid, recs[0]); err != nil {
			return err
		}
	}
	team, err := e.Create("crm.team", record.Values{"name": "Sales", "company_id": nil})
	if err != nil {
		return err
	}
	return nameRecord(e, "sales_team.team_sales_department", team[0])
}
