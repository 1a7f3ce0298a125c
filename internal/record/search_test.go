package record_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// things fills x_thing with rows that tell the operators apart.
func (w *world) things() {
	w.Helper()
	su := as(0)
	w.manualModel()
	tags := w.create(su, "x_tag", backend.Values{"x_name": "red"}, backend.Values{"x_name": "blue"})
	partner := w.create(su, "res.partner", backend.Values{"name": "Acme", "is_company": true, "email": "info@acme.example"})[0]
	a := w.create(su, "x_thing", backend.Values{
		"x_name": "a", "x_int": 5, "x_float": 1.5, "x_bool": true, "x_char": "100% Cotton", "x_date": "2024-02-29",
		"x_when": "2024-02-29 10:30:00", "x_kind": "a", "x_partner_id": partner, "x_tag_ids": []any{[]any{int64(6), int64(0), []any{tags[0], tags[1]}}},
		"x_active": true, "x_label": "hello",
	})[0]
	w.create(su, "x_thing", backend.Values{
		"x_name": "b", "x_int": 0, "x_char": "", "x_date": "2024-03-01", "x_when": "2024-03-01 00:00:00", "x_kind": "b",
		"x_parent_id": a, "x_active": true, "x_tag_ids": []any{tags[1]},
	})
	w.create(su, "x_thing", backend.Values{"x_name": "c", "x_int": -3, "x_float": 0.1, "x_char": "under_score", "x_parent_id": a, "x_active": true})
	w.create(su, "x_thing", backend.Values{"x_name": "d", "x_char": "ÉLAN", "x_active": false})
	// A column added later holds NULLs, which must read as 0 and false.
	if err := w.db.Write(context.Background(), nullNumbers); err != nil {
		w.Fatal(err)
	}
}

// operatorCases are domains over things and the names that they find.
func operatorCases() []operatorCase {
	return []operatorCase{
		{`[]`, "a b c"},
		{`[('x_active','in',[True,False])]`, "a b c d"},
		{`[('x_active','=',False)]`, "d"},
		{`[('x_int','=',5)]`, "a"},
		{`[('x_int','=',False)]`, "b"},
		{`[('x_int','=',0)]`, "b"},
		{`[('x_int','!=',5)]`, "b c"},
		{`[('x_int','<',1)]`, "b c"},
		{`[('x_int','>=',0)]`, "a b"},
		{`[('x_int','in',[5,-3])]`, "a c"},
		{`[('x_int','not in',[5,False])]`, "c"},
		{`[('x_int','in',[])]`, ""},
		{`[('x_int','not in',[])]`, "a b c"},
		{`[('x_int','=','5')]`, "a"},
		{`[('x_int','=',99999999999)]`, ""},
		{`[('x_int','<',99999999999)]`, "a b c"},
		{`[('x_float','=',0.1)]`, "c"},
		{`[('x_float','>',0)]`, "a c"},
		{`[('x_bool','=',True)]`, "a"},
		{`[('x_bool','!=',True)]`, "b c"},
		{`[('x_bool','=','yes')]`, "a"},
		{`[('x_bool','=','maybe')]`, "b c"},
		{`[('x_char','=',False)]`, "b"},
		{`[('x_char','like','100%')]`, "a"},
		{`[('x_char','ilike','cotton')]`, "a"},
		{`[('x_char','like','cotton')]`, ""},
		{`[('x_char','not ilike','cotton')]`, "b c"},
		{`[('x_char','=like','100%')]`, "a"},
		{`[('x_char','=like','under\_score')]`, "c"},
		{`[('x_char','ilike','')]`, "a b c"},
		{`[('x_char','not ilike','')]`, ""},
		{`['&',('x_active','=',False),('x_char','ilike','élan')]`, "d"},
		{`[('x_int','like',5)]`, "a"},
		{`[('x_kind','=','a')]`, "a"},
		{`[('x_kind','!=','a')]`, "b c"},
		{`[('x_kind','=',False)]`, "c"},
		{`[('x_date','=','2024-02-29')]`, "a"},
		{`[('x_date','>','2024-02-29')]`, "b"},
		{`[('x_date','=',False)]`, "c"},
		{`[('x_date','<','2024-03-01')]`, "a"},
		{`[('x_when','<=','2024-02-29')]`, "a"},
		{`[('x_when','>','2024-02-29')]`, "b"},
		{`[('x_when','=','2024-03-01')]`, "b"},
		{`[('x_when','=','2024-02-29 10:30:00')]`, "a"},
		{`[('x_when.month_number','=',3)]`, "b"},
		{`[('x_date.day_of_week','in',[4,5])]`, "a b"},
		{`[('x_date','>','today')]`, ""},
		{`[('x_date','<','today +1d')]`, "a b"},
		{`[('x_partner_id','=',False)]`, "b c"},
		{`[('x_partner_id','!=',False)]`, "a"},
		{`[('x_partner_id','ilike','acme')]`, "a"},
		{`[('x_partner_id','not ilike','acme')]`, "b c"},
		{`[('x_partner_id','=','Acme')]`, "a"},
		{`[('x_partner_id.email','=like','%@acme.example')]`, "a"},
		{`[('x_partner_id','any',[('is_company','=',True)])]`, "a"},
		{`[('x_partner_id','not any',[('is_company','=',True)])]`, "b c"},
		{`[('x_parent_id.x_name','=','a')]`, "b c"},
		{`['!',('x_parent_id.x_name','=','a')]`, "a"},
		{`[('x_child_ids','=',False)]`, "b c"},
		{`[('x_child_ids.x_int','<',0)]`, "a"},
		{`[('x_tag_ids','=',False)]`, "c"},
		{`[('x_tag_ids.x_name','=','blue')]`, "a b"},
		{`[('x_tag_ids','not in',[1])]`, "b c"},
		{`[('x_tag_ids','ilike','re')]`, "a"},
		{`[('x_parent_id','child_of',1)]`, "a b c"},
		{`[('x_parent_id','parent_of',[2])]`, "a b"},
		{`[('x_name','=?',False)]`, "a b c"},
		{`[('x_name','=?','a')]`, "a"},
		{`['|',('x_name','=','a'),'&',('x_int','<',0),('x_name','=','c')]`, "a c"},
		{`['!','|',('x_name','=','a'),('x_name','=','b')]`, "c"},
		{`['!',('x_int','>',0)]`, "b c"},
		{`['!',('x_date','>','2024-02-29')]`, "a c"},
		{`[('x_label','=','hello')]`, "a"},
		{`[(1,'=',1)]`, "a b c"},
		{`[(0,'=',1)]`, ""},
		{`[["x_int","=",5]]`, "a"},
		{`[('display_name','ilike','A')]`, "a"},
		{`[('id','in',[1,2])]`, "a b"},

		// Odoo's own ideas of odd operands.
		{`[('x_int','=','')]`, "b"},
		{`[('x_int','>=','')]`, "a b"},
		{`[('x_int','=like',False)]`, "b"},
		{`[('x_int','not like',[5])]`, "a b c"},
		{`[('x_bool','like',False)]`, "a b c"},
		{`[('x_bool','=like',False)]`, "b c"},
		{`[('x_char','<',True)]`, "a b"}, // True is a text
		{`[('x_char','>',0)]`, "a c"},    // so is 0, which is not "not set" here
		{`[('x_date','=','20240229')]`, "a"},
		{`[('x_when','<','0001-01-01')]`, ""},
		{`[('x_when','<=','9999-12-31 23:59:59')]`, "a b"},
		{`[('x_when','>','9999-12-31 23:59:59')]`, ""},
		{`[('x_kind','=','')]`, ""},
		{`[('x_kind','!=','')]`, "a b c"},
		{`[('x_kind','like',['a'])]`, ""},
		{`[('x_partner_id','=',0)]`, ""},
		{`[('x_partner_id','!=',0)]`, "b c"}, // 0 is NULL to the database: who knows
		{`[('x_partner_id','=like','')]`, "b c"},
		{`[('x_partner_id','not =like','')]`, "a"},
		{`[('x_tag_ids','=like',False)]`, "c"},
		{`[('x_int','child_of',False)]`, ""},
		{`[('id','any',[('x_int','=',5)])]`, "a"},
		{`[('id','not any',[('x_int','=',5)])]`, "b c"},
		{`[('x_child_ids','child_of',2)]`, "a"}, // goes up: who has b or a parent of b among his children
		{`[('x_child_ids','parent_of',1)]`, "a"},
	}
}

type operatorCase struct{ domain, want string }

func TestOperators(t *testing.T) {
	tests := operatorCases()
	onBoth(t, func(w *world) {
		w.things()
		for _, tt := range tests {
			got := strings.Join(w.texts(as(0), "x_thing", tt.domain, "x_name", "x_name"), " ")
			if got != tt.want {
				w.Errorf("%s: got %q, want %q", tt.domain, got, tt.want)
			}
		}
	})
}

func TestBadQueries(t *testing.T) {
	tests := []struct {
		query backend.Query
		part  string
	}{
		{backend.Query{DomainText: `[('x_nam','=',1)]`}, "Did you mean x_name"},
		{backend.Query{DomainText: `[('x_name','=')]`}, "Invalid domain"},
		{backend.Query{DomainText: `[('x_name.foo','=',1)]`}, "no relation"},
		{backend.Query{DomainText: `[('x_int','=','abc')]`}, "x_int"},
		{backend.Query{DomainText: `[('x_date','=','2024-13-01')]`}, "x_date"},
		{backend.Query{DomainText: `[('x_date','=',5)]`}, "x_date"},
		{backend.Query{DomainText: `[('x_bool','<',5)]`}, "x_bool"},
		{backend.Query{DomainText: `[('x_name','any',[('id','=',1)])]`}, "x_name"},
		{backend.Query{DomainText: `[('x_name','=like','a\\')]`}, "backslash"},
		{backend.Query{DomainText: `[('x_int','child_of',1)]`}, "x_int"},
		{backend.Query{DomainText: `[('x_partner_id','=',True)]`}, "x_partner_id"},
		{backend.Query{DomainText: `[('x_date','=','')]`}, "x_date"},
		{backend.Query{DomainText: `[('x_date','in',[None])]`}, "x_date"},
		{backend.Query{DomainText: `[('x_when','>',0)]`}, "x_when"},
		{backend.Query{DomainText: `[('x_when','=','9999-12-31 23:59:59')]`}, "9999"},
		{backend.Query{DomainText: `[('x_partner_id','>','')]`}, "x_partner_id"},
		{backend.Query{DomainText: `[('x_tag_ids','child_of',True)]`}, "x_tag_ids"},
		{backend.Query{DomainText: `[('id','child_of',1.5)]`}, "id"},
		{backend.Query{Order: "x_date.century"}, "parts of a date"},
		{backend.Query{Order: "nope"}, "nope"},
		{backend.Query{Order: "x_name sideways"}, "order term"},
		{backend.Query{Order: "x_tag_ids"}, "order by"},
		{backend.Query{Order: "x_name; drop table x_thing"}, "order term"},
		{backend.Query{Fields: []string{"x_nme"}}, "Did you mean x_name"},
	}
	onBoth(t, func(w *world) {
		w.things()
		for _, tt := range tests {
			tt.query.Model = "x_thing"
			_, err := w.eng.Search(context.Background(), as(0), &tt.query, &backend.Page{})
			w.want(err, fault.BadRequest, tt.part)
		}
		_, err := w.eng.Search(context.Background(), as(2), &backend.Query{Model: "res.partnr"}, &backend.Page{})
		w.want(err, fault.NotFound, "Did you mean res.partner?")
	})
}

func TestOrderAndPages(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		all := `[('x_active','in',[True,False])]`
		for order, want := range map[string]string{
			"x_int desc, id":       "d a b c", // NULL first when descending
			"x_int, id":            "c b a d",
			"x_bool desc, id":      "a b c d",
			"x_parent_id, id":      "b c a d",
			"x_parent_id desc, id": "a d b c",
			"x_char, id":           "b a c d",
			"x_date nulls first":   "c d a b",
			"x_date.month_number desc nulls last, id": "b a c d",
			"x_parent_id nulls first, id":             "a d b c",
			"x_parent_id desc nulls last, id":         "b c a d",
		} {
			got := strings.Join(w.texts(as(0), "x_thing", all, "x_name", order), " ")
			if got != want && order != "x_date nulls first" {
				w.Errorf("order %s: got %q, want %q", order, got, want)
			}
			if order == "x_date nulls first" && !strings.HasSuffix(got, "a b") {
				w.Errorf("order %s: got %q", order, got)
			}
		}
		// An order that tells no two records apart still has one sequence, also
		// where a change has moved the first record behind the others on the disk.
		tied := backend.Query{Model: "res.country", Fields: []string{"id"}, Order: "create_uid"}
		first := w.list(as(0), tied).IDs()[0]
		w.write(as(0), "res.country", first, backend.Values{"phone_code": 1})
		if ids := w.list(as(0), tied).IDs(); !slices.IsSorted(ids) {
			w.Errorf("a tied order is not in the sequence of ids: %v", ids[:5])
		}
		page := &backend.Page{}
		total, err := w.eng.Search(context.Background(), as(0), &backend.Query{
			Model: "x_thing", Fields: []string{"x_name"}, Order: "x_name", Limit: 1, Offset: 1, Count: true,
		}, page)
		if err != nil || total != 3 || len(page.Rows) != 1 || page.Get(0, "x_name").Text != "b" {
			w.Errorf("page: total %d, rows %v, err %v", total, page.Rows, err)
		}
	})
}

func TestReadValues(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		page := w.list(as(0), backend.Query{Model: "x_thing", IDs: []int64{1}})
		if got := page.Get(0, "x_float").Float(); got != 1.5 {
			w.Errorf("x_float = %v", got)
		}
		if got := page.Get(0, "x_date").Time().Format("2006-01-02"); got != "2024-02-29" {
			w.Errorf("x_date = %v", got)
		}
		if got := page.Get(0, "x_when").Time().Format("2006-01-02 15:04:05"); got != "2024-02-29 10:30:00" {
			w.Errorf("x_when = %v", got)
		}
		if got := page.Get(0, "x_partner_id"); got.Kind != backend.Ref || got.Text != "Acme" {
			w.Errorf("x_partner_id = %+v", got)
		}
		if got := page.Get(0, "x_child_ids"); len(got.List) != 2 {
			w.Errorf("x_child_ids = %+v", got)
		}
		if got := page.Get(0, "x_label").Text; got != "hello" {
			w.Errorf("x_label = %q", got)
		}
		d := w.list(as(0), backend.Query{Model: "x_thing", IDs: []int64{4}})
		if got := d.Get(0, "x_int"); got.Kind != backend.Int || got.Int != 0 {
			w.Errorf("a NULL integer reads %+v", got)
		}
	})
}

// TestTotalsFollowChanges holds the cached total to what is there, whoever
// changed it.
func TestTotalsFollowChanges(t *testing.T) {
	onBoth(t, func(w *world) {
		total := func() int64 {
			n, err := w.eng.Search(context.Background(), as(2), &backend.Query{
				Model: "res.country", DomainText: `[('code','!=','ZZ')]`, Fields: []string{"code"}, Limit: 1, Count: true,
			}, &backend.Page{})
			if err != nil {
				w.Fatal(err)
			}
			return n
		}
		first := total()
		if again := total(); again != first || first < 200 {
			w.Fatalf("totals %d and %d", first, again)
		}
		w.create(as(0), "res.country", backend.Values{"name": "Testland", "code": "ZT"})
		if n := total(); n != first+1 {
			w.Errorf("after a create: %d, want %d", n, first+1)
		}
		err := w.db.Write(context.Background(), func(tx sqldb.Tx) error {
			_, err := tx.Exec(context.Background(), "delete from res_country where code = 'ZT'")
			return err
		})
		if n := total(); err != nil || n != first {
			w.Errorf("after a change behind the engine's back: %d, want %d (%v)", n, first, err)
		}
	})
}
