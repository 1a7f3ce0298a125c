package odoorpc

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// versionLasts is for how long a version is taken for granted: an Odoo may be
// upgraded while we run.
const versionLasts = 5 * time.Minute

// versionRetry is how long after a failure it is asked for again.
const versionRetry = 10 * time.Second

// versions keeps the version of the Odoo.
type versions struct {
	mu     sync.Mutex
	v      Version
	next   time.Time // when to ask again
	asking bool      // somebody does
	asker  int       // which way of asking has been answered
}

// Keys of what is shared beside calls.
var (
	keyVersion  = digest{1}
	keyReady    = digest{2}
	keyDatabase = digest{3}
)

// Version tells the version of the Odoo. It is asked for once in a while, in
// the background as soon as there is one to answer with.
// Errors are BadGateway, GatewayTimeout and Unavailable.
func (c *Client) Version(ctx context.Context) (Version, error) {
	vs := &c.version
	vs.mu.Lock()
	v := vs.v
	old := v.Major > 0 && !vs.asking && !c.now().Before(vs.next)
	vs.asking = vs.asking || old
	vs.mu.Unlock()
	if old {
		c.background(func(ctx context.Context) {
			_, err := c.askVersion(ctx)
			vs.mu.Lock()
			defer vs.mu.Unlock()
			if vs.asking = false; err != nil {
				vs.next = c.now().Add(versionRetry)
			}
		})
	}
	if v.Major > 0 {
		return v, nil
	}
	if _, _, err := c.flights.do(ctx, c, keyVersion, c.askVersion); err != nil {
		return Version{}, err
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.v, nil
}

// versionAskers are the ways to ask an Odoo for its version, each of which some
// versions have, and some proxies let through.
var versionAskers = []func(*message) error{
	func(m *message) error { m.verb, m.path, m.protocol = "GET", "/web/version", json2; return nil },
	func(m *message) error {
		m.path, m.protocol = "/web/webclient/version_info", web
		return m.rpc(map[string]any{})
	},
	func(m *message) error { return m.service(jsonrpc, "common", "version") },
	func(m *message) error { return m.service(xmlrpc, "common", "version") },
}

// askVersion asks in the way that was answered before, else in all.
func (c *Client) askVersion(ctx context.Context) (json.RawMessage, error) {
	c.version.mu.Lock()
	first := c.version.asker
	c.version.mu.Unlock()
	var failed *failure
	for i := range versionAskers {
		asker := (first + i) % len(versionAskers)
		m := &message{about: about{method: "version", reads: true, who: "gatehouse"}}
		if err := versionAskers[asker](m); err != nil {
			return nil, err
		}
		text, f := c.exchange(ctx, m)
		if f == nil {
			if v, ok := parseVersion(text); ok {
				c.version.mu.Lock()
				c.version.v, c.version.next, c.version.asker = v, c.now().Add(versionLasts), asker
				c.version.mu.Unlock()
				return nil, nil
			}
			f = &failure{fault: fault.New(fault.BadGateway, "Odoo's address answered without a version: is it the address of an Odoo?")}
		}
		if f.class == unsent || f.class == lost || ctx.Err() != nil ||
			f.fault.Kind == fault.GatewayTimeout || f.fault.Kind == fault.Unavailable {
			return nil, f.fault // the next one would fare no better
		}
		if failed == nil {
			failed = f
		}
	}
	return nil, failed.fault
}

// majorIn finds the number in the text of a version: 19.0, 18.0+e, saas~18.2.
var majorIn = regexp.MustCompile(`^(?:saas[~-])?(\d{1,3})(?:\.\d+)?`)

// parseVersion reads the answer to any of the ways to ask.
func parseVersion(text json.RawMessage) (Version, bool) {
	var told struct {
		Version string `json:"version"`
		Server  string `json:"server_version"`
	}
	if json.Unmarshal(text, &told) != nil {
		return Version{}, false
	}
	v := Version{Text: told.Version}
	if v.Text == "" {
		v.Text = told.Server
	}
	found := majorIn.FindStringSubmatch(v.Text)
	if found == nil || len(v.Text) > 64 {
		return Version{}, false
	}
	v.Major, _ = strconv.Atoi(found[1])
	return v, v.Major > 0
}

func (c *Client) hasJSON2(ctx context.Context) (bool, error) {
	v, err := c.Version(ctx)
	return v.Major >= 19, err
}

// readiness keeps what Ready found out.
type readiness struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// readyLasts is for how long an answer of Ready is good.
const readyLasts = time.Second

// readyTimeout is how long Ready waits for the Odoo.
const readyTimeout = 5 * time.Second

// Ready says whether the Odoo answers. It asks for its version at most once a
// second, beside the queue: an Odoo that is busy is ready.
func (c *Client) Ready(ctx context.Context) error {
	c.ready.mu.Lock()
	at, err := c.ready.at, c.ready.err
	c.ready.mu.Unlock()
	if !at.IsZero() && c.now().Sub(at) < readyLasts {
		return err
	}
	_, _, err = c.flights.do(ctx, c, keyReady, func(ctx context.Context) (json.RawMessage, error) {
		err := c.askReady(ctx)
		if c.ctx.Err() != nil || ctx.Err() != nil {
			return nil, err
		}
		c.ready.mu.Lock()
		c.ready.at, c.ready.err = c.now(), err
		c.ready.mu.Unlock()
		return nil, err
	})
	return err
}

func (c *Client) askReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	c.version.mu.Lock()
	known, ask := c.version.v.Major > 0, versionAskers[c.version.asker]
	c.version.mu.Unlock()
	if !known {
		_, err := c.askVersion(ctx)
		return err
	}
	m := &message{about: about{method: "version", reads: true}}
	if err := ask(m); err != nil {
		return err
	}
	a, failed := c.roundTrip(ctx, m)
	if failed == nil {
		if _, told, err := m.read(a); err != nil {
			failed = c.noAnswer(m, a, err)
		} else if told != nil {
			failed = c.failureOf(m, told, a)
		}
	}
	if failed != nil {
		return failed.fault
	}
	return nil
}

// databases keeps the name of the Odoo's database.
type databases struct {
	mu   sync.Mutex
	name string
}

// databaseName is the database to name in calls: the one of the options, or
// the only one.
func (c *Client) databaseName(ctx context.Context) (string, error) {
	if c.o.Database != "" {
		return c.o.Database, nil
	}
	c.database.mu.Lock()
	name := c.database.name
	c.database.mu.Unlock()
	if name != "" {
		return name, nil
	}
	text, _, err := c.flights.do(ctx, c, keyDatabase, func(ctx context.Context) (json.RawMessage, error) {
		m := &message{about: about{method: "list of databases", reads: true}, protocol: web, path: "/web/database/list"}
		if err := m.rpc(map[string]any{}); err != nil {
			return nil, err
		}
		text, failed := c.exchange(ctx, m)
		if failed != nil {
			return nil, failed.fault
		}
		return text, nil
	})
	var names []string
	if err != nil && !refused(err) {
		return "", err
	}
	if err != nil || json.Unmarshal(text, &names) != nil || len(names) != 1 || strings.TrimSpace(names[0]) == "" {
		return "", fault.New(fault.BadGateway, "The name of Odoo's database is not known: it has several, or does not list them. Set GATEHOUSE_ODOO_DB.").Because(err)
	}
	c.database.mu.Lock()
	c.database.name = names[0]
	c.database.mu.Unlock()
	return names[0], nil
}

// refused says that the Odoo itself said no.
func refused(err error) bool {
	return fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound)
}
