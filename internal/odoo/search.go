package odoo

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Search implements backend.Backend.
func (b *Backend) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return -1, err
	}
	m, err := v.model(q.Model)
	if err != nil {
		return -1, err
	}
	if err := v.need(q.Model, schema.Read); err != nil {
		return -1, err
	}
	fields, err := v.fields(m, q)
	if err != nil {
		return -1, err
	}
	out := &rows{sink: sink}
	for _, f := range fields {
		out.cols = append(out.cols, backend.Column{Name: f.Name, Field: f})
	}
	if q.Version {
		out.version(m)
	}
	s := &search{visit: v, model: m, query: q, out: out}
	switch {
	case q.IDs == nil:
		return s.list()
	case len(q.IDs) == 0: // what was asked of no records may be asked
		return -1, sink.Columns(out.cols)
	case q.SkipMissing:
		return -1, s.existing()
	}
	return -1, s.byID()
}

// fields are those that a query asks for, the id first and each once.
func (v *visit) fields(m *model, q *backend.Query) ([]*schema.Field, error) {
	fields := []*schema.Field{m.Field("id")}
	if q.Fields == nil {
		for _, f := range m.Fields {
			if f.Name == "id" || f.Secret || !q.AllFields && (!f.Store && !f.Inherited || f.Type == schema.Binary) {
				continue
			}
			if f.Type.IsX2many() { // an Odoo refuses the whole for one of them
				may, err := v.may(f.Relation, schema.Read)
				if err != nil && !fault.Is(err, fault.NotFound) {
					return nil, err
				}
				if !may {
					continue
				}
			}
			fields = append(fields, f)
		}
		return fields, nil
	}
	for _, name := range q.Fields {
		f, err := m.field(name, "fields")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// field finds a field that the caller may see.
func (m *model) field(name, what string) (*schema.Field, error) {
	f := m.Field(name)
	if f == nil || f.Secret {
		return nil, backend.NoField(m.Model, name, what)
	}
	return f, nil
}

// search is a query under way.
type search struct {
	*visit
	model *model
	query *backend.Query
	out   *rows
}

// names are the fields to ask for.
func (s *search) names() []string {
	names := make([]string, 0, len(s.out.cols)+len(s.out.extra))
	for i := range s.out.cols {
		if name := s.out.cols[i].Name; name != backend.VersionColumn {
			names = append(names, name)
		}
	}
	for _, name := range s.out.extra {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// byID reads records that must all be there.
func (s *search) byID() error {
	raw, err := s.read(s.query.Model, "read", s.query.IDs, map[string]any{"fields": s.names()})
	if err != nil {
		return err
	}
	if err := s.out.sink.Columns(s.out.cols); err != nil {
		return err
	}
	n, err := s.out.read(raw)
	if err == nil && n < len(s.query.IDs) {
		err = missing(s.query.Model, s.query.IDs)
	}
	return err
}

func missing(model string, ids []int64) error {
	if len(ids) == 1 {
		return fault.Newf(fault.NotFound, "Record %s(%d) does not exist", model, ids[0])
	}
	return fault.Newf(fault.NotFound, "One or more %s records do not exist", model)
}

// existing reads those records that there are, for the caller.
func (s *search) existing() error {
	own := *s.caller
	own.Context.KeepArchived = true
	visit := *s.visit
	visit.caller = &own
	raw, err := visit.read(s.query.Model, "search", nil, map[string]any{"domain": []any{[]any{"id", "in", s.query.IDs}}})
	if err != nil {
		return err
	}
	var ids []int64
	if err := decode(raw, &ids); err != nil {
		return err
	}
	if len(ids) == 0 {
		return s.out.sink.Columns(s.out.cols)
	}
	query := *s.query
	query.IDs = ids
	s.query = &query
	return s.byID()
}

// list finds records by a domain.
func (s *search) list() (int64, error) {
	q := s.query
	where, err := backend.JoinDomains(q.DomainText, q.Domain)
	if err != nil {
		return -1, err
	}
	if err := s.check(s.model, where); err != nil {
		return -1, err
	}
	if err := s.model.checkOrder(q.Order); err != nil {
		return -1, err
	}
	page := paging{order: q.Order, limit: q.Limit, offset: q.Offset, where: where}
	if q.Keyset != nil {
		if err := s.placed(&page); err != nil {
			return -1, err
		}
	}
	raw, err := s.read(q.Model, "search_read", nil, s.arguments(&page))
	if err != nil {
		return -1, err
	}
	if err := s.out.sink.Columns(s.out.cols); err != nil {
		return -1, err
	}
	found, err := s.out.read(raw)
	if err != nil {
		return -1, err
	}
	n := s.out.given
	if page.key != nil {
		if err := page.key.next(s, found > n); err != nil {
			return -1, err
		}
	}
	following := q.Keyset != nil && q.Keyset.After != ""
	switch {
	case !q.Count:
		return -1, nil
	case (n > 0 || q.Offset == 0) && !following && (q.Limit == 0 || n < q.Limit):
		return int64(q.Offset + n), nil // the last page tells by itself
	}
	return s.count(q.Model, where)
}

// arguments are those of search_read.
func (s *search) arguments(page *paging) map[string]any {
	kwargs := map[string]any{"domain": domainJSON(page.where), "fields": s.names()}
	if page.order != "" {
		kwargs["order"] = page.order
	}
	if page.limit > 0 {
		kwargs["limit"] = page.limit
	}
	if page.offset > 0 {
		kwargs["offset"] = page.offset
	}
	return kwargs
}

// count is how many records a domain finds.
func (v *visit) count(model string, where domain.Node) (int64, error) {
	raw, err := v.read(model, "search_count", nil, map[string]any{"domain": domainJSON(where)})
	if err != nil {
		return -1, err
	}
	total := int64(-1)
	err = decode(raw, &total)
	return total, err
}

// Count is how many records of a model a domain finds for a caller.
func (b *Backend) Count(ctx context.Context, c *backend.Caller, model string, where domain.Node) (int64, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return -1, err
	}
	return v.count(model, where)
}

func domainJSON(n domain.Node) json.RawMessage { return domain.JSON(n) }

// check finds fields in a domain that are not there: an Odoo tells of them in
// ways that are not for callers.
func (v *visit) check(m *model, n domain.Node) (err error) {
	domain.Walk(n, func(l *domain.Leaf) {
		if err == nil {
			err = v.checkLeaf(m, l)
		}
	})
	return err
}

func (v *visit) checkLeaf(m *model, l *domain.Leaf) error {
	at := m
	for i, step := range l.Steps() {
		f, err := at.field(step, "the domain")
		if err != nil {
			return err
		}
		if i == len(l.Steps())-1 {
			sub, ok := l.Value.(domain.Node)
			if !ok || !f.Type.IsRelational() {
				return nil
			}
			if at, err = v.comodel(f); err != nil || at == nil {
				return err
			}
			return v.check(at, sub)
		}
		if !f.Type.IsRelational() { // a part of a date, or a property
			return nil
		}
		if at, err = v.comodel(f); err != nil || at == nil {
			return err
		}
	}
	return nil
}

// comodel is the model that a relation leads to; nil where the caller may not
// use it, as the Odoo knows best what that means for him.
func (v *visit) comodel(f *schema.Field) (*model, error) {
	m, err := v.model(f.Relation)
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // see above
	}
	return m, err
}

// orderTerm is a term of an order as Odoo takes them.
var orderTerm = regexp.MustCompile(`(?i)^([a-z_][a-z0-9_]*)(\.[a-z_0-9]+)?(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$`)

func (m *model) checkOrder(order string) error {
	if order == "" {
		return nil
	}
	for _, term := range strings.Split(order, ",") {
		parts := orderTerm.FindStringSubmatch(strings.TrimSpace(term))
		if parts == nil {
			return fault.Newf(fault.BadRequest, "Invalid order term %q: write a field, then asc or desc, e.g. order=name asc, id desc", backend.Shorten(term)).
				With(fault.FieldErrors{"order": "invalid term"})
		}
		f, err := m.field(parts[1], "order")
		if err != nil {
			return err
		}
		if !f.Store && f.Name != "id" || f.Type.IsX2many() || f.Type == schema.Binary {
			return fault.Newf(fault.BadRequest, "Cannot order by the field %s of %s", f.Name, m.Name)
		}
	}
	return nil
}

// version adds the column by which a state of a record is told from another. An
// Odoo tells write_date to the second, so that two changes in one second differ
// by what they leave behind only: the version is a hash of both, without what
// depends on the language or the company of who asks.
func (r *rows) version(m *model) {
	date := m.Field("write_date")
	if date == nil {
		return
	}
	for _, f := range m.Fields {
		switch {
		case !f.Store && !f.Inherited || f.Secret || f.Translate || f.CompanyDependent || f.Type.IsX2many():
		case f.Type == schema.Binary || f.Type == schema.Properties || f.Type == schema.PropertiesDefinition:
		default:
			r.extra = append(r.extra, f.Name)
		}
	}
	links := make([]bool, len(r.extra))
	for i, name := range r.extra {
		links[i] = m.Field(name).Type == schema.Many2one
	}
	r.cols = append(r.cols, backend.Column{Name: backend.VersionColumn})
	r.each = func(row []backend.Value, extra [][]byte) {
		hash := fnv.New64a()
		for i, raw := range extra {
			if comma := slices.Index(raw, ','); links[i] && comma > 0 {
				raw = raw[:comma] // the name of the record depends on the language
			}
			_, _ = hash.Write(raw)
			_, _ = hash.Write([]byte{0})
		}
		row[len(row)-1] = backend.Value{Kind: backend.Datetime, Int: int64(hash.Sum64()>>1) | 1}
	}
}
