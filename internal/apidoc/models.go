package apidoc

import (
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/openapi"
	"gatehouse/internal/schema"
)

// adminModels is how the names of Gatehouse's own models begin; they need the
// scope admin, whatever is done with them.
const adminModels = "gateway."

// models describes the models that the caller may use, as far as his credential
// covers them.
func (b *builder) models(c *backend.Catalogue) []openapi.Model {
	var templates []*httpapi.Route
	for i := range b.q.Routes {
		if perModel(&b.q.Routes[i]) {
			templates = append(templates, &b.q.Routes[i])
		}
	}
	all := make([]openapi.Model, 0, len(c.Models))
	for i := range c.Models {
		entry := &c.Models[i]
		m := openapi.Model{Name: entry.Model.Name, Label: entry.Model.Label}
		onRecord, onModel := b.operations(&m, entry, templates)
		for _, method := range entry.Methods {
			like := onRecord
			if method.OnModel {
				like = onModel
			}
			if like != "" && (method.ReadOnly || entry.May[schema.Write]) {
				m.Methods = append(m.Methods, openapi.Method{Name: method.Name, Doc: method.Doc, OnModel: method.OnModel, Like: like})
			}
		}
		if len(m.Operations) == 0 && len(m.Methods) == 0 {
			continue
		}
		m.Record, m.Create, m.Update = recordSchemas(entry)
		all = append(all, m)
	}
	return all
}

// operations gives a model those that the caller may use, and tells which of
// them call methods.
func (b *builder) operations(m *openapi.Model, entry *backend.Entry, templates []*httpapi.Route) (onRecord, onModel string) {
	for _, r := range templates {
		if !b.covers(r, entry) {
			continue
		}
		// the files in fields have a path like that of methods
		named := slices.Contains(r.PathParams(), "method")
		calls := named && r.Method == http.MethodPost
		if named && !calls && !hasFiles(entry) {
			continue
		}
		if !calls || entry.Common {
			m.Operations = append(m.Operations, r.Doc.ID)
		}
		switch {
		case !calls:
		case slices.Contains(r.PathParams(), "id"):
			onRecord = r.Doc.ID
		default:
			onModel = r.Doc.ID
		}
	}
	return onRecord, onModel
}

// hasFiles says whether the caller may see a binary field of the model.
func hasFiles(entry *backend.Entry) bool {
	return slices.ContainsFunc(entry.Fields, func(f *schema.Field) bool { return f.Type == schema.Binary })
}

// covers says whether the caller may use a route of every model with this one.
func (b *builder) covers(r *httpapi.Route, entry *backend.Entry) bool {
	n, mode, needs := need(r)
	if !needs {
		return true
	}
	n.Model = entry.Model.Name
	if strings.HasPrefix(n.Model, adminModels) {
		n = identity.Need{Action: identity.Admin}
	}
	return b.q.Who.Scopes.Allows(n) && entry.May[mode]
}

// recordSchemas describes the records of a model.
func recordSchemas(entry *backend.Entry) (record, create, update *wire.Schema) {
	name := entry.Model.Name
	record, update = &wire.Schema{Type: "object"}, &wire.Schema{Type: "object"}
	record.Members = make([]wire.Member, 0, len(entry.Fields))
	update.Members = make([]wire.Member, 0, len(entry.Fields))
	for _, f := range entry.Fields {
		record.Members = append(record.Members, wire.Member{Name: f.Name, Optional: f.Name != "id", Schema: wire.Answered(f)})
		if !f.Readonly {
			update.Members = append(update.Members, wire.May(f.Name, wire.Taken(f)))
		}
	}
	for _, f := range entry.WriteOnly {
		update.Members = append(update.Members, wire.May(f.Name, wire.Taken(f)))
	}
	create = wire.Named(name + openapi.UpdateSuffix)
	if len(entry.Needed) > 0 {
		needed := &wire.Schema{Type: "object"}
		for _, f := range entry.Needed {
			s := wire.Taken(entry.Model.Field(f))
			s.Nullable = false
			needed.Members = append(needed.Members, wire.Must(f, s))
		}
		create = &wire.Schema{AllOf: []*wire.Schema{create, needed}}
	}
	return record, create, update
}
