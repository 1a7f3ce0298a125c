package traffic

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"gatehouse/internal/fault"
	"gatehouse/internal/redact"
)

const (
	maxWatchers     = 50
	watcherBuffer   = 64 // frames; whoever is further behind is cut off
	faultsPerSecond = 20
	writeWait       = 5 * time.Second
	checkEvery      = 2 * time.Second
)

// live knows the last minute, second by second, and tells those who watch.
type live struct {
	mu       sync.Mutex
	seconds  [60]second
	at       int // where the next one goes
	watchers map[*watcher]struct{}
	closed   bool

	watching atomic.Int32
	faults   atomic.Int32 // told since the last tick
	asked    atomic.Int64 // when somebody last wanted figures, in seconds since 1970
}

// watcher is an open WebSocket.
type watcher struct {
	frames chan []byte
	end    chan struct{} // closed when it is to end
	slow   bool          // because it does not keep up
}

func newLive() *live { return &live{watchers: map[*watcher]struct{}{}} }

// tickFrame and faultFrame are what watchers are sent.
type (
	tickFrame struct {
		Type         string    `json:"type"`
		At           time.Time `json:"at"`
		Requests     int64     `json:"requests"`
		Errors       int64     `json:"errors"`
		ServerErrors int64     `json:"server_errors"`
		RateLimited  int64     `json:"rate_limited"`
		RPS          float64   `json:"rps"`
		MeanMS       *float64  `json:"mean_ms"`
		ErrorRate    *float64  `json:"error_rate"`
	}
	faultFrame struct {
		Type  string      `json:"type"`
		Fault faultRecord `json:"fault"`
	}
	faultRecord struct {
		RequestID    string    `json:"request_id"`
		At           time.Time `json:"at"`
		Method       string    `json:"method"`
		Path         string    `json:"path"`
		Status       int       `json:"status"`
		LatencyMS    float64   `json:"latency_ms"`
		IP           string    `json:"ip"`
		Login        string    `json:"login"`
		Caller       string    `json:"caller"`
		ErrorType    string    `json:"error_type"`
		ErrorMessage string    `json:"error_message"`
	}
)

// tick notes what happened since the tick before, a second ago, and tells it.
func (l *live) tick(at time.Time, s second) {
	l.mu.Lock()
	l.seconds[l.at%len(l.seconds)] = s
	l.at++
	l.mu.Unlock()
	l.faults.Store(0)
	if l.watching.Load() == 0 {
		return
	}
	l.asked.Store(at.Unix())
	frame := tickFrame{
		Type: "tick", At: at.UTC().Truncate(time.Second), Requests: s.requests, Errors: s.errors, ServerErrors: s.serverErrors,
		RateLimited: s.limited, RPS: round(l.perSecond(), 2),
	}
	if s.requests > 0 {
		frame.MeanMS = number(float64(s.micros) / 1000 / float64(s.requests))
	}
	if minute := l.last(len(l.seconds)); minute.requests > 0 {
		frame.ErrorRate = percent(minute.errors, minute.requests)
	}
	l.tell(frame)
}

// fault tells of a failed request, if somebody watches and not too many failed
// this second. The rest is in the log.
func (l *live) fault(e *Event) {
	if l.watching.Load() == 0 || l.faults.Add(1) > faultsPerSecond {
		return
	}
	short := func(s string) string {
		shortened, _ := text(s, maxLine).(string)
		return shortened
	}
	l.tell(faultFrame{"fault", faultRecord{
		RequestID: redact.Strict(e.RequestID), At: e.Time.UTC().Truncate(time.Second), Method: short(redact.Text(e.Method)), Path: short(redact.Path(e.Path)),
		Status: e.Status, LatencyMS: float64(e.Latency.Microseconds()) / 1000, IP: e.IP.String(), Login: short(redact.Text(e.Login)),
		Caller: callerName(e.caller()), ErrorType: e.ErrorType, ErrorMessage: short(redact.JSON(e.ErrorMessage)),
	}})
}

// tell sends a frame to all, waiting for nobody.
func (l *live) tell(frame any) {
	data, err := json.Marshal(frame)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		select {
		case w.frames <- data:
		default:
			w.slow = true
			l.drop(w)
		}
	}
}

// drop is called under the lock, once for each watcher.
func (l *live) drop(w *watcher) {
	if _, there := l.watchers[w]; there {
		delete(l.watchers, w)
		l.watching.Add(-1)
		close(w.end)
	}
}

// last adds up the last n seconds.
func (l *live) last(n int) (s second) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i <= n && i <= l.at; i++ {
		s.add(l.seconds[(l.at-i)%len(l.seconds)])
	}
	return s
}

// perSecond is the mean of the last ten seconds.
func (l *live) perSecond() float64 {
	const over = 10
	return float64(l.last(over).requests) / over
}

// close ends all watching, for good.
func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for w := range l.watchers {
		l.drop(w)
	}
}

// Live admits one who watches. serve turns his request into a WebSocket and
// returns when it ends: because he leaves, does not keep up, is no longer
// allowed (which is asked again every few seconds), or because the server stops.
func (r *Recorder) Live(allowed func(context.Context) bool) (serve func(http.ResponseWriter, *http.Request), err error) {
	l := r.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.watchers) >= maxWatchers {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "Too many are watching, or the server stops", RetryAfter: 10 * time.Second}
	}
	w := &watcher{frames: make(chan []byte, watcherBuffer), end: make(chan struct{})}
	w.frames <- []byte(`{"type":"hello","interval_ms":1000}`)
	l.watchers[w] = struct{}{}
	l.watching.Add(1)
	return func(rw http.ResponseWriter, req *http.Request) {
		defer func() {
			l.mu.Lock()
			l.drop(w)
			l.mu.Unlock()
		}()
		// The API has looked at the origin, which behind a proxy this cannot.
		conn, err := websocket.Accept(rw, req, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			r.log.Debug("no WebSocket came about", "error", err)
			return
		}
		status, reason := w.pump(req.Context(), conn, allowed)
		_ = conn.Close(status, reason) // the caller may be gone
	}, nil
}

// pump sends frames until there is a reason to end.
func (w *watcher) pump(ctx context.Context, conn *websocket.Conn, allowed func(context.Context) bool) (websocket.StatusCode, string) {
	ctx = conn.CloseRead(context.WithoutCancel(ctx)) // answers pings; ends when he closes or sends anything
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return websocket.StatusNormalClosure, ""
		case <-w.end:
			if w.slow {
				return websocket.StatusPolicyViolation, "too slow"
			}
			return websocket.StatusGoingAway, "the server stops"
		case <-check.C:
			if !allowed(ctx) {
				return websocket.StatusPolicyViolation, "no longer allowed"
			}
		case frame := <-w.frames:
			writing, cancel := context.WithTimeout(ctx, writeWait)
			err := conn.Write(writing, websocket.MessageText, frame)
			cancel()
			if err != nil {
				return websocket.StatusGoingAway, ""
			}
		}
	}
}

// Drain ends the live connections, and admits none any more.
func (r *Recorder) Drain() { r.live.close() }
