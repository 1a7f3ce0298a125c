package record_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// odooish are models that behave as the facts know some of Odoo's to behave.
func odooish() []*schema.Model {
	shown := schema.NewChar("shown", "Shown").ComputedSQL("upper({code})")
	shown.ShownOnly, shown.Contexts = true, []string{"loudly"}
	byPath := schema.NewChar("kind_name", "Kind").ComputedSQL("{kind_id.name}")
	byPath.ShownOnly, byPath.SearchPath = true, []string{"kind_id", "name"}
	chain := schema.NewChar("full", "Full").ComputedSQL("{kind_id.name} || ' / ' || {code}")
	chain.ShownOnly, chain.SearchChain = true, []string{"kind_id.name", "code"}
	coded := schema.NewChar("coded", "Coded").ComputedSQL("null")
	coded.ShownOnly, coded.PythonSearch = true, true
	all := schema.NewMany2one("any_id", "Any", "t.kind").ComputedSQL("{kind_id}")
	all.ShownOnly, all.SearchPathless, all.PythonSearch = true, true, true
	return []*schema.Model{
		{
			Name: "t.kind", Label: "Kind", Order: "name",
			NameExpr: "coalesce((select string_agg({text p.name}, ' / ' order by length(p.parent_path)) from t_kind p " +
				"where substr({t}.parent_path, 1, length(p.parent_path)) = p.parent_path), '')",
			Searching: facts.Searching{Named: []facts.Named{{Field: "name"}}, Below: true},
			Fields: []*schema.Field{
				schema.NewChar("name", "Name").Translated(), schema.NewMany2one("parent_id", "Parent", "t.kind"),
				schema.NewChar("parent_path", "Path"), schema.NewBoolean("active", "Active").Def(true),
				schema.NewOne2many("thing_ids", "Things", "t.thing", "kind_id"),
			},
		},
		{
			Name: "t.thing", Label: "Thing", Order: "code, id",
			NameExpr: "case when {code} = 'X' then {?} when {code} = 'E' and not {english} then {?} " +
				"when {in base.group_portal} then 'outside' else coalesce({code}, '') || ': ' || coalesce({line note}, '') end",
			NameContexts: []string{"show_price"},
			Searching: facts.Searching{
				Named: []facts.Named{
					{Field: "code", How: facts.ByWord}, {Field: "note"}, {Field: "login", How: facts.Exact}, {Field: "hint", How: facts.Loosely},
				},
				Odd:      []*regexp.Regexp{regexp.MustCompile(`\[`)},
				Contexts: []string{"in_stock"}, Sorting: []string{"upside_down"}, Patterns: []string{"login"}, Fields: []string{"raw"},
			},
			Fields: []*schema.Field{
				schema.NewChar("code", "Code"), schema.NewText("note", "Note"), schema.NewChar("login", "Login"),
				schema.NewChar("hint", "Hint"), schema.NewChar("raw", "Raw"), schema.NewMany2one("kind_id", "Kind", "t.kind"),
				shown, byPath, chain, coded, all,
			},
		},
		{
			Name: "t.link", Label: "Link", Order: "id", RecNames: []string{"thing_id", "title"},
			Fields: []*schema.Field{schema.NewChar("title", "Title"), schema.NewMany2one("thing_id", "Thing", "t.thing")},
		},
		{
			Name: "t.user", Label: "User", Order: "name", Searching: facts.Searching{
				Named: []facts.Named{{Field: "name"}, {Field: "login", How: facts.Rather}},
			},
			Fields: []*schema.Field{schema.NewChar("name", "Name"), schema.NewChar("login", "Login"), schema.NewBoolean("active", "Active").Def(true)},
		},
		{
			Name: "t.apart", Label: "Apart", Order: "name",
			Searching: facts.Searching{Named: []facts.Named{{Field: "name"}}, Apart: true},
			Fields:    []*schema.Field{schema.NewChar("name", "Name"), schema.NewBoolean("active", "Active").Def(true)},
		},
	}
}

// onOdooish runs a test with records of those models on both stores.
func onOdooish(t *testing.T, fn func(w *world)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, odooish()...)
		su := as(0)
		region := w.create(su, "t.kind", backend.Values{"name": "Region"})[0]
		north := w.create(su, "t.kind", backend.Values{"name": "North", "parent_id": region})[0]
		w.create(su, "t.kind", backend.Values{"name": "Other"})
		w.create(su, "t.thing", backend.Values{"code": "A1", "note": "first\nsecond", "kind_id": north, "login": "ada", "hint": "Topmost"},
			backend.Values{"code": "B2", "note": "A1 too", "kind_id": region, "login": "bob"}, backend.Values{"note": "nothing"})
		a1 := w.idOf("t.thing", "[('code','=','A1')]")
		w.create(su, "t.link", backend.Values{"title": "to A1", "thing_id": a1}, backend.Values{"title": "to nothing"})
		fn(w)
	})
}

// reasonOf asks and gives the reason why there is no sure answer, "" for an answer.
func (w *world) reasonOf(c *backend.Caller, q backend.Query) backend.Reason {
	w.Helper()
	_, err := w.eng.Search(context.Background(), c, &q, &backend.Page{})
	if err == nil {
		return ""
	}
	u, ok := errors.AsType[*backend.UnprovableError](err)
	if !ok {
		w.Errorf("%s %s: %v, want a verdict", q.Model, q.DomainText, err)
		return ""
	}
	return u.Reason
}

func TestNamesFromFacts(t *testing.T) {
	onOdooish(t, func(w *world) {
		w.equal("names", w.texts(as(0), "t.thing", "[]", "display_name", "id"), []string{"A1: first", "B2: A1 too", ": nothing"})
		w.equal("chain", w.texts(as(0), "t.kind", "[]", "display_name", "id"), []string{"Region", "Region / North", "Other"})
		page := w.list(as(0), backend.Query{Model: "t.link", Fields: []string{"thing_id"}, Order: "id"})
		if got := page.Get(0, "thing_id").Text; got != "A1: first" {
			w.Errorf("name of what is linked: %q", got)
		}
		outside := as(w.create(as(0), "res.users", backend.Values{
			"login": "out", "name": "Out", "group_ids": []any{w.group("group_portal")},
		})[0])
		outside.Superuser = true
		w.equal("for a group", w.texts(outside, "t.thing", "[('code','=','A1')]", "display_name", ""), []string{"outside"})
	})
}

func TestNamesThatOnlyCodeKnows(t *testing.T) {
	onOdooish(t, func(w *world) {
		name := backend.Query{Model: "t.thing", Fields: []string{"display_name"}}
		in := func(key string) *backend.Caller {
			c := as(0)
			c.Context.Unknown = []string{key}
			return c
		}
		if got := w.reasonOf(in("show_price"), name); got != backend.ContextKey {
			w.Errorf("with a key that changes names: %q", got)
		}
		x := w.create(as(0), "t.thing", backend.Values{"code": "X"})[0]
		w.create(as(0), "t.link", backend.Values{"title": "to X", "thing_id": x})
		if got := w.reasonOf(as(0), name); got != backend.PythonName {
			w.Errorf("with a record that only code can name: %q", got)
		}
		if got := w.reasonOf(as(0), backend.Query{Model: "t.link", Fields: []string{"thing_id"}}); got != backend.PythonName {
			w.Errorf("a link to it: %q", got)
		}
		name.DomainText = "[('code','!=','X')]"
		if got := w.reasonOf(as(0), name); got != "" {
			w.Errorf("without it: %q", got)
		}
		w.create(as(0), "t.thing", backend.Values{"code": "E"})
		if got := w.reasonOf(as(0), name); got != "" {
			w.Errorf("in English: %q", got)
		}
		w.create(as(0), "res.lang", backend.Values{"name": "L", "code": "l_L", "url_code": "l", "active": true})
		other := as(0)
		other.Context.Lang = "l_L"
		if got := w.reasonOf(other, name); got != backend.PythonName {
			w.Errorf("a word of code in another language: %q", got)
		}
	})
}

func TestSearchByNameFromFacts(t *testing.T) {
	onOdooish(t, func(w *world) {
		for domain, want := range map[string][]string{
			"[('display_name','ilike','A1')]":            {"A1", "B2"}, // by code, and in a note
			"[('display_name','ilike','a1')]":            {"B2"},       // codes in their own case
			"[('display_name','=like','A')]":             {"A1"},       // by their beginning, whatever the pattern
			"[('display_name','<','A')]":                 {"A1"},
			"[('display_name','ilike','A1 first')]":      {"A1"}, // the first word is its code
			"[('display_name','=like','most')]":          {"A1"}, // anywhere in the hint
			"[('display_name','=','Topmost')]":           {},
			"[('display_name','not ilike','topmost')]":   {"", "B2"},
			"[('display_name','ilike','B')]":             {"B2"},
			"[('display_name','ilike','1')]":             {"B2"}, // codes by their beginning only
			"[('display_name','=','A1 first')]":          {"A1"},
			"[('display_name','=','A')]":                 {},
			"[('display_name','in',['A1 x','nothing'])]": {"", "A1"},
			"[('display_name','ilike','bob')]":           {"B2"},
			"[('display_name','ilike','bo')]":            {},
			"[('display_name','not ilike','bob')]":       {"", "A1", "B2"}, // the very text counts for finding only
			"[('display_name','not in',['A1'])]":         {"", "B2"},
			"[('kind_id.display_name','ilike','regi')]":  {"A1", "B2"}, // below Region too
			"[('kind_id','ilike','north')]":              {"A1"},
			"[('kind_id.display_name','=','Region')]":    {"B2"},
			"[('kind_id','not ilike','regi')]":           {""},
		} {
			got := w.texts(as(0), "t.thing", domain, "code", "")
			if len(got) > 1 && got[len(got)-1] == "" { // where NULL stands is the store's business
				got = append([]string{""}, got[:len(got)-1]...)
			}
			w.equal(domain, got, want)
		}
		links := func(domain string) []string { return w.texts(as(0), "t.link", domain, "title", "id") }
		w.equal("by a link's name", links("[('display_name','ilike','2')]"), []string{})
		w.equal("by a link's first word", links("[('display_name','ilike','A1')]"), []string{"to A1"})
		w.equal("not by name wants a link", links("[('display_name','not ilike','zzz')]"), []string{"to A1"})
	})
}

// TestNamesFoundRather: whoever bears the very text is found, and nobody else.
func TestNamesFoundRather(t *testing.T) {
	onOdooish(t, func(w *world) {
		w.create(as(0), "t.user", backend.Values{"name": "Ann", "login": "boss"}, backend.Values{"name": "Boss", "login": "x"},
			backend.Values{"name": "Old boss", "login": "Old", "active": false})
		for domain, want := range map[string][]string{
			"[('display_name','ilike','boss')]":                          {"Ann"},
			"[('display_name','=','boss')]":                              {"Ann"},
			"[('display_name','in',['boss','Boss'])]":                    {"Ann"},
			"[('display_name','ilike','bos')]":                           {"Boss"},
			"[('display_name','=ilike','boss')]":                         {"Boss"}, // other patterns look at names only
			"[('display_name','not ilike','boss')]":                      {"Ann"},
			"[('display_name','ilike','old'),('active','=',False)]":      {"Old boss"}, // archived, his login is not found
			"[('display_name','ilike','boss'),('active','in',[0,1])]":    {"Ann"},
			"[('display_name','not in',['boss','Ann'])]":                 {"Boss"},
			"[('display_name','ilike','boss'),('login','=','x')]":        {},
			"['|',('display_name','ilike','boss'),('login','=','x')]":    {"Ann", "Boss"},
			"['!',('display_name','ilike','boss'),('login','=','boss')]": {"Ann"}, // the same as not ilike
		} {
			w.equal(domain, w.texts(as(0), "t.user", domain, "name", "name"), want)
		}
	})
}

// TestNamesFoundApart: a search of its own leaves out archived records.
func TestNamesFoundApart(t *testing.T) {
	onOdooish(t, func(w *world) {
		w.create(as(0), "t.apart", backend.Values{"name": "one"}, backend.Values{"name": "another one", "active": false})
		both := "('active','in',[True,False])"
		w.equal("by name", w.texts(as(0), "t.apart", "[('display_name','ilike','one'),"+both+"]", "name", ""), []string{"one"})
		w.equal("not by name", w.texts(as(0), "t.apart", "[('display_name','not ilike','two'),"+both+"]", "name", "name"), []string{"another one", "one"})
		c := as(0)
		c.Context.KeepArchived = true
		w.equal("with archived ones", w.texts(c, "t.apart", "[('display_name','ilike','one')]", "name", "name"), []string{"another one", "one"})
	})
}

// TestOrdersThatCodeChanges: a key of the context that changes the model's own
// order, also where it orders what leads to it.
func TestOrdersThatCodeChanges(t *testing.T) {
	onOdooish(t, func(w *world) {
		c := as(0)
		c.Context.Unknown = []string{"upside_down"}
		for _, try := range []struct {
			model, order string
			want         backend.Reason
		}{
			{"t.thing", "", backend.ContextKey},
			{"t.thing", "code, id", backend.ContextKey},
			{"t.thing", "code desc", ""},
			{"t.link", "thing_id", backend.ContextKey},
			{"t.link", "", ""},
		} {
			if got := w.reasonOf(c, backend.Query{Model: try.model, Fields: []string{"id"}, Order: try.order}); got != try.want {
				w.Errorf("%s by %q: %q, want %q", try.model, try.order, got, try.want)
			}
		}
		_, err := w.eng.Group(context.Background(), c, &backend.GroupQuery{Model: "t.link", GroupBy: []string{"thing_id"}})
		w.want(err, fault.BadRequest, "upside_down")
	})
}

func TestSearchesThatCodeChanges(t *testing.T) {
	onOdooish(t, func(w *world) {
		ids := func(domain string) backend.Query {
			return backend.Query{Model: "t.thing", DomainText: domain, Fields: []string{"id"}}
		}
		for domain, want := range map[string]backend.Reason{
			"[('display_name','ilike','[A1]')]": backend.PythonNames,
			"[('login','ilike','x')]":           backend.PythonSearch,
			"[('login','=','x')]":               "",
			"[('raw','=','x')]":                 backend.PythonSearch,
			"[('coded','=','x')]":               backend.NotStored,
			"[('full','<','x')]":                backend.NotStored,
			"[('full','=','')]":                 backend.NotStored,
		} {
			if got := w.reasonOf(as(0), ids(domain)); got != want {
				w.Errorf("%s: %q, want %q", domain, got, want)
			}
		}
		c := as(0)
		c.Context.Unknown = []string{"in_stock"}
		if got := w.reasonOf(c, ids("[]")); got != backend.ContextKey {
			w.Errorf("with a key that changes searches: %q", got)
		}
		c.Context.Unknown = []string{"loudly"}
		if got := w.reasonOf(c, backend.Query{Model: "t.thing", Fields: []string{"shown"}}); got != backend.ContextKey {
			w.Errorf("with a key that changes a value: %q", got)
		}
	})
}

func TestComputedFromFacts(t *testing.T) {
	onOdooish(t, func(w *world) {
		w.equal("shown", w.texts(as(0), "t.thing", "[('code','=','A1')]", "shown", ""), []string{"A1"})
		for domain, want := range map[string][]string{
			"[('kind_name','=','North')]":         {"A1"},
			"[('full','ilike','north')]":          {"A1"},
			"[('full','ilike','Region / B')]":     {"B2"},
			"[('full','ilike','North / B')]":      {},
			"[('full','ilike','North /')]":        {"A1"}, // only what is before the slash
			"[('full','ilike','/ B2')]":           {},
			"[('full','ilike','Region / B / 2')]": {},
			"[('full','=','Region / B2')]":        {"B2"},
			"[('full','not in',['Region / B2'])]": {"A1", ""},
		} {
			got := w.texts(as(0), "t.thing", domain, "code", "id")
			w.equal(domain, got, want)
		}
		for part, q := range map[string]backend.Query{
			"cannot be searched":         {Model: "t.thing", DomainText: "[('shown','=','A1')]", Fields: []string{"id"}},
			"Cannot order":               {Model: "t.thing", Order: "shown", Fields: []string{"id"}},
			"cannot be searched along a": {Model: "t.thing", DomainText: "[('any_id.name','=','x')]", Fields: []string{"id"}},
		} {
			_, err := w.eng.Search(context.Background(), as(0), &q, &backend.Page{})
			w.want(err, fault.BadRequest, part)
			if _, unsure := errors.AsType[*backend.UnprovableError](err); unsure {
				w.Errorf("%+v: Odoo refuses it too", q)
			}
		}
	})
}
