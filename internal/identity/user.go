package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// User is somebody who may sign in.
type User struct {
	ID     int64
	Login  string
	Name   string
	Active bool
	// PasswordHash is argon2id or Odoo's pbkdf2_sha512; "" cannot sign in with
	// a password.
	PasswordHash string `json:"-"`
	// Administrator: in Odoo's group base.group_system, also through others.
	Administrator bool
}

// passwordVersion changes with the password, and says nothing about it: tokens
// carry it, so that those from before a change no longer hold.
func (u *User) passwordVersion() string {
	sum := sha256.Sum256([]byte("gatehouse password version\x00" + u.PasswordHash))
	return hex.EncodeToString(sum[:8])
}

// Users finds users. Both methods answer archived users too, and NotFound when
// there is none.
type Users interface {
	ByLogin(ctx context.Context, login string) (*User, error)
	ByID(ctx context.Context, id int64) (*User, error)
}

// NewUsers is the users of Odoo's own tables: res_users, res_partner and the
// groups.
func NewUsers(db sqldb.DB) Users { return &sqlUsers{db} }

type sqlUsers struct{ db sqldb.DB }

// userSQL finds a user by the condition on u. One statement does it all, so
// that the time of a login does not tell whether the user exists.
func userSQL(condition string) string {
	return `with recursive closure(gid) as (
			select r.gid from res_groups_users_rel r join res_users u on u.id = r.uid where ` + condition + `
			union
			select i.hid from res_groups_implied_rel i join closure c on i.gid = c.gid)
		select u.id, u.login, p.name, u.active, u.password, exists (
			select 1 from ir_model_data d join closure c on c.gid = d.res_id
			where d.module = 'base' and d.name = 'group_system' and d.model = 'res.groups')
		from res_users u left join res_partner p on p.id = u.partner_id where ` + condition
}

func (s *sqlUsers) ByLogin(ctx context.Context, login string) (*User, error) {
	if !utf8.ValidString(login) || strings.ContainsRune(login, 0) {
		return nil, noUser() // no database holds such a text
	}
	return s.find(ctx, userSQL("u.login = $1"), login)
}

func (s *sqlUsers) ByID(ctx context.Context, id int64) (*User, error) {
	return s.find(ctx, userSQL("u.id = $1"), id)
}

func (s *sqlUsers) find(ctx context.Context, sql string, key any) (u *User, err error) {
	err = s.db.Read(ctx, func(q sqldb.Querier) (err error) {
		u, err = findUser(ctx, q, sql, key)
		return err
	})
	return u, err
}

// byID finds a user inside a running transaction.
func (s *sqlUsers) byID(ctx context.Context, q sqldb.Querier, id int64) (*User, error) {
	return findUser(ctx, q, userSQL("u.id = $1"), id)
}

func findUser(ctx context.Context, q sqldb.Querier, sql string, key any) (*User, error) {
	var u *User
	err := q.Query(ctx, sql, []any{key}, func(r sqldb.Row) error {
		u = &User{
			ID: r.Int(0), Login: r.Text(1), Name: r.Text(2), Active: r.Bool(3),
			PasswordHash: r.Text(4), Administrator: r.Bool(5),
		}
		if u.Name == "" {
			u.Name = u.Login
		}
		return nil
	})
	if err != nil {
		return nil, storeFault(err, "find a user")
	}
	if u == nil {
		return nil, noUser()
	}
	return u, nil
}

// sampleHash is the password hash of some user, "" when none has one.
func (s *sqlUsers) sampleHash(ctx context.Context) (hash string, err error) {
	err = s.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select password from res_users where active and password <> '' order by id desc limit 1`, nil,
			func(r sqldb.Row) error { hash = r.Text(0); return nil })
	})
	return hash, err
}

func noUser() error { return fault.New(fault.NotFound, "No such user") }
