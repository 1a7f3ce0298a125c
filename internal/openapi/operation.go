package openapi

import (
	"net/http"
	"strconv"
	"strings"

	"gatehouse/internal/httpapi/wire"
)

const modelPlace = "{model}"

// path is one path and what stands on it.
type path struct {
	name string
	ops  []*Operation
}

// paths writes all paths; those of models as often as there are models.
func (w *document) paths() {
	var plain, perModel []path
	for i := range w.Operations {
		op := &w.Operations[i]
		if len(w.Models) > 0 && op.PerModel {
			perModel = join(perModel, op)
		} else {
			plain = join(plain, op)
		}
	}
	for i := range plain {
		w.key(plain[i].name)
		w.open('{')
		for _, op := range plain[i].ops {
			w.operation(op, plain[i].name)
		}
		w.close('}')
	}
	w.modelPaths(perModel)
}

// join puts an operation on its path. Paths that differ in the names of
// placeholders only are one to OpenAPI: the first to come names them.
func join(paths []path, op *Operation) []path {
	for i := range paths {
		if shape(paths[i].name) == shape(op.Path) {
			paths[i].ops = append(paths[i].ops, op)
			return paths
		}
	}
	return append(paths, path{op.Path, []*Operation{op}})
}

// shape is a path without the names of its placeholders.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		if strings.HasPrefix(parts[i], "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// placed is the name that a placeholder of an operation has in the path that
// the operation stands on.
func placed(op *Operation, on, name string) string {
	theirs, ours := strings.Split(on, "/"), strings.Split(op.Path, "/")
	for i, part := range ours {
		if part == "{"+name+"}" && i < len(theirs) && strings.HasPrefix(theirs[i], "{") {
			return strings.Trim(theirs[i], "{}")
		}
	}
	return name
}

// operation writes an operation on a path.
func (w *document) operation(op *Operation, on string) {
	w.key(strings.ToLower(op.Method))
	w.open('{')
	w.member("operationId", op.ID)
	w.texts("tags", []string{op.Tag})
	w.member("summary", op.Summary)
	w.member("description", op.text())
	w.parameters(op, on)
	if op.Body != nil {
		w.object("requestBody", func() { w.body(op) })
	}
	w.object("responses", func() { w.responses(op) })
	w.security(op)
	w.close('}')
}

// text says in words what goes in and comes out.
func (op *Operation) text() string {
	var parts []string
	if op.Input != "" {
		parts = append(parts, "Body: "+op.Input+".")
	}
	if op.Output != "" {
		parts = append(parts, "Answers: "+op.Output+".")
	}
	if op.Scope != "" {
		parts = append(parts, "Scope: `"+op.Scope+"`.")
	}
	return strings.Join(parts, "\n\n")
}

func (w *document) parameters(op *Operation, on string) {
	if len(op.Params) == 0 {
		return
	}
	w.key("parameters")
	w.open('[')
	for i := range op.Params {
		p := op.Params[i]
		if p.In == "path" {
			if !strings.Contains(on, modelPlace) && p.Name == "model" {
				continue // the path of one model
			}
			p.Name = placed(op, on, p.Name)
			w.param(&p)
			continue
		}
		w.ref("parameters", w.params[keyOf(&p)])
	}
	w.close(']')
}

func (w *document) body(op *Operation) {
	if !op.BodyOptional {
		w.key("required")
		w.raw("true")
	}
	kind := op.BodyType
	if kind == "" {
		kind = "application/json"
	}
	w.object("content", func() {
		w.object(kind, func() {
			w.key("schema")
			w.schema(op.Body)
			if op.Example != nil {
				w.key("example")
				w.value(op.Example)
			}
		})
	})
}

func (w *document) responses(op *Operation) {
	statuses := op.Statuses
	if len(statuses) == 0 {
		statuses = []int{http.StatusOK}
	}
	for _, status := range statuses {
		w.object(strconv.Itoa(status), func() { w.success(op, status) })
	}
	style := "Error"
	if !op.Envelope {
		style = "OAuthError"
	}
	for _, status := range w.errorStatuses(op) {
		w.key(strconv.Itoa(status))
		w.ref("responses", style+strconv.Itoa(status))
	}
}

func (w *document) errorStatuses(op *Operation) []int { return w.statuses(op.Errors) }

func (w *document) success(op *Operation, status int) {
	text := op.Output
	if text == "" || bodiless(status) {
		text = http.StatusText(status)
	}
	w.member("description", text)
	w.headers(append(commonHeaders(), op.Tells...))
	if bodiless(status) {
		return
	}
	w.object("content", func() {
		if op.Data != nil {
			w.object("application/json", func() {
				w.key("schema")
				w.schema(op.whole())
			})
		}
		for _, media := range op.Also {
			w.object(media.Type, func() {
				w.key("schema")
				w.schema(media.Schema)
			})
		}
	})
}

// whole is the answer with its envelope.
func (op *Operation) whole() *wire.Schema {
	if !op.Envelope {
		return op.Data
	}
	members := []wire.Member{
		wire.Must("success", wire.Truth("Always true.")), wire.Must("data", op.Data),
	}
	if op.Method != http.MethodGet {
		members = append(members, wire.May("message", wire.Text("What was done, in words.")))
	}
	if op.Meta != nil {
		members = append(members, wire.Member{Name: "meta", Schema: op.Meta, Optional: allOptional(op.Meta)})
	}
	return wire.Object(members...)
}

// allOptional says that an object may have no member, and then is not there.
func allOptional(s *wire.Schema) bool {
	for i := range s.Members {
		if !s.Members[i].Optional {
			return false
		}
	}
	return s.Ref == ""
}

func (w *document) security(op *Operation) {
	w.key("security")
	w.open('[')
	need := func(name string, scopes ...string) {
		w.open('{')
		w.texts(name, scopes)
		w.close('}')
	}
	switch op.Access {
	case Clients:
		need("client")
		w.raw("{}")
	case Secured, Optional:
		need("bearer")
		need("apiKey")
		if w.TokenURL != "" {
			if op.Scope == "" {
				need("oauth2")
			} else {
				need("oauth2", op.Scope)
			}
		}
		if op.Access == Optional {
			w.raw("{}")
		}
	default: // open to all
	}
	w.close(']')
}

// bodiless says whether answers of a status have no body.
func bodiless(status int) bool {
	return status == http.StatusNotModified || status == http.StatusNoContent || status == http.StatusSwitchingProtocols
}
