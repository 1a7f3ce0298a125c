package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/oauth"
)

// reply is what a handler gives back. It says nothing of HTTP.
type reply struct {
	// data is encoded as JSON; raw is JSON already and wins where it is set.
	data any
	raw  []byte
	// message tells of a change in words, "" says nothing.
	message string
	meta    *meta
	// created: something was made, at location where there is one place.
	created  bool
	location string
	// none: the answer has no body at all.
	none bool
	// text: raw is no JSON but of this content type, and stands alone.
	text string
	// upgrade takes the connection over, and returns when it is at its end.
	upgrade func(http.ResponseWriter, *http.Request)
	// file is sent as it is, in place of all else.
	file *File
	// stream is the body where it is not an envelope.
	stream *stream
}

// meta is what an answer says beside its data.
type meta struct {
	page    *page
	ignored []string // input fields that were not taken
	more    any      // anything else, as the whole of meta
}

// page is the part of a list that was answered.
type page struct {
	total         int64 // -1: not counted
	limit, offset int
	count         int
	next          string // the cursor of the next page; "" on the last
	number, size  int    // page and per_page, where the caller asked so; else 0
}

// format puts the answer, or the error, into the envelope.
func (s *Server) format(c *call) error {
	if c.exchange != nil {
		return s.formatExchange(c)
	}
	if c.fault == nil {
		c.status = http.StatusOK
		switch {
		case c.reply.created:
			c.status = http.StatusCreated
		case c.reply.none:
			c.status = http.StatusNoContent
			return nil
		case c.reply.upgrade != nil:
			c.status = http.StatusSwitchingProtocols
			return nil
		case c.reply.text != "":
			c.out = append(c.out[:0], c.reply.raw...)
			return nil
		case c.reply.stream != nil:
			c.out = append(c.out[:0], c.reply.stream.chunk...)
			return nil
		}
		out, err := c.formatReply()
		if err == nil {
			c.out = out
			return nil
		}
		c.refuse(fault.Wrap(err, "encode the answer"))
	}
	c.status = StatusOf(c.fault.Kind)
	if c.gone {
		c.status = statusClientGone
	}
	c.out = append(c.appendFault(c.out[:0], c.fault), '\n')
	return nil
}

// formatReply gives the body of an answer.
func (c *call) formatReply() ([]byte, error) {
	if c.reply.file != nil {
		return c.formatFile(c.reply.file)
	}
	out, err := c.appendReply(c.out[:0])
	return append(out, '\n'), err // a terminal's prompt then begins on a line of its own
}

// Style is how a route's answers and errors are written.
type Style uint8

// The styles.
const (
	Envelope Style = iota // success and data, or an error with code, type and message
	RFC                   // as OAuth2 has it: the data alone, or error and error_description (RFC 6749 section 5.2)
)

// appendReply writes an answer in the style of its route.
func (c *call) appendReply(dst []byte) ([]byte, error) {
	if c.route.Style == RFC {
		return appendAny(dst, c.reply.data)
	}
	return appendSuccess(dst, &c.reply)
}

// appendFault writes an error in the style of its route. There is none where
// the request broke down before one was found.
func (c *call) appendFault(dst []byte, f *fault.Error) []byte {
	if c.route != nil && c.route.Style == RFC {
		dst = wire.AppendString(append(dst, `{"error":`...), string(oauth.CodeOf(f)))
		dst = wire.AppendString(append(dst, `,"error_description":`...), oauth.Description(f.Message))
		return append(dst, '}')
	}
	return appendError(dst, c.status, f, c.event.RequestID)
}

func appendSuccess(dst []byte, r *reply) ([]byte, error) {
	dst = append(dst, `{"success":true,"data":`...)
	if r.raw != nil {
		dst = append(dst, r.raw...)
	} else {
		var err error
		if dst, err = appendAny(dst, r.data); err != nil {
			return nil, err
		}
	}
	if r.message != "" {
		dst = wire.AppendString(append(dst, `,"message":`...), r.message)
	}
	if r.meta != nil {
		var err error
		if dst, err = appendMeta(append(dst, `,"meta":`...), r.meta); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendMeta(dst []byte, m *meta) ([]byte, error) {
	if m.more != nil {
		return appendAny(dst, m.more)
	}
	sep := byte('{')
	if p := m.page; p != nil {
		dst = append(dst, `{"total":`...)
		if p.total < 0 {
			dst = append(dst, "null"...)
		} else {
			dst = strconv.AppendInt(dst, p.total, 10)
		}
		dst = strconv.AppendInt(append(dst, `,"limit":`...), int64(p.limit), 10)
		dst = strconv.AppendInt(append(dst, `,"offset":`...), int64(p.offset), 10)
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(p.count), 10)
		if dst = append(dst, `,"next_cursor":`...); p.next == "" {
			dst = append(dst, "null"...)
		} else {
			dst = append(append(append(dst, '"'), p.next...), '"') // of the letters of base64
		}
		if p.number > 0 {
			dst = strconv.AppendInt(append(dst, `,"page":`...), int64(p.number), 10)
			dst = strconv.AppendInt(append(dst, `,"per_page":`...), int64(p.size), 10)
			if p.total >= 0 {
				pages := (p.total + int64(p.limit) - 1) / int64(p.limit)
				dst = strconv.AppendInt(append(dst, `,"pages":`...), pages, 10)
			}
		}
		sep = ','
	}
	if len(m.ignored) > 0 {
		var err error
		if dst, err = appendAny(append(append(dst, sep), `"ignored_fields":`...), m.ignored); err != nil {
			return nil, err
		}
		sep = ','
	}
	if sep == '{' {
		dst = append(dst, '{')
	}
	return append(dst, '}'), nil
}

// appendAny encodes what is not worth an encoder of its own.
func appendAny(dst []byte, v any) ([]byte, error) {
	w := appendWriter{dst}
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return w.buf[:len(w.buf)-1], nil // without the newline
}

type appendWriter struct{ buf []byte }

func (w *appendWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), nil
}

func appendError(dst []byte, status int, f *fault.Error, requestID string) []byte {
	dst = strconv.AppendInt(append(dst, `{"success":false,"error":{"code":`...), int64(status), 10)
	dst = wire.AppendString(append(dst, `,"type":`...), f.Kind.String())
	dst = wire.AppendString(append(dst, `,"message":`...), f.Message)
	if f.Details != nil {
		if details, err := appendAny(nil, f.Details); err == nil {
			dst = append(append(dst, `,"details":`...), details...)
		}
	}
	dst = wire.AppendString(append(dst, `,"request_id":`...), requestID)
	return append(dst, '}', '}')
}
