package identity

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// digest is the SHA-256 of a credential: caches and tables never hold the
// credential itself.
type digest [sha256.Size]byte

// digestOf hashes a credential. Those of usual length need no allocation.
func digestOf(credential string) digest {
	var usual [512]byte
	return sha256.Sum256(append(usual[:0], credential...))
}

// Identify finds out who makes a request, by its Authorization (RFC 6750) or
// X-API-Key header, or where there is neither by the cookie of a session. A credential that was seen before costs no query. Errors
// are Unauthenticated, BadRequest when there are two credentials, Forbidden
// when the caller's allowed IPs cannot be understood, RateLimited when too many
// wrong keys came from the address ip, or Unavailable. Whether the address is
// allowed is not checked here.
func (s *Service) Identify(ctx context.Context, h http.Header, ip netip.Addr) (*Principal, error) {
	now := s.clock.Now()
	bearer, hasBearer := h["Authorization"]
	key, hasKey := h["X-Api-Key"]
	switch {
	case hasBearer && hasKey:
		return nil, fault.New(fault.BadRequest, "Both Authorization and X-API-Key are given: send one of them")
	case hasBearer:
		token, ok := bearerToken(bearer)
		if !ok {
			return nil, fault.New(fault.Unauthenticated, "Malformed Authorization header: expected 'Authorization: Bearer <access token>'")
		}
		if k, ok := parseUserKey(token); ok {
			return s.identifyUserKey(ctx, token, k, ip, now)
		}
		return s.identifyToken(ctx, token, now)
	case hasKey:
		if len(key) != 1 || !isKey(key[0]) {
			return nil, fault.New(fault.Unauthenticated, "Malformed X-API-Key header: expected the 64 characters of an API key")
		}
		return s.identifyKey(ctx, key[0], now)
	}
	if cookies := h["Cookie"]; cookies != nil {
		if token := sessionCookie(cookies); token != "" {
			return s.identifyAs(ctx, token, true, now)
		}
	}
	return nil, fault.New(fault.Unauthenticated, "Authentication required")
}

// bearerToken takes the token out of the one Authorization header. The name of
// the scheme is of any case (RFC 9110 section 11.1).
func bearerToken(values []string) (string, bool) {
	const scheme = "Bearer "
	if len(values) != 1 || len(values[0]) <= len(scheme) || !strings.EqualFold(values[0][:len(scheme)], scheme) {
		return "", false
	}
	token := strings.Trim(values[0][len(scheme):], " ")
	return token, token != "" && !strings.ContainsAny(token, " \t,")
}

// tokenEntry is an access token that was verified. Its claims hold for ever,
// the principal as long as users stay the same, and of a client's token clients.
type tokenEntry struct {
	claims         *claims
	expires        time.Time
	users, clients uint64
	principal      *Principal
}

// identifyToken takes a token that came as Bearer.
func (s *Service) identifyToken(ctx context.Context, token string, now time.Time) (*Principal, error) {
	return s.identifyAs(ctx, token, false, now)
}

// identifyAs takes a token that came as Bearer, or else in the cookie: one of
// a session is good there only, and others are not.
func (s *Service) identifyAs(ctx context.Context, token string, cookie bool, now time.Time) (*Principal, error) {
	if len(token) > maxToken {
		return nil, invalidToken()
	}
	sum := digestOf(token)
	e, ok := s.tokens.get(sum)
	if !ok || !now.Before(e.expires) {
		verify := s.verifyBearer
		if cookie {
			verify = s.verifySession
		}
		c, err := verify(ctx, token, now)
		if err != nil {
			s.tokens.remove(sum)
			return nil, err
		}
		e = &tokenEntry{claims: c, expires: c.ExpiresAt.Time}
	}
	if cookie != (e.claims.Type == sessionToken) { // it is known from the other place
		return nil, e.claims.check(wantedKind(cookie), now)
	}
	if s.revoked.has(e.claims.Family) {
		return nil, revokedToken()
	}
	if e.claims.Type == clientToken {
		return s.identifyClient(ctx, sum, e)
	}
	if e.principal != nil && e.users == s.usersGen.Load() {
		return e.principal, nil
	}
	a, err := s.tokenAccount(ctx, e.claims)
	if err != nil {
		return nil, err
	}
	p := e.claims.principal(a, UserToken)
	if cookie {
		p.Kind, p.Subject, p.Limits = Session, "session:"+e.claims.Subject, sessionLimits
	}
	s.tokens.put(sum, &tokenEntry{claims: e.claims, expires: e.expires, users: a.users, principal: p})
	return p, nil
}
