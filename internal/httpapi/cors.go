package httpapi

import (
	"net/http"
	"slices"
	"strings"
)

// cors lets the pages of the allowed origins read the answer. Credentials that
// browsers send by themselves (cookies) are never allowed: callers of the API
// send theirs in a header.
//
// The API document is for the pages of all origins: tools in browsers read it.
func (s *Server) cors(c *call, h http.Header) {
	if c.r.URL.Path == documentPath && s.deps.Documents != nil {
		h.Set("Access-Control-Allow-Origin", "*")
		s.exposed(c, h)
		return
	}
	if c.settings == nil || len(c.settings.CORSOrigins) == 0 {
		return
	}
	anyOrigin := c.settings.CORSOrigins[0] == "*"
	origin := c.r.Header.Get("Origin")
	if !anyOrigin {
		h.Add("Vary", "Origin")
	}
	if origin == "" {
		return
	}
	if anyOrigin {
		h.Set("Access-Control-Allow-Origin", "*")
	} else if slices.Contains(c.settings.CORSOrigins, strings.ToLower(origin)) {
		h.Set("Access-Control-Allow-Origin", origin)
	} else {
		return
	}
	s.exposed(c, h)
}

// exposed says which headers a page may read and, before its request, send.
func (s *Server) exposed(c *call, h http.Header) {
	h.Set("Access-Control-Expose-Headers",
		"X-Request-Id, Location, ETag, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate, Idempotent-Replayed")
	if c.route == &s.preflight && c.r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", c.allow)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key, X-Request-Id, If-Match, If-None-Match, Idempotency-Key")
		h.Set("Access-Control-Max-Age", "600")
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	}
}
