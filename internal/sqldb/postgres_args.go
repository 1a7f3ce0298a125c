package sqldb

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// postgresArgs encodes a statement's arguments. The server has told the type
// of each parameter; what fits it goes in the binary format, everything else
// as text, which the server reads like a literal. So an int may be given for a
// text or a numeric parameter and a text for a date.
type postgresArgs struct {
	values  [][]byte
	formats []int16
	buf     []byte
}

const (
	textFormat   int16 = pgtype.TextFormatCode
	binaryFormat int16 = pgtype.BinaryFormatCode
)

// encode fills values and formats; they are valid until the next call.
func (a *postgresArgs) encode(types []uint32, args []any) error {
	a.values, a.formats, a.buf = a.values[:0], a.formats[:0], a.buf[:0]
	for i, arg := range args {
		start := len(a.buf)
		buf, format, err := encodeArg(a.buf, types[i], arg)
		if err != nil {
			return err
		}
		a.buf = buf
		a.formats = append(a.formats, format)
		if isNil(arg) {
			a.values = append(a.values, nil)
		} else {
			a.values = append(a.values, buf[start:len(buf):len(buf)])
		}
	}
	return nil
}

func isNil(arg any) bool {
	if b, ok := arg.([]byte); ok {
		return b == nil
	}
	return arg == nil
}

// encodeArg appends one argument to buf.
func encodeArg(buf []byte, oid uint32, arg any) ([]byte, int16, error) {
	switch v := arg.(type) {
	case nil:
		return buf, textFormat, nil
	case bool:
		return encodeBool(buf, oid, v)
	case int:
		return encodeInt(buf, oid, int64(v))
	case int64:
		return encodeInt(buf, oid, v)
	case float64:
		return encodeFloat(buf, oid, v)
	case string:
		if oid == pgtype.ByteaOID {
			return append(buf, v...), binaryFormat, nil
		}
		return append(buf, v...), textFormat, checkText(v)
	case []byte:
		if oid == pgtype.ByteaOID {
			return append(buf, v...), binaryFormat, nil
		}
		return append(buf, v...), textFormat, nil
	case time.Time:
		return encodeTime(buf, oid, v.UTC())
	case []int64:
		return encodeInts(buf, oid, v), arrayFormat(oid), nil
	case []string:
		return encodeTexts(buf, oid, v), arrayFormat(oid), checkTexts(v)
	default:
		return buf, textFormat, argTypeError(arg)
	}
}

func encodeBool(buf []byte, oid uint32, v bool) ([]byte, int16, error) {
	n := int64(0)
	if v {
		n = 1
	}
	switch oid {
	case pgtype.BoolOID, pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID,
		pgtype.Float8OID, pgtype.NumericOID:
		return encodeInt(buf, oid, n)
	default:
		return strconv.AppendBool(buf, v), textFormat, nil
	}
}

func encodeInt(buf []byte, oid uint32, v int64) ([]byte, int16, error) {
	switch oid {
	case pgtype.Int8OID:
		return binary.BigEndian.AppendUint64(buf, uint64(v)), binaryFormat, nil
	case pgtype.Int4OID:
		if int64(int32(v)) != v {
			return buf, 0, outOfRange(v, "integer")
		}
		return binary.BigEndian.AppendUint32(buf, uint32(v)), binaryFormat, nil
	case pgtype.Int2OID:
		if int64(int16(v)) != v {
			return buf, 0, outOfRange(v, "smallint")
		}
		return binary.BigEndian.AppendUint16(buf, uint16(v)), binaryFormat, nil
	case pgtype.BoolOID:
		if v == 0 {
			return append(buf, 0), binaryFormat, nil
		}
		return append(buf, 1), binaryFormat, nil
	case pgtype.Float8OID:
		return encodeFloat(buf, oid, float64(v))
	default:
		return strconv.AppendInt(buf, v, 10), textFormat, nil
	}
}

func outOfRange(v int64, of_ string) error {
	return of(ErrBadValue, fmt.Errorf("%d is out of range for type %s", v, of_))
}

func encodeFloat(buf []byte, oid uint32, v float64) ([]byte, int16, error) {
	if err := checkFloat(v); err != nil {
		return buf, 0, err
	}
	switch oid {
	case pgtype.Float8OID:
		return binary.BigEndian.AppendUint64(buf, math.Float64bits(v)), binaryFormat, nil
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return encodeInt(buf, oid, int64(v))
		}
	}
	return appendFloat(buf, v, 64), textFormat, nil
}

// postgresEpoch is what the binary formats count from, in Unix time.
const postgresEpoch = 946684800

func encodeTime(buf []byte, oid uint32, v time.Time) ([]byte, int16, error) {
	if err := checkTime(v); err != nil {
		return buf, 0, err
	}
	switch oid {
	case pgtype.TimestampOID, pgtype.TimestamptzOID:
		micros := (v.Unix()-postgresEpoch)*1_000_000 + int64(v.Nanosecond()/1000)
		return binary.BigEndian.AppendUint64(buf, uint64(micros)), binaryFormat, nil
	case pgtype.DateOID:
		return appendDate(buf, v), textFormat, nil
	default:
		return appendTimestamp(buf, v), textFormat, nil
	}
}

// elementOf gives the type in an array type that we encode in binary, or 0.
func elementOf(oid uint32) uint32 {
	switch oid {
	case pgtype.Int4ArrayOID:
		return pgtype.Int4OID
	case pgtype.Int8ArrayOID:
		return pgtype.Int8OID
	case pgtype.TextArrayOID:
		return pgtype.TextOID
	case pgtype.VarcharArrayOID:
		return pgtype.VarcharOID
	}
	return 0
}

func arrayFormat(oid uint32) int16 {
	if elementOf(oid) == pgtype.Int8OID || elementOf(oid) == pgtype.TextOID || elementOf(oid) == pgtype.VarcharOID {
		return binaryFormat
	}
	return textFormat
}

// appendArrayHeader starts an array of one dimension without NULLs.
func appendArrayHeader(buf []byte, element uint32, n int) []byte {
	if n == 0 {
		buf = binary.BigEndian.AppendUint32(buf, 0)
		buf = binary.BigEndian.AppendUint32(buf, 0)
		return binary.BigEndian.AppendUint32(buf, element)
	}
	for _, v := range [...]uint32{1, 0, element, uint32(n), 1} {
		buf = binary.BigEndian.AppendUint32(buf, v)
	}
	return buf
}

// encodeInts writes a list for any array type: the server checks the range.
func encodeInts(buf []byte, oid uint32, ids []int64) []byte {
	if arrayFormat(oid) == textFormat {
		return appendIntList(buf, ids, '{', '}')
	}
	element := elementOf(oid)
	buf = appendArrayHeader(buf, element, len(ids))
	for _, id := range ids {
		if element == pgtype.Int8OID {
			buf = binary.BigEndian.AppendUint32(buf, 8)
			buf = binary.BigEndian.AppendUint64(buf, uint64(id))
			continue
		}
		start := len(buf)
		buf = strconv.AppendInt(append(buf, 0, 0, 0, 0), id, 10)
		binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
	}
	return buf
}

func encodeTexts(buf []byte, oid uint32, texts []string) []byte {
	element := elementOf(oid)
	if element == pgtype.TextOID || element == pgtype.VarcharOID {
		buf = appendArrayHeader(buf, element, len(texts))
		for _, s := range texts {
			buf = binary.BigEndian.AppendUint32(buf, uint32(len(s)))
			buf = append(buf, s...)
		}
		return buf
	}
	buf = append(buf, '{')
	for i, s := range texts {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, '"')
		buf = append(buf, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)...)
		buf = append(buf, '"')
	}
	return append(buf, '}')
}
