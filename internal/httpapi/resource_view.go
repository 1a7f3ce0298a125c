package httpapi

import (
	"fmt"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// view shows records of a model as objects of a curated resource. It is a
// backend.Sink: records are written as they come, or kept until the end where
// that is needed for their lines or their order.
type view struct {
	cells []cell
	asked []string // fields of the model, each once, the id first

	one   bool // an object, not a list
	form  form // how a list is written
	quote bool // CSV takes their meaning off formulas
	keep  bool // records are kept until finish
	page  backend.Page
	cols  []backend.Column
	buf   []byte
	home  *wire.Rows // whose buffer it is, where it is borrowed
	count int
}

// cell is one field of the resource and where its values are.
type cell struct {
	spec   *ResourceField
	field  *schema.Field // of the model; nil where it has none, then the value is null
	at     []int         // columns of spec.names, -1 where there is none
	lines  *view
	placed map[int64]int // row of a line in lines.page, by id
}

// newView prepares to show fields of a model. A field that the model lacks
// (an app is not installed) is shown as null, so that the shape stays.
func (s *Server) newView(c *call, m *schema.Model, fields []ResourceField) (*view, error) {
	v := &view{cells: make([]cell, 0, len(fields)), asked: make([]string, 0, len(fields)+1)}
	places := make([]int, 0, 2*len(fields))
	for i := range fields {
		spec := &fields[i]
		if spec.InOnly {
			continue
		}
		cell := cell{spec: spec, field: m.Field(spec.names[0])}
		for _, name := range spec.names {
			places = append(places, -1)
			if m.Field(name) != nil && !slices.Contains(v.asked, name) {
				v.asked = append(v.asked, name)
			}
		}
		cell.at = places[len(places)-len(spec.names):]
		if spec.Lines != nil && cell.field != nil {
			if err := s.lineView(c, &cell); err != nil {
				return nil, err
			}
			v.keep = true
		}
		v.cells = append(v.cells, cell)
	}
	return v, nil
}

func (s *Server) lineView(c *call, cell *cell) error {
	if !cell.field.Type.IsX2many() {
		return fmt.Errorf("field %s of %s holds no lines", cell.field.Name, cell.field.Model.Name)
	}
	m, err := s.deps.Backend.Model(c.ctx, c.caller, cell.field.Relation)
	if err != nil {
		return err
	}
	if cell.lines, err = s.newView(c, m, cell.spec.Lines); err == nil {
		cell.lines.keep = true
	}
	return err
}

// Columns finds the cells' columns.
func (v *view) Columns(cols []backend.Column) error {
	v.cols = append(v.cols[:0], cols...)
	for i := range v.cells {
		cell := &v.cells[i]
		for j, name := range cell.spec.names {
			cell.at[j] = slices.IndexFunc(cols, func(c backend.Column) bool { return c.Name == name })
		}
	}
	return v.page.Columns(v.cols)
}

// Row shows a record, or keeps it for later.
func (v *view) Row(row []backend.Value) error {
	if v.keep {
		return v.page.Row(row)
	}
	v.write(row)
	return nil
}

// write shows a record: the first of a list opens the list.
func (v *view) write(row []backend.Value) {
	switch {
	case v.form == asCSV:
		v.buf = v.appendCSV(v.buf, row)
		v.count++
		return
	case v.form == asLines:
		v.buf = append(v.appendRow(v.buf, row), '\n')
		v.count++
		return
	case v.count > 0:
		v.buf = append(v.buf, ',')
	case !v.one:
		v.buf = append(v.buf, '[')
	}
	v.buf = v.appendRow(v.buf, row)
	v.count++
}

func (v *view) appendRow(dst []byte, row []backend.Value) []byte {
	dst = append(dst, '{')
	for i := range v.cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = v.cells[i].append(append(dst, v.cells[i].spec.key...), v.cols, row)
	}
	return append(dst, '}')
}

// append writes the value of a cell.
func (c *cell) append(dst []byte, cols []backend.Column, row []backend.Value) []byte {
	for i := range c.spec.Choices {
		if choice := &c.spec.Choices[i]; c.holds(choice, row) {
			return wire.AppendString(dst, choice.Name)
		}
	}
	at := c.at[0]
	switch {
	case at < 0:
		return append(dst, "null"...)
	case c.lines != nil:
		return c.appendLines(dst, row[at].List)
	}
	return wire.AppendValue(dst, wire.Plain, cols[at].Field, &row[at])
}

// holds says whether a record has the values that a word stands for.
func (c *cell) holds(choice *Choice, row []backend.Value) bool {
	for i, name := range c.spec.names {
		want, ok := choice.Values[name]
		if !ok {
			continue
		}
		var have backend.Value
		if c.at[i] >= 0 {
			have = row[c.at[i]]
		}
		switch want := want.(type) {
		case string:
			ok = have.Kind == backend.Text && have.Text == want
		case bool:
			ok = (have.Kind == backend.Bool && have.Int != 0) == want
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func (c *cell) appendLines(dst []byte, ids []int64) []byte {
	dst = append(dst, '[')
	first := true
	for _, id := range ids {
		at, ok := c.placed[id]
		if !ok {
			continue // not for this caller's eyes
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = c.lines.appendRow(dst, c.lines.page.Rows[at])
	}
	return append(dst, ']')
}

// fetchLines gets the lines of all kept records, in one query for each field
// that has some.
func (s *Server) fetchLines(c *call, v *view) error {
	for i := range v.cells {
		cell := &v.cells[i]
		if cell.lines == nil || len(v.page.Rows) == 0 {
			continue
		}
		query := backend.Query{Model: cell.field.Relation, Fields: cell.lines.asked}
		if inverse := cell.field.Inverse; inverse != "" {
			query.Domain = oneOfIDs(inverse, v.page.IDs())
		} else {
			var ids []int64
			for row := range v.page.Rows {
				ids = append(ids, v.page.Rows[row][cell.at[0]].List...)
			}
			query.Domain = oneOfIDs("id", ids)
		}
		if _, err := s.deps.Backend.Search(c.ctx, c.caller, &query, cell.lines); err != nil {
			return err
		}
		cell.placed = make(map[int64]int, len(cell.lines.page.Rows))
		for row, id := range cell.lines.page.IDs() {
			cell.placed[id] = row
		}
	}
	return nil
}

func oneOfIDs(path string, ids []int64) domain.Node {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return &domain.Leaf{Path: path, Op: domain.OpIn, Value: list, Pos: -1}
}

// finish gives what was shown as JSON: an object, false where there is no
// record, or a list.
func (v *view) finish() ([]byte, bool) {
	for _, row := range v.page.Rows {
		v.write(row)
	}
	if !v.one && v.form == asJSON {
		if v.count == 0 {
			v.buf = append(v.buf, '[')
		}
		v.buf = append(v.buf, ']')
	}
	if v.home != nil {
		v.home.Return(v.buf)
	}
	return v.buf, !v.one || v.count == 1
}

// sort brings kept records into the order of these ids; false when one of them
// is not there.
func (v *view) sort(ids []int64) bool {
	place := make(map[int64]int, len(v.page.Rows))
	for row, id := range v.page.IDs() {
		place[id] = row
	}
	sorted := make([][]backend.Value, len(ids))
	for i, id := range ids {
		row, ok := place[id]
		if !ok {
			return false
		}
		sorted[i] = v.page.Rows[row]
	}
	v.page.Rows = sorted
	return true
}
