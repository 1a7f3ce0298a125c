package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/oauth"
)

// TestUnsafeRoutesDoNotStart breaks one route at a time.
func TestUnsafeRoutesDoNotStart(t *testing.T) {
	good := Route{
		Method: "GET", Pattern: "/x", Summary: "x", Access: Scoped, Action: identity.Read, Limiting: Counted, Output: "x",
		Doc:     Doc{ID: "x", Tag: TagSystem, Data: wire.Truth("")},
		handler: bare(func(*call) (reply, error) { return reply{}, nil }),
	}
	if err := checkRoutes([]Route{good}); err != nil {
		t.Fatal(err)
	}
	for want, breakIt := range map[string]func(*Route){
		"who may call it":           func(r *Route) { r.Access = 0 },
		"what it counts":            func(r *Route) { r.Limiting = 0 },
		"which scope":               func(r *Route) { r.Action = "" },
		"no handler":                func(r *Route) { r.handler = nil },
		"no summary":                func(r *Route) { r.Summary = "" },
		"no method or path":         func(r *Route) { r.Method = "" },
		"more than 64":              func(r *Route) { r.Params = make([]Param, 65) },
		"has no ID":                 func(r *Route) { r.Doc.ID = "" },
		"has no Tag":                func(r *Route) { r.Doc.Tag = "" },
		"has no Data":               func(r *Route) { r.Doc.Data = nil },
		"has no Output":             func(r *Route) { r.Output = "" },
		"has no Body":               func(r *Route) { r.Input = "x" },
		"or the route has no Input": func(r *Route) { r.Doc.Body = wire.Truth("") },
		"{id2} is not described":    func(r *Route) { r.Pattern = "/x/{id2}" },
		"header X-Y is not":         func(r *Route) { r.Doc.Tells = []string{"X-Y"} },
		"the Doc.ID \"x\"":          func(*Route) {},
		"who may call it\nrou":      func(r *Route) { r.Access, r.Limiting = 99, 0 },
	} {
		r := good
		breakIt(&r)
		want, _, _ = strings.Cut(want, "\n")
		if err := checkRoutes([]Route{good, r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := newMatcher([]Route{good, good}); err == nil {
		t.Error("two routes with one path were taken")
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("a server of nothing was built")
	}
}

// TestRouteTable looks at the table as whoever reviews it does.
func TestRouteTable(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.deps.OAuth, h.deps.Documents, h.deps.Telemetry = &oauth.Server{}, noDocuments{}, struct{ Telemetry }{}
	})
	public := []string{
		"GET /{$}", "GET /healthz", "GET /readyz", "POST /api/v1/auth/login", "POST /api/v1/auth/session", "POST /api/v1/auth/refresh",
		"POST /api/oauth/token", "POST /api/oauth/revoke", "GET /.well-known/oauth-authorization-server", "GET /.well-known/jwks.json",
	}
	for _, r := range h.server.Routes() {
		name := r.Method + " " + r.Pattern
		if (r.Access == Public) != slices.Contains(public, name) {
			t.Errorf("%s: public is %v", name, r.Access == Public)
		}
		if (r.Limiting == Uncounted) != (name == "GET /healthz" || name == "GET /readyz") {
			t.Errorf("%s: uncounted is %v", name, r.Limiting == Uncounted)
		}
		documentation := r.Pattern == documentPath || strings.HasPrefix(r.Pattern, "/api/docs")
		if (r.Access == OptionalCredential) != documentation {
			t.Errorf("%s: without or with a credential is %v", name, r.Access == OptionalCredential)
		}
		if (r.Access == ClientOrAdmin) != (name == "POST /api/oauth/introspect") {
			t.Errorf("%s: for clients is %v", name, r.Access == ClientOrAdmin)
		}
		if (r.Style == RFC) != (r.Pattern == documentPath || strings.Contains(name, ".well-known") || r.Access == ClientOrAdmin || strings.HasPrefix(name, "POST /api/oauth/") && r.Access == Public) {
			t.Errorf("%s: style %d", name, r.Style)
		}
		if strings.HasPrefix(r.Model, adminModels) && r.Access != AdminOnly {
			t.Errorf("%s is open to others than administrators", name)
		}
		if r.Access == Scoped {
			want := map[string]identity.Action{"GET": identity.Read, "POST": identity.Write, "PUT": identity.Write, "PATCH": identity.Write, "DELETE": identity.Delete}[r.Method]
			if r.Action != want {
				t.Errorf("%s needs %s, want %s", name, r.Action, want)
			}
		}
		if (r.Doc.Body == nil) != (r.Method == http.MethodGet || r.Method == http.MethodDelete || strings.HasSuffix(r.Pattern, "/rotate_signing_key")) {
			t.Errorf("%s: a body is described: %v", name, r.Doc.Body != nil)
		}
		if !slices.ContainsFunc(Tags(h.server.deps.Resources), func(tag Tag) bool { return tag.Name == r.Doc.Tag }) {
			t.Errorf("%s: the tag %s is not in Tags", name, r.Doc.Tag)
		}
		for _, p := range r.Params {
			if p.Name == "" || p.Type == "" || p.Doc == "" {
				t.Errorf("%s: parameter %+v is not described", name, p)
			}
		}
	}
	h.server.Routes()[0].Pattern = "changed"
	if h.server.table[0].Pattern == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestNoSuchPath(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{
		"/api/v1/", "/api/v1", "/api/v2/res.partner", "/api/v1/res.partner/", "/api/v1//res.partner", "//api/v1/res.partner",
		"/api/v1/res.partner//1", "/api/v1/res.partner/1/", "/api/v1/./res.partner", "/api/v1/x/../res.partner", "/api/v1/res.partner/1/a/b",
		"/api/v1/auth/nothing/at/all", "/api/v1/products/", "/healthz/", "/nowhere", "/api", "/index.html",
	} {
		a := h.send("all", "GET", path, "")
		a.wantError(404, fault.NotFound, "No such path: "+path)
		if got := a.header("Location"); got != "" {
			t.Errorf("%s is redirected to %s", path, got)
		}
		if got := a.header("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("%s: %s", path, got)
		}
	}
	// A method name in the path of a GET is a path that only POST knows.
	h.send("all", "GET", "/api/v1/res.partner/1/echo", "").wantError(404, fault.NotFound, "The model res.partner has no field echo that holds a file: GET /api/v1/models/res.partner tells which fields are of type binary")
}

func TestWrongMethod(t *testing.T) {
	h := newHouse(t)
	for _, test := range []struct{ method, path, allow string }{
		{"LINK", "/api/v1/res.partner", "DELETE, GET, HEAD, PATCH, POST, PUT"},
		{"POST", "/api/v1/res.partner/1", "DELETE, GET, HEAD, PATCH, PUT"},
		{"DELETE", "/api/v1/res.partner/1/echo", "GET, HEAD, POST, PUT"},
		{"GET", "/api/v1/auth/login", "POST"},
		{"POST", "/api/v1/ping", "GET, HEAD"},
		{"PUT", "/api/v1/settings", "GET, HEAD, PATCH"},
		{"POST", "/api/v1/orders/1", "DELETE, GET, HEAD, PATCH, PUT"},
		{"PUT", "/api/v1/orders/1/confirm", "POST"},
		{"POST", "/healthz", "GET, HEAD"},
		{"BREW", "/api/v1/res.partner", "DELETE, GET, HEAD, PATCH, POST, PUT"},
		{"TRACE", "/api/v1/res.partner", "DELETE, GET, HEAD, PATCH, POST, PUT"},
	} {
		a := h.send("all", test.method, test.path, "")
		a.wantError(405, fault.MethodNotAllowed, "Method "+test.method+" is not allowed here")
		if got := a.header("Allow"); got != test.allow {
			t.Errorf("%s %s: allowed %q, want %q", test.method, test.path, got, test.allow)
		}
	}
}

func TestHead(t *testing.T) {
	h := newHouse(t)
	get := h.send("all", "GET", "/api/v1/res.partner/1", "").want(200, "")
	head := h.send("all", "HEAD", "/api/v1/res.partner/1", "").want(200, "")
	if head.Body.Len() != 0 || head.header("Content-Length") != get.header("Content-Length") || get.Body.Len() == 0 {
		t.Errorf("HEAD answered %d bytes, length %s; GET %s", head.Body.Len(), head.header("Content-Length"), get.header("Content-Length"))
	}
	if e := h.events.last(); e.BytesOut != 0 {
		t.Errorf("%d bytes are logged", e.BytesOut)
	}
	h.send("all", "HEAD", "/api/v1/res.partner/99", "").want(404, "")
	h.send("all", "HEAD", "/healthz", "").want(200, "")
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/healthz", "/api/v1/ping", "/nowhere", "/api/v1/res.partner/1"} {
		for _, key := range []string{"", "all"} {
			a := h.send(key, "GET", path, "")
			for name, want := range map[string]string{
				"Content-Type": "application/json; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			} {
				if got := a.header(name); got != want {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
			if a.header("X-Request-Id") == "" {
				t.Errorf("%s: no request id", path)
			}
		}
	}
}

func TestCORS(t *testing.T) {
	h := newHouse(t)
	ask := func(method, path, origin string) answer {
		return h.send("all", method, path, "", "Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-api-key")
	}
	if a := ask("GET", "/api/v1/ping", "https://shop.example.com"); a.header("Access-Control-Allow-Origin") != "" || a.header("Vary") != "" {
		t.Error("an origin is allowed although none is set")
	}
	h.settings.CORSOrigins = []string{"https://shop.example.com"}
	for origin, allowed := range map[string]bool{
		"https://shop.example.com": true, "https://SHOP.example.com": true, "https://evil.example.com": false,
		"https://shop.example.com.evil.com": false, "http://shop.example.com": false, "null": false, "": false,
	} {
		a := ask("GET", "/api/v1/ping", origin).want(200, "")
		if got := a.header("Access-Control-Allow-Origin"); (got == origin && got != "") != allowed || !allowed && got != "" {
			t.Errorf("%q: allowed %q", origin, got)
		}
		if a.header("Vary") == "" || a.header("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q: %v", origin, a.Result().Header)
		}
	}
	a := ask("OPTIONS", "/api/v1/res.partner/1", "https://shop.example.com").want(204, "")
	if a.Body.Len() != 0 || a.header("Access-Control-Allow-Methods") != "DELETE, GET, HEAD, PATCH, PUT, OPTIONS" ||
		!strings.Contains(a.header("Access-Control-Allow-Headers"), "X-API-Key") || a.header("Access-Control-Max-Age") == "" {
		t.Errorf("preflight: %v", a.Result().Header)
	}
	if a := ask("OPTIONS", "/api/v1/res.partner", "https://evil.example.com").want(204, ""); a.header("Access-Control-Allow-Methods") != "" {
		t.Error("a stranger's preflight is allowed")
	}
	if a := h.send("", "OPTIONS", "/api/v1/res.partner", "").want(204, ""); a.header("Allow") != "DELETE, GET, HEAD, PATCH, POST, PUT, OPTIONS" {
		t.Errorf("OPTIONS: %v", a.Result().Header)
	}
	h.send("", "OPTIONS", "/nowhere", "").want(404, "")
	h.settings.CORSOrigins = []string{"*"}
	a = ask("GET", "/api/v1/res.partner/99", "https://any.example.com").want(404, "")
	if a.header("Access-Control-Allow-Origin") != "*" || a.header("Access-Control-Allow-Credentials") != "" {
		t.Errorf("any origin: %v", a.Result().Header)
	}
}

// TestBadDeclarations breaks resources.
func TestBadDeclarations(t *testing.T) {
	for want, breakIt := range map[string]func(*Resource){
		"the name must be a word":      func(r *Resource) { r.Name = "a b" },
		"a label, a model":             func(r *Resource) { r.Label = "" },
		"search names the field zzz":   func(r *Resource) { r.Search = []string{"zzz"} },
		"field name is declared twice": func(r *Resource) { r.Fields = append(r.Fields, ResourceField{Name: "name"}) },
		"goes nowhere":                 func(r *Resource) { r.Fields[1] = ResourceField{Name: "x", InOnly: true, OutOnly: true} },
		"unknown check":                func(r *Resource) { r.Fields[1].Check = "prime" },
		"limit is a parameter":         func(r *Resource) { r.Fields = append(r.Fields, ResourceField{Name: "limit"}) },
	} {
		r := customers()
		breakIt(&r)
		h := newHouse(t)
		h.deps.Resources = []Resource{r}
		if _, err := New(h.deps); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	h := newHouse(t)
	h.deps.Resources = []Resource{customers(), customers()}
	if _, err := New(h.deps); err == nil || !strings.Contains(err.Error(), "is declared twice") {
		t.Error(err)
	}
	ping := customers()
	ping.Name = "ping"
	h.deps.Resources = []Resource{ping}
	if _, err := New(h.deps); err == nil {
		t.Error("a resource took the path of a fixed route")
	}
}

func TestOverTheWire(t *testing.T) {
	h := newHouse(t)
	server := newWireServer(t, h.handler)
	r, _ := http.NewRequest(http.MethodGet, server+"/api/v1/res.partner/1", nil)
	r.Header.Set("X-API-Key", "limited")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("RateLimit-Limit") != "2" || res.ContentLength <= 0 || len(res.TransferEncoding) > 0 {
		t.Errorf("%d %v %d", res.StatusCode, res.Header, res.ContentLength)
	}
}
