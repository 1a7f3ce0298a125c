package traffic

import (
	"context"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// How long rollups are kept. Days outlast the longest range, so that one year
// can be held against another.
const (
	minutesKept = 2 * 24 * time.Hour
	hoursKept   = 62 * 24 * time.Hour
	daysKept    = 3 * 366 * 24 * time.Hour
)

// How many addresses are kept of each caller's bucket: more while it runs, so
// that one that comes late can still become one of the busiest.
const (
	addressesRunning = 2000
	addressesClosed  = 100
)

// daysAhead is for how many days there are partitions before they are needed.
const daysAhead = 3

const partitionPrefix = "gateway_log_"

// partition is the name of the partition that a moment's entries go to.
func partition(at time.Time) string { return partitionPrefix + at.UTC().Format("20060102") }

// makePartition makes the partition of a day, on PostgreSQL.
func makePartition(ctx context.Context, tx sqldb.Tx, at time.Time) error {
	if tx.Dialect().Name() != "postgres" {
		return nil
	}
	if found, err := sqldb.TableExists(ctx, tx, partition(at)); found || err != nil {
		return err
	}
	// Nodes that find the day new at the same time wait for each other.
	if err := tx.Query(ctx, `select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('gateway_log'))`, nil, nil); err != nil {
		return err
	}
	day := at.UTC().Truncate(24 * time.Hour)
	return sqldb.Script(ctx, tx, "create table if not exists "+partition(at)+" partition of gateway_log for values from ('"+
		day.Format(time.DateOnly)+"') to ('"+day.AddDate(0, 0, 1).Format(time.DateOnly)+"')")
}

// LogVacuum deletes the log's entries of the days that are wholly more than
// some days ago. On PostgreSQL it drops their partitions. SQLite deletes them
// in small transactions, oldest first by the index on the time, so that other
// writers get their turn in between; pages that become free are used again.
func LogVacuum(ctx context.Context, db sqldb.DB, keep int, now time.Time) (gone int64, err error) {
	before := now.UTC().AddDate(0, 0, -keep).Truncate(24 * time.Hour)
	if db.Dialect().Name() == "postgres" {
		gone, err = dropPartitions(ctx, db, before)
	} else {
		gone, err = deleteEntries(ctx, db, before)
	}
	return gone, fault.Wrap(err, "delete old entries of the traffic log")
}

func deleteEntries(ctx context.Context, db sqldb.DB, before time.Time) (gone int64, err error) {
	const atOnce = 1000
	for {
		var n int64
		err := db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_log where id in (
				select id from gateway_log where create_date < $1 order by create_date limit $2)`, before, atOnce)
			return err
		})
		gone += n
		if err != nil || n < atOnce {
			return gone, err
		}
	}
}

// dropPartitions gives the number of entries that were in the partitions, as
// the database estimates it.
func dropPartitions(ctx context.Context, db sqldb.DB, before time.Time) (gone int64, err error) {
	old := map[string]int64{}
	err = db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select c.relname, greatest(c.reltuples, 0)::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid
			where i.inhparent = to_regclass('gateway_log') and c.relname < $1`, []any{partition(before)}, func(r sqldb.Row) error {
			old[r.Text(0)] = r.Int(1)
			return nil
		})
	})
	for name, rows := range old {
		if err != nil {
			break
		}
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			// Whoever reads the log for long must not make everybody else wait behind this.
			return sqldb.Script(ctx, tx, `set local lock_timeout = '5s'; drop table if exists `+sqldb.Quote(name))
		})
		gone += rows
	}
	return gone, err
}

// RollupVacuum deletes rollups that nobody asks for any more, and makes the
// next days' partitions. It gives the number of rows.
func RollupVacuum(ctx context.Context, db sqldb.DB, now time.Time) (gone int64, err error) {
	if err := makeAhead(ctx, db, now); err != nil {
		return 0, fault.Wrap(err, "make partitions of the traffic log")
	}
	type statement struct {
		sql  string
		args []any
	}
	var all []statement
	for l, keep := range map[level]time.Duration{minutes: minutesKept, hours: hoursKept, days: daysKept} {
		for _, table := range []string{"gateway_traffic", "gateway_traffic_endpoint", "gateway_traffic_ip", "gateway_traffic_sketch"} {
			all = append(all, statement{`delete from ` + table + ` where level = $1 and at < $2`, []any{int64(l), now.Add(-keep).Unix()}})
		}
	}
	const trim = `delete from gateway_traffic_ip where level = $1 and (caller, at, ip) in (select caller, at, ip from (
		select caller, at, ip, row_number() over (partition by caller, at order by n2xx + n3xx + n4xx + n5xx + n429 desc, ip) as place
		from gateway_traffic_ip where level = $1 and at >= $2 and at < $3) as ranked where place > $4)`
	for _, l := range []level{hours, days} {
		running := l.start(now.Unix())
		all = append(all,
			statement{trim, []any{int64(l), running - 2*lengths[l], running, addressesClosed}},
			statement{trim, []any{int64(l), running, running + lengths[l], addressesRunning}})
	}
	for _, table := range []string{"gateway_traffic_node", "gateway_traffic_live"} {
		all = append(all, statement{`delete from ` + table + ` where at < $1`, []any{now.Add(-minutesKept).Unix()}})
	}
	for _, s := range all {
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			n, err := tx.Exec(ctx, s.sql, s.args...)
			gone += n
			return err
		})
		if err != nil {
			return gone, fault.Wrap(err, "delete old rollups")
		}
	}
	return gone, nil
}

func makeAhead(ctx context.Context, db sqldb.DB, now time.Time) error {
	for n := range daysAhead + 1 {
		err := db.Write(ctx, func(tx sqldb.Tx) error { return makePartition(ctx, tx, now.AddDate(0, 0, n)) })
		if err != nil {
			return err
		}
	}
	return nil
}
