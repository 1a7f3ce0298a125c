package schema_test

import (
	"context"
	"slices"
	"testing"

	"gatehouse/internal/business"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// TestSyncAndLoad: what is declared comes back from the database, with what
// only the declaration knows.
func TestSyncAndLoad(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		for range 2 { // the second time has nothing to do
			if err := schema.Sync(ctx, db, business.Models()); err != nil {
				t.Fatal(err)
			}
		}
		var reg *schema.Registry
		err := db.Read(ctx, func(q sqldb.Querier) (err error) {
			reg, err = schema.Load(ctx, q, business.Models(), nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range schema.Prepare(business.Models()) {
			got := reg.Model(want.Name)
			if got == nil {
				t.Errorf("the model %s was not loaded", want.Name)
				continue
			}
			compareModels(t, got, want)
		}
	})
}

func compareModels(t *testing.T, got, want *schema.Model) {
	t.Helper()
	if got.Label != want.Label || got.Order != want.Order || got.Table != want.Table || got.RecName != want.RecName ||
		got.ActiveName != want.ActiveName || got.ParentStore != want.ParentStore || !slices.Equal(got.Inherits, want.Inherits) {
		t.Errorf("%s: got %+v, want %+v", want.Name, got, want)
	}
	for _, f := range want.Fields {
		g := got.Field(f.Name)
		if g == nil {
			t.Errorf("%s.%s was not loaded", want.Name, f.Name)
			continue
		}
		same := g.Type == f.Type && g.Label == f.Label && g.Relation == f.Relation && g.Inverse == f.Inverse &&
			g.RelTable == f.RelTable && g.Column1 == f.Column1 && g.Column2 == f.Column2 && g.Store == f.Store &&
			g.Required == f.Required && g.Translate == f.Translate && g.CompanyDependent == f.CompanyDependent &&
			slices.Equal(g.Related, f.Related) && g.Inherited == f.Inherited && slices.Equal(g.Groups, f.Groups) &&
			g.Secret == f.Secret && g.SQL == f.SQL && g.Copied == f.Copied && slices.Equal(g.Options, f.Options) && !g.Manual
		if f.Type == schema.Many2one {
			same = same && g.Ondelete == f.Ondelete
		}
		if !same {
			t.Errorf("%s.%s: got %+v, want %+v", want.Name, f.Name, g, f)
		}
	}
}

// TestSyncAddsWhatIsNew: a new version brings a model and a column; what is
// there stays.
func TestSyncAddsWhatIsNew(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		first := &schema.Model{Name: "x.one", Label: "One", NoLog: true, Fields: []*schema.Field{schema.NewChar("name", "Name").Index()}}
		if err := schema.Sync(ctx, db, []*schema.Model{first}); err != nil {
			t.Fatal(err)
		}
		exec(t, db, `insert into x_one (name) values ('kept')`)
		second := &schema.Model{Name: "x.one", Label: "One", NoLog: true, Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewMany2one("two_id", "Two", "x.two").Index(), schema.NewInteger("n", "N"),
			schema.NewMany2many("two_ids", "Twos", "x.two", "x_one_two_rel", "one_id", "two_id"),
		}}
		two := &schema.Model{Name: "x.two", Label: "Two", NoLog: true, Fields: []*schema.Field{schema.NewChar("name", "Name")}}
		if err := schema.Sync(ctx, db, []*schema.Model{second, two}); err != nil {
			t.Fatal(err)
		}
		exec(t, db, `insert into x_two (name) values ('b')`)
		exec(t, db, `update x_one set two_id = 1, n = 5 where name = 'kept'`)
		exec(t, db, `insert into x_one_two_rel (one_id, two_id) values (1, 1)`)
		exec(t, db, `delete from x_two`) // sets the link to null and cascades the relation
		err := db.Read(ctx, func(q sqldb.Querier) error {
			return q.Query(ctx, `select o.two_id, (select count(*) from x_one_two_rel) from x_one o where o.n = 5`, nil, func(r sqldb.Row) error {
				if !r.Null(0) || r.Int(1) != 0 {
					t.Errorf("after the target is gone: link null %v, relations %d", r.Null(0), r.Int(1))
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func exec(t *testing.T, db sqldb.DB, sql string) {
	t.Helper()
	err := db.Write(context.Background(), func(tx sqldb.Tx) error {
		n, err := tx.Exec(context.Background(), sql)
		if err == nil && n == 0 {
			t.Errorf("%s changed nothing", sql)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
