package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"gatehouse/internal/fault"
)

// The steps of a request, as they are numbered in Event.Steps.
const (
	StepReceive = iota
	StepIdentify
	StepAuthorize
	StepLimit
	StepAddress
	StepRoute
	StepHandle
	StepFormat
	StepLog
	StepRespond
	stepCount
)

// StepCount is the number of steps of a request.
const StepCount = stepCount

// step is one stage of a request. It ends well or with a fault.
type step struct {
	name string
	run  func(*Server, *call) error
	// always: the step runs for refused requests too. A refusal that comes
	// later in the list replaces an earlier one.
	always bool
}

// pipeline is the way of every request, from top to bottom. After a fault only
// the steps marked always are left: whoever is refused still counts against
// the limit of his address, is answered and is logged.
func pipeline() [stepCount]step {
	return [stepCount]step{
		StepReceive:   {"receive", (*Server).receive, false},     // request id, address, which route
		StepIdentify:  {"identify", (*Server).identify, false},   // JWT, API key
		StepAuthorize: {"authorize", (*Server).authorize, false}, // scopes
		StepLimit:     {"limit", (*Server).limit, true},          // requests per window
		StepAddress:   {"address", (*Server).address, false},     // IP rules
		StepRoute:     {"route", (*Server).enter, false},         // path, parameters and body become the handler's input
		StepHandle:    {"handle", (*Server).handle, false},       // business logic
		StepFormat:    {"format", (*Server).format, true},        // the envelope
		StepLog:       {"log", (*Server).log, true},              // one event for each request
		StepRespond:   {"respond", (*Server).respond, true},      // status, headers, body
	}
}

// ServeHTTP takes a request through the pipeline.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := s.calls.Get().(*call)
	if !ok { // none to use again
		c = &call{}
	}
	defer s.release(c)
	c.begin(w, r)
	for i := range s.steps {
		st := &s.steps[i]
		if c.fault == nil || st.always {
			if err := s.attempt(st, c); err != nil {
				c.refuse(err)
			}
			c.lap(i)
		}
	}
	if c.broken {
		panic(http.ErrAbortHandler) // the connection breaks off: half an answer must not look like a whole one
	}
}

// attempt runs one step and makes a fault of a panic.
func (s *Server) attempt(st *step, c *call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.event.Stack = string(debug.Stack())
			err = fault.Wrap(fmt.Errorf("panic: %v", p), "step "+st.name)
		}
	}()
	return st.run(s, c)
}

// refuse notes why the request cannot be answered as asked. What nobody
// classified is explained by the request's own end, if that is over.
func (c *call) refuse(err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal && c.ctx != nil {
		switch ended := c.ctx.Err(); {
		case ended == nil:
		case c.r.Context().Err() != nil:
			f = &fault.Error{Kind: fault.Unavailable, Message: "The caller closed the connection", Cause: err}
			c.gone = true
		case errors.Is(ended, context.DeadlineExceeded):
			f = &fault.Error{Kind: fault.GatewayTimeout, Message: "The request took too long", Cause: err}
		}
	}
	c.fault = f
}

// lap notes how long a step took, with one look at the clock.
func (c *call) lap(step int) {
	now := time.Since(c.began)
	c.event.Steps[step] = now - c.lapped
	c.lapped = now
}
