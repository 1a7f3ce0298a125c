package identity

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
)

// issuer is the iss claim of all our tokens.
const issuer = "gatehouse"

// How long tokens hold.
const (
	accessLife  = 3600 * time.Second
	refreshLife = 604800 * time.Second
	// maxLife is the longest that any token holds: as long retired keys are kept.
	maxLife = refreshLife
)

// tokenKind is the type claim.
type tokenKind string

const (
	accessToken  tokenKind = "access"
	refreshToken tokenKind = "refresh"
	clientToken  tokenKind = "client"
	sessionToken tokenKind = "session" // in the cookie of the pages
	webToken     tokenKind = "web"     // the id of a web session of Odoo's protocols
)

// claims are what a token says (RFC 7519 section 4): sub is the user's id, fam
// the family, ver the version of the password with which it was got. A
// client's token has no password behind it, but the client and its scopes.
type claims struct {
	jwt.RegisteredClaims
	Type     tokenKind `json:"type"`
	Family   string    `json:"fam"`
	Version  string    `json:"ver,omitempty"`
	ClientID string    `json:"client_id,omitempty"`
	Scopes   []string  `json:"scopes,omitempty"`
}

func (c *claims) userID() int64 {
	id, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil || id <= 0 {
		return 0
	}
	return id
}

// newClaims begins a token; times are whole seconds, as the claims have them.
func newClaims(kind tokenKind, user *User, family string, now time.Time) *claims {
	life := accessLife
	switch kind {
	case refreshToken:
		life = refreshLife
	case sessionToken:
		life = SessionLife
	case webToken:
		life = WebSessionLife
	default:
	}
	now = now.Truncate(time.Second)
	return &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: strconv.FormatInt(user.ID, 10), ID: clock.RandomHex(16),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		},
		Type: kind, Family: family, Version: user.passwordVersion(),
	}
}

// sign makes the text of a token.
func (s *Service) sign(c *claims) (string, error) {
	key := s.signing.ring.Load().current
	t := jwt.NewWithClaims(key.method, c)
	t.Header["kid"] = key.kid
	text, err := t.SignedString(key.sign)
	return text, fault.Wrap(err, "sign a token")
}

// maxToken is the longest token that is looked at, in bytes; ours have some 400.
const maxToken = 4096

// verify checks all of a token that can be checked without asking whether it
// was revoked: a known key and its algorithm, the signature, issuer, times and
// type. Errors are Unauthenticated. Before the signature holds, they say
// nothing but "Invalid token".
func (s *Service) verify(ctx context.Context, text string, kind tokenKind, now time.Time) (*claims, error) {
	c, err := s.parse(ctx, text, now)
	if err != nil {
		return nil, err
	}
	return c, c.check(kind, now)
}

// verifyBearer is verify for the two types of tokens that come as Bearer.
func (s *Service) verifyBearer(ctx context.Context, text string, now time.Time) (*claims, error) {
	c, err := s.parse(ctx, text, now)
	if err != nil {
		return nil, err
	}
	if c.Type == clientToken {
		return c, c.check(clientToken, now)
	}
	return c, c.check(accessToken, now)
}

// verifySession is verify for the token in the cookie of the pages.
func (s *Service) verifySession(ctx context.Context, text string, now time.Time) (*claims, error) {
	return s.verify(ctx, text, sessionToken, now)
}

// wantedKind is the type of the tokens of users in a place.
func wantedKind(cookie bool) tokenKind {
	if cookie {
		return sessionToken
	}
	return accessToken
}

// parse reads a token whose signature holds.
func (s *Service) parse(ctx context.Context, text string, now time.Time) (*claims, error) {
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return nil, invalidToken()
	}
	var c claims
	parser := jwt.NewParser(jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()) // the claims are checked after, against now
	_, err := parser.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if _, critical := t.Header["crit"]; critical || kid == "" {
			return nil, invalidToken() // RFC 7515 section 4.1.11: what is critical must be understood
		}
		key, err := s.signing.find(ctx, s.db, kid, now)
		if err != nil {
			return nil, err
		}
		if t.Method != key.method { // the key says how, never the header
			return nil, invalidToken()
		}
		return key.verify, nil
	})
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Unauthenticated {
			return nil, f // the store is away
		}
		return nil, invalidToken().Because(err)
	}
	return &c, nil
}

// clockSkew is how far the clocks of two nodes may be apart.
const clockSkew = 60 * time.Second

// check looks at the claims of a token whose signature holds.
func (c *claims) check(kind tokenKind, now time.Time) error {
	switch {
	case c.Issuer != issuer || c.userID() == 0 || c.ID == "" || c.Family == "" || c.ExpiresAt == nil || c.IssuedAt == nil ||
		c.IssuedAt.After(now.Add(clockSkew)) || !slices.Contains([]tokenKind{accessToken, refreshToken, clientToken, sessionToken, webToken}, c.Type) ||
		(c.Type == clientToken) != (c.ClientID != ""):
		return invalidToken()
	case !now.Before(c.ExpiresAt.Time):
		return fault.New(fault.Unauthenticated, "Token has expired")
	case c.Type != kind && kind == accessToken:
		return fault.New(fault.Unauthenticated, "Invalid token: an access token is needed")
	case c.Type != kind && kind == sessionToken:
		return fault.New(fault.Unauthenticated, "Invalid cookie: the token of a session is needed")
	case c.Type != kind && kind == webToken:
		return invalidToken()
	case c.Type != kind:
		return fault.New(fault.Unauthenticated, "Invalid token: a refresh token is needed")
	}
	return nil
}

func revokedToken() *fault.Error { return fault.New(fault.Unauthenticated, "Token has been revoked") }
