package apidoc

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/oauth"
	"gatehouse/internal/openapi"
	"gatehouse/internal/schema"
)

// Document gathers what a caller's document says.
func (d *Docs) Document(ctx context.Context, q *httpapi.DocumentQuery) (*openapi.Document, error) {
	all, err := d.opts.Source.Catalogue(ctx, d.opts.Superuser)
	if err != nil {
		return nil, err
	}
	catalogue := &backend.Catalogue{} // strangers see no model
	if q.Who != nil {
		if catalogue, err = d.opts.Source.Catalogue(ctx, q.Caller); err != nil {
			return nil, err
		}
	}
	b := &builder{q: q, all: index(all), own: index(catalogue)}
	doc := &openapi.Document{
		Title: "Gatehouse", Version: d.opts.Version, Doc: introduction(q.Who != nil),
		Server: q.Server, Tags: b.tags(), Schemas: b.schemas(), Errors: errorTypes(),
	}
	for _, h := range httpapi.Headers() {
		doc.Headers = append(doc.Headers, openapi.Header{Name: h.Name, Schema: h.Schema})
	}
	for i := range q.Routes {
		r := &q.Routes[i]
		if r.Pattern == oauth.TokenPath {
			doc.TokenURL, doc.Scopes = q.Server+oauth.TokenPath, scopes(q.Resources)
		}
		if b.offered(r) {
			op := operation(r)
			if b.own[r.Model] != nil { // other paths to the records of a model
				op.Body, op.Data = openapi.ForModel(op.Body, r.Model), openapi.ForModel(op.Data, r.Model)
			}
			doc.Operations = append(doc.Operations, op)
		}
	}
	if q.Who != nil {
		doc.Models = b.models(catalogue)
	}
	return doc, nil
}

// builder makes the document of one caller.
type builder struct {
	q        *httpapi.DocumentQuery
	all, own map[string]*backend.Entry // models, of the superuser and the caller
}

func index(c *backend.Catalogue) map[string]*backend.Entry {
	byName := make(map[string]*backend.Entry, len(c.Models))
	for i := range c.Models {
		byName[c.Models[i].Model.Name] = &c.Models[i]
	}
	return byName
}

// offered says whether the caller may use a route at all. Strangers see all:
// the document then says which credential is needed.
func (b *builder) offered(r *httpapi.Route) bool {
	who := b.q.Who
	if who == nil || perModel(r) { // see models
		return true
	}
	need, mode, needs := need(r)
	if !needs {
		return true
	}
	if need.Action == identity.Admin {
		return who.Administrator && who.Scopes.Allows(need)
	}
	if need.Model == "" {
		return who.Scopes.Allows(need)
	}
	entry := b.own[need.Model]
	return who.Scopes.Allows(need) && entry != nil && entry.May[mode]
}

// perModel says whether a route is there for every model.
func perModel(r *httpapi.Route) bool { return strings.HasPrefix(r.Pattern, "/api/v1/{model}") }

// need is what a route asks of a credential, and of the rights on its model;
// false where it asks for nothing but a credential.
func need(r *httpapi.Route) (identity.Need, schema.Mode, bool) {
	switch r.Access {
	case httpapi.AdminOnly:
		return identity.Need{Action: identity.Admin}, schema.Read, true
	case httpapi.Scoped:
	default:
		return identity.Need{}, schema.Read, false
	}
	n := identity.Need{Action: r.Action, Model: r.Model}
	if r.Resource != nil {
		n.Resource, n.Model = r.Resource.Name, r.Resource.Model
	}
	return n, mode(r), true
}

// mode is the right on a model that a route needs. Methods need at least that to
// read; which more, only they know.
func mode(r *httpapi.Route) schema.Mode {
	switch {
	case slices.Contains(r.Doc.Statuses, http.StatusCreated):
		return schema.Create
	case r.Method == http.MethodGet, r.Method == http.MethodPost:
		return schema.Read
	case r.Method == http.MethodDelete:
		return schema.Unlink
	default:
		return schema.Write
	}
}

func (b *builder) tags() []openapi.Named {
	var all []openapi.Named
	for _, tag := range httpapi.Tags(b.q.Resources) {
		// Of what every model has, each has its own chapter.
		if slices.ContainsFunc(b.q.Routes, func(r httpapi.Route) bool {
			return r.Doc.Tag == tag.Name && b.offered(&r) && (b.q.Who == nil || !perModel(&r))
		}) {
			all = append(all, openapi.Named{Name: tag.Name, Doc: tag.Doc})
		}
	}
	return all
}

func (b *builder) schemas() []wire.Member {
	all := httpapi.Schemas()
	for i := range b.q.Resources {
		all = append(all, b.q.Resources[i].Schemas(func(name string) *schema.Model {
			if entry := b.all[name]; entry != nil {
				return entry.Model
			}
			return nil
		})...)
	}
	return all
}

// operation describes a route.
func operation(r *httpapi.Route) openapi.Operation {
	d := &r.Doc
	op := openapi.Operation{
		Method: r.Method, Path: strings.TrimSuffix(r.Pattern, "{$}"), PerModel: perModel(r), ID: d.ID, Tag: d.Tag,
		Summary: r.Summary, Input: r.Input, Output: r.Output,
		Body: d.Body, BodyType: d.BodyType, BodyOptional: d.Optional, Example: d.Example,
		Envelope: r.Style == httpapi.Envelope, Data: d.Data, Meta: d.Meta, Statuses: d.Statuses, Tells: d.Tells,
		Access: access(r.Access), Scope: scope(r),
	}
	for _, name := range r.PathParams() {
		s, _ := httpapi.PathParam(name)
		op.Params = append(op.Params, openapi.Param{Name: name, In: "path", Doc: s.Doc, Schema: undocumented(s)})
	}
	for _, p := range r.Params {
		op.Params = append(op.Params, openapi.Param{Name: p.Name, In: "query", Doc: p.Doc, Schema: p.Schema()})
	}
	for _, name := range d.Asks {
		for _, h := range httpapi.Headers() {
			if h.Name == name {
				op.Params = append(op.Params, openapi.Param{Name: name, In: "header", Doc: h.Schema.Doc, Schema: undocumented(h.Schema)})
			}
		}
	}
	for _, m := range d.Also {
		op.Also = append(op.Also, openapi.Media{Type: m.Type, Schema: m.Schema})
	}
	for _, kind := range r.Faults() {
		op.Errors = append(op.Errors, kind.String())
	}
	return op
}

func undocumented(s *wire.Schema) *wire.Schema {
	bare := *s
	bare.Doc = ""
	return &bare
}

func access(a httpapi.Access) openapi.Access {
	switch a {
	case httpapi.Public:
		return openapi.Open
	case httpapi.ClientOrAdmin:
		return openapi.Clients
	case httpapi.OptionalCredential:
		return openapi.Optional
	default:
		return openapi.Secured
	}
}

// scope is the word that a token needs for a route.
func scope(r *httpapi.Route) string {
	if n, _, needs := need(r); needs {
		return n.String()
	}
	return ""
}

func scopes(resources []httpapi.Resource) []openapi.Named {
	names := make([]string, len(resources))
	for i := range resources {
		names[i] = resources[i].Name
	}
	var all []openapi.Named
	for _, scope := range oauth.Describe("", names).Scopes {
		all = append(all, openapi.Named{Name: scope, Doc: scopeText(scope)})
	}
	return all
}

func scopeText(scope string) string {
	switch identity.Action(scope) {
	case identity.Read:
		return "Read records of every model"
	case identity.Write:
		return "Create and change records of every model, and call their methods"
	case identity.Delete:
		return "Delete records of every model"
	case identity.Admin:
		return "Everything, and what is for administrators"
	}
	if name, ok := strings.CutSuffix(scope, "_read"); ok {
		return "Read " + name
	}
	return "Create, change and delete " + strings.TrimSuffix(scope, "_write")
}

func errorTypes() []openapi.Error {
	var all []openapi.Error
	for _, kind := range fault.Kinds() {
		all = append(all, openapi.Error{Type: kind.String(), Status: httpapi.StatusOf(kind), Doc: httpapi.FaultText(kind)})
	}
	slices.SortStableFunc(all, func(a, b openapi.Error) int { return a.Status - b.Status })
	return all
}

// introduction is the text at the top of the document.
func introduction(own bool) string {
	var b strings.Builder
	b.WriteString("A secure REST API for every model of an Odoo, or of the embedded database.\n\n" +
		"Authenticate with an access token or a user's own key (`Authorization: Bearer …`), with a gateway API key (`X-API-Key: …`), " +
		"or as an OAuth2 client.\n\nSuccesses are `{\"success\": true, \"data\": …}`, errors `{\"success\": false, \"error\": {…}}`.\n\n")
	if own {
		b.WriteString("This document shows what your credential may use.\n\n")
	} else {
		b.WriteString("Ask for it with a credential to see every model that the caller may use, with its fields.\n\n")
	}
	b.WriteString("Types of errors:\n\n")
	for _, e := range errorTypes() {
		fmt.Fprintf(&b, "- %d `%s`: %s\n", e.Status, e.Type, e.Doc)
	}
	return b.String()
}
