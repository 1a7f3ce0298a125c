package record

import (
	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// version adds the column by which a state of a record is told from another,
// for backend.Query.Version: when it was last changed, or a record that it
// delegates to. The engine changes write_date, to the microsecond, with every
// stored field, computed ones included. Models without it have no version.
func (f *from) version(p *plan, exprs []string) []string {
	dates := f.writeDates(nil)
	if dates == nil {
		return exprs
	}
	expr := dates[0]
	if len(dates) > 1 {
		expr = f.c.d.Greatest(dates...)
	}
	p.columns = append(p.columns, backend.Column{Name: backend.VersionColumn})
	p.readers = append(p.readers, reader{readDatetime, len(exprs)})
	return append(exprs, expr)
}

func (f *from) writeDates(dates []string) []string {
	if date := f.model.Field("write_date"); date != nil && date.HasColumn() && !f.model.NoLog {
		dates = append(dates, f.col(date))
	}
	for _, in := range f.model.Inherits {
		if link := f.model.Field(in.Field); link != nil && link.Type == schema.Many2one && f.c.reg.Model(in.Model) != nil {
			dates = f.parent(link).writeDates(dates)
		}
	}
	return dates
}
