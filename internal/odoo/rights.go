package odoo

import (
	"context"
	"slices"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
)

// audience is all who see the same: the users of the same groups or, without a
// technical user, one user alone.
type audience struct {
	name   string
	groups []int64 // where known is set
	known  *shared // nil: nobody told
}

// audience finds that of the caller, once in a visit.
func (v *visit) audience() (*audience, error) {
	if v.among != nil {
		return v.among, nil
	}
	known, err := v.b.known.common(v.ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case v.account.UID == 0:
		v.among = &audience{name: "user " + strconv.FormatInt(v.caller.UserID, 10)}
		return v.among, nil
	case known == nil: // not by who calls: keys of one user may call as several of the Odoo's
		v.among = &audience{name: "uid " + strconv.FormatInt(v.account.UID, 10)}
		return v.among, nil
	}
	groups, err := v.b.known.groups(v.ctx, v.account.UID)
	if err != nil {
		return nil, err
	}
	key := []byte("groups")
	for _, g := range groups {
		key = strconv.AppendInt(append(key, ' '), g, 10)
	}
	v.among = &audience{string(key), groups, known}
	return v.among, nil
}

// allows is Odoo's rule of ir.model.access: one row for everybody or for a group
// of the user is enough.
func (s *shared) allows(model string, mode schema.Mode, groups []int64) bool {
	for _, row := range s.access[model] {
		if row.Perm[mode] {
			if row.GroupID == 0 {
				return true
			}
			if _, in := slices.BinarySearch(groups, row.GroupID); in {
				return true
			}
		}
	}
	return false
}

// seen says that a user may use a model in some way.
func (s *shared) seen(model string, groups []int64) bool {
	for mode := schema.Read; mode <= schema.Unlink; mode++ {
		if s.allows(model, mode, groups) {
			return true
		}
	}
	return false
}

// may says whether the caller may do something with records of a model at all.
func (v *visit) may(model string, mode schema.Mode) (bool, error) {
	among, err := v.audience()
	if err != nil {
		return false, err
	}
	if among.known != nil {
		return among.known.allows(model, mode, among.groups), nil
	}
	k, key := v.b.known, rightKey{among.name, model, mode}
	k.mu.Lock()
	kept, ok := k.rights[key]
	k.mu.Unlock()
	now := k.clock.Now()
	if ok && now.Before(kept.until) {
		return kept.may, nil
	}
	may, err := v.ask(model, mode, nil)
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rights) >= maxAudiences {
		clear(k.rights)
	}
	k.rights[key] = right{may, now.Add(rightsLife)}
	return may, nil
}

// ask asks the Odoo about a right: on a model, or on records.
func (v *visit) ask(model string, mode schema.Mode, ids []int64) (bool, error) {
	version, err := v.b.rpc.Version(v.ctx)
	if err != nil {
		return false, err
	}
	kwargs := map[string]any{"operation": mode.String()}
	method := "has_access"
	switch {
	case version.Major >= 18 && ids == nil:
		ids = []int64{} // it is a method of records, of none if need be
	case version.Major >= 18:
	case len(ids) > 0:
		method = "check_access_rule" // raises what it has to say
	default:
		method, kwargs["raise_exception"] = "check_access_rights", false
	}
	call := v.read
	if method == "check_access_rule" { // it answers nothing, which XML-RPC carries of what is no read only
		call = v.change
	}
	raw, err := call(model, method, ids, kwargs)
	if fault.Is(err, fault.Forbidden) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if method == "check_access_rule" {
		return true, nil
	}
	var may bool
	err = decode(raw, &may)
	return may, err
}

// need refuses who may not do something with records of a model.
func (v *visit) need(model string, mode schema.Mode) error {
	may, err := v.may(model, mode)
	if err == nil && !may {
		err = backend.ForbiddenModel(model, mode)
	}
	return err
}

// May implements backend.Backend.
func (b *Backend) May(ctx context.Context, c *backend.Caller, model string, mode schema.Mode, ids []int64) (bool, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return false, err
	}
	may, err := v.may(model, mode)
	if err != nil || !may || len(ids) == 0 {
		return may, err
	}
	return v.ask(model, mode, ids)
}

// Models implements backend.Backend.
func (b *Backend) Models(ctx context.Context, c *backend.Caller) ([]backend.Summary, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	among, err := v.audience()
	if err != nil {
		return nil, err
	}
	known, groups := among.known, among.groups
	if known == nil {
		return nil, fault.New(fault.Forbidden, "Which models there are for a user is known only with a technical user: "+
			"set GATEHOUSE_ODOO_LOGIN and GATEHOUSE_ODOO_KEY. Models can be used by their names without it")
	}
	var all []backend.Summary
	for _, name := range known.names {
		if !known.seen(name, groups) || known.models[name].abstract {
			continue
		}
		one := backend.Summary{Name: name, Label: known.models[name].label}
		for mode := range one.May {
			one.May[mode] = known.allows(name, schema.Mode(mode), groups)
		}
		all = append(all, one)
	}
	return all, nil
}

// Names lists all models by name, without anybody's rights, as the technical
// user knows them; none without one.
func (b *Backend) Names(ctx context.Context) ([]backend.Summary, error) {
	known, err := b.known.common(ctx)
	if err != nil || known == nil {
		return nil, err
	}
	var all []backend.Summary
	for _, name := range known.names {
		if m := known.models[name]; !m.abstract && len(known.access[name]) > 0 {
			all = append(all, backend.Summary{Name: name, Label: m.label})
		}
	}
	return all, nil
}

// unknownModel is a model that is not there or not for the caller.
func unknownModel(name string, known *shared, groups []int64) error {
	msg := "Unknown model: " + backend.Shorten(name)
	exists := false
	if known != nil {
		var names []string
		for _, n := range known.names {
			if known.seen(n, groups) {
				names = append(names, n)
			}
		}
		if near := nearest.Word(name, names); near != "" {
			msg += ". Did you mean " + near + "?"
		}
		_, exists = known.models[name]
	}
	unknown := fault.New(fault.NotFound, msg)
	if exists {
		return unknown.Because(backend.ErrHidden)
	}
	return unknown
}
