package business

import s "gatehouse/internal/schema"

// The groups that field declarations name.
const (
	groupUser    = "base.group_user"
	groupPortal  = "base.group_portal"
	groupPublic  = "base.group_public"
	groupSystem  = "base.group_system"
	groupERP     = "base.group_erp_manager"
	groupInvoice = "account.group_account_invoice"
	groupReader  = "account.group_account_readonly"
)

// baseModels are the models that everything else stands on: geography, money,
// languages, units, companies and settings.
func baseModels() []*s.Model {
	return []*s.Model{
		countryModel(), stateModel(),
		currencyModel(), currencyRateModel(),
		langModel(), uomModel(),
		companyModel(),
		privilegeModel(), groupModel(),
		parameterModel(),
	}
}

func countryModel() *s.Model {
	return &s.Model{
		Name: "res.country", Label: "Country", Order: "name, id",
		RecNames: []string{"name", "code"},
		Fields: []*s.Field{
			s.NewChar("name", "Country Name").Req().Translated(),
			s.NewChar("code", "Country Code").Req().MaxSize(2).
				Helped("The ISO country code in two chars. \nYou can use this field for quick search."),
			s.NewText("address_format", "Layout in Reports").Def(addressFormat),
			s.NewMany2one("currency_id", "Currency", "res.currency"),
			s.NewInteger("phone_code", "Country Calling Code"),
			s.NewOne2many("state_ids", "States", "res.country.state", "country_id"),
			s.NewSelection("name_position", "Customer Name Position",
				"before", "Before Address", "after", "After Address").Def("before"),
			s.NewChar("vat_label", "Vat Label").Translated(),
			s.NewBoolean("state_required", "State Required").Def(false),
			s.NewBoolean("zip_required", "Zip Required").Def(true),
		},
		Uniques: []s.Unique{
			{Name: "name_uniq", Columns: []string{"name"}, Message: "The name of the country must be unique!"},
			{Name: "code_uniq", Columns: []string{"code"}, Message: "The code of the country must be unique!"},
		},
	}
}

// addressFormat is how most countries write an address.
const addressFormat = "%(street)s\n%(street2)s\n%(city)s %(state_code)s %(zip)s\n%(country_name)s"

func stateModel() *s.Model {
	return &s.Model{
		Name: "res.country.state", Label: "Country state", Order: "code, id",
		RecNames: []string{"name", "code"},
		NameParts: []s.NamePart{
			{Path: "name"}, {Before: " (", Path: "country_id.code", After: ")"},
		},
		Fields: []*s.Field{
			s.NewMany2one("country_id", "Country", "res.country").Req().Index(),
			s.NewChar("name", "State Name").Req(),
			s.NewChar("code", "State Code").Req(),
		},
		Uniques: []s.Unique{{
			Name: "name_code_uniq", Columns: []string{"country_id", "code"},
			Message: "The code of the state must be unique by country!",
		}},
	}
}

func currencyModel() *s.Model {
	return &s.Model{
		Name: "res.currency", Label: "Currency", Order: "active desc, name",
		RecNames: []string{"name", "full_name"},
		Fields: []*s.Field{
			s.NewChar("name", "Currency").Req().MaxSize(3).Helped("Currency Code (ISO 4217)"),
			s.NewChar("full_name", "Name"),
			s.NewInteger("iso_numeric", "Currency numeric code.").Helped("Currency Numeric Code (ISO 4217)."),
			s.NewChar("symbol", "Symbol").Req().Helped("Currency sign, to be used when printing amounts."),
			s.NewFloat("rate", "Current Rate", 12).ComputedSQL(currentRate).
				Helped("The rate of the currency to the currency of rate 1."),
			s.NewFloat("inverse_rate", "Inverse Rate", 12).ComputedSQL("1.0 / " + currentRate).
				Helped("The currency of rate 1 to the rate of the currency."),
			s.NewOne2many("rate_ids", "Rates", "res.currency.rate", "currency_id"),
			s.NewFloat("rounding", "Rounding Factor", 6).Def(0.01).
				Helped("Amounts in this currency are rounded off to the nearest multiple of the rounding factor."),
			s.NewInteger("decimal_places", "Decimal Places").ComputedStored(),
			s.NewBoolean("active", "Active").Def(true),
			s.NewSelection("position", "Symbol Position",
				"after", "After Amount", "before", "Before Amount").Def("after").
				Helped("Determines where the currency symbol should be placed after or before the amount."),
			s.NewChar("currency_unit_label", "Currency Unit").Translated().Helped("Currency Unit Name"),
			s.NewChar("currency_subunit_label", "Currency Subunit").Translated().Helped("Currency Subunit Name"),
		},
		Uniques: []s.Unique{{
			Name: "unique_name", Columns: []string{"name"},
			Message: "The currency code must be unique!",
		}},
		Checks: []s.Check{{
			Name: "rounding_gt_zero", SQL: "rounding > 0",
			Message: "The rounding factor must be greater than 0!",
		}},
	}
}

// currentRate is the newest rate that counts for the active companies; a rate
// of a company wins over one of all.
const currentRate = `coalesce((select r.rate from res_currency_rate r where r.currency_id = {t}.id
	and r.name <= current_date and (r.company_id is null or r.company_id in {companies})
	order by case when r.company_id is null then 1 else 0 end, r.name desc limit 1), 1.0)`

func currencyRateModel() *s.Model {
	rate := s.NewFloat("rate", "Technical Rate", 12).
		Helped("The rate of the currency to the currency of rate 1")
	rate.Aggregator = "avg"
	return &s.Model{
		Name: "res.currency.rate", Label: "Currency Rate", Order: "name desc, id",
		RecNames: []string{"name", "rate"},
		Fields: []*s.Field{
			s.NewDate("name", "Date").Req().Index(),
			rate,
			s.NewMany2one("currency_id", "Currency", "res.currency").Req().RO().Index().OnDeleteDo(s.Cascade),
			s.NewMany2one("company_id", "Company", "res.company"),
		},
		Uniques: []s.Unique{{
			Name: "unique_name_per_day", Columns: []string{"name", "currency_id", "company_id"},
			Message: "Only one currency rate per day allowed!",
		}},
		Checks: []s.Check{{
			Name: "currency_rate_check", SQL: "rate > 0",
			Message: "The currency rate must be strictly positive.",
		}},
	}
}

func langModel() *s.Model {
	return &s.Model{
		Name: "res.lang", Label: "Languages", Order: "active desc, name",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req(),
			s.NewChar("code", "Locale Code").Req().Helped("This field is used to set/get locales for user"),
			s.NewChar("iso_code", "ISO code").Helped("This ISO code is the name of po files to use for translations"),
			s.NewChar("url_code", "URL Code").Req().Helped("The Lang Code displayed in the URL"),
			s.NewBoolean("active", "Active"),
			s.NewSelection("direction", "Direction", "ltr", "Left-to-Right", "rtl", "Right-to-Left").Req().Def("ltr"),
			s.NewChar("date_format", "Date Format").Req().Def("%m/%d/%Y"),
			s.NewSelection("time_format", "Time Format",
				"%H:%M:%S", "13:00:00", "%I:%M:%S %p", " 1:00:00 PM").Req().Def("%H:%M:%S"),
			s.NewSelection("week_start", "First Day of Week", "1", "Monday", "2", "Tuesday", "3", "Wednesday",
				"4", "Thursday", "5", "Friday", "6", "Saturday", "7", "Sunday").Req().Def("7"),
			s.NewSelection("grouping", "Separator Format",
				"[3,0]", "International Grouping", "[3,2,0]", "Indian Grouping").Req().Def("[3,0]"),
			s.NewChar("decimal_point", "Decimal Separator").Req().Def("."),
			s.NewChar("thousands_sep", "Thousands Separator").Def(","),
		},
		Uniques: []s.Unique{
			{Name: "name_uniq", Columns: []string{"name"}, Message: "The name of the language must be unique!"},
			{Name: "code_uniq", Columns: []string{"code"}, Message: "The code of the language must be unique!"},
			{Name: "url_code_uniq", Columns: []string{"url_code"}, Message: "The URL code of the language must be unique!"},
		},
	}
}

func uomModel() *s.Model {
	return &s.Model{
		Name: "uom.uom", Label: "Product Unit of Measure", Order: "sequence, relative_uom_id, id",
		ParentName: "relative_uom_id",
		Fields: []*s.Field{
			s.NewChar("name", "Unit Name").Req().Translated(),
			s.NewInteger("sequence", "Sequence"),
			s.NewFloat("relative_factor", "Contains", 12).Req().Def(1.0).
				Helped("How much bigger or smaller this unit is compared to the reference UoM for this unit"),
			s.NewMany2one("relative_uom_id", "Reference Unit", "uom.uom").Index().OnDeleteDo(s.Cascade),
			s.NewOne2many("related_uom_ids", "Related UoMs", "uom.uom", "relative_uom_id"),
			s.NewFloat("factor", "Absolute Quantity", 12).ComputedStored(),
			s.NewChar("parent_path", "Parent Path").Index(),
			s.NewBoolean("active", "Active").Def(true).
				Helped("Uncheck the active field to disable a unit of measure without deleting it."),
		},
		Checks: []s.Check{{
			Name: "factor_gt_zero", SQL: "relative_factor <> 0",
			Message: "The conversion ratio for a unit of measure cannot be 0!",
		}},
	}
}

func parameterModel() *s.Model {
	return &s.Model{
		Name: "ir.config_parameter", Label: "System Parameter", Order: "key", RecName: "key",
		Fields: []*s.Field{
			s.NewChar("key", "Key").Req(),
			s.NewText("value", "Value").Req(),
		},
		Uniques: []s.Unique{{
			Name: "key_uniq", Columns: []string{"key"}, Message: "Key must be unique.",
		}},
	}
}
