package record

import (
	"cmp"
	"context"
	"sort"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// actor is a caller resolved: the user with his groups, and the context
// checked against what he may use.
type actor struct {
	user      *access.User
	company   int64   // current company
	companies []int64 // active companies
	lang, tz  string
	sudo      bool // no rights, no rules
	admin     bool // may use Gatehouse's own models
	loose     bool // links are not checked
	odooWays  bool
	// companyErr and langErr are what is wrong with the context, for calls that
	// mind it only where company or language matter.
	companyErr, langErr error

	companyParents map[int64]int64 // the tree of all companies
}

// knowledge is what was found out about users, and the plans made from it. It
// is dropped as a whole when a user, a group or a company changes.
type knowledge struct {
	mu    sync.RWMutex
	users map[int64]*access.User
	names map[nameKey]nameValue
	plans *planCache
	// companyParents is the parent of every company, 0 for none; nil: not read yet.
	companyParents map[int64]int64
}

type nameKey struct {
	user int64
	name string
}

type nameValue struct {
	value any
	until time.Time
}

func newKnowledge() *knowledge {
	return &knowledge{users: map[int64]*access.User{}, names: map[nameKey]nameValue{}, plans: newPlanCache()}
}

// nameTTL bounds how long a rule may see an old value of a name that follows
// records other than the user himself, such as user.partner_id.country_id.id.
const nameTTL = time.Second

// actor resolves a caller.
func (e *Engine) actor(ctx context.Context, q sqldb.Querier, st *state, known *knowledge, c *backend.Caller) (*actor, error) {
	a := &actor{sudo: c.Superuser, admin: c.Admin || c.Superuser, loose: c.LooseLinks || c.Superuser, odooWays: c.LooseLinks || c.OdooWays, tz: c.Context.TZ}
	user, err := e.user(ctx, q, st, known, c.UserID)
	if err != nil {
		return nil, err
	}
	a.user = user
	if a.companyParents, err = e.companyParents(ctx, q, st, known); err != nil {
		return nil, err
	}
	if user.ID == access.SuperuserID {
		a.sudo, a.loose = true, true
	}
	a.company, a.companies = user.CompanyID, user.CompanyIDs
	if ids := c.Context.CompanyIDs; len(ids) > 0 {
		if !a.sudo && !subset(ids, user.CompanyIDs) {
			a.companyErr = fault.New(fault.Forbidden, "Access to unauthorized or invalid companies.")
		}
		a.company, a.companies = ids[0], ids
	}
	if a.lang = c.Context.Lang; a.lang != "" {
		if _, ok := st.reg.Langs[a.lang]; !ok {
			a.langErr = fault.Newf(fault.Unprocessable, "Invalid language code: %s", backend.Shorten(a.lang)).
				With(fault.FieldErrors{"lang": "not an active language"})
		}
	}
	if err := cmp.Or(a.companyErr, a.langErr); err != nil && !c.Context.Lazy {
		return nil, err
	}
	if a.tz != "" {
		if _, err := time.LoadLocation(a.tz); err != nil || a.tz == "Local" {
			return nil, fault.Newf(fault.BadRequest, "Unknown time zone: %s", backend.Shorten(a.tz)).
				With(fault.FieldErrors{"tz": "not a time zone such as Europe/Brussels"})
		}
	}
	return a, nil
}

func subset(ids, of []int64) bool {
	for _, id := range ids {
		i := sort.Search(len(of), func(i int) bool { return of[i] >= id })
		if i == len(of) || of[i] != id {
			return false
		}
	}
	return true
}

// user loads a user with his groups and companies.
func (e *Engine) user(ctx context.Context, q sqldb.Querier, st *state, cache *knowledge, id int64) (*access.User, error) {
	cache.mu.RLock()
	u := cache.users[id]
	cache.mu.RUnlock()
	if u != nil {
		return u, nil
	}
	load := func(q sqldb.Querier) (err error) {
		u, err = loadUser(ctx, q, st.reg, id)
		return err
	}
	if err := e.reading(ctx, q, load); err != nil {
		return nil, storeFault(err, "load user")
	}
	cache.mu.Lock()
	cache.users[id] = u
	cache.mu.Unlock()
	return u, nil
}

// companyParents reads the tree of companies. Whoever changes it signals
// UsersSignal.
func (e *Engine) companyParents(ctx context.Context, q sqldb.Querier, st *state, cache *knowledge) (map[int64]int64, error) {
	cache.mu.RLock()
	parents := cache.companyParents
	cache.mu.RUnlock()
	companies := st.reg.Model("res.company")
	if parents != nil || companies == nil || companies.Field("parent_id") == nil {
		return parents, nil
	}
	parents = map[int64]int64{}
	load := func(q sqldb.Querier) error {
		return q.Query(ctx, `select id, parent_id from res_company`, nil, func(r sqldb.Row) error {
			parents[r.Int(0)] = r.Int(1)
			return nil
		})
	}
	if err := e.reading(ctx, q, load); err != nil {
		return nil, storeFault(err, "read the companies")
	}
	cache.mu.Lock()
	cache.companyParents = parents
	cache.mu.Unlock()
	return parents, nil
}

// reading runs fn on a connection that is there already, or on one taken for it.
func (e *Engine) reading(ctx context.Context, q sqldb.Querier, fn func(sqldb.Querier) error) error {
	if q != nil {
		return fn(q)
	}
	return e.db.Read(ctx, fn)
}

func loadUser(ctx context.Context, q sqldb.Querier, reg *schema.Registry, id int64) (*access.User, error) {
	u := &access.User{ID: id}
	found := id == access.SuperuserID // the superuser works before he has a row
	err := q.Query(ctx, `select u.login, u.active, u.company_id, u.partner_id, p.name, p.lang, p.tz
		from res_users u left join res_partner p on p.id = u.partner_id where u.id = $1`, []any{id},
		func(r sqldb.Row) error {
			found = true
			u.Login, u.Active, u.CompanyID, u.PartnerID = r.Text(0), r.Bool(1), r.Int(2), r.Int(3)
			u.Name, u.Lang, u.TZ = r.Text(4), r.Text(5), r.Text(6)
			return nil
		})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.New(fault.Unauthenticated, "The user does not exist any more")
	}
	var groups []int64
	err = q.Query(ctx, `select gid from res_groups_users_rel where uid = $1`, []any{id},
		func(r sqldb.Row) error { groups = append(groups, r.Int(0)); return nil })
	if err != nil {
		return nil, err
	}
	u.Groups = reg.Closure(groups)
	err = q.Query(ctx, `select cid from res_company_users_rel where user_id = $1 order by cid`, []any{id},
		func(r sqldb.Row) error { u.CompanyIDs = append(u.CompanyIDs, r.Int(0)); return nil })
	return u, err
}

// lookup gives the values of the names that record rules use.
func (e *Engine) lookup(ctx context.Context, q sqldb.Querier, st *state, cache *knowledge, a *actor, expires func(time.Time)) func(string) (any, error) {
	return func(name string) (any, error) {
		switch name {
		case "company_id":
			return a.company, a.companyErr
		case "company_ids":
			return anyIDs(a.companies), a.companyErr
		case "user.id":
			return a.user.ID, nil
		case "user.company_id.id":
			return a.user.CompanyID, nil
		case "user.company_ids.ids", "user.company_ids":
			return anyIDs(a.user.CompanyIDs), nil
		case "user.partner_id.id":
			return a.user.PartnerID, nil
		case "now":
			expires(e.now().Add(nameTTL))
			return e.now().Format(schema.DatetimeLayout), nil
		}
		path, ok := strings.CutPrefix(name, "user.")
		if !ok {
			return nil, fault.Newf(fault.Internal, "record rules do not know the name %s", name)
		}
		expires(e.now().Add(nameTTL))
		return e.userPath(ctx, q, st, cache, a, name, path)
	}
}

func anyIDs(ids []int64) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// userPath reads a path from the user's own record, as superuser, and keeps
// the answer for nameTTL.
func (e *Engine) userPath(ctx context.Context, q sqldb.Querier, st *state, cache *knowledge, a *actor, name, path string) (any, error) {
	key := nameKey{a.user.ID, name}
	cache.mu.RLock()
	v, ok := cache.names[key]
	cache.mu.RUnlock()
	if ok && e.now().Before(v.until) {
		return v.value, nil
	}
	c := &compiler{reg: st.reg, d: e.db.Dialect(), actor: a, sudo: true, keepArchived: true, now: e.now}
	sql, many, err := c.userPath(path)
	if err != nil {
		return nil, err
	}
	stmt := c.statement(sql)
	var value any
	read := func(q sqldb.Querier) error {
		return q.Query(ctx, stmt.sql, stmt.with(a.user.ID), func(r sqldb.Row) error {
			switch {
			case many:
				value = anyIDs(r.IDs(0))
			case r.Null(0):
				value = false
			case strings.HasSuffix(path, ".id"):
				value = r.Int(0)
			default:
				value = r.Text(0)
			}
			return nil
		})
	}
	if err := e.reading(ctx, q, read); err != nil {
		return nil, err
	}
	cache.mu.Lock()
	cache.names[key] = nameValue{value, e.now().Add(nameTTL)}
	cache.mu.Unlock()
	return value, nil
}

// userPath renders the query for a path such as partner_id.id or
// company_ids.ids on res.users; many says that it gives a list of ids. The
// user's id is the later argument.
func (c *compiler) userPath(path string) (sql string, many bool, err error) {
	users := c.reg.Model("res.users")
	if users == nil {
		return "", false, fault.New(fault.Internal, "there is no model res.users")
	}
	f := c.from(users)
	steps := strings.Split(path, ".")
	last := steps[len(steps)-1]
	if (last == "id" || last == "ids") && len(steps) > 1 {
		steps = steps[:len(steps)-1]
	}
	var expr string
	if field := users.Field(steps[0]); len(steps) == 1 && field != nil && field.Type.IsX2many() {
		many = true
		expr, err = f.links(field)
	} else {
		expr, err = f.path(steps)
	}
	if err != nil {
		return "", false, err
	}
	return "select " + expr + " from " + f.sql() + " where " + f.alias + ".id = " + laterFirst, many, nil
}
