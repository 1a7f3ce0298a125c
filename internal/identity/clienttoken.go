package identity

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// IssueClientToken makes an access token for a client that was authenticated,
// records it, and says how long it holds. Scopes beyond the client's own are
// left out.
func (s *Service) IssueClientToken(ctx context.Context, c *Client, scopes Scopes, meta Meta) (token string, life time.Duration, err error) {
	now := s.clock.Now().Truncate(time.Second)
	said := &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: strconv.FormatInt(c.userID, 10), ID: clock.RandomHex(16),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(c.life)),
		},
		// A family of its own: it is revoked alone.
		Type: clientToken, Family: clock.RandomHex(16), ClientID: c.id,
		Scopes: strings.Fields(c.scopes.Cut(scopes.String()).String()),
	}
	if token, err = s.sign(said); err != nil {
		return "", 0, err
	}
	if len(token) > maxToken { // it could not be used
		return "", 0, fault.New(fault.BadRequest, "Too many scopes for one token: ask for fewer")
	}
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, `insert into gateway_token (jti, user_id, client_id, family, kind, issued_at, expires_at, ip, user_agent)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			said.ID, c.userID, c.row, said.Family, string(said.Type), said.IssuedAt.UTC(), said.ExpiresAt.UTC(),
			address(meta.IP), plain(meta.UserAgent))
		return err
	})
	if err != nil {
		return "", 0, storeFault(err, "record a client's token")
	}
	return token, c.life, nil
}

// RevokeClientToken revokes a token that was issued to the client. Any other
// text is none of its business and changes nothing (RFC 7009 section 2.2).
func (s *Service) RevokeClientToken(ctx context.Context, c *Client, token string) error {
	said, err := s.parse(ctx, token, s.clock.Now())
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	if err != nil {
		return err
	}
	if said.Type != clientToken || said.ClientID != c.id || said.Issuer != issuer {
		return nil
	}
	err = s.db.Write(ctx, func(tx sqldb.Tx) error { return s.revokeFamily(ctx, tx, said.Family) })
	return storeFault(err, "revoke a client's token")
}

// TokenInfo is what is told of a token that holds (RFC 7662 section 2.2). Scope
// and ClientID are "" for a user's own token, which may do all that he may.
type TokenInfo struct {
	Scope    string
	ClientID string
	Username string
	Subject  string
	Issuer   string
	ID       string
	Expires  time.Time
	IssuedAt time.Time
}

// InspectToken looks at the access token of a user or client; nil when it
// would be refused.
func (s *Service) InspectToken(ctx context.Context, token string) (*TokenInfo, error) {
	now := s.clock.Now()
	said, err := s.parse(ctx, token, now)
	var p *Principal
	if err == nil {
		p, err = s.identifyToken(ctx, token, now)
	}
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info := &TokenInfo{
		ClientID: said.ClientID, Username: p.Person().Login, Subject: said.Subject, Issuer: said.Issuer,
		ID: said.ID, Expires: said.ExpiresAt.Time, IssuedAt: said.IssuedAt.Time,
	}
	if said.Type == clientToken {
		info.Scope = p.Scopes.String()
	}
	return info, nil
}
