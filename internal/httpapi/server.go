// Package httpapi is Gatehouse's REST API: the pipeline that every request
// goes through, the table of routes, and the handlers behind them. It is the
// only package that knows which HTTP status a fault has.
//
// To follow a request, read pipeline.go from top to bottom; to find what
// answers a path, read routes.go; to change what products, orders or customers
// look like, read catalogue.go.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/identity"
	"gatehouse/internal/oauth"
	"gatehouse/internal/setting"
	"gatehouse/internal/throttle"
)

// Identity is what the API needs of package identity.
type Identity interface {
	Identify(ctx context.Context, h http.Header, ip netip.Addr) (*identity.Principal, error)
	Login(ctx context.Context, login, password string, meta identity.Meta) (*identity.TokenPair, *identity.Principal, error)
	Refresh(ctx context.Context, token string, meta identity.Meta) (*identity.TokenPair, error)
	Logout(ctx context.Context, p *identity.Principal, refresh string) error
	BeginSession(ctx context.Context, login, password string, meta identity.Meta) (string, *identity.Principal, error)
	EndSession(ctx context.Context, p *identity.Principal) error
	RotateSigningKey(ctx context.Context, who audit.Origin) error
	// UsedFrom notes where and when a credential was used; it does not block.
	UsedFrom(p *identity.Principal, ip netip.Addr, at time.Time)
}

// Limiter is what the API needs of package throttle.
type Limiter interface {
	Take(ctx context.Context, subject string, limits []throttle.Window) (throttle.Decision, error)
}

// Blocks is what the API needs of package throttle to shut addresses out.
type Blocks interface {
	// Blocked is asked at every request, and answers from memory.
	Blocked(ip netip.Addr, now time.Time) (throttle.Block, bool)
	// Violation notes a refused request; it does not block.
	Violation(ip netip.Addr, now time.Time)
}

// noBlocks is for whoever blocks nobody.
type noBlocks struct{}

func (noBlocks) Blocked(netip.Addr, time.Time) (throttle.Block, bool) { return throttle.Block{}, false }
func (noBlocks) Violation(netip.Addr, time.Time)                      {}

// Settings is what the API needs of package setting.
type Settings interface {
	Current() *setting.Settings
	List() []setting.Item
	SetBy(ctx context.Context, who audit.Origin, changes map[string]any) error
}

// Deps is what the API is built from. Backend, Identity, Limiter and Settings
// must be there; the others have a default.
type Deps struct {
	Backend  backend.Backend
	Identity Identity
	Limiter  Limiter
	Settings Settings
	// Blocks shuts addresses out; nil shuts none out.
	Blocks Blocks
	// OAuth answers the endpoints of OAuth2 clients; nil: there are none.
	OAuth *oauth.Server
	// Protocols are other ways to ask than REST; none by default.
	Protocols []Protocol
	// Documents describes the API; nil: nothing does.
	Documents Documents
	// Telemetry answers the dashboard; nil: there is none.
	Telemetry Telemetry
	// PublicURL is where callers reach the server, without a slash at the end;
	// "": what they reached it as.
	PublicURL string
	// InFront says that the records are those of an Odoo.
	InFront bool
	// Methods narrows which business methods may be called.
	Methods MethodLists
	// Answers does requests with an idempotency key once; nil minds no keys.
	Answers Answers
	// Resources are the curated ones; see StandardResources. None by default.
	Resources []Resource
	// Log takes what callers must not see: causes of failures and stacks.
	Log *slog.Logger
	// Observer learns of every request.
	Observer Observer
	// Trace finds the place of a request in a distributed trace, and puts it
	// into the context for what the request calls; nil: there are no traces.
	Trace func(context.Context, http.Header) (context.Context, Trace)
	// TrustedProxies may say for whom they ask.
	TrustedProxies []netip.Prefix
	// MaxBody is the size of the largest body in bytes; 0 is 8 MiB.
	MaxBody int64
	// MaxUpload is the size of the largest file that is sent as it is; where it
	// is less than MaxBody, that.
	MaxUpload int64
	// RequestTimeout is how long a request may take; 0 is without end.
	RequestTimeout time.Duration
	// AdmitUncounted lets requests through that the limiter cannot count
	// because its store is away; otherwise they are refused with a 503.
	AdmitUncounted bool
	// Version is told at the path /.
	Version string
	// Ready says whether requests can be answered; nil asks the backend.
	Ready func(context.Context) error
	// Clock tells the time; nil is the system's.
	Clock clock.Clock
}

// Server answers the REST API. It is safe for concurrent use.
type Server struct {
	deps    Deps
	steps   [stepCount]step
	table   []Route
	matcher *matcher
	// What the matcher finds where there is no route: nothing, nothing under
	// /api, and the question which methods a path has.
	lost, lostInAPI, preflight Route
	fixed                      fixedHeaders
	calls                      sync.Pool
}

// New builds the API. It fails when something is missing or when a route is
// not safe to serve: one that does not say who may call it, for example.
func New(deps Deps) (*Server, error) {
	if deps.Backend == nil || deps.Identity == nil || deps.Limiter == nil || deps.Settings == nil {
		return nil, errors.New("httpapi: backend, identity, limiter and settings are needed")
	}
	s := &Server{deps: deps.withDefaults(), steps: pipeline(), fixed: newFixedHeaders()}
	s.pseudoRoutes()
	if err := checkResources(deps.Resources); err != nil {
		return nil, err
	}
	s.deps.Resources = slices.Clone(deps.Resources)
	for i := range s.deps.Resources {
		s.deps.Resources[i].Fields = prepared(deps.Resources[i].Fields)
	}
	s.table = s.routes()
	if err := checkRoutes(s.table); err != nil {
		return nil, err
	}
	var err error
	s.matcher, err = newMatcher(slices.Concat(s.table, s.protocolRoutes()))
	return s, err
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Blocks == nil {
		d.Blocks = noBlocks{}
	}
	if d.Observer == nil {
		d.Observer = noObserver{}
	}
	if d.MaxBody <= 0 {
		d.MaxBody = 8 << 20
	}
	if d.Ready == nil {
		d.Ready = d.Backend.Ready
	}
	if d.Clock == nil {
		d.Clock = clock.System
	}
	return d
}

// pseudoRoutes are what requests without a route go through the pipeline with.
func (s *Server) pseudoRoutes() {
	refuse := func(c *call) (func() (reply, error), error) { return nil, c.lost }
	s.lost = Route{Access: Public, Limiting: Counted, handler: refuse}
	s.lostInAPI = Route{Access: AnyCredential, Limiting: Counted, handler: refuse}
	s.preflight = Route{Access: Public, Limiting: Uncounted, handler: func(*call) (func() (reply, error), error) {
		return func() (reply, error) { return reply{none: true}, nil }, nil
	}}
}

// enter turns path, parameters and body into the handler's input.
func (s *Server) enter(c *call) (err error) {
	if c.lost == nil && c.exchange == nil && c.route.Limiting == Counted { // probes and other protocols may add what they like
		if c.params, err = parseParams(c.r.URL.RawQuery, c.route.Params, c.settings); err != nil {
			return err
		}
		c.caller.Context = c.params.context
	}
	c.run, err = c.route.handler(c)
	return err
}
