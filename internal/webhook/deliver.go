package webhook

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxExcerpt = 1024 // bytes kept of an answer
	maxDrained = 16 << 10
	minMasked  = 4 // shorter header values are no secrets
)

// newClient makes calls that the guard permits: it goes through no proxy, for
// that would dial in its place, and follows no redirect.
func newClient(g Guard) *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: g.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, Proxy: nil, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: MaxConcurrency, MaxIdleConns: 10 * MaxConcurrency, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: timeout, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// outcome is what came of one call.
type outcome struct {
	at       time.Time
	took     time.Duration
	status   int    // 0: there was no answer
	err      string // "": the endpoint took it
	response string
	asked    time.Duration // Retry-After
	aborted  bool          // the process ends: it counts as no attempt
}

// call makes one call.
func (d *Dispatcher) call(ep *endpoint, j *job) outcome {
	began := time.Now()
	o := outcome{at: d.o.Clock.Now()}
	ctx, cancel := context.WithTimeout(d.send, d.o.Timeout)
	defer cancel()
	req, err := d.request(ctx, ep, j, o.at)
	end := func(int, string) {}
	var res *http.Response
	if err == nil {
		if d.o.Trace != nil {
			end = d.o.Trace(req, j.event)
		}
		res, err = d.client.Do(req)
	}
	if err == nil {
		o.status = res.StatusCode
		text, readErr := io.ReadAll(io.LimitReader(res.Body, maxExcerpt))
		if readErr == nil { // so that the connection serves the next call
			_, _ = io.CopyN(io.Discard, res.Body, maxDrained)
		}
		_ = res.Body.Close()
		o.response = excerpt(text, ep)
		o.asked = retryAfter(res.Header.Get("Retry-After"), o.status, d.o.Clock.Now())
		if o.status < 200 || o.status > 299 {
			o.err = "The endpoint answered " + strconv.Itoa(o.status)
			if o.status >= 300 && o.status < 400 {
				o.err += "; redirects are not followed"
			}
		} else if readErr != nil { // it said yes; what it said further is not needed
			o.response = ""
		}
	} else {
		o.aborted = d.send.Err() != nil
		o.err = reason(err, ctx, d.o.Timeout)
	}
	o.took = time.Since(began)
	end(o.status, o.failure(err, ctx))
	return o
}

// failure is a short word for why a call failed; "" for one that was taken, and
// where the status says it.
func (o *outcome) failure(err error, ctx context.Context) string { //nolint:revive // the error is what it is about
	switch {
	case err == nil && o.status >= 300 && o.status < 400:
		return "redirect"
	case err == nil:
		return ""
	case o.aborted:
		return "aborted"
	case errors.Is(err, errForbidden):
		return "forbidden_address"
	case ctx.Err() != nil:
		return "timeout"
	}
	return "no_answer"
}

// request writes a call.
func (d *Dispatcher) request(ctx context.Context, ep *endpoint, j *job, at time.Time) (*http.Request, error) {
	body := j.payload
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ep.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	signed, err := signature(ep.secrets, j.event, at, []byte(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Gatehouse/"+d.o.Version)
	for name, value := range ep.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Webhook-Id", j.event)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("Webhook-Signature", signed)
	return req, nil
}

// reason is why there was no answer, without the URL, which may hold a secret.
func reason(err error, ctx context.Context, within time.Duration) string { //nolint:revive // the error is what it is about
	switch {
	case errors.Is(err, errForbidden):
		return errForbidden.Error()
	case ctx.Err() != nil:
		return "There was no answer within " + within.String()
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return err.Error()
}

// excerpt is the beginning of an answer, as text and without what was sent to
// authenticate.
func excerpt(text []byte, ep *endpoint) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "")
	for _, secret := range ep.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	for _, value := range ep.headers {
		if len(value) >= minMasked {
			s = strings.ReplaceAll(s, value, "***")
		}
	}
	return s
}

// retryAfter is how long an endpoint that is busy (429, 503) asks to wait, in
// seconds or until a date; 0 where it does not.
func retryAfter(text string, status int, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxAsked)
	}
	return 0
}
