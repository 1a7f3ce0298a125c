package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// form is how a list is written.
type form uint8

const (
	asJSON  form = iota // a page in the envelope
	asLines             // all records, each a JSON object on a line
	asCSV               // all records as a table
)

const (
	// A stream reads as many records at a time as make about this many bytes,
	// beginning with few: some records are large.
	streamChunk    = 256 << 10
	firstBatch     = 50
	largestBatch   = 5000
	streamPiece    = 64 << 10         // what must be taken
	streamPatience = 30 * time.Second // in this time
)

// stream is an answer that is written as it is read.
type stream struct {
	form  form
	name  string // of the file
	chunk []byte // what is to be sent next
	// next reads the next chunk; nil when that was the last.
	next func() ([]byte, error)
}

// streaming says that the answer is longer than what was read of it.
func (c *call) streaming() bool {
	return c.fault == nil && c.reply.stream != nil && c.reply.stream.next != nil && c.r.Method != http.MethodHead
}

// accepted is the form of a list that the caller wants most. Whoever wants none
// that there is gets JSON.
func (c *call) accepted() form {
	values := c.r.Header["Accept"]
	if len(values) == 0 {
		return asJSON
	}
	return preferred(strings.Join(values, ","))
}

// preferred reads an Accept header (RFC 9110 section 12.5.1): the form of the
// highest weight, of equal ones the first that is named.
func preferred(accept string) form {
	best, weight := asJSON, 0.0
	for _, part := range strings.Split(accept, ",") {
		mediaType, params, _ := strings.Cut(part, ";")
		var f form
		switch strings.ToLower(strings.TrimSpace(mediaType)) {
		case "text/csv":
			f = asCSV
		case "application/x-ndjson", "application/ndjson", "application/jsonl":
			f = asLines
		case "application/json", "application/*", "*/*":
			f = asJSON
		default:
			continue
		}
		if q := quality(params); q > weight {
			best, weight = f, q
		}
	}
	return best
}

// quality is the weight among the parameters of a media range.
func quality(params string) float64 {
	for _, param := range strings.Split(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// headers says what the body is.
func (st *stream) headers(h http.Header) {
	h.Add("Vary", "Accept")
	h.Set("Content-Type", "application/x-ndjson")
	name := st.name + ".ndjson"
	if st.form == asCSV {
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		name = st.name + ".csv"
	}
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// batches streams a list by reading it page by page, so that no connection to
// the database is held while the caller takes his time. read gives the records
// of a query as they are to be sent, and how many they are.
func batches(p *params, query *backend.Query, st *stream, read func(q *backend.Query) ([]byte, int, error)) (reply, error) {
	left, batch := p.most, firstBatch
	keyset := &backend.Keyset{After: p.cursor, Wanted: true}
	query.Count, query.Keyset = false, keyset
	if query.Order == "" {
		query.Order = "id" // the cheapest to read on by
	}
	next := func() ([]byte, error) {
		query.Limit = batch
		if left > 0 {
			query.Limit = min(batch, left)
		}
		chunk, n, err := read(query)
		if err != nil {
			return nil, err
		}
		keyset.After, query.Offset = keyset.Next, 0
		if left > 0 {
			left -= n
		}
		if keyset.Next == "" || p.most > 0 && left <= 0 {
			st.next = nil
		}
		if n > 0 {
			batch = max(1, min(largestBatch, 4*batch, streamChunk/(len(chunk)/n+1)))
		}
		return chunk, nil
	}
	st.next = next
	chunk, err := next()
	st.chunk = chunk
	return reply{stream: st}, err
}

// pour sends a stream, piece by piece, and logs it. An error in the middle
// breaks the connection: the status has been sent, and half of the records must
// not be taken for all.
func (s *Server) pour(c *call) {
	st, control := c.reply.stream, http.NewResponseController(c.w)
	err := s.send(c, control, c.out)
	for err == nil && st.next != nil {
		if c.cancel != nil {
			c.cancel()
		}
		c.limitTime(s.deps.RequestTimeout) // each chunk has as long as a request
		if st.chunk, err = st.next(); err == nil {
			err = s.send(c, control, st.chunk)
		}
	}
	if err == nil {
		err = control.Flush()
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		c.broken = true
		c.refuse(err)
		if c.status = StatusOf(c.fault.Kind); c.gone {
			c.status = statusClientGone
		}
	}
	s.observe(c)
}

// send writes a chunk. Whoever takes nothing of it for a while is not waited for.
func (s *Server) send(c *call, control *http.ResponseController, chunk []byte) error {
	for len(chunk) > 0 {
		piece := chunk[:min(len(chunk), streamPiece)]
		now := time.Now()
		for _, err := range []error{
			control.SetWriteDeadline(now.Add(streamPatience)),
			// net/http ends the request when it may not read any more.
			control.SetReadDeadline(now.Add(streamPatience + s.deps.RequestTimeout + time.Minute)),
		} {
			if err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
		}
		n, err := c.w.Write(piece)
		c.event.BytesOut += int64(n)
		if err != nil {
			if c.r.Context().Err() == nil {
				return &fault.Error{Kind: fault.Unavailable, Message: "The caller does not take the answer", Cause: err}
			}
			return errors.Join(context.Canceled, err)
		}
		chunk = chunk[n:]
	}
	return nil
}
