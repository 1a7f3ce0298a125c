package record

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// property is a property as it is described, and its value for one record.
type property struct {
	name, kind string
	comodel    string // of a link, if there is such a model
	raw        map[string]json.RawMessage
	options    []string // of a selection or of tags
	defaults   []int64  // the records that the default links

	value any // as decoded, numbers as json.Number
	has   bool
}

// described reads a definition: what is no property is left out, models and
// domains that are not valid (any more) are taken off.
func (cx *callContext) described(text string) ([]*property, error) {
	if text == "" || text == "null" {
		return nil, nil
	}
	var entries []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		return nil, backend.CannotProve(backend.ValueShape, "a definition of properties", "it is no list of objects")
	}
	var list []*property
	for _, raw := range entries {
		p := &property{raw: raw, name: rawText(raw["name"]), kind: rawText(raw["type"])}
		if p.name == "" || p.kind == "" {
			continue
		}
		if err := p.complete(cx); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// rawText is the text of a JSON string, "" for anything else.
func rawText(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

func (p *property) complete(cx *callContext) error {
	switch p.kind {
	case "selection", "tags":
		var options [][]any
		_ = json.Unmarshal(p.raw[p.kind], &options)
		if len(options) == 0 {
			p.raw[p.kind] = json.RawMessage("[]")
		}
		for _, o := range options {
			if len(o) > 0 {
				text, _ := o[0].(string)
				p.options = append(p.options, text)
			}
		}
	case "many2one", "many2many":
		return p.completeLink(cx)
	case "boolean", "integer", "float", "text", "char", "html", "date", "datetime", "monetary", "separator":
	default:
		return fault.Newf(fault.BadRequest, "The property %s has the type %s, which does not exist", p.name, backend.Shorten(p.kind))
	}
	return nil
}

func (p *property) completeLink(cx *callContext) error {
	p.comodel = rawText(p.raw["comodel"])
	m := cx.st.reg.Model(p.comodel)
	if m == nil {
		p.comodel, p.raw["comodel"] = "", json.RawMessage("false")
		delete(p.raw, "domain")
		return nil
	}
	var given any
	if decodeNumbers(string(p.raw["default"]), &given) == nil {
		p.defaults = linkedIDs(given)
	}
	text := rawText(p.raw["domain"])
	if text == "" {
		return nil
	}
	node, err := domain.Parse(text, domain.Limits{})
	if err != nil {
		return backend.CannotProve(backend.ValueShape, "the domain of the property "+p.name, "")
	}
	c := cx.compiler()
	_, err = c.from(m).where(node)
	var unsure *backend.UnprovableError
	switch {
	case errors.As(err, &unsure):
		return err
	case err != nil: // a field that went away with its module
		delete(p.raw, "domain")
	}
	return nil
}

// linkedIDs are the ids that the value of a link may name.
func linkedIDs(value any) []int64 {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var ids []int64
	for _, v := range list {
		id, ok := linkID(v)
		if !ok {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

func linkID(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	id, err := n.Int64()
	return id, err == nil && id <= math.MaxInt32 && id >= math.MinInt32
}

// check refuses values whose meaning is left to Python.
func (p *property) check() error {
	list, isList := p.value.([]any)
	odd := false
	switch p.kind {
	case "tags":
		odd = !isList && !isFalsyJSON(p.value)
	case "many2one":
		odd = p.value == true
	case "many2many":
		odd = slices.ContainsFunc(list, func(v any) bool { return v == true || v == false })
	}
	if odd {
		return backend.CannotProve(backend.ValueShape, "the property "+p.name, "")
	}
	return nil
}

// isFalsyJSON is Python's idea of an empty value.
func isFalsyJSON(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		x, err := v.Float64()
		return err == nil && x == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// shown is the value as it is read: what its definition does not know any more
// is left out.
func (p *property) shown(known names) any {
	if p.value == nil {
		return nil
	}
	switch p.kind {
	case "boolean":
		return !isFalsyJSON(p.value)
	case "char", "text":
		if _, isText := p.value.(string); !isText {
			return false
		}
	case "selection":
		text, isText := p.value.(string)
		if !isFalsyJSON(p.value) && (!isText || !slices.Contains(p.options, text)) {
			return false
		}
	case "tags":
		if list, isList := p.value.([]any); isList {
			return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
				text, isText := v.(string)
				return !isText || !slices.Contains(p.options, text)
			})
		}
	case "many2one", "many2many":
		return p.link(known)
	case "html":
		if !strings.HasSuffix(p.name, "_html") {
			return false
		}
	}
	return p.value
}

func (p *property) link(known names) any {
	if p.kind == "many2one" {
		id, ok := linkID(p.value)
		if _, exists := known[id]; !ok || !exists {
			return false
		}
		return []any{id, known[id]}
	}
	pairs := []any{}
	for _, id := range unique(linkedIDs(p.value)) {
		if name, exists := known[id]; exists {
			pairs = append(pairs, []any{id, name})
		}
	}
	return pairs
}

// named is a default with the names of the records that it links.
func (p *property) named(raw json.RawMessage, ids []int64, known names) any {
	var value any
	if err := decodeNumbers(string(raw), &value); err != nil {
		return raw
	}
	_, isList := value.([]any)
	if isList != (p.kind == "many2many") {
		return raw
	}
	pairs := []any{}
	for _, id := range ids {
		if name, exists := known[id]; exists {
			pairs = append(pairs, []any{id, name})
		}
	}
	switch {
	case isList:
		return pairs
	case len(pairs) == 0:
		return false
	}
	return pairs[0]
}
