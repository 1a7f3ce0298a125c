package odoo

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/schema"
)

// How long what is known holds: groups of users and rights that were asked for
// one by one; models, where nobody can tell whether they changed; and how often
// it is looked whether they did, where somebody can. What nobody asked about
// for a while is asked again.
const (
	rightsLife   = time.Minute
	modelsLife   = 5 * time.Minute
	lookEvery    = 30 * time.Second
	loadTimeout  = 60 * time.Second
	maxAudiences = 4096 // models kept, for all audiences together
)

// knowledge is what is known of the Odoo's models, fields and rights. All users
// of the same groups share it. Models and rights are read as the technical user;
// without one, rights are asked for one by one.
type knowledge struct {
	rpc      RPC
	accounts Accounts
	clock    clock.Clock
	log      *slog.Logger
	loads    singleflight.Group

	mu     sync.Mutex
	shared *shared
	people map[int64]groupsOf
	models map[modelKey]*model
	rights map[rightKey]right

	looked  time.Time // when it was last looked for changes
	looking bool
	stamp   string
	forgot  uint64 // how often everything was dropped
}

// modelKey is a model as an audience sees it in a language.
type modelKey struct{ audience, lang, name string }

type rightKey struct {
	audience, model string
	mode            schema.Mode
}

type right struct {
	may   bool
	until time.Time
}

type groupsOf struct {
	groups []int64 // sorted
	until  time.Time
}

// model is a model as some users see it.
type model struct {
	*schema.Model
	// order is the model's own, "" where that is not known.
	order string
	until time.Time
}

// shared is what the technical user reads for all.
type shared struct {
	models map[string]summary
	names  []string // sorted
	access map[string][]schema.Access
}

// summary is a row of ir.model.
type summary struct {
	label, order string
	abstract     bool
}

func newKnowledge(o Options) *knowledge {
	return &knowledge{
		rpc: o.RPC, accounts: o.Accounts, clock: o.Clock, log: o.Log,
		people: map[int64]groupsOf{}, models: map[modelKey]*model{}, rights: map[rightKey]right{},
	}
}

// forget drops everything; the lock is held.
func (k *knowledge) forget() {
	k.shared = nil
	k.forgot++
	clear(k.people)
	clear(k.models)
	clear(k.rights)
}

// generation is another one after everything was dropped.
func (k *knowledge) generation() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strconv.FormatUint(k.forgot, 10)
}

// load does something once for all who want it at the same time, whoever of
// them goes away.
func (k *knowledge) load(ctx context.Context, key string, do func(ctx context.Context) (any, error)) (any, error) {
	ch := k.loads.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		return do(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-ch:
		return r.Val, r.Err
	}
}

// technical calls as the technical user, who asks for Gatehouse itself.
func (k *knowledge) technical(ctx context.Context, model, method string, ids []int64, kwargs map[string]any, into any) error {
	raw, err := k.rpc.Call(ctx, k.accounts.Technical(), &odoorpc.Request{
		Model: model, Method: method, IDs: ids, Kwargs: kwargs, Reads: true, For: "gatehouse",
	})
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) { // which is not about the caller
		return fault.New(fault.BadGateway, "The technical user of the Odoo may not read its models and rights").Because(err)
	}
	if err != nil {
		return err
	}
	return decode(raw, into)
}

// common is what the technical user knows; nil without one.
func (k *knowledge) common(ctx context.Context) (*shared, error) {
	if k.accounts.Technical() == nil {
		return nil, nil //nolint:nilnil // that is an answer
	}
	k.look(ctx)
	k.mu.Lock()
	known, forgot := k.shared, k.forgot
	k.mu.Unlock()
	if known != nil {
		return known, nil
	}
	v, err := k.load(ctx, "shared "+strconv.FormatUint(forgot, 10), func(ctx context.Context) (any, error) {
		known, err := k.loadShared(ctx)
		if err == nil {
			k.mu.Lock()
			if k.forgot == forgot { // else it may be older than what was forgotten
				k.shared = known
			}
			k.mu.Unlock()
		}
		return known, err
	})
	known, _ = v.(*shared)
	return known, err
}

// Known says how many models the technical user knows; 0 without one.
func (b *Backend) Known(ctx context.Context) (int, error) {
	known, err := b.known.common(ctx)
	if known == nil {
		return 0, err
	}
	return len(known.names), err
}

// modelRow and accessRow are rows of ir.model and ir.model.access.
type modelRow struct {
	ID       int64  `json:"id"`
	Model    string `json:"model"`
	Name     string `json:"name"`
	Order    text   `json:"order"`
	Abstract bool   `json:"abstract"`
}

type accessRow struct {
	Model  ref  `json:"model_id"`
	Group  ref  `json:"group_id"`
	Read   bool `json:"perm_read"`
	Write  bool `json:"perm_write"`
	Create bool `json:"perm_create"`
	Unlink bool `json:"perm_unlink"`
}

func (k *knowledge) loadShared(ctx context.Context) (*shared, error) {
	fields := []string{"model", "name"}
	var described map[string]any
	if err := k.technical(ctx, "ir.model", "fields_get", nil, map[string]any{"allfields": []string{"order", "abstract"}, "attributes": []string{"type"}}, &described); err != nil {
		return nil, err
	}
	fields = append(fields, slices.Sorted(maps.Keys(described))...) // both came later than Odoo 14
	var models []modelRow
	if err := k.technical(ctx, "ir.model", "search_read", nil, map[string]any{"domain": []any{}, "fields": fields}, &models); err != nil {
		return nil, err
	}
	var rows []accessRow
	err := k.technical(ctx, "ir.model.access", "search_read", nil, map[string]any{
		"domain": []any{[]any{"active", "=", true}},
		"fields": []string{"model_id", "group_id", "perm_read", "perm_write", "perm_create", "perm_unlink"},
	}, &rows)
	if err != nil {
		return nil, err
	}
	known := &shared{models: make(map[string]summary, len(models)), access: map[string][]schema.Access{}}
	byID := make(map[int64]string, len(models))
	for _, m := range models {
		byID[m.ID] = m.Model
		known.models[m.Model] = summary{label: m.Name, order: string(m.Order), abstract: m.Abstract}
	}
	for _, r := range rows {
		name := byID[int64(r.Model)]
		known.access[name] = append(known.access[name], schema.Access{
			GroupID: int64(r.Group), Perm: [4]bool{schema.Read: r.Read, schema.Write: r.Write, schema.Create: r.Create, schema.Unlink: r.Unlink},
		})
	}
	known.names = slices.Sorted(maps.Keys(known.models))
	return known, nil
}

// groups are all groups of a user, the implied ones included.
func (k *knowledge) groups(ctx context.Context, uid int64) ([]int64, error) {
	now := k.clock.Now()
	k.mu.Lock()
	known, ok := k.people[uid]
	k.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.groups, nil
	}
	v, err := k.load(ctx, "groups "+strconv.FormatInt(uid, 10), func(ctx context.Context) (any, error) {
		groups, err := k.loadGroups(ctx, uid)
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if len(k.people) >= maxAudiences {
			clear(k.people)
		}
		k.people[uid] = groupsOf{groups, now.Add(rightsLife)}
		return groups, nil
	})
	groups, _ := v.([]int64)
	return groups, err
}

// loadGroups reads groups from the field that has the implied ones too: Odoo 19
// has all_group_ids, others groups_id.
func (k *knowledge) loadGroups(ctx context.Context, uid int64) ([]int64, error) {
	var described map[string]any
	err := k.technical(ctx, "res.users", "fields_get", nil, map[string]any{
		"allfields": []string{"all_group_ids", "groups_id"}, "attributes": []string{"type"},
	}, &described)
	if err != nil {
		return nil, err
	}
	field := "groups_id"
	if described["all_group_ids"] != nil {
		field = "all_group_ids"
	}
	var rows []map[string]any
	if err := k.technical(ctx, "res.users", "read", []int64{uid}, map[string]any{"fields": []string{field}}, &rows); err != nil {
		return nil, err
	}
	groups := []int64{}
	if len(rows) == 1 {
		list, _ := rows[0][field].([]any)
		for _, id := range list {
			if n, ok := id.(float64); ok {
				groups = append(groups, int64(n))
			}
		}
	}
	slices.Sort(groups)
	return groups, nil
}

// look finds out in the background, now and then, whether models, fields or
// rights have changed; then everything is asked again.
func (k *knowledge) look(ctx context.Context) {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.looking || now.Sub(k.looked) < lookEvery {
		return
	}
	k.looking = true
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		stamp, err := k.readStamp(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.looking, k.looked = false, k.clock.Now()
		switch {
		case err != nil:
			k.log.Warn("it cannot be seen whether the Odoo's models have changed", "error", err)
		case k.stamp == "":
			k.stamp = stamp
		case k.stamp != stamp:
			k.stamp = stamp
			k.forget()
		}
	}()
}

// readStamp is another one after every change of models, fields and rights: of
// each the number and the newest change. Field's rows are written when modules
// are installed and upgraded, too.
func (k *knowledge) readStamp(ctx context.Context) (string, error) {
	stamp := ""
	for _, model := range []string{"ir.model.fields", "ir.model.access", "res.groups"} {
		var count int64
		if err := k.technical(ctx, model, "search_count", nil, map[string]any{"domain": []any{}}, &count); err != nil {
			return "", err
		}
		var newest []struct {
			ID   int64 `json:"id"`
			Date text  `json:"write_date"`
		}
		err := k.technical(ctx, model, "search_read", nil, map[string]any{
			"domain": []any{}, "fields": []string{"write_date"}, "order": "write_date desc, id desc", "limit": 1,
		}, &newest)
		if err != nil {
			return "", err
		}
		stamp += model + " " + strconv.FormatInt(count, 10)
		for _, n := range newest {
			stamp += " " + strconv.FormatInt(n.ID, 10) + " " + string(n.Date)
		}
	}
	return stamp, nil
}
