package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// handle runs the handler, most often as it is. A change may be wanted under
// conditions, once only, or not in earnest.
func (s *Server) handle(c *call) (err error) {
	run := c.run
	if c.route.changes() {
		if run, err = s.specially(c, run); err != nil {
			return err
		}
	}
	c.reply, err = run()
	return err
}

// changes says whether a route changes records.
func (r *Route) changes() bool {
	return r.Method != "" && r.Method != http.MethodGet && (r.Access == Scoped || r.Pattern == batchPattern)
}

// specially puts around a change what its headers and parameters ask for.
func (s *Server) specially(c *call, run func() (reply, error)) (func() (reply, error), error) {
	wanted, err := preconditions(c.r.Header)
	if err != nil {
		return nil, err
	}
	if wanted.given() {
		run = s.provided(c, wanted, run)
	}
	if c.params.dryRun {
		return s.dry(c, run), nil
	}
	if c.r.Method == http.MethodPost && c.r.Header[idempotencyKey] != nil {
		return s.once(c, run)
	}
	return run, nil
}

// atomic is the backend where it can make one transaction of what a request
// does, else nil.
func (s *Server) atomic(c *call) backend.Atomic {
	if atomic, ok := s.deps.Backend.(backend.Atomic); ok && atomic.Transacts(c.caller, c.event.Model) {
		return atomic
	}
	return nil
}

// atomically runs fn in one transaction: c.ctx carries it meanwhile.
func (s *Server) atomically(c *call, fn func() error) error {
	atomic := s.atomic(c)
	if atomic == nil {
		return fault.New(fault.BadRequest, "This data source cannot do several things in one transaction: "+
			"dry_run and batches need one")
	}
	outer := c.ctx
	defer func() { c.ctx = outer }()
	return atomic.Atomically(outer, func(inner context.Context) error {
		c.ctx = inner
		return fn()
	})
}

// errDry undoes a transaction that was not meant.
var errDry = errors.New("a dry run")

// dry runs a change to its end and undoes it. The answer is what it would have
// been, but for the Location of something that is not there.
func (s *Server) dry(c *call, run func() (reply, error)) func() (reply, error) {
	return func() (reply, error) {
		var r reply
		err := s.atomically(c, func() (err error) {
			if r, err = run(); err == nil {
				err = errDry
			}
			return err
		})
		if !errors.Is(err, errDry) {
			return reply{}, err
		}
		r.dryRun, r.location = true, ""
		return r, nil
	}
}

// withConditions adds what all reads of one record and all changes understand:
// the headers of handle, and the parameter of dry runs.
func withConditions(routes []Route) []Route {
	for i := range routes {
		r := &routes[i]
		r.Doc.Asks, r.Doc.Tells = slices.Clip(r.Doc.Asks), slices.Clip(r.Doc.Tells)
		r.Doc.Faults, r.Params = slices.Clip(r.Doc.Faults), slices.Clip(r.Params)
		onRecord := strings.Contains(r.Pattern, "{id}")
		switch {
		case r.changes():
			r.Params = append(r.Params, Param{
				"dry_run", "boolean", "true: do everything, answer what would be answered, and undo it. Default: false.",
			})
			if onRecord {
				r.Doc.Asks = append(r.Doc.Asks, "If-Match")
				r.Doc.Faults = append(r.Doc.Faults, fault.Precondition)
			}
			if r.Method == http.MethodPost {
				r.Doc.Asks = append(r.Doc.Asks, idempotencyKey)
				r.Doc.Tells = append(r.Doc.Tells, "Idempotent-Replayed")
				r.Doc.Faults = append(r.Doc.Faults, fault.Conflict, fault.Unprocessable)
			}
		case r.Method == http.MethodGet && strings.HasSuffix(r.Pattern, "/{id}"):
			r.Doc.Asks = append(r.Doc.Asks, "If-None-Match", "If-Match")
			r.Doc.Tells = append(r.Doc.Tells, "ETag")
			r.Doc.Faults = append(r.Doc.Faults, fault.Precondition)
			r.Doc.Statuses = []int{http.StatusOK, http.StatusNotModified}
		}
	}
	return routes
}
