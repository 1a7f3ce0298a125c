package httpapi

import (
	"context"
	"net/http"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/throttle"
)

// Protocol is another way to ask than REST, for clients that exist already. Its
// requests take the same steps, in the same order, under the same limits and
// rules; it only reads them and writes their answers. See package odooapi.
type Protocol interface {
	// Paths is what it answers.
	Paths() []ProtocolPath
}

// ProtocolPath is a route of a Protocol.
type ProtocolPath struct {
	// Method is one of HTTP; "" is all that have no path of their own.
	Method, Pattern string
	// Open reads a request, before anybody knows who sent it. There is an
	// Exchange even for an error, which it puts into words.
	Open func(r *http.Request, body []byte) (Exchange, error)
}

// Exchange is one request of a Protocol, and its answer.
type Exchange interface {
	// Needs says what the caller must be allowed to do.
	Needs() Needs
	// Identify finds the caller by what is in the body or a cookie. It is asked
	// where the headers hold no credential.
	Identify(ctx context.Context, from identity.Meta) (*identity.Principal, error)
	// Run does what is asked.
	Run(ctx context.Context, caller *backend.Caller, from identity.Meta) error
	// Answer writes the answer, or f where the request is refused. status is the
	// one that f has in REST.
	Answer(dst []byte, f *fault.Error, status int) (Answer, error)
}

// Needs is what an Exchange asks of its caller. Without Public there must be
// one; Action and Model are the scope that he needs, if any.
type Needs struct {
	Public bool
	Action identity.Action
	Model  string
	// SecretBody says that the body holds a credential under no name that tells
	// (a password among the arguments): nothing of it is for the log.
	SecretBody bool
}

// Answer is how an Exchange is answered.
type Answer struct {
	Body        []byte
	Status      int
	ContentType string
	// Cookie is set, if there is one. Whether it is for https alone is decided here.
	Cookie *http.Cookie
	// UserID and Login are who signed in by this request, if anybody.
	UserID int64
	Login  string
}

// protocolRoutes are the paths of the other protocols. They are not in the
// table of the REST API: what their methods take is for the protocol to say.
func (s *Server) protocolRoutes() (routes []Route) {
	for _, protocol := range s.deps.Protocols {
		for _, p := range protocol.Paths() {
			routes = append(routes, Route{
				Method: p.Method, Pattern: p.Pattern, Access: AsAsked, Limiting: Counted, open: p.Open, handler: bare(s.runExchange),
			})
		}
	}
	return routes
}

// open reads a request of another protocol: who may call depends on what is
// asked, and some credentials are in the body.
func (s *Server) open(c *call) error {
	if c.route.open == nil {
		return nil
	}
	if err := s.receiveBody(c); err != nil {
		return err
	}
	c.secretBody = true // until it is read
	var err error
	if c.exchange, err = c.route.open(c.r, c.body); err != nil {
		return err
	}
	needs := c.exchange.Needs()
	c.action, c.event.Model, c.secretBody = needs.Action, needs.Model, needs.SecretBody
	switch {
	case needs.Public:
		c.access = Public
	case needs.Action == "":
		c.access = AnyCredential
	default:
		c.access = Scoped
	}
	return nil
}

// principal asks for the caller: the headers, or what the protocol knows him by.
func (s *Server) principal(c *call) (*identity.Principal, error) {
	if c.exchange != nil && !hasCredential(c.r.Header) {
		return c.exchange.Identify(c.ctx, c.origin())
	}
	return s.deps.Identity.Identify(c.ctx, c.r.Header, c.ip)
}

func (s *Server) runExchange(c *call) (reply, error) {
	return reply{}, c.exchange.Run(c.ctx, c.caller, c.origin())
}

// formatExchange lets the protocol write the answer. What happened is logged
// as it would be of REST, also where the protocol answers every error with 200.
func (s *Server) formatExchange(c *call) error {
	status := http.StatusOK
	if c.fault != nil {
		status = StatusOf(c.fault.Kind)
	}
	a, err := c.exchange.Answer(c.out[:0], c.fault, status)
	if err != nil {
		c.refuse(fault.Wrap(err, "encode the answer"))
		status = StatusOf(c.fault.Kind)
		if a, err = c.exchange.Answer(c.out[:0], c.fault, status); err != nil {
			return err
		}
	}
	c.out, c.status, c.event.Status, c.contentType = a.Body, a.Status, status, a.ContentType
	if a.Login != "" {
		c.event.UserID, c.event.Login = a.UserID, a.Login
	}
	if a.Cookie != nil {
		a.Cookie.Secure = throttle.Secure(c.r, s.deps.TrustedProxies)
		if a.Cookie.MaxAge > 0 {
			a.Cookie.Expires = c.event.Time.Add(time.Duration(a.Cookie.MaxAge) * time.Second)
		}
		c.cookie = a.Cookie.String()
	}
	if c.gone {
		c.event.Status = statusClientGone
	}
	return nil
}
