package odoopoll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

type txn = sqldb.Tx

// createTables makes the tables of what is known. They are no models: nobody is
// to change them. A record takes some 50 bytes and its index, and the JSON of
// watched fields where a webhook has any.
func createTables(ctx context.Context, db sqldb.DB) error {
	return sqldb.Migrate(ctx, db, "odoopoll", []sqldb.Step{{ID: "1 known", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		return sqldb.Script(ctx, tx, fmt.Sprintf(`
			create table gateway_odoo_watch (
				id %[1]s primary key, model %[2]s, version %[1]s not null, start %[1]s not null, position %[1]s not null,
				stocked %[3]s not null, sweeping %[3]s not null, filling %[3]s not null, swept %[1]s not null, began %[1]s not null,
				signature %[2]s not null, problem %[2]s not null);
			create unique index gateway_odoo_watch_model on gateway_odoo_watch (model) where model is not null;
			create table gateway_odoo_known (
				watch_id %[1]s not null, id %[1]s not null, written %[1]s not null, hash %[1]s, recheck %[1]s, stage %[1]s,
				watched %[2]s, matched %[2]s, primary key (watch_id, id));
			create index gateway_odoo_known_recheck on gateway_odoo_known (watch_id, recheck) where recheck is not null`,
			d.ColumnType(sqldb.Int8), d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Bool)))
	}}})
}

// state is how far a model has been looked at.
type state struct {
	id      int64
	model   string
	version int64 // counts the changes of what is known
	// start is the newest write_date when the model was first looked at: what is
	// older needs no telling. position is the newest seen since. In microseconds.
	start, position int64
	stocked         bool // all records that there were at the start are known
	// sweeping: a sweep is under way and has come to the id swept; filling: it
	// reads the watched fields too. began is when the last one began, in
	// seconds since 1970.
	sweeping, filling bool
	swept, began      int64
	signature         string // of the plan by which this is known
	problem           string // as the webhooks show it
}

func loadStates(ctx context.Context, q sqldb.Querier) (map[string]*state, error) {
	all := map[string]*state{}
	err := q.Query(ctx, `select id, model, version, start, position, stocked, sweeping, filling, swept, began, signature, problem
		from gateway_odoo_watch where model is not null`, nil, func(r sqldb.Row) error {
		all[r.Text(1)] = &state{
			id: r.Int(0), model: r.Text(1), version: r.Int(2), start: r.Int(3), position: r.Int(4), stocked: r.Bool(5),
			sweeping: r.Bool(6), filling: r.Bool(7), swept: r.Int(8), began: r.Int(9), signature: r.Text(10), problem: r.Text(11),
		}
		return nil
	})
	return all, err
}

// commit runs fn in a transaction that also keeps the state, unless another
// node has changed what is known.
func (w *watch) commit(fn func(tx txn) error) error {
	err := w.o.DB.Write(w.ctx, func(tx sqldb.Tx) error {
		n, err := tx.Exec(w.ctx, `update gateway_odoo_watch set version = version + 1, start = $3, position = $4, stocked = $5,
			sweeping = $6, filling = $7, swept = $8, began = $9, signature = $10 where id = $1 and version = $2 and model is not null`,
			w.id, w.version, w.start, w.position, w.stocked, w.sweeping, w.filling, w.swept, w.began, w.signature)
		if err == nil && n == 0 {
			err = errTaken
		}
		if err != nil || fn == nil {
			return err
		}
		return fn(tx)
	})
	if err == nil {
		w.version++
	}
	return err
}

// begin begins to watch a model: with what was written until now.
func (w *watch) enter(model string) error {
	now := w.o.Clock.Now()
	newest, err := w.ask(w.believed(now), written+" desc, id desc", 1, nil)
	if err != nil {
		return err
	}
	w.state = &state{id: now.UnixMicro(), model: model, sweeping: true, filling: true, began: now.Unix(), signature: w.plan.signature}
	if len(newest) == 1 {
		w.start = newest[0].written
		w.position = w.start
	}
	err = w.o.DB.Write(w.ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(w.ctx, `insert into gateway_odoo_watch (id, model, version, start, position, stocked, sweeping, filling, swept,
			began, signature, problem) values ($1, $2, 0, $3, $3, false, $6, $6, 0, $4, $5, '')`,
			w.id, model, w.start, w.began, w.signature, true)
		return err
	})
	if _, ok := errors.AsType[*sqldb.Violation](err); ok {
		return errTaken
	}
	return fault.Wrap(err, "begin to watch")
}

// leave forgets models that no webhook watches any more, some records at a time.
func (r *round) leave(states map[string]*state, subs map[string][]*record.Subscription) error {
	for model, st := range states {
		if len(subs[model]) > 0 {
			continue
		}
		err := r.o.DB.Write(r.ctx, func(tx sqldb.Tx) error {
			_, err := tx.Exec(r.ctx, `update gateway_odoo_watch set model = null, version = version + 1 where id = $1`, st.id)
			return err
		})
		if err != nil {
			return fault.Wrap(err, "end a watch")
		}
		delete(r.memory, model)
		delete(r.plans, model)
	}
	var ended []int64
	err := r.o.DB.Read(r.ctx, func(q sqldb.Querier) error {
		ended = nil
		return q.Query(r.ctx, `select id from gateway_odoo_watch where model is null`, nil, func(row sqldb.Row) error {
			ended = append(ended, row.Int(0))
			return nil
		})
	})
	const atOnce = 20_000
	for _, id := range ended {
		if err == nil {
			err = r.o.DB.Write(r.ctx, func(tx sqldb.Tx) error {
				n, err := tx.Exec(r.ctx, `delete from gateway_odoo_known where watch_id = $1 and id in
					(select id from gateway_odoo_known where watch_id = $1 order by id limit $2)`, id, atOnce)
				if err == nil && n < atOnce {
					_, err = tx.Exec(r.ctx, `delete from gateway_odoo_watch where id = $1`, id)
				}
				return err
			})
		}
	}
	return fault.Wrap(err, "forget what was watched")
}

// trouble shows with the webhooks of a model why it cannot be looked at; "":
// it can.
func (r *round) trouble(model, why string, cause error) error {
	const differs = ` from gateway_webhook where model = $1 and active and coalesce(poll_problem, '') <> $2`
	found := false
	err := r.o.DB.Read(r.ctx, func(q sqldb.Querier) error {
		return q.Query(r.ctx, `select 1`+differs, []any{model, why}, func(sqldb.Row) error { found = true; return nil })
	})
	if err != nil || !found {
		return err
	}
	if why != "" {
		r.o.Log.WarnContext(r.ctx, "changes cannot be found", "model", model, "reason", why, "error", cause)
	}
	return r.o.DB.Write(r.ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(r.ctx, `update gateway_webhook set poll_problem = nullif($2, '') where id in (select id`+differs+`)`, model, why)
		return err
	})
}

// known is what is remembered of a record.
type known struct {
	id, written int64
	hash        int64  // of what was read of it; 0: nothing was
	recheck     int64  // when it is looked at again, in seconds since 1970; 0: it is not
	stage       int64  // how often it was
	watched     string // JSON object of the watched fields; "" where nothing is watched
	matched     string // subscriptions whose domain found it: ",3,7,"
}

// hidden is the stage of a record that the technical user could not see any
// more when it was missed. It is neither counted nor missed again.
const hidden = -1

func (w *watch) load(where string, args ...any) (list []known, err error) {
	err = w.o.DB.Read(w.ctx, func(q sqldb.Querier) error {
		list = list[:0]
		in := strings.ReplaceAll(where, "IN", q.Dialect().In("id", "$2", true))
		return q.Query(w.ctx, `select id, written, hash, recheck, stage, watched, matched from gateway_odoo_known where watch_id = $1 and `+in,
			append([]any{w.id}, args...), func(r sqldb.Row) error {
				list = append(list, known{r.Int(0), r.Int(1), r.Int(2), r.Int(3), r.Int(4), r.Text(5), r.Text(6)})
				return nil
			})
	})
	return list, fault.Wrap(err, "read what is known")
}

// knownOf finds what is known of records.
func (w *watch) knownOf(ids []int64) (map[int64]known, error) {
	list, err := w.load("IN", ids)
	all := make(map[int64]known, len(list))
	for _, k := range list {
		all[k.id] = k
	}
	return all, err
}

// rowsAtOnce is how many rows one statement writes.
const rowsAtOnce = 1000

// keep writes what is known of records.
func (w *watch) keep(tx txn, list []known) error {
	sql := `insert into gateway_odoo_known (watch_id, id, written, hash, recheck, stage, watched, matched)
		select c1, c2, c3, c4, c5, c6, c7, c8 from ` +
		tx.Dialect().JSONRows("$1", sqldb.Int8, sqldb.Int8, sqldb.Int8, sqldb.Int8, sqldb.Int8, sqldb.Int8, sqldb.Text, sqldb.Text) +
		` as seen where true on conflict (watch_id, id) do update set written = excluded.written, hash = excluded.hash,
			recheck = excluded.recheck, stage = excluded.stage, watched = excluded.watched, matched = excluded.matched`
	for len(list) > 0 {
		n := min(len(list), rowsAtOnce)
		rows := make([][]any, n)
		for i, k := range list[:n] {
			rows[i] = []any{w.id, k.id, k.written, orNull(k.hash), orNull(k.recheck), orNull(k.stage), textOrNull(k.watched), textOrNull(k.matched)}
		}
		text, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(w.ctx, sql, string(text)); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func orNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// forget deletes what is known of records.
func (w *watch) forget(tx txn, ids []int64) error {
	_, err := tx.Exec(w.ctx, `delete from gateway_odoo_known where watch_id = $1 and `+tx.Dialect().In("id", "$2", true), w.id, ids)
	return err
}

// put gives events to the outbox.
func (w *watch) put(tx txn, events []record.Event) error {
	if len(events) == 0 {
		return nil
	}
	return w.o.Outbox.Put(w.ctx, tx, w.o.Clock.Now(), events)
}

var _ Outbox = (*webhook.Outbox)(nil)
