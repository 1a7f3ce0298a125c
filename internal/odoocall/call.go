// Package odoocall is Odoo's own way to ask: the public methods of models, by
// name and named arguments (JSON-2, Odoo 19), over any backend. Results have
// Odoo's shapes: false for what is not set, [id, name] for a many2one, "YYYY-MM-DD
// HH:MM:SS" in UTC for a moment.
package odoocall

import (
	"context"
	"errors"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// call is one call on its way.
type call struct {
	ctx    context.Context
	b      backend.Backend
	caller *backend.Caller
	model  string
	args   arguments
}

// method is a public method that every model has.
type method struct {
	// onIDs: works on the records named by "ids"; else on the model.
	onIDs bool
	// takes are the other arguments; those in needs must be given.
	takes, needs []string
	do           func(*call) (any, error)
}

// Call runs a method. kwargs are the named arguments as decoded from JSON, "ids"
// and "context" among them. The caller's own context is replaced. Errors are
// those of the backend; wrong arguments are Unprocessable, methods that are not
// public Forbidden, unknown ones NotFound.
func Call(ctx context.Context, b backend.Backend, c *backend.Caller, model, name string, kwargs map[string]any) (any, error) {
	caller := *c
	var err error
	if caller.Context, err = readContext(kwargs["context"]); err != nil {
		return nil, err
	}
	in := &call{ctx: ctx, b: b, caller: &caller, model: model, args: arguments{kwargs}}
	if IsPrivate(name) {
		return nil, fault.Newf(fault.Forbidden, "Private methods (such as '%s.%s') cannot be called remotely.", model, name)
	}
	if name == "context_get" && model == "res.users" {
		return in.contextGet()
	}
	m, ok := lookup(name)
	if !ok {
		return in.business(name)
	}
	if err := in.args.check(m); err != nil {
		return nil, err
	}
	result, err := m.do(in)
	if errors.Is(err, errDomain) { // Odoo asks for the right to read before it reads the domain
		if refused := in.mayRead(); refused != nil {
			err = refused
		}
	}
	if errors.Is(err, backend.ErrHidden) { // Odoo hides records, not models
		err = fault.Newf(fault.Forbidden, "You are not allowed to access %s records", model)
	}
	return result, err
}

// mayRead is why the caller may not read any records of the model.
func (c *call) mayRead() error {
	none := &backend.Query{Model: c.model, Domain: domain.Const(false), Fields: []string{"id"}}
	_, err := c.b.Search(c.ctx, c.caller, none, &backend.Page{})
	return err
}

func methods() map[string]method {
	return map[string]method{
		"search":       {takes: []string{"domain", "offset", "limit", "order"}, needs: []string{"domain"}, do: search},
		"search_count": {takes: []string{"domain", "limit"}, needs: []string{"domain"}, do: searchCount},
		"search_read":  {takes: []string{"domain", "fields", "offset", "limit", "order", "load"}, do: searchRead},
		"read":         {onIDs: true, takes: []string{"fields", "load"}, do: read},
		"name_search":  {takes: []string{"name", "domain", "operator", "limit"}, do: nameSearch},
		"check_access_rights": {
			takes: []string{"operation", "raise_exception"}, needs: []string{"operation"}, do: checkAccessRights,
		},
		"has_access":   {onIDs: true, takes: []string{"operation"}, needs: []string{"operation"}, do: hasAccess},
		"create":       {takes: []string{"vals_list"}, needs: []string{"vals_list"}, do: create},
		"write":        {onIDs: true, takes: []string{"vals"}, needs: []string{"vals"}, do: write},
		"unlink":       {onIDs: true, do: unlink},
		"fields_get":   {takes: []string{"allfields", "attributes"}, do: fieldsGet},
		"default_get":  {takes: []string{"fields"}, needs: []string{"fields"}, do: defaultGet},
		"get_metadata": {onIDs: true, do: getMetadata},
		"web_read":     {onIDs: true, takes: []string{"specification"}, needs: []string{"specification"}, do: webRead},
		"web_search_read": {
			takes: []string{"domain", "specification", "offset", "limit", "order", "count_limit"},
			needs: []string{"domain", "specification"}, do: webSearchRead,
		},
	}
}

// privateMethods are those of Odoo's base model that its code keeps to itself
// (marked private there, though their names do not say so).
const privateMethods = " browse check_access concat ensure_one exists filtered filtered_domain grouped invalidate_model " +
	"invalidate_recordset mapped modified sorted sudo toggle_active union with_company with_context with_env " +
	"with_prefetch with_user flush_model flush_recordset init fields_view_get "

// business runs a method of the model's own.
func (c *call) business(name string) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	args := backend.Values{}
	for k, v := range c.args.given {
		if k != "ids" && k != "context" {
			args[k] = v
		}
	}
	return c.b.Call(c.ctx, c.caller, c.model, name, ids, args)
}

// check refuses arguments that the method does not take, as Python would.
func (a arguments) check(m method) error {
	for _, name := range m.needs {
		if _, ok := a.given[name]; !ok {
			return withCause(fault.Newf(fault.Unprocessable, "missing a required argument: '%s'", name))
		}
	}
	for name := range a.given {
		switch {
		case name == "context" || slices.Contains(m.takes, name):
		case name == "ids" && m.onIDs:
		case name == "ids":
			return withCause(fault.New(fault.Unprocessable, "the method belongs to the model: it cannot be called with ids"))
		default:
			return withCause(fault.Newf(fault.Unprocessable, "got an unexpected keyword argument '%s'", name))
		}
	}
	return nil
}

// ErrArguments is the cause of the fault of arguments that a method does not take.
var ErrArguments = errors.New("not the arguments of the method")

func withCause(f *fault.Error) *fault.Error { return f.Because(ErrArguments) }
