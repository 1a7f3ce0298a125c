package app

import (
	"context"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// Superuser is who the command line acts as: whoever may read the store's
// files needs no other right.
func (a *App) Superuser() *backend.Caller {
	return &backend.Caller{
		UserID: access.SuperuserID, Superuser: true, Admin: true,
		Context: backend.Context{KeepArchived: true},
	}
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
	err = a.Engine.Sudo(ctx, func(e *record.Env) error {
		user, err := findUser(e, login)
		id = user.ID()
		return err
	})
	return id, err
}

// CreateUser makes a user; groups are external ids, none is an internal user.
func (a *App) CreateUser(ctx context.Context, login, name, password string, groups []string) (id int64, err error) {
	if name == "" {
		name = login
	}
	err = a.Engine.Sudo(ctx, func(e *record.Env) error {
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
	return a.Engine.Sudo(ctx, func(e *record.Env) error { return business.SetPassword(e, login, password) })
}

// ArchiveUser shuts a user out.
func (a *App) ArchiveUser(ctx context.Context, login string) error {
	return a.Engine.Sudo(ctx, func(e *record.Env) error {
		user, err := findUser(e, login)
		if err != nil {
			return err
		}
		return e.Write([]record.Rec{user}, record.Values{"active": false})
	})
}
