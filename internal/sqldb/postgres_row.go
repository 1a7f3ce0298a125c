package sqldb

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// postgresKind is how a column arrives.
type postgresKind uint8

const (
	kindText postgresKind = iota // text of any type
	kindJSONB
	kindBool
	kindInt2
	kindInt4
	kindInt8
	kindFloat4
	kindFloat8
	kindNumeric
	kindDate
	kindTimestamp
	kindInts
	kindBytes
)

// kindOf chooses the format to ask for: binary for the types known here.
func kindOf(oid uint32) (kind postgresKind, format int16) {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.NameOID, pgtype.BPCharOID, pgtype.JSONOID:
		return kindText, binaryFormat
	case pgtype.JSONBOID:
		return kindJSONB, binaryFormat
	case pgtype.BoolOID:
		return kindBool, binaryFormat
	case pgtype.Int2OID:
		return kindInt2, binaryFormat
	case pgtype.Int4OID:
		return kindInt4, binaryFormat
	case pgtype.Int8OID:
		return kindInt8, binaryFormat
	case pgtype.Float4OID:
		return kindFloat4, binaryFormat
	case pgtype.Float8OID:
		return kindFloat8, binaryFormat
	case pgtype.NumericOID:
		return kindNumeric, binaryFormat
	case pgtype.DateOID:
		return kindDate, binaryFormat
	case pgtype.TimestampOID, pgtype.TimestamptzOID:
		return kindTimestamp, binaryFormat
	case pgtype.Int4ArrayOID, pgtype.Int8ArrayOID, pgtype.Int2ArrayOID:
		return kindInts, binaryFormat
	case pgtype.ByteaOID:
		return kindBytes, binaryFormat
	default:
		return kindText, textFormat
	}
}

// postgresRow reads the current row from the driver's buffer.
type postgresRow struct {
	values  [][]byte
	kinds   []postgresKind
	scratch []byte // what is no text yet, for Bytes
}

func (r *postgresRow) reset(values [][]byte, kinds []postgresKind) {
	r.values, r.kinds, r.scratch = values, kinds, r.scratch[:0]
}

func (r *postgresRow) Null(i int) bool { return r.values[i] == nil }

func (r *postgresRow) Int(i int) int64 {
	b := r.values[i]
	if b == nil {
		return 0
	}
	switch r.kinds[i] {
	case kindInt4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case kindInt8:
		return int64(binary.BigEndian.Uint64(b))
	case kindInt2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case kindBool:
		return int64(b[0])
	case kindNumeric:
		n, _ := readNumeric(b)
		return n.int()
	case kindFloat4, kindFloat8:
		return int64(r.Float(i))
	case kindText:
		return parseInt(b)
	default:
		return 0
	}
}

func (r *postgresRow) Float(i int) float64 {
	b := r.values[i]
	if b == nil {
		return 0
	}
	switch r.kinds[i] {
	case kindFloat8:
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	case kindFloat4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case kindNumeric:
		n, _ := readNumeric(b)
		return n.float()
	case kindText:
		f, _ := strconv.ParseFloat(string(b), 64)
		return f
	default:
		return float64(r.Int(i))
	}
}

func (r *postgresRow) Bool(i int) bool {
	b := r.values[i]
	if b == nil {
		return false
	}
	switch r.kinds[i] {
	case kindBool:
		return b[0] != 0
	case kindText:
		return parseBool(b)
	default:
		return r.Float(i) != 0
	}
}

// Key is the text: the server reads it as what it is compared with.
func (r *postgresRow) Key(i int) string { return r.Text(i) }

func (r *postgresRow) Text(i int) string { return string(r.Bytes(i)) }

func (r *postgresRow) Bytes(i int) []byte {
	b := r.values[i]
	if b == nil {
		return nil
	}
	switch r.kinds[i] {
	case kindText, kindBytes:
		return b
	case kindJSONB:
		return b[1:] // the first byte is the format's version
	default:
		start := len(r.scratch)
		r.scratch = r.appendText(r.scratch, i)
		return r.scratch[start:len(r.scratch):len(r.scratch)]
	}
}

func (r *postgresRow) appendText(dst []byte, i int) []byte {
	b := r.values[i]
	switch r.kinds[i] {
	case kindBool:
		return strconv.AppendBool(dst, b[0] != 0)
	case kindFloat4:
		return appendFloat(dst, r.Float(i), 32)
	case kindFloat8:
		return appendFloat(dst, r.Float(i), 64)
	case kindNumeric:
		n, _ := readNumeric(b)
		return n.append(dst)
	case kindDate, kindTimestamp:
		return r.appendMoment(dst, i)
	case kindInts:
		return appendIntList(dst, r.IDs(i), '{', '}')
	default:
		return strconv.AppendInt(dst, r.Int(i), 10)
	}
}

// appendMoment writes a date or timestamp; infinity and years before ours have
// words of their own.
func (r *postgresRow) appendMoment(dst []byte, i int) []byte {
	t, infinity := readMoment(r.kinds[i], r.values[i])
	switch {
	case infinity > 0:
		return append(dst, "infinity"...)
	case infinity < 0:
		return append(dst, "-infinity"...)
	}
	if r.kinds[i] == kindDate {
		dst = appendDate(dst, t)
	} else {
		dst = appendTimestamp(dst, t)
	}
	if t.Year() < 1 {
		dst = append(dst, " BC"...)
	}
	return dst
}

// readMoment reads days or microseconds since 2000; infinity is -1, 0 or 1.
func readMoment(kind postgresKind, b []byte) (t time.Time, infinity int) {
	if kind == kindDate {
		switch days := int32(binary.BigEndian.Uint32(b)); days {
		case math.MaxInt32:
			return time.Time{}, 1
		case math.MinInt32:
			return time.Time{}, -1
		default:
			return time.Unix(postgresEpoch+int64(days)*86400, 0).UTC(), 0
		}
	}
	switch micros := int64(binary.BigEndian.Uint64(b)); micros {
	case math.MaxInt64:
		return time.Time{}, 1
	case math.MinInt64:
		return time.Time{}, -1
	default:
		return time.UnixMicro(micros).Add(postgresEpoch * time.Second).UTC(), 0
	}
}

func (r *postgresRow) Time(i int) time.Time {
	b := r.values[i]
	if b == nil {
		return time.Time{}
	}
	switch r.kinds[i] {
	case kindDate, kindTimestamp:
		t, _ := readMoment(r.kinds[i], b)
		return t
	case kindText:
		t, _ := parseTime(b)
		return t
	default:
		return time.Time{}
	}
}

// IDs reads an array of integers: dimensions, flags, type, then per dimension
// its length and first index, then per element its size and value.
func (r *postgresRow) IDs(i int) []int64 {
	b := r.values[i]
	if b == nil {
		return nil
	}
	if r.kinds[i] != kindInts {
		return parseIDs(r.Bytes(i))
	}
	dimensions := int(binary.BigEndian.Uint32(b))
	b = b[12:]
	if dimensions == 0 {
		return []int64{}
	}
	ids := make([]int64, 0, binary.BigEndian.Uint32(b))
	for b = b[8*dimensions:]; len(b) >= 4; {
		size := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		switch size {
		case 2:
			ids = append(ids, int64(int16(binary.BigEndian.Uint16(b))))
		case 4:
			ids = append(ids, int64(int32(binary.BigEndian.Uint32(b))))
		case 8:
			ids = append(ids, int64(binary.BigEndian.Uint64(b)))
		default:
			continue // NULL
		}
		b = b[size:]
	}
	return ids
}
