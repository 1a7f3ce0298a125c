package identity

import (
	"context"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// WebSessionLife is how long a web session holds, as Odoo's do.
const WebSessionLife = refreshLife

// StartWebSession checks a password, or an API key of the user in place of it,
// and begins a web session: the token that is its id goes into a cookie. It is
// one of gateway.token, of the kind web, and no good as a bearer token. A
// gateway key begins none: a session may do all that the user may.
func (s *Service) StartWebSession(ctx context.Context, login, password string, meta Meta) (id string, p *Principal, err error) {
	p, err = s.IdentifyPassword(ctx, Secret{Login: login, Password: password}, meta.IP)
	if err != nil {
		return "", nil, err
	}
	if p.Kind == APIKey {
		return "", nil, fault.New(fault.Forbidden, "A gateway key begins no web session: send it with every call, as X-API-Key")
	}
	if p.Key != "" {
		return "", nil, fault.New(fault.Forbidden, "An API key of the Odoo begins no web session: send it with every call")
	}
	a, err := s.account(ctx, p.UserID)
	if err != nil {
		return "", nil, err
	}
	c := newClaims(webToken, a.user, clock.RandomHex(16), s.clock.Now())
	if id, err = s.sign(c); err != nil {
		return "", nil, err
	}
	err = s.db.Write(ctx, func(tx sqldb.Tx) error { return tx.Batch(ctx, []sqldb.Stmt{c.record(a.user, meta)}) })
	return id, p, storeFault(err, "begin a web session")
}

// IdentifyWebSession finds the caller of a web session by its id. Errors are
// Unauthenticated, or Unavailable.
func (s *Service) IdentifyWebSession(ctx context.Context, id string) (*Principal, error) {
	now := s.clock.Now()
	if len(id) > maxToken {
		return nil, invalidToken()
	}
	sum := digestOf(id)
	e, ok := s.sessions.get(sum)
	if !ok || !now.Before(e.expires) {
		c, err := s.verify(ctx, id, webToken, now)
		if err != nil {
			s.sessions.remove(sum)
			return nil, err
		}
		e = &tokenEntry{claims: c, expires: c.ExpiresAt.Time}
	}
	if s.revoked.has(e.claims.Family) {
		return nil, revokedToken()
	}
	if e.principal != nil && e.users == s.usersGen.Load() {
		return e.principal, nil
	}
	a, err := s.tokenAccount(ctx, e.claims)
	if err != nil {
		return nil, err
	}
	p := e.claims.principal(a, WebSession)
	s.sessions.put(sum, &tokenEntry{claims: e.claims, expires: e.expires, users: a.users, principal: p})
	return p, nil
}
