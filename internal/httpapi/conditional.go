package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// An entity tag has two parts, as in "c3l9ouxuo-1f0c…": the version of the
// record, by which If-Match tells whether somebody has changed it, whatever
// fields and language it was read in; and a digest of the exact answer, which
// If-None-Match compares as well.

// tags are those of an If-Match or If-None-Match header.
type tags struct {
	given bool
	any   bool // *
	list  []tag
}

type tag struct {
	text string // without the quotes
	weak bool
}

// condition is what a request makes itself depend on.
type condition struct{ match, noneMatch tags }

func (c *condition) given() bool { return c.match.given || c.noneMatch.given }

func preconditions(h http.Header) (c condition, err error) {
	if values := h["If-Match"]; values != nil {
		if c.match, err = parseTags("If-Match", values); err != nil {
			return c, err
		}
	}
	if values := h["If-None-Match"]; values != nil {
		c.noneMatch, err = parseTags("If-None-Match", values)
	}
	return c, err
}

// maxTags is how many tags a header may list.
const maxTags = 100

// parseTags reads "*" or a list of entity tags (RFC 9110, sections 8.8.3 and 13.1).
func parseTags(header string, values []string) (tags, error) {
	text := strings.Trim(strings.Join(values, ","), " \t")
	if text == "*" {
		return tags{given: true, any: true}, nil
	}
	found := tags{given: true}
	wrong := fault.New(fault.BadRequest, `Invalid header `+header+`: expected * or entity tags in double quotes, such as "a1-b2", "c3-d4"`)
	for text != "" {
		if text[0] == ',' || text[0] == ' ' || text[0] == '\t' { // empty elements of a list are allowed
			text = text[1:]
			continue
		}
		rest, weak := strings.CutPrefix(text, "W/")
		if len(rest) < 2 || rest[0] != '"' {
			return tags{}, wrong
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 || strings.IndexFunc(rest[1:end+1], func(r rune) bool { return r <= ' ' || r == 0x7f }) >= 0 {
			return tags{}, wrong
		}
		found.list = append(found.list, tag{rest[1 : end+1], weak})
		text = strings.TrimLeft(rest[end+2:], " \t")
		if text != "" && text[0] != ',' || len(found.list) > maxTags {
			return tags{}, wrong
		}
	}
	if found.list == nil {
		return tags{}, wrong
	}
	return found, nil
}

// has says whether a whole tag is listed, by the weak comparison.
func (t *tags) has(text string) bool {
	for i := range t.list {
		if t.list[i].text == text {
			return true
		}
	}
	return t.any
}

// hasVersion says whether a listed tag is one of this version of the record, by
// the strong comparison. Without a version there is nothing to compare.
func (t *tags) hasVersion(version string) bool {
	for i := range t.list {
		of, _, ok := strings.Cut(t.list[i].text, "-")
		if ok && !t.list[i].weak && version != "" && of == version {
			return true
		}
	}
	return t.any
}

// stamped takes the version of a record off an answer on its way to next.
type stamped struct {
	next    backend.Sink
	has     bool
	version int64 // 0: none
}

// Columns implements backend.Sink.
func (s *stamped) Columns(cols []backend.Column) error {
	last := len(cols) - 1
	if s.has = last >= 0 && cols[last].Name == backend.VersionColumn; s.has {
		cols = cols[:last]
	}
	return s.next.Columns(cols)
}

// Row implements backend.Sink.
func (s *stamped) Row(row []backend.Value) error {
	if s.has {
		s.version = row[len(row)-1].Int
		row = row[:len(row)-1]
	}
	return s.next.Row(row)
}

// stamping is a sink that keeps the version in c.stamp, where a query asks for it.
func (c *call) stamping(q *backend.Query, sink backend.Sink) backend.Sink {
	if !q.Version {
		return sink
	}
	c.stamp = stamped{next: sink}
	return &c.stamp
}

// versionText is a version as it stands in a tag.
func versionText(version int64) string {
	if version == 0 {
		return ""
	}
	return strconv.FormatInt(version, 36)
}

// tagOf is the entity tag of an answer, without the quotes.
func tagOf(version int64, answer []byte) string {
	sum := sha256.Sum256(answer)
	var buf [64]byte
	b := buf[:0]
	if version != 0 {
		b = strconv.AppendInt(b, version, 36)
	}
	return string(hex.AppendEncode(append(b, '-'), sum[:12]))
}

// tagAnswer gives the answer of a read its entity tag, and takes the body away
// where the caller has it.
func (c *call) tagAnswer() error {
	text := tagOf(c.reply.version, c.out)
	c.etag = `"` + text + `"`
	if c.r.Header["If-None-Match"] == nil && c.r.Header["If-Match"] == nil {
		return nil
	}
	wanted, err := preconditions(c.r.Header)
	switch {
	case err != nil:
		return err
	case wanted.match.given && !wanted.match.hasVersion(versionText(c.reply.version)):
		return changedMeanwhile()
	case wanted.noneMatch.given && wanted.noneMatch.has(text):
		c.status, c.out, c.reply.none = http.StatusNotModified, c.out[:0], true
	}
	return nil
}

func changedMeanwhile() error {
	return fault.New(fault.Precondition, "The record is not any more what it was when it was read: read it again")
}

// provided runs a change only if the record is what the caller believes it to
// be. Where the backend has transactions, nobody else can change it from the
// look at it until the end.
func (s *Server) provided(c *call, wanted condition, run func() (reply, error)) func() (reply, error) {
	return func() (r reply, err error) {
		if c.r.PathValue("id") == "" {
			return reply{}, fault.New(fault.BadRequest, "If-Match and If-None-Match are for the paths of single records")
		}
		id, err := c.recordID()
		if err != nil {
			return reply{}, err
		}
		alone := s.atomically
		if s.atomic(c) == nil {
			alone = func(_ *call, fn func() error) error { return fn() }
		}
		err = alone(c, func() error {
			version, err := s.heldVersion(c, id)
			switch {
			case fault.Is(err, fault.NotFound): // said in the words of the route
			case err != nil:
				return err
			case wanted.match.given && !wanted.match.hasVersion(versionText(version)),
				wanted.noneMatch.given && wanted.noneMatch.hasVersion(versionText(version)):
				return changedMeanwhile()
			}
			r, err = run()
			return err
		})
		return r, err
	}
}

// heldVersion gives the version of a record that nobody can change any more.
func (s *Server) heldVersion(c *call, id int64) (int64, error) {
	if atomic := s.atomic(c); atomic != nil {
		if err := atomic.Hold(c.ctx, c.event.Model, []int64{id}); err != nil {
			return 0, err
		}
	}
	page := &backend.Page{}
	look := stamped{next: page}
	_, err := s.deps.Backend.Search(c.ctx, c.caller, &backend.Query{
		Model: c.event.Model, IDs: []int64{id}, Fields: []string{"id"}, Version: true,
	}, &look)
	return look.version, err
}
