package app

import (
	"context"
	"os/user"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
)

// Superuser is who the command line acts as: whoever may read the store's
// files needs no other right.
func (a *App) Superuser() *backend.Caller {
	return &backend.Caller{
		UserID: access.SuperuserID, Superuser: true, Admin: true,
		Origin:  CommandLine(),
		Context: backend.Context{KeepArchived: true},
	}
}

// CommandLine is the origin of what somebody does on this machine: the audit
// trail gets the name that the operating system knows him by.
func CommandLine() audit.Origin {
	o := audit.Origin{Via: audit.CLI, Login: "unknown"}
	if u, err := user.Current(); err == nil {
		o.Login = u.Username
	}
	return o
}

// findUser finds a user by login, archived ones too.
func findUser(e *record.Env, login string) (record.Rec, error) {
	users, err := e.SearchNode("res.users", &domain.Leaf{Path: "login", Op: domain.OpEq, Value: login, Pos: -1}, record.WithArchived())
	if err != nil {
		return record.Rec{}, err
	}
	if len(users) == 0 {
		return record.Rec{}, fault.Newf(fault.NotFound, "There is no user with the login %s", login)
	}
	return users[0], nil
}

// UserID is the id of the user with that login.
func (a *App) UserID(ctx context.Context, login string) (id int64, err error) {
	err = a.Engine.Transact(ctx, a.Superuser(), func(e *record.Env) error {
		found, err := findUser(e, login)
		id = found.ID()
		return err
	})
	return id, err
}

// CreateUser makes a user; groups are external ids, none is an internal user.
func (a *App) CreateUser(ctx context.Context, login, name, password string, groups []string) (id int64, err error) {
	if name == "" {
		name = login
	}
	err = a.Engine.Transact(ctx, a.Superuser(), func(e *record.Env) error {
		values := record.Values{"login": login, "name": name, "password": password}
		var ids []int64
		for _, xmlid := range groups {
			group := e.Ref(xmlid)
			if group.Model() != "res.groups" {
				return fault.Newf(fault.BadRequest, "There is no group %s; external ids look like base.group_user", xmlid)
			}
			ids = append(ids, group.ID())
		}
		if ids != nil {
			values["group_ids"] = ids
		}
		users, err := e.Create("res.users", values)
		if err == nil {
			id = users[0].ID()
		}
		return err
	})
	return id, err
}

// SetPassword gives a user a new password; his sessions end.
func (a *App) SetPassword(ctx context.Context, login, password string) error {
	return a.Engine.Transact(ctx, a.Superuser(), func(e *record.Env) error { return business.SetPassword(e, login, password) })
}

// ArchiveUser shuts a user out.
func (a *App) ArchiveUser(ctx context.Context, login string) error {
	return a.Engine.Transact(ctx, a.Superuser(), func(e *record.Env) error {
		found, err := findUser(e, login)
		if err != nil {
			return err
		}
		return e.Write([]record.Rec{found}, record.Values{"active": false})
	})
}

// CreateKey makes an API key and gives it, this once.
func (a *App) CreateKey(ctx context.Context, spec identity.KeySpec) (key string, id int64, err error) {
	return a.CreateKeyAs(ctx, spec, OdooKey{})
}

// CreateKeyAs is CreateKey for one that calls the Odoo as a user of its own.
func (a *App) CreateKeyAs(ctx context.Context, spec identity.KeySpec, as OdooKey) (key string, id int64, err error) {
	values := backend.Values{
		"name": spec.Name, "user_id": spec.UserID, "scopes": spec.Scopes, "allowed_ips": spec.AllowedIPs,
		"limit_minute": spec.Limits.Minute, "limit_hour": spec.Limits.Hour, "limit_day": spec.Limits.Day,
	}
	if !spec.ExpiresAt.IsZero() {
		values["expires_at"] = spec.ExpiresAt.UTC().Format(time.DateTime)
	}
	as.fill(values)
	made, err := a.Engine.Create(ctx, a.Superuser(), "gateway.key", []backend.Values{values})
	if err != nil {
		return "", 0, err
	}
	return made.Once[0]["key"], made.IDs[0], nil
}

// RevokeKey ends an API key for good.
func (a *App) RevokeKey(ctx context.Context, id int64) error {
	_, err := a.Engine.Call(ctx, a.Superuser(), "gateway.key", "revoke", []int64{id}, nil)
	return err
}
