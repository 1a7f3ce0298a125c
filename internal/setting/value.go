package setting

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/fault"
)

// parse checks a value from JSON, the command line or the store, and gives it
// as int64, bool, string or []string, by the setting's type. The error says
// what is expected.
func (d *definition) parse(v any) (any, error) {
	switch d.kind {
	case Integer:
		return d.parseInteger(v)
	case Boolean:
		return parseBoolean(v)
	case Choice:
		s, ok := v.(string)
		if !ok || !slices.Contains(d.options, s) {
			return nil, fmt.Errorf("must be one of %s", strings.Join(d.options, ", "))
		}
		return s, nil
	default:
		return parseOrigins(v)
	}
}

func (d *definition) parseInteger(v any) (any, error) {
	n, ok := wholeNumber(v)
	if !ok || n < d.min || n > d.max {
		return nil, fmt.Errorf("must be a whole number from %d to %d", d.min, d.max)
	}
	return n, nil
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func parseBoolean(v any) (any, error) {
	switch text(v) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return nil, errors.New("must be true or false")
}

// parseOrigins reads a list, or a text of items separated by commas, spaces or
// newlines.
func parseOrigins(v any) (any, error) {
	var items []string
	switch v := v.(type) {
	case string:
		items = strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	case []string:
		items = v
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, errors.New("must be a list of texts")
			}
			items = append(items, s)
		}
	default:
		return nil, errors.New("must be a list of texts")
	}
	const most = 100
	if len(items) > most {
		return nil, fmt.Errorf("has more than %d items", most)
	}
	clean := make([]string, 0, len(items))
	for _, item := range items {
		origin, err := parseOrigin(item)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(clean, origin) {
			clean = append(clean, origin)
		}
	}
	if len(clean) > 1 && slices.Contains(clean, "*") {
		return nil, errors.New("* already is any origin: it must stand alone")
	}
	return clean, nil
}

// parseOrigin takes scheme://host[:port], as browsers send it in Origin (RFC
// 6454 section 6.2), or "*".
func parseOrigin(item string) (string, error) {
	if item == "*" {
		return item, nil
	}
	lower := strings.ToLower(item)
	u, err := url.Parse(lower)
	if err != nil || len(item) > 300 || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.Scheme+"://"+u.Host != lower || strings.ContainsAny(u.Host, "*\\\"' ") {
		return "", fmt.Errorf("%.80q is not an origin such as https://shop.example.com", item)
	}
	return lower, nil
}

// text is a plain value as written.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return strings.ToLower(strings.TrimSpace(v))
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// check looks at what settings must be together.
func (s *Settings) check() fault.FieldErrors {
	wrong := fault.FieldErrors{}
	if s.DefaultGetLimit > s.MaxGetLimit {
		wrong["default_get_limit"] = fmt.Sprintf("must not be more than max_get_limit (%d)", s.MaxGetLimit)
	}
	return wrong
}
