package business

import (
	"strings"
)

func (s *seeder) seedCurrencies() error {
	active := map[string]bool{"EUR": true, "USD": true}
	var rows [][]any
	for i, r := range facts("currencies.csv") {
		id, code := int64(i+1), r.text("code")
		s.name("base."+code, "res.currency", id)
		rows = append(rows, []any{
			id, code, r.text("name"), r.int("numeric"), r.text("symbol"),
			r.float("rounding"), r.int("decimals"), active[code], r.text("position"),
			english(r.text("unit")), english(r.text("subunit")),
		})
	}
	return s.insert("res_currency", []string{
		"name", "full_name", "iso_numeric", "symbol", "rounding",
		"decimal_places", "active", "position", "currency_unit_label", "currency_subunit_label",
	}, rows)
}

func (s *seeder) seedGeography() error {
	countries := map[string]int64{}
	var rows [][]any
	for i, r := range facts("countries.csv") {
		id, code := int64(i+1), r.text("code")
		countries[code] = id
		name := r.text("xmlid") // only where it is not the code
		if name == "" {
			name = strings.ToLower(code)
		}
		s.name("base."+name, "res.country", id)
		var currency any
		if c := r.text("currency"); c != "" {
			currency = s.id("base." + c)
		}
		rows = append(rows, []any{
			id, english(r.text("name")), code, countryFormat(r), currency, r.int("phone"),
			orText(r.text("name_position"), "before"), english(r.text("vat_label")),
			r.bool("state_required"), r.bool("zip_required"),
		})
	}
	if err := s.insert("res_country", []string{
		"name", "code", "address_format", "currency_id", "phone_code",
		"name_position", "vat_label", "state_required", "zip_required",
	}, rows); err != nil {
		return err
	}
	rows = nil
	for i, r := range facts("states.csv") {
		id, country, code := int64(i+1), r.text("country"), r.text("code")
		name := r.text("xmlid")
		if name == "" {
			name = "state_" + strings.ToLower(country) + "_" + strings.ToLower(code)
		}
		s.name("base."+name, "res.country.state", id)
		rows = append(rows, []any{id, countries[country], r.text("name"), code})
	}
	return s.insert("res_country_state", []string{"country_id", "name", "code"}, rows)
}

// countryFormat is how the country writes addresses; the file names only
// those that do not do as most do, with \n for line ends.
func countryFormat(r factRow) string {
	return orText(strings.ReplaceAll(r.text("address_format"), `\n`, "\n"), addressFormat)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (s *seeder) seedLanguages() error {
	columns := []string{
		"name", "code", "iso_code", "url_code", "direction", "date_format", "time_format",
		"week_start", "grouping", "decimal_point", "thousands_sep",
	}
	var rows [][]any
	for i, r := range facts("languages.csv") {
		id := int64(i + 1)
		s.name("base."+r.text("xmlid"), "res.lang", id)
		row := []any{id}
		for _, c := range columns {
			row = append(row, r.optional(c))
		}
		rows = append(rows, append(row, r.text("code") == "en_US"))
	}
	return s.insert("res_lang", append(columns, "active"), rows)
}

func (s *seeder) seedUnits() error {
	var rows [][]any
	for i, r := range facts("units.csv") {
		id := int64(i + 1)
		s.name("uom."+r.text("xmlid"), "uom.uom", id)
		var relative any
		if u := r.text("relative_unit"); u != "" {
			relative = s.id("uom." + u)
		}
		rows = append(rows, []any{
			id, english(r.text("name")), r.int("sequence"), relative,
			r.float("relative_factor"), r.float("factor"), r.text("parent_path"), r.bool("active"),
		})
	}
	return s.insert("uom_uom", []string{
		"name", "sequence", "relative_uom_id", "relative_factor", "factor",
		"parent_path", "active",
	}, rows)
}
