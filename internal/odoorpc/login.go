package odoorpc

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// ErrWhose is the cause of an Unauthenticated of a key that the Odoo was not
// asked about, because it wants to know the user too.
var ErrWhose = errors.New("the user of the key is not said")

// ErrSecondFactor is the cause of an Unauthenticated of a password that was right.
var ErrSecondFactor = errors.New("the Odoo asks for a second factor")

// Authenticate begins a web session with a password. A wrong one is
// Unauthenticated, and so is a user with a second factor: he needs an API key.
// from is the address of who logs in. Each call is a login: what is right and
// what is wrong is not remembered.
func (c *Client) Authenticate(ctx context.Context, login, password string, from netip.Addr) (*Login, error) {
	if login == "" || password == "" {
		return nil, fault.New(fault.Unauthenticated, "Odoo does not accept the login or the password")
	}
	return c.authenticate(ctx, login, password, from)
}

// loginLine is the line in which a login waits: that of an address, so that
// who tries many names does not keep the others waiting.
func loginLine(login string, from netip.Addr) string {
	if from.IsValid() {
		return "login from " + from.String()
	}
	return "login of " + login
}

func (c *Client) authenticate(ctx context.Context, login, password string, from netip.Addr) (*Login, error) {
	db, err := c.databaseName(ctx)
	if err != nil {
		return nil, err
	}
	m := &message{protocol: web, path: "/web/session/authenticate", about: about{method: "authenticate", who: loginLine(login, from), from: from}}
	if err := m.rpc(map[string]any{"db": db, "login": login, "password": password}); err != nil {
		return nil, err
	}
	c.counters.logins.Add(1)
	text, failed := c.exchange(ctx, m)
	if failed != nil {
		switch failed.fault.Kind {
		case fault.Unauthenticated:
			return nil, fault.New(fault.Unauthenticated, "Odoo does not accept the login or the password").Because(failed.fault.Cause)
		case fault.Forbidden: // before it has looked at the password
			return nil, fault.New(fault.BadGateway, "Odoo does not serve the database: its name is not right").Because(failed.fault.Cause)
		default:
			return nil, failed.fault
		}
	}
	var info struct {
		UID      any    `json:"uid"` // null or false where a second factor is asked for
		Username string `json:"username"`
		Name     string `json:"name"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return nil, fault.New(fault.BadGateway, "Odoo's answer to a login could not be read").Because(err)
	}
	uid, ok := info.UID.(float64)
	if !ok || uid < 1 {
		return nil, fault.New(fault.Unauthenticated, "Odoo asks this user for a second factor: use an API key of his in place of the password").
			Because(ErrSecondFactor)
	}
	if m.setCookie == "" {
		return nil, fault.New(fault.BadGateway, "Odoo began no session for the login: does a proxy in front of it take cookies away?")
	}
	found := &Login{UID: int64(uid), Login: info.Username, Name: info.Name, Session: NewSession(m.setCookie, nil)}
	if found.Login == "" {
		found.Login = login
	}
	return found, nil
}

// Whoami proves the credential of an account, and tells whose it is. An
// account with a UID that the credential is not of is Unauthenticated.
func (c *Client) Whoami(ctx context.Context, a *Account, from netip.Addr) (int64, error) {
	r := contextGet(a, from)
	p, err := c.way(ctx, a, r)
	if err != nil {
		return 0, err
	}
	if (p == jsonrpc || p == xmlrpc) && a.UID == 0 {
		return c.askUID(ctx, a, from)
	}
	m, err := c.prepare(ctx, a, r)
	if err != nil {
		return 0, err
	}
	text, _, err := c.flights.do(ctx, c, c.sameness(a, m), func(ctx context.Context) (json.RawMessage, error) { return c.deliver(ctx, a, m) })
	if err != nil {
		return 0, err
	}
	if m.protocol == jsonrpc || m.protocol == xmlrpc {
		return a.UID, nil // the Odoo took both together; before version 16 the context does not tell
	}
	uid, err := contextUID(text)
	if err != nil {
		return 0, err
	}
	if a.UID != 0 && a.UID != uid {
		return 0, fault.New(fault.Unauthenticated, "The credential is not that of this user")
	}
	return uid, nil
}

func contextGet(a *Account, from netip.Addr) *Request {
	return &Request{Model: "res.users", Method: "context_get", Reads: true, From: from, For: loginLine(a.Login, from)}
}

// contextUID reads the user out of his context.
func contextUID(text json.RawMessage) (int64, error) {
	var who struct {
		UID int64 `json:"uid"`
	}
	if err := json.Unmarshal(text, &who); err != nil || who.UID < 1 {
		return 0, fault.New(fault.BadGateway, "Odoo did not tell whose credential it is").Because(err)
	}
	return who.UID, nil
}

// userID is what is known of a credential: whose it is, and that it was
// refused a moment ago. It proves nothing: Odoo looks at it with each call.
type userID struct {
	mu  sync.Mutex
	uid int64
	no  time.Time // until when it is not sent again
	why error
}

func (u *userID) get(now time.Time) (int64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Before(u.no) {
		return 0, u.why
	}
	return u.uid, nil
}

// refused keeps a credential from being sent again at once: Odoo counts wrong
// ones by the address that they come from, which is ours, and then takes none
// from there.
func (u *userID) refused(now time.Time, why error) {
	u.mu.Lock()
	u.no, u.why = now.Add(refusalLasts), why
	u.mu.Unlock()
}

func newUserID() *userID { return &userID{} }

// uid finds the user to name in calls of execute_kw.
func (c *Client) uid(ctx context.Context, a *Account, from netip.Addr) (int64, error) {
	if a.UID != 0 {
		return a.UID, nil
	}
	key := c.digest(a)
	u := c.users.get(key, newUserID)
	if uid, err := u.get(c.now()); uid != 0 || err != nil {
		return uid, err
	}
	key[0] ^= 0xff // another one than that of a call
	account := *a
	_, _, err := c.flights.do(ctx, c, key, func(ctx context.Context) (json.RawMessage, error) {
		uid, err := c.askUID(ctx, &account, from)
		if fault.Is(err, fault.Unauthenticated) {
			u.refused(c.now(), err)
		}
		u.mu.Lock()
		u.uid = uid
		u.mu.Unlock()
		return nil, err
	})
	if err != nil {
		return 0, err
	}
	return u.get(c.now())
}

// askUID asks the Odoo for the user of a secret.
func (c *Client) askUID(ctx context.Context, a *Account, from netip.Addr) (int64, error) {
	if !a.Password && c.protocol != jsonrpc && c.protocol != xmlrpc {
		has, err := c.hasJSON2(ctx)
		if err != nil {
			return 0, err
		}
		if has {
			m := &message{}
			if err := m.json2(a, contextGet(a, from)); err != nil {
				return 0, err
			}
			text, err := c.deliver(ctx, a, m)
			if err != nil {
				return 0, err
			}
			return contextUID(text)
		}
	}
	if a.Login == "" {
		return 0, fault.New(fault.Unauthenticated, "This Odoo does not tell whose an API key is: send <user id>$<key>").
			Because(ErrWhose)
	}
	db, err := c.databaseName(ctx)
	if err != nil {
		return 0, err
	}
	p := jsonrpc
	if c.protocol == xmlrpc {
		p = xmlrpc
	}
	m := &message{about: about{method: "authenticate", reads: true, who: loginLine(a.Login, from), from: from}}
	if err := m.service(p, "common", "authenticate", db, a.Login, a.Secret, map[string]any{}); err != nil {
		return 0, err
	}
	text, failed := c.exchange(ctx, m)
	if failed != nil {
		return 0, failed.fault
	}
	var uid int64
	if json.Unmarshal(text, &uid) != nil || uid < 1 { // false
		return 0, fault.New(fault.Unauthenticated, "Odoo does not accept the login or the key")
	}
	return uid, nil
}
