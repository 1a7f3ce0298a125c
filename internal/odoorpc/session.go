package odoorpc

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// Session is a web session of one user. Odoo gives it another id from time to
// time; Changed is told of it, and of "" when it has ended, one change after
// the other. It must not call the session.
type Session struct {
	Changed func(id string)

	mu     sync.Mutex
	id     string
	begins *begin    // a login that is under way
	no     time.Time // until when it is not tried again: the last login failed
	why    error

	telling sync.Mutex
}

// begin is a login that several calls wait for.
type begin struct {
	done chan struct{}
	id   string
	err  error
}

// NewSession continues a session.
func NewSession(id string, changed func(id string)) *Session {
	return &Session{id: id, Changed: changed}
}

// ID is what Odoo's cookie has for the session now; "": it has ended.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// replace changes the id if it is still the old one: of two answers to the
// same id the first one counts.
func (s *Session) replace(old, id string) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	changed := s.id == old && old != id
	if changed {
		s.id = id
	}
	s.mu.Unlock()
	if changed && s.Changed != nil {
		s.Changed(id)
	}
}

// renew gives an id other than the old one. If nobody has got one yet, login
// does; those who ask meanwhile wait for it. It runs on when ctx ends, for the
// others. After a refusal there is none for a while: Odoo shuts the address of
// who fails too often out, and it is the address of all.
func (s *Session) renew(ctx context.Context, c *Client, old string, login func(context.Context) (string, error)) (string, error) {
	s.mu.Lock()
	if s.id != "" && s.id != old {
		defer s.mu.Unlock()
		return s.id, nil
	}
	if c.now().Before(s.no) {
		defer s.mu.Unlock()
		return "", s.why
	}
	b := s.begins
	if b == nil {
		b = &begin{done: make(chan struct{})}
		if !c.background(func(ctx context.Context) { s.begin(ctx, c, b, old, login) }) {
			s.mu.Unlock()
			return "", errClosed()
		}
		s.begins = b
	}
	s.mu.Unlock()
	select {
	case <-b.done:
		return b.id, b.err
	case <-ctx.Done():
		return "", givenUp(ctx)
	}
}

func (s *Session) begin(ctx context.Context, c *Client, b *begin, old string, login func(context.Context) (string, error)) {
	defer close(b.done)
	defer caught(&b.err)
	func() {
		defer caught(&b.err)
		b.id, b.err = login(ctx)
	}()
	s.mu.Lock()
	s.begins = nil
	if fault.Is(b.err, fault.Unauthenticated) {
		s.no, s.why = c.now().Add(refusalLasts), b.err
	}
	current := s.id
	s.mu.Unlock()
	if b.err == nil && (current == old || current == "") {
		s.replace(current, b.id)
	}
}

// refusalLasts is how long a refused secret is not tried again. Odoo lets ten
// failures pass, and then shuts the address out for a minute.
const refusalLasts = 30 * time.Second

// sendable says whether an id may stand in a Cookie header.
func sendable(id string) bool {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+/="
	return id != "" && len(id) <= 512 && strings.Trim(id, chars) == ""
}

// sessionOf finds the session of an account: its own, or the one that is kept
// for its password.
func (c *Client) sessionOf(a *Account) *Session {
	if a.Session != nil {
		return a.Session
	}
	return c.sessions.get(c.digest(a), func() *Session { return NewSession("", nil) })
}

// currentID gives the id of a session, and begins one where there is none.
// stale is an id that Odoo did not take.
func (c *Client) currentID(ctx context.Context, s *Session, a *Account, stale string, from netip.Addr) (string, error) {
	id := s.ID()
	if id != stale && sendable(id) {
		return id, nil
	}
	if a.Secret == "" || !a.Password {
		return "", fault.New(fault.Unauthenticated, "The session with Odoo has ended: log in again")
	}
	// Who waits for the same login may be somewhere else: what is his is out of it.
	login, secret := a.Login, a.Secret
	return s.renew(ctx, c, id, func(ctx context.Context) (string, error) {
		begun, err := c.authenticate(ctx, login, secret, from)
		if err != nil {
			return "", err
		}
		return begun.Session.id, nil
	})
}

// Logout ends a session in Odoo. It has ended when that fails, too.
func (c *Client) Logout(ctx context.Context, s *Session) error {
	id := s.ID()
	if !sendable(id) {
		return nil
	}
	s.replace(id, "")
	m := &message{path: "/web/session/destroy", protocol: web, cookie: id, about: about{method: "logout"}}
	if err := m.rpc(map[string]any{}); err != nil {
		return err
	}
	if _, failed := c.exchange(ctx, m); failed != nil && failed.class != expired {
		return failed.fault
	}
	return nil
}
