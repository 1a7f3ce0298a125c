package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// TableExists says whether a table or view of that name is visible without a
// schema name.
func TableExists(ctx context.Context, q Querier, table string) (bool, error) {
	sql := "select 1 from sqlite_schema where type in ('table', 'view') and name = $1"
	if q.Dialect().Name() == "postgres" {
		sql = "select 1 from pg_class where relname = $1 and relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(oid)"
	}
	found := false
	err := q.Query(ctx, sql, []any{table}, func(Row) error {
		found = true
		return nil
	})
	return found, err
}

// TableColumns gives the names of a table's columns in their order; none when
// there is no such table.
func TableColumns(ctx context.Context, q Querier, table string) ([]string, error) {
	sql := "select name from pragma_table_info($1) order by cid"
	if q.Dialect().Name() == "postgres" {
		sql = `select a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
			where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(c.oid)
			and a.attnum > 0 and not a.attisdropped order by a.attnum`
	}
	var names []string
	err := q.Query(ctx, sql, []any{table}, func(r Row) error {
		names = append(names, r.Text(0))
		return nil
	})
	return names, err
}

// ColumnExists says whether a table has a column.
func ColumnExists(ctx context.Context, q Querier, table, column string) (bool, error) {
	names, err := TableColumns(ctx, q, table)
	return slices.Contains(names, column), err
}

// DropColumn removes a column and the indexes that use it. Where SQLite can't,
// because a constraint of the table names the column, the column is emptied
// and renamed to <column>__dropped_<n>; if it can't be empty either, the
// Violation is returned and nothing has changed.
func DropColumn(ctx context.Context, tx Tx, table, column string) error {
	drop := "alter table " + Quote(table) + " drop column " + Quote(column)
	if tx.Dialect().Name() == "postgres" {
		_, err := tx.Exec(ctx, drop)
		return err
	}
	return tx.Savepoint(ctx, func() error {
		if err := dropIndexes(ctx, tx, table, column); err != nil {
			return err
		}
		err := tx.Savepoint(ctx, func() error {
			_, err := tx.Exec(ctx, drop)
			return err
		})
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
			return err
		}
		return retireColumn(ctx, tx, table, column)
	})
}

// dropIndexes removes what "create index" made over the column.
func dropIndexes(ctx context.Context, tx Tx, table, column string) error {
	const using = `select distinct l.name from pragma_index_list($1) as l, pragma_index_info(l.name) as i
		where l.origin = 'c' and i.name = $2`
	var names []string
	err := tx.Query(ctx, using, []any{table, column}, func(r Row) error {
		names = append(names, r.Text(0))
		return nil
	})
	for _, name := range names {
		if err == nil {
			_, err = tx.Exec(ctx, "drop index "+Quote(name))
		}
	}
	return err
}

func retireColumn(ctx context.Context, tx Tx, table, column string) error {
	names, err := TableColumns(ctx, tx, table)
	if err != nil {
		return err
	}
	if !slices.Contains(names, column) {
		return fmt.Errorf("sqldb: no column %s.%s", table, column)
	}
	name := ""
	for n := 1; name == "" || slices.Contains(names, name); n++ {
		name = column + "__dropped_" + strconv.Itoa(n)
	}
	return tx.Batch(ctx, []Stmt{
		{SQL: "update " + Quote(table) + " set " + Quote(column) + " = null"},
		{SQL: "alter table " + Quote(table) + " rename column " + Quote(column) + " to " + Quote(name)},
	})
}

// Script runs several statements, separated by semicolons, without arguments.
func Script(ctx context.Context, tx Tx, sql string) error {
	s, ok := tx.(interface {
		script(ctx context.Context, sql string) error
	})
	if !ok {
		return fmt.Errorf("sqldb: %T runs no scripts", tx)
	}
	return s.script(ctx, sql)
}

// insertInto is an insert of one row.
func insertInto(table string, columns []string) string {
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], values[i] = Quote(c), "$"+strconv.Itoa(i+1)
	}
	return "insert into " + Quote(table) + " (" + strings.Join(names, ", ") +
		") values (" + strings.Join(values, ", ") + ")"
}
