package odoorpc

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// Call calls a method and gives Odoo's answer as JSON, "null" for none. The
// answer may be shared with others who asked the same: it is not to be changed.
//
// Errors are faults. Forbidden, NotFound, Unprocessable, BadRequest and
// Conflict are Odoo's own refusals, with its message where that is meant for
// people; the cause holds the *odoowire.Error, and ErrNoModel or
// backend.ErrNoMethod for what does not exist. Unauthenticated is an account
// that Odoo does not take. BadGateway, GatewayTimeout and Unavailable (with
// RetryAfter) are about the way to the Odoo, Internal about its code.
func (c *Client) Call(ctx context.Context, a *Account, r *Request) (json.RawMessage, error) {
	if !isName(r.Model, true) {
		return nil, fault.New(fault.NotFound, "There is no such model").Because(ErrNoModel)
	}
	if !isName(r.Method, false) {
		return nil, fault.New(fault.NotFound, "There is no such method").Because(backend.ErrNoMethod)
	}
	m, err := c.prepare(ctx, a, r)
	if err != nil {
		return nil, err
	}
	if !r.Reads {
		defer c.changes.Add(1) // reads that begin from now on must not be answered with what was before
		return c.deliver(ctx, a, m)
	}
	result, shared, err := c.flights.do(ctx, c, c.sameness(a, m), func(ctx context.Context) (json.RawMessage, error) {
		return c.deliver(ctx, a, m)
	})
	if shared {
		c.counters.shared.Add(1)
	}
	return result, err
}

// isName says whether a name can be one of Odoo's. It becomes part of a path.
func isName(name string, dotted bool) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	if !dotted {
		return name != "" && len(name) <= 128 && strings.Trim(name, letters) == ""
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.Trim(part, letters) != "" {
			return false
		}
	}
	return len(name) <= 128
}

// prepare writes the message of a call, in the protocol that account and Odoo
// can do.
func (c *Client) prepare(ctx context.Context, a *Account, r *Request) (*message, error) {
	if u, known := c.users.find(c.digest(a)); known {
		if _, err := u.get(c.now()); err != nil {
			return nil, err
		}
	}
	p, err := c.way(ctx, a, r)
	if err != nil {
		return nil, err
	}
	m := &message{}
	switch p {
	case json2:
		return m, m.json2(a, r)
	case web, auto:
		return m, m.callKW(r)
	case jsonrpc, xmlrpc:
	}
	db, err := c.databaseName(ctx)
	if err != nil {
		return nil, err
	}
	uid, err := c.uid(ctx, a, r.From)
	if err != nil {
		return nil, err
	}
	return m, m.executeKW(p, db, uid, a.Secret, r)
}

// way chooses the protocol of a call.
func (c *Client) way(ctx context.Context, a *Account, r *Request) (protocol, error) {
	switch {
	case a.Secret == "" && a.Session == nil:
		return auto, fault.New(fault.Unauthenticated, "There is no credential for Odoo")
	case strings.ContainsFunc(a.Secret, func(r rune) bool { return r < ' ' || r == 0x7f }): // not in a header, and not in a login form
		return auto, fault.New(fault.Unauthenticated, "Odoo does not accept the credential")
	case a.Session != nil:
		return web, nil
	case c.protocol == jsonrpc || c.protocol == xmlrpc:
		return c.protocol, nil
	case a.Password:
		return web, nil
	case len(r.Args) > 0:
		return jsonrpc, nil // JSON-2 has no arguments by position
	case c.protocol == json2:
		return json2, nil
	}
	has, err := c.hasJSON2(ctx)
	if err != nil {
		return auto, err
	}
	if has {
		return json2, nil
	}
	return jsonrpc, nil
}

// sameness is the same for calls that are answered the same: of the same
// account, with the same message, and no change between them.
func (c *Client) sameness(a *Account, m *message) digest {
	who := c.digest(a)
	h := sha256.New()
	_, _ = h.Write(who[:])
	if a.Session != nil {
		id := sha256.Sum256([]byte(a.Session.ID()))
		_, _ = h.Write(id[:])
	}
	var head [17]byte
	binary.LittleEndian.PutUint64(head[:], uint64(c.changes.Load()))
	binary.LittleEndian.PutUint64(head[8:], uint64(len(m.path)))
	head[16] = byte(m.protocol)
	_, _ = h.Write(head[:])
	_, _ = h.Write([]byte(m.path))
	_, _ = h.Write(m.body)
	var d digest
	h.Sum(d[:0])
	return d
}

// deliver gets a message answered: it begins the session that it needs, and
// names the database where Odoo wants to know.
func (c *Client) deliver(ctx context.Context, a *Account, m *message) (json.RawMessage, error) {
	if m.protocol == web {
		return c.deliverWeb(ctx, a, m)
	}
	named := c.named.Load()
	result, failed := c.exchange(ctx, m)
	if failed != nil && failed.class == noDatabase && !named && c.o.Database != "" {
		// An Odoo with several databases, of which none goes with the host name:
		// nothing was done yet. If it is the name that was missing, it always is.
		again := *m
		again.named = true
		var second *failure
		if result, second = c.exchange(ctx, &again); second == nil || second.class != noDatabase {
			c.named.Store(true)
		}
		failed = second
	}
	if failed == nil {
		return result, nil
	}
	if failed.fault.Kind == fault.Unauthenticated {
		c.users.get(c.digest(a), newUserID).refused(c.now(), failed.fault)
	}
	return nil, failed.fault
}

// deliverWeb sends a message in the session of an account. One that has ended
// is begun again, once, where there is a password.
func (c *Client) deliverWeb(ctx context.Context, a *Account, m *message) (json.RawMessage, error) {
	s := c.sessionOf(a)
	stale := ""
	for tries := 1; ; tries++ {
		id, err := c.currentID(ctx, s, a, stale, m.from)
		if err != nil {
			return nil, err
		}
		sent := *m
		sent.session, sent.cookie = s, id
		result, failed := c.exchange(ctx, &sent)
		switch {
		case failed == nil:
			return result, nil
		case failed.class != expired:
			return nil, failed.fault
		case tries == 2 || !a.Password && s.ID() == id: // and no answer to another call brought a new one
			s.replace(id, "")
			return nil, failed.fault
		}
		stale = id
	}
}
