// Package apidoctest holds answers of the API to its document: every test that
// sends requests can put a Checker in front of the server.
package apidoctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Checker knows a document and finds what answers do not have as it says. The
// document must be of version 3.0, which is checked fast.
type Checker struct {
	doc   *openapi3.T
	paths []path
}

type path struct {
	parts []string
	vars  int
	item  *openapi3.PathItem
}

// New reads a document. It is itself checked too.
func New(document []byte) (*Checker, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(openapi3.NewLoader().Context, openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	c := &Checker{doc: doc}
	for name, item := range doc.Paths.Map() {
		parts := strings.Split(name, "/")
		vars := 0
		for _, part := range parts {
			if isVar(part) {
				vars++
			}
		}
		c.paths = append(c.paths, path{parts, vars, item})
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				for _, media := range response.Value.Content {
					shut(media.Schema)
				}
			}
		}
	}
	for _, schema := range doc.Components.Schemas {
		shut(schema)
	}
	// Of two paths that fit, the one with fewer placeholders is meant.
	slices.SortFunc(c.paths, func(a, b path) int { return a.vars - b.vars })
	return c, nil
}

// shut forbids members that the document does not name, so that the check finds
// them: to clients the document leaves the door open.
func shut(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || ref.Ref != "" {
		return
	}
	s := ref.Value
	if s.Type == nil && len(s.OneOf) == 0 && len(s.AllOf) == 0 {
		s.Nullable = true // anything is, though the library says no
	}
	for _, p := range s.Properties {
		shut(p)
	}
	shut(s.AdditionalProperties.Schema)
	shut(s.Items)
	for _, one := range s.OneOf {
		shut(one)
	}
	if s.Type.Is("object") && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
}

func isVar(part string) bool { return strings.HasPrefix(part, "{") }

// find finds the operation of a request.
func (c *Checker) find(method, target string) *openapi3.Operation {
	parts := strings.Split(target, "/")
	for _, p := range c.paths {
		if !fits(p.parts, parts) {
			continue
		}
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if op := p.item.GetOperation(method); op != nil {
			return op
		}
	}
	return nil
}

func fits(pattern, parts []string) bool {
	if len(pattern) != len(parts) {
		return false
	}
	for i, want := range pattern {
		if isVar(want) && parts[i] == "" || !isVar(want) && want != parts[i] {
			return false
		}
	}
	return true
}

// Check lists what an answer has not as the document says.
func (c *Checker) Check(r *http.Request, status int, header http.Header, body []byte) []string {
	if r.Method == http.MethodOptions {
		return nil // of the protocol, not of the API
	}
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s %s: %d: ", r.Method, r.URL.Path, status)+fmt.Sprintf(format, args...))
	}
	op := c.find(r.Method, r.URL.Path)
	if op == nil || status == http.StatusMethodNotAllowed {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed && status < 400 {
			fault("the document has no such operation")
		}
		if err := c.error(body, r.Method); err != nil {
			fault("%v", err)
		}
		return faults
	}
	ref := op.Responses.Value(strconv.Itoa(status))
	if ref == nil {
		fault("%s has no such answer in the document: %s", op.OperationID, body)
		return faults
	}
	for _, name := range unsaid(header, ref.Value.Headers) {
		fault("%s: the header %s is not in the document", op.OperationID, name)
	}
	if r.Method == http.MethodHead || len(ref.Value.Content) == 0 {
		return faults
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	media := ref.Value.Content[kind]
	if err != nil || media == nil {
		fault("%s: the media type %q is not in the document", op.OperationID, header.Get("Content-Type"))
		return faults
	}
	// In Odoo's raw shapes values are what Odoo makes of them.
	raw := status < 300 && strings.Contains(r.URL.RawQuery, "values=odoo")
	if kind != "application/json" || raw {
		return faults
	}
	if err := fit(media.Schema.Value, body); err != nil {
		fault("%s: %v\n%s", op.OperationID, err, body)
	}
	return faults
}

// unsaid lists the headers of an answer that the document should tell of.
func unsaid(header http.Header, headers openapi3.Headers) (names []string) {
	for name := range header {
		if said(name) && !hasHeader(headers, name) {
			names = append(names, name)
		}
	}
	return names
}

// said says whether a header is one that the document speaks of.
func said(name string) bool {
	return slices.ContainsFunc([]string{
		"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Location",
		"WWW-Authenticate", "ETag",
	}, func(known string) bool { return strings.EqualFold(known, name) })
}

func hasHeader(headers openapi3.Headers, name string) bool {
	for known := range headers {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// error holds the answer to a path that is not there to the envelope.
func (c *Checker) error(body []byte, method string) error {
	if method == http.MethodHead {
		return nil
	}
	schema := c.doc.Components.Schemas["Error"]
	if schema == nil {
		return nil
	}
	return fit(schema.Value, body)
}

func fit(schema *openapi3.Schema, body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	return schema.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.MultiErrors(), openapi3.SetSchemaErrorMessageCustomizer(brief))
}

// brief says where a value does not fit, without the whole schema.
func brief(err *openapi3.SchemaError) string {
	value, _ := json.Marshal(err.Value) //nolint:errchkjson // it was JSON
	return fmt.Sprintf("/%s: %s (%.200s)", strings.Join(err.JSONPointer(), "/"), err.Reason, value)
}

// Wrap checks every answer of a handler.
func (c *Checker) Wrap(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, target := httptest.NewRecorder(), *r // handlers may change the request
		h.ServeHTTP(&tee{w, rec}, r)
		if rec.Code != 499 { // nobody receives it
			for _, fault := range c.Check(&target, rec.Code, rec.Header(), rec.Body.Bytes()) {
				t.Errorf("not as the API document says: %s", fault)
			}
		}
	})
}

// tee writes an answer to two.
type tee struct {
	http.ResponseWriter
	rec *httptest.ResponseRecorder
}

func (t *tee) WriteHeader(status int) {
	for name, values := range t.Header() {
		t.rec.Header()[name] = values
	}
	t.rec.WriteHeader(status)
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(b []byte) (int, error) {
	if n, err := t.rec.Write(b); err != nil {
		return n, err
	}
	return t.ResponseWriter.Write(b)
}

// Unwrap gives the writer to http.ResponseController.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
