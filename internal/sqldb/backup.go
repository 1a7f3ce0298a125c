package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
)

// Backup copies the file as it is at one moment, without keeping anybody from
// writing. VACUUM INTO leaves out what deleted rows left behind.
func (db *sqliteDB) Backup(ctx context.Context, path string) error {
	// SQLite would make it readable by all, and takes an empty file as it is
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	c, err := db.openConn(ctx, sqlite.OpenReadOnly, "")
	if err == nil {
		_, err = c.run(ctx, "vacuum into $1", []any{path}, nil)
		err = errors.Join(err, c.close())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", db.path, err), os.Remove(path))
	}
	return nil
}

// Backup has pg_dump of the PATH write the schema that is in use in its custom
// format, for pg_restore. It must not be older than the server.
func (db *postgresDB) Backup(ctx context.Context, path string) error {
	program, err := exec.LookPath("pg_dump")
	if err != nil {
		return errors.New("a backup of PostgreSQL is made by pg_dump, which is not in the PATH: install PostgreSQL's client programs (Debian: postgresql-client)")
	}
	schema := ""
	err = db.Read(ctx, func(q Querier) error {
		return q.Query(ctx, "select current_schema()", nil, func(r Row) error {
			schema = r.Text(0)
			return nil
		})
	})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	dump := exec.CommandContext(ctx, program, "--format=custom", "--no-owner", "--no-privileges", "--schema="+Quote(schema))
	dump.Env, dump.Stdout = append(os.Environ(), db.libpqEnv()...), file
	var said strings.Builder
	dump.Stderr = &said
	err = errors.Join(dump.Run(), file.Sync(), file.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("pg_dump: %w: %s", err, strings.TrimSpace(said.String())), os.Remove(path))
	}
	return nil
}

// libpqEnv tells PostgreSQL's own programs how to connect. Arguments would show
// the password to every user of the machine.
func (db *postgresDB) libpqEnv() []string {
	c := db.config
	env := []string{
		"PGHOST=" + c.Host, "PGPORT=" + strconv.Itoa(int(c.Port)), "PGUSER=" + c.User, "PGPASSWORD=" + c.Password,
		"PGDATABASE=" + c.Database,
	}
	for parameter, name := range map[string]string{
		"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
	} {
		if value := urlParameter(db.url, parameter); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// urlParameter finds a parameter of a connection string of either form.
func urlParameter(where, name string) string {
	if u, err := url.Parse(where); err == nil && u.Scheme != "" {
		return u.Query().Get(name)
	}
	for word := range strings.FieldsSeq(where) {
		if key, value, _ := strings.Cut(word, "="); key == name {
			return strings.Trim(value, "'")
		}
	}
	return ""
}
