package odoo

import (
	"bytes"
	"strconv"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// rows hands the records of an answer of read or search_read to a sink.
type rows struct {
	cols  []backend.Column
	sink  backend.Sink
	most  int // records at most, 0: all
	given int
	// each, where it is set, sees a record before the sink does: what was read
	// for other purposes than to be shown is in extra.
	each  func(row []backend.Value, extra [][]byte)
	extra []string // fields that are read besides
}

// read goes through an answer; it gives the number of records in it.
func (r *rows) read(answer []byte) (int, error) {
	at := make(map[string]int, len(r.cols)+len(r.extra))
	for i := range r.cols {
		at[r.cols[i].Name] = i
	}
	row, others := make([]backend.Value, len(r.cols)), make([][]byte, len(r.extra))
	places := make(map[string]int, len(r.extra))
	for i, name := range r.extra {
		places[name] = i
	}
	s := &scanner{text: answer}
	n := 0
	s.take('[')
	for first := true; s.err == nil && s.more(first, ']'); first = false {
		clear(row)
		clear(others)
		r.record(s, at, places, row, others)
		n++
		if s.err != nil || r.most > 0 && n > r.most {
			continue
		}
		if r.each != nil {
			r.each(row, others)
		}
		if err := r.sink.Row(row); err != nil {
			return n, err
		}
		r.given++
	}
	return n, s.end()
}

func (r *rows) record(s *scanner, at, places map[string]int, row []backend.Value, others [][]byte) {
	s.take('{')
	for first := true; s.err == nil && s.more(first, '}'); first = false {
		key := s.quoted()
		if s.err != nil {
			return
		}
		name := key[1 : len(key)-1] // fields have plain names
		s.take(':')
		i, shown := at[string(name)]
		j, extra := places[string(name)]
		switch {
		case extra && shown:
			begin := s.at
			row[i] = value(s, r.cols[i].Field)
			others[j] = bytes.TrimSpace(s.text[begin:s.at])
		case extra:
			others[j] = s.raw()
		case shown:
			row[i] = value(s, r.cols[i].Field)
		default:
			s.raw()
		}
	}
}

// value reads a value of a field in Odoo's shape, where false stands for
// nothing.
func value(s *scanner, f *schema.Field) backend.Value {
	switch s.peek() {
	case 'f', 't', 'n':
		word := s.word()
		if f.Type == schema.Boolean {
			return backend.BoolValue(string(word) == "true")
		}
		if string(word) == "true" && (f.Type == schema.JSON) {
			return backend.RawValue("true")
		}
		return backend.NullValue
	}
	switch f.Type {
	case schema.Boolean:
		return backend.BoolValue(string(s.word()) != "0")
	case schema.Integer, schema.Many2oneReference:
		return number(s, false)
	case schema.Float, schema.Monetary:
		return number(s, true)
	case schema.Many2one:
		return link(s)
	case schema.One2many, schema.Many2many:
		return list(s)
	case schema.Date, schema.Datetime:
		return moment(s, f.Type)
	case schema.JSON, schema.Properties, schema.PropertiesDefinition:
		return backend.RawValue(string(s.raw()))
	}
	if s.peek() != '"' { // a selection of numbers, as some old modules have
		return backend.TextValue(string(s.raw()))
	}
	return backend.TextValue(s.str())
}

func number(s *scanner, float bool) backend.Value {
	word := s.word()
	if !float {
		if n, err := strconv.ParseInt(string(word), 10, 64); err == nil {
			return backend.IntValue(n)
		}
	}
	f, err := strconv.ParseFloat(string(word), 64)
	if err != nil {
		s.fail()
	}
	if !float {
		return backend.IntValue(int64(f))
	}
	return backend.FloatValue(f)
}

// link reads a many2one: the id with the name, or alone.
func link(s *scanner) backend.Value {
	if s.peek() != '[' {
		return backend.RefValue(s.whole(), "")
	}
	s.at++
	id, name := s.whole(), ""
	if s.more(false, ']') {
		if s.peek() == '"' {
			name = s.str()
		} else {
			s.raw()
		}
		s.take(']')
	}
	return backend.RefValue(id, name)
}

func list(s *scanner) backend.Value {
	ids := []int64{}
	s.take('[')
	for first := true; s.err == nil && s.more(first, ']'); first = false {
		ids = append(ids, s.whole())
	}
	return backend.IDsValue(ids)
}

// moment reads a day or a moment, in UTC.
func moment(s *scanner, t schema.Type) backend.Value {
	text := s.str()
	v, ok := parseMoment(text, t)
	if !ok {
		s.fail()
	}
	return v
}

func parseMoment(text string, t schema.Type) (backend.Value, bool) {
	layout := schema.DatetimeLayout
	if t == schema.Date {
		layout = schema.DateLayout
		text = text[:min(len(text), len(layout))]
	}
	at, err := time.Parse(layout, text) // a fraction of a second is taken, too
	if err != nil {
		return backend.NullValue, text == ""
	}
	if t == schema.Date {
		return backend.DateValue(at), true
	}
	return backend.DatetimeValue(at), true
}
