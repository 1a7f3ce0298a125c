package record

import (
	"encoding/json"
	"slices"
	"sort"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

const english = "en_US"

// nameCreate makes a record of which only the name is known.
func nameCreate(e *Env, _ []Rec, args Values) (any, error) {
	model, _ := args["model"].(string)
	m := e.st.reg.Model(model)
	if m == nil || m.RecName == "" {
		return false, nil
	}
	field := m.RecName
	if f := m.Field(field); f.Computed && m.Field("name") != nil {
		field = "name" // such as a category's complete name
	}
	return e.NameCreate(model, Values{field: args["name"]})
}

// NameCreate makes a record and answers, as Odoo's name_create does, with its
// id and display name.
func (e *Env) NameCreate(model string, values Values) (any, error) {
	m, err := e.callContext.model(model, schema.Create)
	if err != nil {
		return nil, err
	}
	if err := e.inScope(m, values); err != nil {
		return nil, err
	}
	recs, err := e.Create(model, values)
	if err != nil {
		return nil, err
	}
	return []any{recs[0].id, recs[0].Text("display_name")}, e.err
}

// copyData answers with the values of the copies that copy would make.
func copyData(e *Env, recs []Rec, args Values) (any, error) {
	over, _ := args["default"].(map[string]any)
	if err := e.mayRead(recs); err != nil {
		return nil, err
	}
	if len(recs) > 0 {
		if err := e.copyInScope(recs[0].model, over); err != nil {
			return nil, err
		}
	}
	list := []Values{}
	for _, r := range recs {
		values, err := e.copyValues(r, over, "")
		if err != nil {
			return nil, err
		}
		for name, v := range values {
			if _, given := over[name]; !given {
				values[name] = odooJSON(v)
			}
		}
		list = append(list, values)
	}
	return list, nil
}

// odooJSON is a value of a copy in Odoo's shape.
func odooJSON(v any) any {
	switch v := v.(type) {
	case nil:
		return false
	case []int64:
		return []any{[]any{SetLines, 0, v}}
	case []Values:
		lines := []any{}
		for _, line := range v {
			for name, value := range line {
				line[name] = odooJSON(value)
			}
			lines = append(lines, []any{CreateLine, 0, line})
		}
		return lines
	}
	return v
}

// translatedField finds the field of a call about translations; nil when it is
// not translated.
func (e *Env) translatedField(recs []Rec, args Values) (*schema.Field, error) {
	if len(recs) != 1 {
		return nil, fault.New(fault.BadRequest, "Translations are those of one record")
	}
	m := recs[0].model
	name, _ := args["field_name"].(string)
	f := m.Field(name)
	if f == nil || f.Secret {
		return nil, backend.NoField(m, name, "field_name")
	}
	if !e.actor.sudo && !access.Field(e.st.reg, e.actor.user, f) {
		return nil, fault.Newf(fault.Forbidden, "You are not allowed to access the field %s of %s", name, m.Name)
	}
	if !f.Translate || !f.HasColumn() {
		return nil, nil
	}
	return f, nil
}

// texts are what a translated column holds, by language.
func (e *Env) texts(f *schema.Field, id int64) (map[string]string, error) {
	texts := map[string]string{}
	err := e.tx.Query(e.ctx, "select "+quote(f.Name)+" from "+quote(f.Model.Table)+" where id = $1", []any{id},
		func(r sqldb.Row) error {
			if r.Null(0) {
				return nil
			}
			return json.Unmarshal(r.Bytes(0), &texts)
		})
	return texts, err
}

// getTranslations answers, as Odoo does, with the texts and how to show them.
func getTranslations(e *Env, recs []Rec, args Values) (any, error) {
	f, err := e.translatedField(recs, args)
	if err != nil {
		return nil, err
	}
	list, kind := []map[string]any{}, "char"
	if f == nil {
		return []any{list, map[string]any{"translation_type": kind, "translation_show_source": false}}, nil
	}
	if f.Type != schema.Char {
		kind = "text"
	}
	texts, err := e.texts(f, recs[0].id)
	if err != nil {
		return nil, err
	}
	var langs []string
	wanted, _ := args["langs"].([]any)
	for _, v := range wanted {
		code, _ := v.(string)
		langs = append(langs, code)
	}
	if len(wanted) == 0 {
		for code := range e.st.reg.Langs {
			langs = append(langs, code)
		}
	}
	sort.Strings(langs)
	for _, code := range slices.Compact(langs) {
		list = append(list, map[string]any{"lang": code, "source": texts[english], "value": texts[code]})
	}
	return []any{list, map[string]any{"translation_type": kind, "translation_show_source": false}}, nil
}

// updateTranslations sets the texts of some languages; a falsy value that is no
// text takes the language away. English, on which the others fall back, stays.
func updateTranslations(e *Env, recs []Rec, args Values) (any, error) {
	f, err := e.translatedField(recs, args)
	if err != nil {
		return nil, err
	}
	changes, ok := args["translations"].(map[string]any)
	if !ok {
		return nil, fault.New(fault.BadRequest, "translations must be an object: a text for each language")
	}
	for code, v := range changes {
		if _, active := e.st.reg.Langs[code]; !active && code != english {
			return nil, fault.Newf(fault.Unprocessable, "The language %s is not activated", backend.Shorten(code))
		}
		if _, isText := v.(string); !isText && v != nil && v != false {
			return nil, fault.New(fault.Unprocessable, "Translations are texts, or false to remove one")
		}
	}
	if f == nil || len(changes) == 0 {
		return false, nil
	}
	if err := e.mayGrant(f.Model, schema.Write, Values{f.Name: changes}); err != nil {
		return nil, err
	}
	texts, err := e.texts(f, recs[0].id)
	if err != nil {
		return nil, err
	}
	for _, code := range sortedKeys(changes) {
		text, isText := changes[code].(string)
		switch {
		case isText:
			if converted, err := e.convert(f, text); err != nil {
				return nil, err
			} else if text, isText = converted.(string); !isText {
				continue
			}
			texts[code] = text
			if _, has := texts[english]; !has {
				texts[english] = text
			}
		case code != english:
			delete(texts, code)
		}
	}
	return true, e.storeTexts(f, recs[0], texts)
}

// storeTexts writes a translated column as a whole.
func (e *Env) storeTexts(f *schema.Field, r Rec, texts map[string]string) error {
	var content any
	if len(texts) > 0 {
		content = jsonText(texts)
	}
	m := r.model
	if err := e.tellChanging(m, []int64{r.id}); err != nil {
		return err
	}
	_, err := e.tx.Exec(e.ctx, "update "+quote(m.Table)+" set "+quote(f.Name)+" = $1, write_uid = $2, write_date = $3 where id = $4",
		content, e.UserID(), e.moment, r.id)
	if err != nil {
		return violation(m, err)
	}
	e.cache.changed(e.st, m, []int64{r.id})
	if err := e.affected(m, []int64{r.id}, change{fields: map[string]bool{f.Name: true}}); err != nil {
		return err
	}
	return e.signalModel(m)
}

func sortedKeys(values map[string]any) []string {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
