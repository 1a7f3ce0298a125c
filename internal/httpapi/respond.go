package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/fault"
)

// respond sends the answer: headers, status and the whole body at once.
func (s *Server) respond(c *call) error {
	if c.status == 0 { // format itself broke down
		c.status = http.StatusInternalServerError
		c.out = c.appendFault(c.out[:0], fault.From(nil))
	}
	h, values := c.w.Header(), headerValues{}
	s.headers(c, h, &values)
	s.cors(c, h)
	if c.fault == nil && c.reply.upgrade != nil {
		c.reply.upgrade(c.w, c.r)
		return nil
	}
	s.writeBody(c, h, &values)
	return nil
}

// writeBody sends the status and what follows it.
func (s *Server) writeBody(c *call, h http.Header, values *headerValues) {
	if c.fault == nil && c.reply.stream != nil {
		c.reply.stream.headers(h)
	}
	if c.streaming() {
		c.w.WriteHeader(c.status)
		s.pour(c)
		return
	}
	if len(c.out) > 0 {
		values.set(h, "Content-Length", strconv.Itoa(len(c.out)))
	}
	c.w.WriteHeader(c.status)
	if c.r.Method != http.MethodHead && len(c.out) > 0 {
		if _, err := c.w.Write(c.out); err != nil {
			s.deps.Log.DebugContext(c.r.Context(), "answer not sent", "request_id", c.event.RequestID, "error", err)
		}
	}
}

// kindHeaders say what the body is.
func (s *Server) kindHeaders(c *call, h http.Header) {
	switch {
	case c.contentType != "": // another protocol's
		h["Content-Type"] = []string{c.contentType}
	case c.fault == nil && c.reply.text != "":
		h.Set("Content-Type", c.reply.text)
	case c.fault != nil || !c.reply.none && c.reply.upgrade == nil:
		h["Content-Type"] = s.fixed.json
	}
	if c.reply.content != nil && c.fault == nil {
		c.reply.content.headers(h)
	}
	if c.cookie != "" {
		h["Set-Cookie"] = []string{c.cookie}
	}
	if c.reply.file != nil && c.fault == nil {
		c.fileHeaders(h, c.reply.file)
	}
}

// headers writes those that say what the answer is and what was counted.
func (s *Server) headers(c *call, h http.Header, values *headerValues) {
	h["X-Content-Type-Options"] = s.fixed.nosniff
	h["Cache-Control"] = s.fixed.noStore
	s.kindHeaders(c, h)
	values.set(h, "X-Request-Id", c.event.RequestID)
	if c.limited {
		c.rateHeaders(h, values)
	}
	if c.route != nil && c.route.Style == RFC && c.reply.file == nil {
		h.Set("Pragma", "no-cache") // RFC 6749 section 5.1, for the caches of HTTP/1.0
	}
	if c.fault != nil {
		c.faultHeaders(h)
	} else {
		c.replyHeaders(h, values)
	}
	if c.allow != "" {
		h.Set("Allow", c.allow)
	}
	// A chunked body may have had a Content-Length too, which net/http drops in
	// silence: whoever went by that sees another request in the rest of it. So
	// the connection ends (RFC 9112 section 6.1).
	if len(c.r.TransferEncoding) > 0 {
		h.Set("Connection", "close")
	}
}

// headerValues hands out slices of one value, all in one piece of memory. It
// is not reused: whoever holds the headers may hold them longer than the call.
type headerValues struct {
	used int
	all  [7]string
}

func (v *headerValues) set(h http.Header, key, value string) {
	v.all[v.used] = value
	h[key] = slices.Clip(v.all[v.used : v.used+1])
	v.used++
}

// replyHeaders adds what only answers without an error have.
func (c *call) replyHeaders(h http.Header, values *headerValues) {
	if c.reply.location != "" {
		values.set(h, "Location", c.reply.location)
	}
	if c.etag != "" {
		values.set(h, "Etag", c.etag)
	}
	if c.reply.kept != nil {
		h.Set("Idempotent-Replayed", "true")
	}
}

// rateHeaders tells of the tightest window. The names go out as the
// specification spells them, which Header.Set would change.
func (c *call) rateHeaders(h http.Header, values *headerValues) {
	d := &c.decision
	values.set(h, "RateLimit-Limit", strconv.FormatInt(d.Limit, 10))
	values.set(h, "RateLimit-Remaining", strconv.FormatInt(max(d.Remaining, 0), 10))
	values.set(h, "RateLimit-Reset", seconds(d.Reset))
}

// faultHeaders adds what HTTP wants beside certain statuses.
func (c *call) faultHeaders(h http.Header) {
	switch c.fault.Kind {
	case fault.Unauthenticated:
		if c.status != http.StatusUnauthorized {
			return
		}
		if wanted := challenge(c.route, c.r); wanted != "" {
			h["WWW-Authenticate"] = []string{wanted}
		}
	case fault.RateLimited, fault.Unavailable:
		h.Set("Retry-After", seconds(max(c.fault.RetryAfter, time.Second)))
	case fault.Blocked:
		if c.fault.RetryAfter > 0 { // else it is for good
			h.Set("Retry-After", seconds(c.fault.RetryAfter))
		}
	case fault.TooLarge:
		h.Set("Connection", "close") // the rest of the body is not worth reading
	default:
	}
}

// seconds writes a duration as whole seconds, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((max(d, 0)+time.Second-1)/time.Second), 10)
}

// fixedHeaders are header values that all answers share.
type fixedHeaders struct{ json, nosniff, noStore []string }

func newFixedHeaders() fixedHeaders {
	return fixedHeaders{
		json:    []string{"application/json; charset=utf-8"},
		nosniff: []string{"nosniff"},
		noStore: []string{"no-store"},
	}
}
