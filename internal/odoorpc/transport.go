package odoorpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// maxPage is how much is read of a page that is no answer.
const maxPage = 16 << 10

// dialError is an error before anything was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// newTransport makes the pool of connections. Messages are POSTs: net/http
// itself sends one again only where not a byte of it was written.
func newTransport(o *Options) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
		// One for each call, and one for Ready.
		MaxIdleConns: o.MaxConns + 1, MaxIdleConnsPerHost: o.MaxConns + 1,
		// Shorter than a proxy's: who hangs up while a change is being sent leaves
		// it unknown whether it was made.
		IdleConnTimeout:        20 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		// HTTP/1.1 alone: a call is a connection is a worker of the Odoo.
		Protocols: http1(),
	}
}

func http1() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	return p
}

// answer is what came back.
type answer struct {
	status     int
	body       []byte
	html       bool
	session    string // the id of a Set-Cookie
	retryAfter time.Duration
	redirect   string // scheme and host of where to
	kind       string // Content-Type
}

// String tells of it for the log.
func (a *answer) String() string {
	begin := a.body[:min(len(a.body), 200)]
	return fmt.Sprintf("HTTP %d, %s: %q", a.status, a.kind, begin)
}

var (
	kindJSON = []string{"application/json"}
	kindXML  = []string{"text/xml; charset=utf-8"}
)

func (c *Client) request(ctx context.Context, m *message) *http.Request {
	u := *c.base
	u.Path += m.path
	header := make(http.Header, 8)
	header["User-Agent"] = c.agent
	r := &http.Request{
		Method: m.verb, URL: &u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if m.verb == "" {
		r.Method = http.MethodPost
		header["Content-Type"] = kindJSON
		if m.protocol == xmlrpc {
			header["Content-Type"] = kindXML
		}
		r.ContentLength = int64(len(m.body))
		r.Body = io.NopCloser(bytes.NewReader(m.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.body)), nil }
	}
	if m.bearer != "" {
		header["Authorization"] = []string{"bearer " + m.bearer}
		if m.named || c.named.Load() {
			header["X-Odoo-Database"] = []string{c.o.Database}
		}
	}
	if m.cookie != "" {
		header["Cookie"] = []string{"session_id=" + m.cookie}
	}
	if c.o.ForwardAddress && m.from.IsValid() {
		header["X-Forwarded-For"] = []string{m.from.Unmap().WithZone("").String()}
		header["X-Forwarded-Host"] = []string{u.Host}
		header["X-Forwarded-Proto"] = []string{u.Scheme}
	}
	return r.WithContext(ctx)
}

// roundTrip sends a message once and reads what comes back, to its end.
func (c *Client) roundTrip(ctx context.Context, m *message) (a *answer, failed *failure) {
	if ctx.Err() != nil {
		return nil, &failure{fault: fault.From(givenUp(ctx))}
	}
	limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	c.counters.calls.Add(1)
	request := c.request(limited, m)
	if c.o.Trace != nil {
		end := c.o.Trace(request, m.model, m.method)
		defer func() { end(told(a, failed)) }()
	}
	response, err := c.http.RoundTrip(request)
	if err != nil {
		return nil, c.broken(ctx, limited, m, err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing can be done about it
	a = &answer{status: response.StatusCode, kind: response.Header.Get("Content-Type")}
	a.html = strings.Contains(a.kind, "html")
	a.headers(response.Header)
	limit := c.o.MaxAnswer
	if a.html {
		limit = min(limit, maxPage)
	}
	a.body, err = readBody(response, limit)
	if errors.Is(err, errTooLarge) && !a.html {
		f := fault.Newf(fault.BadGateway, "Odoo's answer has more than %d MiB: ask for less at once", limit>>20)
		return nil, &failure{fault: f.Because(err)}
	}
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, c.broken(ctx, limited, m, err)
	}
	return a, nil
}

// told is what there is to tell of a request's end.
func told(a *answer, failed *failure) (status int, why string) {
	if failed != nil {
		return 0, failed.fault.Kind.String()
	}
	return a.status, ""
}

// readBody reads a body up to a limit.
func readBody(r *http.Response, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	if r.ContentLength < 0 { // in pieces, by a proxy
		buffer, _ := buffers.Get().(*[]byte)
		body, err := readAll((*buffer)[:0], r.Body, limit)
		kept := bytes.Clone(body)
		if *buffer = body; cap(body) <= maxBuffer {
			buffers.Put(buffer)
		}
		return kept, err
	}
	// A length is only what the other side says: beyond 1 MiB it must come first.
	return readAll(make([]byte, 0, min(r.ContentLength, 1<<20)+1), r.Body, limit)
}

// maxBuffer is the size from which a buffer is not kept.
const maxBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// readAll reads into a buffer that has room. What was read comes with an error, too.
func readAll(body []byte, in io.Reader, limit int64) ([]byte, error) {
	for {
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return body[:limit], errTooLarge
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

// headers keeps what of the headers is of use.
func (a *answer) headers(h http.Header) {
	if set := h["Set-Cookie"]; len(set) > 0 {
		for _, line := range set {
			if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == "session_id" && sendable(cookie.Value) {
				a.session = cookie.Value
			}
		}
	}
	if wait := h.Get("Retry-After"); wait != "" {
		a.retryAfter = retryAfter(wait, h.Get("Date"))
	}
	if to := h.Get("Location"); to != "" {
		a.redirect = "another page"
		if u, err := url.Parse(to); err == nil && u.Host != "" && len(u.Host) < 256 {
			a.redirect = u.Scheme + "://" + u.Host // the rest may hold secrets
		}
	}
}

// retryAfter reads the header: seconds, or a date by the clock of the answer.
// What is absurd is cut: callers would wait for it.
func retryAfter(wait, date string) time.Duration {
	var d time.Duration
	if seconds, err := strconv.Atoi(wait); err == nil {
		d = time.Duration(min(max(seconds, 0), 3600)) * time.Second
	} else if at, err := http.ParseTime(wait); err == nil {
		if now, err := http.ParseTime(date); err == nil {
			d = at.Sub(now)
		}
	}
	return min(max(d, 0), time.Hour)
}

// broken says what became of a message that got no answer.
func (c *Client) broken(ctx, limited context.Context, m *message, err error) *failure {
	dial, dialing := errors.AsType[*dialError](err)
	switch {
	case ctx.Err() != nil:
		return &failure{fault: fault.From(givenUp(ctx))}
	case limited.Err() != nil:
		f := fault.Newf(fault.GatewayTimeout, "Odoo did not answer within %v%s", c.o.Timeout, m.unknownOutcome())
		return &failure{fault: f.Because(err)}
	case dialing:
		f := &failure{fault: fault.New(fault.BadGateway, "Odoo cannot be reached").Because(dial), class: unsent}
		if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
			f.class = final // once more would take as long
		}
		return f
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return &failure{fault: fault.New(fault.BadGateway, "The certificate of Odoo's address is not trusted").Because(err)}
	}
	f := fault.New(fault.BadGateway, "The connection to Odoo broke before its answer was complete"+m.unknownOutcome())
	return &failure{fault: f.Because(err), class: lost}
}

// givenUp is the error of a call that nobody waits for any more.
func givenUp(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.GatewayTimeout, "There was not enough time for Odoo to answer").Because(ctx.Err())
	}
	return fault.New(fault.Unavailable, "The call was given up").Because(ctx.Err())
}
