package sqldb

import (
	"context"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// Copy sends rows in COPY's text format. The types of the columns, which
// decide how values are written, come from preparing an insert into them.
func (tx *postgresTx) Copy(ctx context.Context, table string, columns []string, rows [][]any) (n int64, err error) {
	if len(rows) == 0 || len(columns) == 0 {
		return 0, nil
	}
	insert := insertInto(table, columns)
	err = tx.guard(func() error {
		sent, err := tx.conn.prepare(ctx, tx.before, []Stmt{{SQL: insert}})
		tx.left(sent)
		return postgresError(ctx, err)
	})
	if err != nil {
		return 0, err
	}
	if err := tx.run(ctx, nil, ""); err != nil { // what waits, if all was prepared
		return 0, err
	}
	err = tx.guard(func() error {
		st, _ := tx.conn.stmts.get(insert)
		source := &copySource{types: st.desc.ParamOIDs, rows: rows}
		tag, err := tx.conn.conn.CopyFrom(ctx, source, copyStatement(table, columns))
		n = tag.RowsAffected()
		if source.err != nil {
			return source.err
		}
		return postgresError(ctx, err)
	})
	return n, err
}

func copyStatement(table string, columns []string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = Quote(c)
	}
	return "copy " + Quote(table) + " (" + strings.Join(names, ", ") + ") from stdin"
}

// copySource is a reader of rows as COPY wants them: a line each, tabs between
// values, \N for NULL.
type copySource struct {
	types []uint32
	rows  [][]any
	buf   []byte // written and not yet read
	spare []byte
	value []byte
	err   error // of a value
}

// copyChunk is how much is written ahead of the reader.
const copyChunk = 32 << 10

func (s *copySource) Read(p []byte) (int, error) {
	if len(s.buf) == 0 {
		s.buf = s.spare[:0]
		for len(s.buf) < copyChunk && len(s.rows) > 0 {
			if s.err = s.appendRow(s.rows[0]); s.err != nil {
				return 0, s.err
			}
			s.rows = s.rows[1:]
		}
		s.spare = s.buf
		if len(s.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

func (s *copySource) appendRow(row []any) error {
	if len(row) != len(s.types) {
		return argCountError("copy", len(s.types), len(row))
	}
	for i, arg := range row {
		if i > 0 {
			s.buf = append(s.buf, '\t')
		}
		if isNil(arg) {
			s.buf = append(s.buf, `\N`...)
			continue
		}
		value, err := appendLiteral(s.value[:0], s.types[i], arg)
		if err != nil {
			return err
		}
		s.value = value
		s.buf = appendCopyValue(s.buf, value)
	}
	s.buf = append(s.buf, '\n')
	return nil
}

// appendLiteral writes an argument as text that the column's type reads.
func appendLiteral(dst []byte, oid uint32, arg any) ([]byte, error) {
	if oid == pgtype.ByteaOID {
		switch v := arg.(type) {
		case string:
			return hex.AppendEncode(append(dst, `\x`...), []byte(v)), nil
		case []byte:
			return hex.AppendEncode(append(dst, `\x`...), v), nil
		}
	}
	switch v := arg.(type) {
	case bool:
		if oid == pgtype.BoolOID || oid == pgtype.TextOID || oid == pgtype.VarcharOID {
			return strconv.AppendBool(dst, v), nil
		}
		if v {
			return append(dst, '1'), nil
		}
		return append(dst, '0'), nil
	case float64:
		if err := checkFloat(v); err != nil {
			return dst, err
		}
		return strconv.AppendFloat(dst, v, 'f', -1, 64), nil
	default:
		// the types that are encoded in binary are no arguments of this one
		dst, _, err := encodeArg(dst, pgtype.UnknownOID, arg)
		return dst, err
	}
}

// appendCopyValue escapes what COPY would take for structure.
func appendCopyValue(dst, value []byte) []byte {
	for _, c := range value {
		switch c {
		case '\\':
			dst = append(dst, '\\', '\\')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
