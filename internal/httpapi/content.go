package httpapi

import (
	"bytes"
	"encoding/base64"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// contentRoutes give and take the files in binary fields as they are.
func (s *Server) contentRoutes() []Route {
	// The placeholder has the name that it has in calls of methods: to OpenAPI
	// paths that differ in such names alone are one path.
	const pattern = universalPrefix + "/{id}/{method}"
	file := (&wire.Schema{Type: "string", Doc: "The file."}).As("binary")
	get := Route{
		Method: "GET", Pattern: pattern, Access: Scoped, Action: identity.Read, Limiting: Counted,
		Params: contextParams(), handler: with(s.readContent, s.getContent),
		Summary: "The file in a binary field", Output: "the file, to be saved",
		Doc: Doc{
			ID: "getContent", Tag: TagRecords, Also: []Media{{"application/octet-stream", file}},
			Statuses: []int{http.StatusOK, http.StatusPartialContent, http.StatusNotModified},
			Asks:     []string{"Range", "If-Range", "If-None-Match", "If-Match"}, Tells: []string{"ETag"}, Faults: []fault.Kind{fault.Precondition},
		},
	}
	put := Route{
		Method: "PUT", Pattern: pattern, Access: Scoped, Action: identity.Write, Limiting: Counted,
		Params: contextParams(), handler: with(s.readUpload, s.putContent),
		Summary: "Puts a file into a binary field", Input: "the file as it is, of any type", Output: "the id",
		Doc: Doc{ID: "putContent", Tag: TagRecords, Body: file, BodyType: "application/octet-stream", Data: wire.Named("ID")},
	}
	return []Route{get, put}
}

// contentInput is a request about the file in a field.
type contentInput struct {
	recordInput
	field string
	file  []byte // what to put there
}

func (s *Server) readContent(c *call) (contentInput, error) {
	one, err := s.readOne(c)
	if err != nil {
		return contentInput{}, err
	}
	name := c.r.PathValue("method")
	if !fieldName(name) || strings.Contains(name, ".") {
		return contentInput{}, notFoundf("No such field: %s", wire.Name(name))
	}
	return contentInput{recordInput: one, field: name}, nil
}

func (s *Server) readUpload(c *call) (contentInput, error) {
	in, err := s.readContent(c)
	if err != nil {
		return in, err
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return in, fault.New(fault.UnsupportedMedia, "Content-Encoding "+wire.Name(coding)+" is not understood: send the file as it is")
	}
	if err := s.receiveUpTo(c, max(s.deps.MaxUpload, s.deps.MaxBody)); err != nil {
		return in, err
	}
	if in.file = c.body; len(in.file) == 0 {
		return in, fault.Newf(fault.BadRequest, `The file is empty. To take a file away, write null: PATCH with {"%s": null}`, in.field)
	}
	return in, nil
}

// contentField finds the field, which must hold files.
func (s *Server) contentField(c *call, in *contentInput) (*schema.Model, error) {
	m, err := s.deps.Backend.Model(c.ctx, c.caller, in.model)
	if err != nil {
		return nil, err
	}
	if f := m.Field(in.field); f == nil || f.Secret || f.Type != schema.Binary {
		return nil, notFoundf("The model %s has no field %s that holds a file: GET /api/v1/models/%s tells which fields are of type binary",
			m.Name, wire.Name(in.field), m.Name)
	}
	return m, nil
}

// putContent writes the file.
func (s *Server) putContent(c *call, in contentInput) (reply, error) {
	if _, err := s.contentField(c, &in); err != nil {
		return reply{}, err
	}
	err := s.deps.Backend.Write(c.ctx, c.caller, in.model, []int64{in.id}, backend.Values{in.field: base64.StdEncoding.EncodeToString(in.file)})
	return reply{raw: appendID(nil, in.id, nil), message: "File stored successfully"}, err
}

// content is a file that is answered as it is.
type content struct {
	bytes   []byte
	kind    string // media type
	name    string
	changed time.Time
	header  http.Header // of the answer, by formatContent
}

// getContent reads the file.
func (s *Server) getContent(c *call, in contentInput) (reply, error) {
	m, err := s.contentField(c, &in)
	if err != nil {
		return reply{}, err
	}
	fields := []string{"id", in.field}
	named := ""
	for _, name := range []string{m.Field(in.field).FileName, in.field + "_filename", in.field + "_name"} {
		if f := m.Field(name); f != nil && f.Type == schema.Char && !f.Secret && named == "" {
			named = name
			fields = append(fields, name)
		}
	}
	page := &backend.Page{}
	look := stamped{next: page}
	if _, err := s.deps.Backend.Search(c.ctx, c.caller, &backend.Query{
		Model: in.model, IDs: []int64{in.id}, Fields: fields, Version: true,
	}, &look); err != nil {
		return reply{}, err
	}
	value := backend.Value{}
	if len(page.Rows) == 1 {
		value = page.Get(0, in.field)
	}
	if value.Kind != backend.Text || value.Text == "" {
		return reply{}, notFoundf("The field %s of record %d is empty", in.field, in.id)
	}
	file, err := base64.StdEncoding.DecodeString(value.Text)
	if err != nil { // written by something that does not mind
		file = []byte(value.Text)
	}
	made := &content{bytes: file, kind: safeType(file), name: page.Get(0, named).Text}
	if named == "" || made.name == "" {
		made.name = in.field + "-" + strconv.FormatInt(in.id, 10) + extension(made.kind)
	}
	if look.version != 0 && m.Field(in.field).HasColumn() { // what is kept elsewhere changes without the record
		made.changed = time.UnixMicro(look.version)
	}
	return reply{content: made, version: look.version}, nil
}

// safeTypes are those that no browser runs anything in.
var safeTypes = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
	"application/pdf": ".pdf", "application/zip": ".zip", "application/x-gzip": ".gz", "text/plain; charset=utf-8": ".txt",
	"audio/mpeg": ".mp3", "audio/wave": ".wav", "video/mp4": ".mp4", "video/webm": ".webm",
}

// safeType is the type of a file by its first bytes. What a browser could run,
// and what is not known, is just bytes.
func safeType(file []byte) string {
	if kind := http.DetectContentType(file); safeTypes[kind] != "" {
		return kind
	}
	return "application/octet-stream"
}

func extension(kind string) string {
	if ext := safeTypes[kind]; ext != "" {
		return ext
	}
	return ".bin"
}

// disposition says to save a file under a name, of any letters (RFC 6266).
func disposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	if text := mime.FormatMediaType("attachment", map[string]string{"filename": name}); text != "" {
		return text
	}
	return "attachment"
}

// formatContent answers the part of a file that is asked for, or that the
// caller has it already. A range that the file does not have is not minded.
func (c *call) formatContent(f *content) error {
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if values := c.r.Header[name]; values != nil {
			if _, err := parseTags(name, values); err != nil {
				return err
			}
		}
	}
	out := &captured{header: http.Header{}, body: c.out[:0]}
	out.header.Set("Content-Type", f.kind)
	out.header.Set("Content-Disposition", disposition(f.name))
	out.header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	out.header.Set("Etag", `"`+tagOf(c.reply.version, f.bytes)+`"`)
	asked := c.r
	first := maps.Clone(out.header)
	http.ServeContent(out, asked, "", f.changed, bytes.NewReader(f.bytes))
	if out.status == http.StatusRequestedRangeNotSatisfiable {
		whole := *asked
		whole.Header = maps.Clone(asked.Header)
		whole.Header.Del("Range")
		*out = captured{header: first, body: c.out[:0]}
		http.ServeContent(out, &whole, "", f.changed, bytes.NewReader(f.bytes))
	}
	if out.status == http.StatusPreconditionFailed {
		return changedMeanwhile()
	}
	out.header.Del("Content-Length") // respond tells it
	f.header, c.status, c.out = out.header, out.status, out.body
	return nil
}

// captured keeps what net/http answers.
type captured struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (w *captured) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *captured) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *captured) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

// headers puts what was kept into an answer.
func (f *content) headers(h http.Header) {
	delete(h, "Content-Type")
	for name, values := range f.header {
		h[name] = slices.Clone(values)
	}
}
