package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// Doc is what the API document says of a route, beside what serving it needs
// anyway. Route.Input and Route.Output say in words what Body and Data say in
// schemas; both are told.
//
//	Doc: Doc{ID: "ping", Tag: TagSession, Data: wire.Object(wire.Must("pong", wire.Truth("")))}
type Doc struct {
	// ID is what generated clients call the operation: listRecords.
	ID  string
	Tag string
	// Body is what the body of the request holds; nil: there is none. It may be
	// missing where it is Optional. BodyType is its media type, "" is JSON.
	Body     *wire.Schema
	Optional bool
	BodyType string
	// Example is a body that works on the demo data.
	Example any
	// Data is what data holds; of routes in the style RFC, the whole answer.
	Data *wire.Schema
	// Meta is what meta holds; nil: there is none.
	Meta *wire.Schema
	// Also are answers of other media types that the caller can ask for.
	Also []Media
	// Statuses of success; nil is 200 alone.
	Statuses []int
	// Faults may happen beside those that follow from the rest of the route:
	// see Route.Faults.
	Faults []fault.Kind
	// Asks are headers that a request may have, Tells those of its answers,
	// beside those that all have. Names of both are in Headers.
	Asks, Tells []string
}

// Media is an answer that is no JSON.
type Media struct {
	Type   string
	Schema *wire.Schema
}

// The tags: chapters of the document. Curated resources have one each.
const (
	TagRecords  = "Records"
	TagSession  = "Session"
	TagOAuth    = "OAuth2"
	TagSettings = "Settings"
	TagTraffic  = "Traffic"
	TagSystem   = "System"
)

// Tag is a chapter of the document.
type Tag struct{ Name, Doc string }

// Tags lists the chapters in their order; res are the curated resources.
func Tags(res []Resource) []Tag {
	all := []Tag{{TagRecords, "Records of any model: find, read, create, change, delete, and call business methods."}}
	for i := range res {
		all = append(all, Tag{res[i].tag(), "A curated resource: chosen fields of " + res[i].Model + ", checked input, plain names."})
	}
	return append(all,
		Tag{TagSession, "Signing in and out, and who the caller is."},
		Tag{TagOAuth, "Programs with an identity of their own: OAuth2 clients, their tokens, and what the server tells of itself."},
		Tag{TagSettings, "Settings that take effect at once, on every node. For administrators."},
		Tag{TagTraffic, "What was asked of the server: figures and charts, and their changes as they come. For administrators."},
		Tag{TagSystem, "The server itself: alive, ready, described."})
}

func (r *Resource) tag() string { return strings.ToUpper(r.Name[:1]) + r.Name[1:] }

// Header describes a header of requests or answers.
type Header struct {
	Name   string
	Schema *wire.Schema
}

// Headers describes the headers that Doc.Asks and Doc.Tells name.
func Headers() []Header {
	return []Header{
		{"X-Request-Id", wire.Text("The id of the request: the caller's own, if it is sane, else a new one. It finds the request in the log.").Like("9f2c6a01d4e7b853c1a90f42")},
		{"RateLimit-Limit", wire.Whole("Requests that the tightest window allows.").Like(60)},
		{"RateLimit-Remaining", wire.Whole("Requests that are left in it.").Like(59)},
		{"RateLimit-Reset", wire.Whole("Seconds until it ends.").Like(42)},
		{"Retry-After", wire.Whole("Seconds to wait before asking again.").Like(42)},
		{"Location", wire.Text("Path of what was created.").Like("/api/v1/res.partner/147")},
		{"WWW-Authenticate", wire.Text("How to authenticate (RFC 6750).").Like(`Bearer realm="gatehouse"`)},
		{"Allow", wire.Text("Methods that the path has.").Like("GET, HEAD, POST")},
		{"Set-Cookie", wire.Text("The cookie of the session, or its end.").Like("gatehouse_session=…; Path=/; HttpOnly; SameSite=Strict")},
		{"ETag", wire.Text("Version of what was answered.").Like(`"5f2b8c"`)},
		{"If-None-Match", wire.Text("ETag of the version that the caller has: 304 if it still holds.")},
		{"Idempotency-Key", wire.Text("A key of the caller's for this request. Sent again within 24 hours, it is answered again and not done again.").Like("0b1f6a52-5d0e-4f1c-9a53-3e8f0c3d7a11")},
		{"Idempotent-Replayed", wire.Text("true: the answer is that of an earlier request with this Idempotency-Key.").Like("true")},
		{"Range", wire.Text("The part of the file that is wanted.").Like("bytes=0-1023")},
		{"If-Range", wire.Text("ETag of the version of which a part is wanted; of another one the whole file is answered.")},
		{"If-Match", wire.Text("ETag of the version that the caller expects: 412 if there is another one.")},
	}
}

// PathParam describes a placeholder of a pattern. New ones get a line here.
func PathParam(name string) (*wire.Schema, bool) {
	switch name {
	case "id":
		return wire.RecordID("Id of the record.").Like(7), true
	case "model":
		return wire.Text("Odoo's name of the model.").Like("res.partner"), true
	case "method":
		return wire.Text("A public business method; of GET and PUT, a binary field.").Like("name_search"), true
	}
	return nil, false
}

// PathParams are the names of the placeholders of the route's pattern.
func (r *Route) PathParams() []string {
	var names []string
	for part := range strings.SplitSeq(r.Pattern, "/") {
		if inner, ok := strings.CutPrefix(part, "{"); ok && part != "{$}" {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(inner, "}"), "..."))
		}
	}
	return names
}

// Faults are the kinds of errors that the route may answer, sorted.
func (r *Route) Faults() []fault.Kind {
	kinds := slices.Clone(r.Doc.Faults)
	add := func(all ...fault.Kind) { kinds = append(kinds, all...) }
	if r.Limiting == Counted {
		add(fault.BadRequest, fault.Blocked, fault.RateLimited, fault.Internal, fault.GatewayTimeout)
		add(fault.BadGateway) // in front of an Odoo, which knows who calls and answers for records
	}
	add(fault.Unavailable)
	if r.Access != Public {
		add(fault.Unauthenticated, fault.Forbidden)
	}
	if r.Doc.Body != nil {
		add(fault.TooLarge, fault.UnsupportedMedia)
	}
	if len(r.PathParams()) > 0 {
		add(fault.NotFound)
	}
	if r.Access == Scoped || r.Model != "" { // about records, in some way
		add(fault.NotFound, fault.Unprocessable)
		if r.Method != http.MethodGet {
			add(fault.Conflict)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// check finds what a description lacks.
func (r *Route) undescribed() error {
	d := &r.Doc
	lack := func(what string) error {
		return fmt.Errorf("route %s %s: its Doc has no %s", r.Method, r.Pattern, what)
	}
	switch {
	case d.ID == "":
		return lack("ID")
	case d.Tag == "":
		return lack("Tag")
	case d.Data == nil && len(d.Also) == 0 && !slices.Contains(d.Statuses, http.StatusSwitchingProtocols):
		return lack("Data")
	case (d.Body == nil) != (r.Input == ""):
		return lack("Body, or the route has no Input: both or none")
	case r.Output == "":
		return fmt.Errorf("route %s %s has no Output", r.Method, r.Pattern)
	}
	for _, name := range r.PathParams() {
		if _, known := PathParam(name); !known {
			return fmt.Errorf("route %s %s: the placeholder {%s} is not described in PathParam", r.Method, r.Pattern, name)
		}
	}
	for _, name := range slices.Concat(d.Asks, d.Tells) {
		if !slices.ContainsFunc(Headers(), func(h Header) bool { return h.Name == name }) {
			return fmt.Errorf("route %s %s: the header %s is not described in Headers", r.Method, r.Pattern, name)
		}
	}
	return nil
}
