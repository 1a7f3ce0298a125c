package backend

import "strings"

// Page is a Sink that keeps what it receives.
type Page struct {
	Cols []Column
	Rows [][]Value
}

// Columns keeps the columns.
func (p *Page) Columns(cols []Column) error {
	p.Cols = cols
	return nil
}

// Row keeps a copy of the row that stays valid.
func (p *Page) Row(row []Value) error {
	kept := make([]Value, len(row))
	copy(kept, row)
	for i := range kept {
		kept[i].Text = strings.Clone(kept[i].Text)
		kept[i].List = append([]int64(nil), kept[i].List...)
	}
	p.Rows = append(p.Rows, kept)
	return nil
}

// Get finds a cell by column name; the null value where there is no such column.
func (p *Page) Get(row int, name string) Value {
	for i, c := range p.Cols {
		if c.Name == name {
			return p.Rows[row][i]
		}
	}
	return Value{}
}

// IDs gives the ids of the rows, from the column "id".
func (p *Page) IDs() []int64 {
	ids := make([]int64, 0, len(p.Rows))
	for i := range p.Rows {
		ids = append(ids, p.Get(i, "id").Int)
	}
	return ids
}
