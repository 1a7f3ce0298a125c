package record

import (
	"cmp"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// unknowable stands in a name where only Odoo's code knows it: in this record,
// while others of the model follow from their data (package facts).
const unknowable = "\x02"

// knowable says whether a name that was read is one.
func knowable(subject, name string) error {
	if strings.Contains(name, unknowable) {
		return backend.CannotProve(backend.PythonName, subject, "of one of the records")
	}
	return nil
}

// mayBeUnknowable says whether an expression can give such a name.
func mayBeUnknowable(expr string) bool { return strings.Contains(expr, unknowable) }

// displayName is the expression of a record's name (semantics, section 11).
func (f *from) displayName() (string, error) {
	m := f.model
	if err := f.c.nameable(m); err != nil {
		return "", err
	}
	switch {
	case m.NameExpr != "":
		return f.fill(m.NameExpr)
	case len(m.NameParts) > 0:
		return f.nameParts()
	}
	if field := m.Field(m.RecName); field != nil && field.Name != "display_name" {
		if field.Type == schema.Many2one {
			return f.refName(field)
		}
		expr, err := f.value(field)
		if err != nil || field.Type.IsText() {
			return "nullif(" + expr + ", '')", err // an empty name is none
		}
		return f.c.d.CastText(expr, field.ColumnKind()), nil
	}
	return "'" + m.Name + ",' || cast(" + f.alias + ".id as text)", nil
}

func (f *from) nameParts() (string, error) {
	var parts []string
	for _, p := range f.model.NameParts {
		expr, err := f.path(strings.Split(p.Path, "."))
		if err != nil {
			return "", err
		}
		if p.Before == "" && p.After == "" {
			parts = append(parts, "coalesce("+expr+", '')")
			continue
		}
		parts = append(parts, "case when "+expr+" <> '' then "+quoteText(p.Before)+" || "+expr+" || "+quoteText(p.After)+" else '' end")
	}
	return "(" + strings.Join(parts, " || ") + ")", nil
}

// fill completes an expression of the facts: what stands in braces becomes SQL.
func (f *from) fill(template string) (string, error) {
	var b strings.Builder
	b.WriteByte('(')
	for {
		before, after, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			b.WriteByte(')')
			return b.String(), nil
		}
		what, rest, _ := strings.Cut(after, "}")
		expr, err := f.blank(strings.TrimSpace(what))
		if err != nil {
			return "", err
		}
		b.WriteString(expr)
		template = rest
	}
}

// blank is what goes into one pair of braces.
func (f *from) blank(what string) (string, error) {
	c := f.c
	word, rest, _ := strings.Cut(what, " ")
	switch word {
	case "t":
		return f.alias, nil
	case "?":
		return quoteText(unknowable), nil
	case "english":
		return sqlBool(c.actor.lang == "" || c.actor.lang == "en_US"), c.actor.langErr
	case "lang":
		return quoteText(cmp.Or(c.actor.lang, english)), c.actor.langErr
	case "in":
		group := c.reg.GroupID(rest)
		return sqlBool(group != 0 && c.actor.user.In(group)), nil
	case "attached":
		return f.attachedName()
	case "archived":
		return sqlBool(c.keepArchived), nil
	case "ids":
		ids, order, _ := strings.Cut(rest, " by ")
		return c.d.AggIDs(ids, order), nil
	case "line":
		expr, err := f.path(strings.Split(rest, "."))
		return c.d.FirstLine(expr), err
	case "text":
		return c.translated(rest), c.actor.langErr
	case "companies":
		return "(" + joinIDs(c.actor.companies) + ")", c.actor.companyErr
	case "own":
		return "(" + joinIDs(c.actor.user.CompanyIDs) + ")", nil
	case "root":
		return f.atRoot(rest)
	case "company":
		return strconv.FormatInt(c.actor.company, 10), c.actor.companyErr
	}
	if of, isOf := strings.CutPrefix(rest, "of "); isOf {
		alias, model, _ := strings.Cut(of, " ")
		if m := c.reg.Model(model); m != nil {
			return f.at(m, alias).path([]string{word})
		}
	}
	if rest != "" {
		return "", fault.Newf(fault.Internal, "unknown expression {%s} about %s", what, f.model.Name)
	}
	return f.path(strings.Split(what, "."))
}

// atRoot is the value of a field for the company at the root of the current
// one's branches.
func (f *from) atRoot(name string) (string, error) {
	c := f.c
	if c.companyParents == nil {
		return "", backend.CannotProve(backend.PythonName, f.model.Name, "the tree of companies")
	}
	root := c.actor.company
	for steps := 0; c.companyParents[root] != 0 && steps <= len(c.companyParents); steps++ {
		root = c.companyParents[root]
	}
	was := c.actor
	there := *was
	there.company = root
	c.actor = &there
	defer func() { c.actor = was }()
	return f.path([]string{name})
}

// joinIDs writes ids as SQL; where there are none, one that no record has.
func joinIDs(ids []int64) string {
	if len(ids) == 0 {
		return "0"
	}
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(list, ",")
}

func sqlBool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
