package httpapi

import (
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// modelRoutes tell callers what there is for them. They take any credential: a
// scope of a single model is enough to be told of that model.
func (s *Server) modelRoutes() []Route {
	list := Route{
		Method: "GET", Pattern: "/api/v1/models", Access: AnyCredential, Limiting: Counted, handler: bare(s.listModels),
		Summary: "The models that the caller may use", Output: "a list of name, label and access",
		Params: []Param{{"search", "string", "Text to look for in names and labels."}},
	}
	one := Route{
		Method: "GET", Pattern: "/api/v1/models/{model}", Access: AnyCredential, Limiting: Counted, handler: bare(s.showModel),
		Summary: "A model and the fields of it that the caller may see",
		Output:  "name, label, access and fields: what each is like, by Odoo's names of the attributes", Params: contextParams()[:1],
	}
	access := wire.Object(wire.Must("read", wire.Truth("")), wire.Must("create", wire.Truth("")), wire.Must("write", wire.Truth("")), wire.Must("delete", wire.Truth("")))
	about := []wire.Member{wire.Must("name", wire.Text("")), wire.Must("label", wire.Text("")), wire.Must("access", access)}
	list.Doc = Doc{
		ID: "listModels", Tag: TagRecords, Data: wire.ListOf(wire.Object(about...), ""),
		Meta:   wire.Object(wire.Must("total", wire.Whole("")), wire.Must("count", wire.Whole(""))),
		Faults: []fault.Kind{fault.Forbidden},
	}
	fields := wire.MapOf(wire.MapOf(wire.Anything(""), "Attributes of the field."), "Fields by name.")
	one.Doc = Doc{
		ID: "showModel", Tag: TagRecords, Data: wire.Object(append(about, wire.May("fields", fields))...),
		Faults: []fault.Kind{fault.Forbidden, fault.NotFound},
	}
	return []Route{list, one}
}

// modelAccess is what a caller may do with the records of a model, as far as
// rights and scopes say; record rules come on top.
type modelAccess struct {
	Read   bool `json:"read"`
	Create bool `json:"create"`
	Write  bool `json:"write"`
	Delete bool `json:"delete"`
}

type modelInfo struct {
	Name   string                         `json:"name"`
	Label  string                         `json:"label"`
	Access modelAccess                    `json:"access"`
	Fields map[string]backend.Description `json:"fields,omitempty"`
}

// fieldAttributes are what is told of a field.
func fieldAttributes() []string {
	return []string{
		"type", "string", "help", "required", "readonly", "store", "searchable", "sortable", "groupable", "translate",
		"company_dependent", "relation", "relation_field", "selection", "digits", "size", "currency_field",
	}
}

// inScopes says whether the credential is good for anything that is done to a
// model; the error names a scope that would be.
func (c *call) inScopes(model string) error {
	for _, action := range []identity.Action{identity.Read, identity.Write, identity.Delete} {
		if c.who.Scopes.Allows(identity.Need{Action: action, Model: model}) {
			return nil
		}
	}
	return missingScope(identity.Need{Action: identity.Read, Model: model})
}

// access is what the credential and its user allow together.
func (c *call) accessTo(model string, may [4]bool) modelAccess {
	allowed := func(mode schema.Mode, action identity.Action) bool {
		return may[mode] && c.who.Scopes.Allows(identity.Need{Action: action, Model: model})
	}
	return modelAccess{
		Read: allowed(schema.Read, identity.Read), Create: allowed(schema.Create, identity.Write),
		Write: allowed(schema.Write, identity.Write), Delete: allowed(schema.Unlink, identity.Delete),
	}
}

func (s *Server) listModels(c *call) (reply, error) {
	all, err := s.deps.Backend.Models(c.ctx, c.caller)
	if err != nil {
		return reply{}, err
	}
	wanted, models, scoped := strings.ToLower(c.params.search), []modelInfo{}, false
	for _, m := range all {
		if c.inScopes(m.Name) != nil {
			continue
		}
		scoped = true
		if strings.Contains(strings.ToLower(m.Name), wanted) || strings.Contains(strings.ToLower(m.Label), wanted) {
			models = append(models, modelInfo{Name: m.Name, Label: m.Label, Access: c.accessTo(m.Name, m.May)})
		}
	}
	if !scoped {
		return reply{}, missingScope(identity.Need{Action: identity.Read})
	}
	return reply{data: models, meta: &meta{more: map[string]any{"total": len(models), "count": len(models)}}}, nil
}

func (s *Server) showModel(c *call) (reply, error) {
	name := c.event.Model
	if err := c.inScopes(name); err != nil {
		return reply{}, err
	}
	m, err := s.deps.Backend.Model(c.ctx, c.caller, name)
	if err != nil {
		return reply{}, err
	}
	var may [4]bool
	for mode := range may {
		if may[mode], err = s.deps.Backend.May(c.ctx, c.caller, name, schema.Mode(mode), nil); err != nil {
			return reply{}, err
		}
	}
	info := modelInfo{Name: m.Name, Label: m.Label, Access: c.accessTo(name, may)}
	if info.Fields, err = s.deps.Backend.Describe(c.ctx, c.caller, name, nil, fieldAttributes()); err != nil {
		return reply{}, err
	}
	for name := range info.Fields {
		if f := m.Field(name); f == nil || f.Secret {
			delete(info.Fields, name)
		}
	}
	return reply{data: info}, nil
}
