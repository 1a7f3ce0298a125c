package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/nearest"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// Bounds of what is sent along with a webhook.
const (
	maxHeaders     = 50
	maxHeaderName  = 128
	maxHeaderValue = 4096
	shownName      = 64 // of a wrong name in an answer
)

// fieldList reads a stored list of fields, or names separated by commas. What
// is given back is a JSON value with each name once, nil for an empty list.
func fieldList(m *schema.Model, which, text string, polled bool) (any, error) {
	var list []string
	if text != "" {
		var one string
		if err := json.Unmarshal([]byte(text), &one); err == nil {
			list = strings.FieldsFunc(one, func(r rune) bool { return r == ',' || r == ' ' })
		} else if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, wrong(which, "Must be a list of field names")
		}
	}
	var names []string
	for _, name := range list {
		if err := checkField(m, which, name, polled); err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(names)
	return json.RawMessage(b), err
}

// checkField looks at one name of such a list.
func checkField(m *schema.Model, which, name string, polled bool) error {
	f := m.Field(name)
	switch {
	case f == nil:
		why := "The model " + m.Name + " has no field " + strconv.Quote(shorten(name))
		if near := m.NearestField(shorten(name)); near != "" {
			why += ". Did you mean " + near + "?"
		}
		return wrong(which, why)
	case !record.Tellable(f):
		return wrong(which, "The field "+name+" is secret and is never sent")
	case which == "watch_fields" && !f.Store:
		return wrong(which, "The field "+name+" is not stored in "+m.Name+" and cannot be watched there")
	case polled && which == "watch_fields" && f.Type == schema.Binary:
		return wrong(which, "The field "+name+" is a file, of which an Odoo's changes cannot be compared")
	case polled: // an Odoo computes what it does not store
	case !f.Readable():
		return wrong(which, "The field "+name+" has no value that could be sent")
	}
	return nil
}

// ownHeaders are those that Gatehouse or the connection sets.
func ownHeaders() []string {
	return []string{
		"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive", "expect",
	}
}

// checkHeaders looks at the JSON object of headers that are to be sent along.
func checkHeaders(text string) error {
	var headers map[string]string
	if err := json.Unmarshal([]byte(text), &headers); err != nil {
		return wrong("headers", `Must be an object of texts, such as {"Authorization": "Bearer …"}`)
	}
	if len(headers) > maxHeaders {
		return wrong("headers", "There may be at most "+strconv.Itoa(maxHeaders)+" headers")
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower, value := strings.ToLower(name), headers[name]
		switch {
		case !isToken(name) || len(name) > maxHeaderName:
			return wrong("headers", strconv.Quote(shorten(name))+" is no name of a header")
		case seen[lower]:
			return wrong("headers", "The header "+http.CanonicalHeaderKey(name)+" is given twice: upper and lower case make no difference")
		case strings.HasPrefix(lower, "webhook-") || strings.HasPrefix(lower, "proxy-") || slices.Contains(ownHeaders(), lower):
			return wrong("headers", "The header "+name+" is set by Gatehouse itself")
		case len(value) > maxHeaderValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return wrong("headers", "The value of the header "+name+" is too long or holds control characters")
		}
		seen[lower] = true
	}
	return nil
}

// isToken says whether a text may be the name of a header (RFC 9110).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

func shorten(s string) string {
	if r := []rune(s); len(r) > shownName {
		return string(r[:shownName]) + "…"
	}
	return s
}

// spanArgs reads the span of time of a method's arguments, from and to; zero
// times are no bounds. An argument that is misspelt would send far too much.
func spanArgs(args record.Values) (from, to time.Time, err error) {
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if name != "from" && name != "to" {
			why := "There is no argument " + strconv.Quote(shorten(name)) + "; there are from and to"
			if near := nearest.Word(shorten(name), []string{"from", "to"}); near != "" {
				why += ". Did you mean " + near + "?"
			}
			return from, to, wrong(shorten(name), why)
		}
	}
	if from, err = momentArg(args, "from"); err != nil {
		return from, to, err
	}
	if to, err = momentArg(args, "to"); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, wrong("to", "Must be later than from; it is the first moment that does not count")
	}
	return from, to, nil
}

// momentArg reads a moment of a method's arguments; none is the zero time.
func momentArg(args record.Values, name string) (time.Time, error) {
	v := args[name]
	if v == nil || v == "" {
		return time.Time{}, nil
	}
	s, _ := v.(string)
	for _, layout := range []string{time.RFC3339, schema.DatetimeLayout, "2006-01-02T15:04:05", schema.DateLayout} {
		if at, err := time.Parse(layout, s); err == nil {
			if at = at.UTC(); at.Year() < 1 || at.Year() > 9999 {
				return time.Time{}, wrong(name, "Must be in the years 1 to 9999")
			}
			return at, nil
		}
	}
	return time.Time{}, wrong(name, "Must be a moment such as 2026-01-31T10:30:00Z, or a day")
}
