package record_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// pages reads a list by cursors and gives the ids, and how many pages there were.
func (w *world) pages(c *backend.Caller, q backend.Query, between func(page int)) (ids []int64, pages int) {
	w.Helper()
	for after := ""; ; pages++ {
		q.Keyset = &backend.Keyset{After: after, Wanted: true}
		page := &backend.Page{}
		if _, err := w.eng.Search(context.Background(), c, &q, page); err != nil {
			w.Fatalf("%s by %s: %v", q.Model, q.Order, err)
		}
		ids = append(ids, page.IDs()...)
		if after = q.Keyset.Next; after == "" {
			return ids, pages + 1
		}
		if len(page.Rows) != q.Limit || pages > 500 {
			w.Fatalf("%s by %s: %d rows, and there is more", q.Model, q.Order, len(page.Rows))
		}
		if between != nil {
			between(pages)
		}
	}
}

// TestKeysetAgreesWithTheWholeList reads lists of all orders page by page: with
// equal values, with none, with values that a text shows badly.
func TestKeysetAgreesWithTheWholeList(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		partners := w.create(su, "res.partner", backend.Values{"name": "Zed"}, backend.Values{"name": "abe"}, backend.Values{"name": "Abe"})
		var last int64
		for i := range 40 {
			v := backend.Values{"x_active": true, "x_name": fmt.Sprintf("n%d", i%7), "x_int": i % 3, "x_bool": i%2 == 0, "x_float": float64(i%5) / 3}
			if i%3 > 0 {
				v["x_char"] = []string{"", "é", "Z", "a'b", "😀"}[i%5]
				v["x_date"] = fmt.Sprintf("2026-01-%02d", i%4+1)
				v["x_when"] = fmt.Sprintf("2026-01-01 10:00:%02d", i%5)
				v["x_label"], v["x_kind"] = fmt.Sprint("l", i%4), []string{"a", "b"}[i%2]
			}
			if i%4 > 0 {
				v["x_partner_id"] = partners[i%3]
			}
			if last != 0 && i%5 > 1 {
				v["x_parent_id"] = last
			}
			last = w.create(su, "x_thing", v)[0]
		}
		if err := w.db.Write(context.Background(), func(tx sqldb.Tx) error {
			_, err := tx.Exec(context.Background(), "update x_thing set x_int = null, x_bool = null, x_float = null where x_name = 'n3'")
			return err
		}); err != nil {
			w.Fatal(err)
		}
		orders := []string{
			"", "id", "id desc", "x_name", "x_name desc", "x_int, x_name desc", "x_int desc", "x_bool", "x_bool desc, x_char", "x_float desc",
			"x_float", "x_char", "x_char desc", "x_date, x_when desc", "x_date desc", "x_when", "x_label", "x_label desc", "x_kind desc, x_int",
			"x_partner_id", "x_partner_id desc", "x_parent_id", "x_parent_id desc, x_name", "x_partner_id.id", "x_char nulls first",
			"x_char desc nulls last", "x_partner_id nulls first", "x_partner_id desc nulls last", "x_date.month_number", "x_name desc, id desc, x_int", "create_uid, x_kind",
		}
		for _, order := range orders {
			want := w.list(su, backend.Query{Model: "x_thing", Fields: []string{"id"}, Order: order}).IDs()
			for _, limit := range []int{1, 3, 7, 39, 40, 41} {
				if limit == 1 && len(order) > 10 {
					continue // they are many
				}
				got, pages := w.pages(su, backend.Query{Model: "x_thing", Fields: []string{"x_name"}, Order: order, Limit: limit}, nil)
				if !slices.Equal(got, want) || pages != (len(want)+limit-1)/limit {
					w.Fatalf("by %q, %d a page, %d pages:\ngot  %v\nwant %v", order, limit, pages, got, want)
				}
			}
		}
		for _, order := range []string{"", "partner_id desc", "amount_total, name"} {
			w.pages(as(2), backend.Query{Model: "sale.order", Order: order, Limit: 2}, nil)
		}
		for _, order := range []string{"", "parent_id, name desc", "country_id", "name"} {
			want := w.list(as(2), backend.Query{Model: "res.partner", Fields: []string{"id"}, Order: order}).IDs()
			if got, _ := w.pages(as(2), backend.Query{Model: "res.partner", Order: order, Limit: 2}, nil); !slices.Equal(got, want) {
				w.Errorf("partners by %q: %v, want %v", order, got, want)
			}
		}
	})
}

// TestKeysetWhileDataChanges: what stays where it is comes once, whatever comes
// and goes around it, the last record of a page included.
func TestKeysetWhileDataChanges(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su, stay := as(0), []int64{}
		for i := range 30 {
			id := w.create(su, "x_thing", backend.Values{"x_active": true, "x_name": fmt.Sprintf("n%02d", i)})[0]
			if i%3 > 0 {
				stay = append(stay, id)
			}
		}
		all := w.list(su, backend.Query{Model: "x_thing", Order: "id"}).IDs()
		gone := func(page int) {
			if page < 7 {
				w.create(su, "x_thing", backend.Values{"x_active": true, "x_name": fmt.Sprintf("n%02da", page*3)})
				if err := w.eng.Unlink(context.Background(), su, "x_thing", []int64{all[page*3]}); err != nil {
					w.Fatal(err)
				}
			}
		}
		got, _ := w.pages(su, backend.Query{Model: "x_thing", Order: "x_name", Limit: 4}, gone)
		for _, id := range stay {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(g int64) bool { return g != id })); n != 1 {
				w.Errorf("record %d came %d times", id, n)
			}
		}
	})
}

// TestCursorIsOfItsList: a cursor is good for nothing else, and tells nothing.
func TestCursorIsOfItsList(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		w.create(su, "res.partner", backend.Values{"name": "topsecret1"}, backend.Values{"name": "topsecret2"}, backend.Values{"name": "topsecret3"})
		first := backend.Query{Model: "res.partner", DomainText: `[("name","like","topsecret")]`, Order: "name desc", Limit: 1, Count: true, Keyset: &backend.Keyset{}}
		total, err := w.eng.Search(context.Background(), as(2), &first, &backend.Page{})
		cursor := first.Keyset.Next
		if err != nil || total != 3 || cursor == "" || strings.Contains(cursor, "topsecret") {
			w.Fatal(total, cursor, err)
		}
		try := func(c *backend.Caller, cursor string, change func(q *backend.Query)) error {
			q := first
			q.Keyset = &backend.Keyset{After: cursor}
			change(&q)
			_, err := w.eng.Search(context.Background(), c, &q, &backend.Page{})
			return err
		}
		if err := try(as(2), cursor, func(q *backend.Query) { q.Limit, q.Fields = 2, []string{"name", "email"} }); err != nil {
			w.Error(err)
		}
		bad := "Invalid parameter cursor"
		w.want(try(as(2), cursor, func(q *backend.Query) { q.Order = "name" }), fault.BadRequest, bad)
		w.want(try(as(2), cursor, func(q *backend.Query) { q.DomainText = "" }), fault.BadRequest, bad)
		w.want(try(as(2), cursor, func(q *backend.Query) { q.Model = "res.users" }), fault.BadRequest, bad)
		w.want(try(as(1), cursor, func(*backend.Query) {}), fault.BadRequest, bad)
		other := as(2)
		other.Context.KeepArchived = true
		w.want(try(other, cursor, func(*backend.Query) {}), fault.BadRequest, bad)
		for _, text := range []string{"x", "====", cursor[1:], cursor[:len(cursor)-2], strings.Repeat("A", 60), "\x00", "é", strings.ToLower(cursor)} {
			w.want(try(as(2), text, func(*backend.Query) {}), fault.BadRequest, bad)
		}
	})
}
