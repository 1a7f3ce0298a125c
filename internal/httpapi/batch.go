package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/throttle"
)

const batchPattern = apiPrefix + "batch"

// maxOperations is how many operations a batch may hold.
const maxOperations = 100

// operation is one request of a batch.
type operation struct {
	method, path string
	body         any
	hasBody      bool
	as           string // by what name later ones refer to its data
	ifMatch      string
}

// batchRoutes is the route of batches.
func (s *Server) batchRoutes() []Route {
	return []Route{{
		Method: "POST", Pattern: batchPattern, Access: AnyCredential, Limiting: Counted,
		handler: with(s.readBatch, s.runBatch),
		Summary: "Runs several operations in one transaction: all or none",
		Input: `operations: up to 100 objects of method, path, body, as and if_match; {"$ref": "p.id"} in a body and {p.id} in a path ` +
			`stand for what the operation named p answered`,
		Output: "status, location and body of each operation",
		Doc: Doc{
			ID: "batch", Tag: TagRecords, Faults: []fault.Kind{fault.NotFound, fault.Precondition},
			Body: wire.Object(wire.Must("operations", wire.ListOf(wire.Object(
				wire.Must("method", wire.Word("", "GET", "POST", "PUT", "PATCH", "DELETE")),
				wire.Must("path", wire.Text("Path and query; {p.id} stands for what the operation p answered.").Like("/api/v1/res.partner")),
				wire.May("body", wire.Anything(`As that of the route; {"$ref": "p.id"} stands for what the operation p answered.`)),
				wire.May("as", wire.Text("A name for later operations to refer to.").Like("p")),
				wire.May("if_match", wire.Text("The header If-Match of the operation."))), "At most 100."))),
			Data: wire.ListOf(wire.Object(wire.Must("status", wire.Whole("").Like(201)), wire.May("location", wire.Text("")),
				wire.Must("body", wire.Anything("The answer as it would be alone."))), ""),
			Example: map[string]any{"operations": []any{
				map[string]any{"method": "POST", "path": "/api/v1/res.partner", "body": map[string]any{"name": "Acme Corp"}, "as": "p"},
				map[string]any{"method": "PUT", "path": "/api/v1/res.partner/{p.id}", "body": map[string]any{"phone": "+32 2 555 01 23"}},
			}},
		},
	}}
}

func (s *Server) readBatch(c *call) ([]operation, error) {
	object, err := s.readObject(c)
	if err != nil {
		return nil, err
	}
	for name := range object {
		if name != "operations" {
			return nil, badOperation(-1, "unknown member "+wire.Name(name)+", expected operations")
		}
	}
	list, ok := object["operations"].([]any)
	if !ok || len(list) == 0 || len(list) > maxOperations {
		return nil, badOperation(-1, "operations must be a list of 1 to "+strconv.Itoa(maxOperations)+" objects")
	}
	operations := make([]operation, len(list))
	names := map[string]bool{}
	for i, element := range list {
		op, err := readOperation(i, element)
		if err != nil {
			return nil, err
		}
		if op.as != "" && names[op.as] {
			return nil, badOperation(i, "the name "+wire.Name(op.as)+" is given twice")
		}
		names[op.as] = true
		operations[i] = op
	}
	return operations, nil
}

func readOperation(i int, element any) (op operation, err error) {
	object, ok := element.(map[string]any)
	if !ok {
		return op, badOperation(i, "expected an object, found "+wire.Describe(element))
	}
	texts := map[string]*string{"method": &op.method, "path": &op.path, "as": &op.as, "if_match": &op.ifMatch}
	for name, value := range object {
		if name == "body" {
			op.body, op.hasBody = value, value != nil
			continue
		}
		into, known := texts[name]
		if !known {
			return op, badOperation(i, "unknown member "+wire.Name(name)+", expected method, path, body, as or if_match")
		}
		if *into, ok = value.(string); !ok {
			return op, badOperation(i, name+" must be a text")
		}
	}
	switch op.method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return op, badOperation(i, "method must be GET, POST, PUT, PATCH or DELETE")
	}
	if !strings.HasPrefix(op.path, apiPrefix) {
		return op, badOperation(i, "path must begin with "+apiPrefix)
	}
	if op.as != "" && !operationName(op.as) {
		return op, badOperation(i, "as must be a word of letters, digits and _, that begins with a letter")
	}
	return op, nil
}

func operationName(name string) bool {
	return len(name) <= 64 && fieldName(name) && !strings.Contains(name, ".") && (name[0] < '0' || name[0] > '9')
}

// badOperation is the error about an operation, or about the whole for -1.
func badOperation(i int, what string) error {
	message := "Invalid batch: "
	details := map[string]any{"problem": what}
	if i >= 0 {
		message += "operation " + strconv.Itoa(i) + ": "
		details["operation"] = i
	}
	return fault.New(fault.BadRequest, message+what).With(details)
}

// done is the answer of one operation.
type done struct {
	Status   int             `json:"status"`
	Location string          `json:"location,omitempty"`
	Body     json.RawMessage `json:"body"`
}

// runBatch runs the operations one after another in one transaction.
func (s *Server) runBatch(c *call, operations []operation) (reply, error) {
	if err := s.countMore(c, len(operations)-1); err != nil {
		return reply{}, err
	}
	var all []done
	secret := false
	err := s.atomically(c, func() error {
		all, secret = make([]done, 0, len(operations)), false
		data := map[string]any{}
		for i := range operations {
			op := &operations[i]
			one, hidden, err := s.operate(c, op, data)
			if err != nil {
				return atOperation(err, i, op)
			}
			secret = secret || hidden
			all = append(all, one)
			if op.as != "" {
				data[op.as] = dataOf(one.Body)
			}
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return reply{data: all, secret: secret, message: strconv.Itoa(len(all)) + " operations done"}, nil
}

// atOperation says which operation a fault is about.
func atOperation(err error, i int, op *operation) error {
	f := *fault.From(err)
	if f.Kind == fault.Internal {
		return err
	}
	details := map[string]any{"operation": i, "method": op.method, "path": op.path}
	if f.Details != nil {
		details["details"] = f.Details
	}
	f.Message = "Operation " + strconv.Itoa(i) + ": " + f.Message
	f.Details = details
	return &f
}

// countMore counts the rest of a batch against the caller's limits: together
// they are one statement (see package throttle).
func (s *Server) countMore(c *call, n int) error {
	subject, windows := s.limitsOf(c)
	if len(windows) == 0 || n <= 0 {
		return nil
	}
	var group sync.WaitGroup
	decisions, errs := make([]throttle.Decision, n), make([]error, n)
	for i := range n {
		group.Go(func() { decisions[i], errs[i] = s.deps.Limiter.Take(c.ctx, subject, windows) })
	}
	group.Wait()
	for i := range n {
		switch {
		case errs[i] != nil && s.deps.AdmitUncounted && c.ctx.Err() == nil && fault.Is(errs[i], fault.Unavailable):
			continue
		case errs[i] != nil:
			return errs[i]
		case !decisions[i].Allowed:
			c.limited, c.decision = true, decisions[i]
			return decisions[i].Fault()
		case !c.limited || decisions[i].Remaining < c.decision.Remaining:
			c.limited, c.decision = true, decisions[i]
		}
	}
	return nil
}

// operate runs one operation through the steps that decide about it, as if it
// had been sent alone.
func (s *Server) operate(c *call, op *operation, data map[string]any) (one done, secret bool, err error) {
	sub, err := s.operationCall(c, op, data)
	if err != nil {
		return done{}, false, err
	}
	if sub.route.Access != Scoped {
		if sub.lost != nil {
			return done{}, false, sub.lost
		}
		return done{}, false, fault.New(fault.BadRequest, "A batch holds operations on records only")
	}
	if err := s.authorize(sub); err != nil {
		return done{}, false, err
	}
	if sub.route.Doc.BodyType != "" {
		return done{}, false, fault.New(fault.BadRequest, "A batch holds no files")
	}
	if err := s.enter(sub); err != nil {
		return done{}, false, err
	}
	if sub.params.dryRun {
		return done{}, false, wrongParam("dry_run", "belongs to the batch, not to one of its operations")
	}
	if err := s.handle(sub); err != nil {
		return done{}, false, err
	}
	if sub.reply.content != nil || sub.reply.stream != nil || sub.reply.file != nil {
		return done{}, false, fault.New(fault.BadRequest, "A batch holds no files")
	}
	one = done{Status: sub.reply.status(), Location: sub.reply.location}
	if one.Body, err = sub.appendReply(nil, &sub.reply); err != nil {
		return done{}, false, fault.Wrap(err, "encode the answer")
	}
	secret = sub.reply.secret || strings.HasPrefix(sub.event.Model, adminModels) || sub.event.Model == userKeys
	return one, secret, nil
}

// operationCall makes a call of an operation, in the transaction of the batch.
func (s *Server) operationCall(c *call, op *operation, data map[string]any) (*call, error) {
	path, err := pathWith(op.path, data)
	if err != nil {
		return nil, err
	}
	target, err := url.ParseRequestURI(path)
	if err != nil || target.Host != "" {
		return nil, fault.New(fault.BadRequest, "Invalid path "+wire.Quote(op.path))
	}
	r := (&http.Request{Method: op.method, URL: target, Header: http.Header{}, Host: c.r.Host, RemoteAddr: c.r.RemoteAddr}).WithContext(c.ctx)
	if op.ifMatch != "" {
		r.Header.Set("If-Match", op.ifMatch)
	}
	if op.hasBody {
		body, err := resolve(op.body, data)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fault.Wrap(err, "encode a body")
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	}
	sub := &call{r: r, ctx: c.ctx, settings: c.settings, ip: c.ip, who: c.who, began: c.began, event: c.event}
	s.match(sub)
	sub.access, sub.action = sub.route.Access, sub.route.Action
	sub.event.Route, sub.event.Model = sub.route.Pattern, sub.route.modelOf(r)
	sub.caller = &backend.Caller{UserID: c.caller.UserID, Admin: c.caller.Admin, Origin: c.caller.Origin, Account: c.caller.Account}
	return sub, nil
}

// dataOf is the data of an answer, for those who refer to it.
func dataOf(body []byte) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var answer struct {
		Data any `json:"data"`
	}
	if dec.Decode(&answer) != nil {
		return nil
	}
	return answer.Data
}
