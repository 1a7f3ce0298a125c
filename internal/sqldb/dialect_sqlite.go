package sqldb

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

type sqliteDialect struct{}

func (sqliteDialect) Name() string { return "sqlite" }

// ColumnType chooses names whose affinity keeps values as they are: real, so
// that amounts never divide as integers, and text for dates.
func (sqliteDialect) ColumnType(kind ColumnKind) string {
	switch kind {
	case SerialPK:
		// autoincrement: ids are never given twice, as on PostgreSQL
		return "integer primary key autoincrement"
	case Int4, Int8:
		return "integer"
	case Bool:
		return "boolean"
	case Float8, Numeric:
		return "real"
	case Varchar:
		return "varchar"
	case Bytes:
		return "blob"
	default:
		return "text"
	}
}

func (sqliteDialect) AddColumn(table, column, definition string) string {
	return addColumn(table, column, definition)
}

// SyncSequence has nothing to do: autoincrement sees explicit ids.
func (sqliteDialect) SyncSequence(string) string { return "select 0" }

func (sqliteDialect) In(expr, placeholder string, _ bool) string {
	return expr + " in (select value from json_each(" + placeholder + "))"
}

func (sqliteDialect) NotIn(expr, placeholder string, _ bool) string {
	return expr + " not in (select value from json_each(" + placeholder + "))"
}

func (sqliteDialect) Like(expr, placeholder string, caseInsensitive bool) string {
	if caseInsensitive {
		return "gh_ilike(" + expr + ", " + placeholder + ")"
	}
	return "gh_like(" + expr + ", " + placeholder + ")"
}

// jsonPath names one key of an object; inside a path only the quote is special
// and can't be escaped, so that a key with a quote finds nothing.
func jsonPath(key string) string { return literal(`$."` + key + `"`) }

func (sqliteDialect) JSONText(expr, key string) string {
	return "(" + expr + " ->> " + jsonPath(key) + ")"
}

func (sqliteDialect) JSONGet(expr, key string) string {
	return "(" + expr + " -> " + jsonPath(key) + ")"
}

func (sqliteDialect) JSONSetText(expr, key, placeholder string) string {
	return "json_set(coalesce(" + expr + ", '{}'), " + jsonPath(key) + ", cast(" + placeholder + " as text))"
}

func (sqliteDialect) JSONSet(expr, key, placeholder string) string {
	return "json_set(coalesce(" + expr + ", '{}'), " + jsonPath(key) + ", json(" + placeholder + "))"
}

// NextBelow looks for itself: autoincrement would go on behind the highest id.
// Once there are ids over the bound, the last id may be given again after its
// row is deleted.
func (sqliteDialect) NextBelow(table string, bound int64) string {
	limit := strconv.FormatInt(bound, 10)
	return "(select max(coalesce((select seq from sqlite_sequence where name = " + literal(table) + " and seq < " + limit + "), 0), " +
		"coalesce((select max(id) from " + Quote(table) + " where id < " + limit + "), 0)) + 1)"
}

// SelfID reads what autoincrement is about to use; the counter itself is only
// written when the statement ends.
func (sqliteDialect) SelfID(table string) string {
	return "(select coalesce(max(seq), 0) + 1 from sqlite_sequence where name = " + literal(table) + ")"
}

func (sqliteDialect) JSONRemove(expr, key string) string {
	return "json_remove(" + expr + ", " + jsonPath(key) + ")"
}

func (sqliteDialect) JSONValue(placeholder string) string { return placeholder }
func (sqliteDialect) JSONPlain(expr string) string        { return "gh_json_plain(" + expr + ")" }
func (sqliteDialect) JSONOrder(expr string) string        { return "gh_json_order(" + expr + ")" }

func (sqliteDialect) JSONElements(expr string) string {
	return "json_each(case when json_type(" + expr + ") = 'array' then " + expr + " else '[]' end)"
}

func (sqliteDialect) JSONRows(placeholder string, columns ...ColumnKind) string {
	var b strings.Builder
	for i := range columns { // values have the type that they have in the JSON
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("value ->> " + strconv.Itoa(i) + " as c" + strconv.Itoa(i+1))
	}
	return "(select " + b.String() + " from json_each(" + placeholder + "))"
}

func (sqliteDialect) JSONContains(expr, part string) string {
	return "gh_json_contains(" + expr + ", " + part + ")"
}

func (sqliteDialect) AggIDs(expr, orderBy string) string {
	if orderBy != "" {
		expr += " order by " + orderBy
	}
	return "json_group_array(" + expr + ")"
}

func (sqliteDialect) Decimals(expr string) string { return "round(" + expr + ", 9)" }

func (d sqliteDialect) AggJSON(expr string, kind ColumnKind, orderBy string) string {
	if orderBy != "" {
		orderBy = " order by " + orderBy
	}
	return "json_group_array(" + d.jsonValue(expr, kind) + orderBy + ")"
}

func (d sqliteDialect) AggJSONDistinct(expr string, kind ColumnKind) string {
	value := d.jsonValue(expr, kind)
	return "json_group_array(distinct " + value + " order by " + value + " nulls last)"
}

// jsonValue makes truth values of JSON, and cuts the fraction of moments.
func (sqliteDialect) jsonValue(expr string, kind ColumnKind) string {
	switch kind {
	case Bool:
		return "json(case when " + expr + " then 'true' when not " + expr + " then 'false' end)"
	case Timestamp:
		return "substr(" + expr + ", 1, 19)"
	}
	return expr
}

func (sqliteDialect) BoolAnd(expr string) string { return "min(" + expr + ")" }
func (sqliteDialect) BoolOr(expr string) string  { return "max(" + expr + ")" }

func (sqliteDialect) Greatest(exprs ...string) string { return pairwise("max", exprs) }
func (sqliteDialect) Least(exprs ...string) string    { return pairwise("min", exprs) }

// pairwise makes max or min, which are NULL when any argument is, ignore NULLs.
func pairwise(function string, exprs []string) string {
	if len(exprs) == 0 {
		return "null"
	}
	result := exprs[0]
	for _, e := range exprs[1:] {
		result = function + "(coalesce(" + result + ", " + e + "), coalesce(" + e + ", " + result + "))"
	}
	return result
}

func (sqliteDialect) TextOrder(expr string) string { return expr }

// TxNumber is what the counter of the ids gives next: writers come one after
// another, and what a reader sees has been committed.
func (sqliteDialect) TxNumber(table string) string {
	return "(coalesce((select seq from sqlite_sequence where name = '" + table + "'), 0) + 1)"
}

func (d sqliteDialect) TxSnapshot(table string) string {
	return "cast(" + d.TxNumber(table) + " as text)"
}

func (sqliteDialect) TxEnded(number, snapshot string) string {
	return number + " < cast(" + snapshot + " as integer)"
}

func (sqliteDialect) KeyArg(text string) (any, error) {
	if text == "" {
		return nil, errors.New("a key without its type")
	}
	switch rest := text[1:]; text[0] {
	case 'i':
		return strconv.ParseInt(rest, 10, 64)
	case 'f':
		return strconv.ParseFloat(rest, 64)
	case 't':
		return rest, nil
	}
	return nil, errors.New("a key of an unknown type")
}

func (sqliteDialect) CastText(expr string, kind ColumnKind) string {
	switch kind {
	case Bool:
		return "case when " + expr + " then 'true' when not " + expr + " then 'false' end"
	case Float8, Numeric:
		return "gh_float_text(" + expr + ")"
	default:
		return "cast(" + expr + " as text)"
	}
}

func (sqliteDialect) FirstLine(expr string) string {
	return "substr(" + expr + ", 1, instr(" + expr + " || char(10), char(10)) - 1)"
}

func (sqliteDialect) DatePart(part, expr, tz string) string {
	if !slices.Contains(dateParts, part) {
		return "null"
	}
	return "gh_date_part(" + strings.Join([]string{literal(part), expr, literal(tz)}, ", ") + ")"
}

// Seconds adds the fraction, which no time zone changes.
func (d sqliteDialect) Seconds(expr, tz string) string {
	return "(" + d.DatePart("second_number", expr, tz) + " + cast('0' || substr(" + expr + ", 20) as real))"
}

func (sqliteDialect) DateTrunc(granularity, expr, tz string, weekStart int) string {
	if !slices.Contains(granularities, granularity) {
		return "null"
	}
	return "gh_date_trunc(" + strings.Join([]string{
		literal(granularity), expr, literal(tz), strconv.Itoa(weekStart),
	}, ", ") + ")"
}

func (sqliteDialect) Now() string { return "gh_now()" }

// WindowStart reads gh_now, so that it never disagrees with Now.
func (sqliteDialect) WindowStart(seconds string) string {
	return "datetime(unixepoch(gh_now()) / " + seconds + " * " + seconds + ", 'unixepoch')"
}

func (sqliteDialect) After(expr, seconds string) string {
	return "datetime(" + expr + ", (" + seconds + ") || ' seconds')"
}

func (sqliteDialect) ForUpdate() string           { return "" }
func (sqliteDialect) ForUpdateSkipLocked() string { return "" }
func (sqliteDialect) ChangesInWith() bool         { return false }
