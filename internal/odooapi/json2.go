package odooapi

import (
	"context"
	"fmt"
	"html"
	"mime"
	"net/http"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoowire"
)

// What answers are, to HTTP.
const (
	typeJSON = "application/json; charset=utf-8"
	typeXML  = "text/xml; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
)

func (a *API) json2Paths() []httpapi.ProtocolPath {
	return []httpapi.ProtocolPath{
		{Method: "POST", Pattern: "/json/2/{model}/{method}", Open: a.openJSON2},
		{Pattern: "/json/2", Open: openNowhere},
		{Pattern: "/json/2/", Open: openNowhere},
		{Method: "GET", Pattern: "/web/version", Open: a.openVersion},
		{Method: "GET", Pattern: "/json/version", Open: a.openVersion},
	}
}

// json2 is an exchange of JSON-2: HTTP statuses and bare values.
type json2 struct {
	*work
	noCredential bool
	html         string // of an answer that is a page
}

func (a *API) openJSON2(r *http.Request, body []byte) (httpapi.Exchange, error) {
	w, err := a.method(r.PathValue("model"), r.PathValue("method"), native{
		named: func() (map[string]any, error) { return json2Arguments(body) },
		call: func() (*NativeCall, error) {
			kwargs, err := json2Arguments(body)
			ids, kwargs := idsOf(kwargs)
			return &NativeCall{IDs: ids, Kwargs: kwargs}, err
		},
	})
	x := &json2{work: w}
	if err != nil {
		return x, err
	}
	if kind := r.Header.Get("Content-Type"); !isJSON(kind) && (kind != "" || len(body) > 0) {
		x.html = unsupportedPage
		return x, fault.New(fault.UnsupportedMedia, "Content-Type must be application/json")
	}
	return x, nil
}

// json2Arguments reads a body. One that is no object holds no arguments.
func json2Arguments(body []byte) (map[string]any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	v, err := wire.Decode(body)
	if err != nil {
		why := "could not parse the body as json"
		if p, ok := fault.From(err).Details.(wire.BodyProblem); ok {
			why += fmt.Sprintf(": %s: line %d column %d (char %d)", p.Problem, p.Line, p.Column, p.Offset)
		}
		return nil, tell(fault.BadRequest, odoowire.BadRequest(why))
	}
	object, ok := v.(map[string]any)
	if !ok {
		return map[string]any{}, nil
	}
	return object, nil
}

func openNowhere(*http.Request, []byte) (httpapi.Exchange, error) {
	return &json2{work: &work{needs: httpapi.Needs{Public: true}}},
		tell(fault.NotFound, odoowire.NotFound("Did you mean POST /json/2/<model>/<method>?"))
}

func (a *API) openVersion(*http.Request, []byte) (httpapi.Exchange, error) {
	w := a.versioned(func(r release) any { return map[string]any{"version": r.text, "version_info": r.info} })
	return &json2{work: &w}, nil
}

// Identify implements httpapi.Exchange: all credentials of JSON-2 are in headers.
func (x *json2) Identify(context.Context, identity.Meta) (*identity.Principal, error) {
	x.noCredential = true
	return nil, fault.New(fault.Unauthenticated, notSignedIn)
}

const notSignedIn = "User not authenticated, use an API Key with a Bearer Authorization header."

// Answer implements httpapi.Exchange.
func (x *json2) Answer(dst []byte, f *fault.Error, status int) (httpapi.Answer, error) {
	if f != nil && f.Kind == fault.UnsupportedMedia && x.html != "" {
		return httpapi.Answer{Body: append(dst, x.html...), Status: status, ContentType: typeHTML}, nil
	}
	v := x.result
	if f != nil {
		e := x.dialect().describe(f, x.work, status)
		v, status = e, e.Status
	}
	body, err := odoowire.AppendJSON2(dst, v)
	return httpapi.Answer{Body: body, Status: status, ContentType: typeJSON}, err
}

func (x *json2) dialect() dialect {
	return dialect{
		unauthenticated: func(f *fault.Error) *odoowire.Error {
			if x.noCredential {
				return odoowire.Unauthorized(notSignedIn)
			}
			e := odoowire.Unauthorized("Invalid apikey")
			e.Debug = f.Message + "\n"
			return e
		},
		model: func(name string) *odoowire.Error {
			return odoowire.NotFound("the model '" + name + "' does not exist")
		},
		method: func(name string) *odoowire.Error {
			return odoowire.NotFound("The method '" + name + "' does not exist")
		},
		arguments: odoowire.BadArguments,
	}
}

// isJSON says whether a Content-Type is that of a call.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || kind == "application/json-rpc")
}

// page is a refusal as browsers get it.
func page(status int, text string) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return "<!doctype html>\n<html lang=en>\n<title>" + title + "</title>\n<h1>" + http.StatusText(status) + "</h1>\n<p>" +
		html.EscapeString(text) + "</p>\n"
}

var unsupportedPage = page(http.StatusUnsupportedMediaType, "Please verify the Content-Type request header and try again: it must be application/json.")
