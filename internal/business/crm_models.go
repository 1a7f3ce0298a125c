package business

import s "gatehouse/internal/schema"

// crmModels are leads, the stages they go through, teams and tags.
func crmModels() []*s.Model {
	return []*s.Model{leadModel(), stageModel(), teamModel(), tagModel()}
}

func leadModel() *s.Model {
	return &s.Model{
		Name: "crm.lead", Label: "Lead", Order: "priority desc, id desc",
		RecNames: []string{"name", "partner_name", "contact_name", "email_from"},
		Fields:   append(leadDeal(), leadContact()...),
		Checks: []s.Check{{
			Name: "check_probability", SQL: "probability >= 0 and probability <= 100",
			Message: "The probability of closing the deal should be between 0% and 100%!",
		}},
	}
}

// leadDeal are the fields that say what is to be sold and how it stands.
func leadDeal() []*s.Field {
	probability := s.NewFloat("probability", "Probability", -1)
	probability.Aggregator = "avg"
	return []*s.Field{
		s.NewChar("name", "Opportunity").Req().Index(),
		s.NewSelection("type", "Type", "lead", "Lead", "opportunity", "Opportunity").Req().Index().Def("opportunity"),
		s.NewBoolean("active", "Active").Def(true),
		s.NewSelection("priority", "Priority", "0", "Low", "1", "Medium", "2", "High", "3", "Very High").Index().Def("0"),
		s.NewMany2one("stage_id", "Stage", "crm.stage").Index().NoCopy().OnDeleteDo(s.Restrict),
		s.NewSelection("won_status", "Is Won", "won", "Won", "lost", "Lost", "pending", "Pending").ComputedStored(),
		probability,
		s.NewMany2one("company_id", "Company", "res.company").Index(),
		s.NewMany2one("company_currency", "Currency", "res.currency").RelatedTo("company_id", "currency_id"),
		s.NewMonetary("expected_revenue", "Expected Revenue", "company_currency"),
		s.NewMonetary("prorated_revenue", "Prorated Revenue", "company_currency").ComputedStored().
			Helped("The expected revenue times the probability."),
		s.NewMany2one("user_id", "Salesperson", "res.users").Index(),
		s.NewMany2one("team_id", "Sales Team", "crm.team").Index(),
		s.NewMany2many("tag_ids", "Tags", "crm.tag", "crm_tag_rel", "lead_id", "tag_id"),
		s.NewHTML("description", "Notes"),
		s.NewChar("referred", "Referred By"),
		s.NewDate("date_deadline", "Expected Closing"),
		s.NewDatetime("date_open", "Assignment Date").RO(),
		s.NewDatetime("date_closed", "Closed Date").RO().NoCopy(),
		s.NewDatetime("date_last_stage_update", "Last Stage Update").RO().NoCopy(),
		s.NewDatetime("date_conversion", "Conversion Date").RO(),
		s.NewInteger("color", "Color Index").Def(int64(0)),
	}
}

// leadContact are the fields that say whom it is to be sold to.
func leadContact() []*s.Field {
	return []*s.Field{
		s.NewMany2one("partner_id", "Customer", "res.partner").Index(),
		s.NewChar("partner_name", "Company Name"),
		s.NewChar("contact_name", "Contact Name"),
		s.NewChar("function", "Job Position"),
		s.NewChar("email_from", "Email").Index(),
		s.NewChar("phone", "Phone"),
		s.NewChar("website", "Website"),
		s.NewChar("street", "Street"),
		s.NewChar("street2", "Street2"),
		s.NewChar("zip", "Zip"),
		s.NewChar("city", "City"),
		s.NewMany2one("state_id", "State", "res.country.state"),
		s.NewMany2one("country_id", "Country", "res.country"),
	}
}

func stageModel() *s.Model {
	return &s.Model{
		Name: "crm.stage", Label: "CRM Stages", Order: "sequence, name, id",
		Fields: []*s.Field{
			s.NewChar("name", "Stage Name").Req().Translated(),
			s.NewInteger("sequence", "Sequence").Def(int64(1)),
			s.NewBoolean("is_won", "Is Won Stage?"),
			s.NewBoolean("fold", "Folded in Pipeline"),
			s.NewText("requirements", "Requirements"),
		},
	}
}

func teamModel() *s.Model {
	return &s.Model{
		Name: "crm.team", Label: "Sales Team", Order: "sequence ASC, create_date DESC, id DESC",
		Fields: []*s.Field{
			s.NewChar("name", "Sales Team").Req().Translated(),
			s.NewInteger("sequence", "Sequence").Def(int64(10)),
			s.NewBoolean("active", "Active").Def(true),
			s.NewMany2one("company_id", "Company", "res.company").Index(),
			s.NewMany2one("user_id", "Team Leader", "res.users"),
			s.NewInteger("color", "Color Index"),
			s.NewFloat("invoiced_target", "Invoicing Target", -1),
		},
	}
}

func tagModel() *s.Model {
	return &s.Model{
		Name: "crm.tag", Label: "CRM Tag", Order: "id",
		Fields: []*s.Field{
			s.NewChar("name", "Tag Name").Req().Translated(),
			s.NewInteger("color", "Color"),
		},
		Uniques: []s.Unique{{
			Name: "name_uniq", Columns: []string{"name"}, Message: "Tag name already exists!",
		}},
	}
}
