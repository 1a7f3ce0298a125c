package throttle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/sqldb"
)

// counted is a window of the store, as a number of requests found and left it.
type counted struct {
	id    int64
	count int64 // the admitted ones included
	start time.Time
	reset time.Duration
	known bool
}

// tally is a subject of a batch: so many requests against these windows. It
// holds what the store answered.
type tally struct {
	subject string
	windows []Window
	n       int64
	room    int64     // how many of them are let through
	found   []counted // one per window
	asked   time.Time // right before the store looked at its clock
	done    bool
}

// countTries is how often a batch is counted anew because a window ended
// between the statement that made it and the one that counts, or was deleted.
const countTries = 8

// counter counts batches. It reuses its memory: one batch at a time.
type counter struct {
	sql   *statements
	clock clock.Clock
	rows  []byte
}

// count counts the requests of several subjects, each in all of its windows,
// and notes how many of them are let through: as many as every window has room
// for. The others are counted nowhere, so a request that the minute refuses
// costs nothing of the hour, and of a limit of L exactly L pass. The subjects
// must be in order and different.
//
// All of them share one transaction. On PostgreSQL that is one round trip, and
// rows are locked no longer than the server takes. Windows that exist are only
// updated; those that do not are made first, in a second transaction, once per
// window. An INSERT … ON CONFLICT alone would do, but PostgreSQL draws an id
// for every attempt, also one that ends as an update, and a busy gateway would
// use the 31 bits of ids up in weeks.
func (c *counter) count(ctx context.Context, db sqldb.DB, tallies []tally) error {
	for try := range countTries {
		missing := try > 0
		rows := c.encode(tallies)
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			now := c.clock.Now()
			for i := range tallies {
				tallies[i].begin(now)
			}
			return c.transact(ctx, tx, tallies, rows, missing)
		})
		if err != nil {
			return fmt.Errorf("count requests: %w", err)
		}
		left := 0
		for i := range tallies {
			if tallies[i].done = tallies[i].all(); !tallies[i].done {
				left++
			}
		}
		if left == 0 {
			return nil
		}
	}
	return fmt.Errorf("the windows of %q are not there after they were made", tallies[0].subject)
}

// transact counts in one transaction. A crash of the database server may
// forget the last moments' counts (a killed node does not): waiting for the
// disk with every batch would cost more than what the limit protects from, and
// while the server restarts nobody gets through anyway.
func (c *counter) transact(ctx context.Context, tx sqldb.Tx, tallies []tally, rows string, missing bool) error {
	tx.Relaxed()
	if c.sql.peek != "" {
		return c.stepwise(ctx, tx, tallies, rows, missing)
	}
	if missing {
		tx.Last(sqldb.Stmt{SQL: c.sql.insert, Args: []any{rows}})
	}
	tx.Last(sqldb.Stmt{SQL: c.sql.count, Args: []any{rows}, Sure: true, Each: func(r sqldb.Row) error {
		if i := r.Int(5); i >= 0 && i < int64(len(tallies)) {
			tallies[i].collect(r, r.Int(4), r.Int(6))
		}
		return nil
	}})
	return nil
}

// stepwise counts window by window, where a statement costs no round trip and
// the writer is alone: that is quicker there than one statement for all.
func (c *counter) stepwise(ctx context.Context, tx sqldb.Tx, tallies []tally, rows string, missing bool) error {
	if missing {
		if _, err := tx.Exec(ctx, c.sql.insert, rows); err != nil {
			return err
		}
	}
	for i := range tallies {
		t := &tallies[i]
		if t.done {
			continue
		}
		for _, w := range t.windows {
			err := tx.Query(ctx, c.sql.peek, []any{t.subject, w.Seconds}, func(r sqldb.Row) error {
				t.collect(r, w.Seconds, 0)
				return nil
			})
			if err != nil {
				return err
			}
		}
		if !t.all() {
			continue
		}
		for j := range t.found {
			f, limit := &t.found[j], t.windows[j].Limit
			f.count += t.room
			if _, err := tx.Exec(ctx, c.sql.add, f.id, t.room, limit); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset makes the tally ready for a batch.
func (t *tally) reset(subject string, windows []Window, n int64) {
	*t = tally{subject: subject, windows: windows, n: n, found: t.found[:0]}
}

// begin forgets what a transaction that is run again had found.
func (t *tally) begin(now time.Time) {
	if !t.done {
		t.asked, t.room = now, t.n
		t.found = slices.Grow(t.found[:0], len(t.windows))[:len(t.windows)]
		clear(t.found)
	}
}

// collect reads a window, to whose count n more were or will be added.
func (t *tally) collect(r sqldb.Row, seconds, n int64) {
	for i, w := range t.windows {
		if w.Seconds == seconds {
			start := r.Time(2)
			reset := start.Add(time.Duration(w.Seconds) * time.Second).Sub(r.Time(3))
			t.found[i] = counted{id: r.Int(0), count: r.Int(1) + n, start: start, reset: max(reset, 0), known: true}
			t.room = min(t.room, max(0, w.Limit-r.Int(1)))
		}
	}
}

// all says whether all windows were found; only then anything is counted.
func (t *tally) all() bool {
	return !slices.ContainsFunc(t.found, func(f counted) bool { return !f.known })
}

// encode writes the tallies that are still to be counted as the rows that the
// statements take: number, subject, name, seconds and limit of a window,
// requests, number of the subject's windows.
func (c *counter) encode(tallies []tally) string {
	b := append(c.rows[:0], '[')
	for i := range tallies {
		t := &tallies[i]
		if t.done {
			continue
		}
		for _, w := range t.windows {
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(append(b, '['), int64(i), 10)
			b = appendText(append(b, ','), t.subject)
			b = appendText(append(b, ','), w.Name)
			for _, n := range [...]int64{w.Seconds, w.Limit, t.n, int64(len(t.windows))} {
				b = strconv.AppendInt(append(b, ','), n, 10)
			}
			b = append(b, ']')
		}
	}
	c.rows = append(b, ']')
	return string(c.rows)
}

// appendText writes a text as JSON.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string can be marshalled
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// statements are the limiter's SQL: count does all at once, or where that
// cannot be (it is "" then), peek and add do it window by window.
type statements struct{ insert, count, peek, add string }

// newStatements writes the SQL. count locks the windows of all subjects in one
// order (the longest of a subject first), or nodes would deadlock all the
// time; only then it looks how much room they have.
func newStatements(d sqldb.Dialect) *statements {
	asked := `with asked as (select c1 as number, c2 as subject, c3 as name, c4 as seconds, c5 as most, c6 as n, c7 as windows from ` +
		d.JSONRows("$1", sqldb.Int8, sqldb.Text, sqldb.Text, sqldb.Int8, sqldb.Int8, sqldb.Int8, sqldb.Int8) + ` as x)`
	same := `t.subject = a.subject and t.window_seconds = a.seconds and t.window_start = ` + d.WindowStart("a.seconds")
	s := &statements{insert: asked + ` insert into gateway_throttle
		(subject, window_name, window_seconds, window_start, window_end, count, max_count)
		select subject, name, seconds, ` + d.WindowStart("seconds") + `, ` + d.After(d.WindowStart("seconds"), "seconds") + `, 0, most
		from asked a where not exists (select 1 from gateway_throttle t where ` + same + `)
		order by number, seconds desc on conflict do nothing`}
	if !d.ChangesInWith() {
		s.peek = `select id, count, window_start, ` + d.Now() + ` from gateway_throttle
			where subject = $1 and window_seconds = $2 and window_start = ` + d.WindowStart("$2")
		s.add = `update gateway_throttle set count = count + $2, max_count = $3 where id = $1`
		return s
	}
	s.count = asked + `, locked as (
			select t.id, t.window_seconds, t.count, t.window_start, a.number, a.most, a.n, a.windows
			from asked a join gateway_throttle t on ` + same + `
			order by a.number, t.window_seconds desc` + d.ForUpdate() + `),
		room as (
			select id, number, window_seconds, count, window_start, most, windows,
				count(*) over (partition by number) as known,
				min(` + d.Least("n", d.Greatest("most - count", "0")) + `) over (partition by number) as n
			from locked),
		counted as (
			update gateway_throttle t set count = t.count + r.n, max_count = r.most
			from room r where t.id = r.id and r.known = r.windows)
		select id, count, window_start, ` + d.Now() + `, window_seconds, number, n from room where known = windows`
	return s
}
