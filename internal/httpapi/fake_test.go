package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/setting"
	"gatehouse/internal/throttle"
)

// people knows callers by their key. "broken" stands for a store that is away.
type people map[string]*identity.Principal

func (p people) Identify(_ context.Context, h http.Header, _ netip.Addr) (*identity.Principal, error) {
	key := h.Get("X-API-Key")
	if key == "" && identity.HasSession(h) {
		return &identity.Principal{UserID: 2, Login: "ann", Name: "Ann", Kind: identity.Session, Subject: "session:2", Scopes: identity.AllScopes(), Administrator: true}, nil
	}
	if key == "" {
		return nil, fault.New(fault.Unauthenticated, "Authentication required")
	}
	if key == "broken" {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "The store cannot be reached right now", RetryAfter: 3 * time.Second}
	}
	if who := p[key]; who != nil {
		return who, nil
	}
	return nil, fault.New(fault.Unauthenticated, "Invalid API key")
}

func (p people) BeginSession(_ context.Context, login, password string, _ identity.Meta) (string, *identity.Principal, error) {
	if login != "ann@example.com" || password != "secret" {
		return "", nil, fault.New(fault.Unauthenticated, "Invalid login or password")
	}
	return "s", &identity.Principal{UserID: 2, Login: login, Name: "Ann", Administrator: true}, nil
}

func (p people) EndSession(_ context.Context, who *identity.Principal) error {
	if who.Kind != identity.Session {
		return fault.New(fault.BadRequest, "Only a session can be ended here")
	}
	return nil
}

func (p people) RotateSigningKey(context.Context, audit.Origin) error { return nil }

func (p people) UsedFrom(*identity.Principal, netip.Addr, time.Time) {}

func (p people) Login(_ context.Context, login, password string, _ identity.Meta) (*identity.TokenPair, *identity.Principal, error) {
	if login != "ann@example.com" || password != "secret" {
		return nil, nil, fault.New(fault.Unauthenticated, "Invalid login or password")
	}
	return &identity.TokenPair{AccessToken: "a", RefreshToken: "r", TokenType: "Bearer", ExpiresIn: 3600},
		&identity.Principal{UserID: 2, Login: login, Name: "Ann"}, nil
}

func (p people) Refresh(_ context.Context, token string, _ identity.Meta) (*identity.TokenPair, error) {
	if token != "r" {
		return nil, fault.New(fault.Unauthenticated, "Token has been revoked")
	}
	return &identity.TokenPair{AccessToken: "a2", RefreshToken: "r2", TokenType: "Bearer", ExpiresIn: 3600}, nil
}

func (p people) Logout(_ context.Context, who *identity.Principal, _ string) error {
	if who.Kind != identity.UserToken {
		return fault.New(fault.BadRequest, "Only the access token of a user can be logged out")
	}
	return nil
}

func scopes(t testing.TB, text string) identity.Scopes {
	t.Helper()
	s, err := identity.ParseScopes(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testPeople(t testing.TB) people {
	return people{
		"all":      {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.UserToken, Subject: "user:2", Scopes: identity.AllScopes(), Administrator: true},
		"user":     {UserID: 7, Login: "bob", Name: "Bob", Kind: identity.UserToken, Subject: "user:7", Scopes: identity.AllScopes()},
		"read":     {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, CredentialID: 9, Subject: "key:9", Scopes: scopes(t, "read"), Administrator: true},
		"orders":   {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, Subject: "key:10", Scopes: scopes(t, "orders_write,orders_read")},
		"writer":   {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, Subject: "key:14", Scopes: scopes(t, "write")},
		"partners": {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, Subject: "key:11", Scopes: scopes(t, "res.partner:read")},
		"limited":  {UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, Subject: "key:12", Scopes: scopes(t, "read"), Limits: identity.Limits{Minute: 2, Day: 1000}},
		"far": {
			UserID: 2, Login: "ann", Name: "Ann", Kind: identity.APIKey, Subject: "key:13", Scopes: scopes(t, "read"),
			AllowedIPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		},
	}
}

// counter is a limiter that counts in memory, without windows ever ending.
type counter struct {
	mu    sync.Mutex
	used  map[string]int64
	asked []string
	err   error
}

func (l *counter) Take(_ context.Context, subject string, limits []throttle.Window) (throttle.Decision, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, subject)
	if l.err != nil {
		return throttle.Decision{}, l.err
	}
	if l.used == nil {
		l.used = map[string]int64{}
	}
	w := limits[0]
	if l.used[subject] >= w.Limit {
		return throttle.Decision{Limit: w.Limit, Reset: 41500 * time.Millisecond, Window: w.Name}, nil
	}
	l.used[subject]++
	return throttle.Decision{Allowed: true, Limit: w.Limit, Remaining: w.Limit - l.used[subject], Reset: 42 * time.Second, Window: w.Name}, nil
}

type fixedSettings struct {
	setting.Settings
	set map[string]any
}

func (s *fixedSettings) Current() *setting.Settings { return &s.Settings }
func (s *fixedSettings) List() []setting.Item {
	return []setting.Item{{Name: "global_rate_limit", Label: "Global Rate Limit", Type: setting.Integer, Default: 60, Value: s.GlobalRateLimit}}
}

func (s *fixedSettings) SetBy(_ context.Context, _ audit.Origin, changes map[string]any) error {
	if _, ok := changes["global_rate_limit"]; !ok && len(changes) > 0 {
		return fault.New(fault.BadRequest, "Unknown setting: x")
	}
	s.set = changes
	return nil
}

type events struct {
	mu  sync.Mutex
	all []Event
}

func (e *events) Observe(ev *Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, *ev)
}

func (e *events) last() Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[len(e.all)-1]
}

// Contract puts a check of every answer against the API document in front of a
// server. It is set from outside the package, because what makes the document
// imports it.
var Contract func(t testing.TB, s *Server, b CatalogueOf) http.Handler

// CatalogueOf is what the document is made from beside the routes.
type CatalogueOf interface {
	CatalogueKey(context.Context, *backend.Caller) (string, error)
	Catalogue(context.Context, *backend.Caller) (*backend.Catalogue, error)
}

// house is a server with everything behind it in reach.
type house struct {
	t        testing.TB
	deps     Deps
	server   *Server
	handler  http.Handler // the server, with every answer checked
	backend  *memory
	limiter  *counter
	settings *fixedSettings
	events   *events
}

// testMoment is what the clock of a house stands at.
const testMoment = "2026-01-31T10:30:00Z"

// newHouse builds a server; change may alter what it is built from.
func newHouse(t testing.TB, change ...func(*house)) *house {
	t.Helper()
	now, _ := time.Parse(time.RFC3339, testMoment)
	h := &house{
		t: t, backend: newMemory(), limiter: &counter{}, events: &events{},
		settings: &fixedSettings{Settings: setting.Settings{DefaultGetLimit: 80, MaxGetLimit: 1000, RateWindow: setting.Minute}},
	}
	h.deps = Deps{
		Backend: h.backend, Identity: testPeople(t), Limiter: h.limiter, Settings: h.settings, Observer: h.events,
		Resources: StandardResources(), Version: "1.2.3", Clock: clock.Fixed(now), MaxBody: 1 << 20, RequestTimeout: 5 * time.Second,
	}
	for _, f := range change {
		f(h)
	}
	var err error
	if h.server, err = New(h.deps); err != nil {
		t.Fatal(err)
	}
	h.handler = h.server
	if _, test := t.(*testing.T); test { // fuzz targets may not use their F
		h.handler = Contract(t, h.server, h.backend)
	}
	return h
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// send makes a request with a key ("" for none); body "" is none.
func (h *house) send(key, method, path, body string, headers ...string) answer {
	h.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return answer{w, h.t}
}

// header finds a header however it is spelt.
func (a answer) header(name string) string {
	for key, values := range a.Result().Header {
		if strings.EqualFold(key, name) {
			return strings.Join(values, "; ")
		}
	}
	return ""
}

// want checks the status and, if it is not empty, that the body is this JSON.
func (a answer) want(status int, body string) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Errorf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	if body != "" && strings.TrimSuffix(a.Body.String(), "\n") != body {
		a.t.Errorf("got  %s\nwant %s", a.Body, body)
	}
	return a
}

// wantError checks status, type and message of an error.
func (a answer) wantError(status int, kind fault.Kind, message string) answer {
	a.t.Helper()
	e := a.error()
	if a.Code != status || e.Code != status || e.Type != kind.String() || e.Message != message {
		a.t.Errorf("got  %d %s %q\nwant %d %s %q", a.Code, e.Type, e.Message, status, kind, message)
	}
	return a
}

// errorBody is the error of the envelope.
type errorBody struct {
	Code      int
	Type      string
	Message   string
	Details   json.RawMessage
	RequestID string `json:"request_id"`
}

func (a answer) error() errorBody {
	a.t.Helper()
	var envelope struct {
		Success *bool
		Error   *errorBody
	}
	if err := json.Unmarshal(a.Body.Bytes(), &envelope); err != nil || envelope.Success == nil || *envelope.Success || envelope.Error == nil {
		a.t.Fatalf("not the envelope of an error: %d %s", a.Code, a.Body)
	}
	return *envelope.Error
}

// success decodes the envelope of an answer.
func (a answer) success() (data any, message string, meta map[string]any) {
	a.t.Helper()
	var envelope struct {
		Success bool
		Data    any
		Message string
		Meta    map[string]any
	}
	if err := json.Unmarshal(a.Body.Bytes(), &envelope); err != nil || !envelope.Success {
		a.t.Fatalf("not the envelope of a success: %d %s", a.Code, a.Body)
	}
	return envelope.Data, envelope.Message, envelope.Meta
}
