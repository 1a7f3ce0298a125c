package httpapi

import (
	"net/http"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/throttle"
)

// receive notes what there is to know about a request from the outside and
// finds its route. A request without one goes on to the route step, so that
// strangers learn nothing of which routes there are.
func (s *Server) receive(c *call) error {
	r := c.r
	c.settings = s.deps.Settings.Current()
	c.ip = throttle.ClientIP(r, s.deps.TrustedProxies)
	c.limitTime(s.deps.RequestTimeout)
	c.event = Event{
		Time: s.deps.Clock.Now(), RequestID: requestID(r.Header), Method: r.Method,
		Proto: r.Proto, Path: r.URL.Path, Query: r.URL.RawQuery, IP: c.ip, UserAgent: r.UserAgent(),
	}
	if s.deps.Trace != nil {
		c.ctx, c.event.Trace = s.deps.Trace(c.ctx, r.Header)
	}
	c.caller = &backend.Caller{}
	s.match(c)
	c.access, c.action = c.route.Access, c.route.Action
	c.event.Route, c.event.Model = c.route.Pattern, c.route.modelOf(r)
	return nil
}

// requestID takes the caller's own id where it is harmless in headers and
// logs, and makes one otherwise.
func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); sane(id) {
		return id
	}
	return clock.RandomHex(12)
}

func sane(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
			c != '.' && c != '_' && c != ':' && c != '-' {
			return false
		}
	}
	return true
}
