package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/setting"
	"gatehouse/internal/throttle"
)

// call is one request on its way through the pipeline. Calls are reused:
// nothing may keep one, or what its buffers hold, after the last step.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context // ends with the request, or when it takes too long
	cancel context.CancelFunc
	began  time.Time
	lapped time.Duration // until the end of the step before
	event  Event
	fault  *fault.Error // why the request is refused; nil while all is well
	gone   bool         // the caller hung up

	// By the steps, in their order.
	settings   *setting.Settings
	ip         netip.Addr
	route      *Route
	access     Access          // of the route, or as its protocol has it
	action     identity.Action // likewise
	exchange   Exchange        // of another protocol than REST, else nil
	secretBody bool            // nothing of the request's body is for the log
	lost       *fault.Error    // no route: what the route step will say
	allow      string          // the Allow header of a 405 or of an answer to OPTIONS
	who        *identity.Principal
	caller     *backend.Caller // not reused: a backend may share work between callers
	params     params
	limited    bool // decision is set
	decision   throttle.Decision
	run        func() (reply, error) // the handler with its input
	stamp      stamped
	reply      reply
	etag       string // of the answer, in quotes
	status     int
	out        []byte // the answer's body, or the beginning of a stream
	broken     bool   // the stream broke off

	contentType, cookie string // of the answer of another protocol

	body []byte // of the request
	rows wire.Rows
}

// maxKept is the largest buffer that a call keeps for the next request. Larger
// ones are rare, and would stay in memory for nothing.
const maxKept = 256 << 10

// begin makes the call ready for a request.
func (c *call) begin(w http.ResponseWriter, r *http.Request) {
	c.w, c.r, c.began = w, r, time.Now()
}

// release ends a call and keeps it for another request: its buffers, and
// nothing of what belongs to the request.
func (s *Server) release(c *call) {
	if c.cancel != nil {
		c.cancel()
	}
	kept := call{out: c.out[:0], body: c.body[:0], rows: c.rows}
	if cap(kept.out) > maxKept || c.reply.file != nil { // a file belongs to all
		kept.out = nil
	}
	if cap(kept.body) > maxKept {
		kept.body = nil
	}
	if kept.rows.Cap() > maxKept {
		kept.rows = wire.Rows{}
	}
	kept.rows.Reset(wire.Plain, false)
	*c = kept
	s.calls.Put(c)
}

// limitTime bounds the time that the rest of the request may take.
func (c *call) limitTime(timeout time.Duration) {
	c.ctx = c.r.Context()
	if timeout > 0 {
		c.ctx, c.cancel = context.WithTimeout(c.ctx, timeout)
	}
}

// recordRows gives the buffer that records are written into.
func (c *call) recordRows(shape wire.Shape, one bool) *wire.Rows {
	c.rows.Reset(shape, one)
	return &c.rows
}
