package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
)

// Documents is what the API needs to describe itself.
type Documents interface {
	// OpenAPI gives the document that a caller may see.
	OpenAPI(ctx context.Context, q *DocumentQuery) (*File, error)
	// Page gives a file of the page that shows it, by its name below
	// /api/docs; "" is the page itself. nil: there is no such file.
	Page(name string) *File
}

// DocumentQuery asks for the API document.
type DocumentQuery struct {
	Routes    []Route
	Resources []Resource
	Server    string // the address of this server as the caller reaches it
	Old       bool   // OpenAPI 3.0
	// Who asks, and what the backend knows him as; Who is nil for strangers.
	Who    *identity.Principal
	Caller *backend.Caller
}

// File is an answer that is sent as it is.
type File struct {
	Type string // media type
	Body []byte
	Gzip bool   // Body is compressed
	ETag string // with its quotes
	// Policy is the page's Content-Security-Policy; "" for what is no page.
	Policy string
}

const documentPath = "/api/openapi.json"

// documentRoutes describe the API to programs and to people.
func (s *Server) documentRoutes() []Route {
	if s.deps.Documents == nil {
		return nil
	}
	const docs = "/api/docs"
	html := &wire.Schema{Type: "string", Doc: "A page."}
	script := &wire.Schema{Type: "string", Doc: "A program for the page."}
	cached := []int{http.StatusOK, http.StatusNotModified}
	route := func(pattern, summary, output, id string, also []Media, h handler) Route {
		return Route{
			Method: "GET", Pattern: pattern, Summary: summary, Output: output, Access: OptionalCredential, Limiting: Counted, handler: h,
			Doc: Doc{ID: id, Tag: TagSystem, Also: also, Statuses: cached, Asks: []string{"If-None-Match"}, Tells: []string{"ETag"}},
		}
	}
	document := route(documentPath, "This document", "OpenAPI: what the caller may use", "openapi", nil, with(s.readVersion, s.document))
	document.Params = []Param{{"version", "string", "Version of OpenAPI: 3.1 (the default) or 3.0."}}
	document.Style = RFC // no envelope: tools read it
	document.Doc.Data = wire.Object(wire.Must("openapi", wire.Text(""))).Open("Of an OpenAPI document.")
	file := func(name string) handler {
		return bare(func(c *call) (reply, error) { return s.page(c, name) })
	}
	return []Route{
		document,
		route(docs, "The documentation as a page", "HTML", "docs", []Media{{"text/html", html}}, file("")),
		route(docs+"/page.js", "The beginning of the page", "JavaScript", "docsPage", []Media{{"text/javascript", script}}, file("page.js")),
		route(docs+"/scalar.js", "The page's program", "JavaScript", "docsScalar", []Media{{"text/javascript", script}}, file("scalar.js")),
	}
}

// OpenAPI gives the document that a caller may see; who and caller are nil for
// strangers. server is where callers reach the API.
func (s *Server) OpenAPI(ctx context.Context, who *identity.Principal, caller *backend.Caller, server string, old bool) (*File, error) {
	return s.deps.Documents.OpenAPI(ctx, &DocumentQuery{
		Routes: s.table, Resources: s.deps.Resources, Server: server, Old: old, Who: who, Caller: caller,
	})
}

// readVersion reads which version of OpenAPI is asked for.
func (s *Server) readVersion(c *call) (old bool, err error) {
	for _, p := range c.params.filters {
		switch {
		case p.value == "3.0" || strings.HasPrefix(p.value, "3.0."):
			old = true
		case p.value != "3.1" && !strings.HasPrefix(p.value, "3.1."):
			return false, wrongParam("version", "must be 3.1 or 3.0")
		}
	}
	return old, nil
}

// mayReadDocs refuses strangers where the documentation is not public.
func (s *Server) mayReadDocs(c *call) error {
	if c.who == nil && !c.settings.DocsPublic {
		return fault.New(fault.Unauthenticated, "The documentation of this server is not public: authenticate to read it")
	}
	return nil
}

func (s *Server) document(c *call, old bool) (reply, error) {
	if err := s.mayReadDocs(c); err != nil {
		return reply{}, err
	}
	server, err := s.issuer(c)
	if err != nil {
		return reply{}, err
	}
	file, err := s.OpenAPI(c.ctx, c.who, c.caller, server, old)
	return reply{file: file}, err
}

func (s *Server) page(c *call, name string) (reply, error) {
	if err := s.mayReadDocs(c); err != nil {
		return reply{}, err
	}
	file := s.deps.Documents.Page(name)
	if file == nil {
		return reply{}, notFoundf("No such path: %s", shown(c.r.URL.Path))
	}
	return reply{file: file}, nil
}

// formatFile gives the body of a file, or nothing where the caller has it.
func (c *call) formatFile(f *File) ([]byte, error) {
	if matches(c.r.Header.Get("If-None-Match"), f.ETag) {
		c.status = http.StatusNotModified
		return nil, nil
	}
	if !f.Gzip || takesGzip(c.r.Header) {
		return f.Body, nil // not the call's own buffer: see release
	}
	reader, err := gzip.NewReader(bytes.NewReader(f.Body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// fileHeaders are those of a file in place of the usual ones.
func (c *call) fileHeaders(h http.Header, f *File) {
	h.Set("Cache-Control", "no-cache") // kept, and asked about every time
	h.Set("Content-Type", f.Type)
	h.Set("Etag", f.ETag)
	h.Set("Vary", "Authorization, X-API-Key, Accept-Encoding")
	if f.Gzip && takesGzip(c.r.Header) && c.status == http.StatusOK {
		h.Set("Content-Encoding", "gzip")
	}
	if f.Policy != "" {
		h.Set("Content-Security-Policy", f.Policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
	}
}

// matches says whether a list of ETags has one (RFC 9110 section 13.1.2).
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}

func takesGzip(h http.Header) bool {
	for one := range strings.SplitSeq(h.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(one), ";")
		if coding == "gzip" && !strings.HasSuffix(strings.ReplaceAll(quality, " ", ""), "q=0") {
			return true
		}
	}
	return false
}
