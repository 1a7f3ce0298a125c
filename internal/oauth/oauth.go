// Package oauth is the protocol of OAuth2 clients: the token endpoint with
// client credentials (RFC 6749 section 4.4), revocation (RFC 7009),
// introspection (RFC 7662) and the metadata of the server (RFC 8414). It reads
// requests and decides; who a client is and what tokens hold, package identity
// knows.
package oauth

import (
	"context"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/jwk"
)

// Clients is what the protocol needs of package identity.
type Clients interface {
	AuthenticateClient(ctx context.Context, id, secret string, meta identity.Meta) (*identity.Client, error)
	AuthenticateAssertion(ctx context.Context, id, assertion string, audiences []string, meta identity.Meta) (*identity.Client, error)
	IssueClientToken(ctx context.Context, c *identity.Client, scopes identity.Scopes, meta identity.Meta) (string, time.Duration, error)
	RevokeClientToken(ctx context.Context, c *identity.Client, token string) error
	InspectToken(ctx context.Context, token string) (*identity.TokenInfo, error)
	PublicKeys() []jwk.JSON
}

// Server answers the endpoints. Safe for concurrent use.
type Server struct{ Clients Clients }

// Request is what came to an endpoint.
type Request struct {
	Authorization []string // the values of the header
	ContentType   string
	Body          []byte
	Issuer        string // of this server, as the caller reaches it
	Meta          identity.Meta
}

// Token is the answer of the token endpoint (RFC 6749 section 5.1).
type Token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// Token answers the token endpoint. Its errors, as those of all endpoints, are
// faults of which CodeOf gives the code.
func (s *Server) Token(ctx context.Context, r *Request) (*Token, error) {
	form, err := parseForm(r.ContentType, r.Body)
	if err != nil {
		return nil, err
	}
	switch grant := form["grant_type"]; grant {
	case "":
		return nil, missing("grant_type")
	case "client_credentials":
	default:
		return nil, refuse(UnsupportedGrantType, "The only grant_type here is client_credentials")
	}
	client, err := s.authenticate(ctx, r, form)
	if err != nil {
		return nil, err
	}
	scopes := client.Scopes()
	if asked := form["scope"]; asked != "" {
		if scopes = scopes.Cut(asked); scopes.IsZero() {
			return nil, refuse(InvalidScope, "None of these scopes is allowed; this client may have: "+client.Scopes().String())
		}
	}
	if scopes.IsZero() {
		return nil, refuse(InvalidScope, "This client is allowed no scopes")
	}
	token, life, err := s.Clients.IssueClientToken(ctx, client, scopes, r.Meta)
	if err != nil {
		return nil, err
	}
	return &Token{AccessToken: token, TokenType: "Bearer", ExpiresIn: int64(life / time.Second), Scope: scopes.String()}, nil
}

// Revoke answers the revocation endpoint. A token that is not the client's own,
// or is none at all, is no error.
func (s *Server) Revoke(ctx context.Context, r *Request) error {
	form, err := parseForm(r.ContentType, r.Body)
	if err != nil {
		return err
	}
	client, err := s.authenticate(ctx, r, form)
	if err != nil {
		return err
	}
	if form["token"] == "" {
		return missing("token")
	}
	return s.Clients.RevokeClientToken(ctx, client, form["token"])
}

// Introspection is the answer of the introspection endpoint (RFC 7662 section
// 2.2). Of a token that does not hold nothing is said but that.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
}

// Introspect answers the introspection endpoint: clients, and callers whom the
// API knows already.
func (s *Server) Introspect(ctx context.Context, r *Request, known bool) (*Introspection, error) {
	form, err := parseForm(r.ContentType, r.Body)
	if err != nil {
		return nil, err
	}
	if !known {
		if _, err := s.authenticate(ctx, r, form); err != nil {
			return nil, err
		}
	}
	if form["token"] == "" {
		return nil, missing("token")
	}
	info, err := s.Clients.InspectToken(ctx, form["token"])
	if err != nil || info == nil {
		return &Introspection{}, err
	}
	return &Introspection{
		Active: true, Scope: info.Scope, ClientID: info.ClientID, Username: info.Username, TokenType: "Bearer",
		Expires: info.Expires.Unix(), IssuedAt: info.IssuedAt.Unix(), Subject: info.Subject, Issuer: info.Issuer, ID: info.ID,
	}, nil
}

func missing(name string) error {
	return refuse(InvalidRequest, "Missing parameter: "+name)
}

func refuse(code Code, why string) error { return fault.New(code.kind(), why).With(code) }
