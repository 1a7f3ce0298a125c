package openapi

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/httpapi/wire"
)

// The paths of a model differ from those of another one in the model's name
// alone. So each is written once, with marks where the name stands, and then
// cut at the marks and joined with the names: thousands of operations cost
// little more than copying.

// The marks, of Unicode's private use.
const (
	nameMark = "\ue000" // res.partner
	idMark   = "\ue001" // ResPartner, in operation ids
)

// stencil is JSON with marks, cut: what comes before the first, and then each
// mark with what comes after it.
type stencil struct {
	head  string
	holes []hole
	refs  []string // schemas of the model that it refers to, as their suffix
}

type hole struct {
	mark byte // 'n' or 'i'
	tail string
}

func cut(text string) stencil {
	s := stencil{}
	at := strings.IndexAny(text, nameMark+idMark)
	if at < 0 {
		return stencil{head: text}
	}
	s.head = text[:at]
	for at >= 0 {
		mark := byte('n')
		if strings.HasPrefix(text[at:], idMark) {
			mark = 'i'
		}
		text = text[at+len(nameMark):]
		at = strings.IndexAny(text, nameMark+idMark)
		tail := text
		if at >= 0 {
			tail = text[:at]
		}
		s.holes = append(s.holes, hole{mark, tail})
	}
	return s
}

func (s *stencil) fill(dst []byte, name, id string) []byte {
	dst = append(dst, s.head...)
	for i := range s.holes {
		if s.holes[i].mark == 'n' {
			dst = append(dst, name...)
		} else {
			dst = append(dst, id...)
		}
		dst = append(dst, s.holes[i].tail...)
	}
	return dst
}

// modelPath is a path of every model.
type modelPath struct {
	name stencil
	ids  []string // of its operations
	ops  []stencil
}

// modelPaths writes the paths of all models.
func (w *document) modelPaths(paths []path) {
	if len(paths) == 0 {
		return
	}
	all := make([]modelPath, len(paths))
	calls := map[string]*Operation{}
	for i, p := range paths {
		all[i].name = cut(strings.ReplaceAll(p.name, modelPlace, nameMark))
		for _, op := range p.ops {
			all[i].ids = append(all[i].ids, op.ID)
			all[i].ops = append(all[i].ops, w.stencil(op, p.name))
			calls[op.ID] = op
		}
	}
	for i := range w.Models {
		m := &w.Models[i]
		id := w.idOf(m.Name)
		for j := range all {
			w.modelPath(&all[j], m, id)
		}
		w.methods(m, id, calls)
	}
}

// stencil writes an operation once for all models.
func (w *document) stencil(op *Operation, on string) stencil {
	own := *op
	own.ID, own.Tag = idMark, nameMark
	own.ID = op.ID + idMark
	own.Body, own.Data = ForModel(op.Body, nameMark), ForModel(op.Data, nameMark)
	own.Example = nil // is about another model
	own.Path = strings.Replace(op.Path, modelPlace, nameMark, 1)
	s := cut(w.aside(func() { w.operation(&own, strings.Replace(on, modelPlace, nameMark, 1)) }))
	for _, suffix := range []string{"", CreatesSuffix, CreateSuffix, UpdateSuffix} {
		if mark := (component{"schemas", nameMark + suffix}); w.used[mark] {
			s.refs = append(s.refs, suffix)
			delete(w.used, mark)
		}
	}
	return s
}

// aside gives what is written as a text of its own.
func (w *document) aside(write func()) string {
	kept := w.buf
	w.buf = nil
	write()
	text := string(w.buf)
	w.buf = kept
	return text
}

// ForModel puts the schemas of one model in the place of those of any.
func ForModel(s *wire.Schema, model string) *wire.Schema {
	if s == nil {
		return nil
	}
	own := *s
	switch s.Ref {
	case Record:
		own.Ref = model
	case Create:
		own.Ref = model + CreateSuffix
	case Creates:
		own.Ref = model + CreatesSuffix
	case Update:
		own.Ref = model + UpdateSuffix
	}
	if s.Items != nil {
		own.Items = ForModel(s.Items, model)
	}
	own.OneOf, own.AllOf, own.Members = nil, nil, nil
	for _, one := range s.OneOf {
		own.OneOf = append(own.OneOf, ForModel(one, model))
	}
	for _, one := range s.AllOf {
		own.AllOf = append(own.AllOf, ForModel(one, model))
	}
	for _, m := range s.Members {
		m.Schema = ForModel(m.Schema, model)
		own.Members = append(own.Members, m)
	}
	if s.Rest != nil {
		own.Rest = ForModel(s.Rest, model)
	}
	return &own
}

func (w *document) modelPath(p *modelPath, m *Model, id string) {
	opened := false
	for i := range p.ops {
		if !slices.Contains(m.Operations, p.ids[i]) {
			continue
		}
		if !opened {
			opened = true
			w.sep()
			w.buf = append(w.buf, '"')
			w.buf = append(p.name.fill(w.buf, m.Name, id), '"', ':', '{')
		}
		w.sep()
		w.buf = p.ops[i].fill(w.buf, m.Name, id)
		for _, suffix := range p.ops[i].refs {
			w.used[component{"schemas", m.Name + suffix}] = true
		}
	}
	if opened {
		w.close('}')
	}
}

// methods writes the business methods of a model.
func (w *document) methods(m *Model, id string, calls map[string]*Operation) {
	for i := range m.Methods {
		method := &m.Methods[i]
		call := calls[method.Like]
		if call == nil {
			continue
		}
		own := *call
		own.ID = w.unique(lowerFirst(camel(method.Name)) + id)
		own.Tag, own.Summary, own.Example = m.Name, method.Doc, nil
		own.Path = strings.NewReplacer(modelPlace, m.Name, "{method}", method.Name).Replace(call.Path)
		own.Params = nil
		for _, p := range call.Params {
			if p.Name != "method" {
				own.Params = append(own.Params, p)
			}
		}
		w.key(own.Path)
		w.open('{')
		w.operation(&own, own.Path)
		w.close('}')
	}
}

// idOf is what a model is called in operation ids: ResPartner. Names that would
// be the same get a number.
func (w *document) idOf(name string) string { return w.unique(camel(name)) }

func (w *document) unique(id string) string {
	own := id
	for n := 2; w.ids[own]; n++ {
		own = id + strconv.Itoa(n)
	}
	w.ids[own] = true
	return own
}

func camel(name string) string {
	out := make([]byte, 0, len(name))
	up := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '.' || c == '_':
			up = true
		case up && c >= 'a' && c <= 'z':
			out, up = append(out, c-'a'+'A'), false
		default:
			out, up = append(out, c), false
		}
	}
	return string(out)
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
