package access

import (
	"errors"
	"testing"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

func rule(t *testing.T, text string, groups ...int64) *schema.Rule {
	t.Helper()
	r := &schema.Rule{Name: text, Perm: [4]bool{true, true, true, true}, Groups: groups}
	r.Domain, r.Err = domain.ParseRule(text, domain.Limits{})
	return r
}

func TestRuleDomain(t *testing.T) {
	own, all, company := rule(t, `[('user_id','=',user.id)]`, 10), rule(t, `[(1,'=',1)]`, 11), rule(t, `[('company_id','in',company_ids)]`)
	writeOnly := rule(t, `[('state','=','draft')]`)
	writeOnly.Perm[schema.Read] = false
	reg := &schema.Registry{Rules: map[string][]*schema.Rule{
		"sale.order": {own, all, company, writeOnly},
		"broken":     {rule(t, `[('x','=',user.has_group('a'))]`)},
	}}
	lookup := func(name string) (any, error) {
		switch name {
		case "user.id":
			return int64(7), nil
		case "company_ids":
			return []any{int64(1), int64(2)}, nil
		}
		return nil, errors.New("unknown name " + name)
	}
	for _, tt := range []struct {
		what string
		user *User
		mode schema.Mode
		want string
	}{
		{"own documents", &User{ID: 7, Groups: []int64{10}}, schema.Read, `[('company_id', 'in', [1, 2]), ('user_id', '=', 7)]`},
		{"both groups: the wider one wins", &User{ID: 7, Groups: []int64{10, 11}}, schema.Read, `[('company_id', 'in', [1, 2])]`},
		{"no group of a group rule: only the global ones bind", &User{ID: 7, Groups: []int64{99}}, schema.Read, `[('company_id', 'in', [1, 2])]`},
		{"another mode", &User{ID: 7, Groups: []int64{11}}, schema.Write, `[('company_id', 'in', [1, 2]), ('state', '=', 'draft')]`},
		{"the superuser", &User{ID: SuperuserID}, schema.Read, `[]`},
	} {
		got, err := RuleDomain(reg, tt.user, "sale.order", tt.mode, lookup)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		want, err := domain.Parse(tt.want, domain.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !domain.Equal(got, want) {
			t.Errorf("%s: got %s, want %s", tt.what, domain.String(got), tt.want)
		}
	}
	_, err := RuleDomain(reg, &User{ID: 7}, "broken", schema.Read, lookup)
	if _, ok := errors.AsType[*UnprovableError](err); !ok {
		t.Errorf("a rule outside the language must close the model, got %v", err)
	}
}

func TestModelRights(t *testing.T) {
	reg := &schema.Registry{Access: map[string][]schema.Access{
		"m": {{GroupID: 10, Perm: [4]bool{true, false, false, false}}, {GroupID: 11, Perm: [4]bool{true, true, true, true}}},
		"p": {{GroupID: 0, Perm: [4]bool{true}}},
	}}
	reader, writer, nobody := &User{ID: 5, Groups: []int64{10}}, &User{ID: 6, Groups: []int64{11}}, &User{ID: 7}
	for _, tt := range []struct {
		user  *User
		model string
		mode  schema.Mode
		want  bool
	}{
		{reader, "m", schema.Read, true},
		{reader, "m", schema.Write, false},
		{writer, "m", schema.Unlink, true},
		{nobody, "m", schema.Read, false},
		{nobody, "p", schema.Read, true},
		{nobody, "p", schema.Create, false},
		{reader, "none", schema.Read, false},
		{&User{ID: SuperuserID}, "none", schema.Unlink, true},
	} {
		if got := Model(reg, tt.user, tt.model, tt.mode); got != tt.want {
			t.Errorf("user %d, %s of %s: %v", tt.user.ID, tt.mode, tt.model, got)
		}
	}
	if AnyMode(reg, nobody, "m") || !AnyMode(reg, reader, "m") {
		t.Error("AnyMode is wrong")
	}
}

func TestFieldRights(t *testing.T) {
	reg := &schema.Registry{}
	u := &User{ID: 7, Groups: []int64{10}}
	if !Field(reg, u, schema.NewChar("a", "A")) {
		t.Error("a plain field is hidden")
	}
	if Field(reg, u, schema.NewChar("a", "A").For("base.group_system")) || Field(reg, u, schema.NewChar("a", "A").For(".")) {
		t.Error("a restricted field is shown")
	}
	if Field(reg, &User{ID: SuperuserID}, schema.NewChar("a", "A").Hidden()) {
		t.Error("the superuser reads a secret")
	}
}
