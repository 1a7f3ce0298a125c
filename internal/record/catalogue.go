package record

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// CatalogueKey tells catalogues apart: callers with the same key see the same
// one, until the registry or their groups change. It costs no query where the
// caller is known.
func (e *Engine) CatalogueKey(ctx context.Context, c *backend.Caller) (string, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return "", err
	}
	key := strconv.AppendUint(nil, cx.st.generation, 10)
	key = strconv.AppendBool(append(key, '/'), cx.actor.admin)
	key = strconv.AppendBool(append(key, '/'), cx.actor.sudo)
	for _, g := range cx.actor.user.Groups {
		key = strconv.AppendInt(append(key, '/'), g, 10)
	}
	return string(key), nil
}

// Catalogue tells all that a caller may use: models, with the fields that he
// may see, and their methods.
func (e *Engine) Catalogue(ctx context.Context, c *backend.Caller) (*backend.Catalogue, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	all := &backend.Catalogue{}
	for _, name := range cx.st.reg.Names() {
		if m := cx.st.reg.Model(name); !m.Abstract && cx.visible(m) {
			all.Models = append(all.Models, cx.entry(m))
		}
	}
	return all, nil
}

func (cx *callContext) entry(m *schema.Model) backend.Entry {
	entry := backend.Entry{Model: m, Methods: cx.e.methodsOf(m), Common: !m.AdminOnly && cx.e.facts == nil}
	for _, mode := range []schema.Mode{schema.Read, schema.Write, schema.Create, schema.Unlink} {
		entry.May[mode] = cx.may(m, mode)
	}
	entry.May[schema.Create] = entry.May[schema.Create] && !m.NoCreate
	for _, f := range m.Fields {
		switch {
		case f.Secret && !f.Readonly:
			entry.WriteOnly = append(entry.WriteOnly, f)
		case f.Readable() && !f.Secret && (cx.actor.sudo || access.Field(cx.st.reg, cx.actor.user, f)):
			entry.Fields = append(entry.Fields, f)
			if cx.needed(m, f) {
				entry.Needed = append(entry.Needed, f.Name)
			}
		}
	}
	return entry
}

// needed says that nothing but the caller gives a field of a new record its value.
func (cx *callContext) needed(m *schema.Model, f *schema.Field) bool {
	if !f.Required || !f.Store || f.Computed || f.Inherited || f.Readonly || f.Default != nil ||
		len(f.Related) > 0 || f.Type == schema.Boolean || len(cx.st.reg.Default[f.ID]) > 0 {
		return false
	}
	if slices.ContainsFunc(m.Inherits, func(i schema.Inherit) bool { return i.Field == f.Name }) {
		return false // the parent is made along
	}
	for _, l := range cx.e.logics[m.Name] {
		if l.Prepare != nil && f.Name != m.RecName {
			return false // it may fill anything but a name
		}
		if _, given := l.Defaults[f.Name]; given {
			return false
		}
		for i := range l.Computes {
			if slices.Contains(l.Computes[i].Fields, f.Name) {
				return false
			}
		}
	}
	return true
}

// methodsOf lists the public methods of a model's own logic.
func (e *Engine) methodsOf(m *schema.Model) []backend.MethodInfo {
	var all []backend.MethodInfo
	for _, l := range e.logics[m.Name] {
		for name, method := range l.Methods {
			all = append(all, backend.MethodInfo{Name: name, Doc: method.Doc, OnModel: method.OnModel, ReadOnly: method.ReadOnly})
		}
	}
	slices.SortFunc(all, func(a, b backend.MethodInfo) int { return strings.Compare(a.Name, b.Name) })
	return all
}
