package identity

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
	"gatehouse/internal/sqldb"
)

// account is a user with his profile, as all his credentials share it. It is
// immutable; users says for which generation of users and profiles it holds.
type account struct {
	user     *User
	version  string // of the password
	limits   Limits
	allowed  []netip.Prefix
	logLevel string
	odoo     *Person // as whom he calls the Odoo; nil: nobody
	users    uint64
}

// loadTimeout bounds a query that several requests wait for together.
const loadTimeout = 5 * time.Second

// account gives a user who may act: NotFound when there is none or he is
// archived, Forbidden when his profile cannot be understood.
func (s *Service) account(ctx context.Context, id int64) (*account, error) {
	users := s.usersGen.Load()
	if a, ok := s.accounts.get(id); ok && a.users == users {
		return a, nil
	}
	// The generation is part of the key: who comes after a change must not
	// share what was asked before it.
	key := "user " + strconv.FormatInt(id, 10) + " " + strconv.FormatUint(users, 10)
	v, err, _ := s.loads.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		a, err := s.loadAccount(ctx, id, users)
		if err != nil {
			return nil, err
		}
		s.accounts.put(id, a)
		return a, nil
	})
	if err != nil {
		return nil, err
	}
	a, _ := v.(*account)
	return a, nil
}

func (s *Service) loadAccount(ctx context.Context, id int64, users uint64) (*account, error) {
	u, err := s.users.ByID(ctx, id)
	if err != nil {
		return nil, storeFault(err, "find the user of a credential")
	}
	if !u.Active {
		return nil, noUser()
	}
	a := &account{user: u, version: u.passwordVersion(), users: users, odoo: u.person()}
	if s.directory != nil && a.odoo == nil {
		if a.odoo, err = s.directory.Attached(ctx, id); err != nil {
			return nil, err
		}
	}
	err = s.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select limit_minute, limit_hour, limit_day, allowed_ips, log_level
			from gateway_profile where user_id = $1 and active`, []any{id}, func(r sqldb.Row) (err error) {
			a.limits = Limits{Minute: max(0, r.Int(0)), Hour: max(0, r.Int(1)), Day: max(0, r.Int(2))}
			a.logLevel = r.Text(4)
			if a.allowed, err = iprange.ParseAllowList(r.Text(3)); err != nil {
				return fault.New(fault.Forbidden, "The allowed IPs of the API profile are not valid").Because(err)
			}
			return nil
		})
	})
	return a, storeFault(err, "load an API profile")
}

// principal is what all credentials of the user have in common.
func (a *account) principal() *Principal {
	return &Principal{
		UserID: a.user.ID, Login: a.user.Login, Name: a.user.Name,
		Administrator: a.user.Administrator, Odoo: a.odoo,
		Limits: a.limits, AllowedIPs: a.allowed, LogLevel: a.logLevel,
	}
}
