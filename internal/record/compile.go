package record

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// compiler renders one statement: domains, orders and fields to SQL with
// numbered arguments. It asks the database nothing.
type compiler struct {
	reg   *schema.Registry
	d     sqldb.Dialect
	actor *actor
	// sudo compiles without rights and rules, as Odoo's superuser.
	sudo bool
	// keepArchived is the context's active_test = false.
	keepArchived bool
	now          func() time.Time
	// lookup gives the values of names in record rules.
	lookup func(name string) (any, error)

	args    []any
	aliases int
	// companyParents has the parent of every company, 0 for none; nil: not known.
	companyParents map[int64]int64
	// literals writes lists of ids into the text instead of passing them: record
	// rules have few (the companies), and PostgreSQL keeps one plan for a
	// statement only where no list of unknown length makes it dear.
	literals bool
	// volatile says that the statement depends on the moment it was compiled.
	volatile bool
	// unguarded is the clause whose records are shown by their documents later.
	unguarded *from
	// checking is about rights alone, not about what a search finds.
	checking bool
	// attaching: what is compiled are the rights on records that have attachments.
	attaching bool
	// contextKeys are the keys of the context that the engine does not know.
	contextKeys []string
	// sized and sizedFields are the context's bin_size; fileAspect is what
	// attached tells, the bytes if it is empty.
	sized       bool
	sizedFields []string
	fileAspect  string
}

// from is one FROM clause: a model's table under an alias and the joins to the
// parents it inherits from.
type from struct {
	c      *compiler
	model  *schema.Model
	alias  string
	joins  *strings.Builder
	joined map[string]string // alias of the parent, by "alias.link"
}

// arg adds an argument and gives its placeholder.
func (c *compiler) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

// inInts tests an expression against ids.
func (c *compiler) inInts(expr string, ids []int64) string {
	if len(ids) == 1 && c.literals {
		return expr + " = " + strconv.FormatInt(ids[0], 10)
	}
	if len(ids) == 1 {
		return expr + " = cast(" + c.arg(ids[0]) + " as bigint)"
	}
	if !c.literals || len(ids) == 0 {
		return c.d.In(expr, c.arg(ids), true)
	}
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return expr + " in (" + b.String() + ")"
}

func (c *compiler) alias() string {
	c.aliases++
	return "t" + strconv.Itoa(c.aliases)
}

// from opens a FROM clause on a model.
func (c *compiler) from(m *schema.Model) *from {
	return &from{c: c, model: m, alias: c.alias(), joins: &strings.Builder{}, joined: map[string]string{}}
}

// sql is the text of the FROM clause.
func (f *from) sql() string { return f.table() + f.joins.String() }

// table is the clause without its joins.
func (f *from) table() string { return quote(f.model.Table) + " " + f.alias }

// through is the clause after a relation table r that leads to it by column.
func (f *from) through(rel, r, column string) string {
	return quote(rel) + " " + r + " join " + f.table() + " on " + f.alias + ".id = " + r + "." + quote(column) + f.joins.String()
}

// at is the same clause seen from a joined parent model.
func (f *from) at(m *schema.Model, alias string) *from {
	return &from{c: f.c, model: m, alias: alias, joins: f.joins, joined: f.joined}
}

// parent joins the model that a many2one of a delegation leads to.
func (f *from) parent(link *schema.Field) *from {
	m := f.c.reg.Model(link.Relation)
	key := f.alias + "." + link.Name
	alias, ok := f.joined[key]
	if !ok {
		alias = f.c.alias()
		f.joined[key] = alias
		on := f.col(link)
		if link.CompanyDependent {
			on = f.perCompany(link)
		}
		f.joins.WriteString(" left join " + quote(m.Table) + " " + alias + " on " + alias + ".id = " + on)
	}
	return f.at(m, alias)
}

// col is a column of the clause's table.
func (f *from) col(field *schema.Field) string { return f.alias + "." + quote(field.Name) }

// field finds a field that the caller may use by name in a domain, an order or
// a list of fields; what says which, for messages.
func (c *compiler) field(m *schema.Model, name, what string) (*schema.Field, error) {
	f := m.Field(name)
	if f == nil || f.Secret {
		return nil, backend.NoField(m, name, what)
	}
	if f.Gap != "" {
		return nil, backend.CannotProve(backend.UnknownField, m.Name+"."+name, f.Gap)
	}
	if !c.sudo && !access.Field(c.reg, c.actor.user, f) {
		return nil, fault.Newf(fault.Forbidden, "You are not allowed to access the field %s of %s", name, m.Name)
	}
	return f, c.comparable(f, what)
}

// where renders a domain as a condition; a NULL result counts as false.
func (f *from) where(n domain.Node) (string, error) {
	switch n := n.(type) {
	case domain.Const:
		if n {
			return "true", nil
		}
		return "false", nil
	case domain.And:
		return f.list(n, " and ", "true")
	case domain.Or:
		return f.list(n, " or ", "false")
	case domain.Not:
		if turned, ok := f.opposite(n.Child); ok {
			return f.where(turned)
		}
		inner, err := f.where(n.Child)
		return negate(inner), err
	case *domain.Leaf:
		return f.leaf(n, n.Path)
	}
	return "", fault.Newf(fault.Internal, "unknown domain node %T", n)
}

// negate is the complement of a condition, with NULL as false.
func negate(cond string) string {
	switch cond {
	case "true":
		return "false"
	case "false":
		return "true"
	}
	return "((" + cond + ") is not true)"
}

// list joins conditions; empty is what none of them come to, and its opposite
// decides the whole.
func (f *from) list(nodes []domain.Node, op, empty string) (string, error) {
	var conds []string
	zero := negate(empty)
	nodes = f.merged(nodes, empty == "true")
	parts, failed := make([]outcome, len(nodes)), false
	for i, n := range nodes {
		cond, err := f.where(n)
		parts[i] = outcome{cond, err, cond == zero && f.lateConstant(n), climbs(n)}
		failed = failed || err != nil
		if cond == empty || err != nil {
			continue
		}
		conds = append(conds, cond)
	}
	if failed {
		return verdict(parts, zero)
	}
	for _, p := range parts {
		if p.cond == zero {
			return zero, nil
		}
	}
	if len(conds) == 0 {
		return empty, nil
	}
	return joined(conds, op), nil
}

// joined joins conditions, many of them as a tree: to SQLite a chain is as deep
// as it is long, and it bounds the depth.
func joined(conds []string, op string) string {
	if most := 100; len(conds) > most {
		half := len(conds) / 2
		return "(" + joined(conds[:half], op) + ")" + op + "(" + joined(conds[half:], op) + ")"
	}
	return "(" + strings.Join(conds, ")"+op+"(") + ")"
}

// search is the condition for records of the model that match a domain and
// that the caller may see: rights, record rules, and archived ones left out
// unless asked for.
func (f *from) search(n domain.Node) (string, error) {
	if err := f.c.searchable(f.model); err != nil {
		return "", err
	}
	n = f.c.withActive(f.model, n)
	cond, err := f.where(n)
	if cond == "false" || err != nil && stageOf(err) < storeStage {
		return cond, err // Odoo does not look at the rules any more
	}
	rules, refused := f.rules(schema.Read)
	if refused != nil || err != nil {
		return "", cmp.Or(refused, err)
	}
	return conj(cond, rules), nil
}

// withActive leaves archived records, and files of fields, out unless the
// context or the domain itself asks otherwise (semantics, section 6).
func (c *compiler) withActive(m *schema.Model, n domain.Node) domain.Node {
	n = withoutFieldFiles(m, n)
	if c.keepArchived || m.ActiveName == "" || domain.MentionsTop(n, m.ActiveName) {
		return n
	}
	return domain.Conj(n, &domain.Leaf{Path: m.ActiveName, Op: domain.OpEq, Value: true, Pos: -1})
}

// rules is the condition of the record rules, those of delegation parents
// included; "true" for the superuser.
func (f *from) rules(mode schema.Mode) (string, error) {
	c := f.c
	if c.sudo {
		return "true", nil
	}
	node, err := access.RuleDomain(c.reg, c.actor.user, f.model.Name, mode, c.lookup)
	if err != nil {
		return "", ruleFault(err)
	}
	wasLiteral := c.literals
	c.literals = true
	cond, err := f.sudo(func() (string, error) { return f.where(node) })
	c.literals = wasLiteral
	if err != nil {
		return "", ruleFault(err)
	}
	for _, in := range f.model.Inherits {
		link := f.model.Field(in.Field)
		if len(c.reg.Rules[in.Model]) == 0 || link == nil {
			continue
		}
		parent, err := f.parent(link).rules(mode)
		if err != nil {
			return "", err
		}
		cond = conj(cond, parent)
	}
	return f.guarded(cond, mode)
}

// sudo compiles a part as superuser, archived records included.
func (f *from) sudo(part func() (string, error)) (string, error) {
	c := f.c
	wasSudo, wasKeep := c.sudo, c.keepArchived
	c.sudo, c.keepArchived = true, true
	defer func() { c.sudo, c.keepArchived = wasSudo, wasKeep }()
	return part()
}

// ruleFault hides the text of a rule that could not be applied from the caller.
func ruleFault(err error) error {
	if fl, ok := errors.AsType[*fault.Error](err); ok && fl.Kind == fault.Forbidden {
		return fl // the companies of the context
	}
	if u, ok := errors.AsType[*access.UnprovableError](err); ok {
		err = fmt.Errorf("%w: %w", &backend.UnprovableError{Reason: backend.RuleLanguage, Subject: u.Rule.Name}, err)
	}
	return fault.New(fault.Forbidden, "A record rule of this model cannot be applied; the administrator finds the reason in the log").Because(err)
}

// allowed is the right to read the records of another model that a domain or a
// field leads to.
func (c *compiler) allowed(model string) error {
	m := c.reg.Model(model)
	switch {
	case c.sudo:
		return nil
	case m != nil && m.AdminOnly: // whatever ir.model.access says of Gatehouse's own models
		if c.actor.admin {
			return nil
		}
	case access.Model(c.reg, c.actor.user, model, schema.Read):
		return nil
	}
	return backend.ForbiddenModel(model, schema.Read)
}

func conj(a, b string) string {
	switch {
	case a == "true":
		return b
	case b == "true":
		return a
	case a == "false" || b == "false":
		return "false"
	}
	return "(" + a + ") and (" + b + ")"
}

func disj(a, b string) string {
	switch {
	case a == "false":
		return b
	case b == "false":
		return a
	case a == "true" || b == "true":
		return "true"
	}
	return "(" + a + ") or (" + b + ")"
}
