package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// matcher finds routes, in one of two layers. The universal layer takes any
// model; the words of the named one (products, ping, auth) are no models, so
// the first word of a path says which layer to ask. That way a word of one
// layer never conflicts with a placeholder of the other.
type matcher struct {
	named, universal *http.ServeMux
	words            map[string]bool // first words of the named layer
}

const (
	apiPrefix       = "/api/v1/"
	universalPrefix = apiPrefix + "{model}"
)

// newMatcher enters all routes, or says which of them cannot be told apart.
func newMatcher(routes []Route) (m *matcher, err error) {
	defer func() {
		if p := recover(); p != nil { // the way ServeMux reports a conflict
			err = fmt.Errorf("routes: %v", p)
		}
	}()
	m = &matcher{named: http.NewServeMux(), universal: http.NewServeMux(), words: map[string]bool{}}
	for i := range routes {
		layer := m.universal
		word, inAPI := firstWord(routes[i].Pattern)
		if word != "{model}" && !strings.Contains(word, ".") { // a dot: a route of one model
			layer = m.named
			m.words[word] = m.words[word] || inAPI
		}
		layer.Handle(strings.TrimSpace(routes[i].Method+" "+routes[i].Pattern), &found{&routes[i]})
	}
	return m, nil
}

// firstWord is what follows the prefix of the API in a path, false for paths
// outside.
func firstWord(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, apiPrefix)
	word, _, _ := strings.Cut(rest, "/")
	return word, ok
}

// found is what a mux calls for a route: it only says which one it is.
type found struct{ route *Route }

func (f *found) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if o, ok := w.(*outcome); ok {
		o.route = f.route
	}
}

// outcome is the ResponseWriter that a mux is asked with. It keeps what the
// mux would answer on its own where it knows no route.
type outcome struct {
	route  *Route
	status int
	header http.Header
}

func (o *outcome) Header() http.Header {
	if o.header == nil {
		o.header = http.Header{}
	}
	return o.header
}
func (o *outcome) WriteHeader(status int)      { o.status = status }
func (o *outcome) Write(b []byte) (int, error) { return len(b), nil }

// find gives the route of a request, else the methods that its path knows,
// else nothing. A path that is not clean (//, .., a slash at the end) has none:
// API clients are told so, not redirected.
func (m *matcher) find(r *http.Request) (*Route, string) {
	layer := m.universal
	if word, ok := firstWord(r.URL.Path); !ok || m.words[word] {
		layer = m.named
	}
	o := outcome{}
	layer.ServeHTTP(&o, r)
	allow := ""
	if o.status == http.StatusMethodNotAllowed {
		allow = o.header.Get("Allow")
	}
	callable := o.route != nil && r.Method == http.MethodPost
	if layer == m.universal && (callable || allow != "") && isRecord(r.URL.Path) {
		return nil, "DELETE, GET, HEAD, PATCH, PUT"
	}
	return o.route, allow
}

// isRecord says whether a path is that of a record. To the mux the 42 of
// POST /api/v1/res.partner/42, a frequent slip, could be a method's name.
func isRecord(path string) bool {
	_, id, ok := strings.Cut(strings.TrimPrefix(path, apiPrefix), "/")
	return ok && id != "" && strings.Trim(id, "0123456789") == ""
}

// match sets the route of a request. Without one it is the pseudo route that
// answers 404 or 405, which under /api is for identified callers only.
func (s *Server) match(c *call) {
	route, allow := s.matcher.find(c.r)
	asksMethods := c.r.Method == http.MethodOptions && route != nil && route.Method == ""
	if route != nil && !asksMethods {
		c.route = route
		return
	}
	if asksMethods {
		allow = http.MethodPost // all that such protocols know
	}
	c.allow = allow
	switch {
	case c.r.Method == http.MethodOptions && allow != "":
		c.allow += ", OPTIONS"
		c.route = &s.preflight
		return
	case strings.HasPrefix(c.r.URL.Path, "/api/"):
		c.route = &s.lostInAPI
	default:
		c.route = &s.lost
	}
	if allow != "" {
		c.lost = fault.Newf(fault.MethodNotAllowed, "Method %s is not allowed here", wire.Name(c.r.Method)).
			With(map[string]any{"allowed": strings.Split(allow, ", ")})
		return
	}
	c.lost = fault.Newf(fault.NotFound, "No such path: %s", shown(c.r.URL.Path))
}

// shown shortens a path for a message.
func shown(path string) string {
	const most = 200
	if len(path) > most {
		return strings.ToValidUTF8(path[:most], "") + "…"
	}
	return path
}
