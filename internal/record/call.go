package record

import (
	"context"
	"maps"
	"sort"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Call implements backend.Backend: the methods that every model has, then
// those of its logic.
func (e *Engine) Call(ctx context.Context, c *backend.Caller, model, method string, ids []int64, args backend.Values) (any, error) {
	if e.facts != nil {
		return nil, e.foreignCall(ctx, c, model, method)
	}
	var result any
	err := e.write(ctx, c, func(env *Env) error {
		var err error
		result, err = env.call(model, method, ids, args)
		return err
	})
	return result, err
}

func (e *Env) call(model, name string, ids []int64, args Values) (any, error) {
	m, err := e.callContext.model(model, schema.Read)
	if err != nil {
		return nil, err
	}
	method, ok := e.method(m, name)
	if !ok {
		return nil, fault.Newf(fault.NotFound, "The model %s has no public method %s", model, backend.Shorten(name)).
			With(map[string]any{"methods": e.methodNames(m)}).Because(backend.ErrNoMethod)
	}
	if !method.ReadOnly {
		if _, err := e.callContext.model(model, schema.Write); err != nil {
			return nil, err
		}
	}
	if method.OnModel != (len(ids) == 0) {
		if method.OnModel {
			return nil, fault.Newf(fault.BadRequest, "The method %s belongs to the model: call it without a record id", name)
		}
		if !method.MayBeEmpty || !e.asOdoo() {
			return nil, fault.Newf(fault.BadRequest, "The method %s works on records: name one, as in /%s/7/%s", name, model, name)
		}
	}
	mode := schema.Write
	if method.ReadOnly {
		mode = schema.Read
	}
	ids = unique(ids)
	if err := e.exists(m, ids); err != nil {
		return nil, err
	}
	if err := e.checkRules(m, ids, mode); err != nil {
		return nil, err
	}
	if err := e.auditMethod(m, ids, name, method); err != nil {
		return nil, err
	}
	if method.OnModel { // such a method learns its model from the arguments
		args = maps.Clone(args)
		if args == nil {
			args = Values{}
		}
		args["model"] = model
	}
	result, err := method.Do(e, e.recs(m, ids), args)
	if err = e.hookFault(err); err != nil {
		return nil, err
	}
	return result, e.flush()
}

func (e *Env) exists(m *schema.Model, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	n := 0
	err := e.tx.Query(e.ctx, "select id from "+quote(m.Table)+" where "+e.tx.Dialect().In("id", "$1", true), []any{ids},
		func(sqldb.Row) error { n++; return nil })
	if err != nil || n == len(ids) {
		return err
	}
	return e.whyNot(e.tx, m, ids, schema.Read)
}

// method finds a public method of a model. Names that begin with _ are private.
func (e *Env) method(m *schema.Model, name string) (Method, bool) {
	if strings.HasPrefix(name, "_") {
		return Method{}, false
	}
	for _, l := range e.e.logics[m.Name] {
		if method, ok := l.Methods[name]; ok {
			return method, true
		}
	}
	method, ok := commonMethods()[name]
	return method, ok && !m.AdminOnly
}

func (e *Env) methodNames(m *schema.Model) []string {
	var names []string
	for _, l := range e.e.logics[m.Name] {
		for name := range l.Methods {
			names = append(names, name)
		}
	}
	if !m.AdminOnly {
		for name := range commonMethods() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// commonMethods are the methods of Odoo that every model has, beside those
// with routes of their own.
func commonMethods() map[string]Method {
	return map[string]Method{
		"copy": {Doc: "Duplicate records; default gives other values", MayBeEmpty: true, Do: copyMethod},
		"copy_data": {
			Doc: "The values that copies of records would get", ReadOnly: true, MayBeEmpty: true, Do: copyData,
		},
		"name_create": {Doc: "Create a record by its name alone", OnModel: true, ReadOnly: true, Do: nameCreate},
		"get_field_translations": {
			Doc: "What a translated field says in each language", ReadOnly: true, Do: getTranslations,
		},
		"update_field_translations": {
			Doc: "Change what a translated field says, by language; false removes a language", Do: updateTranslations,
		},
		"default_get":  {Doc: "The defaults of the given fields", OnModel: true, ReadOnly: true, Do: defaultGet},
		"name_search":  {Doc: "Find records by name", OnModel: true, ReadOnly: true, Do: nameSearch},
		"search_count": {Doc: "The number of records that match a domain", OnModel: true, ReadOnly: true, Do: searchCount},
		"action_archive": {Doc: "Archive records", MayBeEmpty: true, Do: func(e *Env, recs []Rec, _ Values) (any, error) {
			return archive(e, recs, false)
		}},
		"action_unarchive": {Doc: "Restore archived records", MayBeEmpty: true, Do: func(e *Env, recs []Rec, _ Values) (any, error) {
			return archive(e, recs, true)
		}},
	}
}
