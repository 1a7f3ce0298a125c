package record

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// What an expression tells of the attachment that keeps a binary field, {a}
// being the attachment.
const (
	fileBytes = "{a}.db_datas"
	fileSize  = "{a}.file_size"
	fileID    = "{a}.id"
	// fileAway is set where there are bytes that the database does not have.
	fileAway = "case when {a}.store_fname <> '' or {a}.db_datas is null then 1 end"
)

// attached is an expression about the attachment that keeps a field, NULL where
// there is none; of several the oldest counts.
func (f *from) attached(field *schema.Field) string {
	a := f.c.alias()
	what := f.c.fileAspect
	if what == "" {
		what = fileBytes
	}
	return "(select " + strings.ReplaceAll(what, "{a}", a) + " from ir_attachment " + a + " where " + a + ".res_model = " +
		quoteText(field.Model.Name) + " and " + a + ".res_field = " + quoteText(field.Name) + " and " + a + ".res_id = " +
		f.alias + ".id order by " + a + ".id limit 1)"
}

// fileValue is the value of a binary field with another aspect of its
// attachment, where it has one, in place of the bytes.
func (f *from) fileValue(field *schema.Field, aspect string) (string, error) {
	before := f.c.fileAspect
	f.c.fileAspect = aspect
	defer func() { f.c.fileAspect = before }()
	return f.value(field)
}

// answer gives the expressions of a field that is asked for and how to read
// them. Files and properties are more than the one column that keeps them.
func (c *compiler) answer(f *from, field *schema.Field) ([]string, readKind, error) {
	switch field.Type {
	case schema.Binary:
		return c.binary(f, field)
	case schema.Properties:
		return c.properties(f, field)
	case schema.PropertiesDefinition:
		expr, err := f.value(field)
		return []string{expr}, readDefinition, err
	}
	return c.column(f, field)
}

// binary reads bytes as base64 text or, where the context asks for that, says
// how many there are.
func (c *compiler) binary(f *from, field *schema.Field) ([]string, readKind, error) {
	end := c.keeper(field)
	sized := c.sized
	if end == nil || end != field || !field.Attached { // attachments do not mind what is asked by name
		sized = sized || slices.Contains(c.sizedFields, field.Name)
	}
	switch {
	case sized && end != nil && end.Attached:
		expr, err := f.fileValue(field, fileSize)
		return []string{expr}, readFileSize, err
	case end != nil && end.Attached:
		bytes, err := f.value(field)
		if err != nil {
			return nil, 0, err
		}
		away, err := f.fileValue(field, fileAway)
		return []string{bytes, away}, readFile, err
	}
	expr, err := f.value(field)
	switch {
	case err != nil:
		return nil, 0, err
	case end != nil && end.Raw && sized:
		return []string{"length(" + expr + ")"}, readFileSize, nil
	case end != nil && end.Raw:
		return []string{expr}, readBytes, nil
	case !sized:
		return []string{expr}, readText, nil
	case end == field && field.Inline:
		return []string{"length(" + expr + ")"}, readColumnSize, nil
	}
	return []string{expr}, readSize, nil
}

// keeper is the stored field at the end of a related one; nil where there is
// none.
func (c *compiler) keeper(field *schema.Field) *schema.Field {
	for range 16 {
		if field.Store || len(field.Related) == 0 {
			return field
		}
		m := field.Model
		for _, step := range field.Related[:len(field.Related)-1] {
			link := m.Field(step)
			if link == nil {
				return nil
			}
			if m = c.reg.Model(link.Relation); m == nil {
				return nil
			}
		}
		if field = m.Field(field.Related[len(field.Related)-1]); field == nil {
			return nil
		}
	}
	return nil
}

// withheld refuses a row with a file whose bytes are not in the database.
func (p *plan) withheld(r sqldb.Row) error {
	for i, rd := range p.readers {
		if rd.kind == readFile && !r.Null(rd.at+1) {
			field := p.columns[i].Field
			return backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "the file is not in the database")
		}
	}
	return nil
}

// readLong reads the kinds of columns that take more than one cell, or another
// form than the cell has.
func (rd reader) readLong(r sqldb.Row) backend.Value {
	i := rd.at
	switch rd.kind {
	case readProperties: // taken apart by propertySink
		return backend.RawValue(r.Text(i) + "\x00" + r.Text(i+1))
	case readDefinition:
		return backend.RawValue(r.Text(i))
	}
	if r.Null(i) {
		return backend.NullValue
	}
	switch rd.kind {
	case readFile, readBytes:
		return backend.TextValue(base64.StdEncoding.EncodeToString(r.Bytes(i)))
	case readFileSize:
		return humanSize(r.Int(i))
	case readColumnSize:
		return backend.TextValue(prettySize(r.Int(i)))
	}
	text := r.Text(i)
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
		return humanSize(int64(len(decoded)))
	}
	return humanSize(int64(len(text)))
}

// humanSize is how Odoo writes the size of a file; nothing for an empty one.
func humanSize(n int64) backend.Value {
	if n == 0 {
		return backend.NullValue
	}
	units := [...]string{"bytes", "Kb", "Mb", "Gb", "Tb"}
	size, i := float64(n), 0
	for size >= 1024 && i < len(units)-1 {
		size /= 1024
		i++
	}
	return backend.TextValue(strconv.FormatFloat(size, 'f', 2, 64) + " " + units[i])
}

// prettySize is PostgreSQL's pg_size_pretty, which Odoo uses for columns.
func prettySize(n int64) string {
	const most = 20*1024 - 1 // of a unit, in halves of it
	if n < 10*1024 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	n >>= 9 // kept in halves, to be rounded at the end
	units := [...]string{"kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= most && i < len(units)-1; i++ {
		n >>= 10
	}
	return strconv.FormatInt((n+1)/2, 10) + " " + units[i]
}

// leafBinary knows of attachments only whether there is something; other
// conditions are ignored, as by Odoo. Columns can be compared, though nobody
// does.
func (f *from) leafBinary(field *schema.Field, op domain.Op, value any) (string, error) {
	op, value, constant, err := settle(field, op, value)
	if constant != "" || err != nil {
		return constant, err
	}
	isSet := op == domain.OpIn || op == domain.OpNotIn
	unset := isSet && !slices.ContainsFunc(listOf(value), func(v any) bool { return !isPyFalse(v) })
	switch {
	case unset:
	case !field.Inline:
		return "true", nil
	case op.IsPattern():
		return "", fault.Newf(fault.BadRequest, "The binary field %s cannot be searched with %s", field.Name, string(op))
	default:
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "bytes in a domain")
	}
	expr, err := f.fileValue(field, fileID)
	if op == domain.OpIn {
		return expr + " is null", err
	}
	return expr + " is not null", err
}

// settle gives what a condition means before the type of its field matters:
// a constant for the empty list and most empty patterns, and "not set" for an
// exact pattern that is empty.
func settle(field *schema.Field, op domain.Op, value any) (domain.Op, any, string, error) {
	yes := map[bool]string{true: "true", false: "false"}
	exact := strings.Contains(string(op), "=")
	switch {
	case op == domain.OpIn || op == domain.OpNotIn:
		if len(listOf(value)) == 0 {
			return op, value, yes[op == domain.OpNotIn], nil
		}
	case !op.IsPattern():
	case !isFalsy(nil, value):
		if _, isText := value.(string); exact && !isText {
			return op, value, "", badOperand(field, "expected a text for "+string(op))
		}
	case !exact:
		return op, value, yes[!op.Negative()], nil
	case op.Negative():
		return domain.OpNotIn, []any{false}, "", nil
	default:
		return domain.OpIn, []any{false}, "", nil
	}
	return op, value, "", nil
}

// isPyFalse says whether a value equals Python's False, as 0 does.
func isPyFalse(v any) bool { return v == false || v == int64(0) || v == 0.0 }

// isPyTrue says whether a value equals Python's True, as 1 does.
func isPyTrue(v any) bool { return v == true || v == int64(1) || v == 1.0 }
