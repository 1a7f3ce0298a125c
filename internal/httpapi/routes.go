package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"gatehouse/internal/identity"
)

// Route is one entry of the route table: all that is known of a route, for
// those who match, guard and document it.
type Route struct {
	Method  string
	Pattern string // of http.ServeMux, without the method
	Summary string
	Access  Access
	// Action is the scope that a Scoped route needs.
	Action   identity.Action
	Limiting Limiting
	Params   []Param // query parameters; no others are taken
	Input    string  // what the body holds, in words; "" for no body
	Output   string  // what data holds, in words
	// Resource is the curated resource that the route belongs to, or nil.
	Resource *Resource
	// Model is what the route is about where its path does not say so, or "".
	Model string
	// Style is how answers and errors are written.
	Style Style

	handler handler
}

// handler reads the input of a request (the route step) and gives back what
// the handle step runs with it.
type handler func(c *call) (run func() (reply, error), err error)

// with joins a function that reads an input and one that works on it.
func with[In any](read func(*call) (In, error), work func(*call, In) (reply, error)) handler {
	return func(c *call) (func() (reply, error), error) {
		in, err := read(c)
		if err != nil {
			return nil, err
		}
		return func() (reply, error) { return work(c, in) }, nil
	}
}

// bare is a handler that needs nothing but what the pipeline knows already.
func bare(work func(*call) (reply, error)) handler {
	return func(c *call) (func() (reply, error), error) {
		return func() (reply, error) { return work(c) }, nil
	}
}

// routes is the whole route table.
func (s *Server) routes() []Route {
	all := s.systemRoutes()
	all = append(all, s.sessionRoutes()...)
	all = append(all, s.settingRoutes()...)
	all = append(all, s.oauthRoutes()...)
	all = append(all, s.batchRoutes()...)
	for i := range s.deps.Resources {
		all = append(all, s.resourceRoutes(&s.deps.Resources[i])...)
	}
	all = append(all, s.upsertRoutes()...)
	return withDryRun(append(all, s.recordRoutes()...))
}

// Routes lists all routes, for the API document.
func (s *Server) Routes() []Route { return append([]Route(nil), s.table...) }

// systemRoutes are about the server itself.
func (s *Server) systemRoutes() []Route {
	return []Route{
		{
			Method: "GET", Pattern: "/{$}", Access: Public, Limiting: Counted, handler: bare(s.about),
			Summary: "What this server is", Output: "name, version and links",
		},
		{
			Method: "GET", Pattern: "/healthz", Access: Public, Limiting: Uncounted, handler: bare(s.alive),
			Summary: "Whether the process is alive", Output: `{"status": "ok"}`,
		},
		{
			Method: "GET", Pattern: "/readyz", Access: Public, Limiting: Uncounted, handler: bare(s.ready),
			Summary: "Whether store and backend can be reached; 503 if not", Output: `{"status": "ready"}`,
		},
		{
			Method: "GET", Pattern: "/api/v1/ping", Access: AnyCredential, Limiting: Counted, handler: bare(s.ping),
			Summary: "Checks a credential", Output: "pong, user and timestamp",
		},
	}
}

// settingRoutes are for administrators.
func (s *Server) settingRoutes() []Route {
	return []Route{
		{
			Method: "GET", Pattern: "/api/v1/settings", Access: AdminOnly, Limiting: Counted, handler: bare(s.showSettings),
			Summary: "All settings", Output: "values by name; meta.settings describes them",
		},
		{
			Method: "PATCH", Pattern: "/api/v1/settings", Access: AdminOnly, Limiting: Counted,
			handler: with(s.readObject, s.changeSettings),
			Summary: "Changes settings: all that are given, or none", Input: "values by name; null goes back to the default",
			Output: "values by name",
		},
		{
			Method: "POST", Pattern: "/api/v1/settings/rotate_signing_key", Access: AdminOnly, Limiting: Counted,
			handler: bare(s.rotateSigningKey),
			Summary: "Makes a new key that tokens are signed with; tokens of the old one hold until they expire",
			Output:  `{"rotated": true}`,
		},
	}
}

// recordRoutes are the universal ones: any model, no code.
func (s *Server) recordRoutes() []Route {
	const list, record = "/api/v1/{model}", "/api/v1/{model}/{id}"
	contextParams := contextParams()
	back := append([]Param{fieldsParam(), valuesParam()}, contextParams...)
	route := func(method, pattern, summary string, action identity.Action) Route {
		return Route{Method: method, Pattern: pattern, Summary: summary, Access: Scoped, Action: action, Limiting: Counted}
	}
	find := route("GET", list, "Finds records", identity.Read)
	find.Params, find.Output = listParams(), "a list of records"
	find.handler = with(s.readList, s.listRecords)

	get := route("GET", record, "Reads one record", identity.Read)
	get.Params, get.Output = back, "the record"
	get.handler = with(s.readOne, s.getRecord)

	create := route("POST", list, "Creates a record, or several in one transaction", identity.Write)
	create.Params, create.Input, create.Output = back, "an object of fields, or a list of them", "the id, or a list of ids; with fields= these fields too"
	create.handler = with(s.readCreate, s.createRecords)

	put := route("PUT", record, "Changes a record: the fields that are given", identity.Write)
	put.Params, put.Input, put.Output = back, "an object of fields", "the id; with fields= these fields too"
	put.handler = with(s.readWrite, s.writeRecord)
	patch := put
	patch.Method, patch.Summary = "PATCH", "The same as PUT"

	remove := route("DELETE", record, "Deletes a record", identity.Delete)
	remove.Params, remove.Output = contextParams, "the id"
	remove.handler = with(s.readOne, s.deleteRecord)

	onRecord := route("POST", record+"/{method}", "Calls a business method on a record", identity.Write)
	onRecord.Params, onRecord.Input, onRecord.Output = contextParams, "the arguments by name; may be empty", "what the method gives back"
	onRecord.handler = with(s.readCall, s.callMethod)

	onModel := route("POST", list+"/{method}", "Calls a business method of a model", identity.Write)
	onModel.Params, onModel.Input, onModel.Output = contextParams, `the arguments by name, and "ids" of records`, "what the method gives back"
	onModel.handler = with(s.readCall, s.callMethod)

	return []Route{find, get, create, put, patch, remove, onRecord, onModel}
}

func fieldsParam() Param {
	return Param{"fields", "string", "Fields to answer, separated by commas. Default: all stored, non-binary fields that the caller may read."}
}

func valuesParam() Param {
	return Param{"values", "string", "odoo: Odoo's raw shapes. Default: plain."}
}

// contextParams are the keys of Odoo's context.
func contextParams() []Param {
	return []Param{
		{"lang", "string", "Language of translated texts, e.g. fr_FR."},
		{"tz", "string", "Time zone for days in domains, e.g. Europe/Brussels."},
		{"company_ids", "string", "Active companies, separated by commas; the first is the current one."},
		{"active_test", "boolean", "false: archived records too."},
	}
}

// pageParams choose the part of a list.
func pageParams() []Param {
	return []Param{
		{"limit", "integer", "Records at most. Default and maximum are settings; 0 is the maximum."},
		{"offset", "integer", "Records to skip."},
		{"order", "string", "Fields to sort by, e.g. name asc, id desc."},
		{"count", "string", "none: do not count all matches. Default: exact."},
	}
}

func listParams() []Param {
	params := []Param{{"domain", "string", `Odoo domain, in Python or JSON: [["is_company","=",true]].`}, fieldsParam()}
	params = append(params, pageParams()...)
	return append(append(params, valuesParam()), contextParams()...)
}

// check finds what a route lacks to be safe to serve.
func (r *Route) check() error {
	name := r.Method + " " + r.Pattern
	switch {
	case r.Method == "" || !strings.HasPrefix(r.Pattern, "/"):
		return fmt.Errorf("route %q has no method or path", name)
	case r.Access < Public || r.Access > ClientOrAdmin:
		return fmt.Errorf("route %s does not say who may call it", name)
	case r.Limiting < Counted || r.Limiting > Uncounted:
		return fmt.Errorf("route %s does not say what it counts against", name)
	case r.Access == Scoped && r.Action == "":
		return fmt.Errorf("route %s does not say which scope it needs", name)
	case r.handler == nil || r.Summary == "":
		return fmt.Errorf("route %s has no handler or no summary", name)
	case len(r.Params) > 64: // parseParams counts them in a word of bits
		return fmt.Errorf("route %s has more than 64 parameters", name)
	}
	return nil
}

func checkRoutes(routes []Route) error {
	var errs []error
	for i := range routes {
		if err := routes[i].check(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// modelOf is the model that a request to the route is about, "" for none.
func (r *Route) modelOf(req *http.Request) string {
	if r.Resource != nil {
		return r.Resource.Model
	}
	if r.Model != "" {
		return r.Model
	}
	return req.PathValue("model")
}

func (r *Route) resourceName() string {
	if r.Resource != nil {
		return r.Resource.Name
	}
	return ""
}
