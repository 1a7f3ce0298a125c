package wire

import (
	"fmt"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// Rows is a backend.Sink that writes records as JSON objects into one buffer,
// which it keeps from use to use. The zero value is ready for a list.
type Rows struct {
	shape Shape
	one   bool
	lines bool // a line for each record, not a list
	count int
	buf   []byte
	keys  []byte // `{"id":`, `,"name":` and so on, one after another
	cols  []column

	// Extra, where it is set, writes more members of a record, each with a
	// comma before it. row counts from 0.
	Extra func(dst []byte, row int) []byte
	// Nested, where it is set, writes the value of a column in another way;
	// false leaves it to Rows.
	Nested func(dst []byte, column int, v *backend.Value) ([]byte, bool)
}

// column is a field of the answer and where its key ends in Rows.keys.
type column struct {
	field  *schema.Field
	keyEnd int
}

// Reset prepares for another answer: one record alone, or a list.
func (r *Rows) Reset(shape Shape, one bool) {
	r.shape, r.one, r.lines, r.count, r.Extra, r.Nested = shape, one, false, 0, nil, nil
	r.buf, r.keys, r.cols = r.buf[:0], r.keys[:0], r.cols[:0]
}

// Lines puts each record on a line of its own (NDJSON), from the next Reset off
// no more. Bytes gives what was written.
func (r *Rows) Lines() { r.lines = true }

// Bytes is what was written so far; it is valid until the next Reset.
func (r *Rows) Bytes() []byte { return r.buf }

// Columns takes the columns and prepares the keys of every record.
func (r *Rows) Columns(cols []backend.Column) error {
	r.keys, r.cols = r.keys[:0], r.cols[:0]
	for i := range cols {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		r.keys = append(AppendString(append(r.keys, sep), cols[i].Name), ':')
		r.cols = append(r.cols, column{cols[i].Field, len(r.keys)})
	}
	return nil
}

// Row writes one record.
func (r *Rows) Row(row []backend.Value) error {
	if len(row) != len(r.cols) || len(row) == 0 {
		return fmt.Errorf("a row of %d values for %d columns", len(row), len(r.cols))
	}
	dst := r.buf
	switch {
	case r.lines:
	case r.count > 0:
		dst = append(dst, ',')
	case !r.one:
		dst = append(dst, '[')
	}
	start := 0
	for i := range r.cols {
		c := &r.cols[i]
		dst = append(dst, r.keys[start:c.keyEnd]...)
		start = c.keyEnd
		if r.Nested != nil {
			var done bool
			if dst, done = r.Nested(dst, i, &row[i]); done {
				continue
			}
		}
		dst = AppendValue(dst, r.shape, c.field, &row[i])
	}
	if r.Extra != nil {
		dst = r.Extra(dst, r.count)
	}
	if dst = append(dst, '}'); r.lines {
		dst = append(dst, '\n')
	}
	r.buf = dst
	r.count++
	return nil
}

// Shape is how values are written.
func (r *Rows) Shape() Shape { return r.shape }

// Len is the number of records written.
func (r *Rows) Len() int { return r.count }

// JSON gives what was written: an object, or a list of objects. It is valid
// until the next Reset, and it must be asked for once only.
func (r *Rows) JSON() []byte {
	if !r.one {
		if r.count == 0 {
			r.buf = append(r.buf, '[')
		}
		r.buf = append(r.buf, ']')
	}
	return r.buf
}

// Lend gives the buffer to whoever writes records in another way.
func (r *Rows) Lend() []byte { return r.buf[:0] }

// Return takes the lent buffer back, grown perhaps. What is in it stays valid
// until the next Reset.
func (r *Rows) Return(buf []byte) { r.buf = buf }

// Cap is the size of the buffer, for whoever decides whether to keep it.
func (r *Rows) Cap() int { return cap(r.buf) }
