package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/nearest"
	"gatehouse/internal/setting"
)

// Param describes a query parameter of a route.
type Param struct {
	Name string
	Type string // of OpenAPI: string, integer, boolean
	Doc  string
}

// Schema describes what the parameter takes.
func (p Param) Schema() *wire.Schema {
	s := &wire.Schema{Type: p.Type}
	least := func(n float64) { s.Min = &n }
	switch p.Name {
	case "domain":
		s.Example = `[["id","in",[1,2,3]]]` // of fields that every model has
	case "fields":
		s.Example = "display_name"
	case "aggregates":
		s.Example = "__count"
	case "limit", "offset":
		least(0)
	case "page", "per_page":
		least(1)
	case "count":
		s.Enum, s.Default = []string{"exact", "none"}, "exact"
	case "values":
		s.Enum, s.Default = []string{"plain", "odoo"}, "plain"
	case "version":
		s.Enum, s.Default = []string{"3.1", "3.0"}, "3.1"
	}
	return s
}

// params are the query parameters of a request, checked.
type params struct {
	domain, order, search string
	key                   string   // of an upsert
	fields                []string // nil: the default ones
	limit, offset         int      // limit is set to what holds, also where none was given
	most                  int      // the limit that was given, per_page too; 0: none
	number, size          int      // page and per_page
	uncounted, counted    bool     // count=none, or exact in so many words
	dryRun                bool
	cursor                string
	following             bool // cursor is given, to begin by or to go on
	shape                 wire.Shape
	maxAffected           int  // 0: the default
	formulas              bool // CSV keeps what a spreadsheet would calculate
	context               backend.Context
	filters               []filter // whatever else the route allows
}

// filter is a parameter that demands a value of a field.
type filter struct{ name, value string }

const (
	maxOffset = 1_000_000_000_000 // far beyond any table, far below what overflows
	maxFields = 500
)

// parseParams reads a query. Each parameter must be one of allowed and come
// once at most: a misspelt or doubled one would otherwise go unnoticed.
func parseParams(query string, allowed []Param, s *setting.Settings) (params, error) {
	p := params{limit: -1}
	var seen uint64
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, err := decodePair(pair)
		if err != nil {
			return p, err
		}
		i := slices.IndexFunc(allowed, func(a Param) bool { return a.Name == name })
		if i < 0 {
			return p, unknownParam(name, allowed)
		}
		if seen&(1<<i) != 0 {
			return p, wrongParam(name, "is given more than once")
		}
		seen |= 1 << i
		if err := p.set(name, value); err != nil {
			return p, err
		}
	}
	return p, p.paginate(s)
}

// decodePair takes the percent-encoding off a parameter.
func decodePair(pair string) (name, value string, err error) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(rawName); err != nil || !utf8.ValidString(name) {
		return "", "", fault.New(fault.BadRequest, "The name of a parameter is not valid percent-encoded UTF-8: "+wire.Quote(rawName))
	}
	value, err = url.QueryUnescape(rawValue)
	switch {
	case err != nil:
		return "", "", wrongParam(name, "is not valid percent-encoding")
	case !utf8.ValidString(value):
		return "", "", wrongParam(name, "is not valid UTF-8")
	case strings.IndexByte(value, 0) >= 0:
		return "", "", wrongParam(name, "must not contain NUL characters")
	}
	return name, value, nil
}

// set takes one parameter.
func (p *params) set(name, value string) (err error) {
	switch name {
	case "domain":
		p.domain = value
	case "order":
		p.order = strings.TrimSpace(value)
	case "search":
		p.search = strings.TrimSpace(value)
	case "fields":
		p.fields, err = fieldList(value)
	case "key":
		if p.key = strings.TrimSpace(value); !fieldName(p.key) || strings.Contains(p.key, ".") {
			err = wrongParam(name, "must be the name of a field, or external_id")
		}
	case "dry_run":
		p.dryRun, err = boolean(name, value)
	case "max_affected":
		if p.maxAffected, err = number(name, value, 1); err == nil && p.maxAffected > largestMaxAffected {
			err = wrongParam(name, "must be at most "+strconv.Itoa(largestMaxAffected))
		}
	case "formulas":
		p.formulas, err = oneOf(name, value, "keep", "quote")
	case "values":
		var odoo bool
		if odoo, err = oneOf(name, value, "odoo", "plain"); odoo {
			p.shape = wire.Odoo
		}
	case "active_test":
		var active bool
		active, err = boolean(name, value)
		p.context.KeepArchived = !active
	case "lang":
		p.context.Lang, err = language(value)
	case "tz":
		p.context.TZ, err = timezone(value)
	case "company_ids":
		p.context.CompanyIDs, err = companies(value)
	default:
		return p.setPage(name, value)
	}
	return err
}

// setPage takes one of the parameters that choose the part of a list, or
// whatever else the route allows.
func (p *params) setPage(name, value string) (err error) {
	switch name {
	case "limit":
		p.limit, err = number(name, value, 0)
	case "offset":
		if p.offset, err = number(name, value, 0); err == nil && p.offset > maxOffset {
			err = wrongParam(name, "is too large")
		}
	case "page":
		if p.number, err = number(name, value, 1); err == nil && p.number > maxOffset {
			err = wrongParam(name, "is too large")
		}
	case "per_page":
		p.size, err = number(name, value, 1)
	case "count":
		p.uncounted, err = oneOf(name, value, "none", "exact")
		p.counted = !p.uncounted
	case "cursor":
		p.cursor, p.following = value, true
	default:
		p.filters = append(p.filters, filter{name, value})
	}
	return err
}

// paginate settles how many records a list answers. More than the maximum are
// not refused but cut, and meta.limit says so.
func (p *params) paginate(s *setting.Settings) error {
	if p.following {
		if p.offset > 0 || p.number > 0 || p.size > 0 {
			return wrongParam("cursor", "goes with limit only, not with offset, page or per_page")
		}
		p.uncounted = p.uncounted || p.cursor != "" && !p.counted // the first page has told it
	}
	if p.number > 0 || p.size > 0 {
		if p.limit >= 0 || p.offset > 0 {
			return fault.New(fault.BadRequest, "Use either page and per_page, or limit and offset, not both")
		}
		p.number, p.most = max(p.number, 1), p.size
		if p.size == 0 {
			p.size = s.DefaultGetLimit
		}
		p.size = atMost(p.size, s.MaxGetLimit)
		p.limit = p.size
		if p.number > maxOffset/p.size {
			return wrongParam("page", "is too large")
		}
		p.offset = (p.number - 1) * p.size
		return nil
	}
	p.most = max(p.limit, 0)
	switch {
	case p.limit < 0:
		p.limit = s.DefaultGetLimit
	case p.limit == 0: // Odoo's way to say "no limit"
		p.limit = s.MaxGetLimit
	}
	p.limit = atMost(p.limit, s.MaxGetLimit)
	return nil
}

// atMost cuts n to a maximum, where there is one.
func atMost(n, maximum int) int {
	if maximum > 0 && n > maximum {
		return maximum
	}
	return n
}

func wrongParam(name, what string) error {
	return fault.Newf(fault.BadRequest, "Invalid parameter %s: %s", name, what).
		With(fault.FieldErrors{name: what})
}

func unknownParam(name string, allowed []Param) error {
	names := make([]string, len(allowed))
	for i := range allowed {
		names[i] = allowed[i].Name
	}
	message := "Unknown parameter: " + wire.Name(name)
	if near := nearest.Word(name, names); near != "" {
		message += ". Did you mean " + near + "?"
	}
	return fault.New(fault.BadRequest, message).With(map[string]any{"allowed": names})
}

// number reads a whole number in plain digits.
func number(name, value string, least int) (int, error) {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || int(n) < least {
		return 0, wrongParam(name, "must be a whole number of at least "+strconv.Itoa(least))
	}
	return int(n), nil
}

// oneOf says whether a value is the first of two words.
func oneOf(name, value, first, second string) (bool, error) {
	if value != first && value != second {
		return false, wrongParam(name, "must be "+second+" or "+first)
	}
	return value == first, nil
}

func boolean(name, value string) (bool, error) {
	switch value {
	case "true", "True", "1":
		return true, nil
	case "false", "False", "0":
		return false, nil
	}
	return false, wrongParam(name, "must be true or false")
}

// elements splits a list: name,email as well as ["name", "email"], which
// whoever comes from Odoo writes.
func elements(value string) []string {
	value = strings.TrimSpace(value)
	if inner, ok := strings.CutPrefix(value, "["); ok {
		value = strings.TrimSuffix(inner, "]")
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], ` '"`)
	}
	return parts
}

// fieldList reads the names of fields. The id comes first, always.
func fieldList(value string) ([]string, error) {
	if strings.TrimSpace(value) == "" {
		return nil, nil
	}
	parts := elements(value)
	if len(parts) > maxFields {
		return nil, wrongParam("fields", "names more than "+strconv.Itoa(maxFields)+" fields")
	}
	fields := make([]string, 1, len(parts)+1)
	fields[0] = "id"
	seen := map[string]bool{"id": true}
	for _, name := range parts {
		if !fieldName(name) {
			return nil, wrongParam("fields", "holds "+wire.Quote(name)+", which is no name of a field")
		}
		if !seen[name] {
			seen[name] = true
			fields = append(fields, name)
		}
	}
	return fields, nil
}

// fieldName says whether a text can be the name of a field or a dotted path.
func fieldName(name string) bool {
	if name == "" || len(name) > 512 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// language takes a code like en_US, sr@latin or fr. Whether it is installed is
// the backend's question.
func language(value string) (string, error) {
	for i := range len(value) {
		c := value[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '@' {
			return "", wrongParam("lang", "must be a language code like fr_FR")
		}
	}
	if len(value) > 16 {
		return "", wrongParam("lang", "must be a language code like fr_FR")
	}
	return value, nil
}

func timezone(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	if len(value) <= 64 && value != "Local" {
		if _, err := time.LoadLocation(value); err == nil {
			return value, nil
		}
	}
	return "", wrongParam("tz", "must be a time zone like Europe/Brussels")
}

func companies(value string) ([]int64, error) {
	if value == "" {
		return nil, nil
	}
	parts := elements(value)
	ids := make([]int64, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || n == 0 || len(parts) > 1000 {
			return nil, wrongParam("company_ids", "must be a list of ids like 1,2")
		}
		ids[i] = int64(n)
	}
	return ids, nil
}
