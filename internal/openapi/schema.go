package openapi

import "gatehouse/internal/httpapi/wire"

// schema writes a description of JSON.
func (w *writer) schema(s *wire.Schema) {
	if s.Ref != "" {
		w.reference(s)
		return
	}
	w.open('{')
	w.member("title", s.Title)
	w.member("description", s.Doc)
	w.kind(s)
	if len(s.Enum) > 0 {
		w.enum(s)
	}
	w.bounds(s)
	if s.Default != nil {
		w.key("default")
		w.value(s.Default)
	}
	if s.Example != nil {
		w.example(s.Example)
	}
	switch s.Type {
	case "array":
		w.key("items")
		w.schema(s.Items)
	case "object":
		w.members(s)
	}
	w.choices("oneOf", s.OneOf, s.Nullable)
	w.choices("allOf", s.AllOf, false)
	w.close('}')
}

// reference writes a reference, with what is said beside it: in 3.0 nothing may
// stand in the same object.
func (w *writer) reference(s *wire.Schema) {
	if s.Title == "" && s.Doc == "" && !s.Nullable {
		w.ref("schemas", s.Ref)
		return
	}
	w.open('{')
	w.member("title", s.Title)
	w.member("description", s.Doc)
	switch {
	case s.Nullable && w.old: // only objects are referred to so
		w.key("type")
		w.text("object")
		w.key("nullable")
		w.raw("true")
		w.choices("allOf", []*wire.Schema{{Ref: s.Ref}}, false)
	case s.Nullable:
		w.choices("oneOf", []*wire.Schema{{Ref: s.Ref}}, true)
	case w.old:
		w.choices("allOf", []*wire.Schema{{Ref: s.Ref}}, false)
	default:
		w.refMember("schemas", s.Ref)
	}
	w.close('}')
}

// kind writes type and format. Whether null is one of the types is said in
// another way by each version.
func (w *writer) kind(s *wire.Schema) {
	switch {
	case s.Type == "":
	case s.Nullable && !w.old:
		w.texts("type", []string{s.Type, "null"})
	default:
		w.member("type", s.Type)
		if s.Nullable {
			w.key("nullable")
			w.raw("true")
		}
	}
	switch {
	case s.Format == "byte" && !w.old:
		w.member("contentEncoding", "base64")
	case s.Format == "binary" && !w.old: // any bytes at all
	default:
		w.member("format", s.Format)
	}
}

func (w *writer) enum(s *wire.Schema) {
	w.key("enum")
	w.open('[')
	for _, word := range s.Enum {
		w.text(word)
	}
	if s.Nullable {
		w.raw("null")
	}
	w.close(']')
}

func (w *writer) bounds(s *wire.Schema) {
	if s.Min != nil {
		w.key("minimum")
		w.number(*s.Min)
	}
	if s.Max != nil {
		w.key("maximum")
		w.number(*s.Max)
	}
	if s.Longest > 0 {
		w.key("maxLength")
		w.whole(s.Longest)
	}
	if s.Fewest > 0 {
		w.key("minItems")
		w.whole(s.Fewest)
	}
}

func (w *writer) example(v any) {
	if w.old {
		w.key("example")
		w.value(v)
		return
	}
	w.key("examples")
	w.open('[')
	w.value(v)
	w.close(']')
}

func (w *writer) members(s *wire.Schema) {
	var must []string
	if len(s.Members) > 0 {
		w.object("properties", func() {
			for i := range s.Members {
				m := &s.Members[i]
				if !m.Optional {
					must = append(must, m.Name)
				}
				w.key(m.Name)
				w.schema(m.Schema)
			}
		})
	}
	if len(must) > 0 {
		w.texts("required", must)
	}
	switch {
	case s.Rest == nil: // open to more in later versions, so nothing is said
	case s.Rest.Type == "" && s.Rest.Ref == "" && len(s.Rest.OneOf) == 0:
		w.key("additionalProperties")
		w.raw("true")
	default:
		w.key("additionalProperties")
		w.schema(s.Rest)
	}
}

// choices writes alternatives, null one of them where the value may be null.
func (w *writer) choices(word string, list []*wire.Schema, nullable bool) {
	if len(list) == 0 {
		return
	}
	w.key(word)
	w.open('[')
	for i, s := range list {
		if nullable && w.old && i == 0 { // 3.0 has no type null: one of the others takes it
			first := *s
			first.Nullable = true
			s = &first
		}
		w.schema(s)
	}
	if nullable && !w.old {
		w.raw(`{"type":"null"}`)
	}
	w.close(']')
}
