package throttle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/sqldb"
)

// counted is a stored window after a number of requests were added to it.
type counted struct {
	id    int64
	count int64 // those requests included
	reset time.Duration
	known bool
}

// add counts n requests in every window of a subject and says how many of them
// are let through. Those that are not are taken out of all windows again in the
// same transaction, whose row locks keep others from seeing them: so a request
// that the minute refuses costs nothing of the hour, and of a limit of L
// exactly L pass.
//
// Existing windows are updated, and only missing ones go through
// INSERT … ON CONFLICT. The insert alone would do, but PostgreSQL draws an id
// for every attempt, also one that ends as an update, and a busy gateway would
// use the 31 bits of ids up in weeks.
func add(ctx context.Context, tx sqldb.Tx, subject string, windows []Window, n int64) (admitted int64, found []counted, err error) {
	found = make([]counted, len(windows))
	collect := func(r sqldb.Row) error {
		for i, w := range windows {
			if w.Seconds == r.Int(1) {
				reset := r.Time(3).Add(time.Duration(w.Seconds) * time.Second).Sub(r.Time(4))
				found[i] = counted{id: r.Int(0), count: r.Int(2), reset: max(reset, 0), known: true}
			}
		}
		return nil
	}
	sql, args := updateSQL(tx.Dialect(), subject, windows, n)
	if err := tx.Query(ctx, sql, args, collect); err != nil {
		return 0, nil, fmt.Errorf("count requests: %w", err)
	}
	if sql, args = insertSQL(tx.Dialect(), subject, windows, found, n); sql != "" {
		if err := tx.Query(ctx, sql, args, collect); err != nil {
			return 0, nil, fmt.Errorf("begin to count requests: %w", err)
		}
	}
	admitted = n
	for i, w := range windows {
		if !found[i].known {
			return 0, nil, fmt.Errorf("the window of %d seconds was not counted", w.Seconds)
		}
		admitted = min(admitted, max(0, w.Limit-(found[i].count-n)))
	}
	if admitted == n {
		return admitted, found, nil
	}
	ids := make([]int64, len(found))
	for i := range found {
		ids[i] = found[i].id
		found[i].count -= n - admitted
	}
	_, err = tx.Exec(ctx, `update gateway_throttle set count = count - $1 where `+
		tx.Dialect().In("id", "$2", true), n-admitted, ids)
	if err != nil {
		return 0, nil, fmt.Errorf("take refused requests out: %w", err)
	}
	return admitted, found, nil
}

// returning is what both statements answer, in the order that collect reads.
func returning(d sqldb.Dialect) string {
	return ` returning id, window_seconds, count, window_start, ` + d.Now()
}

// updateSQL adds n to the windows that exist. It locks them first, the longest
// before the others: an update alone takes them in any order, and two nodes
// that count the same subject would deadlock all the time.
func updateSQL(d sqldb.Dialect, subject string, windows []Window, n int64) (string, []any) {
	var which, most strings.Builder
	args := []any{n, subject}
	for i, w := range windows {
		if i > 0 {
			which.WriteString(" or ")
		}
		fmt.Fprintf(&which, "window_seconds = %d and window_start = %s", w.Seconds, windowStart(d, w.Seconds))
		args = append(args, w.Limit) // it may have been changed since the window began
		fmt.Fprintf(&most, " when %d then cast($%d as integer)", w.Seconds, len(args))
	}
	return `with locked as (select id from gateway_throttle where subject = $2 and (` + which.String() + `)
			order by window_seconds desc` + d.ForUpdate() + `)
		update gateway_throttle set count = count + $1, max_count = case window_seconds` + most.String() + ` end
		where id in (select id from locked)` + returning(d), args
}

// insertSQL makes the windows that the update did not find, or adds to them
// if somebody else made them meanwhile, again the longest first. "" when there
// are none.
func insertSQL(d sqldb.Dialect, subject string, windows []Window, found []counted, n int64) (string, []any) {
	var missing []Window
	for i, w := range windows {
		if !found[i].known {
			missing = append(missing, w)
		}
	}
	if len(missing) == 0 {
		return "", nil
	}
	slices.SortFunc(missing, func(a, b Window) int { return cmp.Compare(b.Seconds, a.Seconds) })
	args := []any{n, subject}
	rows := make([]string, len(missing))
	for i, w := range missing {
		args = append(args, w.Name, w.Limit)
		rows[i] = fmt.Sprintf("($2, $%d, %d, %s, $1, $%d)", len(args)-1, w.Seconds, windowStart(d, w.Seconds), len(args))
	}
	return `insert into gateway_throttle (subject, window_name, window_seconds, window_start, count, max_count) values ` +
		strings.Join(rows, ", ") + ` on conflict (subject, window_seconds, window_start) do update` +
		` set count = gateway_throttle.count + excluded.count, max_count = excluded.max_count` + returning(d), args
}

// windowStart is the start of the current window of that many seconds, by the
// database's clock: multiples of its length since 1970-01-01 00:00:00 UTC.
func windowStart(d sqldb.Dialect, seconds int64) string {
	if d.Name() == "sqlite" {
		return fmt.Sprintf(`datetime(unixepoch() / %[1]d * %[1]d, 'unixepoch')`, seconds)
	}
	return fmt.Sprintf(`to_timestamp(floor(extract(epoch from statement_timestamp()) / %[1]d) * %[1]d) at time zone 'UTC'`, seconds)
}
