package record

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// changeTable is the log of changes. A row says of records of one model what
// one transaction did to them, and has the number of that transaction. Numbers
// are given before transactions end, so they tell no order of ends. A reader
// therefore keeps which transactions had ended when he read (a snapshot), and
// gets next what has ended since: he misses none, however long one runs.
const changeTable = "gateway_change"

// floorTable holds the number of the first transaction that is not forgotten.
const floorTable = "gateway_change_floor"

var _ backend.ChangeLog = (*Engine)(nil)

// place is where a reader of the log goes on: with what had not ended at the
// snapshot Old. In the middle of several pages, what had ended at New, from a
// row of the log on.
type place struct {
	Old, New string
	Tx, Seq  int64
	Index    int // of the ids of the row
}

// ends are the numbers below which all transactions of a snapshot have ended,
// and from which on none has.
func ends(snapshot string) (first, last int64) {
	one, rest, _ := strings.Cut(snapshot, ":")
	two, _, _ := strings.Cut(rest, ":")
	first, _ = strconv.ParseInt(one, 10, 64)
	if last, _ = strconv.ParseInt(two, 10, 64); last == 0 {
		last = first
	}
	return first, last
}

// Changes implements backend.ChangeLog.
func (e *Engine) Changes(ctx context.Context, c *backend.Caller, q *backend.ChangesQuery) (*backend.ChangeList, error) {
	if e.facts != nil {
		return nil, fault.New(fault.Unprocessable, "Changes are not recorded where the records are those of an Odoo: ask for write_date instead")
	}
	var list *backend.ChangeList
	err := e.upToDate(func() error {
		return e.db.Snapshot(ctx, func(db sqldb.Querier) (err error) {
			cx, err := e.call(ctx, db, c)
			if err == nil {
				list, err = cx.changes(q)
			}
			return err
		})
	})
	return list, storeFault(err, "changes of "+q.Model)
}

func (cx *callContext) changes(q *backend.ChangesQuery) (*backend.ChangeList, error) {
	m, err := cx.model(q.Model, schema.Read)
	if err != nil {
		return nil, err
	}
	if m.AdminOnly {
		return nil, fault.Newf(fault.Unprocessable, "Changes of %s are not recorded; those of policy are in gateway.audit", m.Name)
	}
	node, err := backend.JoinDomains(q.DomainText, nil)
	if err != nil {
		return nil, err
	}
	now, floor, err := cx.snapshot()
	if err != nil {
		return nil, err
	}
	what, at := "changes\x00"+m.Name, place{Old: now}
	list := &backend.ChangeList{Changes: []backend.Change{}}
	var noted []backend.Change
	if q.Since == "" {
		if _, err := cx.plan(&backend.Query{Model: q.Model, DomainText: q.DomainText, Fields: []string{"id"}}); err != nil {
			return nil, err // a bad domain is told at once
		}
	} else {
		if err := cx.e.cursors.Open(q.Since, what, &at); err != nil {
			return nil, fault.Newf(fault.BadRequest, "Invalid parameter since: it is not a next_cursor of the changes of %s", m.Name).
				With(fault.FieldErrors{"since": "is not one of this model"})
		}
		first, last := ends(at.Old)
		if _, newest := ends(now); first < floor || last > newest {
			return nil, fault.New(fault.Gone, "The cursor is older than the recorded changes, or of another database: read all records again, and go on from the cursor of now (changes without since)")
		}
		if at.New == "" {
			at.New = now
		}
		if noted, at, list.More, err = cx.noted(m, at, q.Limit); err != nil {
			return nil, err
		}
	}
	if list.Changes, err = cx.shown(m, node, noted); err != nil {
		return nil, err
	}
	list.Next, err = cx.e.cursors.Seal(at, what)
	return list, err
}

// snapshot says which transactions have ended, and from which number on they are
// remembered.
func (cx *callContext) snapshot() (now string, floor int64, err error) {
	err = cx.q.Query(cx.ctx, "select "+cx.q.Dialect().TxSnapshot(changeTable)+", (select tx from "+floorTable+")", nil, func(r sqldb.Row) error {
		now, floor = r.Text(0), r.Int(1)
		return nil
	})
	return now, floor, err
}

// noted reads the log from a place on until limit records have come or it ends:
// each record once, with what it amounts to.
func (cx *callContext) noted(m *schema.Model, at place, limit int) (list []backend.Change, next place, more bool, err error) {
	const batch = 200
	index := map[int64]int{}
	first, _ := ends(at.Old)
	d := cx.q.Dialect()
	sql := fmt.Sprintf(`select tx, seq, action, ids, at from %s where model = $1 and tx >= $2 and (tx, seq) >= ($3, $4) and not %s and %s
		order by tx, seq limit %d`, changeTable, d.TxEnded("tx", "$5"), d.TxEnded("tx", "$6"), batch)
	for rows := batch; rows == batch && !more; {
		rows = 0
		start := at
		err = cx.q.Query(cx.ctx, sql, []any{m.Name, first, start.Tx, start.Seq, start.Old, start.New}, func(r sqldb.Row) error {
			if rows++; more {
				return nil
			}
			at.Tx, at.Seq, at.Index = r.Int(0), r.Int(1), 0
			if at.Tx == start.Tx && at.Seq == start.Seq {
				at.Index = start.Index
			}
			for _, text := range strings.Split(r.Text(3), ",")[at.Index:] {
				id, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return err
				}
				if _, known := index[id]; !known && len(list) == limit {
					more = true
					return nil
				}
				list = amount(list, index, backend.Change{ID: id, Action: r.Text(2), At: r.Time(4)})
				at.Index++
			}
			at.Seq, at.Index = at.Seq+1, 0
			return nil
		})
		if err != nil {
			return nil, at, false, err
		}
	}
	if !more {
		at = place{Old: at.New}
	}
	return list, at, more, nil
}

// amount adds a change: what was created and then changed was created. What is
// deleted stays so, as the order of the log is not that of the ends of
// transactions, and no id is used again.
func amount(list []backend.Change, index map[int64]int, next backend.Change) []backend.Change {
	i, known := index[next.ID]
	if !known {
		index[next.ID] = len(list)
		return append(list, next)
	}
	if before := list[i].Action; before == changeUnlink || before == changeCreate && next.Action == changeWrite {
		next.Action = before
	}
	if list[i].At.After(next.At) {
		next.At = list[i].At
	}
	list[i] = next
	return list
}

// shown are those of the changes that are the caller's business: of records
// that he can read now, or that are no more. What the domain finds no longer is
// gone to whoever keeps what it finds.
func (cx *callContext) shown(m *schema.Model, node domain.Node, noted []backend.Change) ([]backend.Change, error) {
	var ids []int64
	for _, c := range noted {
		if c.Action != changeUnlink {
			ids = append(ids, c.ID)
		}
	}
	readable, err := cx.findable(m, ids, nil)
	if err != nil {
		return nil, err
	}
	found := readable
	if node = withoutFieldFiles(m, node); node != domain.Const(true) {
		if found, err = cx.findable(m, ids, node); err != nil {
			return nil, err
		}
	}
	out := []backend.Change{}
	for _, c := range noted {
		switch {
		case c.Action == changeUnlink, readable[c.ID] && !found[c.ID]:
			c.Action = "deleted"
		case !readable[c.ID]:
			continue
		case c.Action == changeCreate:
			c.Action = "created"
		default:
			c.Action = "updated"
		}
		out = append(out, c)
	}
	return out, nil
}

// findable are those of the ids that a domain finds for the caller, archived
// records too: whoever keeps a copy must hear that one was archived.
func (cx *callContext) findable(m *schema.Model, ids []int64, node domain.Node) (map[int64]bool, error) {
	found := make(map[int64]bool, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	caller := *cx.caller
	caller.Context.KeepArchived = true
	own := *cx
	own.caller = &caller
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	var cond domain.Node = &domain.Leaf{Path: "id", Op: domain.OpIn, Value: list, Pos: -1}
	if node != nil {
		cond = domain.Conj(cond, node)
	}
	page := &backend.Page{}
	if _, err := own.search(&backend.Query{Model: m.Name, Domain: cond, Fields: []string{"id"}, Order: "id"}, page); err != nil {
		return nil, err
	}
	for _, id := range page.IDs() {
		found[id] = true
	}
	return found, nil
}

// ForgetChanges deletes what is older from the log of changes, and gives the
// number of its rows.
func (e *Engine) ForgetChanges(ctx context.Context, before time.Time) (n int64, err error) {
	err = e.db.Write(ctx, func(tx sqldb.Tx) error {
		var keep int64 // the first transaction that is not forgotten
		err := tx.Query(ctx, "select "+tx.Dialect().TxSnapshot(changeTable)+", (select min(tx) from "+changeTable+" where at >= $1)", []any{before}, func(r sqldb.Row) error {
			if keep, _ = ends(r.Text(0)); !r.Null(1) {
				keep = min(keep, r.Int(1))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update "+floorTable+" set tx = coalesce((select max(tx) + 1 from "+changeTable+" where tx < $1), tx)", keep); err != nil {
			return err
		}
		n, err = tx.Exec(ctx, "delete from "+changeTable+" where tx < $1", keep)
		return err
	})
	return n, storeFault(err, "forget changes")
}

// createChangeLog makes the tables of the log.
func createChangeLog(ctx context.Context, tx sqldb.Tx) error {
	d := tx.Dialect()
	for _, sql := range slices.Concat([]string{
		fmt.Sprintf(`create table %s (seq %s, tx bigint not null, model %s not null, action %[3]s not null, ids %[3]s not null, at %s not null)`,
			changeTable, d.ColumnType(sqldb.SerialPK), d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Timestamp)),
		fmt.Sprintf(`create index gateway_change_model on %s (model, tx, seq)`, changeTable),
		fmt.Sprintf(`create index gateway_change_at on %s (at, tx)`, changeTable),
		fmt.Sprintf(`create index gateway_change_tx on %s (tx)`, changeTable),
		fmt.Sprintf(`create table %s (tx bigint not null)`, floorTable),
		fmt.Sprintf(`insert into %s (tx) values (0)`, floorTable),
	}) {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
