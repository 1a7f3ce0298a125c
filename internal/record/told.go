package record

import (
	"bytes"
	"slices"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// TellableFields are those of the names that there are (a field may have been
// removed since) and that may be told.
func TellableFields(m *schema.Model, names []string) []string {
	var out []string
	for _, name := range names {
		if f := m.Field(name); f != nil && Tellable(f) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Rendered is a backend.Sink that keeps values as webhooks write them, by id and
// field; the query must ask for the id.
type Rendered struct {
	cols    []backend.Column
	Records map[int64]map[string][]byte
}

// Columns implements backend.Sink.
func (r *Rendered) Columns(cols []backend.Column) error {
	r.cols = slices.Clone(cols)
	return nil
}

// Row implements backend.Sink.
func (r *Rendered) Row(row []backend.Value) error {
	values := make(map[string][]byte, len(row))
	var id int64
	for i, c := range r.cols {
		if c.Name == "id" {
			id = row[i].Int
		}
		values[c.Name] = wire.AppendValue(nil, wire.Hook, c.Field, &row[i])
	}
	r.Records[id] = values
	return nil
}

// EventRecord is the Record of an event: a JSON object of rendered values, the
// id first.
func EventRecord(fields []string, values map[string][]byte) []byte {
	out := append([]byte(`{"id":`), values["id"]...)
	for _, name := range fields {
		if v, ok := values[name]; ok && name != "id" {
			out = append(append(wire.AppendString(append(out, ','), name), ':'), v...)
		}
	}
	return append(out, '}')
}

// EventChanges is the Changed of an event: a JSON object of the fields that are
// not as they were, as far as that is known; nil if none are.
func EventChanges(fields []string, was, is map[string][]byte) []byte {
	var out []byte
	for _, name := range fields {
		old, known := was[name]
		if !known || bytes.Equal(old, is[name]) {
			continue
		}
		sep := byte(',')
		if out == nil {
			sep = '{'
		}
		out = append(append(wire.AppendString(append(out, sep), name), `:{"old":`...), old...)
		out = append(append(append(out, `,"new":`...), is[name]...), '}')
	}
	if out == nil {
		return nil
	}
	return append(out, '}')
}

// EventOfID is the Record of an event of which only the id is told.
func EventOfID(id int64) []byte {
	return append(strconv.AppendInt([]byte(`{"id":`), id, 10), '}')
}
