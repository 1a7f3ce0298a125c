package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/internal/sqldb"
)

// The rollups. Rows are only ever added to: `n = n + excluded.n`, so that any
// number of nodes write the same ones. Buckets are seconds since 1970; 2xx, us
// and so on are the classes of statuses, us microseconds, out bytes.
//
// Everything is by caller, and once more for all of them together, so that a
// report reads a few hundred rows of each day however many callers there are.
func rollupTables(d sqldb.Dialect) string {
	n, us, out := classColumns("n"), classColumns("us"), classColumns("out")
	define := func(columns []string) string { return strings.Join(columns, " bigint not null, ") + " bigint not null" }
	clustered := map[string]string{"sqlite": " without rowid"}[d.Name()]
	place := `level smallint not null, caller text not null, at bigint not null`
	blob := d.ColumnType(sqldb.Bytes)
	return `create table gateway_traffic (` + place + `, ` + define(n) + `, ` + define(us) + `, ` + define(out) + `,
			primary key (level, caller, at))` + clustered + `;
		create table gateway_traffic_endpoint (` + place + `, endpoint text not null, ` + define(n) + `, ` + define(us) + `,
			primary key (level, caller, at, endpoint))` + clustered + `;
		create table gateway_traffic_ip (` + place + `, ip text not null, ` + define(n) + `,
			primary key (level, caller, at, ip))` + clustered + `;
		create table gateway_traffic_sketch (` + place + `, class smallint not null, latency ` + blob + `, ips ` + blob + `,
			primary key (level, caller, at, class));
		create table gateway_traffic_node (node text not null primary key, batch bigint not null, at bigint not null)`
}

// classColumns are the columns of a sum, one per class: n2xx.
func classColumns(prefix string) []string {
	names := make([]string, classes)
	for i, name := range classNames {
		names[i] = prefix + name
	}
	return names
}

// steps are the changes of the tables, in order.
func steps() []sqldb.Step {
	return []sqldb.Step{{ID: "rollups", Go: func(ctx context.Context, tx sqldb.Tx) error {
		return sqldb.Script(ctx, tx, rollupTables(tx.Dialect()))
	}}, {ID: "log", Go: logTable}, {ID: "live", SQL: `create table gateway_traffic_live (
		node text not null primary key, at bigint not null, requests bigint not null, errors bigint not null,
		server_errors bigint not null, limited bigint not null, micros bigint not null)`}}
}

// table is one of the additive tables.
type table struct {
	name string
	keys []string // text and integers
	sums []string
	kind []sqldb.ColumnKind // of the keys
}

func tables() (totals, endpoints, addresses table) {
	place, kinds := []string{"level", "caller", "at"}, []sqldb.ColumnKind{sqldb.Int8, sqldb.Text, sqldb.Int8}
	more := func(column string) []string { return append(append([]string{}, place...), column) }
	kindsMore := append(append([]sqldb.ColumnKind{}, kinds...), sqldb.Text)
	n, us, out := classColumns("n"), classColumns("us"), classColumns("out")
	totals = table{"gateway_traffic", place, append(append(append([]string{}, n...), us...), out...), kinds}
	endpoints = table{"gateway_traffic_endpoint", more("endpoint"), append(append([]string{}, n...), us...), kindsMore}
	addresses = table{"gateway_traffic_ip", more("ip"), n, kindsMore}
	return totals, endpoints, addresses
}

// upsert adds rows that a JSON list holds, in one statement.
func (t table) upsert(d sqldb.Dialect) string {
	columns, kinds := append(append([]string{}, t.keys...), t.sums...), append([]sqldb.ColumnKind{}, t.kind...)
	from, set := make([]string, len(columns)), make([]string, len(t.sums))
	for i := range columns {
		from[i] = "c" + strconv.Itoa(i+1)
	}
	for i, s := range t.sums {
		kinds = append(kinds, sqldb.Int8)
		set[i] = s + " = " + t.name + "." + s + " + excluded." + s
	}
	return "insert into " + t.name + " (" + strings.Join(columns, ", ") + ") select " + strings.Join(from, ", ") +
		" from " + d.JSONRows("$1", kinds...) + " as added where true on conflict (" + strings.Join(t.keys, ", ") +
		") do update set " + strings.Join(set, ", ")
}

// rowsAtOnce is how many rows one statement adds.
const rowsAtOnce = 1000

// addRows runs upserts of all rows.
func addRows(ctx context.Context, tx sqldb.Tx, t table, rows [][]any) error {
	sql := t.upsert(tx.Dialect())
	for len(rows) > 0 {
		n := min(len(rows), rowsAtOnce)
		text, err := json.Marshal(rows[:n])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sql, string(text)); err != nil {
			return fmt.Errorf("add to %s: %w", t.name, err)
		}
		rows = rows[n:]
	}
	return nil
}

func (b bucket) row() []any { return []any{int64(b.level), b.caller, b.at} }

// store adds a delta in a transaction. The delta stays as it is: the
// transaction may run again.
func (d *delta) store(ctx context.Context, tx sqldb.Tx) error {
	totals, endpoints, addresses := tables()
	rows := d.rowsOf()
	for i, t := range []table{totals, endpoints, addresses} {
		if err := addRows(ctx, tx, t, rows[i]); err != nil {
			return err
		}
	}
	return d.storeSketches(ctx, tx)
}

// rowsOf are the rows of the additive tables, in order.
func (d *delta) rowsOf() (all [3][][]any) {
	for _, k := range ordered(d.totals, bucket.compare) {
		all[0] = append(all[0], appendSums(k.row(), d.totals[k], true))
	}
	for _, k := range ordered(d.endpoints, endpointBucket.compare) {
		all[1] = append(all[1], appendSums(append(k.row(), k.endpoint), d.endpoints[k], false))
	}
	for _, k := range ordered(d.addresses, addressBucket.compare) {
		row := append(k.row(), k.ip.String())
		for _, n := range d.addresses[k] {
			row = append(row, n)
		}
		all[2] = append(all[2], row)
	}
	return all
}

// appendSums adds the columns of sums to a row.
func appendSums(row []any, c *counts, out bool) []any {
	for i := range c {
		row = append(row, c[i].n)
	}
	for i := range c {
		row = append(row, c[i].micros)
	}
	for i := range c {
		if out {
			row = append(row, c[i].out)
		}
	}
	return row
}

// storeSketches adds what SQL cannot add: it locks the rows, reads them, and
// writes them anew.
func (d *delta) storeSketches(ctx context.Context, tx sqldb.Tx) error {
	keys := ordered(d.sketches, sketchBucket.compare)
	places := make([][]any, len(keys))
	for i, k := range keys {
		places[i] = append(k.row(), int64(k.class))
	}
	for at := 0; at < len(places); at += rowsAtOnce {
		text, err := json.Marshal(places[at:min(at+rowsAtOnce, len(places))])
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into gateway_traffic_sketch (level, caller, at, class) select c1, c2, c3, c4 from `+
			tx.Dialect().JSONRows("$1", sqldb.Int8, sqldb.Text, sqldb.Int8, sqldb.Int8)+` as added where true
			on conflict (level, caller, at, class) do nothing`, string(text))
		if err != nil {
			return fmt.Errorf("add sketches: %w", err)
		}
	}
	const place = ` where level = $1 and caller = $2 and at = $3 and class = $4`
	reads, writes := make([]sqldb.Stmt, len(keys)), make([]sqldb.Stmt, len(keys))
	for i, k := range keys {
		reads[i] = sqldb.Stmt{
			SQL: `select latency, ips from gateway_traffic_sketch` + place + tx.Dialect().ForUpdate(), Args: places[i],
			Each: func(r sqldb.Row) error {
				s := sketch{}
				s.latency.addEncoded(r.Bytes(0))
				s.ips.addEncoded(r.Bytes(1))
				s.latency.merge(&d.sketches[k].latency)
				s.ips.merge(&d.sketches[k].ips)
				writes[i] = sqldb.Stmt{
					SQL:  `update gateway_traffic_sketch set latency = $5, ips = $6` + place,
					Args: append(places[i][:4:4], s.latency.encode(), s.ips.encode()),
				}
				return nil
			},
		}
	}
	if err := tx.Batch(ctx, reads); err != nil {
		return fmt.Errorf("read sketches: %w", err)
	}
	if err := tx.Batch(ctx, writes); err != nil {
		return fmt.Errorf("write sketches: %w", err)
	}
	return nil
}

// once says whether this node's batch of that number was written before: a
// commit whose answer was lost is not made twice. It notes it as written.
func once(ctx context.Context, tx sqldb.Tx, node string, batch, now int64) (written bool, err error) {
	n, err := tx.Exec(ctx, `insert into gateway_traffic_node (node, batch, at) values ($1, $2, $3)
		on conflict (node) do update set batch = excluded.batch, at = excluded.at where gateway_traffic_node.batch < excluded.batch`, node, batch, now)
	return n == 0, err
}
