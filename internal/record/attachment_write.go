package record

import (
	"encoding/base64"
	"maps"
	"slices"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// attachmentModel holds files. Deleting a record deletes those attached to it.
const attachmentModel = "ir.attachment"

// attachFiles puts files into fields whose bytes are attachments, or takes them
// away: as the superuser, for who may write the field may do that.
func (e *Env) attachFiles(m *schema.Model, ids []int64, files Values) error {
	holder := e.st.reg.Model(attachmentModel)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var have []int64
		missing := recordSet(m, ids)
		sql := "select id, res_id from " + quote(holder.Table) + " where res_model = $1 and res_field = $2 and " + e.tx.Dialect().In("res_id", "$3", true) + " order by id"
		err := e.tx.Query(e.ctx, sql, []any{m.Name, name, ids}, func(r sqldb.Row) error {
			have = append(have, r.Int(0))
			delete(missing, trailKey{m, r.Int(1)})
			return nil
		})
		switch {
		case err != nil:
			return err
		case files[name] == nil:
			if err := e.Sudo().unlink(holder, have); err != nil {
				return err
			}
			continue
		}
		if err := e.Sudo().write(holder, have, Values{"datas": files[name]}); err != nil {
			return err
		}
		var fresh []Values
		for _, id := range ids {
			if missing[trailKey{m, id}] {
				fresh = append(fresh, Values{
					"name": name, "res_model": m.Name, "res_field": name, "res_id": id, "type": "binary", "datas": files[name],
				})
			}
		}
		if len(fresh) > 0 {
			if _, err := e.Sudo().create(holder, fresh); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlinkAttached deletes what is attached to records that are gone: a record that
// gets their ids one day must not find it.
func (e *Env) unlinkAttached(gone map[trailKey]bool) error {
	holder := e.st.reg.Model(attachmentModel)
	if holder == nil || !holder.ByRecord {
		return nil
	}
	ids := map[string][]int64{}
	for key := range gone {
		if key.m != holder && !key.m.AdminOnly {
			ids[key.m.Name] = append(ids[key.m.Name], key.id)
		}
	}
	var files []int64
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		sql := "select id from " + quote(holder.Table) + " where res_model = $1 and " + e.tx.Dialect().In("res_id", "$2", true) + " order by id"
		err := e.tx.Query(e.ctx, sql, []any{name, ids[name]}, func(r sqldb.Row) error {
			files = append(files, r.Int(0))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return e.Sudo().unlink(holder, files)
}

// rawBytes are the bytes of base64 text, which Convert has looked at.
func rawBytes(v any) any {
	text, _ := v.(string)
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return []byte(text)
	}
	return file
}
