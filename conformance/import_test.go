package main

import (
	"testing"

	"gatehouse/internal/business"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// TestImport fills an embedded database and looks at what arrived.
func TestImport(t *testing.T) {
	c := loadedCorpus(t)
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		notes, err := importCorpus(t.Context(), c.db, db, business.Models())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notes {
			t.Log(n)
		}
		for _, table := range []string{"res_partner", "sale_order_line", "x_corpus", "x_x_corpus_x_corpus_tag_rel", "res_groups_users_rel"} {
			want, got := numberOf(t, c.db, "select count(*) from "+table), numberOf(t, db, "select count(*) from "+table)
			if want != got || want == 0 {
				t.Errorf("%s: %d rows, want %d", table, got, want)
			}
		}
		const field = "select id from ir_model_fields where model = 'x_corpus' and name = 'x_tag_ids'"
		if want, got := numberOf(t, c.db, field), numberOf(t, db, field); want != got {
			t.Errorf("a field has the id %d, want %d", got, want)
		}
		if n := numberOf(t, db, "select count(*) from ir_attachment where res_model = 'x_corpus' and res_field = 'x_bin' and db_datas is not null"); n == 0 {
			t.Error("no file arrived from the attachments")
		}
		if n := numberOf(t, db, "select number_next from ir_sequence where code = 'sale.order'"); n != 325 {
			t.Errorf("the next order has the number %d, want 325", n)
		}
	})
}

func numberOf(t *testing.T, db sqldb.DB, query string) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(q sqldb.Querier) error {
		return q.Query(t.Context(), query, nil, func(r sqldb.Row) error {
			n = r.Int(0)
			return nil
		})
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestMerged(t *testing.T) {
	rows := [][]any{
		{int64(1), int64(7), 2.5}, {int64(2), int64(7), 1.5}, {int64(3), nil, 1.0}, {int64(4), nil, 1.0}, {int64(5), int64(8), 4.0},
	}
	got := merged(rows, []string{"id", "place", "amount"}, []string{"place"})
	if len(got) != 4 || got[0][2] != 4.0 || got[0][0] != int64(1) {
		t.Errorf("rows of one place are added up, those of none are not: %v", got)
	}
	if kept := merged(rows[:2], []string{"id"}, []string{"lower(name)"}); len(kept) != 2 {
		t.Errorf("a constraint over an expression merges nothing: %v", kept)
	}
}
