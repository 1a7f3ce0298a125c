// Package identity finds out who calls: users, their tokens and API keys. One
// Principal comes out; nothing after the identify step of a request knows
// which kind of credential it was, the log apart.
package identity

import (
	"net/netip"

	"gatehouse/internal/iprange"
)

// CredentialKind names the way a caller identified himself, for the log.
type CredentialKind string

// The kinds of credentials.
const (
	UserToken   CredentialKind = "jwt"         // access token of a user
	APIKey      CredentialKind = "api_key"     // gateway API key
	UserKey     CredentialKind = "user_key"    // API key of a user, as Odoo has them
	ClientToken CredentialKind = "oauth2"      // token of an OAuth2 client
	Session     CredentialKind = "session"     // cookie of the pages
	Password    CredentialKind = "password"    // a user's password, sent with the call
	WebSession  CredentialKind = "web_session" // cookie of a web session, as Odoo has them
)

// Limits are requests per window; 0 means no limit of its own.
type Limits struct{ Minute, Hour, Day int64 }

// IsZero says whether no window is limited.
func (l Limits) IsZero() bool { return l == Limits{} }

// over gives l, with base where l has no limit of its own.
func (l Limits) over(base Limits) Limits {
	if l.Minute == 0 {
		l.Minute = base.Minute
	}
	if l.Hour == 0 {
		l.Hour = base.Hour
	}
	if l.Day == 0 {
		l.Day = base.Day
	}
	return l
}

// Principal is an identified caller. It is shared between requests and must
// not be changed.
type Principal struct {
	UserID       int64
	Login        string
	Name         string
	Kind         CredentialKind
	CredentialID int64 // row of gateway_key, res_users_apikeys or gateway_client; 0 for users' tokens
	// TokenID is the jti of a token, "" for keys.
	TokenID string
	// Family is what all tokens that came of one login share, "" for keys, passwords and clients.
	Family string
	// Scopes of the credential; a user's own token has all that the user may do.
	Scopes Scopes
	// Subject is what limits are counted for, e.g. "key:7", "client:3" or "user:2".
	Subject string
	Limits  Limits
	// AllowedIPs restricts where calls may come from; empty: anywhere.
	AllowedIPs []netip.Prefix
	// Odoo is as whom he calls the Odoo in front of which Gatehouse stands; nil:
	// nobody. UserID, Login and Name are always those of the store.
	Odoo *Person
	// Administrator says that the user is one (Odoo's group base.group_system).
	Administrator bool
	// LogLevel of the user's profile; "" is the global one.
	LogLevel string
	// Key is the caller's own key where it goes through to a real Odoo, else "".
	Key string `json:"-"`
}

// Person is the caller as he is told of himself.
func (p *Principal) Person() Person {
	if p.Odoo != nil {
		return *p.Odoo
	}
	return Person{p.UserID, p.Login, p.Name}
}

// AllowedFrom says whether the credential may be used from an address.
func (p *Principal) AllowedFrom(ip netip.Addr) bool { return iprange.Allowed(p.AllowedIPs, ip) }
