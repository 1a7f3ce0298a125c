package odoorpc

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"

	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

// protocol is a way to call an Odoo.
type protocol uint8

const (
	auto protocol = iota
	json2
	jsonrpc
	xmlrpc
	web
)

var protocols = map[string]protocol{"": auto, "auto": auto, "json2": json2, "jsonrpc": jsonrpc, "xmlrpc": xmlrpc, "web": web}

// String is the name as the option has it.
func (p protocol) String() string {
	return [...]string{auto: "auto", json2: "json2", jsonrpc: "jsonrpc", xmlrpc: "xmlrpc", web: "web"}[p]
}

// about says what a message is for: errors and the queue want to know.
type about struct {
	model, method string
	reads         bool
	who           string     // whose turn it is
	from          netip.Addr // who asked
}

func aboutOf(r *Request) about {
	return about{model: r.Model, method: r.Method, reads: r.Reads, who: r.For, from: r.From}
}

// message is an HTTP request to the Odoo, and what is to be done with its answer.
type message struct {
	about
	protocol protocol
	verb     string // "" is POST
	path     string
	body     []byte
	bearer   string   // of JSON-2
	named    bool     // name the database in a header
	session  *Session // of the web client; it follows the ids that answers bring
	cookie   string   // the id of the session that is sent

	setCookie string // the id that the answer brings
}

// json2 makes it a call of JSON-2.
func (m *message) json2(a *Account, r *Request) error {
	m.about, m.protocol, m.bearer = aboutOf(r), json2, a.Secret
	m.path = "/json/2/" + r.Model + "/" + r.Method
	arguments := r.Kwargs
	if r.IDs != nil {
		arguments = make(map[string]any, len(r.Kwargs)+1)
		for name, v := range r.Kwargs {
			arguments[name] = v
		}
		arguments["ids"] = r.IDs
	}
	if arguments == nil {
		arguments = map[string]any{}
	}
	return m.written(odoowire.AppendJSON2(nil, arguments))
}

// rpc makes it a call of JSON-RPC.
func (m *message) rpc(params any) error {
	return m.written(odoowire.AppendRPCCall(nil, params))
}

// callKW makes it a call of the web client.
func (m *message) callKW(r *Request) error {
	m.about, m.protocol = aboutOf(r), web
	m.path = "/web/dataset/call_kw/" + r.Model + "/" + r.Method
	args, kwargs := positional(r)
	return m.rpc(struct {
		Model  string         `json:"model"`
		Method string         `json:"method"`
		Args   []any          `json:"args"`
		Kwargs map[string]any `json:"kwargs"`
	}{r.Model, r.Method, args, kwargs})
}

// executeKW makes it a call of the service object.
func (m *message) executeKW(p protocol, db string, uid int64, secret string, r *Request) error {
	m.about = aboutOf(r)
	args, kwargs := positional(r)
	return m.service(p, "object", "execute_kw", db, uid, secret, r.Model, r.Method, args, kwargs)
}

// service makes it a call of one of the services of JSON-RPC and XML-RPC.
func (m *message) service(p protocol, service, method string, args ...any) error {
	if m.protocol = p; p == xmlrpc {
		m.path = "/xmlrpc/2/" + service
		return m.written(odoowire.AppendXMLCall(nil, method, args...))
	}
	m.path = "/jsonrpc"
	if args == nil {
		args = []any{}
	}
	return m.rpc(struct {
		Service string `json:"service"`
		Method  string `json:"method"`
		Args    []any  `json:"args"`
	}{service, method, args})
}

func (m *message) written(body []byte, err error) error {
	m.body = body
	return fault.Wrap(err, "write a call of Odoo")
}

// byPosition are the arguments that go by position where a protocol has that:
// Odoo looks for the values of a create nowhere else, and their names differ
// among versions (the domain of search_count is called args before 16) and
// modules (values of a write, fields of default_get).
var byPosition = map[string][]string{
	"create": {"vals_list"}, "write": {"vals"}, "search": {"domain"}, "search_count": {"domain"},
	"default_get": {"fields"}, "name_search": {"name", "domain"}, "read_group": {"domain", "fields", "groupby"},
}

// positional gives the arguments as execute_kw and call_kw take them: the ids
// first.
func positional(r *Request) (args []any, kwargs map[string]any) {
	args, kwargs = make([]any, 0, len(r.Args)+4), map[string]any{}
	maps.Copy(kwargs, r.Kwargs)
	if r.IDs != nil {
		args = append(args, r.IDs)
	}
	args = append(args, r.Args...)
	if len(r.Args) > 0 || (r.Method == "write") != (r.IDs != nil) {
		return args, kwargs
	}
	for _, name := range byPosition[r.Method] {
		v, named := kwargs[name]
		if !named {
			break
		}
		args = append(args, v)
		delete(kwargs, name)
	}
	return args, kwargs
}

// read takes the result out of an answer, or the error that it tells; or err,
// if it is no answer of the protocol.
func (m *message) read(a *answer) (result json.RawMessage, told *odoowire.Error, err error) {
	switch {
	case m.protocol == xmlrpc:
		return m.readXML(a)
	case m.protocol == json2:
		if a.status == 200 {
			if !json.Valid(a.body) {
				return nil, nil, errNotJSON
			}
			return bytes.TrimSpace(a.body), nil, nil
		}
		told, err = odoowire.DecodeError(a.body, a.status)
		return nil, told, err
	case a.status != 200: // tells errors with 200
		return nil, nil, errNoAnswer
	}
	return odoowire.DecodeRPCAnswer(a.body)
}

func (m *message) readXML(a *answer) (json.RawMessage, *odoowire.Error, error) {
	if a.status != 200 {
		return nil, nil, errNoAnswer
	}
	v, told, err := odoowire.DecodeXMLResponse(a.body)
	if err != nil {
		return nil, nil, err
	}
	if told != nil && told.Message == odoowire.ErrNil.Error() && !m.reads {
		return json.RawMessage("null"), nil, nil // it is done; only the answer could not be written
	}
	if told != nil {
		return nil, told, nil
	}
	result, err := odoowire.AppendJSON2(nil, v)
	return result, nil, err
}
