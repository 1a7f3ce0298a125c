package business

import s "gatehouse/internal/schema"

// sequenceModels number documents.
func sequenceModels() []*s.Model {
	return []*s.Model{
		{
			Name: "ir.sequence", Label: "Sequence", Order: "name, id",
			Fields: []*s.Field{
				s.NewChar("name", "Name").Req(),
				s.NewChar("code", "Sequence Code").Index(),
				s.NewSelection("implementation", "Implementation", "standard", "Standard", "no_gap", "No gap").
					Req().Def("standard").
					Helped("Both number without gaps here: a number is taken in the transaction that uses it."),
				s.NewBoolean("active", "Active").Def(true),
				s.NewChar("prefix", "Prefix").
					Helped("Text before the number. Placeholders: %(year)s %(y)s %(month)s %(day)s %(doy)s %(woy)s %(weekday)s %(h24)s %(h12)s %(min)s %(sec)s %(isoyear)s %(isoy)s %(isoweek)s, each also with range_ or current_ in front."),
				s.NewChar("suffix", "Suffix").Helped("Text after the number."),
				s.NewInteger("number_next", "Next Number").Req().Def(int64(1)),
				s.NewInteger("number_next_actual", "Actual Next Number").ComputedSQL("{t}.number_next"),
				s.NewInteger("number_increment", "Step").Req().Def(int64(1)),
				s.NewInteger("padding", "Sequence Size").Req().Def(int64(0)).
					Helped("The number is filled up with zeros to this many digits."),
				s.NewMany2one("company_id", "Company", "res.company"),
				s.NewBoolean("use_date_range", "Use subsequences per date_range").
					Helped("Count anew in each date range; a missing range is made for the calendar year."),
				s.NewOne2many("date_range_ids", "Subsequences", "ir.sequence.date_range", "sequence_id"),
			},
			Checks: []s.Check{{
				Name: "step", SQL: "number_increment <> 0", Message: "Step must not be zero.",
			}},
		},
		{
			Name: "ir.sequence.date_range", Label: "Sequence Date Range", Order: "id", RecName: "sequence_id",
			Fields: []*s.Field{
				s.NewDate("date_from", "From").Req(),
				s.NewDate("date_to", "To").Req(),
				s.NewMany2one("sequence_id", "Main Sequence", "ir.sequence").Req().Index().OnDeleteDo(s.Cascade),
				s.NewInteger("number_next", "Next Number").Req().Def(int64(1)),
			},
			Uniques: []s.Unique{{
				Name: "unique_range_per_sequence", Columns: []string{"sequence_id", "date_from", "date_to"},
				Message: "You cannot create two date ranges for the same sequence with the same date range.",
			}},
		},
	}
}
