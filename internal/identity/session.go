package identity

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// Meta says where a call comes from.
type Meta struct {
	IP        netip.Addr
	UserAgent string
}

// TokenPair is what a login or a refresh answers (RFC 6749 section 5.1).
type TokenPair struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
}

// maxLogin is the longest login that is looked for, in bytes.
const maxLogin = 256

// Login checks a password and begins a family of tokens. Whatever is wrong,
// the answer is the same Unauthenticated after the same time. After too many
// failures of an account or from an address it is RateLimited.
func (s *Service) Login(ctx context.Context, login, password string, meta Meta) (*TokenPair, *Principal, error) {
	if err := s.attempts.check(login, meta.IP, s.clock.Now()); err != nil {
		return nil, nil, err
	}
	user, err := s.checkPassword(ctx, login, password, meta.IP)
	if err != nil {
		return nil, nil, err
	}
	who, err := s.signedIn(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	family := clock.RandomHex(16)
	var pair *TokenPair
	err = s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		pair, err = s.issue(ctx, tx, user, family, meta)
		return err
	})
	if err != nil {
		return nil, nil, storeFault(err, "begin a session")
	}
	return pair, who, nil
}

// checkPassword finds the user of a login and password: a local one, else one
// of the Odoo.
func (s *Service) checkPassword(ctx context.Context, login, password string, ip netip.Addr) (*User, error) {
	user, err := s.localPassword(ctx, login, password, ip)
	if err != nil || user != nil {
		return user, err
	}
	if s.directory == nil {
		return nil, wrongPassword()
	}
	return s.odooPassword(ctx, login, password, ip)
}

// localPassword finds the local user of a login and password; nil for none. A
// user who does not exist or is archived costs the same work as a wrong
// password. A failure is counted here unless the Odoo is to be asked.
func (s *Service) localPassword(ctx context.Context, login, password string, ip netip.Addr) (*User, error) {
	var user *User
	if login != "" && len(login) <= maxLogin {
		var err error
		if user, err = s.users.ByLogin(ctx, login); err != nil && !fault.Is(err, fault.NotFound) {
			return nil, storeFault(err, "find the user of a login")
		}
	}
	stored := ""
	if user != nil {
		stored = user.PasswordHash
	}
	release, err := s.passwords.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	// Again, and under the slot until the outcome is counted: many attempts at
	// once must not all pass the first check.
	if err := s.attempts.check(login, ip, s.clock.Now()); err != nil {
		return nil, err
	}
	ok, err := s.passwords.compare(password, stored)
	if err != nil {
		return nil, err
	}
	if !ok || !user.Active {
		if s.directory == nil {
			s.failedLogin(login, password, ip)
		}
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	s.attempts.succeed(login)
	return user, nil
}

// failedLogin counts a failure.
func (s *Service) failedLogin(login, password string, ip netip.Addr) {
	if looksLikeKey(password) {
		s.attempts.failAddress(ip, s.clock.Now())
	} else {
		s.attempts.fail(login, ip, s.clock.Now())
	}
}

// issue makes an access and a refresh token and records both.
func (s *Service) issue(ctx context.Context, tx sqldb.Tx, user *User, family string, meta Meta) (*TokenPair, error) {
	now := s.clock.Now()
	access, refresh := newClaims(accessToken, user, family, now), newClaims(refreshToken, user, family, now)
	pair := &TokenPair{TokenType: "Bearer", ExpiresIn: int64(accessLife / time.Second)}
	var err error
	if pair.AccessToken, err = s.sign(access); err != nil {
		return nil, err
	}
	if pair.RefreshToken, err = s.sign(refresh); err != nil {
		return nil, err
	}
	var records []sqldb.Stmt
	for _, c := range []*claims{access, refresh} {
		records = append(records, c.record(user, meta))
	}
	return pair, tx.Batch(ctx, records)
}

// record is the statement that records a user's token as issued.
func (c *claims) record(user *User, meta Meta) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `insert into gateway_token (jti, user_id, family, kind, issued_at, expires_at, ip, user_agent)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		Args: []any{c.ID, user.ID, c.Family, string(c.Type), c.IssuedAt.UTC(), c.ExpiresAt.UTC(), address(meta.IP), plain(meta.UserAgent)},
	}
}

// Refresh exchanges a refresh token for a new pair, once. If it was exchanged
// before, somebody else has it too: then the whole family is revoked, the
// access tokens included (RFC 9700 section 4.14.2).
func (s *Service) Refresh(ctx context.Context, token string, meta Meta) (*TokenPair, error) {
	c, err := s.verify(ctx, token, refreshToken, s.clock.Now())
	if err != nil {
		return nil, err
	}
	a, err := s.tokenAccount(ctx, c)
	if err != nil {
		return nil, err
	}
	var pair *TokenPair
	var refused *fault.Error // beside the error, because its revocation must be committed
	err = s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		pair = nil
		if refused, err = s.spend(ctx, tx, c); err != nil || refused != nil {
			return err
		}
		pair, err = s.issue(ctx, tx, a.user, c.Family, meta)
		return err
	})
	if err != nil {
		return nil, storeFault(err, "refresh a token")
	}
	if refused != nil {
		return nil, refused
	}
	return pair, nil
}

// spend marks a refresh token as used, or says why it cannot be.
func (s *Service) spend(ctx context.Context, tx sqldb.Tx, c *claims) (*fault.Error, error) {
	if err := lockFamily(ctx, tx, c.Family); err != nil {
		return nil, err
	}
	var known, used, revoked bool
	err := tx.Query(ctx, `select used_at, revoked_at from gateway_token where jti = $1 and kind = 'refresh'`, []any{c.ID},
		func(r sqldb.Row) error {
			known, used, revoked = true, !r.Null(0), !r.Null(1)
			return nil
		})
	switch {
	case err != nil:
		return nil, err
	case !known:
		return invalidToken(), nil
	case revoked:
		return revokedToken(), nil
	case used:
		return revokedToken(), s.revokeFamily(ctx, tx, c.Family)
	}
	_, err = tx.Exec(ctx, `update gateway_token set used_at = $1 where jti = $2`, s.clock.Now(), c.ID)
	return nil, err
}

// principal is the user whom a token of a kind is of, with all that he may do.
func (c *claims) principal(a *account, kind CredentialKind) *Principal {
	p := a.principal()
	p.Kind, p.TokenID, p.Family, p.Scopes = kind, c.ID, c.Family, AllScopes()
	p.Subject = "user:" + c.Subject
	return p
}

// tokenAccount gives the user of a verified token, if he may still act and has
// the password with which it was got.
func (s *Service) tokenAccount(ctx context.Context, c *claims) (*account, error) {
	a, err := s.account(ctx, c.userID())
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	if err != nil {
		return nil, err
	}
	if a.version != c.Version {
		return nil, revokedToken()
	}
	return a, nil
}

// Logout revokes all tokens of the session that the caller's access token
// belongs to, and those of the refresh token if one is given that is his own.
// Callers with other credentials have no session: BadRequest.
func (s *Service) Logout(ctx context.Context, p *Principal, refresh string) error {
	if p.Family == "" {
		return fault.New(fault.BadRequest, "Only the access token of a user can be logged out")
	}
	families := []string{p.Family}
	if refresh != "" {
		c, err := s.verify(ctx, refresh, refreshToken, s.clock.Now())
		if err == nil && c.userID() == p.UserID && c.Family != p.Family {
			families = append(families, c.Family)
			slices.Sort(families) // two logouts at once must lock them in one order
		}
	}
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		for _, family := range families {
			if err := s.revokeFamily(ctx, tx, family); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return storeFault(err, "log out")
	}
	return s.endedOdoo(ctx, p.UserID)
}

func inactiveUser() *fault.Error {
	return fault.New(fault.Unauthenticated, "The user of this credential is not active")
}

// address is an address as it is stored, NULL when there is none.
func address(ip netip.Addr) any {
	if !ip.IsValid() {
		return nil
	}
	return ip.String()
}

// plain makes storable text of what a client sent: valid UTF-8 without NUL, of
// bounded length.
func plain(text string) string {
	const most = 256
	if len(text) > most {
		text = text[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
