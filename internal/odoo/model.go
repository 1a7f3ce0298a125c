package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// fieldInfo is what fields_get tells of a field.
type fieldInfo struct {
	Type          string          `json:"type"`
	Label         text            `json:"string"`
	Help          text            `json:"help"`
	Required      bool            `json:"required"`
	Readonly      bool            `json:"readonly"`
	Store         *bool           `json:"store"` // absent where it is stored, in some versions
	Translate     json.RawMessage `json:"translate"`
	PerCompany    bool            `json:"company_dependent"`
	Relation      text            `json:"relation"`
	RelationField text            `json:"relation_field"`
	Selection     json.RawMessage `json:"selection"`
	Digits        []int           `json:"digits"`
	Currency      text            `json:"currency_field"`
	Related       json.RawMessage `json:"related"`
}

func fieldAttributes() []string {
	return []string{
		"type", "string", "help", "required", "readonly", "store", "translate", "company_dependent",
		"relation", "relation_field", "selection", "digits", "currency_field", "related",
	}
}

// model finds a model as the caller sees it. Who may do nothing with it is told
// the same as where there is none.
func (v *visit) model(name string) (*model, error) {
	among, err := v.audience()
	if err != nil {
		return nil, err
	}
	order := ""
	if among.known != nil {
		about, exists := among.known.models[name]
		if !exists || about.abstract || !among.known.seen(name, among.groups) {
			return nil, unknownModel(name, among.known, among.groups)
		}
		order = about.order
	} else if err := v.visible(name); err != nil {
		return nil, err
	}
	k, key := v.b.known, modelKey{among.name, v.caller.Context.Lang, name}
	now := k.clock.Now()
	k.mu.Lock()
	kept, forgot := k.models[key], k.forgot
	k.mu.Unlock()
	if kept != nil && (among.known != nil || now.Before(kept.until)) {
		return kept, nil
	}
	mine := false
	m, err := k.load(v.ctx, "model "+strconv.FormatUint(forgot, 10)+" "+among.name+"\x00"+key.lang+"\x00"+name, func(ctx context.Context) (any, error) {
		mine = true
		own := *v
		own.ctx = ctx
		m, err := own.loadModel(name)
		if err != nil {
			return nil, err
		}
		m.order, m.until = order, now.Add(modelsLife)
		if among.known != nil {
			m.Label = among.known.models[name].label
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.forgot != forgot { // it may be older than what was forgotten
			return m, nil
		}
		if len(k.models) >= maxAudiences {
			clear(k.models)
		}
		k.models[key] = m
		return m, nil
	})
	if fault.Is(err, fault.Unauthenticated) && !mine { // somebody else's session has ended
		return v.model(name)
	}
	found, _ := m.(*model)
	return found, err
}

// visible asks for the rights that make a model visible, the most likely first.
func (v *visit) visible(name string) error {
	for mode := schema.Read; mode <= schema.Unlink; mode++ {
		may, err := v.may(name, mode)
		switch {
		case fault.Is(err, fault.NotFound):
			return unknownModel(name, nil, nil)
		case err != nil:
			return err
		case may:
			return nil
		}
	}
	return fault.New(fault.NotFound, "Unknown model: "+backend.Shorten(name)).Because(backend.ErrHidden)
}

func (v *visit) loadModel(name string) (*model, error) {
	raw, err := v.read(name, "fields_get", nil, map[string]any{"attributes": fieldAttributes()})
	if fault.Is(err, fault.NotFound) {
		return nil, unknownModel(name, nil, nil)
	}
	if err != nil {
		return nil, err
	}
	var infos map[string]fieldInfo
	if err := decode(raw, &infos); err != nil {
		return nil, err
	}
	m := &schema.Model{Name: name, Label: name}
	names := slices.Sorted(maps.Keys(infos))
	if at, ok := slices.BinarySearch(names, "id"); ok { // the id comes first, as it does in answers
		names = append([]string{"id"}, slices.Delete(names, at, at+1)...)
	}
	for _, n := range names {
		info := infos[n]
		m.Fields = append(m.Fields, info.field(name, n))
	}
	if len(m.Fields) == 0 || m.Fields[0].Name != "id" {
		return nil, unexpected(errShape)
	}
	for _, f := range m.Fields {
		if f.Inherited, err = v.inherited(infos, f); err != nil {
			return nil, err
		}
	}
	return &model{Model: m.Finish()}, nil
}

// field makes a field of what the Odoo tells of it. A type that no version to
// which this was written has is answered as it comes.
func (i *fieldInfo) field(model, name string) *schema.Field {
	f := &schema.Field{
		Name: name, Label: string(i.Label), Help: string(i.Help), Required: i.Required, Readonly: i.Readonly,
		Store: i.Store == nil || *i.Store, CompanyDependent: i.PerCompany, Translate: truth(i.Translate),
		Relation: string(i.Relation), Currency: string(i.Currency), Scale: -1, Secret: secret(model, name),
	}
	var ok bool
	if f.Type, ok = schema.ParseType(i.Type); !ok {
		f.Type = schema.JSON
	}
	if f.Type == schema.One2many {
		f.Inverse = string(i.RelationField)
	}
	if len(i.Digits) == 2 {
		f.Scale = i.Digits[1]
	}
	var options [][]any
	if json.Unmarshal(i.Selection, &options) == nil {
		for _, o := range options {
			if len(o) == 2 {
				value, isText := o[0].(string)
				if n, isNumber := o[0].(float64); isNumber && !isText { // as some modules have
					value = strconv.FormatFloat(n, 'f', -1, 64)
				}
				label, _ := o[1].(string)
				f.Options = append(f.Options, schema.Option{Value: value, Label: label})
			}
		}
	}
	return f
}

// inherited says whether a field is got by delegation (_inherits) from one that
// is stored. fields_get tells it as a related one: of the same name, through a
// required link.
func (v *visit) inherited(infos map[string]fieldInfo, f *schema.Field) (bool, error) {
	link, name, ok := strings.Cut(path(infos[f.Name].Related), ".")
	through := infos[link]
	if !ok || f.Store || name != f.Name || through.Type != "many2one" || !through.Required {
		return false, nil
	}
	parent, err := v.comodel(&schema.Field{Relation: string(through.Relation)})
	if err != nil || parent == nil {
		return false, err
	}
	origin := parent.Field(name)
	return origin != nil && (origin.Store || origin.Inherited), nil
}

// path is that of a related field, with dots. Older versions give a list.
func path(raw json.RawMessage) string {
	var steps []string
	if json.Unmarshal(raw, &steps) == nil {
		return strings.Join(steps, ".")
	}
	var all text
	_ = all.UnmarshalJSON(raw) // which cannot fail
	return string(all)
}

// truth says whether an attribute counts as true; some are names of functions.
func truth(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "false" && string(raw) != "null"
}

// secret fields are written and never answered. Odoo itself answers most of
// them empty.
func secret(model, field string) bool {
	switch field {
	case "password", "new_password", "totp_secret", "oauth_access_token":
		return model == "res.users"
	}
	return false
}

// atOnce is how many models are asked for at the same time.
const atOnce = 4

// several finds many models; nil in place of those that have gone away.
func (v *visit) several(all []backend.Summary) ([]*model, error) {
	models := make([]*model, len(all))
	group, ctx := errgroup.WithContext(v.ctx)
	group.SetLimit(atOnce)
	for i := range all {
		group.Go(func() (err error) {
			own := *v
			own.ctx = ctx
			if models[i], err = own.model(all[i].Name); fault.Is(err, fault.NotFound) {
				err = nil
			}
			return err
		})
	}
	return models, group.Wait()
}

// Model implements backend.Backend.
func (b *Backend) Model(ctx context.Context, c *backend.Caller, name string) (*schema.Model, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := v.model(name)
	if err != nil {
		return nil, err
	}
	return m.Model, nil
}

// Describe implements backend.Backend.
func (b *Backend) Describe(ctx context.Context, c *backend.Caller, model string, fields, attributes []string) (map[string]backend.Description, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	kwargs := map[string]any{}
	if fields != nil {
		kwargs["allfields"] = fields
	}
	if attributes != nil {
		kwargs["attributes"] = attributes
	}
	raw, err := v.read(model, "fields_get", nil, kwargs)
	if err != nil {
		return nil, err
	}
	var out map[string]backend.Description
	return out, decode(raw, &out)
}

// Defaults implements backend.Backend.
func (b *Backend) Defaults(ctx context.Context, c *backend.Caller, model string, fields []string) (backend.Values, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	raw, err := v.read(model, "default_get", nil, map[string]any{"fields": fields})
	if err != nil {
		return nil, err
	}
	var out backend.Values
	return out, decode(raw, &out)
}

// CatalogueKey tells catalogues apart; see Catalogue.
func (b *Backend) CatalogueKey(ctx context.Context, c *backend.Caller) (string, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return "", err
	}
	among, err := v.audience()
	if err != nil {
		return "", err
	}
	return v.b.known.generation() + " " + among.name, nil
}

// Catalogue tells all that a caller may use. The fields of models are asked for
// one model at a time, which takes a while the first time.
func (b *Backend) Catalogue(ctx context.Context, c *backend.Caller) (*backend.Catalogue, error) {
	all, err := b.Models(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &backend.Catalogue{}
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	models, err := v.several(all)
	if err != nil {
		return nil, err
	}
	for i, m := range models {
		if m == nil {
			continue
		}
		entry := backend.Entry{Model: m.Model, May: all[i].May, Common: true}
		for _, f := range m.Fields {
			switch {
			case f.Secret:
				entry.WriteOnly = append(entry.WriteOnly, f)
			default:
				entry.Fields = append(entry.Fields, f)
			}
		}
		out.Models = append(out.Models, entry)
	}
	return out, nil
}
