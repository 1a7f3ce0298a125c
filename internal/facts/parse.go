package facts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a table. Its form:
//
//	modules base mail sale          whose code is described
//	[res.partner]                   a model; what follows is about it
//	.names complete_name email      a fact about the model
//	child_ids active all            a fact about a field
//
// Text after " # " and lines that begin with # are remarks. Errors name the line.
//
// Facts about a model:
//
//	.table t            its table, where the name does not tell
//	.title f            the field that names a record; - is none
//	.display sql        how a record is called; further lines continue the text
//	.contexts key …     keys of the context that change the name
//	.names f …          fields that a search by name looks into
//	.named f [how]      a condition of a search by name, instead of .names; how is
//	                    word (the text's first word), exact (the very text), loosely
//	                    (anywhere) or rather (the very text, and then only that)
//	.below yes          a pattern finds also what is below what it finds
//	.apart yes          it is a search of its own, without archived records
//	.odd regexp         a text that code takes apart before searching for it
//	.step alone f op [regexp]   a step of name_search: what it finds is all; for
//	                    equality and patterns
//	.step always f op [regexp]  the same, for all positive operators
//	.step then [f [op [regexp]]]   a step of name_search: what it finds comes first
//	                    (op *: the caller's)
//	.step caller        name_search puts the calling user before all others
//	.searching contexts key …   keys of the context that change what is found
//	.searching sorting key …    keys of the context that change the model's order
//	.searching orders f …       fields that only code orders by
//	.searching patterns f …     fields whose patterns code rewrites
//	.searching fields f …       fields whose conditions code rewrites
//	.searching beside f …       fields that change name_search where its domain has them
//	.access document    rights follow from the document that a record hangs on
//	.access read        what hangs on a document of this model is for its readers,
//	                    not only for those who may write it
//	.own f …            fields that read gives users of their own record as to the
//	                    superuser, where it is asked for no others
//	.parent f           the many2one of the hierarchy
//	.defaults {…}       constant defaults, an object of JSON
//	.code_defaults f …  fields whose default code computes
//	.recast f …         fields whose default the model's own code may change once
//	                    more; * is any
//	.python what        only code knows: display_name, name_search, search,
//	                    access, groups
//
// Facts about a field: groups, domain (Odoo's text, or python), active (all or
// only), bypass, aggregate, digits ("16 2", the name of a precision, or exact:
// never rounded), search [path [archived]] (the path that its code searches,
// perhaps through archived records), chain and two paths (its code searches "a / b" so),
// pathless (its code searches along no path), contexts, depends (fields), default (company, user, or
// context and a key), languages (its choices are the active ones), shown (to
// everybody who asks what fields there are), value sql (how a field that is not stored is shown) and
// column sql (such a field, where it is searched and ordered by as if stored).
//
// Expressions of SQL hold, in braces, what the engine fills in: {field} and
// {link.field} are values, {t} the alias of the record's table, {?} a name that
// only code knows, {f of x model} a value of the model whose table has alias x,
// {ids x.a by x.b} a list of ids in an order, {archived} whether the context
// shows archived records, {english} whether the caller's language is English, {in
// base.group_user} whether he is in the group, {line f} the first line of a
// text, {text column} a translated column of another table, {companies} the
// ids of the active companies, in parentheses, {own companies} those of all the
// caller's, {company} that of the current one, {lang} the caller's language, and
// {root f} the value of a field for the company at the root of the current one's
// branches.
func Parse(text string) (*Table, error) {
	t := &Table{models: map[string]*Model{}}
	var model *Model
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, " # ")
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := t.line(line, &model); err != nil {
			return nil, fmt.Errorf("facts, line %d: %q: %w", i+1, line, err)
		}
	}
	slices.Sort(t.Modules)
	return t, nil
}

func (t *Table) line(line string, model **Model) error {
	if name, ok := strings.CutPrefix(line, "["); ok {
		name, closed := strings.CutSuffix(name, "]")
		if !closed || name == "" {
			return fmt.Errorf("a model is written [its.name]")
		}
		if t.models[name] != nil {
			return fmt.Errorf("the model has a section already")
		}
		*model = &Model{Fields: map[string]*Field{}}
		t.models[name] = *model
		return nil
	}
	word, rest := cutWord(line)
	if *model == nil {
		if word != "modules" {
			return fmt.Errorf("before the first [model] only modules may stand")
		}
		t.Modules = append(t.Modules, strings.Fields(rest)...)
		return nil
	}
	if fact, ok := strings.CutPrefix(word, "."); ok {
		return (*model).set(fact, rest)
	}
	f := (*model).Fields[word]
	if f == nil {
		f = &Field{}
		(*model).Fields[word] = f
	}
	fact, value := cutWord(rest)
	return f.set(fact, value)
}

func cutWord(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, " ")
	return word, strings.TrimSpace(rest)
}

func (m *Model) set(fact, value string) error {
	if value == "" {
		return fmt.Errorf("the fact has no value")
	}
	switch fact {
	case "table":
		m.Table = value
	case "title":
		m.Title = value
	case "display":
		return setSQL(&m.Display, value)
	case "contexts":
		m.Contexts = strings.Fields(value)
	case "names":
		m.Names = strings.Fields(value)
	case "parent":
		m.Parent = value
	case "own":
		m.Own = strings.Fields(value)
	case "defaults", "code_defaults", "recast":
		return m.Starting.set(fact, value)
	case "access":
		return m.setAccess(value)
	case "python":
		return m.Python.set(value)
	case "named", "below", "apart", "odd", "step", "searching":
		return m.Searching.set(fact, value)
	default:
		return fmt.Errorf("unknown fact about a model")
	}
	return nil
}

func (m *Model) setAccess(value string) error {
	switch value {
	case "document":
		m.ByDocument = true
	case "read":
		m.PostByRead = true
	default:
		return fmt.Errorf("access is document or read")
	}
	return nil
}

// setSQL takes an expression, or one more line of it.
func setSQL(to *string, value string) error {
	if strings.Count(value, "{") != strings.Count(value, "}") {
		return fmt.Errorf("a brace is missing")
	}
	*to = strings.TrimSpace(*to + " " + value)
	return nil
}

func (p *Python) set(what string) error {
	switch what {
	case "display_name":
		p.Name = true
	case "name_search":
		p.Names = true
	case "search":
		p.Search = true
	case "access":
		p.Access = true
	case "groups":
		p.Groups = true
	default:
		return fmt.Errorf("python is one of display_name, name_search, search, access, groups")
	}
	return nil
}

func (f *Field) set(fact, value string) error {
	switch fact {
	case "groups":
		f.Groups = strings.Split(value, ",")
	case "domain":
		if value == "python" {
			f.PythonDomain = true
			return nil
		}
		f.Domain = value
	case "active":
		switch value {
		case "all":
			f.Active = AllRecords
		case "only":
			f.Active = OnlyActive
		default:
			return fmt.Errorf("active is all or only")
		}
	case "bypass":
		f.Bypass = true
	case "aggregate":
		f.Aggregate = value
	case "digits":
		return f.setDigits(value)
	case "search", "chain", "pathless":
		return f.setSearch(fact, value)
	case "contexts":
		f.Contexts = strings.Fields(value)
	case "definition":
		f.Definition = value
	case "languages":
		f.Languages = true
	case "shown":
		f.Shown = true
	case "depends":
		f.Depends = strings.Fields(value)
	case "default":
		return f.setDefault(value)
	case "value", "column":
		f.Column = fact == "column"
		return setSQL(&f.Value, value)
	default:
		return fmt.Errorf("unknown fact about a field")
	}
	return nil
}

// setDigits reads "16 2", the name of a decimal precision, or "exact".
func (f *Field) setDigits(value string) error {
	if value == "" {
		return fmt.Errorf("digits are two numbers, the name of a precision, or exact")
	}
	f.HasDigits = true
	if value == "exact" {
		f.Digits = -1
		return nil
	}
	whole, after, _ := strings.Cut(value, " ")
	if strings.Trim(whole, "0123456789") != "" {
		f.Precision = value
		return nil
	}
	var err error
	f.Digits, err = strconv.Atoi(after)
	return err
}
