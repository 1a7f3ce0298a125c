package odoorpc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
)

// Options say where an Odoo is, and how it is to be treated. Zero values take
// the default.
type Options struct {
	// URL of the Odoo: http or https, a host, and a path where it is under one.
	// HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment hold for it.
	URL string
	// Database of the Odoo; "" where it has but one and lists it.
	Database string
	// Protocol: auto, json2, jsonrpc, xmlrpc, web; "" is auto. One that an
	// account cannot use (JSON-2 knows no passwords, the web client no keys, and
	// a session nothing else) is left for the one that auto takes.
	Protocol string
	// MaxConns is how many calls there are at once, at most: the number of the
	// Odoo's workers. 8.
	MaxConns int
	// Queue is how many further calls may wait, QueueTimeout for how long: 256, 10 s.
	// Below 0 none may.
	Queue        int
	QueueTimeout time.Duration
	// Timeout of a call with its repetitions, waiting left out. 60 s.
	Timeout time.Duration
	// MaxAnswer is the size of an answer, in bytes, from which it is refused. 64 MiB.
	MaxAnswer int64
	// ForwardAddress tells the Odoo the address of who asked (X-Forwarded-For).
	// It must run in proxy mode, and believe nobody else.
	ForwardAddress bool
	Version        string // of Gatehouse, for the User-Agent
	// Trace hears of a request that is about to be sent, for a model's method (""
	// for what is none), and of how it ended (status 0: no answer; failure "": it
	// was answered). It may add headers. nil: nobody does.
	Trace func(r *http.Request, model, method string) (end func(status int, failure string))
	Log   *slog.Logger
	Clock clock.Clock
}

// Client is a client of one Odoo, for many users at the same time.
type Client struct {
	o        Options
	base     *url.URL
	agent    []string
	protocol protocol // chosen, or auto
	http     *http.Transport
	gate     *gate
	flights  flights
	sessions kept[*Session]
	users    kept[*userID]
	salt     [32]byte

	version  versions
	database databases
	named    atomic.Bool // JSON-2 needs to be told the database
	ready    readiness

	counters counters
	changes  atomic.Int64 // calls that may have changed something

	ctx    context.Context // of what goes on in the background; ended by Close
	cancel context.CancelFunc
	mu     sync.Mutex // of closed, and of work joining
	closed bool
	work   sync.WaitGroup
}

// counters are figures since the start.
type counters struct {
	calls, shared, retried, refused, failed, logins atomic.Int64
}

// Stats are figures about the calls to an Odoo: how many there are now, and
// how many there were since the start.
type Stats struct {
	Running, Waiting int
	MaxConns, Queue  int   // the bounds of these two
	Calls            int64 // requests that were sent
	Shared           int64 // calls that were answered with an answer to another one
	Retried          int64 // requests that were sent again
	Refused          int64 // calls for which there was no room, or no time to wait
	Failed           int64 // requests without a sensible answer: errors of the network and of proxies
	Logins           int64 // web sessions begun
}

// New makes a client. It does not call the Odoo. Errors name the option.
func New(o Options) (*Client, error) {
	base, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	chosen, known := protocols[o.Protocol]
	if !known {
		return nil, fmt.Errorf("protocol %q of the Odoo: want auto, json2, jsonrpc, xmlrpc or web", o.Protocol)
	}
	if strings.ContainsFunc(o.Database, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the name of the Odoo's database has a control character")
	}
	o.fill()
	c := &Client{
		o: o, base: base, protocol: chosen, agent: []string{userAgent(o.Version)},
		http: newTransport(&o), gate: newGate(o.MaxConns, max(o.Queue, 0), o.QueueTimeout),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	_, _ = rand.Read(c.salt[:]) // never fails: it aborts the program instead
	return c, nil
}

func (o *Options) fill() {
	if o.MaxConns <= 0 {
		o.MaxConns = 8
	}
	if o.Queue == 0 {
		o.Queue = 256
	}
	if o.QueueTimeout <= 0 {
		o.QueueTimeout = 10 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
}

// parseURL checks the URL of an Odoo.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil: // url.Error repeats the text, in which there may be a password
		return nil, errors.New("the Odoo's URL cannot be read: want https://erp.example.com")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the Odoo's URL must begin with https:// or http://")
	case u.Hostname() == "":
		return nil, errors.New("the Odoo's URL names no host: want https://erp.example.com")
	case u.User != nil:
		return nil, errors.New("the Odoo's URL has a user name or password in it: leave them out, accounts have settings of their own")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the Odoo's URL has a query or a fragment: leave it out")
	}
	if u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""; strings.Contains(u.Path, "/..") {
		return nil, errors.New("the Odoo's URL has .. in its path")
	}
	return u, nil
}

func userAgent(version string) string {
	if version == "" {
		return "Gatehouse"
	}
	return "Gatehouse/" + version
}

// Stats are the figures of now.
func (c *Client) Stats() Stats {
	running, waiting := c.gate.counts()
	return Stats{
		Running: running, Waiting: waiting, MaxConns: c.gate.max, Queue: c.gate.room,
		Calls: c.counters.calls.Load(), Shared: c.counters.shared.Load(), Retried: c.counters.retried.Load(),
		Refused: c.counters.refused.Load(), Failed: c.counters.failed.Load(), Logins: c.counters.logins.Load(),
	}
}

// Close ends what goes on in the background, waits for it, and closes the
// connections. Calls that are made afterwards fail.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()
	c.http.CloseIdleConnections()
}

// background runs something that outlives the call that it is for. It is false
// once the client is closed.
func (c *Client) background(run func(ctx context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.work.Go(func() { run(c.ctx) })
	return true
}

func errClosed() error { return fault.New(fault.Unavailable, "The server is being stopped") }

func (c *Client) now() time.Time { return c.o.Clock.Now() }

// digest stands for an account where a secret must not: it is kept in memory
// only, and another one after each start.
type digest [sha256.Size]byte

func (c *Client) digest(a *Account) digest {
	h := make([]byte, 0, 256)
	h = append(h, c.salt[:]...)
	h = binary.LittleEndian.AppendUint64(h, uint64(a.UID))
	for _, part := range []string{a.Login, a.Secret} {
		h = append(binary.LittleEndian.AppendUint64(h, uint64(len(part))), part...)
	}
	return sha256.Sum256(h)
}

// kept is what is known of accounts, by their digests.
type kept[T any] struct {
	mu  sync.Mutex
	all map[digest]T
}

// maxKept is how many accounts are remembered. Beyond, any is forgotten: what
// is known of it can be found out again.
const maxKept = 10_000

// find is nothing where nothing is known.
func (k *kept[T]) find(d digest) (v T, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, known = k.all[d]
	return v, known
}

func (k *kept[T]) get(d digest, fresh func() T) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.all[d]; ok {
		return v
	}
	if k.all == nil {
		k.all = map[digest]T{}
	}
	if len(k.all) >= maxKept {
		for other := range k.all {
			delete(k.all, other)
			break
		}
	}
	v := fresh()
	k.all[d] = v
	return v
}
