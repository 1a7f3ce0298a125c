package odoocall

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// inside is the reading of what a field leads to, and the fields to read there.
func (w *web) inside(f *schema.Field, spec map[string]any) (*web, map[string]any, error) {
	fields, err := object("specification."+f.Name+".fields", spec["fields"])
	if err != nil {
		return nil, nil, err
	}
	if context, given := spec["context"]; given {
		w, err = w.in(context)
	}
	return w, fields, err
}

// many2one reads targets. Their names are read as superuser, the rest is not.
func (w *web) many2one(f *schema.Field, values []backend.Value, spec map[string]any) ([]any, error) {
	inner, fields, err := w.inside(f, spec)
	if err != nil {
		return nil, err
	}
	ids := distinct(len(values), func(i int) []int64 { return []int64{values[i].Int} })
	_, named := fields["display_name"]
	fields = maps.Clone(fields)
	delete(fields, "display_name")
	targets, err := inner.byID(f.Relation, ids, fields)
	if err != nil {
		return nil, err
	}
	if named && len(ids) > 0 {
		if err := inner.names(f.Relation, ids, targets); err != nil {
			return nil, err
		}
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = false
		if target := targets[v.Int]; v.Int != 0 && target != nil {
			out[i] = target
		}
	}
	return out, nil
}

// distinct lists the ids of n lists, each once, without 0.
func distinct(n int, list func(int) []int64) []int64 {
	seen, ids := map[int64]bool{0: true}, []int64{}
	for i := range n {
		for _, id := range list(i) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// byID reads records and gives them by id.
func (w *web) byID(model string, ids []int64, fields map[string]any) (map[int64]map[string]any, error) {
	records, err := w.read(model, ids, fields)
	by := make(map[int64]map[string]any, len(records))
	for i := range records {
		id, _ := records[i]["id"].(int64)
		by[id] = records[i]
	}
	return by, err
}

// names adds the display names of records.
func (w *web) names(model string, ids []int64, records map[int64]map[string]any) error {
	su := *w.caller
	su.Superuser = true
	page, err := w.page(&su, model, ids, []string{"display_name"}, true)
	if err != nil {
		return err
	}
	for i, id := range page.IDs() {
		if r := records[id]; r != nil {
			r["display_name"] = orFalse(page.Get(i, "display_name").Text)
		}
	}
	return nil
}

// x2many gives lists: ids, or records where the specification names fields. Of
// those beyond its limit only the ids are given.
func (w *web) x2many(f *schema.Field, values []backend.Value, spec map[string]any) ([]any, error) {
	lists := make([][]int64, len(values))
	for i := range values {
		lists[i] = values[i].List
	}
	if order := spec["order"]; !falsy(order) {
		if err := w.sort(f, lists, order); err != nil {
			return nil, err
		}
	}
	out := make([]any, len(values))
	if _, nested := spec["fields"]; !nested {
		for i, ids := range lists {
			out[i] = append([]int64{}, ids...)
		}
		return out, nil
	}
	inner, fields, err := w.inside(f, spec)
	if err != nil {
		return nil, err
	}
	first, err := firstOf(spec["limit"])
	if err != nil {
		return nil, err
	}
	lines, err := inner.byID(f.Relation, distinct(len(lists), func(i int) []int64 { return first(lists[i]) }), fields)
	if err != nil {
		return nil, err
	}
	for i, ids := range lists {
		list := make([]map[string]any, len(ids))
		for j, id := range ids {
			if list[j] = lines[id]; list[j] == nil {
				list[j] = map[string]any{"id": id}
			}
		}
		out[i] = list
	}
	return out, nil
}

// firstOf cuts a list to a limit, as Python does: a negative one counts from
// the end.
func firstOf(limit any) (func([]int64) []int64, error) {
	if limit == nil {
		return func(ids []int64) []int64 { return ids }, nil
	}
	n, ok := integer(limit)
	if b, isBool := limit.(bool); isBool && !b {
		n, ok = 0, true
	}
	if !ok {
		return nil, fault.New(fault.BadRequest, "limit must be a whole number")
	}
	return func(ids []int64) []int64 {
		end := n
		if n < 0 {
			end = max(0, int64(len(ids))+n)
		}
		return ids[:min(end, int64(len(ids)))]
	}, nil
}

// sort puts lists in an order of the comodel, with one search for all of them.
func (w *web) sort(f *schema.Field, lists [][]int64, order any) error {
	text, ok := order.(string)
	if !ok {
		return fault.Newf(fault.BadRequest, "specification.%s.order must be a text", f.Name)
	}
	all := distinct(len(lists), func(i int) []int64 { return lists[i] })
	if len(all) == 0 {
		return nil
	}
	node, err := domain.FromValue([]any{[]any{"id", "in", anyList(all)}}, domain.Limits{})
	if err != nil {
		return err
	}
	var page backend.Page
	q := &backend.Query{Model: f.Relation, Domain: node, Order: text, Fields: []string{"id"}}
	if _, err := w.b.Search(w.ctx, w.caller, q, &page); err != nil {
		return err
	}
	if len(page.Rows) < len(all) && f.KeepArchived { // whether they are dropped depends on the release
		return backend.CannotProve(backend.ValueShape, f.Model.Name+"."+f.Name, "archived records in another order")
	}
	rank := map[int64]int{}
	for i, id := range page.IDs() {
		rank[id] = i
	}
	for i := range lists {
		lists[i] = slices.DeleteFunc(slices.Clone(lists[i]), func(id int64) bool { _, found := rank[id]; return !found })
		slices.SortFunc(lists[i], func(a, b int64) int { return rank[a] - rank[b] })
	}
	return nil
}

// reference reads the records that "model,id" texts name: one query for each
// model.
func (w *web) reference(f *schema.Field, values []backend.Value, spec map[string]any) ([]any, error) {
	inner, fields, err := w.inside(f, spec)
	if err != nil {
		return nil, err
	}
	byModel := map[string][]int64{}
	for _, v := range values {
		if model, id := split(v.Text); id != 0 {
			byModel[model] = append(byModel[model], id)
		}
	}
	found := map[string]map[int64]map[string]any{}
	for model, ids := range byModel {
		ids = distinct(1, func(int) []int64 { return ids })
		if found[model], err = inner.targets(model, ids, fields); err != nil {
			return nil, err
		}
	}
	out := make([]any, len(values))
	for i, v := range values {
		model, id := split(v.Text)
		out[i] = false
		if target := found[model][id]; target != nil {
			one := maps.Clone(target)
			one["id"] = map[string]any{"id": id, "model": model}
			out[i] = one
		}
	}
	return out, nil
}

// split reads "model,id".
func split(text string) (string, int64) {
	model, digits, _ := strings.Cut(text, ",")
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return "", 0
	}
	return model, id
}

// targets reads the records of one model that references name, those that exist.
func (w *web) targets(model string, ids []int64, fields map[string]any) (map[int64]map[string]any, error) {
	_, onlyID := fields["id"]
	if len(fields) > 1 || len(fields) == 1 && !onlyID {
		records, err := w.byID(model, ids, fields)
		if fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) {
			// Odoo says so in words, record by record.
			err = backend.CannotProve(backend.ValueShape, model, "a reference to a record that is not for the caller")
		}
		return records, err
	}
	su := *w.caller
	su.Superuser = true
	page, err := w.page(&su, model, ids, []string{"id"}, true)
	if err != nil {
		return nil, err
	}
	records := map[int64]map[string]any{}
	for _, id := range page.IDs() {
		records[id] = map[string]any{}
	}
	return records, nil
}
