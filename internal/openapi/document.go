package openapi

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/httpapi/wire"
)

// document writes one document.
type document struct {
	writer
	*Document
	errors map[string]*Error
	// params are the parameters that are written once, by what they are; the
	// names of different ones differ.
	params  map[paramKey]string
	byName  map[string][]Param
	ordered []Param
	names   []string
	ids     map[string]bool
}

// paramKey is what makes two parameters the same.
type paramKey struct{ name, in, doc, kind string }

// JSON writes the document in a version of OpenAPI.
func (d *Document) JSON(version Version) []byte {
	w := &document{
		writer:   writer{old: version == V30, buf: make([]byte, 0, 64<<10+len(d.Models)*24<<10), used: map[component]bool{}},
		Document: d, errors: map[string]*Error{}, params: map[paramKey]string{}, byName: map[string][]Param{}, ids: map[string]bool{},
	}
	for i := range d.Errors {
		w.errors[d.Errors[i].Type] = &d.Errors[i]
	}
	w.collectParams()
	w.open('{')
	w.member("openapi", string(version))
	w.info()
	w.key("servers")
	w.open('[')
	w.open('{')
	w.member("url", d.Server)
	w.close('}')
	w.close(']')
	w.object("paths", w.paths)
	w.object("components", w.components)
	w.tags()
	w.close('}')
	return w.buf
}

func (w *document) info() {
	w.object("info", func() {
		w.member("title", w.Title)
		w.member("version", w.Version)
		w.member("description", w.Doc)
		w.object("contact", func() {
			w.member("name", w.Title)
			w.member("url", w.Server)
		})
		w.object("license", func() {
			w.member("name", "Apache-2.0")
			w.member("url", "https://www.apache.org/licenses/LICENSE-2.0")
		})
	})
}

// collectParams finds the parameters of all operations that are written, each
// once.
func (w *document) collectParams() {
	had := map[string]bool{} // operations of every model that some model has
	for i := range w.Models {
		for _, id := range w.Models[i].Operations {
			had[id] = true
		}
		for j := range w.Models[i].Methods {
			had[w.Models[i].Methods[j].Like] = true
		}
	}
	for i := range w.Operations {
		if op := &w.Operations[i]; len(w.Models) > 0 && op.PerModel && !had[op.ID] {
			continue
		}
		for _, p := range w.Operations[i].Params {
			if p.In == "path" {
				continue
			}
			key := keyOf(&p)
			if w.params[key] != "" {
				continue
			}
			w.byName[p.Name] = append(w.byName[p.Name], p)
			name := p.Name + "Param" // generators make types of parameters and schemas alike
			if n := len(w.byName[p.Name]); n > 1 {
				name += "_" + strconv.Itoa(n)
			}
			w.params[key] = name
			w.ordered, w.names = append(w.ordered, p), append(w.names, name)
		}
	}
}

func keyOf(p *Param) paramKey { return paramKey{p.Name, p.In, p.Doc, p.Schema.Type} }

func (w *document) param(p *Param) {
	w.open('{')
	w.member("name", p.Name)
	w.member("in", p.In)
	w.member("description", p.Doc)
	if p.In == "path" {
		w.key("required")
		w.raw("true")
	}
	bare := *p.Schema
	bare.Example = nil
	w.key("schema")
	w.schema(&bare)
	if p.Schema.Example != nil {
		w.key("example")
		w.value(p.Schema.Example)
	}
	w.close('}')
}

// components writes what the paths refer to, and nothing else: what refers
// comes before what it refers to.
func (w *document) components() {
	w.object("responses", w.failures)
	w.object("parameters", func() {
		for i := range w.ordered {
			w.key(w.names[i])
			w.param(&w.ordered[i])
		}
	})
	w.object("headers", func() {
		for _, h := range w.Headers {
			if !w.used[component{"headers", h.Name}] {
				continue
			}
			w.key(h.Name)
			w.open('{')
			w.member("description", h.Schema.Doc)
			bare := *h.Schema
			bare.Doc, bare.Example = "", nil
			w.key("schema")
			w.schema(&bare)
			if h.Schema.Example != nil {
				w.key("example")
				w.value(h.Schema.Example)
			}
			w.close('}')
		}
	})
	w.object("schemas", w.schemas)
	w.object("securitySchemes", w.securitySchemes)
}

// schemas writes the named schemas that are used: those of the models, then
// the others, as long as one of them refers to another one.
func (w *document) schemas() {
	for i := range w.Models {
		m := &w.Models[i]
		// What refers comes before what it refers to.
		for _, part := range []wire.Member{
			{Name: "", Schema: m.Record},
			{Name: CreatesSuffix, Schema: oneOrSeveral(m.Name + CreateSuffix)},
			{Name: CreateSuffix, Schema: m.Create},
			{Name: UpdateSuffix, Schema: m.Update},
		} {
			if part.Schema != nil && w.used[component{"schemas", m.Name + part.Name}] {
				w.key(m.Name + part.Name)
				w.schema(part.Schema)
			}
		}
	}
	rest := append(w.Schemas[:len(w.Schemas):len(w.Schemas)], wire.Must("Error", w.errorSchema()),
		wire.Must("OAuthError", wire.Object(
			wire.Must("error", wire.Text("The code of RFC 6749.").Like("invalid_client")),
			wire.Must("error_description", wire.Text("In words.")))))
	for again := true; again; {
		var left []wire.Member
		again = false
		for _, m := range rest {
			if !w.used[component{"schemas", m.Name}] {
				left = append(left, m)
				continue
			}
			again = true
			w.key(m.Name)
			w.schema(m.Schema)
		}
		rest = left
	}
}

// oneOrSeveral is an object, or a list of them.
func oneOrSeveral(name string) *wire.Schema {
	list := wire.ListOf(wire.Named(name), "")
	list.Fewest = 1
	return wire.Either("", wire.Named(name), list)
}

// errorSchema describes the envelope of errors.
func (w *document) errorSchema() *wire.Schema {
	var types []string
	for _, e := range w.Errors {
		types = append(types, e.Type)
	}
	never := wire.Truth("")
	return wire.Object(
		wire.Must("success", never.About("Always false.")),
		wire.Must("error", wire.Object(
			wire.Must("code", wire.Whole("The status.")),
			wire.Must("type", wire.Word("A word that stays the same.", types...)),
			wire.Must("message", wire.Text("For people.")),
			wire.May("details", wire.Anything("Where it helps: problems by field, allowed values, the place in a body or domain.")),
			wire.Must("request_id", wire.Text("Finds the request in the log.")))))
}

// failures writes an answer for each status of errors, in both styles.
func (w *document) failures() {
	for _, style := range []string{"Error", "OAuthError"} {
		for _, status := range w.statuses(w.allTypes()) {
			name := style + strconv.Itoa(status)
			if !w.used[component{"responses", name}] {
				continue
			}
			w.key(name)
			w.open('{')
			w.member("description", w.failureText(status))
			w.headers(failureHeaders(status))
			w.object("content", func() {
				w.object("application/json", func() {
					w.key("schema")
					w.ref("schemas", style)
				})
			})
			w.close('}')
		}
	}
}

func (w *document) allTypes() []string {
	var all []string
	for _, e := range w.Errors {
		all = append(all, e.Type)
	}
	return all
}

// statuses are those of some types of errors, sorted.
func (w *document) statuses(types []string) []int {
	var all []int
	for _, t := range types {
		if e := w.errors[t]; e != nil {
			all = append(all, e.Status)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// failureText says what errors have a status.
func (w *document) failureText(status int) string {
	var parts []string
	for _, e := range w.Errors {
		if e.Status == status {
			parts = append(parts, "`"+e.Type+"`: "+e.Doc)
		}
	}
	return strings.Join(parts, "\n\n")
}

// commonHeaders are those of every answer.
func commonHeaders() []string {
	return []string{"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
}

func failureHeaders(status int) []string {
	all := commonHeaders()
	switch status {
	case 401:
		all = append(all, "WWW-Authenticate")
	case 405:
		all = append(all, "Allow")
	case 403, 429, 503:
		all = append(all, "Retry-After")
	}
	return all
}

func (w *document) headers(names []string) {
	w.object("headers", func() {
		for _, name := range names {
			w.key(name)
			w.ref("headers", name)
		}
	})
}

func (w *document) securitySchemes() {
	scheme := func(name string, pairs ...string) {
		w.object(name, func() {
			for i := 0; i < len(pairs); i += 2 {
				w.member(pairs[i], pairs[i+1])
			}
		})
	}
	scheme("bearer", "type", "http", "scheme", "bearer", "bearerFormat", "JWT",
		"description", "The access token of a user or of an OAuth2 client, or a user's own API key.")
	scheme("apiKey", "type", "apiKey", "in", "header", "name", "X-API-Key", "description", "A gateway API key.")
	if w.TokenURL == "" {
		return
	}
	scheme("client", "type", "http", "scheme", "basic", "description", "Id and secret of an OAuth2 client.")
	w.object("oauth2", func() {
		w.member("type", "oauth2")
		w.member("description", "An OAuth2 client exchanges its id and secret for a token.")
		w.object("flows", func() {
			w.object("clientCredentials", func() {
				w.member("tokenUrl", w.TokenURL)
				w.object("scopes", func() {
					for _, s := range w.Scopes {
						w.key(s.Name)
						w.text(s.Doc)
					}
				})
			})
		})
	})
}

// tags writes the chapters, and that those of models are a part of their own.
func (w *document) tags() {
	var own, models []string
	w.key("tags")
	w.open('[')
	tag := func(name, doc string) {
		w.open('{')
		w.member("name", name)
		w.member("description", doc)
		w.close('}')
	}
	for _, t := range w.Tags {
		tag(t.Name, t.Doc)
		own = append(own, t.Name)
	}
	for i := range w.Models {
		tag(w.Models[i].Name, w.Models[i].Label)
		models = append(models, w.Models[i].Name)
	}
	w.close(']')
	if len(models) == 0 {
		return
	}
	w.key("x-tagGroups")
	w.open('[')
	for _, group := range []struct {
		name string
		tags []string
	}{{"Gatehouse", own}, {"Models", models}} {
		w.open('{')
		w.member("name", group.name)
		w.texts("tags", group.tags)
		w.close('}')
	}
	w.close(']')
}
