package business

import (
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// TestMoveFiles: files that an older database has in columns are attachments
// then, the records unchanged, and a second time there is nothing to do.
func TestMoveFiles(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"a column of files": func(s *shop) {
			s.field(s.model("res.partner"), vals{"name": "x_photo", "ttype": "binary"})
			bytes := "bytea"
			s.sudo(func(e *record.Env) error {
				if e.Tx().Dialect().Name() != "postgres" {
					bytes = "blob"
				}
				if _, err := e.Tx().Exec(e.Ctx(), "alter table res_partner add column x_photo "+bytes); err != nil {
					return err
				}
				_, err := e.Tx().Exec(e.Ctx(), "update res_partner set x_photo = $1 where id = $2", []byte("b2xkIAAgYnl0ZXM="), s.customer)
				return err
			})
			for range 2 {
				s.sudo(MoveFiles)
			}
			page := &backend.Page{}
			if _, err := s.engine.Search(s.Context(), s.admin.caller, &backend.Query{Model: "res.partner", IDs: []int64{s.customer}, Fields: []string{"x_photo"}}, page); err != nil {
				s.Fatal(err)
			}
			if got := page.Get(0, "x_photo").Text; strings.TrimSpace(got) != "b2xkIAAgYnl0ZXM=" {
				s.Errorf("the file is %q now", got)
			}
			s.sudo(func(e *record.Env) error {
				there, err := sqldb.ColumnExists(e.Ctx(), e.Tx(), "res_partner", "x_photo")
				if there {
					s.Error("the column is still there")
				}
				return err
			})
		},
	})
}
