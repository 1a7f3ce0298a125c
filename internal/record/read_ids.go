package record

import (
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// readIDs reads records by id; all must be there and readable.
func (cx *callContext) readIDs(db sqldb.Querier, p *plan, q *backend.Query, sink backend.Sink) error {
	ids := q.IDs
	stmt, want, later := &p.byID, 1, any(ids[0])
	if len(ids) > 1 {
		ids = unique(ids)
		stmt, want, later = &p.byIDs, len(ids), any(ids)
	}
	n := 0
	if err := db.Query(cx.ctx, stmt.sql, stmt.with(later), p.deliver(sink, &n)); err != nil {
		return err
	}
	if n == want {
		return nil
	}
	err := cx.whyNot(db, p.model, ids, schema.Read)
	if q.SkipMissing && fault.Is(err, fault.NotFound) {
		return cx.noneHidden(db, p.model, ids, n)
	}
	return err
}

// noneHidden makes sure that the ids that were not read are of records that do
// not exist, and not of hidden ones.
func (cx *callContext) noneHidden(db sqldb.Querier, m *schema.Model, ids []int64, read int) error {
	exist, err := cx.existing(db, m, ids)
	if err != nil || len(exist) == read {
		return err
	}
	return forbiddenRecord(m.Name, ids, schema.Read)
}

// existing are those of the ids that records have, whoever may see them.
func (cx *callContext) existing(db sqldb.Querier, m *schema.Model, ids []int64) (map[int64]bool, error) {
	exist := map[int64]bool{}
	sql := "select id from " + quote(m.Table) + " where " + cx.e.db.Dialect().In("id", "$1", true)
	err := db.Query(cx.ctx, sql, []any{ids}, func(r sqldb.Row) error {
		exist[r.Int(0)] = true
		return nil
	})
	return exist, err
}

// whyNot tells records that do not exist from those a rule hides.
func (cx *callContext) whyNot(db sqldb.Querier, m *schema.Model, ids []int64, mode schema.Mode) error {
	exist, err := cx.existing(db, m, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !exist[id] {
			return missingRecord(m.Name, id)
		}
	}
	return forbiddenRecord(m.Name, ids, mode)
}

func missingRecord(model string, id int64) error {
	return fault.Newf(fault.NotFound, "Record %d of %s does not exist or has been deleted", id, model)
}

func forbiddenRecord(model string, ids []int64, mode schema.Mode) error {
	verb := map[schema.Mode]string{schema.Read: "read", schema.Write: "modify", schema.Create: "create", schema.Unlink: "delete"}[mode]
	which := "these records"
	if len(ids) == 1 {
		which = "record " + strconv.FormatInt(ids[0], 10)
	}
	return fault.Newf(fault.Forbidden, "You are not allowed to %s %s of %s", verb, which, model)
}

func unique(ids []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	out := make([]int64, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
