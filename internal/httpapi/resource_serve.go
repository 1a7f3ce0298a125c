package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// curated serves a resource: the same universal calls of the backend, seen
// through the declaration.
type curated struct {
	*Server
	res *Resource
}

// resourceRoutes are the routes of a curated resource.
func (s *Server) resourceRoutes(res *Resource) []Route {
	r, plural := curated{s, res}, res.tag()
	list := "/api/v1/" + res.Name
	record, object := list+"/{id}", "the whole "+strings.ToLower(res.Label)
	route := func(method, pattern, summary string, action identity.Action, h handler) Route {
		return Route{
			Method: method, Pattern: pattern, Summary: summary, Access: Scoped, Action: action, Limiting: Counted,
			Resource: res, Params: contextParams(), Output: object, handler: h,
			Doc: Doc{Tag: plural, Data: wire.Named(res.Label)},
		}
	}
	ignored := wire.Object(wire.May("ignored_fields", wire.ListOf(wire.Text(""), "Input that was not taken.")))
	find := route("GET", list, "Lists "+res.Name, identity.Read, with(s.readList, r.list))
	find.Params, find.Output = res.listParams(), "a list"
	find.Doc = Doc{ID: "list" + plural, Tag: plural, Data: wire.ListOf(wire.Named(res.Label), ""), Meta: wire.Named("NumberedPage"), Also: streamedMedia()}
	create := route("POST", list, "Creates one or several "+res.Name, identity.Write, with(s.readCreate, r.create))
	create.Input = "an object, or a list of them"
	create.Doc = Doc{
		ID: "create" + plural, Tag: plural, Body: wire.Named(res.schemaOfCreates()), Data: oneOrSeveral(res.Label), Meta: ignored,
		Statuses: []int{http.StatusCreated}, Tells: []string{"Location"},
	}
	put := route("PUT", record, "Changes the given fields", identity.Write, with(s.readWrite, r.update))
	put.Input = "an object of fields"
	put.Doc.ID, put.Doc.Body, put.Doc.Meta = "replace"+res.Label, wire.Named(res.schemaOfUpdate()), ignored
	patch := put
	patch.Method, patch.Summary, patch.Doc.ID = "PATCH", "The same as PUT", "update"+res.Label
	remove := route("DELETE", record, "Deletes", identity.Delete, with(s.readOne, r.remove))
	remove.Output = "the id"
	remove.Doc.ID, remove.Doc.Data = "delete"+res.Label, wire.Named("ID")
	get := route("GET", record, "Reads one", identity.Read, with(s.readOne, r.get))
	get.Doc.ID = "get" + res.Label
	routes := []Route{find, get, create, put, patch, remove}
	for _, action := range res.Actions {
		act := route("POST", record+"/"+action.Name, "Runs "+action.Method, identity.Write,
			with(s.readAction, func(c *call, in actionInput) (reply, error) { return r.act(c, in, action) }))
		act.Input, act.Doc.ID, act.Doc.Optional = "arguments by name; may be empty", action.Name+res.Label, true
		act.Doc.Body = wire.MapOf(wire.Anything("An argument."), "")
		routes = append(routes, act)
	}
	return routes
}

// model describes the model of the resource, as far as the caller may use it.
func (r curated) model(c *call) (*schema.Model, error) {
	m, err := r.deps.Backend.Model(c.ctx, c.caller, r.res.Model)
	if fault.Is(err, fault.NotFound) {
		// The resource is there for everybody to see; what its model is called is not the caller's business.
		return nil, fault.New(fault.Forbidden, "You are not allowed to access "+r.res.Name).Because(err)
	}
	return m, err
}

// view prepares to show records of the resource, in the call's own buffer.
func (r curated) view(c *call, m *schema.Model) (*view, error) {
	v, err := r.newView(c, m, r.res.Fields)
	if err == nil {
		v.buf, v.home = c.rows.Lend(), &c.rows
	}
	return v, err
}

// list answers a page.
func (r curated) list(c *call, in listInput) (reply, error) {
	m, err := r.model(c)
	if err != nil {
		return reply{}, err
	}
	query := backend.Query{
		Model: r.res.Model, DomainText: r.res.Domain, Limit: in.limit, Offset: in.offset, Count: !in.uncounted,
		Keyset: &backend.Keyset{After: in.cursor, Wanted: in.following},
	}
	if query.Domain, err = r.res.condition(m, &in.params); err != nil {
		return reply{}, err
	}
	if query.Order, err = r.res.order(m, in.order); err != nil {
		return reply{}, err
	}
	if form := c.accepted(); form != asJSON {
		return r.stream(c, m, &in.params, &query, form)
	}
	v, err := r.view(c, m)
	if err != nil {
		return reply{}, err
	}
	query.Fields = v.asked
	total, err := r.deps.Backend.Search(c.ctx, c.caller, &query, v)
	if err == nil {
		err = r.fetchLines(c, v)
	}
	if err != nil {
		return reply{}, err
	}
	raw, _ := v.finish()
	return reply{raw: raw, meta: in.pageMeta(total, v.count, query.Keyset.Next)}, nil
}

// get answers one record.
func (r curated) get(c *call, in recordInput) (reply, error) {
	raw, err := r.show(c, in.id)
	return reply{raw: raw, tagged: err == nil, version: c.stamp.version}, err
}

// show gives a record as the resource shows it.
func (r curated) show(c *call, id int64) ([]byte, error) {
	m, err := r.model(c)
	if err != nil {
		return nil, err
	}
	v, err := r.view(c, m)
	if err != nil {
		return nil, err
	}
	v.one = true
	c.stamp = stamped{next: v}
	if err := r.search(c, []int64{id}, v.asked, &c.stamp); err != nil {
		return nil, r.missing(err, id)
	}
	if err := r.fetchLines(c, v); err != nil {
		return nil, err
	}
	raw, found := v.finish()
	if !found {
		return nil, r.missing(fault.New(fault.NotFound, ""), id)
	}
	return raw, nil
}

// search finds records by id, if they belong to the resource.
func (r curated) search(c *call, ids []int64, fields []string, sink backend.Sink) error {
	query := backend.Query{Model: r.res.Model, Fields: fields, IDs: ids}
	_, query.Version = sink.(*stamped)
	caller := c.caller
	if r.res.Domain != "" {
		query.IDs, query.Domain, query.DomainText = nil, oneOfIDs("id", ids), r.res.Domain
		own := *c.caller
		own.Context.KeepArchived = true // as by id
		caller = &own
	}
	_, err := r.deps.Backend.Search(c.ctx, caller, &query, sink)
	return err
}

// belongs says whether a record is one of the resource's.
func (r curated) belongs(c *call, id int64) error {
	if r.res.Domain == "" {
		return nil
	}
	found := &backend.Page{}
	if err := r.search(c, []int64{id}, []string{"id"}, found); err != nil {
		return err
	}
	if len(found.Rows) == 0 {
		return r.missing(fault.New(fault.NotFound, ""), id)
	}
	return nil
}

// missing puts the resource's own name into a NotFound.
func (r curated) missing(err error, id int64) error {
	if fault.Is(err, fault.NotFound) {
		return notFoundf("%s %d not found", r.res.Label, id)
	}
	return err
}

// create makes one record, or several in one transaction.
func (r curated) create(c *call, in createInput) (reply, error) {
	m, err := r.model(c)
	if err != nil {
		return reply{}, err
	}
	intake := &intake{Reader: r.reader(c), creating: true}
	values := make([]backend.Values, len(in.objects))
	for i, object := range in.objects {
		at := ""
		if in.bulk {
			at = wire.Element("", i) + "."
		}
		values[i] = intake.record(m, r.res.Fields, object, at)
	}
	if err := intake.Err(); err != nil {
		return reply{}, err
	}
	if err := r.checkLinks(c, intake); err != nil {
		return reply{}, err
	}
	created, err := r.deps.Backend.Create(c.ctx, c.caller, r.res.Model, values)
	if err != nil {
		return reply{}, err
	}
	answer := reply{created: true, message: r.res.Label + " created successfully", meta: ignored(intake.ignored)}
	if in.bulk {
		answer.raw, err = r.showAll(c, m, created)
		return answer, err
	}
	id := created.IDs[0]
	answer.location = "/api/v1/" + r.res.Name + "/" + strconv.FormatInt(id, 10)
	answer.raw, err = r.shown(c, id)
	return answer, err
}

// shown is show for a record that was just written, also by somebody who may
// not read it.
func (r curated) shown(c *call, id int64) ([]byte, error) {
	raw, err := r.show(c, id)
	if err != nil && r.unreadable(c, err) {
		return appendID(nil, id, nil), nil
	}
	return raw, err
}

// showAll shows new records in the order in which they were sent.
func (r curated) showAll(c *call, m *schema.Model, created *backend.Created) ([]byte, error) {
	v, err := r.view(c, m)
	if err != nil {
		return nil, err
	}
	v.keep = true
	if err = r.search(c, created.IDs, v.asked, v); err == nil {
		err = r.fetchLines(c, v)
	}
	switch {
	case err == nil && v.sort(created.IDs):
		raw, _ := v.finish()
		return raw, nil
	case err == nil || r.unreadable(c, err):
		return appendIDList(nil, created), nil
	}
	return nil, err
}

func ignored(names []string) *meta {
	if len(names) == 0 {
		return nil
	}
	return &meta{ignored: names}
}

// update changes the given fields of a record.
func (r curated) update(c *call, in writeInput) (reply, error) {
	m, err := r.model(c)
	if err != nil {
		return reply{}, err
	}
	if err := r.belongs(c, in.id); err != nil {
		return reply{}, err
	}
	intake := &intake{Reader: r.reader(c)}
	if intake.lines, err = r.lineIDs(c, m, in); err != nil {
		return reply{}, err
	}
	values := intake.record(m, r.res.Fields, in.object, "")
	if err := intake.Err(); err != nil {
		return reply{}, err
	}
	if err := r.checkLinks(c, intake); err != nil {
		return reply{}, err
	}
	if err := r.deps.Backend.Write(c.ctx, c.caller, r.res.Model, []int64{in.id}, values); err != nil {
		return reply{}, r.missing(err, in.id)
	}
	answer := reply{message: r.res.Label + " updated successfully", meta: ignored(intake.ignored)}
	answer.raw, err = r.shown(c, in.id)
	return answer, err
}

// lineIDs reads which lines a record has, where the body is about lines.
func (r curated) lineIDs(c *call, m *schema.Model, in writeInput) (map[string][]int64, error) {
	var fields []string
	for i := range r.res.Fields {
		f := &r.res.Fields[i]
		if _, given := f.givenAs(in.object); given && f.Lines != nil && m.Field(f.modelField()) != nil {
			fields = append(fields, f.modelField())
		}
	}
	if fields == nil {
		return nil, nil
	}
	found := &backend.Page{}
	if err := r.search(c, []int64{in.id}, append([]string{"id"}, fields...), found); err != nil {
		return nil, r.missing(err, in.id)
	}
	if len(found.Rows) == 0 {
		return nil, r.missing(fault.New(fault.NotFound, ""), in.id)
	}
	lines := make(map[string][]int64, len(fields))
	for _, name := range fields {
		lines[name] = found.Get(0, name).List
	}
	return lines, nil
}

// remove deletes a record.
func (r curated) remove(c *call, in recordInput) (reply, error) {
	if _, err := r.model(c); err != nil {
		return reply{}, err
	}
	if err := r.belongs(c, in.id); err != nil {
		return reply{}, err
	}
	if err := r.deps.Backend.Unlink(c.ctx, c.caller, r.res.Model, []int64{in.id}); err != nil {
		return reply{}, r.missing(err, in.id)
	}
	return reply{raw: appendID(nil, in.id, nil), message: r.res.Label + " deleted successfully"}, nil
}

// actionInput is a request to run an action on a record.
type actionInput struct {
	id        int64
	arguments map[string]any
}

func (s *Server) readAction(c *call) (actionInput, error) {
	id, err := c.recordID()
	if err != nil {
		return actionInput{}, err
	}
	arguments, err := s.readArguments(c)
	return actionInput{id, arguments}, err
}

// act runs a business method and answers the record as it is then.
func (r curated) act(c *call, in actionInput, action ResourceAction) (reply, error) {
	if _, err := r.model(c); err != nil {
		return reply{}, err
	}
	if err := r.belongs(c, in.id); err != nil {
		return reply{}, err
	}
	_, err := r.deps.Backend.Call(c.ctx, c.caller, r.res.Model, action.Method, []int64{in.id}, in.arguments)
	if err != nil {
		return reply{}, r.missing(err, in.id)
	}
	raw, err := r.shown(c, in.id)
	return reply{raw: raw, message: r.res.Label + " " + action.Past + " successfully"}, err
}
