package odoorpc

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"gatehouse/internal/fault"
)

// failure is why a message got no result, for the caller, and what may be done
// about it.
type failure struct {
	fault *fault.Error
	class class
}

// class is what may be done about a failure.
type class uint8

const (
	final      class = iota // nothing
	unsent                  // nothing was sent yet: it can be sent again
	lost                    // the connection broke: what only reads can be sent again
	race                    // Odoo has rolled it back: it can be sent again
	expired                 // the web session is no more
	noDatabase              // Odoo has several, and did not know which
)

// maxTries is how often a message is sent, at most.
const maxTries = 3

// again says whether and after what pause a message is to be sent again, that
// has been sent a number of times. Pauses grow, and are never the same for two.
func (f *failure) again(tries int, reads bool) (time.Duration, bool) {
	if tries >= maxTries {
		return 0, false
	}
	pause := 50 * time.Millisecond << (tries - 1)
	pause += rand.N(pause) //nolint:gosec // not for anything secret
	switch f.class {
	case race:
		return 2 * pause, true
	case unsent:
		return pause, true
	case lost:
		return pause, reads && tries < 2
	case final, expired, noDatabase:
	}
	return 0, false
}

// exchange sends a message and reads the answer, and sends it again where that
// cannot do the work twice.
func (c *Client) exchange(ctx context.Context, m *message) (json.RawMessage, *failure) {
	for tries := 1; ; tries++ {
		result, failed := c.once(ctx, m)
		if failed == nil {
			return result, nil
		}
		pause, again := failed.again(tries, m.reads)
		if !again {
			return nil, failed
		}
		c.o.Log.DebugContext(ctx, "a call to Odoo is made again", "model", m.model, "method", m.method, "why", failed.fault)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, failed
		}
		c.counters.retried.Add(1)
	}
}

// once waits for its turn and sends a message.
func (c *Client) once(ctx context.Context, m *message) (json.RawMessage, *failure) {
	place, err := c.gate.enter(ctx, m.who)
	if err != nil {
		if fault.From(err).RetryAfter > 0 {
			c.counters.refused.Add(1)
		}
		return nil, &failure{fault: fault.From(err)}
	}
	answer, failed := c.roundTrip(ctx, m)
	c.gate.leave(place)
	if failed != nil {
		if ctx.Err() == nil {
			c.counters.failed.Add(1)
		}
		return nil, failed
	}
	result, told, err := m.read(answer)
	switch {
	case err != nil:
		c.counters.failed.Add(1)
		return nil, c.noAnswer(m, answer, err)
	case told != nil:
		failed = c.failureOf(m, told, answer)
	}
	if m.session != nil && answer.session != "" && (failed == nil || failed.class != expired) {
		m.session.replace(m.cookie, answer.session)
	}
	m.setCookie = answer.session
	return result, failed
}

var (
	errNoAnswer = errors.New("not an answer of the protocol")
	errNotJSON  = errors.New("the body is not JSON")
	errTooLarge = errors.New("the body is too large")
)

// noAnswer is for what comes in place of an answer of Odoo: mostly from a proxy
// in front of it.
func (c *Client) noAnswer(m *message, a *answer, cause error) *failure {
	cause = errors.Join(cause, errors.New(a.String()))
	bad := func(kind fault.Kind, message string) *failure {
		return &failure{fault: fault.New(kind, message).Because(cause)}
	}
	switch {
	case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
		f := bad(fault.Unavailable, "Odoo, or a proxy in front of it, is overloaded. Try again later.")
		f.fault.RetryAfter = a.retryAfter
		return f
	case a.status == http.StatusGatewayTimeout:
		return bad(fault.GatewayTimeout, "Odoo did not answer the proxy in front of it in time"+m.unknownOutcome())
	case a.status == http.StatusRequestEntityTooLarge:
		return bad(fault.TooLarge, "The call is larger than Odoo, or a proxy in front of it, takes")
	case a.status >= 300 && a.status < 400:
		return bad(fault.BadGateway, "Odoo's address redirects to "+a.redirect+": it must be set to where Odoo itself answers")
	case a.status == http.StatusNotFound && m.protocol == json2:
		f := bad(fault.BadGateway, "Odoo does not serve the database: its name, or the address of Odoo, is not right")
		f.class = noDatabase
		return f
	case a.status == http.StatusBadGateway:
		return bad(fault.BadGateway, "The proxy in front of Odoo does not reach it"+m.unknownOutcome())
	case a.html:
		return bad(fault.BadGateway, "Odoo's address answered with a web page in place of data: is it the address of an Odoo?")
	}
	return bad(fault.BadGateway, "Odoo's answer could not be read")
}

// unknownOutcome is to be said of a change that may have been made or not.
func (m *message) unknownOutcome() string {
	if m.reads {
		return ""
	}
	return ". Whether it made the change is not known"
}
