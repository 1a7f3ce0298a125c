package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/config"
	"gatehouse/internal/domain"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
)

// resources are the curated ones: those that come with Gatehouse, then those of
// the configuration.
func resources(cfg *config.Config) []httpapi.Resource {
	all := httpapi.StandardResources()
	for i := range cfg.API.Resources {
		all = append(all, declared(&cfg.API.Resources[i]))
	}
	return all
}

func resourceNames(cfg *config.Config) []string {
	var names []string
	for _, r := range resources(cfg) {
		names = append(names, r.Name)
	}
	return names
}

// declared is a resource of the configuration as the API knows it. The id comes
// first where it is not declared.
func declared(r *config.Resource) httpapi.Resource {
	made := httpapi.Resource{
		Name: r.Name, Label: r.Label, Model: r.Model, Domain: r.Domain, Search: r.Search, Fields: declaredFields(r.Fields),
	}
	for _, a := range r.Actions {
		past := a.Past
		if past == "" {
			past = strings.TrimSuffix(a.Name, "e") + "ed"
		}
		made.Actions = append(made.Actions, httpapi.ResourceAction{Name: a.Name, Method: a.Method, Past: past})
	}
	return made
}

func declaredFields(fields []config.ResourceField) []httpapi.ResourceField {
	var made []httpapi.ResourceField
	if !slices.ContainsFunc(fields, func(f config.ResourceField) bool { return f.Name == "id" }) {
		made = append(made, httpapi.ResourceField{Name: "id", OutOnly: true})
	}
	for i := range fields {
		f := &fields[i]
		field := httpapi.ResourceField{
			Name: f.Name, Field: f.Field, Doc: f.Doc, Required: f.Required, Default: f.Default, Check: httpapi.Check(f.Check),
			InOnly: f.Only == "in", OutOnly: f.Only == "out" || f.Name == "id",
		}
		for _, word := range slices.Sorted(maps.Keys(f.Choices)) {
			field.Choices = append(field.Choices, httpapi.Choice{Name: word, Values: f.Choices[word]})
		}
		if f.Lines != nil {
			field.Lines = declaredFields(f.Lines)
		}
		made = append(made, field)
	}
	return made
}

// checkDeclared finds what the configuration says about the API and what is not
// so in the database: models and fields that are not there, names that are taken.
//
// What a real Odoo has is not known at the start: there the requests tell.
func (a *App) checkDeclared(ctx context.Context) error {
	if a.inFront() {
		return nil
	}
	reg, err := a.Engine.Registry(ctx)
	if err != nil {
		return err
	}
	var errs []error
	wrong := func(setting, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s: %s", a.Config.Source(setting), setting, fmt.Sprintf(format, args...)))
	}
	model := func(setting, what, name string) *schema.Model {
		m := reg.Model(name)
		if m == nil {
			wrong(setting, "%sthere is no model %s%s", what, name, meant(name, reg.Names()))
		}
		return m
	}
	labels := map[string]bool{}
	for _, s := range httpapi.Schemas() {
		labels[s.Name] = true
	}
	for _, r := range httpapi.StandardResources() {
		labels[r.Label] = true
	}
	for i := range a.Config.API.Resources {
		r := &a.Config.API.Resources[i]
		what := "resource " + r.Name + ": "
		if labels[r.Label] {
			wrong("resources", "%sthe label %s is taken", what, r.Label)
		}
		labels[r.Label] = true
		m := model("resources", what, r.Model)
		if m == nil {
			continue
		}
		if m.AdminOnly {
			wrong("resources", "%s%s is for administrators and cannot be a resource", what, m.Name)
		}
		if _, err := domain.Parse(r.Domain, domain.Limits{}); r.Domain != "" && err != nil {
			wrong("resources", "%sthe domain is not one: %v", what, err)
		}
		for _, fault := range missingFields(reg, m, declaredFields(r.Fields)) {
			wrong("resources", "%s%s", what, fault)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Config.API.Methods)) {
		model("methods", "", name)
	}
	return errors.Join(errs...)
}

// missingFields says which declared fields a model does not have.
func missingFields(reg *schema.Registry, m *schema.Model, fields []httpapi.ResourceField) []string {
	var faults []string
	for i := range fields {
		f := &fields[i]
		names := []string{f.Field}
		if f.Field == "" && f.Choices == nil {
			names = []string{f.Name}
		}
		for _, choice := range f.Choices {
			names = append(names, slices.Sorted(maps.Keys(choice.Values))...)
		}
		for _, name := range names {
			if field := m.Field(name); name != "" && (field == nil || field.Secret) {
				fault := "the field " + f.Name + " is " + name + " of " + m.Name + ", which there is not"
				if near := m.NearestField(name); near != "" {
					fault += "; did you mean " + near + "?"
				}
				faults = append(faults, fault)
			}
		}
		if f.Lines == nil {
			continue
		}
		field := m.Field(names[0])
		if field != nil && !field.Type.IsX2many() {
			faults = append(faults, "the field "+f.Name+" has lines, but "+field.Name+" of "+m.Name+" is no list of records")
		} else if field != nil && reg.Model(field.Relation) != nil {
			faults = append(faults, missingFields(reg, reg.Model(field.Relation), f.Lines)...)
		}
	}
	return faults
}

// meant names what was probably meant.
func meant(name string, known []string) string {
	if near := nearest.Word(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
