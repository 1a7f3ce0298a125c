package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
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
	// Doc is what the API document says beside.
	Doc Doc

	handler handler
	open    func(*http.Request, []byte) (Exchange, error) // of another protocol than REST, else nil
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
	all = append(all, s.pageSessionRoutes()...)
	all = append(all, s.settingRoutes()...)
	all = append(all, s.oauthRoutes()...)
	all = append(all, s.batchRoutes()...)
	all = append(all, s.documentRoutes()...)
	all = append(all, s.telemetryRoutes()...)
	for i := range s.deps.Resources {
		all = append(all, s.resourceRoutes(&s.deps.Resources[i])...)
	}
	all = append(all, s.modelRoutes()...)
	all = append(all, s.queryRoutes()...)
	all = append(all, s.upsertRoutes()...)
	all = append(all, s.contentRoutes()...)
	all = append(all, s.uploadRoutes()...)
	return withConditions(append(all, s.recordRoutes()...))
}

// Routes lists all routes, for the API document.
func (s *Server) Routes() []Route { return append([]Route(nil), s.table...) }

// Resources lists the curated resources, for the API document.
func (s *Server) Resources() []Resource { return append([]Resource(nil), s.deps.Resources...) }

// systemRoutes are about the server itself.
func (s *Server) systemRoutes() []Route {
	return []Route{
		{
			Method: "GET", Pattern: "/{$}", Access: Public, Limiting: Counted, handler: bare(s.about),
			Summary: "What this server is", Output: "name, version, odoo and links",
			Doc: Doc{ID: "about", Tag: TagSystem, Data: wire.Object(
				wire.Must("name", wire.Text("")), wire.Must("version", wire.Text("")),
				wire.Must("odoo", wire.Truth("Whether the records are those of an Odoo.")), wire.Must("links", wire.MapOf(wire.Text("A path."), "")))},
		},
		{
			Method: "GET", Pattern: "/healthz", Access: Public, Limiting: Uncounted, handler: bare(s.alive),
			Summary: "Whether the process is alive", Output: `{"status": "ok"}`,
			Doc: Doc{ID: "health", Tag: TagSystem, Data: wire.Object(wire.Must("status", wire.Word("", "ok")))},
		},
		{
			Method: "GET", Pattern: "/readyz", Access: Public, Limiting: Uncounted, handler: bare(s.ready),
			Summary: "Whether store and backend can be reached; 503 if not", Output: `{"status": "ready"}`,
			Doc: Doc{ID: "ready", Tag: TagSystem, Data: wire.Object(wire.Must("status", wire.Word("", "ready")))},
		},
		{
			Method: "GET", Pattern: "/api/v1/ping", Access: AnyCredential, Limiting: Counted, handler: bare(s.ping),
			Summary: "Checks a credential", Output: "pong, user and timestamp",
			Doc: Doc{ID: "ping", Tag: TagSession, Data: wire.Object(
				wire.Must("pong", wire.Truth("")), wire.Must("user", wire.Named("User")), wire.Must("timestamp", wire.Instant("")))},
		},
	}
}

// settingRoutes are for administrators.
func (s *Server) settingRoutes() []Route {
	return []Route{
		{
			Method: "GET", Pattern: "/api/v1/settings", Access: AdminOnly, Limiting: Counted, handler: bare(s.showSettings),
			Summary: "All settings", Output: "values by name; meta.settings describes them",
			Doc: Doc{
				ID: "getSettings", Tag: TagSettings, Data: wire.Named("Settings"),
				Meta: wire.Object(wire.Must("settings", wire.ListOf(wire.Named("Setting"), ""))),
			},
		},
		{
			Method: "PATCH", Pattern: "/api/v1/settings", Access: AdminOnly, Limiting: Counted,
			handler: with(s.readObject, s.changeSettings),
			Summary: "Changes settings: all that are given, or none", Input: "values by name; null goes back to the default",
			Output: "values by name",
			Doc: Doc{
				ID: "updateSettings", Tag: TagSettings, Body: wire.Named("Settings"), Data: wire.Named("Settings"),
				Faults: []fault.Kind{fault.Unprocessable},
			},
		},
		{
			Method: "POST", Pattern: "/api/v1/settings/rotate_signing_key", Access: AdminOnly, Limiting: Counted,
			handler: bare(s.rotateSigningKey),
			Summary: "Makes a new key that tokens are signed with; tokens of the old one hold until they expire",
			Output:  `{"rotated": true}`,
			Doc:     Doc{ID: "rotateSigningKey", Tag: TagSettings, Data: wire.Object(wire.Must("rotated", wire.Truth("")))},
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
	find.Params, find.Output = listParams(), "a list of records; text/csv and application/x-ndjson are streams of all"
	find.Doc = Doc{ID: "listRecords", Data: wire.ListOf(wire.Named(SchemaRecord), ""), Meta: wire.Named("Page"), Also: streamedMedia()}
	find.handler = with(s.readList, s.listRecords)

	get := route("GET", record, "Reads one record", identity.Read)
	get.Params, get.Output = back, "the record"
	get.Doc = Doc{ID: "getRecord", Data: wire.Named(SchemaRecord)}
	get.handler = with(s.readOne, s.getRecord)

	create := route("POST", list, "Creates a record, or several in one transaction", identity.Write)
	create.Params, create.Input, create.Output = back, "an object of fields, or a list of them", "the id, or a list of ids; with fields= these fields too"
	create.Doc = Doc{
		ID: "createRecords", Body: wire.Named(SchemaCreates), Data: oneOrSeveral(SchemaRecord),
		Statuses: []int{http.StatusCreated}, Tells: []string{"Location"},
	}
	create.handler = with(s.readCreate, s.createRecords)

	put := route("PUT", record, "Changes a record: the fields that are given", identity.Write)
	put.Params, put.Input, put.Output = back, "an object of fields", "the id; with fields= these fields too"
	put.Doc = Doc{ID: "replaceRecord", Body: wire.Named(SchemaUpdate), Data: wire.Named(SchemaRecord)}
	put.handler = with(s.readWrite, s.writeRecord)
	patch := put
	patch.Method, patch.Summary, patch.Doc.ID = "PATCH", "The same as PUT", "updateRecord"

	remove := route("DELETE", record, "Deletes a record", identity.Delete)
	remove.Params, remove.Output = contextParams, "the id"
	remove.Doc = Doc{ID: "deleteRecord", Data: wire.Named("ID")}
	remove.handler = with(s.readOne, s.deleteRecord)

	onRecord := route("POST", record+"/{method}", "Calls a business method on a record", identity.Write)
	onRecord.Params, onRecord.Input, onRecord.Output = contextParams, "the arguments by name; may be empty", "what the method gives back"
	onRecord.Doc = Doc{
		ID: "callRecord", Body: wire.MapOf(wire.Anything("An argument."), ""), Optional: true,
		Data: wire.Anything("What the method gives back; null for nothing."),
	}
	onRecord.handler = with(s.readCall, s.callMethod)

	onModel := route("POST", list+"/{method}", "Calls a business method of a model", identity.Write)
	onModel.Params, onModel.Input, onModel.Output = contextParams, `the arguments by name, and "ids" of records`, "what the method gives back"
	onModel.Doc = Doc{
		ID: "callModel", Body: wire.Object(wire.May("ids", wire.ListOf(wire.RecordID(""), "The records to work on."))).Open("An argument."), Optional: true,
		Data: wire.Anything("What the method gives back; null for nothing."), Example: map[string]any{"name": "lind", "limit": 3},
	}
	onModel.handler = with(s.readCall, s.callMethod)

	all := []Route{find, get, create, put, patch, remove, onRecord, onModel}
	for i := range all {
		all[i].Doc.Tag = TagRecords
	}
	return all
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
		{"count", "string", "none: do not count all matches. Default: exact, but none behind a cursor."},
		{"cursor", "string", "meta.next_cursor of the page before: reads on behind its last record. Empty begins."},
		{"formulas", "string", "keep: CSV leaves texts that begin like a formula as they are. Default: quote, an apostrophe before them."},
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
	case r.Access < Public || r.Access > OptionalCredential:
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
	return r.undescribed()
}

func checkRoutes(routes []Route) error {
	var errs []error
	ids := map[string]bool{}
	for i := range routes {
		if err := routes[i].check(); err != nil {
			errs = append(errs, err)
		}
		if id := routes[i].Doc.ID; ids[id] {
			errs = append(errs, fmt.Errorf("two routes have the Doc.ID %q", id))
		}
		ids[routes[i].Doc.ID] = true
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
