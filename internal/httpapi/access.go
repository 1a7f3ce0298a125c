package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
	"gatehouse/internal/setting"
	"gatehouse/internal/throttle"
)

// Access says who may call a route. It has no zero value: a route that does
// not say so keeps the server from starting.
type Access uint8

// The kinds of access.
const (
	_                  Access = iota
	Public                    // anybody, without a credential
	AnyCredential             // whoever is identified
	Scoped                    // whoever has the scope of the route's action
	AdminOnly                 // administrators with the scope admin
	ClientOrAdmin             // OAuth2 clients, whom the handler authenticates, or with an API credential as AdminOnly
	OptionalCredential        // anybody, if the handler agrees; whoever comes with a credential is identified
	AsAsked                   // one of Public, AnyCredential and Scoped, as the body asks; see Exchange
)

// Limiting says what a request counts against. It has no zero value either.
type Limiting uint8

// The classes of limits.
const (
	_         Limiting = iota
	Counted            // the caller's own limits, or the global one; without a caller, per address
	Uncounted          // nothing: probes of whoever runs the server
)

// adminModels is how the names of Gatehouse's own models begin.
const adminModels = "gateway."

// userKeys are the API keys of users. Each may do all that its user may do, so
// a credential that may do less does not make any.
const userKeys = "res.users.apikeys"

// identify finds out who calls. Public routes do not ask.
//
// Blocked addresses are refused here and not in the receive step, which never
// refuses: so that their requests too are logged with their id, route and
// model. It is still before any credential is looked at: whoever is blocked
// learns nothing by guessing on. Probes and preflights are answered to all.
func (s *Server) identify(c *call) error {
	if c.route.Limiting == Counted {
		if block, blocked := s.deps.Blocks.Blocked(c.ip, c.event.Time); blocked {
			return block.Fault(c.ip, c.event.Time)
		}
	}
	if err := s.open(c); err != nil {
		return err
	}
	switch c.access {
	case Public:
		return nil
	case ClientOrAdmin:
		if !hasCredential(c.r.Header) {
			return nil
		}
	case OptionalCredential:
		if !s.brings(c.r) {
			return nil
		}
	default:
	}
	who, err := s.principal(c)
	if err = c.excused(err); err != nil {
		return err
	}
	if who == nil && c.access == OptionalCredential {
		return nil
	}
	if who == nil {
		return fault.New(fault.Unauthenticated, "Authentication required")
	}
	if who.Kind == identity.Session {
		if err := s.ownPage(c.r); err != nil {
			return err
		}
	}
	c.who = who
	c.caller.UserID = who.UserID
	c.caller.Account = AccountOf(who)
	c.caller.Origin = audit.Origin{
		Via: audit.API, UserID: who.UserID, Login: who.Login,
		Credential: string(who.Kind), CredentialID: who.CredentialID, IP: c.ip, RequestID: c.event.RequestID,
	}
	c.caller.Admin = who.Administrator && who.Scopes.Allows(identity.Need{Action: identity.Admin})
	e := &c.event
	e.UserID, e.Login, e.LogLevel = who.UserID, who.Login, who.LogLevel
	e.Credential, e.CredentialID = who.Kind, who.CredentialID
	return nil
}

// AccountOf is the credential of a caller as backends know it.
func AccountOf(who *identity.Principal) backend.Account {
	a := backend.Account{Kind: string(who.Kind), ID: who.CredentialID, Key: who.Key}
	if who.Odoo != nil {
		a.UID = who.Odoo.ID
	}
	return a
}

// brings says whether a request has a credential that it may use: a header, or
// the cookie of a session on a page of our own.
func (s *Server) brings(r *http.Request) bool {
	return hasCredential(r.Header) || identity.HasSession(r.Header) && s.ownPage(r) == nil
}

// excused passes over a session that has ended where no credential is needed:
// its cookie comes by itself, and is no mistake.
func (c *call) excused(err error) error {
	if c.access == OptionalCredential && fault.Is(err, fault.Unauthenticated) && !hasCredential(c.r.Header) {
		return nil
	}
	return err
}

// authorize asks whether the credential's scopes cover the route. What the
// user behind it may do with the records is the backend's question.
func (s *Server) authorize(c *call) error {
	switch {
	case c.access == Public, c.access == AnyCredential, c.access == OptionalCredential,
		c.access == ClientOrAdmin && c.who == nil:
		return nil
	}
	need := identity.Need{Action: c.action, Model: c.event.Model, Resource: c.route.resourceName()}
	if c.access == AdminOnly || c.access == ClientOrAdmin || strings.HasPrefix(c.event.Model, adminModels) {
		need = identity.Need{Action: identity.Admin}
	}
	if !c.who.Scopes.Allows(need) {
		return missingScope(need)
	}
	if all := (identity.Need{Action: identity.Admin}); need.Action != identity.Read && !c.who.Scopes.Allows(all) {
		c.caller.Ungranting = missingScope(all)
		if c.event.Model == userKeys && need.Action == identity.Write {
			return c.caller.Ungranting
		}
	}
	if c.access == Scoped {
		c.caller.InScope = c.inScope
	}
	if need.Action == identity.Admin && !c.who.Administrator {
		return fault.New(fault.Forbidden, "Only administrators may do this")
	}
	return nil
}

func missingScope(need identity.Need) error {
	return fault.New(fault.Forbidden, "Missing scope: "+need.String()).
		With(map[string]string{"scope": need.String()})
}

// inScope says whether the credential covers what a request does to another
// model: a change that a list brings along, or a look.
func (c *call) inScope(model string, mode schema.Mode) bool {
	need := identity.Need{Action: identity.Write, Model: model}
	switch {
	case strings.HasPrefix(model, adminModels), model == userKeys && mode != schema.Unlink:
		need.Action = identity.Admin
	case mode == schema.Unlink:
		need.Action = identity.Delete
	case mode == schema.Read:
		need.Action = identity.Read
	}
	return c.who.Scopes.Allows(need)
}

// mayReadBack looks, before anything is written, at the fields that the answer
// is to show: they must be there, and the credential must be good for reading.
func (c *call) mayReadBack(m *schema.Model, fields []string) error {
	need := identity.Need{Action: identity.Read, Model: m.Name}
	if fields != nil && !strings.HasPrefix(m.Name, adminModels) && !c.who.Scopes.Allows(need) {
		return fault.New(fault.Forbidden, "Missing scope: "+need.String()+", which the parameter fields needs").
			With(map[string]string{"scope": need.String()})
	}
	return knownFields(m, fields)
}

// limit counts the request. It runs for refused ones too, so that guessing
// credentials is limited as well, and headers are on every answer. Blocked
// addresses get nothing anyway, and shall cost no query.
func (s *Server) limit(c *call) error {
	if c.route == nil || c.route.Limiting != Counted || c.fault != nil && c.fault.Kind == fault.Blocked {
		return nil
	}
	subject, windows := s.limitsOf(c)
	if len(windows) == 0 {
		return nil
	}
	ctx := c.ctx
	if ctx.Err() != nil { // the request's time is up, its count is not
		ctx = context.WithoutCancel(ctx)
	}
	decision, err := s.deps.Limiter.Take(ctx, subject, windows)
	if err != nil {
		if s.deps.AdmitUncounted && ctx.Err() == nil && fault.Is(err, fault.Unavailable) {
			return nil // the limiter has logged it, once
		}
		return err
	}
	if decision.Limit > 0 {
		c.limited, c.decision = true, decision
	}
	if !decision.Allowed {
		return decision.Fault()
	}
	return nil
}

// limitsOf says for whom a request counts, and against what.
func (s *Server) limitsOf(c *call) (string, []throttle.Window) {
	if c.who == nil {
		return addressSubject(c.ip), globalWindows(c.settings)
	}
	if limits := c.who.Limits; !limits.IsZero() {
		return c.who.Subject, throttle.Windows(limits.Minute, limits.Hour, limits.Day)
	}
	return c.who.Subject, globalWindows(c.settings)
}

// globalWindows is the limit of whoever has none of his own.
func globalWindows(s *setting.Settings) []throttle.Window {
	if s.GlobalRateLimit <= 0 {
		return nil
	}
	return []throttle.Window{{
		Name:    string(s.RateWindow),
		Seconds: int64(s.RateWindow.Duration() / time.Second),
		Limit:   s.GlobalRateLimit,
	}}
}

// addressSubject is what requests without a caller are counted for. Whoever
// has one IPv6 address has the 2^64 of its network: they count as one.
func addressSubject(ip netip.Addr) string {
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return "ip:" + network.String()
		}
	}
	return "ip:" + ip.String()
}

// address holds the caller to the addresses that his credential is good for.
func (s *Server) address(c *call) error {
	if c.who == nil {
		return nil
	}
	if !c.who.AllowedFrom(c.ip) {
		return fault.New(fault.Forbidden, "This credential may not be used from "+c.ip.String())
	}
	s.deps.Identity.UsedFrom(c.who, c.ip, c.event.Time)
	return nil
}

// hasCredential says whether a request comes with a credential of the API, not
// with one of an OAuth2 client.
func hasCredential(h http.Header) bool {
	scheme, _, _ := strings.Cut(h.Get("Authorization"), " ")
	return h.Get("X-Api-Key") != "" || strings.EqualFold(scheme, "Bearer")
}

// challenge is the WWW-Authenticate header of a 401: RFC 6750 wants an error
// in it only where a credential was sent. OAuth2 clients that used a header are
// asked for HTTP Basic (RFC 6749 section 5.2); those that did not get none,
// because clients that see a challenge do not look at the error in the body.
func challenge(route *Route, r *http.Request) string {
	if route.Style == RFC && (route.Access == Public || !hasCredential(r.Header)) {
		if r.Header.Get("Authorization") == "" {
			return ""
		}
		return `Basic realm="gatehouse"`
	}
	if r.Header.Get("Authorization") == "" && r.Header.Get("X-Api-Key") == "" {
		return `Bearer realm="gatehouse"`
	}
	return `Bearer realm="gatehouse", error="invalid_token"`
}
