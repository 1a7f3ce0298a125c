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
	// tagged answers get an entity tag; version is that of the record, 0 for none.
	tagged  bool
	version int64
	// secret: something in it is shown this one time.
	secret bool
	// dryRun: nothing of it came to stay.
	dryRun bool
	// kept is an answer given before, which is given again as it was.
	kept *KeptAnswer
	// text: raw is no JSON but of this content type, and stands alone.
	text string
	// upgrade takes the connection over, and returns when it is at its end.
	upgrade func(http.ResponseWriter, *http.Request)
	// file is sent as it is, in place of all else.
	file *File
	// content is a file, a part of which may be all that is asked for.
	content *content
	// stream is the body where it is not an envelope.
	stream *stream
}

// status is that of an answer without a fault.
func (r *reply) status() int {
	switch {
	case r.kept != nil:
		return r.kept.Status
	case r.created:
		return http.StatusCreated
	case r.none:
		return http.StatusNoContent
	case r.upgrade != nil:
		return http.StatusSwitchingProtocols
	}
	return http.StatusOK
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
		c.status = c.reply.status()
		if c.reply.none || c.reply.upgrade != nil {
			return nil
		}
		err := c.formatReply()
		if err == nil {
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

// formatReply writes the body of an answer.
func (c *call) formatReply() (err error) {
	switch {
	case c.reply.file != nil:
		c.out, err = c.formatFile(c.reply.file)
		return err
	case c.reply.content != nil:
		return c.formatContent(c.reply.content)
	case c.reply.kept != nil:
		c.out = append(c.out[:0], c.reply.kept.Body...)
		return nil
	case c.reply.stream != nil:
		c.out = append(c.out[:0], c.reply.stream.chunk...)
		return nil
	case c.reply.text != "":
		c.out = append(c.out[:0], c.reply.raw...)
		return nil
	}
	out, err := c.appendReply(c.out[:0], &c.reply)
	if err != nil {
		return err
	}
	c.out = append(out, '\n') // a terminal's prompt then begins on a line of its own
	if c.reply.tagged {
		return c.tagAnswer()
	}
	return nil
}

// Style is how a route's answers and errors are written.
type Style uint8

// The styles.
const (
	Envelope Style = iota // success and data, or an error with code, type and message
	RFC                   // as OAuth2 has it: the data alone, or error and error_description (RFC 6749 section 5.2)
)

// appendReply writes an answer in the style of its route.
func (c *call) appendReply(dst []byte, r *reply) ([]byte, error) {
	if c.route.Style == RFC {
		return appendAny(dst, r.data)
	}
	return appendSuccess(dst, r)
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
	if r.meta != nil || r.dryRun {
		var err error
		if dst, err = appendMeta(append(dst, `,"meta":`...), r.meta); err != nil {
			return nil, err
		}
		if r.dryRun {
			if dst = dst[:len(dst)-1]; dst[len(dst)-1] != '{' {
				dst = append(dst, ',')
			}
			dst = append(dst, `"dry_run":true}`...)
		}
	}
	return append(dst, '}'), nil
}

func appendMeta(dst []byte, m *meta) ([]byte, error) {
	if m == nil {
		return append(dst, "{}"...), nil
	}
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
