package identity

import (
	"context"
	"crypto/subtle"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
	"gatehouse/internal/sqldb"
)

// The shape of what a client authenticates with: gw_ and 12 hexadecimal
// digits, and 32 URL-safe characters of 6 random bits each.
const (
	clientPrefix    = "gw_"
	clientDigits    = 12
	clientSecretLen = 32
)

// How long a client's tokens hold: unless it says otherwise, and at most, in seconds.
const (
	DefaultTokenLifetime = 3600
	MaxTokenLifetime     = int64(maxLife / time.Second)
)

// NewClientID draws what an OAuth2 client is called.
func NewClientID() string { return clientPrefix + clock.RandomHex(clientDigits/2) }

// NewClientSecret draws a secret, and gives the hash that gateway_client has in
// its place. None begins with '-', which command lines take for an option.
func NewClientSecret() (secret, hash string) {
	for secret == "" || secret[0] == '-' {
		secret = clock.RandomURLSafe(clientSecretLen)
	}
	return secret, KeyHash(secret)
}

func isClientID(text string) bool {
	digits, ok := strings.CutPrefix(text, clientPrefix)
	return ok && len(digits) == clientDigits && strings.Trim(digits, "0123456789abcdef") == ""
}

// Client is an OAuth2 client as it was last read. It is immutable.
type Client struct {
	row     int64
	id      string
	userID  int64
	active  bool
	hash    string // of the secret
	keys    string // public keys, as text
	words   string // the scopes, as text
	scopes  Scopes // once the client is known to be who it says
	limits  Limits
	allowed string
	life    time.Duration
	odooUID int64 // as for keys
	odooAs  string

	clients uint64 // the generation for which it holds, in the cache
}

// Scopes are what the client may have at most.
func (c *Client) Scopes() Scopes { return c.scopes }

// readScopes makes scopes of their words. As for keys: without scopes that read,
// nothing is allowed.
func (c *Client) readScopes() { c.scopes, _ = ParseScopes(c.words) }

// findClient reads a client from the store; nil when there is none. It does as
// little as possible with what it found: the time of a failed authentication
// must not tell.
func (s *Service) findClient(ctx context.Context, id string) (c *Client, err error) {
	if !isClientID(id) {
		return nil, nil
	}
	err = s.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select id, user_id, active, secret_hash, public_key, scopes,
				limit_minute, limit_hour, limit_day, allowed_ips, token_lifetime, odoo_uid, odoo_login
			from gateway_client where client_id = $1`, []any{id}, func(r sqldb.Row) error {
			c = &Client{
				row: r.Int(0), id: id, userID: r.Int(1), active: r.Bool(2), hash: r.Text(3), keys: r.Text(4),
				limits:  Limits{Minute: max(0, r.Int(6)), Hour: max(0, r.Int(7)), Day: max(0, r.Int(8))},
				allowed: r.Text(9), life: lifetime(r.Int(10)),
				odooUID: r.Int(11), odooAs: r.Text(12),
			}
			c.words = r.Text(5)
			return nil
		})
	})
	return c, storeFault(err, "load an OAuth2 client")
}

func lifetime(seconds int64) time.Duration {
	if seconds <= 0 {
		seconds = DefaultTokenLifetime
	}
	return time.Duration(min(seconds, MaxTokenLifetime)) * time.Second
}

// client is findClient from memory.
func (s *Service) client(ctx context.Context, id string) (*Client, error) {
	clients := s.clientsGen.Load()
	if c, ok := s.clients.get(id); ok && c.clients == clients {
		return c, nil
	}
	// As for accounts, the generation is part of the key.
	v, err, _ := s.loads.Do("client "+id+" "+strconv.FormatUint(clients, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		c, err := s.findClient(ctx, id)
		if err != nil || c == nil {
			s.clients.remove(id)
			return c, err
		}
		c.readScopes()
		c.clients = clients
		s.clients.put(id, c)
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	c, _ := v.(*Client)
	return c, nil
}

// addresses are the networks that the client may call from: its own list, else
// that of its user's profile.
func (c *Client) addresses(a *account) ([]netip.Prefix, error) {
	own, err := iprange.ParseAllowList(c.allowed)
	if err != nil {
		return nil, fault.New(fault.Forbidden, "The allowed IPs of this client are not valid").Because(err)
	}
	if len(own) > 0 {
		return own, nil
	}
	return a.allowed, nil
}

// identifyClient finds the caller of a client's token, from memory while users
// and clients stay the same.
func (s *Service) identifyClient(ctx context.Context, sum digest, e *tokenEntry) (*Principal, error) {
	if e.principal != nil && e.users == s.usersGen.Load() && e.clients == s.clientsGen.Load() {
		return e.principal, nil
	}
	c, err := s.client(ctx, e.claims.ClientID)
	switch {
	case err != nil:
		return nil, err
	case c == nil || !c.active:
		return nil, fault.New(fault.Unauthenticated, "The client of this token is not active")
	case c.userID != e.claims.userID(): // it runs as somebody else now
		return nil, revokedToken()
	}
	a, err := s.account(ctx, c.userID)
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	if err != nil {
		return nil, err
	}
	p := a.principal()
	p.Kind, p.CredentialID, p.TokenID = ClientToken, c.row, e.claims.ID
	p.Subject = "client:" + strconv.FormatInt(c.row, 10)
	p.Scopes = c.scopes.Cut(strings.Join(e.claims.Scopes, " "))
	p.Limits = c.limits.over(a.limits)
	p.Odoo = a.calling(c.odooUID, c.odooAs)
	if p.AllowedIPs, err = c.addresses(a); err != nil {
		return nil, err
	}
	s.tokens.put(sum, &tokenEntry{claims: e.claims, expires: e.expires, users: a.users, clients: c.clients, principal: p})
	return p, nil
}

// clientAccount is what failed authentications of a client are counted under.
// No login has a NUL.
func clientAccount(id string) string { return "\x00client " + id }

func invalidClient() *fault.Error {
	return fault.New(fault.Unauthenticated, "Client authentication failed")
}

// AuthenticateClient checks a client's secret and where it calls from. It asks
// the store, whether or not there is such a client, and so takes the same time.
// Errors are Unauthenticated, Forbidden for an address that the client may not
// call from, or RateLimited after too many failures.
func (s *Service) AuthenticateClient(ctx context.Context, id, secret string, meta Meta) (*Client, error) {
	if err := s.attempts.check(clientAccount(id), meta.IP, s.clock.Now()); err != nil {
		return nil, err
	}
	c, err := s.findClient(ctx, id)
	if err != nil {
		return nil, err
	}
	stored := KeyHash("") // of nothing that anybody can send: see below
	if c != nil {
		stored = c.hash
	}
	same := subtle.ConstantTimeCompare([]byte(KeyHash(secret)), []byte(stored)) == 1
	if !same || secret == "" || c == nil || !c.active {
		s.attempts.fail(clientAccount(id), meta.IP, s.clock.Now())
		return nil, invalidClient()
	}
	return s.admitClient(ctx, c, meta)
}

// admitClient lets a client in that has proved who it is, if its user is
// active and its address allowed.
func (s *Service) admitClient(ctx context.Context, c *Client, meta Meta) (*Client, error) {
	s.attempts.succeed(clientAccount(c.id))
	c.readScopes()
	a, err := s.account(ctx, c.userID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Unauthenticated, "The user that this client runs as is not active")
	}
	if err != nil {
		return nil, err
	}
	allowed, err := c.addresses(a)
	if err != nil {
		return nil, err
	}
	if !iprange.Allowed(allowed, meta.IP) {
		return nil, fault.New(fault.Forbidden, "This client may not be used from "+meta.IP.String())
	}
	return c, nil
}
