package odoocall

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// arguments are the named arguments of a call.
type arguments struct{ given map[string]any }

// integer reads a whole number of any kind that JSON decoders make.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		x, err := v.Float64() // 1.0
		return int64(x), err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53
	}
	return 0, false
}

// falsy is Python's idea of an empty value.
func falsy(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	n, ok := integer(v)
	return ok && n == 0
}

// ids reads "ids": a list, one id, or nothing.
func (a arguments) ids() ([]int64, error) {
	v := a.given["ids"]
	if list, ok := v.([]any); ok {
		return idList(list)
	}
	if falsy(v) {
		return nil, nil
	}
	return idList([]any{v})
}

// idList reads ids. To Odoo a text is the id of a record that nobody has made,
// and so is a number beyond its integers; 0 and false are the empty record.
func idList(list []any) ([]int64, error) {
	ids := make([]int64, 0, len(list))
	for _, v := range list {
		n, ok := integer(v)
		if text, isText := v.(string); isText {
			_, err := strconv.ParseInt(text, 10, 64)
			n, ok = nobody, err == nil
		}
		if n > math.MaxInt32 || n < 0 {
			n = nobody
		}
		if !ok && !falsy(v) {
			return nil, fault.New(fault.BadRequest, "ids must be a list of record ids")
		}
		ids = append(ids, n)
	}
	return ids, nil
}

// nobody is an id that no record has.
const nobody = math.MaxInt32

// count reads a limit or an offset: 0 is none. Odoo takes a text of digits, and
// leaves fractions to the database, which rounds them.
func (a arguments) count(name string) (int, error) {
	v := a.given[name]
	if falsy(v) {
		return 0, nil
	}
	bad := fault.Newf(fault.BadRequest, "%s must be a whole number from 0", name)
	var text string
	switch v := v.(type) {
	case string:
		text = strings.TrimSpace(v)
	case json.Number:
		text = v.String()
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		n, ok := integer(v)
		if !ok {
			return 0, bad
		}
		text = strconv.FormatInt(n, 10)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x < 0 || x > 1<<62 {
		return 0, bad
	}
	return int(math.Round(x)), nil
}

// at is an element of an argument that may be a list.
func (a arguments) at(name string, i int) any {
	if list, ok := a.given[name].([]any); ok && i < len(list) {
		return list[i]
	}
	return a.given[name]
}

// texts reads a list of texts; nil where there are none.
func (a arguments) texts(name string) ([]string, error) {
	v := a.given[name]
	if falsy(v) {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Newf(fault.BadRequest, "%s must be a list of texts", name)
	}
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, fault.Newf(fault.BadRequest, "%s must be a list of texts", name)
		}
		out[i] = s
	}
	return out, nil
}

func (a arguments) text(name, missing string) (string, error) {
	v, ok := a.given[name]
	if !ok {
		return missing, nil
	}
	if falsy(v) {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fault.Newf(fault.BadRequest, "%s must be a text", name)
	}
	return s, nil
}

// domain reads a domain; anyFalsy says that whatever is empty matches all.
func (a arguments) domain(name string, anyFalsy bool) (domain.Node, error) {
	v := a.given[name]
	if anyFalsy && falsy(v) {
		return domain.Const(true), nil
	}
	node, err := domain.FromValue(v, domain.Limits{Objects: true})
	if err != nil {
		return nil, fault.New(fault.BadRequest, "Invalid domain: "+err.Error()).Because(errDomain)
	}
	return node, nil
}

// errDomain is the cause of the fault of a domain that cannot be read.
var errDomain = errors.New("not a domain")

// readContext splits a context into what backends understand and the rest.
func readContext(v any) (backend.Context, error) {
	c := backend.Context{Lazy: true}
	given, ok := v.(map[string]any)
	if !ok {
		if falsy(v) {
			return c, nil
		}
		return c, fault.New(fault.BadRequest, "context must be an object")
	}
	for key, v := range given {
		if name, ok := strings.CutPrefix(key, "default_"); ok {
			if c.Defaults == nil {
				c.Defaults = map[string]any{}
			}
			c.Defaults[name] = v
			continue
		}
		if err := setContext(&c, key, v); err != nil {
			return c, err
		}
	}
	slices.Sort(c.Unknown)
	slices.Sort(c.BinSizes)
	return c, nil
}

// companyIDs reads allowed_company_ids. What is no id stands as company 0, which
// nobody may use.
func companyIDs(v any) []int64 {
	list, _ := v.([]any)
	ids := make([]int64, 0, len(list)+1)
	for _, v := range list {
		n, _ := integer(v)
		ids = append(ids, n)
	}
	if len(ids) == 0 {
		ids = append(ids, 0)
	}
	return ids
}

func setContext(c *backend.Context, key string, v any) error {
	switch key {
	case "lang", "tz":
		s, ok := v.(string)
		if !ok && !falsy(v) {
			return fault.Newf(fault.BadRequest, "context.%s must be a text", key)
		}
		if key == "lang" {
			c.Lang = s
			return nil
		}
		c.TZ = s
		if _, err := time.LoadLocation(s); err != nil || s == "Local" {
			c.TZ = "UTC"
		}
	case "active_test":
		c.KeepArchived = falsy(v)
	case "bin_size":
		c.BinSize = !falsy(v)
	case "allowed_company_ids":
		if falsy(v) {
			return nil
		}
		if _, isNumber := integer(v); isNumber {
			return fault.New(fault.BadRequest, "context.allowed_company_ids must be a list of company ids")
		}
		c.CompanyIDs = companyIDs(v)
	default:
		field, isSize := strings.CutPrefix(key, "bin_size_")
		switch {
		case !isSize:
			c.Unknown = append(c.Unknown, key)
		case !falsy(v):
			c.BinSizes = append(c.BinSizes, field)
		}
	}
	return nil
}
