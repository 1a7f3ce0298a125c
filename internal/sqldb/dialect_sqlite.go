package sqldb

import (
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

// SelfID reads what autoincrement is about to use; the counter itself is only
// written when the statement ends.
func (sqliteDialect) SelfID(table string) string {
	return "(select coalesce(max(seq), 0) + 1 from sqlite_sequence where name = " + literal(table) + ")"
}

func (sqliteDialect) JSONRemove(expr, key string) string {
	return "json_remove(" + expr + ", " + jsonPath(key) + ")"
}

func (sqliteDialect) AggIDs(expr, orderBy string) string {
	if orderBy != "" {
		expr += " order by " + orderBy
	}
	return "json_group_array(" + expr + ")"
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

func (sqliteDialect) DatePart(part, expr, tz string) string {
	if !slices.Contains(dateParts, part) {
		return "null"
	}
	return "gh_date_part(" + strings.Join([]string{literal(part), expr, literal(tz)}, ", ") + ")"
}

func (sqliteDialect) DateTrunc(granularity, expr, tz string, weekStart int) string {
	if !slices.Contains(granularities, granularity) {
		return "null"
	}
	return "gh_date_trunc(" + strings.Join([]string{
		literal(granularity), expr, literal(tz), strconv.Itoa(weekStart),
	}, ", ") + ")"
}

func (sqliteDialect) Now() string       { return "gh_now()" }
func (sqliteDialect) ForUpdate() string { return "" }
