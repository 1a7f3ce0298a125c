package traffic

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
)

const (
	maxQueued      = 10_000   // entries that wait to be written
	maxQueuedBytes = 64 << 20 // of bodies that wait
	maxBody        = 16 << 10 // that is kept of a body
	logBatch       = 500      // entries in one transaction
	logEvery       = 200 * time.Millisecond
)

// entry is a request that the log is to keep. Everything in it is immutable or
// its own.
type entry struct {
	Event

	level               setting.LogLevel
	steps               []time.Duration
	request, response   []byte
	requestCut, replCut bool // their ends are missing
}

// logQueue takes entries from requests and writes them in batches. It never
// makes a request wait: what finds no room is dropped, and counted.
type logQueue struct {
	entries chan *entry
	bytes   atomic.Int64
	dropped atomic.Int64
	written atomic.Int64
	full    chan struct{} // there is a batch
	pool    sync.Pool

	mu     sync.Mutex // held while entries are taken and written
	inHand []*entry   // taken and not yet known to be written
	batch  int64
	days   map[string]bool // partitions that are known to be there
}

func newLogQueue() *logQueue {
	q := &logQueue{entries: make(chan *entry, maxQueued), full: make(chan struct{}, 1), days: map[string]bool{}}
	q.pool.New = func() any { return &entry{} }
	return q
}

// levelOf is the level that holds for a request: its user's, else the global
// one. Not kept: at that level the log is not interested in it.
func levelOf(e *Event, global setting.LogLevel) (level setting.LogLevel, kept bool) {
	level = global
	switch own := setting.LogLevel(e.LogLevel); own {
	case setting.LogErrors, setting.LogMetadata, setting.LogFull:
		level = own
	}
	return level, level != setting.LogErrors || e.Status >= http.StatusBadRequest
}

// add queues a copy of an event.
func (q *logQueue) add(e *Event, level setting.LogLevel) {
	if q.bytes.Load() > maxQueuedBytes || len(q.entries) == cap(q.entries) {
		q.dropped.Add(1)
		return
	}
	n, ok := q.pool.Get().(*entry)
	if !ok {
		n = &entry{}
	}
	n.Event, n.level = *e, level
	n.steps = append(n.steps[:0], e.Steps...)
	n.Steps, n.RequestBody, n.ResponseBody = n.steps, nil, nil
	if level == setting.LogFull {
		n.request, n.requestCut = begin(n.request, e.RequestBody)
		n.response, n.replCut = begin(n.response, e.ResponseBody)
		q.bytes.Add(int64(len(n.request) + len(n.response)))
	}
	select {
	case q.entries <- n:
	default:
		q.dropped.Add(1)
		q.release(n)
		return
	}
	if len(q.entries) >= logBatch {
		select {
		case q.full <- struct{}{}:
		default:
		}
	}
}

// begin copies the beginning of a body.
func begin(into, body []byte) (copied []byte, cut bool) {
	return append(into[:0], body[:min(len(body), maxBody)]...), len(body) > maxBody
}

func (q *logQueue) release(n *entry) {
	q.bytes.Add(-int64(len(n.request) + len(n.response)))
	*n = entry{steps: n.steps[:0], request: n.request[:0], response: n.response[:0]}
	q.pool.Put(n)
}

// take gets a batch, that in hand first.
func (q *logQueue) take() []*entry {
	if q.inHand != nil {
		return q.inHand
	}
	for len(q.inHand) < logBatch {
		select {
		case n := <-q.entries:
			q.inHand = append(q.inHand, n)
			continue
		default:
		}
		break
	}
	if q.inHand != nil {
		q.batch++
	}
	return q.inHand
}

// done lets go of the batch in hand.
func (q *logQueue) done() {
	for _, n := range q.inHand {
		q.release(n)
	}
	q.inHand = nil
}

// writeLog writes all that is queued. While the store is away the batch stays
// in hand; one that it refuses is dropped.
func (r *Recorder) writeLog(ctx context.Context) error {
	q := r.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		batch := q.take()
		if batch == nil {
			return nil
		}
		rows := make([][]any, len(batch))
		for i, n := range batch {
			rows[i] = n.row()
		}
		err := r.writeRows(ctx, rows)
		if err != nil && !later(ctx, err) { // a partition that was known may be gone
			err = r.writeRows(ctx, rows)
		}
		switch {
		case err == nil:
			q.written.Add(int64(len(batch)))
		case later(ctx, err):
			return err
		default:
			q.dropped.Add(int64(len(batch)))
			r.log.Error("a batch of the traffic log was refused by the store and is dropped", "entries", len(batch), "error", err)
		}
		q.done()
	}
}

// later says whether what failed may succeed without any change.
func later(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, sqldb.ErrUnavailable) || errors.Is(err, sqldb.ErrConflict) || errors.Is(err, context.DeadlineExceeded)
}

// writeRows stores a batch, once.
func (r *Recorder) writeRows(ctx context.Context, rows [][]any) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	made := map[string]bool{}
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		tx.Relaxed()
		written, err := once(ctx, tx, r.node+".log", r.queue.batch, r.clock.Now().Unix())
		if err != nil || written {
			return err
		}
		for _, row := range rows {
			at, _ := row[0].(time.Time)
			if day := partition(at); !r.queue.days[day] && !made[day] {
				if err := makePartition(ctx, tx, at); err != nil {
					return err
				}
				made[day] = true
			}
		}
		_, err = tx.Copy(ctx, "gateway_log", logColumns(), rows)
		return err
	})
	if err == nil {
		for day := range made {
			r.queue.days[day] = true
		}
	} else {
		r.queue.days = map[string]bool{} // perhaps a partition was dropped
	}
	return err
}

// runLog writes the log until ctx ends.
func (r *Recorder) runLog(ctx context.Context) {
	ticker := time.NewTicker(logEvery)
	defer ticker.Stop()
	var failing bool
	var warned int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-r.queue.full:
			if failing { // the ticker is soon enough
				continue
			}
		}
		err := r.writeLog(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.log.Warn("the traffic log cannot be written; entries wait in memory", "error", err)
		}
		failing = err != nil
		if dropped := r.queue.dropped.Load(); dropped > warned && !failing {
			r.log.Warn("entries of the traffic log were dropped: more came in than could be written", "dropped", dropped-warned)
			warned = dropped
		}
	}
}

// logColumns are the columns of entry.row.
func logColumns() []string {
	return []string{
		"create_date", "request_id", "method", "path", "route", "model", "query", "status", "latency_ms", "steps", "bytes_in", "bytes_out",
		"ip", "user_agent", "user_id", "login", "credential", "credential_id", "caller", "error_type", "error_message", "stack",
		"request_headers", "request_body", "response_body", "level", "trace_id",
	}
}
