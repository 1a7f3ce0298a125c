package sqldb_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// backedUp fills a store, copies it while somebody writes, and gives the copy.
func backedUp(t *testing.T, db sqldb.DB) (path string) {
	t.Helper()
	write(t, db, "create table pair (id integer primary key, n integer)", "insert into pair values (1, 0), (2, 0)")
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 1; err == nil; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				err = db.Write(ctx, func(tx sqldb.Tx) error {
					for id := 1; id <= 2; id++ {
						if _, err := tx.Exec(ctx, "update pair set n = $1 where id = $2", n, id); err != nil {
							return err
						}
					}
					return nil
				})
			}
		}
		stopped <- err
	}()
	path = filepath.Join(t.TempDir(), "copy")
	if err := db.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if at, err := os.Stat(path); err != nil || at.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v", at.Mode(), err)
	}
	if err := db.Backup(ctx, path); err == nil {
		t.Error("a backup wrote over another file")
	}
	return path
}

// wantOneMoment looks for a transaction that was copied by half.
func wantOneMoment(t *testing.T, db sqldb.DB) {
	t.Helper()
	seen := ""
	row(t, db, "select n from pair order by id", nil, func(r sqldb.Row) { seen += fmt.Sprintf("%d ", r.Int(0)) })
	var a, b int
	if n, err := fmt.Sscan(seen, &a, &b); n != 2 || a != b {
		t.Errorf("the copy holds %q, %v", seen, err)
	}
}

func TestBackupOfSQLite(t *testing.T) {
	db, _ := sqltest.SQLite(t)
	path := backedUp(t, db)
	copied, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = copied.Close() }()
	wantOneMoment(t, copied)
	row(t, copied, "pragma integrity_check", nil, func(r sqldb.Row) {
		if r.Text(0) != "ok" {
			t.Error(r.Text(0))
		}
	})
}

func TestBackupOfPostgres(t *testing.T) {
	db, where := sqltest.Postgres(t)
	for _, program := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	path := backedUp(t, db)
	write(t, db, "drop table pair")
	where, _, _ = strings.Cut(where, "?") // its parameters are for drivers
	said, err := exec.CommandContext(ctx, "pg_restore", "--no-owner", "--clean", "--if-exists", "--dbname", where, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	wantOneMoment(t, db)
}

// TestBackupThatFails: what could not be copied leaves no file that looks like a backup.
func TestBackupThatFails(t *testing.T) {
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db := sqltest.Open(t, dialect)
			path := filepath.Join(t.TempDir(), "no", "such", "folder")
			if err := db.Backup(ctx, path); err == nil {
				t.Error("no error")
			}
			if dialect == "postgres" {
				t.Setenv("PATH", t.TempDir())
				path = filepath.Join(t.TempDir(), "copy")
				if err := db.Backup(ctx, path); err == nil {
					t.Error("no error without pg_dump")
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("a file is left")
				}
			}
		})
	}
}
