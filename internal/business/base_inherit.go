package business

import (
	"slices"

	"gatehouse/internal/schema"
)

// inherit makes m delegate to parent through its many2one link (_inherits):
// every field of the parent that m does not declare itself becomes a field of
// m that is had through the link.
func inherit(m *schema.Model, parent *schema.Model, link string) *schema.Model {
	own := map[string]bool{}
	for _, f := range m.Fields {
		own[f.Name] = true
	}
	for _, f := range parent.Fields {
		if !own[f.Name] && f.Name != "parent_path" {
			m.Fields = append(m.Fields, inheritedField(f, link))
		}
	}
	m.Inherits = append(m.Inherits, schema.Inherit{Model: parent.Name, Field: link})
	return m
}

// inheritedField is the view that a delegating model has of a parent's field.
// As in Odoo it keeps type, label, rights and relation, but no column, no
// relation table and no inverse of its own.
func inheritedField(f *schema.Field, link string) *schema.Field {
	return &schema.Field{
		Name: f.Name, Label: f.Label, Help: f.Help, Type: f.Type,
		Relation: f.Relation, Related: []string{link, f.Name}, Inherited: true,
		Required: f.Required, Readonly: f.Readonly, Translate: f.Translate, Copied: f.Copied,
		Size: f.Size, Scale: f.Scale, Currency: f.Currency, Ondelete: f.Ondelete,
		Options: slices.Clone(f.Options), Groups: slices.Clone(f.Groups), Secret: f.Secret,
		Domain: f.Domain, KeepArchived: f.KeepArchived, NoRules: f.NoRules,
		Aggregator: f.Aggregator,
	}
}
