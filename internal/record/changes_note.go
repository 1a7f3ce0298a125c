package record

import (
	"fmt"
	"strconv"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// What is noted of a record; the words of gateway_change.
const (
	changeCreate = "create"
	changeWrite  = "write"
	changeUnlink = "unlink"
)

// maxNoted is how many ids a row of gateway_change holds.
const maxNoted = 1000

// changeNotes are the records that a transaction has changed, for those who
// keep copies. One entry for each record, however many writes there are.
type changeNotes struct {
	models []*schema.Model
	ids    map[*schema.Model]*notedIDs
}

type notedIDs struct {
	order  []int64
	action map[int64]string
}

// note takes down what happens to records. It is called wherever rows are
// written, beside what webhooks hear.
func (e *Env) note(m *schema.Model, ids []int64, action string) {
	if m.AdminOnly || m.Abstract || len(ids) == 0 {
		return // Gatehouse's own tables are written past the engine too
	}
	n := e.notes.ids[m]
	if n == nil {
		if e.notes.ids == nil {
			e.notes.ids = map[*schema.Model]*notedIDs{}
		}
		n = &notedIDs{action: make(map[int64]string, len(ids))}
		e.notes.ids[m] = n
		e.notes.models = append(e.notes.models, m)
	}
	for _, id := range ids {
		before, known := n.action[id]
		switch {
		case !known:
			n.order = append(n.order, id)
		case before == changeCreate && action == changeWrite:
			continue
		case before == changeCreate && action == changeUnlink:
			action = "" // it never was
		}
		n.action[id] = action
	}
}

// keepNotes writes the notes at the end of the transaction, in its last round
// trip: a row for each model and action.
func (e *Env) keepNotes() error {
	var values []string
	args := []any{e.moment}
	for _, m := range e.notes.models {
		n := e.notes.ids[m]
		if err := e.restored(m, n); err != nil {
			return err
		}
		for _, action := range []string{changeCreate, changeWrite, changeUnlink} {
			var some []string
			add := func() {
				if len(some) > 0 {
					args = append(args, m.Name, strings.Join(some, ","))
					values = append(values, fmt.Sprintf("(%s, $%d, '%s', $%d, $1)", e.tx.Dialect().TxNumber(changeTable), len(args)-1, action, len(args)))
					some = nil
				}
			}
			for _, id := range n.order {
				if n.action[id] != action {
					continue
				}
				if some = append(some, strconv.FormatInt(id, 10)); len(some) == maxNoted {
					add()
				}
			}
			add()
		}
	}
	e.notes = changeNotes{}
	if len(values) > 0 {
		e.tx.Last(sqldb.Stmt{SQL: "insert into " + changeTable + " (tx, model, action, ids, at) values " + strings.Join(values, ", "), Args: args})
	}
	return nil
}

// restored passes over deletions that a savepoint has undone.
func (e *Env) restored(m *schema.Model, n *notedIDs) error {
	var gone []int64
	for _, id := range n.order {
		if n.action[id] == changeUnlink {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	there, err := e.existing(e.tx, m, gone)
	for id := range there {
		n.action[id] = changeWrite
	}
	return err
}
