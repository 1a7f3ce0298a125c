package backend

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// What every backend reads the same way of what a caller wrote, and says of it
// in the same words.

// ParseDomain reads a domain. What is wrong with it is a BadRequest with the place.
func ParseDomain(text string) (domain.Node, error) {
	node, err := domain.Parse(text, domain.Limits{})
	return node, DomainFault(err)
}

// JoinDomains reads and joins the two forms in which a query brings a domain.
func JoinDomains(text string, node domain.Node) (domain.Node, error) {
	if text == "" {
		if node == nil {
			return domain.Const(true), nil
		}
		return node, nil
	}
	parsed, err := ParseDomain(text)
	if err != nil || node == nil {
		return parsed, err
	}
	return domain.Conj(parsed, node), nil
}

// DomainFault is what a caller is told of an error of package domain.
func DomainFault(err error) error {
	if err == nil {
		return nil
	}
	if de, ok := errors.AsType[*domain.Error](err); ok {
		return fault.Newf(fault.BadRequest, "Invalid domain: %s", de.Msg).
			With(map[string]any{"position": de.Pos, "near": de.Near})
	}
	return fault.New(fault.BadRequest, "Invalid domain").Because(err)
}

// NoField is a field that a model does not have, or does not show to the
// caller; what says where it was named.
func NoField(m *schema.Model, name, what string) error {
	msg := "Unknown field " + strconv.Quote(name) + " of " + m.Name + " in " + what
	if near := m.NearestField(name); near != "" {
		msg += ". Did you mean " + near + "?"
	}
	return fault.New(fault.BadRequest, msg).With(fault.FieldErrors{name: "unknown field"})
}

// ForbiddenModel is a lack of the right to do something with all records of a model.
func ForbiddenModel(model string, mode schema.Mode) error {
	verb := [...]string{schema.Read: "read", schema.Write: "modify", schema.Create: "create", schema.Unlink: "delete"}[mode]
	return fault.Newf(fault.Forbidden, "You are not allowed to %s %s records", verb, model)
}

// groupSpec is a field or path, and a granularity or function after a colon.
var groupSpec = regexp.MustCompile(`^(\w+)(?:\.([\w.]+))?(?::(\w+))?$`)

// SplitSpec takes a member of GroupBy or of Aggregates apart.
func SplitSpec(spec string) (path []string, function string, err error) {
	parts := groupSpec.FindStringSubmatch(spec)
	if parts == nil {
		return nil, "", fault.Newf(fault.BadRequest,
			"Invalid term %q: write a field, and a granularity or function after a colon, such as date_order:month or amount_total:sum", Shorten(spec))
	}
	path = []string{parts[1]}
	if parts[2] != "" {
		path = append(path, strings.Split(parts[2], ".")...)
	}
	return path, parts[3], nil
}

// Shorten cuts what a caller wrote for an error message.
func Shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
