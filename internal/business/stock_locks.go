package business

import (
	"slices"

	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// Transactions that change stock take their locks in one order: the sales
// order, then its transfers, then the products. What is read of a thing
// before its lock is had may be old by then, so each is read afterwards.

// lockStates locks rows of a table until the end of the transaction and gives
// their states as they are now: what was read before may be old by the time
// the lock is had.
func lockStates(e *record.Env, table string, recs []record.Rec) (map[int64]string, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(recs))
	for i, r := range recs {
		ids[i] = r.ID()
	}
	d := e.Tx().Dialect()
	states := map[int64]string{}
	err := e.Tx().Query(e.Ctx(), "select id, state from "+sqldb.Quote(table)+" where "+d.In("id", "$1", true)+
		" order by id"+d.ForUpdate(), []any{ids}, func(r sqldb.Row) error {
		states[r.Int(0)] = r.Text(1)
		return nil
	})
	return states, err
}

// lockTransfersOf locks the transfers that moves belong to. It does not read
// the moves through the environment, which would remember them as they were.
func lockTransfersOf(e *record.Env, moves []record.Rec) error {
	ids := make([]int64, len(moves))
	for i, m := range moves {
		ids[i] = m.ID()
	}
	d := e.Tx().Dialect()
	return e.Tx().Query(e.Ctx(), "select id from stock_picking where id in (select picking_id from stock_move where "+
		d.In("id", "$1", true)+") order by id"+d.ForUpdate(), []any{ids}, func(sqldb.Row) error { return nil })
}

// lockProducts keeps other transactions from changing the quants of these
// products until this one ends. What is read of quants afterwards is true, so
// that nothing is promised twice and no change is lost. The rows are locked
// one by one in the order of their ids, so that two transactions never wait
// for each other; an update that changes nothing locks out other updates, but
// not lines that are added for the product meanwhile. On SQLite a writer is
// alone anyway.
func lockProducts(e *record.Env, products []int64) error {
	if e.Tx().Dialect().ForUpdate() == "" {
		return nil
	}
	ids := slices.Clone(products)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if _, err := e.Tx().Exec(e.Ctx(), "update product_product set id = id where id = $1", id); err != nil {
			return err
		}
	}
	return nil
}
