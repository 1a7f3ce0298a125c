package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// readBody reads a body of JSON into the call's buffer.
func (s *Server) readBody(c *call) error {
	if err := s.receiveBody(c); err != nil || len(c.body) == 0 {
		return err
	}
	return contentType(c.r.Header)
}

// receiveBody reads the body of the request, whatever it is, into the call's buffer.
func (s *Server) receiveBody(c *call) error { return s.receiveUpTo(c, s.deps.MaxBody) }

// receiveUpTo is receiveBody for bodies of another size.
func (s *Server) receiveUpTo(c *call, limit int64) error {
	r := c.r
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	body := c.body[:0]
	// What a caller announces is not yet there: memory follows what comes.
	if need := int(min(r.ContentLength, 64<<10)); need > cap(body) {
		body = make([]byte, 0, need+1) // one more, to see the end without growing
	}
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return tooLarge(limit)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fault.New(fault.GatewayTimeout, "The body did not arrive in time").Because(err)
		}
		if err != nil {
			return fault.New(fault.BadRequest, "The body could not be read to its end").Because(err)
		}
	}
	c.body, c.event.BytesIn = body, int64(len(body))
	return nil
}

// maxBulk is how many records one request may create.
const maxBulk = 10_000

func tooLarge(limit int64) error {
	return fault.Newf(fault.TooLarge, "The body is larger than %d bytes", limit)
}

// contentType refuses bodies that say they are no JSON. One that says nothing
// is taken for JSON.
func contentType(h http.Header) error {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.New(fault.UnsupportedMedia, "Content-Encoding "+wire.Name(coding)+" is not understood: send the body as it is")
	}
	value := h.Get("Content-Type")
	if value == "" || value == "application/json" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(value)
	if err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return nil
	}
	return fault.New(fault.UnsupportedMedia, "Content-Type must be application/json")
}

// readObject reads a body that must be an object.
func (s *Server) readObject(c *call) (map[string]any, error) {
	if err := s.readBody(c); err != nil {
		return nil, err
	}
	return wire.DecodeObject(c.body, false)
}

// readArguments reads a body that may be missing, as those of methods may.
func (s *Server) readArguments(c *call) (map[string]any, error) {
	if err := s.readBody(c); err != nil {
		return nil, err
	}
	return wire.DecodeObject(c.body, true)
}

// readObjects reads an object, or a list of objects; bulk says which it was.
func (s *Server) readObjects(c *call) (objects []map[string]any, bulk bool, err error) {
	if err := s.readBody(c); err != nil {
		return nil, false, err
	}
	value, err := wire.Decode(c.body)
	if err != nil {
		return nil, false, err
	}
	switch value := value.(type) {
	case map[string]any:
		return []map[string]any{value}, false, nil
	case []any:
		if len(value) == 0 {
			return nil, true, fault.New(fault.BadRequest, "The list of records is empty")
		}
		if len(value) > maxBulk {
			return nil, true, fault.Newf(fault.BadRequest, "The list has more than %d records", maxBulk)
		}
		objects = make([]map[string]any, len(value))
		for i, element := range value {
			object, ok := element.(map[string]any)
			if !ok {
				return nil, true, wire.NotJSON(map[string]any{
					"index": i, "problem": "expected an object, found " + wire.Describe(element),
				})
			}
			objects[i] = object
		}
		return objects, true, nil
	}
	return nil, false, wire.NotJSON(map[string]any{
		"problem": "expected an object or a list of objects, found " + wire.Describe(value),
	})
}
