package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxAttempts = 5
	maxPause    = time.Minute // whatever a collector asks for
	maxClosing  = 5 * time.Second
	maxAnswer   = 64 << 10
	warnEvery   = time.Minute
)

// Stats are figures since the start, Queued that of now.
type Stats struct{ Sent, Dropped, Queued int64 }

// exporter sends spans. One goroutine does, in batches and one after the
// other; what waits for it is bounded.
type exporter struct {
	o        Options
	resource []otlpAttr
	client   *http.Client

	spans         chan *Span
	full          chan struct{} // there is a batch; capacity 1
	sent, dropped atomic.Int64
	warned        time.Time // used by run alone

	closed  atomic.Bool
	closing chan struct{}
	once    sync.Once
	ctx     context.Context // of what is being sent
	cancel  context.CancelFunc
	ended   chan struct{}
}

func newExporter(o Options) (*exporter, error) {
	o.fill()
	if err := parseURL(o.URL); err != nil {
		return nil, fmt.Errorf("the address of the trace collector %w", err)
	}
	if err := checkHeaders(o.Headers); err != nil {
		return nil, fmt.Errorf("the list of headers for the trace collector %w", err)
	}
	e := &exporter{
		o: o, resource: encodeResource(o.Resource), spans: make(chan *Span, o.Queue), full: make(chan struct{}, 1),
		closing: make(chan struct{}), ended: make(chan struct{}),
		client: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
				ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
			},
			// The headers may hold a credential for this address alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Record takes a span that has ended. It never blocks: what finds no room is
// dropped.
func (e *exporter) Record(s *Span) {
	if e.closed.Load() {
		e.dropped.Add(1)
		return
	}
	select {
	case e.spans <- s:
	default:
		e.dropped.Add(1)
		return
	}
	if len(e.spans) >= e.o.Batch {
		select {
		case e.full <- struct{}{}:
		default: // it is known
		}
	}
}

// Stats are the figures of now.
func (e *exporter) Stats() Stats {
	return Stats{Sent: e.sent.Load(), Dropped: e.dropped.Load(), Queued: int64(len(e.spans))}
}

// Close sends what waits, as long as ctx lives and for at most 5 seconds, and
// ends.
func (e *exporter) Close(ctx context.Context) {
	e.closed.Store(true)
	e.once.Do(func() { close(e.closing) })
	ctx, cancel := context.WithTimeout(ctx, maxClosing)
	defer cancel()
	select {
	case <-e.ended:
	case <-ctx.Done():
	}
	e.cancel()
	<-e.ended
	e.client.CloseIdleConnections()
}

func (e *exporter) run() {
	defer close(e.ended)
	ticker := time.NewTicker(e.o.Every)
	defer ticker.Stop()
	batch := make([]*Span, 0, e.o.Batch)
	for {
		closing := false
		select {
		case <-e.closing:
			closing = true
		case <-ticker.C:
		case <-e.full:
		}
		for batch = e.take(batch[:0]); len(batch) > 0; batch = e.take(batch[:0]) {
			e.send(batch)
			clear(batch)
		}
		if closing {
			return
		}
	}
}

// take gets what waits, up to a batch.
func (e *exporter) take(batch []*Span) []*Span {
	for len(batch) < cap(batch) {
		select {
		case s := <-e.spans:
			batch = append(batch, s)
		default:
			return batch
		}
	}
	return batch
}

// send delivers a batch, or drops it.
func (e *exporter) send(batch []*Span) {
	body, err := e.encode(batch)
	for attempt := 1; err == nil; attempt++ {
		var rejected int64
		var again time.Duration
		if rejected, again, err = e.post(body); err == nil {
			rejected = min(rejected, int64(len(batch)))
			e.sent.Add(int64(len(batch)) - rejected)
			e.dropped.Add(rejected)
			return
		}
		if again < 0 || attempt >= maxAttempts {
			break
		}
		e.o.Log.Debug("spans are sent again", "spans", len(batch), "why", err)
		if !e.pause(max(again, e.backoff(attempt))) {
			attempt = maxAttempts - 1 // one more, and no further wait
		}
		err = nil
	}
	e.dropped.Add(int64(len(batch)))
	e.warn("spans could not be sent and are dropped", "spans", len(batch), "error", err)
}

// encode writes the body of a batch.
func (e *exporter) encode(batch []*Span) ([]byte, error) {
	body, err := encode(e.resource, e.o.Version, batch)
	if err != nil || !e.o.Gzip {
		return body, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(body)
	err = errors.Join(err, w.Close())
	return packed.Bytes(), err
}

// backoff is how long to wait after an attempt: twice as long each time, and
// never the same for two.
func (e *exporter) backoff(attempt int) time.Duration {
	d := e.o.Pause << (attempt - 1)
	return min(d/2+rand.N(d), maxPause) //nolint:gosec // not for anything secret
}

// pause waits. It is false once the exporter closes, and then does not wait.
func (e *exporter) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.closing:
		return false
	}
}

// post makes one attempt. With an error, again says how long the collector asks
// to wait, at least; below 0: it is of no use to try again.
func (e *exporter) post(body []byte) (rejected int64, again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(e.ctx, e.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.o.URL, bytes.NewReader(body))
	if err != nil {
		return 0, -1, err
	}
	for name, value := range e.o.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Gatehouse/"+e.o.Version)
	if e.o.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := e.client.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok { // it repeats the address, which may hold a key
			err = wrapped.Err
		}
		return 0, 0, err
	}
	answer, readErr := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	_ = res.Body.Close()
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, retryAfter(res.Header.Get("Retry-After"), time.Now()), fmt.Errorf("the collector answered %d", res.StatusCode)
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
	default:
		return 0, -1, fmt.Errorf("the collector answered %d", res.StatusCode)
	}
	if readErr != nil { // it took the batch; what it said further is lost
		return 0, 0, nil
	}
	return e.partial(answer), 0, nil
}

// partial is how many spans of a batch the collector did not take.
func (e *exporter) partial(answer []byte) int64 {
	var a otlpAnswer
	if json.Unmarshal(answer, &a) != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.Trim(string(a.PartialSuccess.Rejected), `"`), 10, 32)
	if err != nil || n <= 0 {
		return 0
	}
	e.warn("the collector refused spans", "spans", n, "error", cut(a.PartialSuccess.Message))
	return n
}

// warn logs, but not the same trouble all the time.
func (e *exporter) warn(message string, args ...any) {
	if now := time.Now(); now.Sub(e.warned) >= warnEvery {
		e.warned = now
		e.o.Log.Warn("traces: "+message, args...)
	}
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		d = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxPause)
}
