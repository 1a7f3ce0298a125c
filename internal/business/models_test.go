package business

import (
	"strings"
	"testing"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// declared are the models as the engine sees them, with their automatic fields.
func declared() map[string]*schema.Model {
	models := map[string]*schema.Model{}
	for _, m := range schema.Prepare(Models()) {
		models[m.Name] = m
	}
	return models
}

// targetOf follows a path of fields from a model; nil where it breaks.
func targetOf(models map[string]*schema.Model, m *schema.Model, path []string) *schema.Field {
	var f *schema.Field
	for i, step := range path {
		if m == nil {
			return nil
		}
		if f = m.Field(step); f == nil {
			return nil
		}
		if i < len(path)-1 {
			m = models[f.Relation]
		}
	}
	return f
}

func TestModelsAreWhole(t *testing.T) {
	models := declared()
	if len(models) != len(Models()) {
		t.Errorf("%d models have %d names", len(Models()), len(models))
	}
	for name, m := range models {
		if m.Label == "" {
			t.Errorf("%s has no label", name)
		}
		seen := map[string]bool{}
		for _, f := range m.Fields {
			where := name + "." + f.Name
			if seen[f.Name] {
				t.Errorf("%s is declared twice", where)
			}
			seen[f.Name] = true
			checkField(t, models, where, f)
		}
		for _, term := range strings.Split(m.Order, ",") {
			field := strings.Fields(term)[0]
			if f := m.Field(field); f == nil {
				t.Errorf("%s is ordered by %s, which it lacks", name, field)
			}
		}
		for _, n := range m.RecNames {
			if targetOf(models, m, strings.Split(n, ".")) == nil {
				t.Errorf("%s is searched by name in %s, which it lacks", name, n)
			}
		}
		if m.RecName != "" && m.Field(m.RecName) == nil {
			t.Errorf("%s is named by %s, which it lacks", name, m.RecName)
		}
		for _, p := range m.NameParts {
			if targetOf(models, m, strings.Split(p.Path, ".")) == nil {
				t.Errorf("%s is named by %s, which leads nowhere", name, p.Path)
			}
		}
		for _, u := range m.Uniques {
			for _, c := range u.Columns {
				if f := m.Field(c); f == nil || !f.HasColumn() {
					t.Errorf("%s: %s is unique over %s, which has no column", name, u.Name, c)
				}
			}
			if u.Message == "" {
				t.Errorf("%s: %s has no message", name, u.Name)
			}
		}
	}
}

func checkField(t *testing.T, models map[string]*schema.Model, where string, f *schema.Field) {
	t.Helper()
	if f.Label == "" {
		t.Errorf("%s has no label", where)
	}
	if f.Type.IsRelational() {
		target := models[f.Relation]
		if target == nil {
			t.Errorf("%s points at %s, which is no model", where, f.Relation)
			return
		}
		if f.Type == schema.One2many && len(f.Related) == 0 {
			inverse := target.Field(f.Inverse)
			if inverse == nil || inverse.Type != schema.Many2one || inverse.Relation != f.Model.Name {
				t.Errorf("%s has the inverse %s, which is no link back", where, f.Inverse)
			}
		}
	}
	if len(f.Related) > 0 {
		end := targetOf(models, f.Model, f.Related)
		if end == nil {
			t.Errorf("%s follows %s, which leads nowhere", where, strings.Join(f.Related, "."))
			return
		}
		if end.Type != f.Type || end.Relation != f.Relation {
			t.Errorf("%s is %s, but %s is %s", where, f.Type, strings.Join(f.Related, "."), end.Type)
		}
	}
	if f.Type == schema.Monetary && f.Model.Field(f.Currency) == nil {
		t.Errorf("%s is in the currency of %s, which it lacks", where, f.Currency)
	}
	if f.Domain != "" {
		if _, err := domain.ParseRule(f.Domain, domain.Limits{}); err != nil {
			t.Errorf("%s shows %s: %v", where, f.Domain, err)
		}
	}
	if s, ok := f.Default.(string); ok && f.Type == schema.Selection {
		if _, known := f.Option(s); !known {
			t.Errorf("%s is %q by default, which cannot be chosen", where, s)
		}
	}
}

// What the logic names must exist, or it would silently never run.
func TestLogicsNameWhatExists(t *testing.T) {
	models := declared()
	for _, l := range Logics(Options{}) {
		m := models[l.Model]
		if m == nil {
			t.Errorf("logic for %s, which is no model", l.Model)
			continue
		}
		for name := range l.Defaults {
			if m.Field(name) == nil {
				t.Errorf("%s has a default for %s, which it lacks", l.Model, name)
			}
		}
		for _, c := range l.Computes {
			for _, f := range c.Fields {
				if field := m.Field(f); field == nil || !field.Store {
					t.Errorf("%s computes %s, which is not stored", l.Model, f)
				}
			}
			for _, d := range c.Depends {
				if targetOf(models, m, strings.Split(d, ".")) == nil {
					t.Errorf("%s.%s depends on %s, which leads nowhere", l.Model, c.Fields[0], d)
				}
			}
		}
		for _, c := range l.Checks {
			for _, f := range c.Fields {
				if m.Field(f) == nil {
					t.Errorf("%s checks %s, which it lacks", l.Model, f)
				}
			}
		}
	}
}

func TestDelegationInheritsFields(t *testing.T) {
	models := declared()
	user := models["res.users"].Field("email")
	if user == nil || !user.Inherited || user.Store || strings.Join(user.Related, ".") != "partner_id.email" {
		t.Errorf("res.users.email = %+v", user)
	}
	own := models["res.users"].Field("company_id")
	if own == nil || own.Inherited {
		t.Error("res.users has lost its own company_id")
	}
	price := models["product.product"].Field("standard_price")
	if price == nil || !price.CompanyDependent || price.Inherited {
		t.Error("the cost belongs to the variant")
	}
}
