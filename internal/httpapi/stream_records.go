package httpapi

import (
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// streamRecords answers all records of a list.
func (s *Server) streamRecords(c *call, in *listInput, tree *branch, form form) (reply, error) {
	query := &backend.Query{
		Model: in.model, DomainText: in.domain, Domain: in.only, Fields: in.fields, Order: in.order, Offset: in.offset,
	}
	st := &stream{form: form, name: in.model}
	table := &table{shape: in.shape, quote: !in.formulas, tree: tree}
	return batches(&in.params, query, st, func(q *backend.Query) ([]byte, int, error) {
		if form == asLines {
			rows := c.recordRows(in.shape, false)
			rows.Lines()
			_, err := s.find(c, q, tree, rows)
			return rows.Bytes(), rows.Len(), err
		}
		table.buf, table.count = table.buf[:0], 0
		if tree == nil {
			_, err := s.deps.Backend.Search(c.ctx, c.caller, q, table)
			return table.buf, table.count, err
		}
		if _, err := s.load(c, q, tree); err != nil {
			return nil, 0, err
		}
		if err := table.Columns(tree.page.Cols); err != nil {
			return nil, 0, err
		}
		for _, row := range tree.page.Rows {
			if err := table.Row(row); err != nil {
				return nil, 0, err
			}
		}
		return table.buf, table.count, nil
	})
}

// table is a backend.Sink that writes records as lines of CSV, with the names
// of the columns before the first. A many2one has two columns: the id, and its
// name; behind an expanded one are those of its fields. Lists are JSON.
type table struct {
	shape wire.Shape
	quote bool
	tree  *branch // nil: nothing is expanded

	cols  []backend.Column
	begun bool
	buf   []byte
	count int
}

// Columns writes the head, once.
func (t *table) Columns(cols []backend.Column) error {
	t.cols = append(t.cols[:0], cols...)
	if !t.begun {
		t.begun = true
		t.buf = endLine(t.head(t.buf, "", t.cols, t.tree))
	}
	return nil
}

// head writes the names of columns, each with a comma behind it.
func (t *table) head(dst []byte, place string, cols []backend.Column, b *branch) []byte {
	for i := range cols {
		name := place + cols[i].Name
		kid := b.kid(cols[i].Name)
		if place != "" && i == 0 { // the id of what a many2one leads to is told by its own column
			continue
		}
		dst = append(append(dst, name...), ',')
		if isRef(cols[i].Field) && (kid == nil || !slices.Contains(kid.fields, "name")) {
			dst = append(append(dst, name...), ".name,"...)
		}
		if kid != nil && isRef(kid.link) {
			dst = t.head(dst, name+".", kid.columns(), kid)
		}
	}
	return dst
}

func isRef(f *schema.Field) bool { return f != nil && f.Type == schema.Many2one }

// columns are those of the fields that are read.
func (b *branch) columns() []backend.Column {
	cols := make([]backend.Column, len(b.fields))
	for i, name := range b.fields {
		cols[i] = backend.Column{Name: name, Field: b.model.Field(name)}
	}
	return cols
}

// Row writes a record.
func (t *table) Row(row []backend.Value) error {
	t.buf = endLine(t.line(t.buf, false, t.cols, row, t.tree))
	t.count++
	return nil
}

// line writes the cells of a record, each with a comma behind it; nil for the
// row leaves them empty.
func (t *table) line(dst []byte, below bool, cols []backend.Column, row []backend.Value, b *branch) []byte {
	for i := range cols {
		if below && i == 0 {
			continue
		}
		v := &backend.Value{}
		if row != nil {
			v = &row[i]
		}
		kid := b.kid(cols[i].Name)
		switch {
		case row == nil:
		case kid != nil && !isRef(kid.link):
			dst = wire.AppendCSVText(dst, string(kid.append(nil, t.shape, v)), false)
		default:
			dst = wire.AppendCSV(dst, t.shape, cols[i].Field, v, t.quote)
		}
		dst = append(dst, ',')
		if isRef(cols[i].Field) && (kid == nil || !slices.Contains(kid.fields, "name")) {
			dst = append(wire.AppendCSVText(dst, v.Text, t.quote), ',')
		}
		if kid != nil && isRef(kid.link) {
			var behind []backend.Value
			if at, ok := kid.placed[v.Int]; ok && v.Int != 0 {
				behind = kid.page.Rows[at]
			}
			dst = t.line(dst, true, kid.columns(), behind, kid)
		}
	}
	return dst
}

// endLine makes the last comma the end of the line.
func endLine(dst []byte) []byte { return append(dst[:len(dst)-1], "\r\n"...) }

// stream answers all records of a curated list.
func (r curated) stream(c *call, m *schema.Model, p *params, query *backend.Query, form form) (reply, error) {
	st := &stream{form: form, name: r.res.Name}
	begun := false
	return batches(p, query, st, func(q *backend.Query) ([]byte, int, error) {
		v, err := r.view(c, m)
		if err != nil {
			return nil, 0, err
		}
		v.form, v.quote, q.Fields = form, !p.formulas, v.asked
		if !begun && form == asCSV {
			v.buf = v.head(v.buf)
		}
		begun = true
		if _, err := r.deps.Backend.Search(c.ctx, c.caller, q, v); err != nil {
			return nil, 0, err
		}
		if err := r.fetchLines(c, v); err != nil {
			return nil, 0, err
		}
		raw, _ := v.finish()
		return raw, v.count, nil
	})
}

// head writes the names of a resource's columns.
func (v *view) head(dst []byte) []byte {
	for i := range v.cells {
		name := v.cells[i].spec.Name
		dst = append(wire.AppendCSVText(dst, name, false), ',')
		if v.cells[i].isRef() {
			dst = append(wire.AppendCSVText(dst, name+".name", false), ',')
		}
	}
	return endLine(dst)
}

// isRef says that a cell shows a many2one.
func (c *cell) isRef() bool { return len(c.spec.Choices) == 0 && isRef(c.field) }

// appendCSV writes a record as a line.
func (v *view) appendCSV(dst []byte, row []backend.Value) []byte {
	for i := range v.cells {
		c := &v.cells[i]
		at := c.at[0]
		switch {
		case at < 0:
		case len(c.spec.Choices) > 0:
			if text := c.append(nil, v.cols, row); text[0] == '"' { // a word, whose letters need no quotes
				dst = wire.AppendCSVText(dst, string(text[1:len(text)-1]), v.quote)
			}
		case c.lines != nil:
			dst = wire.AppendCSVText(dst, string(c.appendLines(nil, row[at].List)), false)
		default:
			dst = wire.AppendCSV(dst, wire.Plain, v.cols[at].Field, &row[at], v.quote)
		}
		dst = append(dst, ',')
		if c.isRef() {
			if at >= 0 {
				dst = wire.AppendCSVText(dst, row[at].Text, v.quote)
			}
			dst = append(dst, ',')
		}
	}
	return endLine(dst)
}
