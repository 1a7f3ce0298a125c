package record

import (
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// leafComputed renders a condition on a field that is computed and not stored:
// along the path that its own code searches, where that is known. Without code
// for it the field cannot be searched at all. done says that it is such a field.
func (f *from) leafComputed(l *domain.Leaf, field *schema.Field, rest string) (cond string, done bool, err error) {
	if !shownOnly(field) || field.Name == "display_name" {
		return "", false, nil
	}
	switch {
	case field.SearchPathless && rest != "":
		return "", true, atLeaf(l, fault.Newf(fault.BadRequest, "The field %s of %s cannot be searched along a path", field.Name, field.Model.Name))
	case len(field.SearchPath) > 0:
		path := strings.Join(field.SearchPath, ".")
		if rest != "" {
			path += "." + rest
		}
		if field.SearchArchived {
			was := f.c.keepArchived
			f.c.keepArchived = true
			defer func() { f.c.keepArchived = was }()
		}
		cond, err = f.leaf(l, path)
		return cond, true, err
	case len(field.SearchChain) > 0:
		cond, err = f.leafChain(l, field)
		return cond, true, err
	}
	if field.PythonSearch {
		return "", true, atLeaf(l, notReadable(field))
	}
	return "", true, atLeaf(l, fault.Newf(fault.BadRequest, "The field %s of %s is computed and not stored: it cannot be searched",
		field.Name, field.Model.Name).With(fault.FieldErrors{field.Name: "not stored"}))
}

// leafChain searches for the parts of texts like "a / b".
func (f *from) leafChain(l *domain.Leaf, field *schema.Field) (string, error) {
	op, value := setForm(l.Op, l.Value)
	if op.Negative() {
		positive := *l
		positive.Op, _ = op.Negate()
		positive.Value = value
		cond, err := f.leafChain(&positive, field)
		return negate(cond), err
	}
	texts := []any{value}
	if op == domain.OpIn {
		texts = listOf(value)
	}
	if op != domain.OpIn && !op.IsPattern() {
		return "", atLeaf(l, notReadable(field))
	}
	cond := "false"
	for _, v := range texts {
		text, isText := v.(string)
		if !isText || text == "" {
			return "", atLeaf(l, notReadable(field))
		}
		one, err := f.chained(op, field.SearchChain, text)
		if err != nil {
			return "", err
		}
		cond = disj(cond, one)
	}
	return cond, nil
}

func (f *from) chained(op domain.Op, paths []string, text string) (string, error) {
	leaf := func(path, text string) domain.Node {
		if op == domain.OpIn {
			return &domain.Leaf{Path: path, Op: domain.OpEq, Value: text, Pos: -1}
		}
		return &domain.Leaf{Path: path, Op: op, Value: text, Pos: -1}
	}
	own := leaf(paths[1], text)
	before, after, cut := strings.Cut(text, "/")
	if cut {
		before, after = strings.TrimSpace(before), strings.TrimSpace(after)
	}
	if before != "" {
		above := leaf(paths[0], before)
		if after != "" {
			above = domain.Conj(above, leaf(paths[1], after))
		}
		own = domain.Disj(own, above)
	}
	return f.sudoFields(func() (string, error) { return f.where(own) })
}

// comparable refuses to compare and order by a translated field where Odoo
// takes all its languages at once.
func (c *compiler) comparable(field *schema.Field, what string) error {
	if field.Translate && what != "fields" && slices.Contains(c.contextKeys, "prefetch_langs") {
		return backend.CannotProve(backend.ContextKey, "prefetch_langs", field.Model.Name+"."+field.Name)
	}
	return nil
}

// shownOnly says that a field is computed when it is shown, and no column.
func shownOnly(field *schema.Field) bool {
	return !field.Store && !field.Inherited && len(field.Related) == 0 && (field.SQL == "" || field.ShownOnly)
}

// notOrdered answers for fields that are not stored: they are no order, unless
// code says how.
func (f *from) notOrdered(field *schema.Field) error {
	if f.model.Python.Groups {
		return notReadable(field)
	}
	return fault.Newf(fault.BadRequest, "Cannot order by the field %s of %s: it is not stored", field.Name, f.model.Name)
}
